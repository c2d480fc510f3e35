//! XML in pieces: elements and texts as they come, in memory that does not grow with the document.
//!
//! Nothing is ever expanded: a document type declaration ends the reading, because SOAP forbids it
//! (SOAP 1.2 part 1, section 5) and bombs and file thefts begin with it. Names are local, without
//! prefix. Lenient on everything else. Deliberately absent: namespaces, validation, encodings other
//! than UTF-8.

use std::borrow::Cow;

/// Deepest nesting that is followed.
const MAX_DEPTH: u32 = 256;

/// Most bytes of a tag, and of a text, that are kept.
const MAX_HELD: usize = 4 * 1024;

/// What ends the reading of a document that declares its type.
pub(crate) const DOCTYPE: &str = "document type declaration";

/// The same, where entities are declared with it.
pub(crate) const ENTITY: &str = "document type declaration with entities";

/// What a document is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// An element begins; the depth counts it.
    Open(Tag<'a>),
    /// Text within the element at this depth, up to the next tag; entities not undone.
    Text(&'a [u8]),
    /// The element at this depth ends.
    Close,
}

/// What stands between the angle brackets of an element's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a>(&'a [u8]);

impl<'a> Tag<'a> {
    /// Name without prefix.
    pub(crate) fn name(self) -> &'a [u8] {
        let end = self.0.iter().position(|b| b.is_ascii_whitespace() || *b == b'/');
        local(self.0.get(..end.unwrap_or(self.0.len())).unwrap_or_default())
    }

    /// Value of the attribute of this name without prefix.
    pub(crate) fn attribute(self, name: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.0;
        for _ in 0..64 {
            let equals = rest.iter().position(|b| *b == b'=')?;
            let (before, after) = rest.split_at(equals);
            let word = before.trim_ascii_end();
            let start = word.iter().rposition(u8::is_ascii_whitespace)?;
            let found = local(word.get(start.saturating_add(1)..).unwrap_or_default());
            let after = after.get(1..).unwrap_or_default().trim_ascii_start();
            let (quote, value) = after.split_first()?;
            let end = value.iter().position(|b| b == quote)?;
            let (value, tail) = value.split_at(end);
            if found == name {
                return Some(value);
            }
            rest = tail.get(1..).unwrap_or_default();
            // An attribute's name is looked for behind white space: give it some to find.
            if !rest.first().is_some_and(u8::is_ascii_whitespace) {
                return None;
            }
        }
        None
    }
}

/// A qualified name without its prefix.
pub(crate) fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|b| *b == b':').next().unwrap_or_default()
}

/// A text with the five entities of XML itself undone, and spaces around it dropped.
pub(crate) fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    const ENTITIES: [(&[u8], u8); 5] =
        [(b"amp;", b'&'), (b"lt;", b'<'), (b"gt;", b'>'), (b"quot;", b'"'), (b"apos;", b'\'')];
    let text = text.trim_ascii();
    if !text.contains(&b'&') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let known = ENTITIES.iter().find(|(name, _)| first == b'&' && tail.starts_with(name));
        match known {
            Some((name, byte)) => {
                out.push(*byte);
                rest = tail.get(name.len()..).unwrap_or_default();
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    Cow::Owned(out)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Text,
    /// In a tag, within these quotes, or outside of any.
    Tag(Option<u8>),
    /// In `<?...?>`.
    Instruction,
    /// In `<!--...-->`.
    Comment,
    /// In `<![CDATA[...]]>`.
    Data,
    /// In a document type declaration.
    Doctype,
}

/// Reads a document however it is cut.
#[derive(Debug)]
pub(crate) struct Scanner {
    at: At,
    held: Vec<u8>,
    /// The last two bytes of what is passed over, to see its end.
    last: [u8; 2],
    depth: u32,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { at: At::Text, held: Vec::new(), last: [0; 2], depth: 0 }
    }
}

