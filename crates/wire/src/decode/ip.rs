//! IPv4 and IPv6 headers, options, extension headers and fragment fields.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{At, Layer, Piece, Walk};
use crate::notes::Notes;

/// How many extension headers a packet may have.
const MAX_EXTENSIONS: usize = 8;

/// Shortest header of IPv4.
const SHORTEST: usize = 20;

/// By the version in the first byte; an EtherType that says otherwise does not count.
#[inline]
pub(super) fn enter<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => v4(walk, bytes),
        Some(6) => v6(walk, bytes),
        Some(_) => At::Bad(Layer::Ipv4, "version is neither 4 nor 6"),
        None => At::Bad(Layer::Ipv4, "no header"),
    }
}

#[inline]
fn v4<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    let Some(header) = bytes.first_chunk::<SHORTEST>() else {
        return At::Bad(Layer::Ipv4, "ends in the header");
    };
    let header_len = usize::from(header[0] & 0x0f).wrapping_mul(4);
    if header_len < SHORTEST {
        return At::Bad(Layer::Ipv4, "header length below 20");
    }
    // Zero is what segmentation offload leaves for the network card to fill in.
    let total = match u16::from_be_bytes([header[2], header[3]]) {
        0 => bytes.len(),
        length => usize::from(length),
    };
    if total < header_len {
        return At::Bad(Layer::Ipv4, "total length below the header's");
    }
    if total > bytes.len() && !walk.cut {
        return At::Bad(Layer::Ipv4, "total length beyond the frame");
    }
    let Some(payload) = bytes.get(header_len..total.min(bytes.len())) else {
        return At::Bad(Layer::Ipv4, "ends in the options");
    };
    if header_len > SHORTEST {
        v4_options(&mut walk.packet.notes, bytes.get(SHORTEST..header_len).unwrap_or_default());
    }
    let missing = total.saturating_sub(header_len).saturating_sub(payload.len());
    walk.packet.src = IpAddr::V4(Ipv4Addr::from([header[12], header[13], header[14], header[15]]));
    walk.packet.dst = IpAddr::V4(Ipv4Addr::from([header[16], header[17], header[18], header[19]]));
    walk.packet.ip_len = total as u32;
    walk.protocol = header[9];
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    if fragment & 0x3fff == 0 {
        return At::Payload(payload, missing as u32);
    }
    At::Piece(Piece {
        id: u32::from(u16::from_be_bytes([header[4], header[5]])),
        offset: u32::from(fragment & 0x1fff).wrapping_mul(8),
        more: fragment & 0x2000 != 0,
        payload,
        cut: missing > 0,
    })
}

/// Notes source routes and lengths that do not add up (RFC 791).
fn v4_options(notes: &mut Notes, mut options: &[u8]) {
    while let [kind, rest @ ..] = options {
        match kind {
            0 => return,
            1 => options = rest,
            _ => {
                if matches!(kind, 131 | 137) {
                    notes.add(Notes::SOURCE_ROUTE);
                }
                let length = rest.first().map_or(0, |&length| usize::from(length));
                match options.get(length..) {
                    Some(after) if length >= 2 => options = after,
                    _ => return notes.add(Notes::BAD_IP_OPTIONS),
                }
            }
        }
    }
}

fn v6<'a>(walk: &mut Walk<'a>, bytes: &'a [u8]) -> At<'a> {
    let header = bytes.split_first_chunk::<8>().and_then(|(fixed, rest)| {
        let (src, rest) = rest.split_first_chunk::<16>()?;
        let (dst, rest) = rest.split_first_chunk::<16>()?;
        Some((fixed, src, dst, rest))
    });
    let Some((&[_, _, _, _, l0, l1, protocol, _], src, dst, rest)) = header else {
        return At::Bad(Layer::Ipv6, "ends in the header");
    };
    let length = match u16::from_be_bytes([l0, l1]) {
        // A jumbogram (RFC 2675), or what segmentation offload leaves open.
        0 if protocol == 0 || protocol == 6 => rest.len(),
        length => usize::from(length),
    };
    if length > rest.len() && !walk.cut {
        return At::Bad(Layer::Ipv6, "payload length beyond the frame");
    }
    let payload = rest.get(..length).unwrap_or(rest);
    walk.packet.src = IpAddr::V6(Ipv6Addr::from(*src));
    walk.packet.dst = IpAddr::V6(Ipv6Addr::from(*dst));
    walk.packet.ip_len = length.saturating_add(40) as u32;
    walk.protocol = protocol;
    let missing = length.saturating_sub(payload.len()) as u32;
    match protocol {
        0 | 43 | 44 | 51 | 60 | 135 | 139 | 140 => extensions(walk, payload, missing),
        _ => At::Payload(payload, missing),
    }
}

/// Goes through extension headers (RFC 8200) to what they carry.
fn extensions<'a>(walk: &mut Walk<'a>, bytes: &'a [u8], missing: u32) -> At<'a> {
    let mut bytes = bytes;
    for _ in 0..MAX_EXTENSIONS {
        let Some((&[next, units, third, fourth], _)) = bytes.split_first_chunk() else {
            return At::Bad(Layer::Ipv6, "ends in an extension header");
        };
        let length = match walk.protocol {
            // Authentication header: counted in units of four bytes, less two (RFC 4302).
            51 => usize::from(units).saturating_add(2).saturating_mul(4),
            44 => 8,
            _ => usize::from(units).saturating_add(1).saturating_mul(8),
        };
        let Some((extension, rest)) = bytes.split_at_checked(length) else {
            return At::Bad(Layer::Ipv6, "ends in an extension header");
        };
        if walk.protocol == 43 && third == 0 {
            walk.packet.notes.add(Notes::SOURCE_ROUTE);
        }
        let fragment = walk.protocol == 44;
        (walk.protocol, bytes) = (next, rest);
        if fragment {
            let field = u16::from_be_bytes([third, fourth]);
            // Neither an offset nor more to come: an atomic fragment is a whole packet (RFC 6946).
            if field & 0xfff9 != 0 {
                return At::Piece(Piece {
                    id: extension.last_chunk::<4>().map_or(0, |id| u32::from_be_bytes(*id)),
                    offset: u32::from(field & 0xfff8),
                    more: field & 1 != 0,
                    payload: rest,
                    cut: missing > 0,
                });
            }
        }
        if !matches!(next, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140) {
            return At::Payload(bytes, missing);
        }
    }
    At::Bad(Layer::Ipv6, "more than 8 extension headers")
}
