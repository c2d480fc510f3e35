//! Figures as a person reads them.

use ml::intervals::Estimate;

use super::html::{NOTHING, escape};

/// What a figure is, and so how it is written.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// A share, shown in per cent.
    Share,
    /// A plain number: a ratio, a rate.
    Plain,
    /// The area under a curve: a third digit matters near 1.
    Area,
    /// Seconds, shown in seconds, minutes or hours.
    Seconds,
}

/// A number with about three digits that matter.
pub(super) fn plain(x: f64) -> String {
    if !x.is_finite() {
        return "\u{2013}".to_owned();
    }
    let digits = match x.abs() {
        a if a.fract() == 0.0 || a >= 99.95 => 0,
        a if a >= 9.995 => 1,
        a if a >= 0.0995 => 2,
        a if a >= 0.00995 => 3,
        a if a >= 0.000_995 => 4,
        _ => return format!("{x:.1e}"),
    };
    format!("{x:.digits$}")
}

/// A share in per cent. Near 0 and 100 % it gets the digits that tell it from them.
pub(super) fn percent(x: f64) -> String {
    let near = x.min(1.0 - x).abs();
    let digits = match near {
        n if n == 0.0 || n >= 0.0995 => 0,
        n if n >= 0.00995 => 1,
        n if n >= 0.000_995 => 2,
        _ => 3,
    };
    format!("{:.digits$}\u{a0}%", 100.0 * x)
}

/// A span of time.
pub(super) fn seconds(x: f64) -> String {
    if x < 120.0 {
        format!("{}\u{a0}s", plain(x))
    } else if x < 7_200.0 {
        format!("{}\u{a0}min", plain(x / 60.0))
    } else {
        format!("{}\u{a0}h", plain(x / 3_600.0))
    }
}

/// A number in its unit.
pub(super) fn number(x: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => percent(x),
        Unit::Plain => plain(x),
        Unit::Area => format!("{x:.3}"),
        Unit::Seconds => seconds(x),
    }
}

/// The interval alone: `81 % to 96 %`.
pub(super) fn interval(low: f64, high: f64, unit: Unit) -> String {
    format!("{} to {}", number(low, unit), number(high, unit))
}

/// An estimate in one cell: the figure, its interval, or that there is too little.
pub(super) fn estimate(of: &Estimate, unit: Unit) -> String {
    match of {
        Estimate::Known { value, low, high, .. } => format!(
            "{} <span class=\"sure\">({})</span>",
            number(*value, unit),
            interval(*low, *high, unit)
        ),
        few => too_few(few.count()),
    }
}

/// "Too few to say", or a dash where there was nothing at all.
pub(super) fn too_few(count: u64) -> String {
    if count == 0 {
        return NOTHING.to_owned();
    }
    format!("<span class=\"few\">too few to say ({count})</span>")
}

/// A count with thin spaces between thousands.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A name with underscores, as words; escaped.
pub(super) fn name(text: &str) -> String {
    if text.is_empty() { "(no name)".to_owned() } else { escape(&text.replace('_', " ")) }
}
