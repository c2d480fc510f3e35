//! E1394 records: puts messages together from H to L, keeping counts and names of tests.
//!
//! Results, comments and what else names a patient is never kept, nor is the password in H-4.

use model::emit::Emit;
use model::emit::Probe;
use model::flow::Direction;
use model::observation::Value;
use model::privacy::Token;

use super::probe::header;

/// Most bytes of a record that are held: images and histograms get longer, and are only counted.
const MAX_RECORD: usize = 8 << 10;
/// Most bytes of a header field that are kept.
const MAX_FIELD: usize = 256;
/// Most bytes of a test's name or of a code that are kept.
const MAX_NAME: usize = 64;
/// Most tests that are named.
const MAX_TESTS: usize = 32;

/// A message up to where it was read.
#[derive(Debug)]
struct Message {
    field: u8,
    component: u8,
    /// H-5, H-10, H-12 and H-13.
    header: [Box<[u8]>; 4],
    records: u64,
    patients: u64,
    orders: u64,
    results: u64,
    queries: u64,
    tests: Vec<Box<[u8]>>,
    patient: Option<Token>,
    termination: Box<[u8]>,
    bytes: u64,
    framed: bool,
}

/// The records of one direction.
#[derive(Debug)]
pub(super) struct Records {
    dir: Direction,
    record: Vec<u8>,
    length: u64,
    framed: bool,
    message: Option<Message>,
}

impl Records {
    /// Before the first record of direction `dir`.
    pub(super) const fn new(dir: Direction) -> Self {
        Self { dir, record: Vec::new(), length: 0, framed: false, message: None }
    }

    /// Whether what comes is in frames with checksums.
    pub(super) fn framed(&mut self, framed: bool) {
        self.framed = framed;
    }

    /// Takes a byte of a record.
    pub(super) fn push(&mut self, byte: u8) {
        self.length = self.length.saturating_add(1);
        if self.record.len() < MAX_RECORD {
            self.record.push(byte);
        }
    }

    /// Forgets the record under way.
    pub(super) fn tear(&mut self) {
        self.record.clear();
        self.length = 0;
    }

    /// The record is over. Says what is odd.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) -> Option<&'static str> {
        let mut record = std::mem::take(&mut self.record);
        let length = std::mem::take(&mut self.length);
        let framed = std::mem::take(&mut self.framed);
        let odd = self.record(&record, length, framed, out);
        record.clear();
        self.record = record;
        odd
    }

    fn record(
        &mut self,
        record: &[u8],
        length: u64,
        framed: bool,
        out: &mut Emit<'_>,
    ) -> Option<&'static str> {
        // A header that ends right after its delimiters is one too.
        if header(record) == Probe::Yes || header(&[record, b"\r"].concat()) == Probe::Yes {
            let unended = self.message.is_some();
            self.finish(out);
            self.message = Some(Message::begin(record, length, framed));
            return unended.then_some("message without a terminator record");
        }
        let message = self.message.as_mut()?;
        if message.record(record, length, out) {
            self.finish(out);
        }
        None
    }

    /// Says the message under way, whole or not.
    pub(super) fn finish(&mut self, out: &mut Emit<'_>) {
        if let Some(message) = self.message.take() {
            message.emit(self.dir, out);
        }
    }
}

impl Message {
    fn begin(record: &[u8], length: u64, framed: bool) -> Self {
        let field = record.get(1).copied().unwrap_or(b'|');
        let fields: Vec<&[u8]> = record.split(|&byte| byte == field).take(13).collect();
        let at = |number: usize| fields.get(number.saturating_sub(1)).copied().unwrap_or_default();
        // Repeat, component, escape: in an order that devices mix up, but the caret is always it.
        let delimiters = at(2);
        let component = if delimiters.contains(&b'^') { Some(&b'^') } else { delimiters.get(1) };
        Self {
            field,
            component: component.copied().unwrap_or(b'^'),
            header: [5, 10, 12, 13].map(|number| cut(at(number), MAX_FIELD)),
            records: 1,
            patients: 0,
            orders: 0,
            results: 0,
            queries: 0,
            tests: Vec::new(),
            patient: None,
            termination: Box::default(),
            bytes: length,
            framed,
        }
    }

    /// Takes a record; true where it ends the message.
    fn record(&mut self, record: &[u8], length: u64, out: &Emit<'_>) -> bool {
        let mut fields = record.split(|&byte| byte == self.field);
        let &[kind] = fields.next().unwrap_or_default() else { return false };
        if !kind.is_ascii_alphabetic() {
            return false;
        }
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(length);
        // The sequence number stands second in all of them.
        let mut fields = fields.skip(1);
        let count = match kind.to_ascii_uppercase() {
            b'P' => {
                let component = self.component;
                let id = |field| first(field, component);
                if self.patient.is_none() {
                    let id = fields.take(3).find_map(id);
                    self.patient = id.map(|id| out.token("patient", id));
                }
                &mut self.patients
            }
            b'O' => &mut self.orders,
            b'Q' => &mut self.queries,
            b'R' => {
                let test = fields.next().and_then(|field| first(field, self.component));
                self.test(test.unwrap_or_default());
                &mut self.results
            }
            b'L' => {
                self.termination = cut(fields.next().unwrap_or_default(), MAX_NAME);
                return true;
            }
            _ => return false,
        };
        *count = count.saturating_add(1);
        false
    }

    fn test(&mut self, test: &[u8]) {
        let test = cut(test, MAX_NAME);
        if !test.is_empty() && self.tests.len() < MAX_TESTS && !self.tests.contains(&test) {
            self.tests.push(test);
        }
    }

    fn emit(self, dir: Direction, out: &mut Emit<'_>) {
        let [sender, receiver, processing, version] = &self.header;
        out.observe(&super::MESSAGE, dir)
            .text("sender", sender)
            .text("receiver", receiver)
            .text("processing_id", processing)
            .text("version", version)
            .uint("records", self.records)
            .uint("patients", self.patients)
            .uint("orders", self.orders)
            .uint("results", self.results)
            .uint("queries", self.queries)
            .texts("tests", self.tests.iter().map(AsRef::as_ref), MAX_TESTS)
            .value("patient", self.patient.map(Value::Token))
            .text("termination", &self.termination)
            .uint("bytes", self.bytes)
            .flag("framed", self.framed)
            .emit();
    }
}

/// The first component that is not empty: of an identifier the number, of a test its code, be that
/// universal or the manufacturer's.
fn first(field: &[u8], component: u8) -> Option<&[u8]> {
    field.split(|&byte| byte == component).map(<[u8]>::trim_ascii).find(|part| !part.is_empty())
}

fn cut(value: &[u8], most: usize) -> Box<[u8]> {
    let value = value.trim_ascii();
    value.get(..most).unwrap_or(value).into()
}
