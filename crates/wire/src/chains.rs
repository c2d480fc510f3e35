//! Doubly linked lists of numbers below the size of a slab: which timer slot, age class or free
//! list an entry is in.
//!
//! The links lie in an array of their own, eight bytes an entry, so that taking an entry out of its
//! chain does not pull its neighbours' state into the cache.

/// No entry.
pub(crate) const NONE: u32 = u32::MAX;

/// One list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    head: u32,
    tail: u32,
}

impl Chain {
    pub(crate) const fn new() -> Self {
        Self { head: NONE, tail: NONE }
    }

    /// The entry that was pushed first.
    pub(crate) const fn head(&self) -> Option<u32> {
        if self.head == NONE { None } else { Some(self.head) }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.head == NONE
    }
}

/// The links of all lists; an entry is in at most one of them.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    links: Vec<[u32; 2]>,
}

impl Chains {
    /// Appends an entry that is in no list.
    pub(crate) fn push(&mut self, chain: &mut Chain, entry: u32) {
        let needed = (entry as usize).saturating_add(1);
        if self.links.len() < needed {
            self.links.resize(needed, [NONE; 2]);
        }
        if let Some(link) = self.links.get_mut(entry as usize) {
            *link = [chain.tail, NONE];
        }
        match self.links.get_mut(chain.tail as usize) {
            Some([_, next]) if chain.tail != NONE => *next = entry,
            _ => chain.head = entry,
        }
        chain.tail = entry;
    }

    /// Takes an entry out of the list that it is in.
    pub(crate) fn remove(&mut self, chain: &mut Chain, entry: u32) {
        let Some(&[previous, next]) = self.links.get(entry as usize) else { return };
        match self.links.get_mut(previous as usize) {
            Some([_, link]) if previous != NONE => *link = next,
            _ => chain.head = next,
        }
        match self.links.get_mut(next as usize) {
            Some([link, _]) if next != NONE => *link = previous,
            _ => chain.tail = previous,
        }
    }

    /// The entry pushed after this one.
    pub(crate) fn next(&self, entry: u32) -> Option<u32> {
        self.links.get(entry as usize).map(|[_, next]| *next).filter(|&next| next != NONE)
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        self.links.capacity().saturating_mul(size_of::<[u32; 2]>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_is_kept_whatever_is_taken_out(steps in proptest::collection::vec((0_u32..20, any::<bool>()), 0..200)) {
            let (mut chains, mut chain, mut model) = (Chains::default(), Chain::new(), Vec::new());
            for (entry, add) in steps {
                let held = model.contains(&entry);
                if add && !held {
                    chains.push(&mut chain, entry);
                    model.push(entry);
                } else if !add && held {
                    chains.remove(&mut chain, entry);
                    model.retain(|&other| other != entry);
                }
                let walked: Vec<u32> =
                    std::iter::successors(chain.head(), |&at| chains.next(at)).collect();
                prop_assert_eq!(&walked, &model);
                prop_assert_eq!(chain.is_empty(), model.is_empty());
            }
        }
    }
}
