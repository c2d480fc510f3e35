//! Where flows live: blocks that are never moved once they are there.
//!
//! A growing vector would copy everything each time it doubles, and hold it twice meanwhile.

/// Entries in a block.
const BLOCK: usize = 256;
const BLOCK_BITS: u32 = BLOCK.trailing_zeros();

/// Numbered entries. An entry that was freed keeps its value until its place is used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    blocks: Vec<Vec<T>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { blocks: Vec::new(), free: Vec::new(), len: 0 }
    }

    /// How many entries are in use.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Stores an entry in the place freed last, or in a new one.
    pub(crate) fn insert(&mut self, entry: T) -> u32 {
        self.len = self.len.saturating_add(1);
        if let Some(place) = self.free.pop() {
            if let Some(old) = self.get_mut(place) {
                *old = entry;
            }
            return place;
        }
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let before = self.blocks.len().saturating_sub(1).saturating_mul(BLOCK);
        let Some(block) = self.blocks.last_mut() else { return 0 };
        let place = before.saturating_add(block.len());
        block.push(entry);
        place as u32
    }

    /// Frees a place that is in use.
    pub(crate) fn free(&mut self, place: u32) {
        self.free.push(place);
        self.len = self.len.saturating_sub(1);
    }

    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        self.blocks.get((place >> BLOCK_BITS) as usize)?.get(place as usize % BLOCK)
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.blocks.get_mut((place >> BLOCK_BITS) as usize)?.get_mut(place as usize % BLOCK)
    }

    /// Bytes held, without what entries hold elsewhere.
    pub(crate) fn memory(&self) -> usize {
        let blocks = self.blocks.len().saturating_mul(BLOCK.saturating_mul(size_of::<T>()));
        blocks.saturating_add(self.free.capacity().saturating_mul(size_of::<u32>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again_and_entries_stay_where_they_are() {
        let mut slab = Slab::new();
        let places: Vec<u32> = (0..1_000).map(|number| slab.insert(number)).collect();
        assert!(places.iter().zip(0..).all(|(&place, number)| slab.get(place) == Some(&number)));
        slab.free(places[300]);
        assert_eq!(slab.insert(7), places[300]);
        assert_eq!((slab.len(), slab.get(places[300]), slab.get(1_000)), (1_000, Some(&7), None));
    }
}
