//! Control packets of MQTT: fixed headers, and the parts that matter of the rest.
//!
//! Sources: MQTT 3.1 (IBM and Eurotech), MQTT 3.1.1 and 5.0 (OASIS).

use wire::cursor::Cursor;

/// Revision of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 3.1, whose name is `MQIsdp`.
    V31,
    /// 3.1.1.
    V311,
    /// 5.0.
    V5,
}

impl Version {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V31 => "3.1",
            Self::V311 => "3.1.1",
            Self::V5 => "5.0",
        }
    }
}

/// Type of a control packet (5.0, table 2-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Connack,
    Publish,
    /// PUBACK, PUBREC, PUBREL and PUBCOMP.
    Acknowledge,
    Subscribe,
    /// SUBACK and UNSUBACK.
    Subscribed,
    Unsubscribe,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}

/// Who may send a type of packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Broker,
    Either,
}

/// A fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    pub(super) kind: Kind,
    /// Lower half of the first byte.
    pub(super) flags: u8,
    /// Bytes that follow the fixed header.
    pub(super) remaining: u32,
    /// Size of the fixed header itself.
    pub(super) size: usize,
    /// Flags that the type prescribes; none for PUBLISH.
    prescribed: Option<u8>,
}

impl Fixed {
    /// Whether reserved flags are set otherwise than prescribed.
    pub(super) fn breaks_flags(&self) -> bool {
        self.prescribed.is_some_and(|flags| flags != self.flags)
    }

    /// Size of the whole packet.
    pub(super) fn whole(&self) -> u64 {
        u64::from(self.remaining).saturating_add(self.size as u64)
    }

    pub(super) fn sender(&self) -> Sender {
        match self.kind {
            Kind::Connect | Kind::Subscribe | Kind::Unsubscribe | Kind::Pingreq => Sender::Client,
            Kind::Connack | Kind::Subscribed | Kind::Pingresp => Sender::Broker,
            Kind::Publish | Kind::Acknowledge | Kind::Disconnect | Kind::Auth => Sender::Either,
        }
    }
}

/// What the first bytes of a packet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Fixed(Fixed),
    More,
    /// Breaks a rule so that the packet's end is unknown.
    Broken(&'static str),
}

/// Reads a fixed header.
pub(super) fn fixed(bytes: &[u8]) -> Start {
    let Some((&first, rest)) = bytes.split_first() else { return Start::More };
    let (kind, prescribed) = match first >> 4 {
        1 => (Kind::Connect, Some(0)),
        2 => (Kind::Connack, Some(0)),
        3 => (Kind::Publish, None),
        4 | 5 | 7 => (Kind::Acknowledge, Some(0)),
        6 => (Kind::Acknowledge, Some(2)),
        8 => (Kind::Subscribe, Some(2)),
        9 | 11 => (Kind::Subscribed, Some(0)),
        10 => (Kind::Unsubscribe, Some(2)),
        12 => (Kind::Pingreq, Some(0)),
        13 => (Kind::Pingresp, Some(0)),
        14 => (Kind::Disconnect, Some(0)),
        15 => (Kind::Auth, Some(0)),
        _ => return Start::Broken("packet type 0"),
    };
    match varint(rest) {
        Varint::Value(remaining, used) => Start::Fixed(Fixed {
            kind,
            flags: first & 0x0f,
            remaining,
            size: used.saturating_add(1),
            prescribed,
        }),
        Varint::More => Start::More,
        Varint::Broken => Start::Broken("remaining length of more than four bytes"),
    }
}

/// A number of variable length (5.0, section 1.5.5), and how many bytes it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Varint {
    Value(u32, usize),
    More,
    Broken,
}

pub(super) fn varint(bytes: &[u8]) -> Varint {
    let mut value = 0_u32;
    for (place, (&byte, shift)) in bytes.iter().zip([0_u32, 7, 14, 21]).enumerate() {
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Varint::Value(value, place.saturating_add(1));
        }
    }
    if bytes.len() >= 4 { Varint::Broken } else { Varint::More }
}

/// A text with its length in front; nothing where it is cut off.
pub(super) fn text<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.u16().ok()?;
    cursor.take(usize::from(length)).ok()
}

/// Whether a text is UTF-8 without NUL, as MQTT wants it.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

/// Properties that are looked at (5.0, section 2.2.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties<'a> {
    pub(super) topic_alias: Option<u16>,
    pub(super) assigned_client_id: &'a [u8],
}

/// Reads properties, their length in front.
///
/// # Errors
/// Which rule they break.
pub(super) fn properties<'a>(cursor: &mut Cursor<'a>) -> Result<Properties<'a>, &'static str> {
    const WRONG: &str = "properties shorter or longer than their length";
    let Varint::Value(length, used) = varint(cursor.rest()) else { return Err(WRONG) };
    cursor.skip(used).map_err(|_| WRONG)?;
    let length = usize::try_from(length).map_err(|_| WRONG)?;
    let mut inner = Cursor::new(cursor.take(length).map_err(|_| WRONG)?);
    let mut found = Properties::default();
    while !inner.is_empty() {
        let read = match inner.u8().map_err(|_| WRONG)? {
            0x23 => inner.u16().ok().map(|alias| found.topic_alias = Some(alias)),
            0x12 => text(&mut inner).map(|id| found.assigned_client_id = id),
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => inner.skip(1).ok(),
            0x13 | 0x21 | 0x22 => inner.skip(2).ok(),
            0x02 | 0x11 | 0x18 | 0x27 => inner.skip(4).ok(),
            0x0b => match varint(inner.rest()) {
                Varint::Value(_, used) => inner.skip(used).ok(),
                Varint::More | Varint::Broken => None,
            },
            0x03 | 0x08 | 0x09 | 0x15 | 0x16 | 0x1a | 0x1c | 0x1f => text(&mut inner).map(|_| ()),
            0x26 => text(&mut inner).and_then(|_| text(&mut inner)).map(|_| ()),
            _ => return Err("unknown property"),
        };
        read.ok_or(WRONG)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_table_2_4() {
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x7f], 127),
            (&[0x80, 0x01], 128),
            (&[0xff, 0x7f], 16_383),
            (&[0xff, 0xff, 0xff, 0x7f], 268_435_455),
        ] {
            assert_eq!(varint(bytes), Varint::Value(value, bytes.len()));
        }
        assert_eq!(varint(&[0x80, 0x80]), Varint::More);
        assert_eq!(varint(&[0x80, 0x80, 0x80, 0x80]), Varint::Broken);
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x01]), Varint::Broken);
    }

    #[test]
    fn properties_are_walked_by_their_types() {
        let bytes = [9, 0x01, 1, 0x23, 0, 7, 0x02, 0, 0, 0, 9];
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(properties(&mut cursor), Err("properties shorter or longer than their length"));
        let bytes = [10, 0x01, 1, 0x23, 0, 7, 0x02, 0, 0, 0, 9];
        assert_eq!(properties(&mut Cursor::new(&bytes)).unwrap().topic_alias, Some(7));
        assert_eq!(properties(&mut Cursor::new(&[1, 0x7f])), Err("unknown property"));
    }

    #[test]
    fn reserved_flags_are_checked_by_type() {
        let flags = |first| match fixed(&[first, 0]) {
            Start::Fixed(fixed) => fixed.breaks_flags(),
            other => panic!("{other:?}"),
        };
        assert!(!flags(0x10) && flags(0x11) && !flags(0x82) && flags(0x80) && !flags(0x62));
        assert!(!flags(0x3f));
    }
}
