//! What a body of FHIR JSON says in passing: what a bundle holds, why a request failed, what an
//! export gave out.
//!
//! Deliberately absent: FHIR XML, and everything that a resource says of a patient.

use model::emit::Emit;
use model::privacy::Token as Keyed;

use super::links;
use crate::http::json::{Scanner, Token, number};

/// Most files of an export whose addresses are remembered.
const MAX_FILES: usize = 256;

/// Most bytes of JSON that are read of one body.
pub(in crate::http) const MAX_READ: u64 = 8 << 20;

/// What one body said.
#[derive(Debug, Default)]
pub(in crate::http) struct Summary {
    /// `resourceType`.
    pub(in crate::http) resource: Option<Box<str>>,
    /// `Bundle.type`.
    pub(in crate::http) bundle: Option<Box<str>>,
    /// `Bundle.total`.
    pub(in crate::http) total: Option<u64>,
    /// `Bundle.entry`.
    pub(in crate::http) entries: u64,
    /// `Bundle.entry.request.method`: GET and HEAD; POST, PUT and PATCH; DELETE.
    pub(in crate::http) methods: [u64; 3],
    /// `Bundle.link` of relation `next`.
    pub(in crate::http) next: Option<Keyed>,
    /// First `OperationOutcome.issue.code`.
    pub(in crate::http) issue: Option<Box<str>>,
    /// Addresses of an export's files.
    pub(in crate::http) files: Vec<Keyed>,
    /// Whether it is the manifest of an export.
    pub(in crate::http) manifest: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Key {
    ResourceType,
    Type,
    Total,
    Entry,
    Request,
    Method,
    Link,
    Relation,
    Url,
    Issue,
    Code,
    TransactionTime,
    Output,
    #[default]
    Other,
}

fn key(text: &[u8]) -> Key {
    match text {
        b"resourceType" => Key::ResourceType,
        b"type" => Key::Type,
        b"total" => Key::Total,
        b"entry" => Key::Entry,
        b"request" => Key::Request,
        b"method" => Key::Method,
        b"link" => Key::Link,
        b"relation" => Key::Relation,
        b"url" => Key::Url,
        b"issue" => Key::Issue,
        b"code" => Key::Code,
        b"transactionTime" => Key::TransactionTime,
        b"output" => Key::Output,
        _ => Key::Other,
    }
}

/// Reads such a body.
#[derive(Debug)]
pub(in crate::http) struct Reader {
    scanner: Scanner,
    state: State,
    read: u64,
}

#[derive(Debug, Default)]
struct State {
    /// Keys under way in objects at depths 1, 3 and 4: document, item, request.
    keys: [Key; 3],
    is_next: bool,
    url: Option<Keyed>,
    timed: bool,
    found: Summary,
}

impl Reader {
    pub(in crate::http) fn new() -> Self {
        Self { scanner: Scanner::new(), state: State::default(), read: 0 }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// What makes it not worth reading on.
    pub(in crate::http) fn feed(
        &mut self,
        bytes: &[u8],
        out: &Emit<'_>,
    ) -> Result<(), &'static str> {
        let room = usize::try_from(MAX_READ.saturating_sub(self.read)).unwrap_or(0);
        let bytes = bytes.get(..room).unwrap_or(bytes);
        self.read = self.read.saturating_add(bytes.len() as u64);
        let Self { scanner, state, .. } = self;
        scanner.feed(bytes, |depth, token| state.take(depth, token, out))
    }

    /// Whether more of the body would be read.
    pub(in crate::http) fn wants(&self) -> bool {
        self.read < MAX_READ
    }

