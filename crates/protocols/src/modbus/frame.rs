//! The header of a message, and whether bytes can be one.

use wire::cursor::{Cursor, Short};

/// Longest message: header and 253 bytes of function and data.
pub(super) const LONGEST: usize = 260;
/// So many bytes tell of every function whether its length fits.
pub(super) const TELLING: usize = 17;
/// Transaction, protocol and length.
const HEADER: usize = 6;

/// One message.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) unit: u8,
    /// With the upper bit set in an exception.
    pub(super) function: u8,
    pub(super) data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the first message of a stream and says how many bytes it has; nothing where more are
    /// needed.
    pub(super) fn read(unread: &'a [u8]) -> Result<Option<(Self, usize)>, &'static str> {
        let mut cursor = Cursor::new(unread);
        let Ok((protocol, length)) = header(&mut cursor) else { return Ok(None) };
        if protocol != 0 {
            return Err("protocol number that is not 0");
        }
        if !(2..=254).contains(&length) {
            return Err("length that no function has");
        }
        let Ok(body) = cursor.take(usize::from(length)) else { return Ok(None) };
        let (Some((&unit, rest)), size) = (body.split_first(), cursor.position()) else {
            return Ok(None);
        };
        let Some((&function, data)) = rest.split_first() else { return Ok(None) };
        Ok(Some((Self { unit, function, data }, size)))
    }
}

fn header(cursor: &mut Cursor<'_>) -> Result<(u16, u16), Short> {
    cursor.skip(2)?;
    Ok((cursor.u16()?, cursor.u16()?))
}

/// What a first look at bytes gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    No,
    /// They may become one.
    Short,
    /// A sound header, and a function whose length says nothing.
    Framed,
    /// A message of so many bytes whose length is that of its function.
    Fits(usize),
}

/// Looks at the first message of a stream.
pub(super) fn look(start: &[u8]) -> Look {
    // Most flows end here.
    if start.iter().skip(2).take(3).any(|byte| *byte != 0) {
        return Look::No;
    }
    let at = |place: usize| start.get(place).copied();
    let Some(length) = at(5) else { return Look::Short };
    if !(2..=254).contains(&length) {
        return Look::No;
    }
    let Some(function) = at(7) else { return Look::Short };
    // A byte in the message that says how long the rest is, and what it does not count.
    let counted = |place: usize, others: u8, each: u8| match at(place) {
        None => Fit::Short,
        Some(count) => {
            Fit::of(count.checked_mul(each).and_then(|n| n.checked_add(others)) == Some(length))
        }
    };
    let fixed = |expected: u8| Fit::of(length == expected);
    let fit = match function {
        1..=4 => fixed(6).or(|| counted(8, 3, 1)),
        5 | 6 => fixed(6),
        7 => fixed(2).or(|| fixed(3)),
        8 => Fit::of(length >= 6 && length % 2 == 0),
        11 => fixed(2).or(|| fixed(6)),
        12 | 17 => fixed(2).or(|| counted(8, 3, 1)),
        15 | 16 => fixed(6).or(|| counted(12, 7, 1)),
        20 | 21 => counted(8, 3, 1),
        22 => fixed(8),
        23 => counted(8, 3, 1).or(|| counted(16, 11, 1)),
        24 => fixed(4).or(|| fixed_list(length, at(8), at(9))),
        43 => Fit::of(length >= 5 && matches!(at(8), None | Some(13 | 14))),
        129..=255 => Fit::of(length == 3 && at(8).is_none_or(|code| matches!(code, 1..=11))),
        _ => return Look::Framed,
    };
    match fit {
        Fit::Yes => Look::Fits(HEADER.saturating_add(usize::from(length))),
        Fit::Short => Look::Short,
        Fit::No => Look::No,
    }
}

/// The answer to function 24 counts its bytes in two.
fn fixed_list(length: u8, high: Option<u8>, low: Option<u8>) -> Fit {
    match (high, low) {
        (Some(0), Some(low)) => Fit::of(low.checked_add(4) == Some(length)),
        (Some(_), Some(_)) => Fit::No,
        _ => Fit::Short,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Yes,
    Short,
    No,
}

impl Fit {
    const fn of(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }

    fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::No { other() } else { self }
    }
}
