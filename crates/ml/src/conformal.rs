//! How often a score as strange as this one comes by chance, among its like.
//!
//! A conformal p-value is the share of held-out normal scores that are at least as strange as the
//! new one, counted with the new one among them: `p = (1 + #{kept >= score}) / (kept + 1)`. If the
//! new score is exchangeable with the kept ones, `P(p <= a) <= a` for every `a`, whatever the model
//! and whatever the distribution (Vovk, Gammerman and Shafer, 2005). Equal scores count against the
//! alarm, so a model that mostly says nought raises none.
//!
//! That promise is one for the crowd: a threshold made from everybody is far too strict for the
//! quiet and too lax for the busy. So scores are kept **by group** ([`Mondrian`], Vovk's word for
//! it), and the promise holds in each. A group with too few scores of its own borrows those of a
//! wider one and says so. [`Adaptive`] keeps the promise in the long run also where life changes and
//! exchangeability fails, and [`Realised`] counts, always, whether it was kept.
//!
//! In this order, for a row: the p-value ([`Mondrian::p`]), corrected ([`Adaptive::adjust`]), decided
//! with; and then, if the row counts as normal, counted ([`Realised::take`], the corrected one),
//! followed ([`Adaptive::take`], the one before), and last of all kept ([`Mondrian::learn`]).
//!
//! **What has to be true for it**: a score is taken from a model that had not learned its row
//! (score first, then learn), and only normal rows are taken. Freeze a device with an open case.
//!
//! Deliberately absent from it: p-values below `1 / (kept + 1)`. A tail that was never seen is not
//! invented; who needs one in a million has to keep a million, add up evidence ([`crate::sequential`]),
//! or borrow the tail that others have seen, which is no guarantee any more ([`Tail`]).

mod adaptive;
mod realised;
mod scores;
mod sorted;
mod tail;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use adaptive::{Adaptive, LEVELS};
pub use realised::Realised;
pub use scores::{Keep, Scores};
pub use tail::Tail;

/// A p-value, and what it stands on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrated {
    /// The conformal p-value: above 0, at most 1.
    pub p: f64,
    /// Whose scores it stands on: the place in the path, 0 for the group's own.
    pub level: usize,
    /// How many scores those are. `p` is a multiple of 1 / (this + 1).
    pub kept: usize,
}

/// Kept scores by group, with wider groups to fall back on.
///
/// A path names the groups of a row from the narrowest to the widest, for instance
/// `["pump/quiet", "pump", ""]`. Narrow groups are made on sight, up to a bound; scores of later ones
/// count only in their wider groups. A learned score goes to every group of its path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mondrian {
    kept: usize,
    keep: Keep,
    enough: usize,
    most_groups: usize,
    groups: BTreeMap<String, Scores>,
}

impl Mondrian {
    /// Keeps up to `kept` scores in each of up to `most_groups` groups (4 bytes a score in a sample,
    /// 8 where the latest are kept). A group with fewer than `enough` of them borrows; a level of
    /// `a` can only be reached with `enough >= 1 / a - 1`.
    pub const fn new(kept: usize, keep: Keep, enough: usize, most_groups: usize) -> Self {
        Self { kept, keep, enough, most_groups, groups: BTreeMap::new() }
    }

    /// Takes the score of a normal row that its model had not learned. A score that is not finite is
    /// not taken.
    pub fn learn(&mut self, path: &[&str], score: f32) {
        if !score.is_finite() {
            return;
        }
        for name in path {
            if let Some(scores) = self.groups.get_mut(*name) {
                scores.learn(score);
            } else if self.groups.len() < self.most_groups {
                // A sample's chance comes from the group's name: the same in every run.
                let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                });
                let mut scores = Scores::new(self.kept, self.keep, seed);
                scores.learn(score);
                self.groups.insert((*name).to_owned(), scores);
            }
        }
    }

    /// The p-value of a score against the narrowest group of the path that has enough scores; where
    /// none has, against the group with the most. With no score at all it is 1.
    ///
    /// Where scores are borrowed (`level` above 0) the promise is that of the wider group, not of
    /// the narrow one.
    pub fn p(&self, path: &[&str], score: f32) -> Calibrated {
        let mut best = Calibrated { p: 1.0, level: path.len(), kept: 0 };
        for (level, name) in path.iter().enumerate() {
            let Some(scores) = self.groups.get(*name) else { continue };
            if scores.kept() > best.kept {
                best = Calibrated { p: scores.p(score), level, kept: scores.kept() };
            }
            if scores.kept() >= self.enough {
                break;
            }
        }
        best
    }

    /// The scores of a group.
    pub fn scores(&self, group: &str) -> Option<&Scores> {
        self.groups.get(group)
    }

    /// Names of all groups with their scores, in order.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &Scores)> {
        self.groups.iter().map(|(name, scores)| (name.as_str(), scores))
    }
}

#[cfg(test)]
mod tests;
