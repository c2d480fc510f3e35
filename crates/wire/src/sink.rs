//! What the flow engine tells, and whom.

use model::flow::Direction;
use model::time::Timestamp;

use crate::chunk::{Chunk, Next};
use crate::decode::{LinkFrame, Malformed};
use crate::flow::{CloseReason, Flow, Outcome, Report};

/// The layer above the engine.
///
/// Of each flow it hears [`opened`](Self::opened), then anything, then [`closed`](Self::closed),
/// in the order in which it happened; times only go back where the packets' own do. A flow's [`Slot`](Self::Slot) is its own place in the flow table.
pub trait FlowSink {
    /// What the layer above keeps of each flow.
    type Slot: Default;

    /// The first packet of a flow. It is not counted in the flow's statistics yet.
    fn opened(&mut self, flow: &Flow, slot: &mut Self::Slot, at: Timestamp);

    /// It is known now whether the called side answered. Told once, and before the data of the
    /// packet that showed it.
    fn outcome(&mut self, flow: &Flow, slot: &mut Self::Slot, at: Timestamp, outcome: Outcome);

    /// The next bytes of one direction: of TCP as a stream with gaps, of everything else as
    /// datagrams.
    fn data(
        &mut self,
        flow: &Flow,
        slot: &mut Self::Slot,
        at: Timestamp,
        dir: Direction,
        chunk: Chunk<'_>,
    ) -> Next;

    /// An open flow grew: at least every few seconds, and sooner after a mebibyte or a thousand
    /// packets.
    fn report(&mut self, flow: &Flow, slot: &mut Self::Slot, at: Timestamp, report: &Report);

    /// The flow is over. What it carried since the last report is [`Flow::growth`].
    fn closed(&mut self, flow: &Flow, slot: Self::Slot, at: Timestamp, reason: CloseReason);

    /// An ARP packet.
    fn arp(&mut self, frame: &LinkFrame<'_>, at: Timestamp);

    /// A packet that cannot be read.
    fn malformed(&mut self, at: Timestamp, what: Malformed);

    /// Whether to spare a flow when the table is full (an established clinical association, say).
    /// Only asked then.
    fn keep(&self, _flow: &Flow, _slot: &Self::Slot) -> bool {
        false
    }
}
