//! What of a packet is in clear text: form, version, ids, token, length (RFC 8999, RFC 9000 17.2).

use model::observation::Value;
use wire::cursor::{Cursor, Short};

/// Most versions of a negotiation that are looked at.
const MOST_VERSIONS: usize = 16;
/// Longest connection id of the versions known here.
const LONGEST_ID: u8 = 20;

const SHORT: &str = "packet shorter than its header says";

/// A version by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(u32);

impl Version {
    const ONE: Self = Self(1);
    pub(super) const TWO: Self = Self(0x6b33_43cf);

    #[cfg(test)]
    pub(super) const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number of a draft of version 1.
    pub(super) const fn draft(self) -> Option<u32> {
        if self.0 >> 8 == 0x00ff_0000 { Some(self.0 & 0xff) } else { None }
    }

    /// Whether its packets can be read here.
    const fn is_known(self) -> bool {
        matches!(self, Self::ONE | Self::TWO) || matches!(self.draft(), Some(23..=34))
    }

    /// Numbers that are sent so that nobody relies on their absence (RFC 9000, 15).
    const fn is_grease(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }

    pub(super) fn name(self) -> Value {
        match (self, self.draft()) {
            (Self::ONE, _) => Value::Word("1"),
            (Self::TWO, _) => Value::Word("2"),
            (_, Some(draft)) => Value::Text(format!("draft-{draft}").into()),
            _ => Value::Text(format!("0x{:08x}", self.0).into()),
        }
    }
}

/// A packet with a long header and a length.
#[derive(Debug)]
pub(super) struct Long<'a> {
    pub(super) version: Version,
    pub(super) destination: &'a [u8],
    pub(super) has_token: bool,
    /// From its first byte to its last.
    pub(super) whole: &'a [u8],
    /// Where in it the packet number begins.
    pub(super) number_at: usize,
    /// What follows it in its datagram.
    pub(super) after: &'a [u8],
}

/// What a packet is.
#[derive(Debug)]
pub(super) enum Header<'a> {
    Initial(Long<'a>),
    Negotiation {
        versions: Vec<Version>,
    },
    Retry,
    /// 0-RTT and Handshake.
    Other {
        after: &'a [u8],
    },
    /// A version that is not read here, or one that a client makes up to see what happens.
    Unknown,
    /// A short header: encrypted for good.
    Short,
}

/// Whether a datagram begins with a packet of a known version, or a negotiation that names one.
pub(super) fn is_quic(datagram: &[u8]) -> bool {
    match datagram {
        [0xc0..=0xff, 0, 0, 0, 1, ..]
        | [0xc0..=0xff, 0x6b, 0x33, 0x43, 0xcf, ..]
        | [0xc0..=0xff, 0xff, 0, 0, 23..=34, ..] => matches!(
            Header::read(datagram),
            Ok(Header::Initial(_) | Header::Retry | Header::Other { .. })
        ),
        [0x80..=0xff, 0, 0, 0, 0, ..] => match Header::read(datagram) {
            Ok(Header::Negotiation { versions }) => versions.iter().any(|v| v.is_known()),
            _ => false,
        },
        _ => false,
    }
}

impl<'a> Header<'a> {
    /// Reads the header of the first packet in `bytes`.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor::new(bytes);
        Self::long(&mut cursor, bytes).map_err(|Short| SHORT)?
    }

    fn long(cursor: &mut Cursor<'a>, bytes: &'a [u8]) -> Result<Result<Self, &'static str>, Short> {
        let first = cursor.u8()?;
        if first & 0x80 == 0 {
            return Ok(Ok(Self::Short));
        }
        let version = Version(cursor.u32()?);
        let destination = id(cursor)?;
        id(cursor)?;
        if version.0 == 0 {
            return Ok(negotiation(cursor));
        }
        if !version.is_known() {
            return Ok(Ok(Self::Unknown));
        }
        // Version 2 counts its types from another start (RFC 9369, 3.2).
        let shift = u8::from(version == Version::TWO);
        let kind = ((first >> 4) & 3).wrapping_sub(shift) & 3;
        if kind == 3 {
            return Ok(Ok(Self::Retry));
        }
        let mut has_token = false;
        if kind == 0 {
            let token = varint(cursor)?;
            has_token = token > 0;
            cursor.skip(usize::try_from(token).unwrap_or(usize::MAX))?;
        }
        let length = usize::try_from(varint(cursor)?).unwrap_or(usize::MAX);
        let number_at = cursor.position();
        cursor.skip(length)?;
        let (whole, after) = bytes.split_at_checked(cursor.position()).ok_or(Short)?;
        if kind > 0 {
            return Ok(Ok(Self::Other { after }));
        }
        Ok(Ok(Self::Initial(Long { version, destination, has_token, whole, number_at, after })))
    }
}

fn negotiation<'a>(cursor: &mut Cursor<'_>) -> Result<Header<'a>, &'static str> {
    let mut versions = Vec::new();
    while let Ok(number) = cursor.u32() {
        if versions.len() < MOST_VERSIONS && !Version(number).is_grease() {
            versions.push(Version(number));
        }
    }
    if versions.is_empty() || !cursor.is_empty() {
        return Err("version negotiation without versions");
    }
    Ok(Header::Negotiation { versions })
}

fn id<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    let length = cursor.u8()?;
    if length > LONGEST_ID {
        return Err(Short);
    }
    cursor.take(usize::from(length))
}

/// A number of one, two, four or eight bytes (RFC 9000, 16).
pub(super) fn varint(cursor: &mut Cursor<'_>) -> Result<u64, Short> {
    let first = cursor.u8()?;
    let bytes = cursor.take((1_usize << (first >> 6)).saturating_sub(1))?;
    Ok(bytes.iter().fold(u64::from(first & 0x3f), |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 9000, appendix A.1.
    #[test]
    fn numbers_of_every_length_are_read() {
        let cases: [(&[u8], u64); 5] = [
            (b"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c", 151_288_809_941_952_652),
            (b"\x9d\x7f\x3e\x7d", 494_878_333),
            (b"\x7b\xbd", 15_293),
            (b"\x25", 37),
            (b"\x40\x25", 37),
        ];
        for (bytes, expected) in cases {
            assert_eq!(varint(&mut Cursor::new(bytes)), Ok(expected));
        }
        assert!(varint(&mut Cursor::new(b"\xc2\x19")).is_err());
    }
}
