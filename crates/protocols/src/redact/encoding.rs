//! Percent-encoding of URLs (RFC 3986, section 2.1).

use std::borrow::Cow;

/// Decodes `%XX` once. What is no valid escape stays as it is.
pub(crate) fn percent_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, after @ ..]) => byte(*high, *low).map(|byte| (byte, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((first, tail));
        out.push(byte);
        rest = after;
    }
    Cow::Owned(out)
}

/// The byte that two hexadecimal digits spell.
fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some((digit(high)? << 4) | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_escape_stays() {
        assert_eq!(&*percent_decode(b"a%2fb%zz%4"), b"a/b%zz%4");
        assert_eq!(&*percent_decode(b"%252e"), b"%2e");
    }
}
