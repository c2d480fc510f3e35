//! One protocol's parser over pieces of a flow.
//!
//! Input: a byte that chooses the transport, two of the called port, then pieces, each with two
//! bytes in front: the direction (the highest bit), whether it is a gap (the next bit) and its
//! length (the rest). `cargo run -p chores -- seeds` writes captures that way.
//!
//! Beside not breaking, a parser has to say the same however a stream is cut: the pieces are given
//! once as they are and once joined.

use model::emit::Emit;
use model::flow::Direction;
use model::net::{Mac, Transport};
use model::observation::{Observation, Value};
use model::privacy::SiteKey;
use model::time::Timestamp;
use protocols::{Protocol, drive};
use wire::Chunk;

/// Runs it once.
pub(crate) fn run(protocol: &'static dyn Protocol, input: &[u8]) {
    let Some((&[choice, high, low], mut rest)) = input.split_first_chunk::<3>() else { return };
    let transports = protocol.spec().transports;
    let Some(&transport) = transports.get(usize::from(choice) % transports.len().max(1)) else {
        return;
    };
    let stream = transport == Transport::Tcp;
    let flow = || drive::flow(transport, u16::from_be_bytes([high, low]));
    let mut pieces = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk::<2>() {
        let head = u16::from_be_bytes(*head);
        let dir = if head & 0x8000 == 0 { Direction::Forward } else { Direction::Reverse };
        let length = usize::from(head & 0x3fff);
        if head & 0x4000 != 0 && stream {
            pieces.push((dir, Chunk::Gap(length as u64 + 1)));
            rest = tail;
            continue;
        }
        let (piece, tail) = tail.split_at(length.min(tail.len()));
        rest = tail;
        if stream && piece.is_empty() {
            continue;
        }
        let _ = drive::probe(protocol, &flow(), dir, piece);
        pieces.push((dir, if stream { Chunk::Stream(piece) } else { Chunk::Datagram(piece) }));
    }
    let cut = drive::run(protocol, flow(), &pieces);
    if stream {
        compare(protocol.spec().name, &cut, &joined(protocol, flow(), &pieces));
    }
}

/// The same with neighbouring pieces of one direction in one.
fn joined(
    protocol: &dyn Protocol,
    flow: model::FlowContext,
    pieces: &[(Direction, Chunk<'_>)],
) -> Vec<Observation> {
    let mut runs: Vec<(Direction, Result<Vec<u8>, u64>)> = Vec::new();
    for (dir, chunk) in pieces {
        match (chunk, runs.last_mut()) {
            (Chunk::Stream(bytes), Some((last, Ok(run)))) if last == dir => run.extend(*bytes),
            (Chunk::Stream(bytes) | Chunk::Datagram(bytes), _) => {
                runs.push((*dir, Ok(bytes.to_vec())));
            }
            (Chunk::Gap(lost), _) => runs.push((*dir, Err(*lost))),
        }
    }
    let pieces: Vec<_> = runs
        .iter()
        .map(|(dir, run)| match run {
            Ok(bytes) => (*dir, Chunk::Stream(bytes)),
            Err(lost) => (*dir, Chunk::Gap(*lost)),
        })
        .collect();
    drive::run(protocol, flow, &pieces)
}

/// Holds two answers against each other. Times and durations follow the cuts and may differ.
fn compare(name: &str, one: &[Observation], other: &[Observation]) {
    let said = |all: &[Observation]| -> Vec<String> { all.iter().map(text).collect() };
    assert_eq!(said(one), said(other), "{name}: the answer depends on how the stream is cut");
}

fn text(o: &Observation) -> String {
    let mut out = format!("{} {:?} {:?}", o.kind.name, o.subject.port, o.subject.name);
    for field in o.kind.fields {
        match o.get(field.name) {
            None | Some(Value::Float(_) | Value::Time(_)) => {}
            Some(value) => out.push_str(&format!(" {}={value:?}", field.name)),
        }
    }
    out
}

/// ARP, which has no flow: a byte of circumstances, then the packet.
pub(crate) fn arp(input: &[u8]) {
    let Some((choice, packet)) = input.split_first() else { return };
    let (mut out, key, mut serial) = (Vec::new(), SiteKey::new(b"fuzz"), 0);
    let mut emit = Emit::new(&mut out, &key, None, Timestamp::from_parts(1, 0), &mut serial);
    let source = (choice & 1 == 1).then_some(Mac([2, 0, 0, 0, 0, 1]));
    protocols::arp::decode(packet, source, choice & 2 == 2, &mut emit);
}
