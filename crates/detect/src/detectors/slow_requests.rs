//! Holding a server's connections open with requests that never end.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::flow::FlowId;
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "slow_requests",
    doc: "Many connections to one service at once that ask nothing whole.",
    kind: FindingKind::Rule,
    reads: &["flow.outcome", "flow.protocol", "http.request", "flow.end"],
    attack: &["T1499.002", "T0814"],
    next_step: "Warn the people who rely on the server. Find the machine that holds the connections and have it disconnected.",
    sources: &["RFC 9110 section 15.5.9", "CWE-400"],
};

/// So many silent connections at once, unless learned otherwise.
const FEWEST: i64 = 25;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Held {
    silent: i64,
    learned_max: i64,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct SlowRequests {
    flows: Bounded<FlowId, (Entity, Entity, u16)>,
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
                    self.opened(o, cx, out, flow.id);
                }
            }
            // Another protocol has reasons of its own to keep still.
            "flow.protocol" => {
                if !matches!(o.str("protocol"), Some("http" | "unrecognised")) {
                    self.spoke(flow.id);
                }
            }
            _ => self.spoke(flow.id),
        }
    }
}

impl SlowRequests {
    fn opened(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings, id: FlowId) {
        let port = responder_port(o).unwrap_or(0);
        let key = (cx.who.subject, cx.who.peer, port);
        let mut new = false;
        self.flows.entry(id, || {
            new = true;
            key
        });
        if !new {
            return;
        }
        let held = self.held.entry(key, Held::default);
        held.silent += 1;
        if cx.learning() {
            held.learned_max = held.learned_max.max(held.silent);
            return;
        }
        let (silent, usual) = (held.silent, held.learned_max);
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
                silent,
                format!("at most {usual}"),
            ))
            .key(format!("{:?} {port}", cx.who.peer))
            .score(0.9)
            .make();
    }

    fn spoke(&mut self, id: FlowId) {
        if let Some(key) = self.flows.remove(&id)
            && let Some(held) = self.held.get_mut(&key)
        {
            held.silent = (held.silent - 1).max(0);
        }
    }
}
