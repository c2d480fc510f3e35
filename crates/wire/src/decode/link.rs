//! Link layers: Ethernet, VLAN, MPLS, PPPoE, LLC/SNAP, Linux cooked, loopback, raw IP.

use model::net::Mac;

use super::{At, Layer, MAX_TAGS, Walk, tunnel};
use crate::cursor::Cursor;

/// EtherType of a whole Ethernet frame (transparent Ethernet bridging).
pub(super) const BRIDGED: u16 = 0x6558;
pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const ARP: u16 = 0x0806;

/// Smallest number that is an EtherType and not an 802.3 length.
const SMALLEST_TYPE: u16 = 0x0600;

/// Begins with the header that a link type starts with (tcpdump.org, "link-layer header types").
pub(super) fn enter<'a>(walk: &mut Walk<'a>, link_type: u32, bytes: &'a [u8]) -> At<'a> {
    match link_type {
        1 => At::Ethernet(bytes),
        12 | 14 | 101 | 228 | 229 => At::Ip(bytes),
        0 | 108 => loopback(bytes),
        113 => cooked(walk, bytes),
        276 => cooked2(walk, bytes),
        9 | 50 => ppp_framed(bytes),
        other => At::UnknownLink(other),
    }
}

#[inline]
pub(super) fn ethernet<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    let Some((header, rest)) = bytes.split_first_chunk::<14>() else {
        return At::Bad(Layer::Link, "ends in the Ethernet header");
    };
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    walk.packet.link.dst = Some(Mac([d0, d1, d2, d3, d4, d5]));
    walk.packet.link.src = Some(Mac([s0, s1, s2, s3, s4, s5]));
    At::Type(u16::from_be_bytes([t0, t1]), rest)
}

/// Goes through tags and shims to whatever they carry.
#[inline]
pub(super) fn by_type<'a>(walk: &mut Walk<'a>, number: u16, bytes: &'a [u8]) -> At<'a> {
    match number {
        IPV4 | IPV6 => At::Ip(bytes),
        _ => through_tags(walk, number, bytes),
    }
}

fn through_tags<'a>(walk: &mut Walk<'a>, number: u16, bytes: &'a [u8]) -> At<'a> {
    let (mut number, mut bytes) = (number, bytes);
    for _ in 0..MAX_TAGS {
        match number {
            IPV4 | IPV6 => return At::Ip(bytes),
            0x8100 | 0x88a8 | 0x9100 => {
                let Some((&[a, b, c, d], rest)) = bytes.split_first_chunk() else {
                    return At::Bad(Layer::Vlan, "ends in a VLAN tag");
                };
                let id = u16::from_be_bytes([a, b]) & 0x0fff;
                if walk.packet.link.vlan.is_none() {
                    walk.packet.link.vlan = Some(id);
                }
                (number, bytes) = (u16::from_be_bytes([c, d]), rest);
            }
            ARP => return At::Arp(bytes),
            0x8847 | 0x8848 => return mpls(walk, bytes),
            0x8864 => return pppoe(bytes),
            BRIDGED => return tunnel::inner_ethernet(walk, bytes),
            0..SMALLEST_TYPE => match llc(number, bytes) {
                Some((inner, rest)) => (number, bytes) = (inner, rest),
                None => return At::NonIp(0),
            },
            other => return At::NonIp(other),
        }
    }
    At::Bad(Layer::Vlan, "more than 8 tags")
}

/// 802.2 with SNAP: the EtherType within, and what follows it, without padding.
fn llc(length: u16, bytes: &[u8]) -> Option<(u16, &[u8])> {
    let frame = bytes.get(..usize::from(length)).unwrap_or(bytes);
    let (&[0xaa, 0xaa, 0x03, 0, 0, 0, a, b], rest) = frame.split_first_chunk()? else {
        return None;
    };
    let number = u16::from_be_bytes([a, b]);
    (number >= SMALLEST_TYPE).then_some((number, rest))
}

