//! Runs one protocol over bytes without a network in between: for tests, fuzzing and goldens.
//!
//! It keeps the promises that the flow engine keeps ([`Next::Skip`], [`Next::Done`]), and no more.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext, FlowId};
use model::net::{Endpoint, FiveTuple, Mac, Transport};
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;
use wire::chunk::{Chunk, Next};

use crate::seam::Protocol;

/// A flow between two made-up hosts.
pub fn flow(transport: Transport, responder_port: u16) -> FlowContext {
    let endpoint = |last, port| Endpoint { ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port };
    FlowContext {
        id: FlowId(1),
        tuple: FiveTuple {
            transport,
            originator: endpoint(1, 40_000),
            responder: endpoint(2, responder_port),
        },
        macs: [Some(Mac([2, 0, 0, 0, 0, 1])), Some(Mac([2, 0, 0, 0, 0, 2]))],
        vlan: None,
        started: Timestamp::from_parts(1_800_000_000, 0),
    }
}

/// What a protocol says of bytes at the start of a flow.
pub fn probe(protocol: &dyn Protocol, flow: &FlowContext, dir: Direction, start: &[u8]) -> Probe {
    protocol.probe(flow, dir, start)
}

/// Gives a new parser the pieces in order, a millisecond apart, then ends the flow.
pub fn run(
    protocol: &dyn Protocol,
    flow: FlowContext,
    pieces: &[(Direction, Chunk<'_>)],
) -> Vec<Observation> {
    let key = SiteKey::new(b"drive");
    let flow = Arc::new(flow);
    let mut parser = protocol.open(&flow);
    let (mut out, mut serial, mut skip) = (Vec::new(), 0_u64, [0_u64; 2]);
    let mut at = flow.started;
    for &(dir, chunk) in pieces {
        at = at.plus(std::time::Duration::from_millis(1));
        let Some(left) = (match dir {
            Direction::Forward => skip.first_mut(),
            Direction::Reverse => skip.last_mut(),
        }) else {
            continue;
        };
        let Some(chunk) = after_skip(left, chunk) else { continue };
        let mut emit = Emit::new(&mut out, &key, Some(&flow), at, &mut serial);
        match parser.data(dir, chunk, &mut emit) {
            Next::More => {}
            Next::Skip(count) => *left = count,
            Next::Done => return out,
        }
    }
    parser.end(&mut Emit::new(&mut out, &key, Some(&flow), at, &mut serial));
    out
}

/// What is left of a chunk once the bytes that nobody wants are passed over.
fn after_skip<'a>(skip: &mut u64, chunk: Chunk<'a>) -> Option<Chunk<'a>> {
    match chunk {
        Chunk::Datagram(_) => Some(chunk),
        Chunk::Stream(bytes) => {
            let here = usize::try_from(*skip).unwrap_or(usize::MAX).min(bytes.len());
            *skip = skip.saturating_sub(here as u64);
            let rest = bytes.get(here..).unwrap_or_default();
            (!rest.is_empty()).then_some(Chunk::Stream(rest))
        }
        Chunk::Gap(lost) => {
            let here = lost.min(*skip);
            *skip = skip.saturating_sub(here);
            let rest = lost.saturating_sub(here);
            (rest > 0).then_some(Chunk::Gap(rest))
        }
    }
}
