//! Heads of frames (RFC 6455, section 5.2).

use wire::cursor::{Cursor, Short};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
    Unknown,
}

impl Kind {
    /// Whether it may stand between the frames of a message.
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) last: bool,
    /// The three reserved bits, the first of them highest.
    pub(super) reserved: u8,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) length: u64,
    /// Bytes of the head itself.
    pub(super) size: usize,
}

/// Reads one.
///
/// # Errors
/// [`Short`] where it is not whole.
pub(super) fn head(bytes: &[u8]) -> Result<Head, Short> {
    let mut at = Cursor::new(bytes);
    let [first, second] = at.array()?;
    let kind = match first & 15 {
        0 => Kind::Continuation,
        1 => Kind::Text,
        2 => Kind::Binary,
        8 => Kind::Close,
        9 => Kind::Ping,
        10 => Kind::Pong,
        _ => Kind::Unknown,
    };
    let length = match second & 0x7f {
        126 => u64::from(at.u16()?),
        127 => at.u64()?,
        short => u64::from(short),
    };
    let mask = if second & 0x80 == 0 { None } else { Some(at.array()?) };
    Ok(Head {
        kind,
        last: first & 0x80 != 0,
        reserved: (first >> 4) & 7,
        mask,
        length,
        size: at.position(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_the_standard_are_read() {
        // RFC 6455, section 5.7.
        let text = head(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f]).unwrap();
        assert_eq!((text.kind, text.length, text.size), (Kind::Text, 5, 6));
        assert_eq!(text.mask, Some([0x37, 0xfa, 0x21, 0x3d]));
        let binary = head(&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]).unwrap();
        assert_eq!((binary.kind, binary.length, binary.size), (Kind::Binary, 65536, 10));
        assert!(head(&[0x82, 0x7e, 1]).is_err() && head(&[0x81]).is_err());
    }
}
