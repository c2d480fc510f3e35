//! What is new, told to whoever listens.
//!
//! The pipeline publishes and never waits: an event goes into a bounded ring, from which a client
//! that lost its connection resumes, and into a bounded channel. A client that falls behind the
//! channel is dropped, told how much it missed, and counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::case::Case;
use model::device::Device;
use model::finding::Finding;
use serde::Serialize;
use tokio::sync::broadcast;

/// Events that a client can resume over.
const RING: usize = 4_096;
/// Events that a client may be behind.
const CHANNEL: usize = 1_024;

/// One event, ready to be sent.
#[derive(Debug)]
pub(crate) struct Event {
    /// Counts up from 1.
    pub(crate) number: u64,
    /// `finding`, `case`, `device`, `action` or `response`.
    pub(crate) kind: &'static str,
    /// The thing as JSON, on one line.
    pub(crate) json: String,
}

#[derive(Debug)]
struct Ring {
    events: VecDeque<Arc<Event>>,
    last: u64,
}

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    channel: broadcast::Sender<Arc<Event>>,
    /// Tells the events of this run from those of another: ids start anew with each.
    run: String,
    dropped_clients: AtomicU64,
    clients: AtomicU64,
}

/// The handle through which findings, cases and devices become known. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

/// A listener: what it missed, and what comes.
pub(crate) struct Listener {
    pub(crate) missed: Vec<Arc<Event>>,
    /// Whether events are lost between what the client had and what is left.
    pub(crate) gap: bool,
    pub(crate) receiver: broadcast::Receiver<Arc<Event>>,
}

/// One to which nobody listens yet.
impl Default for Live {
    fn default() -> Self {
        Self::new(String::new())
    }
}

impl Live {
    /// For one run, told from others by `run`.
    pub(crate) fn new(run: String) -> Self {
        let (channel, _) = broadcast::channel(CHANNEL);
        let ring = Mutex::new(Ring { events: VecDeque::new(), last: 0 });
        Self(Arc::new(Shared {
            ring,
            channel,
            run,
            dropped_clients: AtomicU64::new(0),
            clients: AtomicU64::new(0),
        }))
    }

    /// A finding is new.
    pub fn finding(&self, finding: &Finding) {
        self.publish("finding", finding);
    }

    /// A case is new, or has changed.
    pub fn case(&self, case: &Case) {
        self.publish("case", case);
    }

    /// A device is new, or has changed.
    pub fn device(&self, device: &Device) {
        self.publish("device", device);
    }

    pub(crate) fn publish(&self, kind: &'static str, value: &impl Serialize) {
        let Ok(json) = serde_json::to_string(value) else { return };
        let mut ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.last += 1;
        let event = Arc::new(Event { number: ring.last, kind, json });
        if ring.events.len() >= RING {
            ring.events.pop_front();
        }
        ring.events.push_back(Arc::clone(&event));
        // Sent under the lock, so that a listener that begins now sees it once. An error only says
        // that nobody listens.
        let _ = self.0.channel.send(event);
    }

    /// Begins to listen after the event of an id, or from now on.
    pub(crate) fn listen(&self, last_id: Option<&str>) -> Listener {
        let ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.0.channel.subscribe();
        let Some(last_id) = last_id else {
            return Listener { missed: Vec::new(), gap: false, receiver };
        };
        let had = last_id
            .split_once('-')
            .filter(|(run, _)| *run == self.0.run)
            .and_then(|(_, number)| number.parse::<u64>().ok())
            .filter(|had| *had <= ring.last);
        let first = ring.events.front().map_or(ring.last + 1, |event| event.number);
        let gap = had.is_none_or(|had| had + 1 < first);
        let after = had.unwrap_or(ring.last);
        let missed = ring.events.iter().filter(|event| event.number > after).cloned().collect();
        Listener { missed, gap, receiver }
    }

    /// The id of an event, as clients keep it.
    pub(crate) fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.0.run)
    }

    /// Counts a client that fell behind and was dropped.
    pub(crate) fn dropped_client(&self) {
        self.0.dropped_clients.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a client for as long as what it gets is kept.
    pub(crate) fn client(&self) -> Present {
        self.0.clients.fetch_add(1, Ordering::Relaxed);
        Present(Arc::clone(&self.0))
    }

    /// Whether anybody listens.
    pub(crate) fn has_clients(&self) -> bool {
        self.0.clients.load(Ordering::Relaxed) > 0
    }

    /// Clients now, clients dropped, events published.
    pub(crate) fn figures(&self) -> (u64, u64, u64) {
        let last = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner).last;
        let clients = self.0.clients.load(Ordering::Relaxed);
        (clients, self.0.dropped_clients.load(Ordering::Relaxed), last)
    }
}

/// A client that is there.
#[derive(Debug)]
pub(crate) struct Present(Arc<Shared>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(listener: &Listener) -> Vec<u64> {
        listener.missed.iter().map(|event| event.number).collect()
    }

    #[test]
    fn a_client_resumes_where_it_was() {
        let live = Live::new("run".to_owned());
        (0..10).for_each(|n| live.publish("finding", &n));
        let listener = live.listen(Some("run-7"));
        assert_eq!((numbers(&listener), listener.gap), (vec![8, 9, 10], false));
        let listener = live.listen(Some("run-10"));
        assert_eq!((numbers(&listener), listener.gap), (vec![], false));
        assert!(live.listen(None).missed.is_empty());
    }

    #[test]
    fn what_cannot_be_resumed_is_a_gap_and_never_silence() {
        let live = Live::new("run".to_owned());
        (0..RING + 10).for_each(|n| live.publish("finding", &n));
        let listener = live.listen(Some("run-3"));
        assert!(listener.gap && listener.missed.len() == RING);
        for foreign in ["other-3", "run-99999999", "run-", "x", "", "run--1"] {
            let listener = live.listen(Some(foreign));
            assert!(listener.gap && listener.missed.is_empty(), "{foreign}");
        }
        assert!(!live.listen(Some("run-10")).gap);
    }

    #[test]
    fn nobody_who_listens_holds_up_who_publishes() {
        let live = Live::new("run".to_owned());
        let mut listener = live.listen(None);
        (0..CHANNEL * 3).for_each(|n| live.publish("finding", &n));
        let lagged = listener.receiver.try_recv();
        assert!(matches!(lagged, Err(broadcast::error::TryRecvError::Lagged(_))), "{lagged:?}");
    }
}
