//! Recognises analysers by their header record, or by a frame whose checksum is right.

use model::emit::Probe;

use super::link::{ACK, ENQ, EOT, ETB, ETX, NAK, STX, checksum_digit};

/// Most link characters before the first frame: a station that waits asks again and again.
const MAX_LEAD: usize = 64;
/// Longest frame that is waited for amid a session.
const MAX_FRAME: usize = 1024;

/// Whether a direction carries ASTM records, from its start.
///
/// Link characters alone say nothing (ENQ is also the version of SOCKS): they only leave it open.
pub(super) fn probe(start: &[u8]) -> Probe {
    let is_link = |byte: &&u8| matches!(**byte, ENQ | ACK | NAK | EOT | b'\r' | b'\n');
    let lead = start.iter().take_while(is_link).count();
    if lead > MAX_LEAD {
        return Probe::No;
    }
    match start.get(lead..).unwrap_or_default() {
        [] => Probe::Unsure,
        [STX] | [STX, b'0'..=b'7'] => Probe::Unsure,
        [STX, b'0'..=b'7', text @ ..] => match header(text) {
            Probe::No => frame(text, start.get(lead.saturating_add(1)..).unwrap_or_default()),
            other => other,
        },
        [STX, text @ ..] | text => header(text),
    }
}

/// Whether a header record begins here: H and the delimiters that it defines, up to the next.
pub(super) fn header(text: &[u8]) -> Probe {
    let delimiter = match text {
        [] | [b'H'] => return Probe::Unsure,
        [b'H', delimiter, ..] if delimiter.is_ascii_punctuation() => *delimiter,
        _ => return Probe::No,
    };
    // Repeat, component and escape; some senders escape the escape, some allow a fourth.
    let defined = text.get(2..).unwrap_or_default();
    let ends = |byte: &u8| !byte.is_ascii_punctuation() || *byte == delimiter;
    match defined.iter().take(6).position(ends) {
        None if defined.len() < 6 => Probe::Unsure,
        Some(count @ 3..=5) => match defined.get(count) {
            Some(&end) if end == delimiter || end == b'\r' => Probe::Yes,
            _ => Probe::No,
        },
        _ => Probe::No,
    }
}

/// Whether a frame amid a session is whole, of a record of its own, and has the right checksum.
/// `frame` is the same from its number on.
fn frame(text: &[u8], frame: &[u8]) -> Probe {
    match text {
        [b'P' | b'O' | b'R' | b'C' | b'Q' | b'L' | b'M' | b'S'] => return Probe::Unsure,
        [b'P' | b'O' | b'R' | b'C' | b'Q' | b'L' | b'M' | b'S', delimiter, ..]
            if delimiter.is_ascii_punctuation() => {}
        _ => return Probe::No,
    }
    let Some(end) = frame.iter().position(|byte| matches!(*byte, ETB | ETX)) else {
        return if frame.len() > MAX_FRAME { Probe::No } else { Probe::Unsure };
    };
    let (summed, rest) = frame.split_at(end.saturating_add(1).min(frame.len()));
    let sum = summed.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    match rest {
        [high, low, ..] => {
            let right =
                checksum_digit(*high) == Some(sum >> 4) && checksum_digit(*low) == Some(sum & 0x0f);
            if right { Probe::Yes } else { Probe::No }
        }
        _ => Probe::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_recognised_framed_wrapped_and_bare() {
        for start in [
            &b"\x05\x021H|\\^&|"[..],
            b"\x05\x05\x05\x021H|\\^&|",
            b"\x06\x06\x05\x021H|\\^&\r",
            b"\x02H|\\^&|",
            b"H|\\^&|",
            b"H|@^\\|",
            b"\x021H|\\\\^&|",
            b"H!~^&!",
        ] {
            assert_eq!(probe(start), Probe::Yes, "{start:?}");
            for cut in 0..start.len() {
                assert_eq!(probe(&start[..cut]), Probe::Unsure, "{start:?} {cut}");
            }
        }
    }

    #[test]
    fn link_characters_alone_leave_it_open_and_many_end_it() {
        assert_eq!(probe(b"\x05"), Probe::Unsure);
        assert_eq!(probe(&[ACK; 60]), Probe::Unsure);
        assert_eq!(probe(&[ACK; 65]), Probe::No);
    }

    #[test]
    fn a_right_checksum_amid_a_session_is_enough_and_a_wrong_one_is_not() {
        assert_eq!(probe(b"\x022P|1\r\x033F\r\n"), Probe::Yes);
        assert_eq!(probe(b"\x022P|1\r\x033f\r\n"), Probe::Yes);
        assert_eq!(probe(b"\x022P|1\r\x0340\r\n"), Probe::No);
        assert_eq!(probe(b"\x022P|1\r"), Probe::Unsure);
    }

    #[test]
    fn other_protocols_are_not_taken() {
        let others: &[&[u8]] = &[
            b"\x05\x01\0",
            b"\x05\x02\0\x02",
            b"\x05\0\x0b\x03",
            b"HTTP/1.1 200 OK",
            b"HELO there",
            b"H||||||||",
            b"\x024/10/29 13:08 ID# 1",
            b"\x02\x1emtrsl|\x1epi|",
            b"\x0bMSH|^~\\&|",
            b"\x04\0\0\0",
        ];
        for other in others {
            assert_eq!(probe(other), Probe::No, "{other:?}");
        }
    }
}
