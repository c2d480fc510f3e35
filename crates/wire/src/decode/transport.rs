//! TCP, UDP, SCTP and ICMP headers, and what ICMP errors are about.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::net::Transport;

use super::packet::{Packet, Tcp};
use super::{At, Layer, Walk, tunnel};
use crate::notes::Notes;

/// Past the IP headers: a tunnel leads on, everything else ends the walk.
#[inline]
pub(super) fn enter<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    match walk.protocol {
        6 => tcp(walk, bytes, missing),
        17 => udp(walk, bytes, missing),
        1 | 58 => icmp(walk, bytes, missing),
        132 => sctp(walk, bytes, missing),
        4 | 41 | 47 | 137 => tunnel::by_protocol(walk, bytes, missing),
        _ => At::Carried(bytes, missing),
    }
}

#[inline]
fn tcp<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    let Some(header) = bytes.first_chunk::<20>() else {
        return At::Bad(Layer::Tcp, "ends in the header");
    };
    let header_len = usize::from(header[12] >> 4).wrapping_mul(4);
    if header_len < 20 {
        return At::Bad(Layer::Tcp, "header length below 20");
    }
    // A capture may end in the options; the payload is then missing as a whole.
    let (options, payload, missing) = match bytes.split_at_checked(header_len) {
        Some((all, payload)) => (all.get(20..).unwrap_or_default(), payload, missing),
        None if missing > 0 => {
            let lost = header_len.saturating_sub(bytes.len()) as u32;
            (&[][..], &[][..], missing.saturating_sub(lost))
        }
        None => return At::Bad(Layer::Tcp, "header length beyond the packet"),
    };
    let packet = &mut walk.packet;
    packet.src_port = u16::from_be_bytes([header[0], header[1]]);
    packet.dst_port = u16::from_be_bytes([header[2], header[3]]);
    let flags = header[13];
    packet.tcp = Tcp {
        seq: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        ack: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
        flags,
        window: u16::from_be_bytes([header[14], header[15]]),
        scale: None,
    };
    if flags & Tcp::SYN != 0 {
        packet.tcp.scale = tcp_options(&mut packet.notes, options);
        if !payload.is_empty() {
            packet.notes.add(Notes::SYN_DATA);
        }
    }
    if flags & Tcp::URG != 0 && header[18] == 0 && header[19] == 0 {
        packet.notes.add(Notes::URGENT_ZERO);
    }
    if odd(flags) {
        packet.notes.add(Notes::ODD_FLAGS);
    }
    At::Carried(payload, missing)
}

/// Flags that no honest stack sets together: SYN with FIN or RST, none at all, FIN, PSH and URG
/// without ACK.
const fn odd(flags: u8) -> bool {
    const XMAS: u8 = Tcp::FIN | Tcp::PSH | Tcp::URG;
    let flags = flags & 0x3f;
    flags == 0 || flags == XMAS || (flags & Tcp::SYN != 0 && flags & (Tcp::FIN | Tcp::RST) != 0)
}

/// The window scale, held at 14; notes lengths that do not add up.
fn tcp_options(notes: &mut Notes, mut options: &[u8]) -> Option<u8> {
    let mut scale = None;
    while let [kind, rest @ ..] = options {
        match kind {
            0 => break,
            1 => options = rest,
            _ => {
                let length = rest.first().map_or(0, |&length| usize::from(length));
                match options.get(length..) {
                    Some(after) if length >= 2 => {
                        if let ([3, 3, shift, ..], 3) = (options, length) {
                            scale = Some((*shift).min(14));
                        }
                        options = after;
                    }
                    _ => {
                        notes.add(Notes::BAD_TCP_OPTIONS);
                        break;
                    }
                }
            }
        }
    }
    scale
}

#[inline]
fn udp<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    let Some((&[s0, s1, d0, d1, l0, l1, _, _], rest)) = bytes.split_first_chunk() else {
        return At::Bad(Layer::Udp, "ends in the header");
    };
    let whole = rest.len().saturating_add(missing as usize);
    let length = match usize::from(u16::from_be_bytes([l0, l1])) {
        // A jumbogram, or what segmentation offload leaves open.
        0 => whole,
        length if length < 8 => return At::Bad(Layer::Udp, "length below 8"),
        length => length.saturating_sub(8),
    };
    if length > whole {
        return At::Bad(Layer::Udp, "length beyond the packet");
    }
    let payload = rest.get(..length).unwrap_or(rest);
    walk.packet.src_port = u16::from_be_bytes([s0, s1]);
    walk.packet.dst_port = u16::from_be_bytes([d0, d1]);
    let missing = length.saturating_sub(payload.len()) as u32;
    match walk.packet.dst_port {
        port @ (4789 | 8472 | 6081) => {
            tunnel::by_port(walk, port, payload).unwrap_or(At::Carried(payload, missing))
        }
        _ => At::Carried(payload, missing),
    }
}

