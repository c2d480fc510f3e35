//! When a conversation was seen: ten-minute slots of the last 14 days, as bits.
//!
//! A set and not a counter, so that what was read twice counts once, and the order of reading does
//! not matter.

use serde::{Deserialize, Serialize};

/// Seconds of a slot.
pub(super) const SECONDS: i64 = 600;
/// Slots that are kept: 14 days.
pub(super) const KEPT: i64 = 14 * PER_DAY;
/// Slots of a day.
const PER_DAY: i64 = 86_400 / SECONDS;

/// Slots in which something was seen. Bit `n` is the slot `n` before the latest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slots {
    latest: i64,
    /// Lowest bits first; no word at the end is zero.
    bits: Vec<u64>,
}

impl Slots {
    /// The slot of a time, in seconds since the epoch.
    pub(super) const fn of(seconds: i64) -> i64 {
        seconds.div_euclid(SECONDS)
    }

    /// Marks all slots from one to another, of which the last [`KEPT`] count.
    pub(super) fn mark(&mut self, from: i64, to: i64) {
        let to = to.max(from);
        for slot in from.max(to.saturating_sub(KEPT - 1))..=to {
            self.mark_one(slot);
        }
    }

    fn mark_one(&mut self, slot: i64) {
        if self.bits.is_empty() {
            *self = Self { latest: slot, bits: vec![1] };
            return;
        }
        if slot > self.latest {
            self.move_to(slot);
        }
        let age = self.latest.saturating_sub(slot);
        if age < KEPT {
            let word = (age / 64) as usize;
            if word >= self.bits.len() {
                self.bits.resize(word + 1, 0);
            }
            self.bits[word] |= 1 << (age % 64);
        }
    }

    /// Makes a later slot the latest: all others grow older, and the oldest are forgotten.
    fn move_to(&mut self, latest: i64) {
        let by = latest.saturating_sub(self.latest);
        self.latest = latest;
        if by >= KEPT {
            self.bits.clear();
        }
        let (words, bits) = ((by.min(KEPT) / 64) as usize, by % 64);
        let old = std::mem::take(&mut self.bits);
        let mut new = vec![0_u64; words];
        let mut carry = 0;
        for word in old {
            new.push((word << bits) | carry);
            carry = if bits == 0 { 0 } else { word >> (64 - bits) };
        }
        new.push(carry);
        let last = (KEPT / 64) as usize;
        new.truncate(last + 1);
        if let Some(word) = new.get_mut(last) {
            *word &= (1 << (KEPT % 64)) - 1;
        }
        while new.last() == Some(&0) {
            new.pop();
        }
        // The latest slot is marked at once by whoever moved here.
        if new.is_empty() {
            new.push(0);
        }
        self.bits = new;
    }

    /// The slots, latest first.
    pub(super) fn latest_first(&self) -> impl Iterator<Item = i64> + '_ {
        self.bits.iter().zip(0_i64..).flat_map(move |(word, place)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = i64::from(left.trailing_zeros());
                left &= left.checked_sub(1)?;
                Some(self.latest.saturating_sub(place * 64 + bit))
            })
        })
    }

    /// How many.
    pub(super) fn count(&self) -> u32 {
        self.bits.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether what was read back can have been written.
    pub(super) fn is_whole(&self) -> bool {
        self.bits.len() <= (KEPT / 64) as usize + 1
            && self.bits.last().is_none_or(|word| *word != 0)
    }
}

/// How many days some slots lie in, by UTC, each begun half a day or more after the one before: an
/// hour around midnight is one day. Slots come in order.
pub(super) fn days(slots: &[i64]) -> u32 {
    let mut count = 0;
    let mut before: Option<i64> = None;
    for slot in slots {
        let is_new = before.is_none_or(|before| {
            slot.div_euclid(PER_DAY) != before.div_euclid(PER_DAY) && slot - before >= PER_DAY / 2
        });
        if is_new {
            count += 1;
            before = Some(*slot);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn an_hour_around_midnight_is_one_day_and_two_evenings_are_two() {
        let midnight = 100 * PER_DAY;
        let evening = |day: i64| (-3..3).map(move |slot| midnight + day * PER_DAY + slot);
        let slots = |days: i64| (0..days).flat_map(evening).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 14].map(|count| days(&slots(count))), [0, 1, 2, 14]);
        assert_eq!(days(&(midnight..midnight + 3 * PER_DAY).collect::<Vec<_>>()), 3);
        assert_eq!(days(&[midnight - PER_DAY / 3, midnight + PER_DAY / 3]), 2);
    }

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slot_a_century_ahead_forgets_and_does_not_hang() {
        let mut slots = Slots::default();
        slots.mark(5, 5);
        slots.mark(i64::MAX - 3, i64::MAX);
        assert_eq!(slots.count(), 4);
        slots.mark(i64::MIN, i64::MIN);
        assert_eq!(slots.count(), 4);
    }

    proptest! {
        #[test]
        fn slots_are_a_set_of_the_last_fortnight_in_any_order(
            seen in prop::collection::vec(0_i64..5_000, 1..60)
        ) {
            let mut slots = Slots::default();
            seen.iter().for_each(|slot| slots.mark(*slot, *slot));
            let latest = *seen.iter().max().unwrap();
            let expected: BTreeSet<i64> =
                seen.iter().copied().filter(|slot| latest - slot < KEPT).collect();
            let found: Vec<i64> = slots.latest_first().collect();
            prop_assert!(found.is_sorted_by(|a, b| a > b));
            prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected.clone());
            prop_assert_eq!(slots.count() as usize, expected.len());
            prop_assert!(slots.is_whole());
            let mut backwards = Slots::default();
            seen.iter().rev().for_each(|slot| backwards.mark(*slot, *slot));
            prop_assert_eq!(backwards, slots);
        }
    }
}
