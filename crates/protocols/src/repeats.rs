//! What was said before in a flow, so that a device that repeats itself all day does not fill the
//! store.
//!
//! Automation protocols poll: the same registers ten times a second for years. The first of each
//! sort is worth telling, and then ever more rarely: at two, four, eight, ... of it.

/// How often each of the latest `cap` sorts was seen; the one that was longest ago is forgotten
/// first.
#[derive(Debug)]
pub struct Repeats<K> {
    seen: Vec<(K, u64)>,
    oldest: usize,
    cap: usize,
}

impl<K: PartialEq> Repeats<K> {
    /// Remembers at most `cap` sorts, at least one.
    pub const fn new(cap: usize) -> Self {
        Self { seen: Vec::new(), oldest: 0, cap: if cap == 0 { 1 } else { cap } }
    }

    /// Counts one more of a sort. How many there were with it where that is worth telling (a power
    /// of two), and nothing where it is not.
    pub fn told(&mut self, sort: K) -> Option<u64> {
        let count = self.count(sort);
        count.is_power_of_two().then_some(count)
    }

    /// Whether a sort is seen for the first time.
    pub fn is_new(&mut self, sort: K) -> bool {
        self.count(sort) == 1
    }

    fn count(&mut self, sort: K) -> u64 {
        if let Some((_, count)) = self.seen.iter_mut().find(|(known, _)| *known == sort) {
            *count = count.saturating_add(1);
            return *count;
        }
        if self.seen.len() < self.cap {
            self.seen.push((sort, 1));
        } else if let Some(slot) = self.seen.get_mut(self.oldest) {
            *slot = (sort, 1);
            self.oldest = self.oldest.saturating_add(1).checked_rem(self.cap).unwrap_or(0);
        }
        1
    }
}

/// Bytes to a number, the same in every run, for sorts that are too long to keep (FNV-1a).
pub fn digest(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        // A length in between keeps "ab", "c" from being "a", "bc".
        for byte in part.len().to_le_bytes().iter().chain(part.iter()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_told_ever_more_rarely() {
        let mut repeats = Repeats::new(4);
        let told: Vec<u64> = (0..100).filter_map(|_| repeats.told("read")).collect();
        assert_eq!(told, [1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(repeats.told("write"), Some(1));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut repeats = Repeats::new(2);
        assert!((0..50).all(|sort| repeats.is_new(sort)));
        assert_eq!(repeats.seen.len(), 2);
        assert!(!repeats.is_new(49) && repeats.is_new(0));
    }

    #[test]
    fn cuts_between_parts_count() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }
}
