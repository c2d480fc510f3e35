//! One side of a connection: lines up to its banner, packets in clear up to NEWKEYS, then bytes that
//! are only counted.

use crate::frames::{Frames, Step};

/// Longest packet that RFC 4253, 6.1, asks everybody to take, its length field included.
const LONGEST_PACKET: usize = 35_004;
/// Longest line that is waited for. The RFC has 255 bytes; lines before the banner may be longer.
const LONGEST_LINE: usize = 4_096;
/// Bytes of a banner that are kept (RFC 4253, 4.2).
const LONGEST_BANNER: usize = 255;
/// Lines that a server may send before the one that counts; there is no bound in the RFC.
const MOST_LINES: u8 = 32;
/// Packets in clear before NEWKEYS; a key exchange has four a side.
const MOST_PACKETS: u8 = 16;

const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;

/// How far a side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Lines.
    Banner,
    /// Packets in clear.
    Clear,
    /// After NEWKEYS.
    Hidden,
    /// Nothing more is expected of this side.
    Over,
}

/// What a side said.
pub(super) enum Heard<'a> {
    /// A version that is not 2.
    OldVersion,
    /// Bytes that are no packet.
    Broken,
    /// The first list of algorithms, with its message number.
    Kexinit(&'a [u8]),
    /// Another message of the key exchange, with its number.
    Message(&'a [u8]),
}

/// One side.
pub(super) struct Side {
    frames: Frames,
    pub(super) phase: Phase,
    pub(super) banner: Option<Vec<u8>>,
    lines: u8,
    packets: u8,
}

impl Side {
    pub(super) const fn new() -> Self {
        Self {
            frames: Frames::new(LONGEST_PACKET),
            phase: Phase::Banner,
            banner: None,
            lines: 0,
            packets: 0,
        }
    }

    /// Takes the next bytes; how many of them were encrypted.
    pub(super) fn feed(&mut self, bytes: &[u8], mut hear: impl FnMut(Heard<'_>)) -> u64 {
        match self.phase {
            Phase::Over => return 0,
            Phase::Hidden => return bytes.len() as u64,
            Phase::Banner | Phase::Clear => {}
        }
        let mut hidden = 0;
        let Self { frames, phase, banner, lines, packets } = self;
        frames.feed(bytes, |unread| match phase {
            Phase::Banner => line(unread, phase, banner, lines, &mut hear),
            Phase::Clear => packet(unread, phase, packets, &mut hear),
            Phase::Hidden => {
                hidden = unread.len() as u64;
                Step::Used(unread.len())
            }
            Phase::Over => Step::Stop,
        });
        hidden
    }
}

fn line(
    unread: &[u8],
    phase: &mut Phase,
    banner: &mut Option<Vec<u8>>,
    lines: &mut u8,
    hear: &mut impl FnMut(Heard<'_>),
) -> Step {
    let head = unread.get(..LONGEST_LINE).unwrap_or(unread);
    let Some(end) = head.iter().position(|&byte| byte == b'\n') else {
        if unread.len() >= LONGEST_LINE {
            *phase = Phase::Over;
            return Step::Stop;
        }
        return Step::More;
    };
    let text = head.get(..end).unwrap_or_default();
    let text = text.get(..LONGEST_BANNER).unwrap_or(text);
    *lines = lines.saturating_add(1);
    if let Some(rest) = text.strip_suffix(b"\r").unwrap_or(text).strip_prefix(b"SSH-") {
        let at = rest.iter().position(|&byte| byte == b'-').unwrap_or(rest.len());
        let (version, software) = rest.split_at_checked(at).unwrap_or_default();
        *banner = Some(software.strip_prefix(b"-").unwrap_or_default().to_vec());
        *phase = Phase::Clear;
        if !matches!(version, b"2.0" | b"1.99") {
            hear(Heard::OldVersion);
            *phase = Phase::Over;
        }
    } else if *lines >= MOST_LINES {
        *phase = Phase::Over;
    }
    Step::Used(end.saturating_add(1))
}

fn packet(
    unread: &[u8],
    phase: &mut Phase,
    packets: &mut u8,
    hear: &mut impl FnMut(Heard<'_>),
) -> Step {
    let Some(&[a, b, c, d]) = unread.first_chunk() else { return Step::More };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    let whole = length.saturating_add(4);
    if length < 2 || whole > LONGEST_PACKET || *packets >= MOST_PACKETS {
        hear(Heard::Broken);
        *phase = Phase::Over;
        return Step::Stop;
    }
    let Some(&[padding, ref body @ ..]) = unread.get(4..whole) else { return Step::More };
    *packets = packets.saturating_add(1);
    let payload = body.len().checked_sub(usize::from(padding)).and_then(|end| body.get(..end));
    match payload {
        Some([KEXINIT, ..]) => hear(Heard::Kexinit(payload.unwrap_or_default())),
        Some([NEWKEYS]) => *phase = Phase::Hidden,
        Some([_, ..]) => hear(Heard::Message(payload.unwrap_or_default())),
        _ => {
            hear(Heard::Broken);
            *phase = Phase::Over;
            return Step::Stop;
        }
    }
    Step::Used(whole)
}
