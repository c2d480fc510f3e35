//! The logistic function for many numbers at once, the same on every machine.
//!
//! The exponential of a system's library differs between systems in the last bit, and is called
//! number by number. This one uses only sums, products and bits: the compiler does several at once.

/// Numbers in a vector.
const LANES: usize = 4;
/// log2(e).
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// 1.5 * 2^23: a number added to it is rounded to whole ones, which are then its lowest bits.
const ROUND: f32 = 12_582_912.0;

/// 2^x for x from -126 to 126, to about 2e-7 of itself: the Taylor series of 2^f on -1/2 to 1/2.
fn exp2(x: f32) -> f32 {
    let rounded = x + ROUND;
    let f = x - (rounded - ROUND);
    let series = 1.540_353e-4_f32;
    let series = series * f + 1.333_355_8e-3;
    let series = series * f + 9.618_129e-3;
    let series = series * f + 5.550_411e-2;
    let series = series * f + 2.402_265e-1;
    let series = series * f + std::f32::consts::LN_2;
    let series = series * f + 1.0;
    f32::from_bits(series.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// Puts 1 / (1 + e^-x) in the place of each x.
#[inline]
pub(super) fn sigmoid(all: &mut [f32]) {
    let (vectors, rest) = all.as_chunks_mut::<LANES>();
    vectors.iter_mut().for_each(at_once);
    // Nearly all autoencoders have fewer columns than a vector has lanes.
    if !rest.is_empty() {
        let mut padded = [0.0; LANES];
        padded[..rest.len()].copy_from_slice(rest);
        at_once(&mut padded);
        rest.copy_from_slice(&padded[..rest.len()]);
    }
}

#[inline]
fn at_once(all: &mut [f32; LANES]) {
    for x in all {
        // Beyond 80, 1 / (1 + e^x) is no longer told from 0 by anything that is added to it.
        let t = (-*x).clamp(-80.0, 80.0) * LOG2_E;
        *x = 1.0 / (1.0 + exp2(t));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_logistic_function_to_seven_digits() {
        for step in -4_000..=4_000 {
            let x = step as f32 / 50.0;
            let mut ours = [x];
            sigmoid(&mut ours);
            let right = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(ours[0]) / right - 1.0).abs() < 5e-6, "{x}: {} {right}", ours[0]);
            assert!((f64::from(ours[0]) - right).abs() < 3e-7, "{x}: {} {right}", ours[0]);
        }
    }

    #[test]
    fn numbers_far_out_give_nearly_nought_and_one() {
        let mut far = [-1e30, 1e30, 0.0];
        sigmoid(&mut far);
        assert!(far[0] < 1e-30 && far[1] == 1.0 && far[2] == 0.5, "{far:?}");
    }
}
