//! BER (ITU-T X.690) as LDAP, Kerberos and SNMP use it: a tag of one byte, a definite length, a value.
//!
//! What is nested is read by reading a value again, so nothing here recurses, and a length is only
//! believed as far as there are bytes. Deliberately absent: tags of several bytes and indefinite
//! lengths, which these protocols rule out.

use wire::cursor::{Cursor, Short};

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Most bytes of a length: four hold more than any message may have.
const LONGEST_LENGTH: u8 = 4;

/// Why a header could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// There are too few bytes.
    Short,
    /// It is none that these protocols use.
    Broken,
}

/// Tag and lengths of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// Bytes of tag and length.
    pub(crate) head: usize,
    /// Bytes of the value.
    pub(crate) length: usize,
}

impl Header {
    /// Bytes of the whole element.
    pub(crate) const fn whole(self) -> usize {
        self.head.saturating_add(self.length)
    }
}

/// Reads the header that bytes begin with.
pub(crate) fn header(bytes: &[u8]) -> Result<Header, NoHeader> {
    let mut cursor = Cursor::new(bytes);
    let tag = cursor.u8().map_err(|Short| NoHeader::Short)?;
    if tag & 0x1f == 0x1f {
        return Err(NoHeader::Broken);
    }
    let length = length(&mut cursor)?;
    Ok(Header { tag, head: cursor.position(), length })
}

/// Reads the length in front of a value; BER allows leading zeros.
pub(crate) fn length(cursor: &mut Cursor<'_>) -> Result<usize, NoHeader> {
    let first = cursor.u8().map_err(|Short| NoHeader::Short)?;
    if first < 0x80 {
        return Ok(usize::from(first));
    }
    let bytes = match first & 0x7f {
        count @ 1..=LONGEST_LENGTH => cursor.take(usize::from(count)),
        _ => return Err(NoHeader::Broken),
    };
    let bytes = bytes.map_err(|Short| NoHeader::Short)?;
    Ok(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
}

/// The next element; nothing where it is broken or not whole.
pub(crate) fn next<'a>(cursor: &mut Cursor<'a>) -> Option<Element<'a>> {
    let header = header(cursor.rest()).ok()?;
    cursor.skip(header.head).ok()?;
    let value = cursor.take(header.length).ok()?;
    Some(Element { tag: header.tag, value })
}

/// The next element as far as there are bytes of it.
pub(crate) fn next_cut<'a>(cursor: &mut Cursor<'a>) -> Option<Element<'a>> {
    let header = header(cursor.rest()).ok()?;
    cursor.skip(header.head).ok()?;
    let value = cursor.take(header.length.min(cursor.remaining())).ok()?;
    Some(Element { tag: header.tag, value })
}

/// The value of the next element, where it has this tag.
pub(crate) fn expect<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Option<&'a [u8]> {
    next(cursor).filter(|element| element.tag == tag).map(|element| element.value)
}

/// The elements within a value, up to the first that is not whole.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut cursor = Cursor::new(value);
    std::iter::from_fn(move || next(&mut cursor))
}

/// A number that is not negative and fits.
pub(crate) fn uint(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 9 || value.first().is_some_and(|byte| *byte >= 0x80) {
        return None;
    }
    let (high, low) = value.split_at_checked(value.len().saturating_sub(8))?;
    if high.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(low.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A number with a sign that fits in 32 bits.
pub(crate) fn int(value: &[u8]) -> Option<i32> {
    let (first, rest) = value.split_first().filter(|(_, rest)| rest.len() < 4)?;
    let start = i32::from(first.cast_signed());
    Some(rest.iter().fold(start, |number, byte| number << 8 | i32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_in_both_forms_and_none_that_are_absurd() {
        let whole = |bytes: &[u8]| header(bytes).map(Header::whole);
        assert_eq!(whole(&[4, 5]), Ok(7));
        assert_eq!(whole(&[0x30, 0x82, 1, 0]), Ok(260));
        assert_eq!(whole(&[0x30, 0x84, 0, 0, 0, 9]), Ok(15));
        assert_eq!(whole(&[0x30, 0x80]), Err(NoHeader::Broken));
        assert_eq!(whole(&[0x30, 0x85, 0, 0, 0, 0, 1]), Err(NoHeader::Broken));
        assert_eq!(whole(&[0x7f, 0x21, 0]), Err(NoHeader::Broken));
        assert_eq!(whole(&[0x30, 0x82, 1]), Err(NoHeader::Short));
    }

    #[test]
    fn numbers_with_and_without_sign() {
        assert_eq!((uint(&[0, 0xff]), uint(&[0xff]), uint(&[])), (Some(255), None, None));
        assert_eq!(uint(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Some(u64::MAX));
        assert_eq!(
            (int(&[0x80]), int(&[0, 0x80]), int(&[0xff, 0x7b])),
            (Some(-128), Some(128), Some(-133))
        );
        assert_eq!(int(&[1; 5]), None);
    }

    proptest! {
        #[test]
        fn elements_never_reach_beyond_their_value(bytes: Vec<u8>) {
            let read: usize = elements(&bytes).map(|element| element.value.len() + 2).sum();
            prop_assert!(read <= bytes.len());
            let _ = (uint(&bytes), int(&bytes));
        }
    }
}
