//! What SNMP needs beyond [`crate::ber`]: which rule was broken, numbers of 32 bits, and object
//! identifiers.

use std::fmt::Write;

use wire::cursor::Cursor;

pub(super) use crate::ber::{INTEGER, OCTETS, SEQUENCE};

use crate::ber::{self, NoHeader};

pub(super) const OBJECT: u8 = 0x06;

/// Most bytes of an object identifier that are written out: 128 numbers (RFC 2578, 3.5) of mostly
/// one byte.
const LONGEST_OBJECT: usize = 160;

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    Short,
    Length,
    Tag,
    Number,
}

impl Broken {
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Short => "message ends too early",
            Self::Length => "length of a kind that SNMP does not use",
            Self::Tag => "another type than its place asks for",
            Self::Number => "number longer than its type allows",
        }
    }
}

/// A tag and its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// The length in front of a content. SNMP needs no more than three bytes of it.
pub(super) fn length(cursor: &mut Cursor<'_>) -> Result<usize, Broken> {
    ber::length(cursor).map_err(|why| match why {
        NoHeader::Short => Broken::Short,
        NoHeader::Broken => Broken::Length,
    })
}

/// The next item.
pub(super) fn item<'a>(cursor: &mut Cursor<'a>) -> Result<Item<'a>, Broken> {
    let tag = cursor.u8().map_err(|_| Broken::Short)?;
    let length = length(cursor)?;
    let body = cursor.take(length).map_err(|_| Broken::Short)?;
    Ok(Item { tag, body })
}

/// The content of the next item, which has to have this tag.
pub(super) fn expect<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Result<&'a [u8], Broken> {
    let item = item(cursor)?;
    if item.tag == tag { Ok(item.body) } else { Err(Broken::Tag) }
}

/// The next item as a number of at most 32 bits; what is below zero counts as its two's complement.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<u32, Broken> {
    let body = expect(cursor, INTEGER)?;
    // A number above 2^31 may have a zero in front.
    match body {
        [] => Err(Broken::Number),
        [_, _, _, _, _, _, ..] => Err(Broken::Number),
        [first, _, _, _, _] if *first != 0 => Err(Broken::Number),
        bytes => Ok(bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))),
    }
}

/// An object identifier in dots; what is broken in it ends it with a question mark.
pub(super) fn dotted(object: &[u8]) -> String {
    let mut text = String::new();
    let mut number = 0_u64;
    let mut rest = object.iter().take(LONGEST_OBJECT);
    let mut open = false;
    for &byte in rest.by_ref() {
        if number >> 32 != 0 {
            text.push('?');
            return text;
        }
        number = number << 7 | u64::from(byte & 0x7f);
        open = byte & 0x80 != 0;
        if open {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = if text.is_empty() {
            let root = (number / 40).min(2);
            write!(text, "{root}.{}", number.saturating_sub(root.saturating_mul(40)))
        } else {
            write!(text, ".{number}")
        };
        number = 0;
    }
    if open {
        text.push('?');
    }
    text
}

/// Bytes in hexadecimal, at most 32 of them.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(32) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_are_written_in_dots() {
        assert_eq!(dotted(b"\x2b\x06\x01\x02\x01\x01\x01\x00"), "1.3.6.1.2.1.1.1.0");
        assert_eq!(dotted(b"\x2b\x06\x01\x04\x01\x82\x37"), "1.3.6.1.4.1.311");
        assert_eq!(dotted(b"\x88\x37\x03"), "2.999.3");
        assert_eq!(dotted(b""), "");
    }

    #[test]
    fn broken_object_identifiers_end_and_do_not_overflow() {
        assert_eq!(dotted(b"\x2b\x86"), "1.3?");
        assert_eq!(dotted(b"\x2b\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "1.3?");
        assert!(dotted(&[0x8f; 4000]).len() < 2000);
    }

    #[test]
    fn lengths_in_every_form_and_none_without_end() {
        let read = |bytes: &[u8]| length(&mut Cursor::new(bytes));
        assert_eq!(read(b"\x7f"), Ok(127));
        assert_eq!(read(b"\x81\x80"), Ok(128));
        assert_eq!(read(b"\x84\x00\x00\x01\x00"), Ok(256));
        assert_eq!(read(b"\x80"), Err(Broken::Length));
        assert_eq!(read(b"\x89\x01"), Err(Broken::Length));
        assert_eq!(read(b"\x82\x01"), Err(Broken::Short));
    }
}
