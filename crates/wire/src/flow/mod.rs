//! A flow: who talks to whom, since when, how much, and how it went.

mod state;
mod traffic;

use std::time::Duration;

use model::flow::{Direction, FlowContext, FlowId};
use model::net::{FiveTuple, Mac, Transport};
use model::time::Timestamp;

pub use state::ConnState;
pub(crate) use state::Steps;
pub use traffic::Traffic;

use crate::clock::Micros;
use crate::notes::Notes;

/// Whether the called side answered. Said once for a flow, and never for one to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It did. TCP: with a SYN-ACK.
    Established,
    /// It refused: RST in answer to a SYN, or an ICMP error.
    Refused,
    /// Nothing came back in time.
    Unanswered,
}

impl Outcome {
    /// As in `flow.outcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Why a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// Both sides said FIN.
    Fin,
    /// One side said RST.
    Rst,
    /// Silent for too long, or its ports were taken by another flow.
    Timeout,
    /// The table was full.
    Evicted,
    /// The input ended.
    End,
}

impl CloseReason {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// Its place in a table of all of them.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// As in `flow.end`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Timeout => "timeout",
            Self::Evicted => "evicted",
            Self::End => "end",
        }
    }
}

/// What a flow carried since its last report. Forward first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Time since the last report, or since the start.
    pub elapsed: Duration,
    /// Packets.
    pub packets: [u64; 2],
    /// Bytes of IP packets.
    pub bytes: [u64; 2],
}

/// Packets of one direction that no stack sends by itself ([`Notes::CRAFTED`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crafted {
    /// What was odd about them.
    pub notes: Notes,
    /// How many there were.
    pub packets: u32,
}

impl Crafted {
    /// Counts a packet with these notes, where it is one.
    pub(crate) fn count(&mut self, notes: Notes) {
        let odd = notes.among(Notes::CRAFTED);
        if !odd.is_empty() {
            self.notes.add(odd);
            self.packets = self.packets.saturating_add(1);
        }
    }
}

/// A flow, as the layers above see it.
#[derive(Debug)]
pub struct Flow {
    /// Its number.
    pub id: FlowId,
    /// Who talks to whom, the originator first.
    pub tuple: FiveTuple,
    /// Ethernet addresses of originator and responder.
    pub macs: [Option<Mac>; 2],
    /// Outermost VLAN id.
    pub vlan: Option<u16>,
    /// Oddities of its packets.
    pub notes: Notes,
    /// Packets that no stack sends by itself, each way.
    pub crafted: [Crafted; 2],
    /// Time of its first packet.
    pub started: Timestamp,
    /// What went each way, forward first.
    pub traffic: [Traffic; 2],
    /// Whether the called side answered, once that is known.
    pub outcome: Option<Outcome>,
    pub(crate) steps: Steps,
    pub(crate) hash: u32,
    /// Originator's first sequence number.
    pub(crate) isn: u32,
    /// Window scales that the SYNs of both sides offered.
    pub(crate) scales: [Scale; 2],
    /// Its first packet was a SYN or a SYN-ACK.
    pub(crate) with_syn: bool,
    /// Nobody calls for an outcome: sent to a group, or nothing that asks.
    pub(crate) one_way: bool,
    pub(crate) reported: Reported,
    /// Engine time of the first and the last packet.
    pub(crate) opened_at: Micros,
    pub(crate) touched_at: Micros,
    /// Engine time at which its timer goes off.
    pub(crate) wake_at: Micros,
}

/// The window scale of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Its SYN was not seen.
    #[default]
    Unknown,
    /// Its SYN offered none.
    Absent,
    /// Its SYN offered this shift.
    Shift(u8),
}

/// What was told of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported {
    pub(crate) at: Timestamp,
    pub(crate) engine_at: Micros,
    pub(crate) packets: [u64; 2],
    pub(crate) bytes: [u64; 2],
}

impl Flow {
    /// What went one way.
    pub const fn traffic(&self, dir: Direction) -> &Traffic {
        let [forward, reverse] = &self.traffic;
        match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        }
    }

    pub(crate) const fn traffic_mut(&mut self, dir: Direction) -> &mut Traffic {
        let [forward, reverse] = &mut self.traffic;
        match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        }
    }

    /// Packets both ways.
    pub const fn packets(&self) -> u64 {
        let [forward, reverse] = &self.traffic;
        forward.packets.saturating_add(reverse.packets)
    }

    /// Bytes both ways.
    pub const fn bytes(&self) -> u64 {
        let [forward, reverse] = &self.traffic;
        forward.bytes.saturating_add(reverse.bytes)
    }

    /// Time of the last packet.
    pub fn last(&self) -> Timestamp {
        let [forward, reverse] = &self.traffic;
        let of = |traffic: &Traffic| if traffic.packets > 0 { traffic.last } else { self.started };
        of(forward).max(of(reverse))
    }

    /// From the first packet to the last.
    pub fn duration(&self) -> Duration {
        self.last().since(self.started)
    }

    /// Whether a TCP flow began with the originator's SYN, or the responder's SYN-ACK, so that it is
    /// certain who called.
    pub const fn began_with_syn(&self) -> bool {
        self.with_syn
    }

    /// How it went, in Zeek's terms.
    pub const fn state(&self) -> ConnState {
        match self.tuple.transport {
            Transport::Tcp => self.steps.state(),
            Transport::Udp => match &self.traffic {
                [_, Traffic { packets: 0, .. }] => ConnState::S0,
                _ => ConnState::SF,
            },
            _ => ConnState::Oth,
        }
    }

    /// What observations of the flow share.
    pub const fn context(&self) -> FlowContext {
        FlowContext {
            id: self.id,
            tuple: self.tuple,
            macs: self.macs,
            vlan: self.vlan,
            started: self.started,
        }
    }

    /// What it carried since its last report.
    pub fn growth(&self, at: Timestamp) -> Report {
        let [forward, reverse] = &self.traffic;
        let [packets_out, packets_in] = self.reported.packets;
        let [bytes_out, bytes_in] = self.reported.bytes;
        Report {
            elapsed: at.since(self.reported.at),
            packets: [
                forward.packets.saturating_sub(packets_out),
                reverse.packets.saturating_sub(packets_in),
            ],
            bytes: [
                forward.bytes.saturating_sub(bytes_out),
                reverse.bytes.saturating_sub(bytes_in),
            ],
        }
    }

    pub(crate) const fn has_news(&self) -> bool {
        let [packets_out, packets_in] = self.reported.packets;
        self.packets() != packets_out.saturating_add(packets_in)
    }
}
