//! Tunnels: GRE, ERSPAN, VXLAN, Geneve, IP in IP.
//!
//! Tunnels over IP are known by their protocol number. Those over UDP are only known by a port that
//! anybody may use, so a datagram counts as one only where its header is valid to the last reserved
//! bit and a plausible frame follows; otherwise it is a datagram like any other.

use super::packet::Link;
use super::{At, Layer, MAX_TUNNELS, Walk, link};
use crate::notes::Notes;

/// GRE, and ERSPAN types I, II and III in it.
const ERSPAN: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;
const PPTP: u16 = 0x880b;

/// Counts a tunnel; what is inside has its own VLAN tags and addresses.
fn descend<'a>(walk: &mut Walk<'a>, at: At<'a>) -> At<'a> {
    if walk.depth >= MAX_TUNNELS {
        return At::Bad(Layer::Tunnel, "more than 4 tunnels in each other");
    }
    walk.depth = walk.depth.saturating_add(1);
    walk.packet.notes.add(Notes::TUNNELLED);
    at
}

/// A frame in a tunnel.
pub(super) fn inner_ethernet<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    walk.packet.link = Link::default();
    descend(walk, At::Ethernet(bytes))
}

/// By the number in the IP header.
pub(super) fn by_protocol<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    walk.cut = walk.cut || missing > 0;
    match walk.protocol {
        47 => gre(walk, bytes, missing),
        137 => {
            let at = link::mpls(walk, bytes);
            descend(walk, at)
        }
        _ => {
            if walk.packet.notes.has(Notes::FRAGMENTED) {
                walk.packet.notes.add(Notes::TUNNELLED_FRAGMENTS);
            }
            descend(walk, At::Ip(bytes))
        }
    }
}

/// GRE (RFC 2784, RFC 2890; version 1 for PPTP: RFC 2637).
fn gre<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    let Some((&[f0, f1, t0, t1], rest)) = bytes.split_first_chunk() else {
        return At::Bad(Layer::Tunnel, "ends in the GRE header");
    };
    let number = u16::from_be_bytes([t0, t1]);
    let (checksum, routing, key, sequence) =
        (f0 & 0x80 != 0, f0 & 0x40 != 0, f0 & 0x20 != 0, f0 & 0x10 != 0);
    let words = match (f1 & 0x07, number) {
        (0, _) if routing => return At::Carried(bytes, missing),
        (0, _) => [checksum, key, sequence],
        (1, PPTP) => [key, sequence, f1 & 0x80 != 0],
        _ => return At::Carried(bytes, missing),
    };
    let optional = words.iter().filter(|&&there| there).count().wrapping_mul(4);
    let Some(inner) = rest.get(optional..) else {
        return At::Bad(Layer::Tunnel, "ends in the GRE header");
    };
    match number {
        _ if f1 & 0x07 == 1 && inner.is_empty() => At::Carried(bytes, missing),
        PPTP => match inner {
            [0xff, 0x03, ppp @ ..] | ppp => descend(walk, At::Ppp(ppp)),
        },
        ERSPAN if sequence => erspan(walk, inner, 1, 8),
        ERSPAN => inner_ethernet(walk, inner),
        ERSPAN_3 => erspan(walk, inner, 2, 12),
        link::BRIDGED => inner_ethernet(walk, inner),
        // Anything else lies in GRE without a frame of its own.
        _ => descend(walk, At::Type(number, inner)),
    }
}

/// ERSPAN II and III (draft-foschiano-erspan): version, the VLAN the frame was seen on, whether the
/// mirror cut it short, and more.
fn erspan<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], version: u8, length: usize) -> At<'a> {
    let header = bytes.first_chunk::<4>();
    let (Some(&[v0, v1, flags, _]), Some(rest)) = (header, bytes.get(length..)) else {
        return At::Bad(Layer::Tunnel, "ends in the ERSPAN header");
    };
    if v0 >> 4 != version {
        return At::Bad(Layer::Tunnel, "unknown version of ERSPAN");
    }
    // The last bit of a type III header says that eight bytes more follow.
    let extended = version == 2 && bytes.get(11).is_some_and(|last| last & 1 == 1);
    let Some(frame) = rest.get(if extended { 8 } else { 0 }..) else {
        return At::Bad(Layer::Tunnel, "ends in the ERSPAN header");
    };
    walk.cut |= flags & 0x04 != 0;
    let vlan = u16::from_be_bytes([v0, v1]) & 0x0fff;
    let at = inner_ethernet(walk, frame);
    walk.packet.link.vlan = (vlan != 0).then_some(vlan);
    at
}

/// By the port it was sent to, where the content bears it out.
pub(super) fn by_port<'a>(walk: &mut Walk<'a>, port: u16, payload: &'a [u8]) -> Option<At<'a>> {
    let frame = match port {
        4789 | 8472 => vxlan(payload)?,
        6081 => match geneve(payload)? {
            (link::BRIDGED, frame) => frame,
            (_, packet) => return Some(descend(walk, At::Ip(packet))),
        },
        _ => return None,
    };
    plausible(frame).then(|| inner_ethernet(walk, frame))
}

/// VXLAN (RFC 7348): only the flag for a valid network id, everything reserved zero.
fn vxlan(payload: &[u8]) -> Option<&[u8]> {
    match payload.split_first_chunk()? {
        (&[0x08, 0, 0, 0, _, _, _, 0], frame) => Some(frame),
        _ => None,
    }
}

/// Geneve (RFC 8926): what type of thing it carries, and that.
fn geneve(payload: &[u8]) -> Option<(u16, &[u8])> {
    let (&[version, flags, t0, t1, _, _, _, reserved], rest) = payload.split_first_chunk()?;
    if version & 0xc0 != 0 || flags & 0x3f != 0 || reserved != 0 {
        return None;
    }
    let inner = rest.get(usize::from(version).wrapping_mul(4)..)?;
    let first = inner.first()? >> 4;
    match (u16::from_be_bytes([t0, t1]), first) {
        (link::BRIDGED, _) => Some((link::BRIDGED, inner)),
        (link::IPV4, 4) => Some((link::IPV4, inner)),
        (link::IPV6, 6) => Some((link::IPV6, inner)),
        _ => None,
    }
}

/// Whether bytes look like an Ethernet frame with something that networks carry.
fn plausible(frame: &[u8]) -> bool {
    let Some((header, rest)) = frame.split_first_chunk::<14>() else { return false };
    let first = rest.first().map(|byte| byte >> 4);
    match u16::from_be_bytes([header[12], header[13]]) {
        link::IPV4 => first == Some(4),
        link::IPV6 => first == Some(6),
        link::ARP | 0x8100 | 0x88a8 | 0x8847 | 0x88cc => first.is_some(),
        _ => false,
    }
}
