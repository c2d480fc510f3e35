//! Reading the ledger as it is written: what was decided of whom, and when.
//!
//! Only reads, and takes no lock: a last line that is half written is left for the next look.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use ::respond::desk::{Action, Ending, Event, Status};
use ::respond::ledger::{Body, LEDGER, Record};
use model::Timestamp;

/// An action, with the times of its steps.
#[derive(Clone, Debug)]
pub(super) struct Traced {
    pub(super) action: Action,
    pub(super) decided: Timestamp,
    pub(super) pushing: Option<Timestamp>,
    pub(super) pushed: Option<Timestamp>,
    /// When it was first seen in traffic to be cut, and what was said of it.
    pub(super) observed: Option<(Timestamp, String)>,
    pub(super) leaving: Option<(Timestamp, Ending)>,
    pub(super) ended: Option<(Timestamp, Ending)>,
}

impl Traced {
    /// Whether it is about an address.
    pub(super) fn is_of(&self, ip: IpAddr) -> bool {
        self.action.proposal.intent.subject.has(ip)
    }

    /// Whether enforcers were ever told of it.
    pub(super) const fn was_pushed(&self) -> bool {
        self.pushing.is_some()
    }

    /// Whether policy decided it.
    pub(super) fn is_automatic(&self) -> bool {
        self.action.needs.is_empty() && matches!(self.action.status, Status::Approved)
    }
}

/// The ledger as far as it was read.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    read: usize,
    pub(super) actions: BTreeMap<String, Traced>,
    pub(super) halted: bool,
}

impl Reader {
    pub(super) fn new(response: &std::path::Path) -> Self {
        let path = response.join(LEDGER);
        Self { path, read: 0, actions: BTreeMap::new(), halted: false }
    }

    /// Takes in what is new.
    pub(super) fn look(&mut self) -> &BTreeMap<String, Traced> {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        let new = bytes.get(self.read..).unwrap_or_default();
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = String::from_utf8_lossy(&new[..whole]).into_owned();
        self.read += whole;
        for line in lines.lines() {
            let record = line.split_once(' ').map(|(_, json)| serde_json::from_str::<Record>(json));
            if let Some(Ok(Record { at, body: Body::Decided { events, .. }, .. })) = record {
                events.iter().for_each(|event| self.event(event, at.wall));
            }
        }
        &self.actions
    }

    fn event(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Proposed { action } => {
                let traced = Traced {
                    action: (**action).clone(),
                    decided: at,
                    pushing: None,
                    pushed: None,
                    observed: None,
                    leaving: None,
                    ended: None,
                };
                self.actions.insert(action.id().to_owned(), traced);
            }
            Event::Pushing { action } => self.at(action, |t| t.pushing = Some(at)),
            Event::Pushed { action, .. } => self.at(action, |t| t.pushed = Some(at)),
            Event::Observed { action, seen } if seen.stopped => {
                self.at(action, |t| {
                    t.observed.get_or_insert_with(|| (at, seen.text.clone()));
                });
            }
            Event::Leaving { action, ending } => {
                self.at(action, |t| t.leaving = Some((at, ending.clone())));
            }
            Event::Ended { action, ending } => {
                self.at(action, |t| t.ended = Some((at, ending.clone())));
            }
            Event::Halted { .. } => self.halted = true,
            Event::Resumed => self.halted = false,
            _ => {}
        }
    }

    fn at(&mut self, action: &str, change: impl FnOnce(&mut Traced)) {
        if let Some(traced) = self.actions.get_mut(action) {
            change(traced);
        }
    }
}
