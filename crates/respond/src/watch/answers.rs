//! What a packet on a mirror port shows, before whoever enforces: a try, that something passed, or
//! nothing.
//!
//! A packet of whoever is called is no proof that somebody's call passed: who had sent before the
//! restriction came, and hears nothing since, sends it again and again for minutes (RFC 6298). It is
//! one where it acknowledges something new, or answers a call that was seen since.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::packet::Packet;

/// Connections of one action that are kept apart; with more, what was remembered is forgotten.
const MOST: usize = 4_096;

/// What a packet shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// Somebody tries.
    Try,
    /// Something passed.
    Passed,
    /// Neither.
    Nothing,
}

/// One direction of a connection.
type Line = (IpAddr, u16, IpAddr, u16);

/// Connections that are watched.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Opened since, by whoever opened.
    opened: BTreeSet<Line>,
    /// The latest that each acknowledged.
    acknowledged: BTreeMap<Line, u32>,
}

impl Answers {
    /// What a packet that should have been cut shows. `own`: it comes from the restricted device.
    pub(super) fn shows(&mut self, packet: &Packet, own: bool) -> Shows {
        let Some(tcp) = packet.tcp else {
            return if own { Shows::Try } else { Shows::Passed };
        };
        let there =
            (packet.source, packet.source_port, packet.destination, packet.destination_port);
        let back = (there.2, there.3, there.0, there.1);
        let Some(ack) = tcp.ack else {
            if tcp.syn {
                make_room(self.opened.len(), || self.opened.clear());
                self.opened.insert(there);
                return Shows::Try;
            }
            return if own { Shows::Try } else { Shows::Nothing };
        };
        let answers_call = (tcp.syn || tcp.rst) && self.opened.remove(&back);
        make_room(self.acknowledged.len(), || self.acknowledged.clear());
        let before = self.acknowledged.insert(there, ack);
        let is_new = before.is_some_and(|old| (1..1 << 31).contains(&ack.wrapping_sub(old)));
        if answers_call {
            Shows::Passed
        } else if own {
            // What it acknowledges, somebody sent it: on a mirror port that was seen before it was
            // cut, and proves nothing.
            Shows::Try
        } else if is_new {
            Shows::Passed
        } else {
            Shows::Nothing
        }
    }
}

fn make_room(count: usize, clear: impl FnOnce()) {
    if count >= MOST {
        clear();
    }
}
