//! The timer wheel: which flows have to be looked at when.
//!
//! Two levels of 256 slots of a tenth of a second and of 25.6 seconds (Varghese and Lauck, 1987).
//! Bitmaps of the slots in use let a long silence pass in a few steps. Each entry has at most one
//! timer; what is due at once is handed out in the order in which it was set, and sorted by the
//! caller.

use crate::chains::{Chain, Chains};
use crate::clock::Micros;

const SLOTS: u64 = 256;

/// A tick of the wheel.
pub(crate) const TICK: Micros = 100_000;

/// No timer.
const IDLE: u64 = u64::MAX;

#[derive(Debug)]
struct Level {
    slots: Vec<Chain>,
    used: [u64; 4],
}

impl Level {
    fn new() -> Self {
        Self { slots: vec![Chain::new(); SLOTS as usize], used: [0; 4] }
    }

    fn slot(&mut self, number: u64) -> Option<&mut Chain> {
        self.slots.get_mut((number % SLOTS) as usize)
    }

    fn mark(&mut self, number: u64, used: bool) {
        let bit = 1_u64 << (number % 64);
        if let Some(word) = self.used.get_mut((number % SLOTS / 64) as usize) {
            *word = if used { *word | bit } else { *word & !bit };
        }
    }

    /// The first slot in use from `number` on, up to but without `end` (both below twice 256).
    fn next_used(&self, number: u64, end: u64) -> Option<u64> {
        let mut at = number;
        while at < end {
            let word = self.used.get((at % SLOTS / 64) as usize).copied().unwrap_or(0);
            let ahead = word >> (at % 64);
            if ahead != 0 {
                let found = at.saturating_add(u64::from(ahead.trailing_zeros()));
                return (found < end).then_some(found);
            }
            at = (at | 63).saturating_add(1);
        }
        None
    }
}

