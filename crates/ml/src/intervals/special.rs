//! The incomplete gamma and beta functions and their inverses, to about 1e-12.
//!
//! Series and continued fractions as in the NIST Digital Library of Mathematical Functions
//! (8.7.1, 8.9.2 and 8.17.22), the gamma function by Lanczos's approximation (g = 7, nine terms),
//! inverses by bisection: they are asked for a handful of times a report.

const LANCZOS: [f64; 8] = [
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// Logarithm of the gamma function, for arguments of at least one half.
fn ln_gamma(x: f64) -> f64 {
    let x = x - 1.0;
    let series = LANCZOS
        .iter()
        .zip(1..)
        .fold(0.999_999_999_999_809_9, |sum, (term, i)| sum + term / (x + f64::from(i)));
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// Enough for arguments of millions; both methods end long before for small ones.
const TERMS: u32 = 20_000;
const SMALL: f64 = 1e-300;

/// Evaluates 1 / (b0 + a1 / (b1 + a2 / (b2 + ...))) by Lentz's method. `term` gives (a, b) of each
/// level from 1.
fn fraction(b0: f64, term: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut whole = if b0.abs() < SMALL { SMALL } else { b0 };
    let (mut c, mut d) = (whole, 0.0);
    for level in 1..TERMS {
        let (a, b) = term(f64::from(level));
        d = b + a * d;
        d = 1.0 / if d.abs() < SMALL { SMALL } else { d };
        c = b + a / c;
        c = if c.abs() < SMALL { SMALL } else { c };
        whole *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 / whole
}

/// Regularised lower incomplete gamma function P(a, x).
fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x > a + 1.0 {
        return 1.0 - front * fraction(x + 1.0 - a, |i| (i * (a - i), x + 2.0 * i + 1.0 - a));
    }
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for i in 1..TERMS {
        term *= x / (a + f64::from(i));
        sum += term;
        if term < sum * 1e-16 {
            break;
        }
    }
    front * sum
}

/// Regularised incomplete beta function I_x(a, b).
fn beta_i(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_i(b, a, 1.0 - x);
    }
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    let level = |i: f64| {
        let m = (i / 2.0).floor();
        let top = if i % 2.0 == 0.0 {
            m * (b - m) / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (top * x, 1.0)
    };
    ln_front.exp() / a * fraction(1.0, level)
}

/// Where a rising function reaches `goal` between `low` and `high`.
fn bisect(mut low: f64, mut high: f64, goal: f64, rising: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if rising(middle) < goal { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Quantile of the beta distribution, for shapes of at least one half.
pub(super) fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    bisect(0.0, 1.0, p, |x| beta_i(a, b, x))
}

/// Quantile of the gamma distribution with scale 1, for shapes of at least one half. Half a
/// chi-squared of twice the degrees.
pub(super) fn gamma_quantile(shape: f64, p: f64) -> f64 {
    let mut high = shape + 10.0;
    while gamma_p(shape, high) < p && high < 1e300 {
        high *= 2.0;
    }
    bisect(0.0, high, p, |x| gamma_p(shape, x))
}
