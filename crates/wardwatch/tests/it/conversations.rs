//! Conversations over TCP and datagrams as a capture, written by hand.

use std::net::Ipv4Addr;

/// Who says something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// The side that called.
    Caller,
    /// The side that was called.
    Called,
}

/// A capture that grows conversation by conversation.
pub(crate) struct Tape {
    bytes: Vec<u8>,
    micros: u64,
    conversations: u16,
}

const SYN: u8 = 2;
const PUSH_ACK: u8 = 0x18;
const ACK: u8 = 0x10;
const FIN_ACK: u8 = 0x11;

impl Tape {
    pub(crate) fn new() -> Self {
        let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1];
        let bytes = header.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self { bytes, micros: 1_900_000_000_000_000, conversations: 0 }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A connection to a port: opened, said, closed.
    pub(crate) fn tcp(&mut self, port: u16, said: &[(Says, &[u8])]) {
        let own = self.next_port();
        let mut at = [1_000_u32, 5_000];
        self.segment(Says::Caller, own, port, &mut at, SYN, b"");
        self.segment(Says::Called, own, port, &mut at, SYN | ACK, b"");
        self.segment(Says::Caller, own, port, &mut at, ACK, b"");
        for (who, bytes) in said {
            for part in bytes.chunks(1_300) {
                self.segment(*who, own, port, &mut at, PUSH_ACK, part);
            }
        }
        self.segment(Says::Caller, own, port, &mut at, FIN_ACK, b"");
        self.segment(Says::Called, own, port, &mut at, FIN_ACK, b"");
        self.segment(Says::Caller, own, port, &mut at, ACK, b"");
    }

    /// One datagram to a port.
    pub(crate) fn udp(&mut self, port: u16, payload: &[u8]) {
        let own = self.next_port();
        let length = (payload.len() as u16 + 8).to_be_bytes();
        let udp = [&own.to_be_bytes()[..], &port.to_be_bytes(), &length, &[0; 2], payload];
        self.frame(Says::Caller, 17, &udp.concat());
    }

    fn next_port(&mut self) -> u16 {
        self.conversations += 1;
        40_000 + self.conversations
    }

    fn segment(
        &mut self,
        who: Says,
        own: u16,
        port: u16,
        at: &mut [u32; 2],
        flags: u8,
        payload: &[u8],
    ) {
        let me = usize::from(who == Says::Called);
        let (from, to) = if me == 0 { (own, port) } else { (port, own) };
        let mut tcp = [from.to_be_bytes(), to.to_be_bytes()].concat();
        tcp.extend(at[me].to_be_bytes());
        let ack = if flags & ACK == 0 { 0 } else { at[1 - me] };
        tcp.extend(ack.to_be_bytes());
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        let length = payload.len() as u32 + u32::from(flags & 3 != 0);
        at[me] = at[me].wrapping_add(length);
        self.frame(who, 6, &tcp);
    }

    fn frame(&mut self, who: Says, protocol: u8, payload: &[u8]) {
        let hosts = [[2, 0, 0, 0, 0, 7], [2, 0, 0, 0, 0, 9]];
        let ips = [Ipv4Addr::new(10, 61, 0, 7), Ipv4Addr::new(10, 61, 0, 9)];
        let me = usize::from(who == Says::Called);
        let mut frame = [hosts[1 - me], hosts[me]].concat();
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((payload.len() as u16 + 20).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        frame.extend(ips[me].octets());
        frame.extend(ips[1 - me].octets());
        frame.extend(payload);
        self.micros += 1_000;
        let words = [self.micros / 1_000_000, self.micros % 1_000_000];
        let length = frame.len() as u64;
        for word in [words[0], words[1], length, length] {
            self.bytes.extend((word as u32).to_le_bytes());
        }
        self.bytes.extend(frame);
    }
}
