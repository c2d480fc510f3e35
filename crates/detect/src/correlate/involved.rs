//! Who takes part in which open cases.
//!
//! It is asked for every finding, and whoever attacks with a thousand addresses opens a thousand
//! cases: looking at all of them each time would make the work grow with their square.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use model::device::DeviceId;

/// Numbers of open cases by whoever takes part, the latest last.
#[derive(Debug)]
pub(super) struct By<K>(HashMap<K, Vec<u64>, RandomState>);

impl<K> Default for By<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Eq + Hash + Clone> By<K> {
    /// They take part in a case.
    pub(super) fn note(&mut self, who: &[K], case: u64) {
        for one in who {
            let cases = match self.0.get_mut(one) {
                Some(cases) => cases,
                None => self.0.entry(one.clone()).or_default(),
            };
            if let Err(place) = cases.binary_search(&case) {
                cases.insert(place, case);
            }
        }
    }

    /// A case in which they took part is closed.
    pub(super) fn forget(&mut self, who: &[K], case: u64) {
        for one in who {
            let Some(cases) = self.0.get_mut(one) else { continue };
            cases.retain(|open| *open != case);
            if cases.is_empty() {
                self.0.remove(one);
            }
        }
    }

    /// Cases in which somebody takes part, the latest first.
    pub(super) fn cases(&self, who: &K) -> impl Iterator<Item = u64> {
        self.0.get(who).into_iter().flatten().rev().copied()
    }
}

/// Everybody.
#[derive(Debug, Default)]
pub(super) struct Involved {
    pub(super) actors: By<DeviceId>,
    pub(super) victims: By<DeviceId>,
    pub(super) users: By<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_case_comes_first_and_a_closed_one_not_at_all() {
        let mut by: By<&str> = By::default();
        by.note(&["a", "b"], 3);
        by.note(&["a"], 7);
        by.note(&["a"], 3);
        assert_eq!(by.cases(&"a").collect::<Vec<_>>(), [7, 3]);
        by.forget(&["a"], 7);
        assert_eq!(by.cases(&"a").collect::<Vec<_>>(), [3]);
        by.forget(&["a", "b"], 3);
        assert!(by.cases(&"a").next().is_none() && by.0.is_empty());
    }
}
