//! The head of an application message (clause 20.1): what it is, and for which service.

use wire::cursor::{Cursor, Short};

/// One application message; services by their number.
#[derive(Debug)]
pub(super) enum Apdu<'a> {
    Request {
        service: u8,
        segmented: bool,
        body: &'a [u8],
    },
    Unconfirmed {
        service: u8,
        body: &'a [u8],
    },
    Answer {
        service: u8,
        body: &'a [u8],
    },
    /// What was rejected or aborted is only known by its number.
    Failure {
        outcome: &'static str,
        service: Option<u8>,
        body: &'a [u8],
    },
    /// Acknowledgements, and segments that continue something.
    Other,
}

impl<'a> Apdu<'a> {
    /// Reads the head.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor::new(bytes);
        Self::head(&mut cursor).map_err(|Short| "application message ends too early")?
    }

    fn head(cursor: &mut Cursor<'a>) -> Result<Result<Self, &'static str>, Short> {
        let first = cursor.u8()?;
        let segmented = first & 0x08 != 0;
        Ok(Ok(match first >> 4 {
            0 => {
                cursor.skip(2)?;
                let number = if segmented { Some(cursor.u16()? >> 8) } else { None };
                let service = cursor.u8()?;
                if number.is_some_and(|number| number > 0) {
                    return Ok(Ok(Self::Other));
                }
                Self::Request { service, segmented, body: cursor.rest() }
            }
            1 => Self::Unconfirmed { service: cursor.u8()?, body: cursor.rest() },
            3 => {
                cursor.skip(1)?;
                if segmented {
                    return Ok(Ok(Self::Other));
                }
                Self::Answer { service: cursor.u8()?, body: cursor.rest() }
            }
            2 | 4 => Self::Other,
            5 => {
                cursor.skip(1)?;
                Self::Failure { outcome: "error", service: Some(cursor.u8()?), body: cursor.rest() }
            }
            6 | 7 => {
                cursor.skip(1)?;
                let outcome = if first >> 4 == 6 { "reject" } else { "abort" };
                Self::Failure { outcome, service: None, body: cursor.rest() }
            }
            _ => return Ok(Err("application message of a type not assigned")),
        }))
    }
}