impl Scanner {
    /// Reads the next bytes. `take` is given each event and its depth, 1 for the outermost element.
    ///
    /// # Errors
    /// What makes it not worth reading on.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(u32, Event<'_>),
    ) -> Result<(), &'static str> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.at {
                At::Text => {
                    let end = bytes.iter().position(|b| *b == b'<');
                    let (text, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    self.hold(text);
                    let Some((_, rest)) = rest.split_first() else { return Ok(()) };
                    if self.held.iter().any(|b| !b.is_ascii_whitespace()) && self.depth > 0 {
                        take(self.depth, Event::Text(&self.held));
                    }
                    self.held.clear();
                    self.at = At::Tag(None);
                    bytes = rest;
                    continue;
                }
                At::Tag(None) if byte == b'>' => {
                    self.at = At::Text;
                    self.tag(&mut take)?;
                    self.held.clear();
                }
                At::Tag(None) => {
                    self.hold(&[byte]);
                    let quoted = matches!(byte, b'"' | b'\'').then_some(byte);
                    self.at = match &self.held[..] {
                        b"?" => At::Instruction,
                        b"!--" => At::Comment,
                        b"![CDATA[" => At::Data,
                        b"!DOCTYPE" => At::Doctype,
                        _ => At::Tag(quoted),
                    };
                    if !matches!(self.at, At::Tag(_)) {
                        self.last = [0; 2];
                        self.held.clear();
                    }
                }
                At::Tag(Some(quote)) => {
                    self.hold(&[byte]);
                    if byte == quote {
                        self.at = At::Tag(None);
                    }
                }
                At::Instruction | At::Comment => {
                    let ends = match self.at {
                        At::Instruction => self.last[1] == b'?',
                        _ => self.last == *b"--",
                    };
                    if byte == b'>' && ends {
                        self.at = At::Text;
                    }
                    self.last = [self.last[1], byte];
                }
                At::Data => {
                    self.hold(&[byte]);
                    if byte == b'>' && self.last == *b"]]" {
                        self.at = At::Text;
                        let length = self.held.len().saturating_sub(3);
                        take(self.depth, Event::Text(self.held.get(..length).unwrap_or_default()));
                        self.held.clear();
                    }
                    self.last = [self.last[1], byte];
                }
                At::Doctype => {
                    self.hold(&[byte]);
                    if self.held.ends_with(b"<!ENTITY") {
                        return Err(ENTITY);
                    }
                    if byte == b'>' || self.held.len() >= MAX_HELD {
                        return Err(DOCTYPE);
                    }
                }
            }
            bytes = rest;
        }
        Ok(())
    }

    fn tag(&mut self, take: &mut impl FnMut(u32, Event<'_>)) -> Result<(), &'static str> {
        if self.held.first() == Some(&b'/') {
            take(self.depth, Event::Close);
            self.depth =
                self.depth.checked_sub(1).ok_or("element that ends without a beginning")?;
            return Ok(());
        }
        if self.depth >= MAX_DEPTH {
            return Err("elements nested deeper than 256");
        }
        self.depth = self.depth.saturating_add(1);
        take(self.depth, Event::Open(Tag(&self.held)));
        // A tag longer than what is kept has lost its end; that it closes itself cannot be told.
        if self.held.last() == Some(&b'/') {
            take(self.depth, Event::Close);
            self.depth = self.depth.saturating_sub(1);
        }
        Ok(())
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = MAX_HELD.saturating_sub(self.held.len());
        self.held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(pieces: &[&[u8]]) -> (Vec<String>, Result<(), &'static str>) {
        let (mut scanner, mut seen) = (Scanner::default(), Vec::new());
        for piece in pieces {
            let result = scanner.feed(piece, |depth, event| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(&plain(bytes)).into_owned();
                seen.push(match event {
                    Event::Open(tag) => format!("{depth}<{}", text(tag.name())),
                    Event::Text(bytes) => format!("{depth} {}", text(bytes)),
                    Event::Close => format!("{depth}>"),
                });
            });
            if result.is_err() {
                return (seen, result);
            }
        }
        (seen, Ok(()))
    }

    #[test]
    fn elements_texts_and_data_are_told_apart() {
        let text = b"<?xml version='1.0'?><!-- <a> --><s:E a='>'><b x=\"1\"/> t&amp;u <![CDATA[<c>]]></s:E>";
        let (seen, result) = events(&[text]);
        assert_eq!(seen, ["1<E", "2<b", "2>", "1 t&u", "1 <c>", "1>"]);
        assert!(result.is_ok());
    }

    #[test]
    fn attributes_are_found_by_local_name() {
        let tag = Tag(b"pm:State xsi:type=\"pm:PatientContextState\"\n a = '=b=' last='x'/");
        assert_eq!(tag.attribute(b"type"), Some(&b"pm:PatientContextState"[..]));
        assert_eq!(tag.attribute(b"a"), Some(&b"=b="[..]));
        assert_eq!(tag.attribute(b"last"), Some(&b"x"[..]));
        assert_eq!(tag.attribute(b"none"), None);
    }

    #[test]
    fn a_type_declaration_ends_the_reading() {
        let bomb =
            b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'cc'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        assert_eq!(events(&[bomb]).1, Err(ENTITY));
        assert_eq!(events(&[b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"]).1, Err(DOCTYPE));
        let endless = [b"<!DOCTYPE ".to_vec(), vec![b'x'; 9000]].concat();
        assert_eq!(events(&[&endless]).1, Err(DOCTYPE));
    }

    #[test]
    fn endless_nesting_is_given_up() {
        assert!(events(&[&b"<a>".repeat(500)]).1.is_err());
        assert!(events(&[b"</a>"]).1.is_err());
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            parts in proptest::collection::vec(prop_oneof![
                Just("<a>"), Just("</a>"), Just("<b x='>'/>"), Just("t&lt;"), Just("<!--"), Just("-->"),
                Just("<![CDATA["), Just("]]>"), Just("<?x?>"), Just("<!DOCTYPE"), Just(">"), Just("\""),
            ], 0..20),
            cut in 0_usize..90,
        ) {
            let text = parts.concat();
            let whole = events(&[text.as_bytes()]);
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            prop_assert_eq!(events(&[head, tail]), whole);
        }
    }
}
