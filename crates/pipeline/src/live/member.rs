//! One thread of live capture: packets of one member of an interface to observations, and the
//! counts of what was lost on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capture::{Batch, CaptureError, LiveSource};
use crossbeam_channel::{Sender, TrySendError};
use model::observation::Observation;
use model::time::Timestamp;

use super::{CHORES, Counters, POLL, now};
use crate::evidence::Recent;
use crate::loss::{Interface, Interval};
use crate::worker::Worker;

/// A pause after an interface went down, before it is asked again.
const DOWN: Duration = Duration::from_millis(500);

/// One member of an interface, with all that its thread needs.
pub(super) struct Member {
    pub(super) source: LiveSource,
    pub(super) worker: Worker,
    pub(super) seen: Seen,
    pub(super) recent: Option<Recent>,
}

impl Member {
    /// Follows its packets until told to stop or the interface is gone.
    pub(super) fn follow(
        &mut self,
        to: &Sender<Vec<Observation>>,
        stop: &AtomicBool,
        counters: &Counters,
    ) -> Result<(), CaptureError> {
        let Self { source, worker, seen, recent } = self;
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let mut bytes = 0;
            let batch = source.poll_batch(POLL, &mut |packet| {
                bytes += u64::from(packet.wire_len);
                if let Some(recent) = recent {
                    recent.push(&packet);
                }
                worker.packet(number, &packet);
                number += 1;
            });
            match batch {
                Ok(Batch::Packets(count)) => {
                    seen.is_up();
                    counters.packets.fetch_add(count as u64, Ordering::Relaxed);
                    counters.bytes.fetch_add(bytes, Ordering::Relaxed);
                }
                Ok(Batch::Idle) => {
                    seen.is_up();
                    worker.idle(now());
                }
                Ok(Batch::End) => break,
                Err(error @ CaptureError::InterfaceDown { .. }) => {
                    seen.is_down(&error);
                    std::thread::sleep(DOWN);
                }
                Err(error) => {
                    tracing::error!(%error, "no more packets from this interface");
                    seen.count(source, worker, counters, true);
                    seen.interface.set_gone();
                    return Err(error);
                }
            }
            seen.count(source, worker, counters, false);
            if let Some(recent) = recent {
                recent.serve(now(), false);
            }
            let observed = worker.take();
            if !observed.is_empty() && !seen.hand_over(to, observed) {
                break;
            }
        }
        worker.finish(number);
        seen.count(source, worker, counters, true);
        let _ = to.send(worker.take());
        if let Some(recent) = recent {
            recent.serve(now(), true);
        }
        Ok(())
    }
}

/// What a thread has already added to the common counts.
pub(super) struct Seen {
    interface: Arc<Interface>,
    /// Whether this member speaks for the interface itself.
    first: bool,
    packets: u64,
    drops: u64,
    flows: u64,
    malformed: u64,
    evicted: [u64; 3],
    waited: Duration,
    /// Since when the interface is down, as far as that was not yet told.
    down: Option<Instant>,
    asked: Instant,
    asked_at: Timestamp,
}

impl Seen {
    pub(super) fn new(interface: Arc<Interface>, first: bool) -> Self {
        Self {
            interface,
            first,
            packets: 0,
            drops: 0,
            flows: 0,
            malformed: 0,
            evicted: [0; 3],
            waited: Duration::ZERO,
            down: None,
            asked: Instant::now(),
            asked_at: now(),
        }
    }

    fn is_down(&mut self, error: &CaptureError) {
        if self.first && self.down.is_none() {
            tracing::warn!(%error, "blind on this interface until it is up again");
            self.down = Some(Instant::now());
            self.interface.set_down(true);
        }
    }

    fn is_up(&mut self) {
        if let Some(since) = self.down.take() {
            self.interface.set_down(false);
            self.told_down(since.elapsed());
        }
    }

    fn told_down(&self, down: Duration) {
        let until = now();
        let counted = Interval { down, ..Interval::default() };
        self.interface.add(until.minus(down), until, &counted);
    }

    /// Hands observations over, and notes how long that took where detection is behind. Says
    /// whether anybody still takes them.
    fn hand_over(&mut self, to: &Sender<Vec<Observation>>, observed: Vec<Observation>) -> bool {
        match to.try_send(observed) {
            Ok(()) => true,
            Err(TrySendError::Disconnected(_)) => false,
            Err(TrySendError::Full(observed)) => {
                let begun = Instant::now();
                let sent = to.send(observed).is_ok();
                self.waited += begun.elapsed();
                sent
            }
        }
    }

    fn count(&mut self, source: &LiveSource, worker: &Worker, counters: &Counters, last: bool) {
        if !last && self.asked.elapsed() < CHORES {
            return;
        }
        let (from, until) = (self.asked_at, now());
        (self.asked, self.asked_at) = (Instant::now(), until);
        let captured = source.stats();
        if captured.drops > self.drops {
            tracing::warn!(
                interface = source.interface(),
                lost = captured.drops - self.drops,
                "packets lost before they could be looked at"
            );
        }
        let stats = worker.stats();
        let evicted = [stats.evicted.single_packet, stats.evicted.idle, stats.evicted.kept];
        let counted = Interval {
            packets: step(&mut self.packets, captured.packets),
            lost: step(&mut self.drops, captured.drops),
            down: Duration::ZERO,
            waited: std::mem::take(&mut self.waited),
            flows: [0, 1, 2].map(|cause| step(&mut self.evicted[cause], evicted[cause])),
        };
        self.interface.add(from, until, &counted);
        // An interface that stays down is told of while it does.
        if let Some(since) = &mut self.down {
            let down = since.elapsed();
            *since = Instant::now();
            self.told_down(down);
        }
        counters.drops.fetch_add(counted.lost, Ordering::Relaxed);
        counters.evicted.fetch_add(counted.flows.iter().sum(), Ordering::Relaxed);
        let malformed = step(&mut self.malformed, stats.malformed_packets());
        counters.malformed.fetch_add(malformed, Ordering::Relaxed);
        // Open flows go up and down: add the difference, which wraps round to a subtraction.
        counters.flows.fetch_add(stats.open_flows.wrapping_sub(self.flows), Ordering::Relaxed);
        self.flows = stats.open_flows;
    }
}

/// How much a count grew since it was last looked at.
fn step(seen: &mut u64, value: u64) -> u64 {
    let grown = value.saturating_sub(*seen);
    *seen = value;
    grown
}
