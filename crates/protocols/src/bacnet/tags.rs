//! Encoded values (clause 20.2): application tags say their type, context tags their place.

use wire::cursor::{Cursor, Short};

/// One tag with its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) number: u8,
    pub(super) sort: Sort,
    pub(super) body: &'a [u8],
}

/// What a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Application,
    Context,
    /// Encloses others up to the closing tag of its number.
    Opening,
    Closing,
}

/// The next tag.
pub(super) fn item<'a>(cursor: &mut Cursor<'a>) -> Result<Item<'a>, Short> {
    let first = cursor.u8()?;
    let number = if first >> 4 == 15 { cursor.u8()? } else { first >> 4 };
    let context = first & 0x08 != 0;
    let sort = match (context, first & 0x07) {
        (true, 6) => Sort::Opening,
        (true, 7) => Sort::Closing,
        (true, _) => Sort::Context,
        (false, _) => Sort::Application,
    };
    let length = match (sort, first & 0x07) {
        (Sort::Opening | Sort::Closing, _) => 0,
        // A boolean has its value in the place of its length.
        (Sort::Application, _) if number == 1 => 0,
        (_, 5) => match cursor.u8()? {
            254 => u32::from(cursor.u16()?),
            255 => cursor.u32()?,
            short => u32::from(short),
        },
        (_, length) => u32::from(length),
    };
    let body = cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    Ok(Item { number, sort, body })
}

/// The next tag where it is of this number in context; what else there is stays unread.
pub(super) fn context<'a>(cursor: &mut Cursor<'a>, number: u8) -> Result<Option<&'a [u8]>, Short> {
    let mut ahead = *cursor;
    if ahead.is_empty() {
        return Ok(None);
    }
    let found = item(&mut ahead)?;
    if found.sort != Sort::Context || found.number != number {
        return Ok(None);
    }
    *cursor = ahead;
    Ok(Some(found.body))
}

/// Whether the next tag opens or closes an enclosure of this number; it is read then.
pub(super) fn enclosure(cursor: &mut Cursor<'_>, number: u8, sort: Sort) -> Result<bool, Short> {
    let mut ahead = *cursor;
    if ahead.is_empty() {
        return Ok(false);
    }
    let found = item(&mut ahead)?;
    let fits = found.sort == sort && found.number == number;
    if fits {
        *cursor = ahead;
    }
    Ok(fits)
}

/// The first value of an enclosure whose opening tag was read; all up to its closing tag is read.
/// Enclosures within are counted, not followed.
pub(super) fn enclosed<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Item<'a>>, Short> {
    let (mut depth, mut first) = (0_usize, None);
    loop {
        let found = item(cursor)?;
        match found.sort {
            Sort::Opening => depth = depth.saturating_add(1),
            Sort::Closing if depth == 0 => return Ok(first),
            Sort::Closing => depth = depth.saturating_sub(1),
            Sort::Application | Sort::Context => {
                first.get_or_insert(found);
            }
        }
    }
}

/// Bytes as a number without sign, of at most eight bytes.
pub(super) fn unsigned(body: &[u8]) -> Option<u64> {
    (matches!(body.len(), 1..=8))
        .then(|| body.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Type and number of an object: ten bits and twenty-two.
pub(super) fn object(body: &[u8]) -> Option<(u16, u32)> {
    let bytes: [u8; 4] = body.try_into().ok()?;
    let number = u32::from_be_bytes(bytes);
    Some(((number >> 22) as u16, number & 0x3f_ffff))
}

/// Text in UTF-8; other character sets are passed over.
pub(super) fn text(body: &[u8]) -> Option<&[u8]> {
    match body {
        [0, text @ ..] => Some(text),
        _ => None,
    }
}

impl Item<'_> {
    /// The type of an application value (clause 20.2.1.4).
    pub(super) const fn type_word(&self) -> &'static str {
        if !matches!(self.sort, Sort::Application) {
            return "constructed";
        }
        match self.number {
            0 => "null",
            1 => "boolean",
            2 => "unsigned",
            3 => "signed",
            4 => "real",
            5 => "double",
            6 => "octets",
            7 => "text",
            8 => "bits",
            9 => "enumerated",
            10 => "date",
            11 => "time",
            12 => "object",
            _ => "reserved",
        }
    }

    /// A number, where it is one.
    pub(super) fn as_float(&self) -> Option<f64> {
        if self.sort != Sort::Application {
            return None;
        }
        match (self.number, self.body) {
            (2 | 9, body) => unsigned(body).map(|number| number as f64),
            (3, body) => {
                let bits = u32::try_from(body.len()).ok()?.checked_mul(8)?;
                let spare = 64_u32.checked_sub(bits)?;
                let number = unsigned(body)?.checked_shl(spare)?.cast_signed();
                Some(number.checked_shr(spare)? as f64)
            }
            (4, body) => Some(f64::from(f32::from_be_bytes(body.try_into().ok()?))),
            (5, body) => Some(f64::from_be_bytes(body.try_into().ok()?)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_are_read() {
        let cases: [(&[u8], f64); 6] = [
            (b"\x21\x07", 7.0),
            (b"\x31\xff", -1.0),
            (b"\x32\xff\x38", -200.0),
            (b"\x44\x41\xa8\x00\x00", 21.0),
            (b"\x55\x08\x40\x35\x00\x00\x00\x00\x00\x00", 21.0),
            (b"\x91\x01", 1.0),
        ];
        for (bytes, expected) in cases {
            let item = item(&mut Cursor::new(bytes)).unwrap();
            assert_eq!(item.as_float(), Some(expected), "{bytes:?}");
        }
    }

    #[test]
    fn enclosures_are_passed_over_however_deep() {
        let mut bytes = [0x3e_u8; 4000].to_vec();
        bytes.extend([0x21, 9]);
        bytes.extend([0x3f; 4001]);
        let mut cursor = Cursor::new(&bytes);
        let first = enclosed(&mut cursor).unwrap().unwrap();
        assert_eq!((first.as_float(), cursor.is_empty()), (Some(9.0), true));
        assert!(enclosed(&mut Cursor::new(&[0x3e; 50])).is_err());
    }

    #[test]
    fn lengths_beyond_the_message_are_refused() {
        for bytes in [&b"\x75\xfe\xff\xff"[..], b"\x75\xff\xff\xff\xff\xff", b"\x75", b"\xf9"] {
            assert!(item(&mut Cursor::new(bytes)).is_err());
        }
    }
}
