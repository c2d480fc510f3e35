//! NetBIOS session framing (RFC 1002, 4.3; MS-SMB2 2.1), and how much of a message is looked at.
//!
//! Bulk data is not wanted: of a large read or write only the header and the first bytes are, and
//! the rest is passed over without being kept.

/// Longest message that is looked at whole. Compounds of several requests are far smaller.
pub(super) const HOLD: usize = 16 * 1024;
/// What is looked at of a write: headers and the first bytes of data.
const WRITE_HEAD: usize = 2048;
/// What is looked at of an answer that only brings data.
const DATA_HEAD: usize = 160;

/// Bytes of the framing header.
pub(super) const HEADER: usize = 4;

/// What a framing header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framed {
    /// An SMB message of so many bytes.
    Message(usize),
    /// Something of the NetBIOS session service itself.
    Service(usize),
    /// No such header.
    Unknown,
}

/// Reads the framing header; nothing where it is not whole.
pub(super) fn header(bytes: &[u8]) -> Option<Framed> {
    let [kind, high, mid, low] = *bytes.first_chunk::<HEADER>()?;
    let length = usize::from(high) << 16 | usize::from(mid) << 8 | usize::from(low);
    Some(match kind {
        0x00 => Framed::Message(length),
        // Request, positive, negative, retarget, keep-alive; only the lowest of `high` is length.
        0x81..=0x85 if high <= 1 => Framed::Service(length),
        _ => Framed::Unknown,
    })
}

/// Which SMB a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    V1,
    V2,
    Encrypted,
    Compressed,
}

/// By the four bytes that every message begins with.
pub(super) fn flavour(message: &[u8]) -> Option<Flavour> {
    Some(match message.first_chunk::<4>()? {
        b"\xffSMB" => Flavour::V1,
        b"\xfeSMB" => Flavour::V2,
        b"\xfdSMB" => Flavour::Encrypted,
        b"\xfcSMB" => Flavour::Compressed,
        _ => return None,
    })
}

/// How many bytes of a message of `length` bytes are looked at; nothing where its header is not
/// there yet. Depends on the message alone, not on how much of it has come.
pub(super) fn looked_at(message: &[u8], length: usize) -> Option<usize> {
    let head = message.get(..length.min(24))?;
    let byte = |at: usize| head.get(at).copied().unwrap_or(0);
    let most = match flavour(head) {
        Some(Flavour::V2) => {
            let alone = [20, 21, 22, 23].iter().all(|&at| byte(at) == 0);
            let answer = byte(16) & 1 != 0;
            match (byte(12), answer) {
                (9, false) if alone => WRITE_HEAD,
                (8 | 14, true) if alone => DATA_HEAD,
                _ => HOLD,
            }
        }
        Some(Flavour::V1) => match (byte(4), byte(9) & 0x80 != 0) {
            (0x0b | 0x2f, false) => WRITE_HEAD,
            (0x0a | 0x2e, true) => DATA_HEAD,
            _ => HOLD,
        },
        _ => 24,
    };
    Some(length.min(most))
}
