//! Frames (RFC 9113, section 4): their heads, and what their flags put around their payload.

use wire::cursor::Cursor;

/// What a client begins with (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame's head.
pub(super) const HEAD: usize = 9;

/// Longest frame other than DATA that is read. More than four times what no side may exceed unless
/// the other allows it.
pub(super) const MAX_FRAME: u32 = 48 << 10;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY: u8 = 0x20;

/// Type of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    Continuation,
    /// PRIORITY, WINDOW_UPDATE, and what extensions add.
    Other,
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: u32,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

/// Reads the head of a frame; nothing where it is not whole.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let mut at = Cursor::new(bytes);
    let length = at.u24().ok()?;
    let kind = match at.u8().ok()? {
        0 => Kind::Data,
        1 => Kind::Headers,
        3 => Kind::RstStream,
        4 => Kind::Settings,
        5 => Kind::PushPromise,
        6 => Kind::Ping,
        7 => Kind::GoAway,
        9 => Kind::Continuation,
        _ => Kind::Other,
    };
    Some(Head { length, kind, flags: at.u8().ok()?, stream: at.u32().ok()? & 0x7fff_ffff })
}

/// The part of a HEADERS or PUSH_PROMISE frame that is header block, without padding, priority and
/// the stream promised.
///
/// # Errors
/// More padding than payload.
pub(super) fn block<'a>(head: &Head, payload: &'a [u8]) -> Result<&'a [u8], &'static str> {
    const WRONG: &str = "HTTP/2 frame shorter than its fields";
    let mut at = Cursor::new(payload);
    let mut padding = 0_usize;
    if head.flags & PADDED != 0 {
        padding = usize::from(at.u8().map_err(|_| WRONG)?);
    }
    if head.kind == Kind::PushPromise {
        at.skip(4).map_err(|_| WRONG)?;
    } else if head.flags & PRIORITY != 0 {
        at.skip(5).map_err(|_| WRONG)?;
    }
    let rest = at.rest();
    let end = rest.len().checked_sub(padding).ok_or(WRONG)?;
    Ok(rest.get(..end).unwrap_or_default())
}

/// SETTINGS_HEADER_TABLE_SIZE, where a SETTINGS frame gives it.
pub(super) fn table_size(payload: &[u8]) -> Option<u32> {
    payload.as_chunks::<6>().0.iter().rev().find_map(|[a, b, c, d, e, f]| {
        (u16::from_be_bytes([*a, *b]) == 1).then(|| u32::from_be_bytes([*c, *d, *e, *f]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_priority_are_taken_off() {
        let head = |kind, flags| Head { length: 0, kind, flags, stream: 1 };
        let padded = head(Kind::Headers, PADDED | PRIORITY);
        assert_eq!(block(&padded, &[2, 0, 0, 0, 0, 9, 0x82, 0x84, 0, 0]), Ok(&[0x82, 0x84][..]));
        assert!(block(&padded, &[9, 0, 0, 0, 0, 9, 0x82]).is_err());
        assert_eq!(block(&head(Kind::PushPromise, 0), &[0, 0, 0, 2, 0x82]), Ok(&[0x82][..]));
        assert_eq!(table_size(&[0, 3, 0, 0, 0, 1, 0, 1, 0, 0, 16, 0]), Some(4096));
    }
}
