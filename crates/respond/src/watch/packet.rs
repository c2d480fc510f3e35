//! A packet, as far as watching needs it.

use std::net::IpAddr;

use model::Timestamp;

use crate::restriction::{Conversation, Proto, Restriction};
use crate::subject::Subject;

/// A packet, as far as watching needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When.
    pub at: Timestamp,
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// Transport.
    pub proto: Proto,
    /// Port it comes from; 0 for ICMP.
    pub source_port: u16,
    /// Port it goes to; 0 for ICMP.
    pub destination_port: u16,
    /// What its TCP header says.
    pub tcp: Option<Tcp>,
}

/// What a TCP header says, as far as watching needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// It opens, or agrees to open.
    pub syn: bool,
    /// It refuses or ends.
    pub rst: bool,
    /// What it acknowledges.
    pub ack: Option<u32>,
}

impl Packet {
    /// The two conversations that it may belong to: who called whom cannot be told from one packet.
    pub fn conversations(&self) -> [Conversation; 2] {
        [
            Conversation {
                client: self.source,
                server: self.destination,
                proto: self.proto,
                port: self.destination_port,
            },
            Conversation {
                client: self.destination,
                server: self.source,
                proto: self.proto,
                port: self.source_port,
            },
        ]
    }

    /// Whether it is certainly part of what a restriction cuts: in doubt about who called, a block
    /// list cuts, and an allow-list lets pass.
    pub fn is_cut_by(&self, restriction: &Restriction, subject: &Subject) -> bool {
        let mut both = self.conversations().into_iter().map(|c| restriction.drops(subject, &c));
        match restriction {
            Restriction::Block { .. } | Restriction::Perimeter { .. } => both.any(|drops| drops),
            Restriction::Essentials { .. } | Restriction::Quarantine { .. } => {
                both.all(|drops| drops)
            }
        }
    }
}