/// The wheel.
#[derive(Debug)]
pub(crate) struct Wheel {
    fine: Level,
    coarse: Level,
    chains: Chains,
    /// Tick at which each entry is due.
    due: Vec<u64>,
    /// The next tick to hand out.
    cursor: u64,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            fine: Level::new(),
            coarse: Level::new(),
            chains: Chains::default(),
            due: Vec::new(),
            cursor: 0,
        }
    }

    /// Engine time at which an entry's timer goes off.
    pub(crate) fn due_at(&self, entry: u32) -> Micros {
        self.due.get(entry as usize).copied().unwrap_or(IDLE).saturating_mul(TICK)
    }

    /// Sets an entry's timer, rounded up to a tick; one it had before no longer counts.
    pub(crate) fn set(&mut self, entry: u32, at: Micros) {
        self.clear(entry);
        let tick = at.div_ceil(TICK).clamp(self.cursor, IDLE.saturating_sub(1));
        self.put(entry, tick);
    }

    /// Takes an entry's timer away.
    pub(crate) fn clear(&mut self, entry: u32) {
        let tick = self.due.get(entry as usize).copied().unwrap_or(IDLE);
        if tick == IDLE {
            return;
        }
        let fine = tick / SLOTS == self.cursor / SLOTS;
        let (level, number) =
            if fine { (&mut self.fine, tick) } else { (&mut self.coarse, tick / SLOTS) };
        if let Some(chain) = level.slot(number) {
            self.chains.remove(chain, entry);
            if chain.is_empty() {
                level.mark(number, false);
            }
        }
        if let Some(due) = self.due.get_mut(entry as usize) {
            *due = IDLE;
        }
    }

    fn put(&mut self, entry: u32, tick: u64) {
        let tick = tick.min(self.furthest());
        let needed = (entry as usize).saturating_add(1);
        if self.due.len() < needed {
            self.due.resize(needed, IDLE);
        }
        if let Some(due) = self.due.get_mut(entry as usize) {
            *due = tick;
        }
        let fine = tick / SLOTS == self.cursor / SLOTS;
        let (level, number) =
            if fine { (&mut self.fine, tick) } else { (&mut self.coarse, tick / SLOTS) };
        if let Some(chain) = level.slot(number) {
            self.chains.push(chain, entry);
        }
        level.mark(number, true);
    }

    /// The last tick that the wheel can hold as yet. A timer beyond goes off early, and its owner
    /// sets it again.
    fn furthest(&self) -> u64 {
        (self.cursor / SLOTS).saturating_add(SLOTS).saturating_mul(SLOTS).saturating_sub(1)
    }

    /// Moves to the next tick up to `until` at which something is due, puts that into `out`, and
    /// says when it is; none where nothing is due any more.
    pub(crate) fn next(&mut self, until: Micros, out: &mut Vec<u32>) -> Option<Micros> {
        let last = until / TICK;
        while self.cursor <= last {
            let block = self.cursor / SLOTS;
            let (start, end) = (self.cursor % SLOTS, SLOTS);
            if let Some(slot) = self.fine.next_used(start, end) {
                let tick = block.saturating_mul(SLOTS).saturating_add(slot);
                if tick > last {
                    self.move_to(last.saturating_add(1));
                    return None;
                }
                self.take(tick, out);
                self.move_to(tick.saturating_add(1));
                return Some(tick.saturating_mul(TICK));
            }
            let first = (block % SLOTS).saturating_add(1);
            let ahead = self.coarse.next_used(first, first.saturating_add(SLOTS).saturating_sub(1));
            let to = match ahead {
                Some(slot) => {
                    let blocks = slot.saturating_sub(block % SLOTS);
                    block.saturating_add(blocks).saturating_mul(SLOTS)
                }
                None => last.saturating_add(1),
            };
            self.move_to(to.min(last.saturating_add(1)));
        }
        None
    }

    fn take(&mut self, tick: u64, out: &mut Vec<u32>) {
        let Some(slot) = self.fine.slot(tick) else { return };
        let chain = std::mem::replace(slot, Chain::new());
        self.fine.mark(tick, false);
        self.drain(chain, out);
    }

    /// Lists a chain that was taken out of its slot, and marks its entries as without timer.
    fn drain(&mut self, chain: Chain, out: &mut Vec<u32>) {
        let mut at = chain.head();
        while let Some(entry) = at {
            at = self.chains.next(entry);
            out.push(entry);
            if let Some(due) = self.due.get_mut(entry as usize) {
                *due = IDLE;
            }
        }
    }

    /// Moves the cursor; on entering a block, its entries move from the coarse level to the fine.
    fn move_to(&mut self, tick: u64) {
        let entered = tick / SLOTS != self.cursor / SLOTS;
        self.cursor = tick;
        if !entered {
            return;
        }
        let block = tick / SLOTS;
        let Some(slot) = self.coarse.slot(block) else { return };
        let chain = std::mem::replace(slot, Chain::new());
        self.coarse.mark(block, false);
        let mut at = chain.head();
        while let Some(entry) = at {
            at = self.chains.next(entry);
            let tick = self.due.get(entry as usize).copied().unwrap_or(IDLE);
            self.put(entry, tick);
        }
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        self.chains.memory().saturating_add(self.due.capacity().saturating_mul(size_of::<u64>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn goes_off_like_a_sorted_map(
            steps in proptest::collection::vec((0_u32..30, 0_u64..9_000_000_000, 0_u64..2_000_000_000, 0_u8..4), 1..150)
        ) {
            let (mut wheel, mut model, mut now) = (Wheel::new(), BTreeMap::<u32, u64>::new(), 0_u64);
            for (entry, delay, step, action) in steps {
                if action == 0 {
                    wheel.clear(entry);
                    model.remove(&entry);
                } else {
                    // Delays beyond the wheel's range go off early; stay within it here.
                    let at = now + delay % 6_000_000_000;
                    wheel.set(entry, at);
                    model.insert(entry, at);
                }
                now += step;
                let mut went = Vec::new();
                let mut due = Vec::new();
                while let Some(at) = wheel.next(now, &mut due) {
                    due.sort_unstable();
                    went.extend(due.drain(..).map(|entry| (at, entry)));
                }
                let last = now / TICK * TICK;
                let mut expected: Vec<(u64, u32)> = Vec::new();
                model.retain(|&entry, &mut at| {
                    let tick = at.div_ceil(TICK) * TICK;
                    if tick <= last { expected.push((tick, entry)); }
                    tick > last
                });
                expected.sort_unstable();
                // A timer set in the past goes off at the wheel's next tick.
                prop_assert_eq!(went.len(), expected.len());
                for (got, want) in went.iter().zip(&expected) {
                    prop_assert!(got.0 >= want.0 && got.0 <= want.0 + TICK, "{got:?} {want:?}");
                }
            }
        }
    }

    #[test]
    fn a_jump_of_a_thousand_years_takes_no_time() {
        let mut wheel = Wheel::new();
        let mut due = Vec::new();
        wheel.set(1, 5_000_000);
        wheel.set(2, u64::MAX);
        let far = 1_000 * 365 * 86_400 * 1_000_000;
        assert_eq!(wheel.next(far, &mut due), Some(5_000_000));
        assert!(wheel.next(far, &mut due).is_some(), "beyond the range goes off early");
        assert_eq!(wheel.next(far, &mut due), None);
        assert_eq!(due, [1, 2]);
    }
}
