//! What is kept of a message: where it came from and goes, what it is, how much is in it. Of the
//! patient and of the content only tokens, made as soon as the segment was read.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use model::privacy::Token;
use sha2::{Digest, Sha256};

use super::separators::Separators;

/// Most bytes of a header field that are kept.
const MAX_FIELD: usize = 256;
/// Most bytes of a code that are kept.
const MAX_CODE: usize = 32;

/// Acknowledgement codes (HL7 table 0008).
const ACK_CODES: [&str; 6] = ["AA", "AE", "AR", "CA", "CE", "CR"];

/// A message up to where it was read.
#[derive(Debug)]
pub(super) struct Message {
    separators: Separators,
    /// MSH-3 to MSH-6.
    parties: [Box<[u8]>; 4],
    /// MSH-9.1 to MSH-9.3, MSH-11.1 and MSH-12.1.
    codes: [Box<[u8]>; 5],
    control_id: Option<Token>,
    ack_code: Option<&'static str>,
    acked_id: Option<Token>,
    segments: u64,
    obx: u64,
    orders: u64,
    patients: u64,
    patient: Option<Token>,
    content: Sha256,
    bytes: u64,
    /// Bytes of it were lost.
    torn: bool,
    batch: bool,
}

impl Message {
    /// From its header segment.
    pub(super) fn begin(header: &[u8], batch: bool, out: &Emit<'_>) -> Self {
        let separators = Separators::of(header);
        let split = || header.split(|&byte| byte == separators.field);
        // The field separator counts as MSH-1.
        let field = |number: usize| split().nth(number.saturating_sub(1)).unwrap_or_default();
        let component = |number, which: usize| {
            field(number).split(|&byte| byte == separators.component).nth(which).unwrap_or_default()
        };
        let mut content = Sha256::new();
        for (at, field) in split().enumerate() {
            // Neither when it was sent (MSH-7) nor as which one (MSH-10).
            if at != 6 && at != 9 {
                content.update(field);
            }
            content.update([separators.field]);
        }
        content.update(b"\r");
        let code = |number, which| cut(component(number, which), MAX_CODE);
        Self {
            separators,
            parties: [3, 4, 5, 6].map(|number| cut(field(number), MAX_FIELD)),
            codes: [(9, 0), (9, 1), (9, 2), (11, 0), (12, 0)].map(|(n, which)| code(n, which)),
            control_id: token(field(10), out),
            ack_code: None,
            acked_id: None,
            segments: 1,
            obx: 0,
            orders: 0,
            patients: 0,
            patient: None,
            content,
            bytes: header.len() as u64,
            torn: false,
            batch,
        }
    }

    /// Takes a segment, or as much of it as is kept. Says what is odd with it.
    pub(super) fn segment(&mut self, segment: &[u8], out: &Emit<'_>) -> Option<&'static str> {
        let separator = self.separators.field;
        let mut fields = segment.split(|&byte| byte == separator);
        let name = fields.next().unwrap_or_default();
        // A line that is none is text with a line break in it.
        if name.len() != 3 || !name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return None;
        }
        self.segments = self.segments.saturating_add(1);
        match name {
            b"OBX" => self.obx = self.obx.saturating_add(1),
            b"ORC" => self.orders = self.orders.saturating_add(1),
            b"PID" => {
                self.patients = self.patients.saturating_add(1);
                if self.patient.is_none() {
                    self.patient = self.identifier(segment).map(|id| out.token("patient", id));
                }
            }
            b"MSA" => {
                let code = fields.next().unwrap_or_default().trim_ascii();
                self.ack_code = ACK_CODES.into_iter().find(|known| known.as_bytes() == code);
                self.acked_id = token(fields.next().unwrap_or_default(), out);
                return self.ack_code.is_none().then_some("unknown acknowledgement code");
            }
            _ => {}
        }
        None
    }

    /// Identifier of the patient: the first of PID-3, or else PID-2 or PID-4, without the authority
    /// that gave it out.
    fn identifier<'a>(&self, pid: &'a [u8]) -> Option<&'a [u8]> {
        let Separators { field, component, repetition } = self.separators;
        [3, 2, 4].into_iter().find_map(|number| {
            let value = pid.split(|&byte| byte == field).nth(number)?;
            value.split(|&byte| byte == repetition).find_map(|repetition| {
                let id = repetition.split(|&byte| byte == component).next()?.trim_ascii();
                (!id.is_empty() && id != b"\"\"").then_some(id)
            })
        })
    }

    /// Counts bytes of it, line ends among them.
    pub(super) fn count(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Takes content, in pieces of any size.
    pub(super) fn content(&mut self, bytes: &[u8]) {
        self.content.update(bytes);
    }

    /// So many bytes of it were lost.
    pub(super) fn tear(&mut self, lost: u64) {
        self.torn = true;
        self.count(lost);
    }

    /// Whether bytes of it were lost.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
    }

    /// Says it.
    pub(super) fn emit(self, dir: Direction, out: &mut Emit<'_>) {
        let content = (!self.torn).then(|| {
            let digest: String =
                self.content.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            out.token("content", digest.as_bytes())
        });
        let [application, facility, to_application, to_facility] = &self.parties;
        let [kind, trigger, structure, processing, version] = &self.codes;
        out.observe(&super::MESSAGE, dir)
            .text("type", kind)
            .text("trigger", trigger)
            .text("structure", structure)
            .text("version", version)
            .text("sending_application", application)
            .text("sending_facility", facility)
            .text("receiving_application", to_application)
            .text("receiving_facility", to_facility)
            .text("processing_id", processing)
            .value("control_id", self.control_id.map(Value::Token))
            .value("ack_code", self.ack_code.map(Value::Word))
            .value("acked_id", self.acked_id.map(Value::Token))
            .uint("segments", self.segments)
            .uint("obx", self.obx)
            .uint("orders", self.orders)
            .value("patient", self.patient.map(Value::Token))
            .uint("patients", self.patients)
            .uint("bytes", self.bytes)
            .value("content", content.map(Value::Token))
            .flag("batch", self.batch)
            .emit();
    }
}

fn cut(value: &[u8], most: usize) -> Box<[u8]> {
    let value = value.trim_ascii();
    value.get(..most).unwrap_or(value).into()
}

/// Token of a control id. Ids and the ids acknowledged share a domain, so that an answer can be
/// joined to what it answers.
fn token(id: &[u8], out: &Emit<'_>) -> Option<Token> {
    let id = id.trim_ascii();
    (!id.is_empty()).then(|| out.token("control_id", id))
}
