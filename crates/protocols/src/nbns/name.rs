//! NetBIOS names: sixteen bytes, each half a letter from A to P (RFC 1001, 14.1).

/// Where the first name of a message begins: behind the header.
const FIRST: usize = 12;

/// Whether the bytes behind a header are an encoded name of 32 letters.
pub(super) fn is_encoded(message: &[u8]) -> bool {
    message.get(FIRST) == Some(&32)
        && message
            .get(FIRST.saturating_add(1)..FIRST.saturating_add(33))
            .is_some_and(|letters| letters.iter().all(|byte| matches!(byte, b'A'..=b'P')))
}

/// The fifteen bytes of an encoded name without their padding, and the sixteenth.
pub(super) fn decode(letters: &[u8]) -> Option<(Vec<u8>, u8)> {
    let mut bytes = Vec::with_capacity(16);
    for pair in letters.chunks_exact(2) {
        let &[high, low] = pair else { return None };
        let (high, low) = (half(high)?, half(low)?);
        bytes.push(high << 4 | low);
    }
    let (suffix, text) = bytes.split_last()?;
    Some((trim(text), *suffix))
}

/// Without the blanks or zeros at the end.
pub(super) fn trim(text: &[u8]) -> Vec<u8> {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | 0));
    text.get(..end.map_or(0, |last| last.saturating_add(1))).unwrap_or_default().to_vec()
}

fn half(letter: u8) -> Option<u8> {
    matches!(letter, b'A'..=b'P').then(|| letter.wrapping_sub(b'A'))
}
