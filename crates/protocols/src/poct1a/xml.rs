//! XML as far as messages use it: elements with attributes, one at a time, however cut.
//!
//! A tag is held up to a cap and then read; text between tags is passed over. Entities are left as
//! they are, and a document type is a tag like any other: nothing is ever expanded or fetched.

/// Most bytes of a tag that are held.
const LONGEST_TAG: usize = 1_024;

/// Where in a document a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    /// After `<`; in quotes where there are some.
    Tag(Option<u8>),
    /// In a comment; the dashes that were just read, at most two.
    Comment(u8),
    /// In character data; the brackets that were just read, at most two.
    Data(u8),
}

/// Finds tags.
#[derive(Debug)]
pub(super) struct Tags {
    place: Place,
    tag: Vec<u8>,
}

/// What a byte ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Nothing,
    /// A tag is whole.
    Tag,
    /// Text outside of tags that is not blank.
    Text,
}

impl Tags {
    pub(super) const fn new() -> Self {
        Self { place: Place::Text, tag: Vec::new() }
    }

    /// The tag that was read last, without its brackets.
    pub(super) fn tag(&self) -> &[u8] {
        &self.tag
    }

    /// Takes a byte.
    pub(super) fn read(&mut self, byte: u8) -> Read {
        match self.place {
            Place::Text if byte == b'<' => {
                self.tag.clear();
                self.place = Place::Tag(None);
            }
            Place::Text if byte.is_ascii_whitespace() || byte == 0 => {}
            Place::Text => return Read::Text,
            Place::Tag(None) if byte == b'>' => {
                self.place = Place::Text;
                return Read::Tag;
            }
            Place::Tag(quote) => {
                if self.tag.len() < LONGEST_TAG {
                    self.tag.push(byte);
                }
                self.place = match (quote, self.tag.as_slice()) {
                    (None, b"!--") => Place::Comment(0),
                    (None, b"![CDATA[") => Place::Data(0),
                    (None, _) if matches!(byte, b'"' | b'\'') => Place::Tag(Some(byte)),
                    (Some(open), _) if open == byte => Place::Tag(None),
                    _ => Place::Tag(quote),
                };
            }
            Place::Comment(dashes) => {
                self.place = match (byte, dashes) {
                    (b'>', 2) => Place::Text,
                    (b'-', _) => Place::Comment(dashes.saturating_add(1).min(2)),
                    _ => Place::Comment(0),
                };
            }
            Place::Data(brackets) => {
                self.place = match (byte, brackets) {
                    (b'>', 2) => Place::Text,
                    (b']', _) => Place::Data(brackets.saturating_add(1).min(2)),
                    _ => Place::Data(0),
                };
            }
        }
        Read::Nothing
    }
}

/// A tag, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// `<NAME ...>`, or `<NAME .../>` where it is empty.
    Begin { name: &'a [u8], attributes: &'a [u8], empty: bool },
    /// `</NAME>`.
    End,
    /// A declaration, an instruction, a document type.
    Other,
}

/// Takes a tag apart.
pub(super) fn tag(text: &[u8]) -> Tag<'_> {
    match text.first() {
        Some(b'/') => return Tag::End,
        Some(b'?' | b'!') | None => return Tag::Other,
        Some(_) => {}
    }
    let empty = text.ends_with(b"/");
    let text = text.strip_suffix(b"/").unwrap_or(text);
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (name, attributes) = text.split_at_checked(end).unwrap_or((text, &[]));
    Tag::Begin { name, attributes, empty }
}

/// The value of an attribute.
pub(super) fn attribute<'a>(attributes: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let mut rest = attributes.trim_ascii_start();
    while let Some(equals) = rest.iter().position(|&byte| byte == b'=') {
        let name = rest.get(..equals)?.trim_ascii();
        let value = rest.get(equals.saturating_add(1)..)?.trim_ascii_start();
        let (&quote, value) = value.split_first()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let end = value.iter().position(|&byte| byte == quote).unwrap_or(value.len());
        if name == wanted {
            return value.get(..end);
        }
        rest = value.get(end.saturating_add(1)..).unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(text: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = Tags::new();
        let mut found = Vec::new();
        for &byte in text {
            if reader.read(byte) == Read::Tag {
                found.push(reader.tag().to_vec());
            }
        }
        found
    }

    #[test]
    fn brackets_in_quotes_comments_and_data_end_nothing() {
        let text = b"<a V=\"1>2\"/><!-- <b> -- > --><![CDATA[<c>]] >]]><d>";
        assert_eq!(tags(text), [b"a V=\"1>2\"/".to_vec(), b"d".to_vec()]);
    }

    #[test]
    fn attributes_are_found_in_any_order_and_with_either_quote() {
        let attributes = b" SN='LN'  V = \"2341-6\" DN=\"x='y'\"";
        assert_eq!(attribute(attributes, b"V"), Some(&b"2341-6"[..]));
        assert_eq!(attribute(attributes, b"DN"), Some(&b"x='y'"[..]));
        assert_eq!((attribute(attributes, b"N"), attribute(b"V=1", b"V")), (None, None));
    }

    proptest! {
        #[test]
        fn noise_never_panics_and_tags_stay_small(noise: Vec<u8>) {
            for text in tags(&noise) {
                prop_assert!(text.len() <= LONGEST_TAG);
                if let Tag::Begin { attributes, .. } = tag(&text) {
                    attribute(attributes, b"V");
                }
            }
        }
    }
}
