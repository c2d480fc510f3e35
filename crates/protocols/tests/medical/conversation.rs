//! Conversations: who said which bytes in turn, cut into any pieces.

use model::emit::Probe;
use model::flow::Direction;
use model::net::Transport;
use model::privacy::{SiteKey, Token};
use proptest::prelude::*;
use protocols::{Protocol, drive};
use serde_json::Value;
use wire::chunk::Chunk;

pub(crate) const THERE: Direction = Direction::Forward;
pub(crate) const BACK: Direction = Direction::Reverse;

/// Marks a text that names a patient; no observation may hold it.
pub(crate) const PHI: &str = "ZZTAINT";

/// What a side said, or how much of it was lost.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Said(Direction, Vec<u8>),
    Lost(Direction, u64),
}

pub(crate) fn said(dir: Direction, bytes: impl AsRef<[u8]>) -> Turn {
    Turn::Said(dir, bytes.as_ref().to_vec())
}

/// What a protocol observes, as JSON without what depends on packets (id, time).
pub(crate) fn observe(protocol: &dyn Protocol, turns: &[Turn]) -> Vec<Value> {
    cut_and_observe(protocol, turns, &[usize::MAX])
}

/// The same with each turn cut into pieces of the sizes given, over and over.
pub(crate) fn cut_and_observe(
    protocol: &dyn Protocol,
    turns: &[Turn],
    sizes: &[usize],
) -> Vec<Value> {
    let mut sizes = sizes.iter().cycle();
    let mut pieces = Vec::new();
    for turn in turns {
        match turn {
            Turn::Lost(dir, count) => pieces.push((*dir, Chunk::Gap(*count))),
            Turn::Said(dir, bytes) => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (piece, tail) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                    pieces.push((*dir, Chunk::Stream(piece)));
                    rest = tail;
                }
            }
        }
    }
    let observations = drive::run(protocol, drive::flow(Transport::Tcp, 9), &pieces);
    let json = observations.iter().map(|observation| {
        let mut value = serde_json::to_value(observation).unwrap();
        let object = value.as_object_mut().unwrap();
        object.remove("id");
        object.remove("at");
        value
    });
    let json: Vec<Value> = json.collect();
    let text = serde_json::to_string(&json).unwrap().to_ascii_uppercase();
    assert!(!text.contains(PHI), "a patient's data left the parser: {text}");
    json
}

/// Observations of one kind.
pub(crate) fn of_kind<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|observation| observation["kind"] == kind).map(|o| &o["fields"]).collect()
}

/// What anomalies say.
pub(crate) fn oddities(all: &[Value]) -> Vec<&str> {
    of_kind(all, "protocol.anomaly").iter().map(|fields| fields["what"].as_str().unwrap()).collect()
}

/// The token that a text has in the observations.
pub(crate) fn token(domain: &str, text: &str) -> String {
    let token: Token = SiteKey::new(b"drive").token(domain, text.as_bytes());
    token.to_string()
}

/// Whether a direction's first bytes are recognised.
pub(crate) fn probe(protocol: &dyn Protocol, start: &[u8]) -> Probe {
    drive::probe(protocol, &drive::flow(Transport::Tcp, 9), THERE, start)
}

/// Sizes of pieces, small ones above all.
pub(crate) fn sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(
        prop_oneof![3 => 1_usize..8, 2 => 8_usize..200, 1 => 200_usize..5000],
        1..40,
    )
}
