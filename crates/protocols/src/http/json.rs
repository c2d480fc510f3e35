//! JSON in pieces: what a document is made of, one token after the other, in memory that does not
//! grow with it.
//!
//! Lenient, because what a server would refuse is still read for what it says. Deliberately absent:
//! values of more than [`MAX_TEXT`] bytes (their start is given), and documents as a whole.

/// Deepest nesting that is followed.
const MAX_DEPTH: u32 = 120;

/// Most bytes of a text or number that are given.
const MAX_TEXT: usize = 1024;

/// What a document is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An object begins.
    Object,
    /// An array begins.
    Array,
    /// The innermost of them ends.
    Close,
    /// A name within an object.
    Key(&'a [u8]),
    /// A string.
    Text(&'a [u8]),
    /// A number, true, false or null.
    Bare(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Between,
    Text,
    Escape,
    /// In the four digits behind `\u`: how many are to come, and their value so far.
    Unicode(u8, u32),
    Bare,
}

/// Reads a document however it is cut.
#[derive(Debug)]
pub(super) struct Scanner {
    at: At,
    /// One bit for each open object or array, the innermost lowest: 1 for an object.
    open: u128,
    depth: u32,
    key_next: bool,
    held: Vec<u8>,
}

impl Scanner {
    /// Before the first byte.
    pub(super) const fn new() -> Self {
        Self { at: At::Between, open: 0, depth: 0, key_next: false, held: Vec::new() }
    }

    /// Reads the next bytes. `take` is given each token with the number of objects and arrays that
    /// are open, an opening one counted and a closing one not.
    ///
    /// # Errors
    /// What makes it not worth reading on.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(u32, Token<'_>),
    ) -> Result<(), &'static str> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.at {
                At::Text => {
                    let end = bytes.iter().position(|b| matches!(b, b'"' | b'\\'));
                    let (plain, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    self.hold(plain);
                    let Some((&mark, rest)) = rest.split_first() else { return Ok(()) };
                    bytes = rest;
                    if mark == b'\\' {
                        self.at = At::Escape;
                        continue;
                    }
                    self.at = At::Between;
                    let key = std::mem::take(&mut self.key_next);
                    take(
                        self.depth,
                        if key { Token::Key(&self.held) } else { Token::Text(&self.held) },
                    );
                }
                At::Escape => {
                    bytes = rest;
                    self.at = At::Text;
                    match byte {
                        b'u' => self.at = At::Unicode(4, 0),
                        b'n' => self.hold(b"\n"),
                        b't' => self.hold(b"\t"),
                        b'r' | b'b' | b'f' => self.hold(b" "),
                        other => self.hold(&[other]),
                    }
                }
                At::Unicode(left, value) => {
                    bytes = rest;
                    let digit = (byte as char).to_digit(16).ok_or("escape in JSON")?;
                    let value = value.wrapping_shl(4) | digit;
                    self.at = match left.saturating_sub(1) {
                        0 => {
                            let mut text = [0; 4];
                            let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                            self.hold(c.encode_utf8(&mut text).as_bytes());
                            At::Text
                        }
                        left => At::Unicode(left, value),
                    };
                }
                At::Bare => {
                    if matches!(byte, b',' | b']' | b'}' | b':' | b'"' | b'[' | b'{')
                        || byte.is_ascii_whitespace()
                    {
                        self.at = At::Between;
                        take(self.depth, Token::Bare(&self.held));
                    } else {
                        self.hold(&[byte]);
                        bytes = rest;
                    }
                }
                At::Between => {
                    bytes = rest;
                    self.between(byte, &mut take)?;
                }
            }
        }
        Ok(())
    }

    fn between(
        &mut self,
        byte: u8,
        take: &mut impl FnMut(u32, Token<'_>),
    ) -> Result<(), &'static str> {
        match byte {
            b'{' | b'[' => {
                if self.depth >= MAX_DEPTH {
                    return Err("JSON nested deeper than 120");
                }
                let object = byte == b'{';
                self.open = self.open.wrapping_shl(1) | u128::from(object);
                self.depth = self.depth.saturating_add(1);
                self.key_next = object;
                take(self.depth, if object { Token::Object } else { Token::Array });
            }
            b'}' | b']' => {
                let depth = self.depth.checked_sub(1).ok_or("JSON closed more than opened")?;
                self.depth = depth;
                self.open >>= 1;
                self.key_next = false;
                take(depth, Token::Close);
            }
            b',' => self.key_next = self.open & 1 == 1,
            b':' => self.key_next = false,
            b'"' => {
                self.held.clear();
                self.at = At::Text;
            }
            // A byte order mark, and what separates records (RFC 7464).
            0xef | 0xbb | 0xbf | 0x1e => {}
            byte if byte.is_ascii_whitespace() => {}
            byte => {
                self.held.clear();
                self.held.push(byte);
                self.at = At::Bare;
            }
        }
        Ok(())
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = MAX_TEXT.saturating_sub(self.held.len());
        self.held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

/// A number without sign and fraction.
pub(super) fn number(bare: &[u8]) -> Option<u64> {
    std::str::from_utf8(bare).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(pieces: &[&[u8]]) -> (Vec<String>, Result<(), &'static str>) {
        let (mut scanner, mut seen) = (Scanner::new(), Vec::new());
        for piece in pieces {
            let result = scanner.feed(piece, |depth, token| {
                seen.push(match token {
                    Token::Object => format!("{depth}{{"),
                    Token::Array => format!("{depth}["),
                    Token::Close => format!("{depth}}}"),
                    Token::Key(text) => format!("{depth}k{}", String::from_utf8_lossy(text)),
                    Token::Text(text) => format!("{depth}t{}", String::from_utf8_lossy(text)),
                    Token::Bare(text) => format!("{depth}b{}", String::from_utf8_lossy(text)),
                });
            });
            if result.is_err() {
                return (seen, result);
            }
        }
        (seen, Ok(()))
    }

    #[test]
    fn keys_and_texts_are_told_apart_and_escapes_undone() {
        let (seen, _) = tokens(&[br#"{"a\/b": ["x","\u0041\"", -1.5e3, null], "c": {}}"#]);
        assert_eq!(
            seen,
            [
                "1{", "1ka/b", "2[", "2tx", "2tA\"", "2b-1.5e3", "2bnull", "1}", "1kc", "2{", "1}",
                "0}"
            ]
        );
    }

    #[test]
    fn endless_nesting_and_stray_ends_are_given_up() {
        assert!(tokens(&[&b"[".repeat(500)]).1.is_err());
        assert!(tokens(&[b"[]]"]).1.is_err());
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(text in r#"[\[\]{}":,a\\u01 -]{0,80}"#, cut in 0_usize..80) {
            let whole = tokens(&[text.as_bytes()]);
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            prop_assert_eq!(tokens(&[head, tail]), whole);
        }
    }
}
