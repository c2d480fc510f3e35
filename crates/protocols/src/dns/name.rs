//! Domain names, with compression followed safely.
//!
//! A compression pointer may only point before the place where the name (or the stretch of it that
//! is being read) began. So every jump goes back and no name can loop (RFC 1035, 4.1.4: "a prior
//! occurrence").

use wire::cursor::Cursor;

use super::message::Malformed;

/// Most bytes of a name on the wire (RFC 1035, 2.3.4).
const LONGEST: usize = 255;

/// Reads a name and leaves the cursor after it. Lower case, labels joined by dots, dots and
/// backslashes inside a label escaped by a backslash; the root is ".".
pub(super) fn read<'m>(message: &'m [u8], cursor: &mut Cursor<'m>) -> Result<Vec<u8>, Malformed> {
    let mut name = read_as_written(message, cursor)?;
    name.make_ascii_lowercase();
    Ok(name)
}

/// The same without the lower case: names of services are written for people.
pub(super) fn read_as_written<'m>(
    message: &'m [u8],
    cursor: &mut Cursor<'m>,
) -> Result<Vec<u8>, Malformed> {
    let mut name = Vec::new();
    walk(message, cursor, |label| {
        if !name.is_empty() {
            name.push(b'.');
        }
        for &byte in label {
            if matches!(byte, b'.' | b'\\') {
                name.push(b'\\');
            }
            name.push(byte);
        }
    })?;
    if name.is_empty() {
        name.push(b'.');
    }
    Ok(name)
}

/// Passes over a name and checks it.
pub(super) fn skip<'m>(message: &'m [u8], cursor: &mut Cursor<'m>) -> Result<(), Malformed> {
    walk(message, cursor, |_| ())
}

fn walk<'m>(
    message: &'m [u8],
    cursor: &mut Cursor<'m>,
    mut label: impl FnMut(&[u8]),
) -> Result<(), Malformed> {
    let mut length = 1_usize;
    let mut began = cursor.position();
    let mut jumped: Option<Cursor<'m>> = None;
    loop {
        let at = jumped.as_mut().unwrap_or(cursor);
        let first = at.u8()?;
        match first >> 6 {
            0 if first == 0 => return Ok(()),
            0 => {
                let bytes = at.take(usize::from(first))?;
                length = length.saturating_add(bytes.len()).saturating_add(1);
                if length > LONGEST {
                    return Err(Malformed::LongName);
                }
                label(bytes);
            }
            3 => {
                let target = usize::from(first & 0x3f) << 8 | usize::from(at.u8()?);
                if target >= began {
                    return Err(Malformed::Pointer);
                }
                began = target;
                let mut there = Cursor::new(message);
                there.skip(target)?;
                jumped = Some(there);
            }
            _ => return Err(Malformed::Label),
        }
    }
}