    pub(in crate::http) fn end(self) -> Summary {
        let State { mut found, timed, .. } = self.state;
        found.manifest &= timed;
        found
    }
}

impl State {
    fn take(&mut self, depth: u32, token: Token<'_>, out: &Emit<'_>) {
        let [document, item, request] = &mut self.keys;
        let found = &mut self.found;
        match (depth, token) {
            (1, Token::Key(text)) => {
                *document = key(text);
                self.timed |= *document == Key::TransactionTime;
            }
            (3, Token::Key(text)) => *item = key(text),
            (4, Token::Key(text)) => *request = key(text),
            (1, Token::Text(text)) => match document {
                Key::ResourceType => found.resource = word(text),
                Key::Type => found.bundle = word(text),
                _ => {}
            },
            (1, Token::Bare(text)) if *document == Key::Total => found.total = number(text),
            (2, Token::Array) => found.manifest |= *document == Key::Output,
            (3, Token::Object) => {
                (*item, self.is_next, self.url) = (Key::Other, false, None);
                if *document == Key::Entry {
                    found.entries = found.entries.saturating_add(1);
                }
            }
            (3, Token::Text(text)) => match (*document, *item) {
                (Key::Link, Key::Relation) => self.is_next = text == b"next",
                (Key::Link | Key::Output, Key::Url) => self.url = Some(links::keyed(text, out)),
                (Key::Issue, Key::Code) if found.issue.is_none() => found.issue = word(text),
                _ => {}
            },
            (2, Token::Close) => match (*document, self.url.take()) {
                (Key::Link, Some(url)) if self.is_next => found.next = Some(url),
                (Key::Output, Some(url)) if found.files.len() < MAX_FILES => found.files.push(url),
                _ => {}
            },
            (4, Token::Text(text))
                if (*document, *item, *request) == (Key::Entry, Key::Request, Key::Method) =>
            {
                let [reads, writes, deletes] = &mut found.methods;
                let count = match text {
                    b"GET" | b"HEAD" => reads,
                    b"DELETE" => deletes,
                    _ => writes,
                };
                *count = count.saturating_add(1);
            }
            _ => {}
        }
    }
}

/// A code of FHIR's own: letters and dashes, and few of them. Anything else is no code.
fn word(text: &[u8]) -> Option<Box<str>> {
    let code = |b: &u8| b.is_ascii_alphabetic() || *b == b'-';
    let fits = (1..=40).contains(&text.len()) && text.iter().all(code);
    fits.then(|| String::from_utf8_lossy(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::privacy::SiteKey;
    use model::time::Timestamp;

    fn read(text: &str) -> Summary {
        let (key, mut seen, mut serial) = (SiteKey::new(b"k"), Vec::new(), 0);
        let out = Emit::new(&mut seen, &key, None, Timestamp::from_nanos(0), &mut serial);
        let mut reader = Reader::new();
        for piece in text.as_bytes().chunks(7) {
            reader.feed(piece, &out).unwrap();
        }
        reader.end()
    }

    #[test]
    fn a_page_of_a_search_gives_its_size_and_the_next() {
        let found = read(
            r#"{"resourceType":"Bundle","type":"searchset","total":57,"link":[{"relation":"self","url":"http://e/fhir?a=1"},{"relation":"next","url":"http://e/fhir?a=2"}],"entry":[{"resource":{"resourceType":"Patient","link":[{"type":"seealso"}],"total":3}},{"fullUrl":"x","resource":{"entry":[{}]}}]}"#,
        );
        assert_eq!((found.total, found.entries), (Some(57), 2));
        assert_eq!(found.bundle.as_deref(), Some("searchset"));
        assert!(found.next.is_some() && !found.manifest);
        assert_eq!(found.resource.as_deref(), Some("Bundle"));
    }

    #[test]
    fn entries_of_a_batch_are_counted_by_what_they_do() {
        let found = read(
            r#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/1"}},{"resource":{},"request":{"url":"Patient","method":"POST"}},{"request":{"method":"DELETE"}},{"request":{"method":"PUT"}}]}"#,
        );
        assert_eq!((found.entries, found.methods), (4, [1, 2, 1]));
    }

    #[test]
    fn an_outcome_gives_its_first_code_and_no_text() {
        let found = read(
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found","diagnostics":"no Jane Doe"},{"code":"other"}]}"#,
        );
        assert_eq!(found.issue.as_deref(), Some("not-found"));
        assert!(!format!("{found:?}").contains("Doe"));
        let free = read(r#"{"issue":[{"code":"Jane Doe 1960"}]}"#);
        assert_eq!(free.issue, None);
    }

    #[test]
    fn a_manifest_gives_its_files() {
        let text = r#"{"transactionTime":"2026-01-01T00:00:00Z","request":"http://e/$export","output":[{"type":"Patient","url":"http://e/f/1"},{"type":"Observation","url":"http://e/f/2"}],"error":[]}"#;
        let found = read(text);
        assert!(found.manifest && found.files.len() == 2);
        assert!(!read(r#"{"output":[{"url":"x"}]}"#).manifest);
    }
}
