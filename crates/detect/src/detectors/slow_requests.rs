//! Holding a server's connections open with requests that never end.

use std::collections::VecDeque;

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::flow::FlowId;
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "slow_requests",
    doc: "Many connections to one service at once that ask nothing whole.",
    kind: FindingKind::Rule,
    reads: &["flow.outcome", "flow.protocol", "flow.update", "http.request", "flow.end"],
    attack: &["T1499.002", "T0814"],
    next_step: "Warn the people who rely on the server. Find the machine that holds the connections and have it disconnected.",
    sources: &["RFC 9110 section 15.5.9", "CWE-400"],
};

/// So many silent connections at once, unless learned otherwise.
const FEWEST: usize = 25;
/// A connection is silent when it has asked nothing whole for so many seconds. Requests that were
/// just opened are not, nor are the half-open ones of a flood, which never get as far.
const SILENT_SECONDS: f64 = 1.5;

/// Most connections followed for one client of one service.
const MOST: usize = 512;

/// A connection that is open and has asked nothing whole as yet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Open {
    key: (Entity, Entity, u16),
    since: Timestamp,
    spoke: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Held {
    /// Connections that were opened, the longest open first; some of them are over.
    opened: VecDeque<FlowId>,
    learned_max: usize,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct SlowRequests {
    flows: Bounded<FlowId, Open>,
    held: Bounded<(Entity, Entity, u16), Held>,
}

impl Default for SlowRequests {
    fn default() -> Self {
        Self { flows: Bounded::new(200_000), held: Bounded::new(50_000) }
    }
}

impl Detector for SlowRequests {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(flow) = &o.flow else { return };
        match o.kind.name {
            "flow.outcome" => {
                if o.str("outcome") == Some("established") && o.str("transport") == Some("tcp") {
                    self.opened(o, cx, flow.id);
                    self.judge(o, cx, out, flow.id);
                }
            }
            // Another protocol has reasons of its own to keep still.
            "flow.protocol" => match o.str("protocol") {
                Some("http" | "unrecognised") => self.begun(flow.id),
                _ => self.over(flow.id),
            },
            // Handshake, and something said or acknowledged after it.
            "flow.update" => {
                if o.uint("delta_packets_out").is_some_and(|packets| packets >= 2) {
                    self.begun(flow.id);
                }
                self.judge(o, cx, out, flow.id);
            }
            _ => self.over(flow.id),
        }
    }
}

impl SlowRequests {
    fn opened(&mut self, o: &Observation, cx: &Context<'_>, id: FlowId) {
        let key = (cx.who.subject, cx.who.peer, responder_port(o).unwrap_or(0));
        if self.flows.contains(&id) {
            return;
        }
        self.flows.entry(id, || Open { key, since: o.at, spoke: false });
        let held = self.held.entry(key, Held::default);
        if held.opened.len() >= MOST {
            held.opened.pop_front();
        }
        held.opened.push_back(id);
    }

    fn begun(&mut self, id: FlowId) {
        if let Some(open) = self.flows.get_mut(&id) {
            open.spoke = true;
        }
    }

    fn over(&mut self, id: FlowId) {
        self.flows.remove(&id);
    }

    /// Counts the connections that are held now, when one more is opened or one is reported to be
    /// still open.
    fn judge(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings, id: FlowId) {
        let Some(open) = self.flows.get(&id).copied() else { return };
        let flows = &self.flows;
        let Some(held) = self.held.get_mut(&open.key) else { return };
        held.opened.retain(|id| flows.contains(id));
        let silent = held
            .opened
            .iter()
            .filter_map(|id| flows.get(id))
            .filter(|open| open.spoke && o.at.seconds_since(open.since) >= SILENT_SECONDS)
            .count();
        if cx.learning() {
            held.learned_max = held.learned_max.max(silent);
            return;
        }
        let usual = held.learned_max;
        if silent < FEWEST.max(usual * 3 + 10) {
            return;
        }
        let title = words::sentence(&format!(
            "{} holds {silent} connections to {} open without a whole request: others may not get in.",
            cx.subject(o),
            cx.peer(o),
        ));
        let severity = if cx.is_clinical(cx.who.peer) { Severity::High } else { Severity::Medium };
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "connections open without a whole request",
                silent as u64,
                format!("at most {usual}"),
            ))
            .key(format!("{:?} {}", cx.who.peer, open.key.2))
            .score(0.9)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, SERVER, Ward, word};

    fn holds(ward: &mut Ward, speaks: bool, seconds: f64) {
        for _ in 0..40 {
            let flow = ward.call(DESK, SERVER, 80);
            if speaks {
                ward.speaks(&flow, DESK, SERVER, "http");
            }
            ward.pass(seconds);
        }
    }

    #[test]
    fn connections_held_with_half_a_request_are_found() {
        let mut ward = Ward::peopled();
        holds(ward.watch(), true, 0.3);
        ward.alerts("slow_requests", DESK);
    }

    #[test]
    fn half_open_connections_and_quick_requests_are_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        holds(&mut ward, false, 0.3);
        for n in 0..60 {
            let flow = ward.call(DESK, SERVER, 81);
            ward.speaks(&flow, DESK, SERVER, "http");
            let path = format!("/{n}");
            let fields = [("method", word("GET")), ("path", word(&path))];
            ward.say(&protocols::http::REQUEST, Some(&flow), DESK, Some(SERVER), &fields);
            ward.pass(0.1);
        }
        ward.is_quiet();
    }
}
