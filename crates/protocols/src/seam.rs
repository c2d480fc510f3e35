//! What a protocol has to offer.

use model::emit::{Emit, Probe};
use model::field::KindSpec;
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

/// What there is to know of a protocol before a byte of it is seen.
#[derive(Debug)]
pub struct ProtocolSpec {
    /// Lower-case name, as in `flow.protocol`.
    pub name: &'static str,
    /// What carries it.
    pub transports: &'static [Transport],
    /// What it can observe.
    pub kinds: &'static [&'static KindSpec],
    /// One line that says what it is for.
    pub doc: &'static str,
    /// The documents it was written from.
    pub sources: &'static [&'static str],
}

/// A protocol: recognises its flows and opens parsers for them. Stateless.
pub trait Protocol: Sync {
    /// What there is to know of it.
    fn spec(&self) -> &'static ProtocolSpec;

    /// Whether a flow is in this protocol, from the first bytes that went in direction `dir`: of a
    /// stream, all of that direction up to now (at most a few kilobytes); of datagrams, the latest
    /// one. Asked again with more bytes, or with the other direction's, after
    /// [`Probe::Unsure`]; a [`Probe::No`] is final for that direction.
    ///
    /// [`Probe::Yes`] must be safe against other protocols and noise: ask for structure, not for one
    /// byte. `flow` is there for symmetry-breaking (a banner comes from the responder) and, as a last
    /// resort, for ports: a port may turn `Unsure` into `Yes` or `No`, never decide alone.
    fn probe(&self, flow: &FlowContext, dir: Direction, start: &[u8]) -> Probe;

    /// A parser for one flow. It is then given the flow from its first byte, also what was probed.
    fn open(&self, flow: &FlowContext) -> Box<dyn Parser>;
}

/// Turns one flow into observations.
pub trait Parser: Send {
    /// Takes the next piece of one direction. Says the same however a stream is cut into pieces.
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next;

    /// The flow is over; whatever was half known is said now.
    fn end(&mut self, _out: &mut Emit<'_>) {}
}
