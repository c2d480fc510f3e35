//! Which protocol a device spoke most in a window, and whether it was encrypted: strata of windows.
//!
//! Counted by flow and not by packet or message: a film of ultrasound is one conversation. What a
//! flow was recognised as counts, whichever port it used.

use std::collections::{BTreeMap, BTreeSet};

use assets::DeviceIx;
use model::Observation;
use pipeline::outputs::Fact;

/// Protocols that hide what is said.
const ENCRYPTED: [&str; 4] = ["dtls", "quic", "ssh", "tls"];
/// What a flow is called that nobody recognised.
const UNRECOGNISED: &str = "unrecognised";
/// Flows of a device that are told apart in a window.
const FLOWS: usize = 4_096;

/// What a device spoke in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// The protocol of most of its flows; the first by name where several are.
    pub protocol: String,
    /// Whether they were encrypted: `clear`, `mixed`, `encrypted`.
    pub encryption: &'static str,
}

/// The protocol of a flow, where this tells it: once recognised, while it grows, at its end.
fn protocol_of(o: &Observation) -> Option<&str> {
    let tells = ["flow.protocol", "flow.update", "flow.end"].contains(&o.kind.name);
    tells.then(|| o.str("protocol")).flatten()
}

/// Listens to all devices, until a window is over.
#[derive(Debug, Default)]
pub struct Listener {
    flows: BTreeMap<DeviceIx, BTreeSet<(String, u64)>>,
    over: bool,
}

impl Listener {
    /// Takes a fact of the window that is open.
    pub fn hear(&mut self, fact: &Fact<'_>) {
        if std::mem::take(&mut self.over) {
            self.flows.clear();
        }
        let o = fact.observation;
        let Some(flow) = &o.flow else { return };
        let Some(protocol) = protocol_of(o) else { return };
        for device in [fact.who.subject, fact.who.peer].into_iter().filter_map(|one| one.device()) {
            let heard = self.flows.entry(device).or_default();
            if heard.len() < FLOWS {
                heard.insert((protocol.to_owned(), flow.id.0));
            }
        }
    }

    /// What a device spoke in the window that is over; none where nothing was recognised.
    pub fn spoke(&mut self, device: DeviceIx) -> Option<Speech> {
        self.over = true;
        let heard = self.flows.get(&device)?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (protocol, _) in heard {
            *counts.entry(protocol).or_default() += 1;
        }
        Self::most(&counts)
    }

    fn most(counts: &BTreeMap<&str, usize>) -> Option<Speech> {
        let known = || counts.iter().filter(|(protocol, _)| **protocol != UNRECOGNISED);
        let protocol = known().rev().max_by_key(|(_, count)| **count)?.0;
        let hidden = known().filter(|(protocol, _)| ENCRYPTED.contains(protocol)).count();
        let encryption = match hidden {
            0 => "clear",
            hidden if hidden == known().count() => "encrypted",
            _ => "mixed",
        };
        Some(Speech { protocol: (*protocol).to_owned(), encryption })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_of_most_flows_counts_and_a_mixture_is_told_as_one() {
        let most = |counts: &[(&'static str, usize)]| {
            let speech = Listener::most(&counts.iter().copied().collect())?;
            Some((speech.protocol, speech.encryption))
        };
        let is = |protocol: &str, encryption| Some((protocol.to_owned(), encryption));
        assert_eq!(most(&[("dns", 9), ("dicom", 2)]), is("dns", "clear"));
        assert_eq!(most(&[("tls", 2), ("ssh", 1)]), is("tls", "encrypted"));
        assert_eq!(most(&[("tls", 2), ("hl7", 2), (UNRECOGNISED, 8)]), is("hl7", "mixed"));
        assert_eq!(most(&[(UNRECOGNISED, 8)]), None);
    }
}
