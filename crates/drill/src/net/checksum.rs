//! The Internet checksum (RFC 1071).

/// The sum of 16-bit words, not yet folded; a last odd byte counts as the high half of a word.
pub(crate) fn sum(bytes: &[u8], mut total: u32) -> u32 {
    let mut words = bytes.chunks_exact(2);
    for word in &mut words {
        total += u32::from(word[0]) << 8 | u32::from(word[1]);
    }
    if let [last] = words.remainder() {
        total += u32::from(*last) << 8;
    }
    total
}

/// Folds the carries and takes the complement.
pub(crate) fn finish(mut total: u32) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_comes_out() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(finish(sum(&bytes, 0)), !0xddf2);
        assert_eq!(finish(sum(&[0xff], 0)), !0xff00);
    }
}
