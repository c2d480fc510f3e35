//! JSON of results (PS3.18 annex F): how many there are and whose, and what became of a store.

use model::emit::Emit;

use super::Patients;
use crate::http::json::{Scanner, Token};

/// What a body of JSON holds.
#[derive(Debug, Default)]
pub(in crate::http) struct Datasets {
    /// Data sets in the array.
    pub(in crate::http) results: u64,
    /// Items of the Failed SOP Sequence and of the Referenced SOP Sequence.
    pub(in crate::http) failed: u64,
    pub(in crate::http) stored: u64,
    pub(in crate::http) patients: Patients,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    PatientId,
    Failed,
    Stored,
    Other,
}

/// Reads such a body.
#[derive(Debug)]
pub(in crate::http) struct Reader {
    scanner: Scanner,
    /// Depth of the data sets: 2 in an array, 1 alone.
    datasets: u32,
    key: Key,
    found: Datasets,
}

impl Reader {
    pub(in crate::http) fn new() -> Self {
        Self { scanner: Scanner::new(), datasets: 1, key: Key::Other, found: Datasets::default() }
    }

    /// Takes the next bytes; whether more are wanted.
    pub(in crate::http) fn feed(
        &mut self,
        bytes: &[u8],
        out: &Emit<'_>,
    ) -> Result<(), &'static str> {
        let Self { scanner, datasets, key, found } = self;
        scanner.feed(bytes, |depth, token| match token {
            Token::Array if depth == 1 => *datasets = 2,
            Token::Object if depth == *datasets => {
                found.results = found.results.saturating_add(1);
            }
            Token::Key(tag) if depth == *datasets => {
                *key = match tag {
                    b"00100020" => Key::PatientId,
                    b"00081198" => Key::Failed,
                    b"00081199" => Key::Stored,
                    _ => Key::Other,
                };
            }
            // Data set, attribute, values, item.
            Token::Object if depth == datasets.saturating_add(3) => match key {
                Key::Failed => found.failed = found.failed.saturating_add(1),
                Key::Stored => found.stored = found.stored.saturating_add(1),
                Key::PatientId | Key::Other => {}
            },
            Token::Text(id)
                if *key == Key::PatientId
                    && depth == datasets.saturating_add(2)
                    && !id.trim_ascii().is_empty() =>
            {
                found.patients.add(super::patient(id, out));
            }
            _ => {}
        })
    }

    pub(in crate::http) fn end(self) -> Datasets {
        self.found
    }
}
