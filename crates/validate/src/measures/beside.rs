//! Two systems on the same traffic, kind by kind.

use ml::intervals::Estimate;
use serde::{Deserialize, Serialize};

use super::Measures;

/// One kind of attack, as two systems rank it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// Which kind.
    pub kind: String,
    /// Attacked examples, ours and theirs. They differ a little where the systems tell devices apart
    /// in different ways.
    pub examples: [u64; 2],
    /// Our share of them above the threshold that 0.1 % of normal examples pass.
    pub ours: Estimate,
    /// The same of the other system, at its own threshold.
    pub theirs: Estimate,
    /// Ours less theirs, with Newcombe's interval of a difference of two shares (1998, his method
    /// 10); too few to say where one of the two is.
    pub difference: Estimate,
}

/// By kind, where either has any example.
pub fn beside(ours: &Measures, theirs: &Measures) -> Vec<Beside> {
    let of_both = ours.kinds.iter().filter_map(|(kind, our)| {
        let their = theirs.kinds.get(kind).filter(|their| their.examples + our.examples > 0)?;
        let (one, other) = (our.tpr_at_01_percent, their.tpr_at_01_percent);
        Some(Beside {
            kind: kind.clone(),
            examples: [our.examples, their.examples],
            ours: one,
            theirs: other,
            difference: difference(one, other),
        })
    });
    of_both.collect()
}

fn difference(one: Estimate, other: Estimate) -> Estimate {
    let (
        Estimate::Known { value, low, high, count },
        Estimate::Known { value: v, low: l, high: h, count: n },
    ) = (one, other)
    else {
        return if one.value().is_none() { one } else { other };
    };
    let apart = value - v;
    Estimate::Known {
        value: apart,
        low: (apart - (value - low).hypot(h - v)).max(-1.0),
        high: (apart + (high - value).hypot(v - l)).min(1.0),
        count: count.min(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_the_interval_that_newcombe_gives_for_it() {
        // Newcombe (1998), table II, example (a): 56/70 less 48/80, method 10.
        let of = difference(Estimate::share(56, 70, 1), Estimate::share(48, 80, 1));
        let Estimate::Known { value, low, high, .. } = of else { panic!("{of:?}") };
        assert!((value - 0.2).abs() < 1e-12);
        assert!((low - 0.0524).abs() < 1e-3 && (high - 0.3339).abs() < 1e-3, "{low} {high}");
        // Example (g): 10/10 less 0/10.
        let of = difference(Estimate::share(10, 10, 1), Estimate::share(0, 10, 1));
        let Estimate::Known { low, high, .. } = of else { panic!("{of:?}") };
        assert!((low - 0.6075).abs() < 1e-3 && high == 1.0, "{low} {high}");
    }

    #[test]
    fn where_one_has_too_few_nothing_is_said() {
        let few = Estimate::TooFew { count: 3, needed: 20 };
        assert_eq!(difference(few, Estimate::share(1, 30, 20)), few);
        assert_eq!(difference(Estimate::share(1, 30, 20), few), few);
    }
}
