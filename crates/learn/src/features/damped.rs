//! Sums that fade: what was counted a half-life ago counts half.
//!
//! The damped statistics of AfterImage (Y. Mirsky et al., "Kitsune: An Ensemble of Autoencoders for
//! Online Network Intrusion Detection", NDSS 2018), in integers: time passes in sixteenths of a
//! half-life, each of which is one multiplication by a constant. So a sum is the same on every
//! machine, and one that was never touched for an hour costs nothing.

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Steps of a half-life.
const STEPS: u64 = 16;
/// A count of one, so that what is left of it can fade.
const ONE: u64 = 1 << 12;
/// 2^(-i/16) in units of 2^-32.
const FADE: [u64; STEPS as usize] = [
    4_294_967_296,
    4_112_874_773,
    3_938_502_376,
    3_771_522_796,
    3_611_622_603,
    3_458_501_653,
    3_311_872_529,
    3_171_459_999,
    3_037_000_500,
    2_908_241_642,
    2_784_941_738,
    2_666_869_345,
    2_553_802_834,
    2_445_529_972,
    2_341_847_524,
    2_242_560_872,
];

/// A few counters that fade together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damped<const N: usize> {
    /// Step at which they were last brought up to date.
    step: u64,
    #[serde(with = "list")]
    sums: [u64; N],
}

impl<const N: usize> Default for Damped<N> {
    fn default() -> Self {
        Self { step: 0, sums: [0; N] }
    }
}

impl<const N: usize> Damped<N> {
    /// Adds to each counter at a time. What comes late counts as of now.
    pub fn add(&mut self, at: Timestamp, half_life: u32, amounts: [u64; N]) {
        self.fade(at, half_life);
        for (sum, amount) in self.sums.iter_mut().zip(amounts) {
            *sum = sum.saturating_add(amount.saturating_mul(ONE));
        }
    }

    /// What is left of each counter at a time, as a rate in a second: a steady stream of one a
    /// second gives 1.
    pub fn rates(&self, at: Timestamp, half_life: u32) -> [f64; N] {
        let mut now = *self;
        now.fade(at, half_life);
        // A steady stream adds up to its rate times the mean life, which is half_life / ln 2.
        let life = f64::from(half_life) / std::f64::consts::LN_2;
        now.sums.map(|sum| sum as f64 / ONE as f64 / life)
    }

    fn fade(&mut self, at: Timestamp, half_life: u32) {
        let tick = i64::from(half_life.max(1)) * 1_000_000_000 / STEPS.cast_signed();
        let step = (at.nanos().max(0) / tick).cast_unsigned();
        let passed = step.saturating_sub(self.step);
        if passed == 0 {
            return;
        }
        self.step = step;
        let (halvings, rest) = (passed / STEPS, passed % STEPS);
        for sum in &mut self.sums {
            if *sum == 0 {
                continue;
            }
            let whole = u32::try_from(halvings).map_or(0, |by| sum.checked_shr(by).unwrap_or(0));
            let part = u128::from(whole) * u128::from(FADE[rest as usize]);
            *sum = u64::try_from(part >> 32).unwrap_or(u64::MAX);
        }
    }
}

/// Arrays of any length as lists, which serde knows only up to 32 and only by size.
mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        sums: &[u64; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        sums.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u64; N], D::Error> {
        let list = Vec::<u64>::deserialize(from)?;
        list.try_into().map_err(|_| serde::de::Error::custom("another number of counters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn second(at: f64) -> Timestamp {
        Timestamp::from_nanos((at * 1e9) as i64 + 1_700_000_000_000_000_000)
    }

    #[test]
    fn a_steady_stream_gives_its_rate() {
        let mut sums = Damped::<1>::default();
        (0..600).for_each(|s| sums.add(second(f64::from(s)), 60, [5]));
        let [rate] = sums.rates(second(600.0), 60);
        assert!((rate - 5.0).abs() < 0.2, "{rate}");
    }

    proptest! {
        #[test]
        fn what_was_counted_fades_as_it_should(amount in 1_u64..1_000_000, after in 0.0_f64..600.0) {
            let mut sums = Damped::<1>::default();
            sums.add(second(0.0), 60, [amount]);
            let [rate] = sums.rates(second(after), 60);
            let wanted = amount as f64 * 0.5_f64.powf(after / 60.0) * std::f64::consts::LN_2 / 60.0;
            // A step is a sixteenth of a half-life: 4.4 per cent.
            prop_assert!(rate <= wanted * 1.05 + 1e-4 && rate >= wanted * 0.95 - 1e-4, "{rate} {wanted}");
        }

        #[test]
        fn no_time_and_no_amount_breaks_it(at in any::<i64>(), half in any::<u32>(), amount: u64) {
            let mut sums = Damped::<2>::default();
            let at = Timestamp::from_nanos(at);
            sums.add(at, half, [amount, 1]);
            sums.add(Timestamp::from_nanos(i64::MAX), half, [amount, u64::MAX]);
            prop_assert!(sums.rates(at, half).iter().all(|rate| rate.is_finite()));
        }
    }
}
