//! What is going to happen, in order: frames and log lines still to come out, and who wakes when.
//!
//! A heap ordered by time and then by the order of arrival, so that equal times keep the order in
//! which they were said and the same plan gives the same bytes. It holds no more than what is in
//! flight: the future of one conversation or of one scenario.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Nanos;

/// Something that happens at a time.
#[derive(Debug)]
pub(crate) enum Item {
    /// A frame passes the sensor.
    Frame(Vec<u8>),
    /// The log collector writes a line.
    Syslog(String),
    /// The record system writes an audit record.
    Audit(String),
    /// An activity goes on: its place in the list of activities.
    Wake(usize),
}

struct Queued {
    at: Nanos,
    serial: u64,
    /// The event of the plan that it belongs to.
    event: Option<u32>,
    item: Item,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// First and last frame put in since recording began.
pub(crate) type Span = Option<(Nanos, Nanos)>;

/// The future, in order.
#[derive(Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Queued>>,
    serial: u64,
    now: Nanos,
    span: Span,
    event: Option<u32>,
}

impl Queue {
    /// Puts something in. Nothing can happen before what has already come out.
    pub(crate) fn push(&mut self, at: Nanos, item: Item) {
        let at = at.max(self.now);
        if matches!(item, Item::Frame(_)) {
            self.span = Some(match self.span {
                Some((first, last)) => (first.min(at), last.max(at)),
                None => (at, at),
            });
        }
        self.serial += 1;
        self.heap.push(Reverse(Queued { at, serial: self.serial, event: self.event, item }));
    }

    /// The next thing to happen, and the event that it belongs to.
    pub(crate) fn pop(&mut self) -> Option<(Nanos, Option<u32>, Item)> {
        let Reverse(next) = self.heap.pop()?;
        self.now = next.at;
        Some((next.at, next.event, next.item))
    }

    /// Starts a new recording of first and last frame, and hands back the one before. What is put
    /// in from now on belongs to this event, or to none.
    pub(crate) fn record(&mut self, event: Option<u32>) -> Span {
        self.event = event;
        self.span.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_out_by_time_and_then_as_they_were_said() {
        let mut queue = Queue::default();
        for (at, who) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            queue.push(at, Item::Wake(who));
        }
        let order: Vec<usize> = std::iter::from_fn(|| queue.pop())
            .map(|(_, _, item)| if let Item::Wake(who) = item { who } else { usize::MAX })
            .collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn what_is_said_too_late_happens_now_and_not_in_the_past() {
        let mut queue = Queue::default();
        queue.push(9, Item::Wake(0));
        queue.pop();
        queue.push(4, Item::Frame(vec![]));
        assert_eq!(queue.record(None), Some((9, 9)));
    }

    #[test]
    fn what_is_said_during_an_event_belongs_to_it_whenever_it_happens() {
        let mut queue = Queue::default();
        queue.push(1, Item::Frame(vec![]));
        queue.record(Some(3));
        queue.push(2, Item::Frame(vec![]));
        queue.record(None);
        queue.push(0, Item::Frame(vec![]));
        let events: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, e, _)| e).collect();
        assert_eq!(events, [None, None, Some(3)]);
    }
}
