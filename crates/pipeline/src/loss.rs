//! What the sensor lost, counted by interface and cause, and told as observations.
//!
//! Capture threads add what they lost about twice a second; the thread that tells the engine takes
//! it from here, so that one observation speaks for all members of an interface and nothing is told
//! by a thread that should be capturing. Totals stay for metrics.
//!
//! A stretch of loss reaches over short pauses in it: the packets that came through meanwhile belong
//! to the share that was lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::observation::{Observation, ObservationId, Value};
use model::sensor::{
    DETECTION_BEHIND, INTERFACE_DOWN, INTERFACE_GONE, LOSS, RING_FULL, TABLE_FULL,
};
use model::time::Timestamp;

/// After so many seconds without loss a new stretch begins.
const PAUSE: f64 = 5.0;
/// Waiting for detection shorter than this is how a queue works.
const WAIT: Duration = Duration::from_millis(100);

/// What was counted of one stretch of one interface, by one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// Packets, lost ones included.
    pub packets: u64,
    /// Packets that were lost.
    pub lost: u64,
    /// How long the interface was down.
    pub down: Duration,
    /// How long capture waited for detection.
    pub waited: Duration,
    /// Flows let go because the table was full: of one packet, silent, to be spared.
    pub flows: [u64; 3],
}

impl Interval {
    fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.lost += other.lost;
        self.down += other.down;
        self.waited += other.waited;
        self.flows.iter_mut().zip(other.flows).for_each(|(sum, more)| *sum += more);
    }
}

/// What was lost on one interface.
#[derive(Debug)]
pub struct Interface {
    name: String,
    pending: Mutex<Pending>,
    packets: AtomicU64,
    lost: AtomicU64,
    down_millis: AtomicU64,
    waited_millis: AtomicU64,
    flows: [AtomicU64; 3],
    down: AtomicBool,
    gone: AtomicBool,
}

/// What is still to be told: by cause, when it was last told and what came since.
#[derive(Debug, Default)]
struct Pending {
    sum: Interval,
    from: Option<Timestamp>,
    until: Timestamp,
    /// Up to when packets were accounted for, and when the last loss of packets was.
    lost_at: Option<Timestamp>,
    gone_told: Option<Timestamp>,
}

/// Totals of an interface since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets that came, lost ones included.
    pub packets: u64,
    /// Packets lost because the ring was full.
    pub lost: u64,
    /// Milliseconds for which the interface was down.
    pub down_millis: u64,
    /// Milliseconds for which capture waited for detection, in all threads together.
    pub waited_millis: u64,
    /// Flows let go because the table was full: of one packet, silent, to be spared.
    pub flows: [u64; 3],
    /// Whether it is up and there.
    pub up: bool,
}