/// Takes off the labels. What they carry is nowhere written, so its first byte has to tell: IP, or
/// a pseudo-wire with Ethernet (RFC 4448), with or without a control word (RFC 4385).
pub(super) fn mpls<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    let mut rest = bytes;
    for _ in 0..MAX_TAGS {
        let Some((&[_, _, c, _], after)) = rest.split_first_chunk() else {
            return At::Bad(Layer::Mpls, "ends in a label");
        };
        rest = after;
        if c & 1 == 0 {
            continue;
        }
        return match rest.first().map(|byte| byte >> 4) {
            Some(4 | 6) => At::Ip(rest),
            Some(0) if rest.len() >= 18 => {
                tunnel::inner_ethernet(walk, rest.get(4..).unwrap_or_default())
            }
            Some(_) => tunnel::inner_ethernet(walk, rest),
            None => At::Bad(Layer::Mpls, "no packet after the labels"),
        };
    }
    At::Bad(Layer::Mpls, "more than 8 labels")
}

/// A PPPoE session (RFC 2516).
fn pppoe(bytes: &[u8]) -> At<'_> {
    let Some((&[0x11, 0, _, _, a, b], rest)) = bytes.split_first_chunk() else {
        return At::Bad(Layer::Link, "no PPPoE session header");
    };
    let length = usize::from(u16::from_be_bytes([a, b]));
    At::Ppp(rest.get(..length).unwrap_or(rest))
}

/// PPP with address and control fields, where they were not left out.
fn ppp_framed(bytes: &[u8]) -> At<'_> {
    match bytes {
        [0xff, 0x03, rest @ ..] => At::Ppp(rest),
        _ => At::Ppp(bytes),
    }
}

/// PPP protocol numbers are one byte long where that byte is odd (RFC 1661).
pub(super) fn ppp(bytes: &[u8]) -> At<'_> {
    match bytes {
        [0x00, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => At::Ip(rest),
        [_, _, ..] => At::NonIp(0),
        _ => At::Bad(Layer::Link, "ends in the PPP header"),
    }
}

/// BSD loopback: an address family in the byte order of the machine that captured.
fn loopback(bytes: &[u8]) -> At<'_> {
    let Some((&family, rest)) = bytes.split_first_chunk::<4>() else {
        return At::Bad(Layer::Link, "ends in the loopback header");
    };
    // IPv6 has a number of its own on Linux, the BSDs, macOS and Windows.
    let known = |family: u32| matches!(family, 2 | 10 | 23 | 24 | 28 | 30);
    if known(u32::from_be_bytes(family)) || known(u32::from_le_bytes(family)) {
        At::Ip(rest)
    } else {
        At::NonIp(0)
    }
}

/// Linux cooked capture, version 1.
fn cooked<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    let mut cursor = Cursor::new(bytes);
    let mut read = || {
        cursor.skip(2)?;
        let header = (cursor.u16()?, cursor.u16()?, cursor.array::<8>()?, cursor.u16()?);
        Ok::<_, crate::cursor::Short>(header)
    };
    let Ok((hardware, length, address, number)) = read() else {
        return At::Bad(Layer::Link, "ends in the cooked header");
    };
    walk.packet.link.src = mac_of(hardware, usize::from(length), address);
    cooked_type(number, cursor.rest())
}

/// Linux cooked capture, version 2.
fn cooked2<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    let mut cursor = Cursor::new(bytes);
    let mut read = || {
        let number = cursor.u16()?;
        cursor.skip(6)?;
        let hardware = cursor.u16()?;
        cursor.skip(1)?;
        Ok::<_, crate::cursor::Short>((number, hardware, cursor.u8()?, cursor.array::<8>()?))
    };
    let Ok((number, hardware, length, address)) = read() else {
        return At::Bad(Layer::Link, "ends in the cooked header");
    };
    walk.packet.link.src = mac_of(hardware, usize::from(length), address);
    cooked_type(number, cursor.rest())
}

/// The sender's address, where the hardware is Ethernet or loopback.
fn mac_of(hardware: u16, length: usize, address: [u8; 8]) -> Option<Mac> {
    let [a, b, c, d, e, f, ..] = address;
    (matches!(hardware, 1 | 772) && length == 6).then_some(Mac([a, b, c, d, e, f]))
}

/// Numbers below 0x0600 are Linux's own; of these only 802.2 frames are of use.
fn cooked_type(number: u16, bytes: &[u8]) -> At<'_> {
    if number >= SMALLEST_TYPE {
        return At::Type(number, bytes);
    }
    match (number, llc(u16::MAX, bytes)) {
        (4, Some((inner, rest))) => At::Type(inner, rest),
        _ => At::NonIp(0),
    }
}
