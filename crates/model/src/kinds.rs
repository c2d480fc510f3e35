//! A map from kinds of observation, looked up once for every observation.
//!
//! A kind is a `static`, declared once, so its address stands for it: no text is hashed or compared.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::field::KindSpec;

/// A value for each kind of observation.
#[derive(Clone, Debug)]
pub struct KindMap<T> {
    /// By the address of the table.
    values: HashMap<usize, (&'static KindSpec, T), RandomState>,
}

impl<T> Default for KindMap<T> {
    fn default() -> Self {
        Self { values: HashMap::default() }
    }
}

impl<T> KindMap<T> {
    /// The value of a kind.
    pub fn get(&self, kind: &'static KindSpec) -> Option<&T> {
        self.values.get(&std::ptr::from_ref(kind).addr()).map(|(_, value)| value)
    }

    /// The value of a kind, made from it where there is none as yet.
    pub fn entry(
        &mut self,
        kind: &'static KindSpec,
        make: impl FnOnce(&'static KindSpec) -> T,
    ) -> &mut T {
        let (_, value) = self
            .values
            .entry(std::ptr::from_ref(kind).addr())
            .or_insert_with(|| (kind, make(kind)));
        value
    }

    /// All values, by the names of their kinds.
    pub fn sorted(&self) -> Vec<(&'static KindSpec, &T)> {
        let mut all: Vec<_> = self.values.values().map(|(kind, value)| (*kind, value)).collect();
        all.sort_by_key(|(kind, _)| kind.name);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_value_and_all_come_by_name() {
        static ONE: KindSpec = KindSpec { name: "b.one", doc: "", fields: &[] };
        static OTHER: KindSpec = KindSpec { name: "a.other", doc: "", fields: &[] };
        let mut counts: KindMap<u64> = KindMap::default();
        for kind in [&ONE, &OTHER, &ONE] {
            *counts.entry(kind, |_| 0) += 1;
        }
        let all: Vec<_> = counts.sorted().into_iter().map(|(k, n)| (k.name, *n)).collect();
        assert_eq!(all, [("a.other", 1), ("b.one", 2)]);
        assert_eq!(counts.get(&ONE), Some(&2));
    }
}