fn sctp<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    let Some((&[s0, s1, d0, d1, ..], rest)) = bytes.split_first_chunk::<12>() else {
        return At::Bad(Layer::Sctp, "ends in the header");
    };
    walk.packet.src_port = u16::from_be_bytes([s0, s1]);
    walk.packet.dst_port = u16::from_be_bytes([d0, d1]);
    At::Carried(rest, missing)
}

fn icmp<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    let Some(&[kind, code, _, _]) = bytes.first_chunk() else {
        return At::Bad(Layer::Icmp, "ends in the header");
    };
    let transport = Transport::from_ip_protocol(walk.protocol);
    [walk.packet.src_port, walk.packet.dst_port] = icmp_ports(transport, kind, code);
    At::Carried(bytes, missing)
}

/// Type and the type of the counterpart; type and code where there is none (Community ID 1.0).
fn icmp_ports(transport: Transport, kind: u8, code: u8) -> [u16; 2] {
    let counterpart = match (transport, kind) {
        (Transport::Icmp, 0) => 8,
        (Transport::Icmp, 8) => 0,
        (Transport::Icmp, 9) => 10,
        (Transport::Icmp, 10) => 9,
        (Transport::Icmp, 13 | 15 | 17) => kind.wrapping_add(1),
        (Transport::Icmp, 14 | 16 | 18) => kind.wrapping_sub(1),
        (Transport::Icmp6, 128 | 130 | 144) => kind.wrapping_add(1),
        (Transport::Icmp6, 129 | 131 | 145) => kind.wrapping_sub(1),
        (Transport::Icmp6, 133 | 135) => kind.wrapping_add(1),
        (Transport::Icmp6, 134 | 136) => kind.wrapping_sub(1),
        _ => code,
    };
    [u16::from(kind), u16::from(counterpart)]
}

/// Whether messages of this type have no counterpart, so that a flow of them has one direction.
pub(crate) const fn icmp_one_way(transport: Transport, kind: u16) -> bool {
    match transport {
        Transport::Icmp => !matches!(kind, 0 | 8..=10 | 13..=18),
        Transport::Icmp6 => !matches!(kind, 128..=131 | 133..=136 | 144 | 145),
        _ => false,
    }
}

/// Whether somebody who sends this type waits for an answer.
pub(crate) const fn icmp_asks(transport: Transport, kind: u16) -> bool {
    match transport {
        Transport::Icmp => matches!(kind, 8 | 13 | 15 | 17),
        Transport::Icmp6 => matches!(kind, 128 | 135 | 144),
        _ => true,
    }
}

/// Whether this type is only ever sent to somebody who asked.
pub(crate) const fn icmp_is_answer(transport: Transport, kind: u16) -> bool {
    match transport {
        Transport::Icmp => matches!(kind, 0 | 14 | 16 | 18),
        Transport::Icmp6 => matches!(kind, 129 | 145),
        _ => false,
    }
}

/// The packet that an ICMP error is about, as its sender sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) transport: Transport,
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
}

/// The packet that a "destination unreachable" quotes. "Fragmentation needed" is no refusal.
pub(crate) fn icmp_subject(packet: &Packet<'_>) -> Option<About> {
    let (message, quoted) = packet.payload.split_first_chunk::<8>()?;
    match (packet.transport, message[0], message[1]) {
        (Transport::Icmp, 3, code) if code != 4 => quoted_v4(quoted),
        (Transport::Icmp6, 1, _) => quoted_v6(quoted),
        _ => None,
    }
}

fn quoted_v4(quoted: &[u8]) -> Option<About> {
    let header = quoted.first_chunk::<20>()?;
    let header_len = usize::from(header[0] & 0x0f).wrapping_mul(4);
    let later = u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0;
    if header[0] >> 4 != 4 || header_len < 20 || later {
        return None;
    }
    let src = Ipv4Addr::from([header[12], header[13], header[14], header[15]]);
    let dst = Ipv4Addr::from([header[16], header[17], header[18], header[19]]);
    about(header[9], src.into(), dst.into(), quoted.get(header_len..)?)
}

fn quoted_v6(quoted: &[u8]) -> Option<About> {
    let (fixed, rest) = quoted.split_first_chunk::<8>()?;
    let (src, rest) = rest.split_first_chunk::<16>()?;
    let (dst, rest) = rest.split_first_chunk::<16>()?;
    let version = fixed[0] >> 4;
    (version == 6).then_some(())?;
    about(fixed[6], Ipv6Addr::from(*src).into(), Ipv6Addr::from(*dst).into(), rest)
}

fn about(protocol: u8, src: IpAddr, dst: IpAddr, bytes: &[u8]) -> Option<About> {
    let transport = Transport::from_ip_protocol(protocol);
    let [src_port, dst_port] = match transport {
        Transport::Tcp | Transport::Udp | Transport::Sctp => {
            let &[a, b, c, d] = bytes.first_chunk()?;
            [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
        }
        Transport::Icmp | Transport::Icmp6 => {
            let &[kind, code] = bytes.first_chunk()?;
            icmp_ports(transport, kind, code)
        }
        _ => [0, 0],
    };
    Some(About { transport, src, dst, src_port, dst_port })
}
