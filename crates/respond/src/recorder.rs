//! From observations to the history: the live way in. `flows.jsonl` is the other.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use model::Observation;
use model::flow::FlowId;

use crate::history::{History, Names, Seen, conversation};

/// Open flows of which it is remembered what was told; later ones are recorded when they end.
const OPEN: usize = 200_000;
/// Packets below which the pauses of a flow say nothing.
const FEW: u64 = 8;

/// Records what observations say of flows and of names.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Packets and bytes that were told of open flows.
    told: HashMap<FlowId, (u64, u64)>,
}

impl Recorder {
    /// Takes in an observation. Only flows and answers to lookups say anything.
    pub fn observe(&mut self, o: &Observation, history: &mut History, names: &mut Names) {
        match o.kind.name {
            "flow.update" => self.update(o, history),
            "flow.end" => self.end(o, history),
            "dns.response" => {
                let Some(name) = o.str("name") else { return };
                let addresses = o.texts("answers").iter().filter_map(|text| text.parse().ok());
                addresses.for_each(|address: IpAddr| names.see(name, address));
            }
            _ => {}
        }
    }

    fn update(&mut self, o: &Observation, history: &mut History) {
        let Some(flow) = o.flow.as_deref() else { return };
        let count = |name: &str| o.uint(name).unwrap_or(0);
        let packets = count("delta_packets_out").saturating_add(count("delta_packets_in"));
        let bytes = count("delta_bytes_out").saturating_add(count("delta_bytes_in"));
        let known = self.told.contains_key(&flow.id);
        if !known && self.told.len() >= OPEN {
            return;
        }
        let told = self.told.entry(flow.id).or_default();
        *told = (told.0.saturating_add(packets), told.1.saturating_add(bytes));
        let Some(conversation) = conversation_of(o) else { return history.skip() };
        let seconds = o.float("seconds").unwrap_or(0.0).clamp(0.0, 86_400.0);
        history.record(&Seen {
            conversation,
            service: o.str("protocol").unwrap_or_default(),
            first: o.at.minus(Duration::from_secs_f64(seconds)),
            last: o.at,
            began: !known,
            answered: count("delta_packets_in") > 0,
            packets,
            bytes,
            pause: None,
        });
    }

    fn end(&mut self, o: &Observation, history: &mut History) {
        let Some(flow) = o.flow.as_deref() else { return };
        let told = self.told.remove(&flow.id);
        let Some(conversation) = conversation_of(o) else { return history.skip() };
        let count = |name: &str| o.uint(name).unwrap_or(0);
        let seconds = o.float("seconds").unwrap_or(0.0).clamp(0.0, 1e8);
        let whole = Duration::from_secs_f64(seconds);
        let (packets, bytes) = told.unwrap_or_default();
        let refused = matches!(o.str("state"), Some("S0" | "REJ"));
        history.record(&Seen {
            conversation,
            service: o.str("protocol").unwrap_or_default(),
            first: if told.is_some() { flow.started.plus(whole) } else { flow.started },
            last: flow.started.plus(whole),
            began: told.is_none(),
            answered: count("packets_in") > 0 && !refused,
            packets: count("packets_out")
                .saturating_add(count("packets_in"))
                .saturating_sub(packets),
            bytes: count("bytes_out").saturating_add(count("bytes_in")).saturating_sub(bytes),
            pause: pause(o, "out").into_iter().chain(pause(o, "in")).min(),
        });
    }
}

fn conversation_of(o: &Observation) -> Option<crate::restriction::Conversation> {
    let tuple = &o.flow.as_deref()?.tuple;
    let (from, to) = (tuple.originator, tuple.responder);
    conversation(tuple.transport.name(), from.ip, to.ip, to.port)
}

/// Usual longest silence of one direction.
fn pause(o: &Observation, way: &str) -> Option<Duration> {
    let of = |what: &str| o.float(&format!("gap_{what}_{way}"));
    let seconds = of("mean")? + 2.0 * of("std").unwrap_or(0.0);
    let enough = o.uint(&format!("packets_{way}")).unwrap_or(0) > FEW;
    (enough && seconds.is_finite() && seconds > 0.0)
        .then(|| Duration::from_secs_f64(seconds.min(86_400.0)))
}
