//! Who acts in cases that nobody has closed. What they do teaches nobody what is normal.
//!
//! Time frees no one: an attack that goes on would be learned. People do, when they close the case;
//! and what is found in it afterwards holds again.

use std::collections::BTreeSet;

use assets::Entity;
use learn::Bounded;

/// Devices and others that are remembered.
const ACTORS: usize = 10_000;
/// Cases of one of them that are remembered.
const CASES: usize = 16;
/// Closed cases that are remembered; the oldest go first, and hold again.
const CLOSED: usize = 100_000;

/// Who acts in which cases, by their numbers.
#[derive(Debug)]
pub(super) struct Held {
    cases: Bounded<Entity, Vec<u64>>,
    closed: BTreeSet<u64>,
}

impl Default for Held {
    fn default() -> Self {
        Self { cases: Bounded::new(ACTORS), closed: BTreeSet::new() }
    }
}

impl Held {
    /// Somebody acts in a case, closed before or not.
    pub(super) fn note(&mut self, who: Entity, case: u64) {
        self.closed.remove(&case);
        let cases = self.cases.entry(who, Vec::new);
        if cases.contains(&case) {
            return;
        }
        if cases.len() >= CASES {
            cases.retain(|other| !self.closed.contains(other));
        }
        // Of so many that are open, the oldest hold well enough.
        if cases.len() < CASES {
            cases.push(case);
        }
    }

    /// A person closed a case.
    pub(super) fn close(&mut self, case: u64) {
        self.closed.insert(case);
        if self.closed.len() > CLOSED {
            self.closed.pop_first();
        }
    }

    /// A person opened it again.
    pub(super) fn reopen(&mut self, case: u64) {
        self.closed.remove(&case);
    }

    /// Whether somebody acts in a case that is not closed.
    pub(super) fn has(&self, who: Entity) -> bool {
        let cases = self.cases.get(&who);
        cases.is_some_and(|cases| cases.iter().any(|case| !self.closed.contains(case)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Entity = Entity::Device(assets::DeviceIx(7));

    #[test]
    fn who_acts_is_held_until_every_case_is_closed_and_again_when_more_is_found() {
        let mut held = Held::default();
        assert!(!held.has(WHO));
        held.note(WHO, 1);
        held.note(WHO, 2);
        held.close(1);
        assert!(held.has(WHO));
        held.close(2);
        assert!(!held.has(WHO));
        held.reopen(2);
        assert!(held.has(WHO));
        held.close(2);
        held.note(WHO, 2);
        assert!(held.has(WHO));
    }

    #[test]
    fn a_flood_of_cases_frees_nobody() {
        let mut held = Held::default();
        (0..1_000).for_each(|case| held.note(WHO, case));
        (500..1_000).for_each(|case| held.close(case));
        assert!(held.has(WHO));
        (0..1_000).for_each(|case| held.close(case));
        assert!(!held.has(WHO));
    }
}
