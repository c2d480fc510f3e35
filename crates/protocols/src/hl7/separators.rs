//! Separators, which every header segment defines anew (HL7 2.5.1 chapter 2.5.4), and by which a
//! flow is recognised.

use model::emit::Probe;

/// Most encoding characters: `^~\&`, since 2.7 also `#`, and one for senders that escape a
/// character too many.
const MAX_ENCODING: usize = 6;
/// Most line ends and block starts before the first header.
const MAX_LEAD: usize = 16;
/// UTF-8's byte order mark, which some senders put before the header.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Characters that separate the parts of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Separators {
    /// Between fields.
    pub(super) field: u8,
    /// Between components.
    pub(super) component: u8,
    /// Between repetitions.
    pub(super) repetition: u8,
}

impl Separators {
    /// As a header segment defines them (MSH, FHS or BHS); the recommended ones where it does not.
    pub(super) fn of(header: &[u8]) -> Self {
        let field = header.get(3).copied().unwrap_or(b'|');
        let encoding = header.get(4..).unwrap_or_default().iter().copied();
        let mut encoding = encoding.take_while(|&byte| byte != field);
        let mut next = |default| encoding.next().unwrap_or(default);
        Self { field, component: next(b'^'), repetition: next(b'~') }
    }
}

/// Whether a segment defines separators.
pub(super) fn is_header(segment: &[u8]) -> bool {
    is_name(segment.get(..3).unwrap_or_default())
        && segment.get(3).is_some_and(u8::is_ascii_punctuation)
}

/// A segment without the byte order mark that may stand before it.
pub(super) fn unmarked(segment: &[u8]) -> &[u8] {
    segment.strip_prefix(MARK).unwrap_or(segment)
}

fn is_name(name: &[u8]) -> bool {
    matches!(name, b"MSH" | b"FHS" | b"BHS")
}

/// Whether a direction carries HL7, from its start: a header segment, alone or in a block.
pub(super) fn probe(start: &[u8]) -> Probe {
    let lead = start.iter().take_while(|byte| matches!(byte, b'\x0b' | b'\r' | b'\n')).count();
    if lead > MAX_LEAD {
        return Probe::No;
    }
    let (lead, header) = start.split_at(lead);
    if header.len() < MARK.len() && MARK.starts_with(header) {
        return Probe::Unsure;
    }
    let header = unmarked(header);
    let Some(name) = header.get(..3) else {
        let may_be = |name: &[u8]| name.starts_with(header);
        let any = [b"MSH", b"FHS", b"BHS"].iter().any(|name| may_be(*name));
        return if any { Probe::Unsure } else { Probe::No };
    };
    if !is_name(name) {
        return Probe::No;
    }
    let Some((field, encoding)) = header.get(3..).and_then(<[u8]>::split_first) else {
        return Probe::Unsure;
    };
    if !field.is_ascii_punctuation() {
        return Probe::No;
    }
    let length = encoding
        .iter()
        .take(MAX_ENCODING.saturating_add(1))
        .take_while(|byte| byte.is_ascii_punctuation() && *byte != field)
        .count();
    // Without a block around it, the header has to show more of itself.
    let least = if lead.contains(&0x0b) { 1 } else { 3 };
    match encoding.get(length) {
        None => Probe::Unsure,
        Some(end) if end == field && (least..=MAX_ENCODING).contains(&length) => Probe::Yes,
        Some(_) => Probe::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_recognised_in_and_out_of_blocks() {
        for start in [
            &b"\x0bMSH|^~\\&|"[..],
            b"MSH|^~\\&|",
            b"\x0bMSH$%~\\&$",
            b"\x0bFHS|^~\\&|",
            b"\r\n\x0bMSH|^~\\&#|",
            b"BHS|^~\\&|",
            b"\x0b\xef\xbb\xbfMSH|^~\\&|",
        ] {
            assert_eq!(probe(start), Probe::Yes, "{start:?}");
            for cut in 0..start.len() {
                assert_eq!(probe(&start[..cut]), Probe::Unsure, "{start:?} {cut}");
            }
        }
    }

    #[test]
    fn other_text_is_not_taken() {
        for start in [
            &b"\x0bHELLO"[..],
            b"MSHX^~\\&|",
            b"MSH||",
            b"MSH|^|",
            b"MSH|^~\\& |",
            b"\x0bMSH|########|",
            b"GET / HTTP/1.1\r\n",
            b"\x05",
            b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
        ] {
            assert_eq!(probe(start), Probe::No, "{start:?}");
        }
    }

    #[test]
    fn separators_are_the_senders_own() {
        let own = Separators { field: b'$', component: b'%', repetition: b'@' };
        assert_eq!(Separators::of(b"MSH$%@\\&$X"), own);
        let default = Separators { field: b'|', component: b'^', repetition: b'~' };
        assert_eq!(Separators::of(b"MSH||X"), default);
    }
}
