//! Whether a flow begins with MQTT.
//!
//! A connection older than the capture, or of a client that skips CONNECT, begins with anything;
//! of that, only what has much structure is believed.

use model::emit::Probe;

use super::packet::{Fixed, Kind, Start, fixed};
use super::topics::{wrong_filter, wrong_name};

/// Asks for a CONNECT with the name of the protocol, or else for a whole PUBLISH or SUBSCRIBE whose
/// topic can only be one.
pub(super) fn probe(start: &[u8]) -> Probe {
    let fixed = match fixed(start) {
        Start::Fixed(fixed) => fixed,
        // At most five bytes are waited for.
        Start::More => return first_byte(start),
        Start::Broken(_) => return Probe::No,
    };
    let body = start.get(fixed.size..).unwrap_or_default();
    match fixed.kind {
        Kind::Connect => connect(body),
        Kind::Publish => publish(&fixed, body),
        Kind::Subscribe if !fixed.breaks_flags() => subscribe(&fixed, body),
        // The broker's first word may come before the client's bytes are looked at.
        Kind::Connack if !fixed.breaks_flags() && matches!(fixed.remaining, 2..=128) => {
            Probe::Unsure
        }
        _ => Probe::No,
    }
}

fn first_byte(start: &[u8]) -> Probe {
    match start.first() {
        None => Probe::Unsure,
        Some(byte) if matches!(byte >> 4, 1 | 3) || matches!(byte, 0x20 | 0x82) => Probe::Unsure,
        Some(_) => Probe::No,
    }
}

/// Whatever its flags and lengths: a malformed CONNECT is worth more than a well-formed one.
fn connect(body: &[u8]) -> Probe {
    let names: [&[u8]; 2] = [b"\x00\x04MQTT", b"\x00\x06MQIsdp"];
    let seen = |name: &&[u8]| body.starts_with(name);
    let coming = |name: &&[u8]| name.starts_with(body);
    if names.iter().any(seen) {
        Probe::Yes
    } else if names.iter().any(coming) {
        Probe::Unsure
    } else {
        Probe::No
    }
}

/// A topic of at least two readable levels that fits its packet, and behind the packet another one
/// or nothing.
fn publish(fixed: &Fixed, body: &[u8]) -> Probe {
    let Some((length, rest)) = body.split_at_checked(2) else { return Probe::Unsure };
    let length = match length {
        [high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => return Probe::No,
    };
    let remaining = usize::try_from(fixed.remaining).unwrap_or(usize::MAX);
    if fixed.flags & 0x06 == 0x06 || length < 3 || length.saturating_add(2) > remaining {
        return Probe::No;
    }
    let seen = rest.get(..rest.len().min(length)).unwrap_or_default();
    let readable = |b: &u8| b.is_ascii_graphic() || *b >= 0x80;
    if !seen.iter().all(readable) || (seen.len() == length && wrong_name(seen).is_some()) {
        return Probe::No;
    }
    let Some(after) = body.get(remaining..) else { return Probe::Unsure };
    let next = match super::packet::fixed(after) {
        Start::Fixed(next) => !next.breaks_flags() && next.flags & 0x06 != 0x06,
        Start::More => true,
        Start::Broken(_) => false,
    };
    if seen.contains(&b'/') && next { Probe::Yes } else { Probe::No }
}

/// A single filter of readable characters that fills its packet to the last byte.
fn subscribe(fixed: &Fixed, body: &[u8]) -> Probe {
    let remaining = usize::try_from(fixed.remaining).unwrap_or(usize::MAX);
    if !(7..=1024).contains(&remaining) {
        return Probe::No;
    }
    let Some(packet) = body.get(..remaining) else { return Probe::Unsure };
    let Some(([_, _, high, low], rest)) = packet.split_first_chunk() else { return Probe::No };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let fits = match rest.split_at_checked(length) {
        Some((filter, [options])) => {
            filter.len() >= 2
                && *options <= 2
                && filter.iter().all(u8::is_ascii_graphic)
                && wrong_filter(filter).is_none()
        }
        _ => false,
    };
    if fits { Probe::Yes } else { Probe::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_is_known_whatever_else_is_wrong_with_it() {
        for start in
            [&b"\x10\x10\x00\x04MQTT\x04"[..], b"\x1f\x00\x00\x04MQTT", b"\x10\x12\x00\x06MQIsdp"]
        {
            assert_eq!(probe(start), Probe::Yes);
            assert_eq!(probe(&start[..5]), Probe::Unsure);
        }
    }

    #[test]
    fn a_publish_of_an_old_connection_is_known_when_it_is_whole() {
        let publish = b"\x30\x0d\x00\x06icu/hrhello\xc0\x00";
        assert_eq!(probe(publish), Probe::Yes);
        assert_eq!(probe(&publish[..12]), Probe::Unsure);
    }

    #[test]
    fn a_subscribe_without_connect_is_known() {
        let subscribe = b"\x82\x0a\x00\x01\x00\x05icu/#\x01";
        assert_eq!(probe(subscribe), Probe::Yes);
        assert_eq!(probe(&subscribe[..11]), Probe::Unsure);
        assert_eq!(probe(b"\x82\x0a\x00\x01\x00\x04icu/#\x01"), Probe::No);
    }

    #[test]
    fn neighbours_are_told_no() {
        for other in [
            // LDAP bind and SNMP: sequences of ASN.1 begin with the byte of a PUBLISH.
            &b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"[..],
            b"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x60",
            b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/1.1\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"\x00\x00\x00\x54\xfeSMB",
            b"1234567890",
            b"\x0bMSH|^~\\&|",
        ] {
            assert_eq!(probe(other), Probe::No, "{other:x?}");
        }
    }
}