impl Interface {
    /// Nothing lost as yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            pending: Mutex::default(),
            packets: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            down_millis: AtomicU64::new(0),
            waited_millis: AtomicU64::new(0),
            flows: Default::default(),
            down: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        }
    }

    /// Its name when capture began.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Totals since the start.
    pub fn totals(&self) -> Totals {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let out_of_sight = self.down.load(Ordering::Relaxed) || self.gone.load(Ordering::Relaxed);
        Totals {
            packets: get(&self.packets),
            lost: get(&self.lost),
            down_millis: get(&self.down_millis),
            waited_millis: get(&self.waited_millis),
            flows: [&self.flows[0], &self.flows[1], &self.flows[2]].map(get),
            up: !out_of_sight,
        }
    }

    /// The interface went down, or is up again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// The interface has gone away for good.
    pub fn set_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    /// Adds what one thread counted from one time to another.
    pub fn add(&self, from: Timestamp, until: Timestamp, counted: &Interval) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let steps = [
            (&self.packets, counted.packets),
            (&self.lost, counted.lost),
            (&self.down_millis, millis(counted.down)),
            (&self.waited_millis, millis(counted.waited)),
            (&self.flows[0], counted.flows[0]),
            (&self.flows[1], counted.flows[1]),
            (&self.flows[2], counted.flows[2]),
        ];
        for (counter, more) in steps {
            counter.fetch_add(more, Ordering::Relaxed);
        }
        let mut pending = self.pending();
        pending.sum.add(counted);
        // What was told already is not told again, however threads take turns.
        let from = from.max(pending.lost_at.unwrap_or(Timestamp::MIN)).min(until);
        pending.from = Some(pending.from.map_or(from, |earlier| earlier.min(from)));
        pending.until = pending.until.max(until);
    }

    /// What was lost since the last time, as observations; their ids are still to be set.
    pub fn take(&self, now: Timestamp, out: &mut Vec<Observation>) {
        let mut pending = self.pending();
        if self.gone.load(Ordering::Relaxed) {
            let told = *pending.gone_told.get_or_insert(now);
            if now.seconds_since(told) >= 1.0 || told == now {
                pending.gone_told = Some(now);
                out.push(self.observation(INTERFACE_GONE, told, now));
            }
        }
        let Some(from) = pending.from else { return };
        let (sum, until) = (pending.sum, pending.until);
        if sum.lost > 0 {
            let mut o = self.observation(RING_FULL, from, until);
            o.set("packets", Value::Uint(sum.packets));
            o.set("lost", Value::Uint(sum.lost));
            out.push(o);
        }
        if sum.down > Duration::ZERO {
            out.push(self.observation(INTERFACE_DOWN, until.minus(sum.down).max(from), until));
        }
        if sum.waited >= WAIT {
            let mut o = self.observation(DETECTION_BEHIND, from, until);
            o.set("waited", Value::Float(sum.waited.as_secs_f64()));
            out.push(o);
        }
        if sum.flows != [0; 3] {
            let mut o = self.observation(TABLE_FULL, from, until);
            let names = ["flows_single_packet", "flows_idle", "flows_kept"];
            for (name, count) in names.into_iter().zip(sum.flows) {
                o.set(name, Value::Uint(count));
            }
            out.push(o);
        }
        let recent = |at: Timestamp| until.seconds_since(at) < PAUSE;
        if sum.lost > 0 {
            pending.lost_at = Some(until);
        } else if pending.lost_at.is_some_and(recent) {
            // Packets of a pause within a stretch count with the loss that follows.
            pending.sum = Interval { packets: sum.packets, ..Interval::default() };
            return;
        } else {
            pending.lost_at = None;
        }
        pending.sum = Interval::default();
        pending.from = None;
    }

    fn observation(&self, cause: &'static str, from: Timestamp, until: Timestamp) -> Observation {
        let mut o = Observation::new(until, &LOSS);
        o.set("interface", Value::Text(self.name.as_str().into()));
        o.set("cause", Value::Word(cause));
        o.set("seconds", Value::Float(until.seconds_since(from).max(0.0)));
        o
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives observations of the sensor ids that no other observation has: by their time, their
/// interface and their cause.
pub(crate) fn name(observations: &mut [Observation]) {
    use std::hash::{Hash, Hasher};
    for o in observations {
        // Fixed keys: the same fact has the same name.
        let mut hasher = std::hash::DefaultHasher::new();
        (LOSS.name, o.at.nanos(), o.str("interface"), o.str("cause")).hash(&mut hasher);
        o.id = ObservationId(hasher.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tenths: i64) -> Timestamp {
        Timestamp::from_nanos(1_800_000_000_000_000_000 + tenths * 100_000_000)
    }

    fn told(interface: &Interface, now: i64) -> Vec<Observation> {
        let mut out = Vec::new();
        interface.take(at(now), &mut out);
        out
    }

    fn of(packets: u64, lost: u64) -> Interval {
        Interval { packets, lost, ..Interval::default() }
    }

    #[test]
    fn members_of_one_interface_are_told_of_together() {
        let interface = Interface::new("span0");
        interface.add(at(0), at(5), &of(100, 0));
        interface.add(at(1), at(6), &of(900, 250));
        let told = told(&interface, 6);
        assert_eq!(told.len(), 1);
        let o = &told[0];
        assert_eq!((o.uint("packets"), o.uint("lost")), (Some(1_000), Some(250)));
        assert_eq!((o.at, o.str("cause")), (at(6), Some(RING_FULL)));
        assert!((o.float("seconds").unwrap() - 0.6).abs() < 1e-9);
        assert_eq!(interface.totals().lost, 250);
    }

    #[test]
    fn packets_between_two_losses_count_and_those_before_the_first_do_not() {
        let interface = Interface::new("span0");
        interface.add(at(0), at(5), &of(70_000, 0));
        assert!(told(&interface, 5).is_empty());
        interface.add(at(5), at(10), &of(100, 50));
        assert_eq!(told(&interface, 10)[0].uint("packets"), Some(100));
        interface.add(at(10), at(15), &of(300, 0));
        assert!(told(&interface, 15).is_empty());
        interface.add(at(15), at(20), &of(100, 50));
        let again = told(&interface, 20);
        assert_eq!((again[0].uint("packets"), again[0].uint("lost")), (Some(400), Some(50)));
        assert!((again[0].float("seconds").unwrap() - 1.0).abs() < 1e-9);
        // After a long pause a new stretch begins.
        for start in (20..200).step_by(5) {
            interface.add(at(start), at(start + 5), &of(1_000, 0));
            assert!(told(&interface, start + 5).is_empty());
        }
        interface.add(at(200), at(205), &of(10, 1));
        assert_eq!(told(&interface, 205)[0].uint("packets"), Some(10));
    }

    #[test]
    fn each_cause_is_told_of_by_itself() {
        let interface = Interface::new("span0");
        let down = Interval {
            down: Duration::from_millis(400),
            waited: Duration::from_secs(2),
            flows: [5, 0, 1],
            ..Interval::default()
        };
        interface.add(at(0), at(5), &down);
        let mut told = told(&interface, 5);
        name(&mut told);
        let causes: Vec<_> = told.iter().filter_map(|o| o.str("cause")).collect();
        assert_eq!(causes, [INTERFACE_DOWN, DETECTION_BEHIND, TABLE_FULL]);
        assert!((told[0].float("seconds").unwrap() - 0.4).abs() < 1e-9);
        let ids: std::collections::BTreeSet<_> = told.iter().map(|o| o.id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn an_interface_that_is_gone_is_told_of_for_as_long_as_it_is() {
        let interface = Interface::new("span0");
        interface.set_gone();
        let told: Vec<_> = (0..50).flat_map(|tenth| told(&interface, tenth)).collect();
        assert_eq!(told.len(), 5);
        assert!(told.iter().all(|o| o.str("cause") == Some(INTERFACE_GONE)));
        assert!(!interface.totals().up);
    }
}
