//! The Huffman code of HPACK (RFC 7541, appendix B).
//!
//! The code is canonical: the lengths of its words say which they are.

use std::sync::LazyLock;

/// Length in bits of the word of each byte, and of the end of the string.
#[rustfmt::skip]
static LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// Longest word.
const MAX_BITS: usize = 30;

/// For each length: the first word, how many there are, and where their symbols begin.
struct Table {
    rows: [(u32, u32, u32); MAX_BITS + 1],
    symbols: Vec<u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut rows = [(0, 0, 0); MAX_BITS + 1];
    let mut symbols = Vec::with_capacity(LENGTHS.len());
    let mut first = 0_u32;
    for (bits, row) in rows.iter_mut().enumerate() {
        first = first.wrapping_shl(1);
        let begin = symbols.len();
        let of = LENGTHS.iter().zip(0_u16..).filter(|(length, _)| usize::from(**length) == bits);
        symbols.extend(of.map(|(_, symbol)| symbol));
        let count = u32::try_from(symbols.len().saturating_sub(begin)).unwrap_or(0);
        *row = (first, count, u32::try_from(begin).unwrap_or(0));
        first = first.wrapping_add(count);
    }
    Table { rows, symbols }
});

/// Decodes a string of at most `most` bytes.
///
/// # Errors
/// What is wrong with it: the end of the string within it, padding of more than seven bits or of
/// zeros, or more than `most` bytes.
pub(super) fn decode(coded: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
    let table = &*TABLE;
    let mut out = Vec::new();
    let (mut word, mut bits) = (0_u32, 0_usize);
    for byte in coded {
        for shift in (0..8).rev() {
            word = word.wrapping_shl(1) | (u32::from(*byte).wrapping_shr(shift) & 1);
            bits = bits.saturating_add(1);
            let Some(&(first, count, begin)) = table.rows.get(bits) else {
                return Err("Huffman code in HPACK");
            };
            let Some(place) = word.checked_sub(first).filter(|place| *place < count) else {
                continue;
            };
            let at = usize::try_from(begin.saturating_add(place)).unwrap_or(usize::MAX);
            let symbol = table.symbols.get(at).and_then(|symbol| u8::try_from(*symbol).ok());
            // The end of the string is no byte and must not be written out.
            let Some(symbol) = symbol else { return Err("Huffman code in HPACK") };
            if out.len() >= most {
                return Err("header longer than 64 KiB");
            }
            out.push(symbol);
            (word, bits) = (0, 0);
        }
    }
    let ones = u32::MAX.checked_shr(u32::try_from(32_usize.saturating_sub(bits)).unwrap_or(32));
    if bits > 7 || word != ones.unwrap_or(0) {
        return Err("Huffman padding in HPACK");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_standard_are_decoded() {
        // RFC 7541, appendix C.4 and C.6.
        for (coded, text) in [
            (
                &[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff][..],
                "www.example.com",
            ),
            (&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf], "no-cache"),
            (&[0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xa9, 0x7d, 0x7f], "custom-key"),
            (&[0x64, 0x02], "302"),
            (&[0xae, 0xc3, 0x77, 0x1a, 0x4b], "private"),
        ] {
            assert_eq!(decode(coded, 99).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn wrong_padding_and_an_end_within_are_refused() {
        assert!(decode(&[0xff; 4], 99).is_err());
        assert!(decode(&[0x64, 0x02, 0x00], 99).is_err());
        assert!(decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf], 3).is_err());
        assert_eq!(decode(&[], 9).unwrap(), b"");
    }
}
