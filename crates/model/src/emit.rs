//! How parsers and log formats hand over what they saw.
//!
//! An [`Emit`] lives for one packet or record. It knows the time, the flow and the key of the site,
//! so that an observation can only leave with its id set and with every field that could name a
//! patient as a token: `text` on such a field makes the token by itself.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use crate::field::{Field, FieldType, KindSpec, Phi};
use crate::flow::{Direction, FlowContext};
use crate::net::Mac;
use crate::observation::{Observation, ObservationId, Party, Value};
use crate::privacy::{SiteKey, Token};
use crate::text;
use crate::time::Timestamp;

/// Whether a stretch of bytes is in a protocol or format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It is.
    Yes,
    /// More bytes are needed to tell.
    Unsure,
    /// It is not, whatever follows.
    No,
}

/// Something that breaks a protocol's rules; counted by protocol, and kept as evidence.
pub static ANOMALY: KindSpec = KindSpec {
    name: "protocol.anomaly",
    doc: "Bytes that break the rules of their protocol.",
    fields: &[
        Field::new("protocol", FieldType::Text, "Protocol or format whose rules were broken."),
        Field::new("what", FieldType::Text, "Which rule, in a few words."),
        Field::new("count", FieldType::Uint, "How many times, where several were joined."),
    ],
};

/// Where the observations of one packet or record go.
pub struct Emit<'a> {
    out: &'a mut Vec<Observation>,
    key: &'a SiteKey,
    flow: Option<&'a Arc<FlowContext>>,
    at: Timestamp,
    packet: u64,
    /// Makes ids differ within one flow, file or packet.
    serial: &'a mut u64,
}

impl<'a> Emit<'a> {
    /// For one packet or record. `serial` is kept by the caller for the life of the flow or file
    /// (for a packet without flow it starts from a hash of the packet), so that the same input
    /// gives the same ids.
    pub fn new(
        out: &'a mut Vec<Observation>,
        key: &'a SiteKey,
        flow: Option<&'a Arc<FlowContext>>,
        at: Timestamp,
        serial: &'a mut u64,
    ) -> Self {
        Self { out, key, flow, at, packet: 0, serial }
    }

    /// Says which packet of its input this is, from 0.
    #[must_use]
    pub fn of_packet(self, packet: u64) -> Self {
        Self { packet, ..self }
    }

    /// The time of the packet or record.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The flow, where there is one.
    pub fn flow(&self) -> Option<&FlowContext> {
        self.flow.map(AsRef::as_ref)
    }

    /// The token of a text that could name a patient.
    pub fn token(&self, domain: &str, text: &[u8]) -> Token {
        self.key.token(domain, text)
    }

    /// Begins an observation about what the side that sends in `from` did to the other side.
    pub fn observe(&mut self, kind: &'static KindSpec, from: Direction) -> Draft<'_, 'a> {
        let mut observation = Observation::new(self.at, kind);
        observation.packet = self.packet;
        if let Some(flow) = self.flow {
            let (originator, responder) = parties(flow);
            let (subject, peer) = match from {
                Direction::Forward => (originator, responder),
                Direction::Reverse => (responder, originator),
            };
            observation.subject = subject;
            observation.peer = Some(peer);
            observation.flow = Some(Arc::clone(flow));
        }
        Draft { emit: self, observation }
    }

    /// Notes that bytes broke a rule of their protocol.
    pub fn anomaly(&mut self, protocol: &'static str, what: &'static str, from: Direction) {
        self.observe(&ANOMALY, from).word("protocol", protocol).word("what", what).emit();
    }
}

fn parties(flow: &FlowContext) -> (Party, Party) {
    let side = |endpoint: crate::net::Endpoint, mac: Option<Mac>| Party {
        ip: Some(endpoint.ip),
        mac,
        port: Some(endpoint.port),
        name: None,
    };
    (side(flow.tuple.originator, flow.macs[0]), side(flow.tuple.responder, flow.macs[1]))
}

/// An observation that is being filled in. Nothing happens until [`Draft::emit`].
///
/// Its methods are inlined: called, each would copy the whole observation twice.
#[must_use = "an observation leaves its parser with emit()"]
pub struct Draft<'e, 'a> {
    emit: &'e mut Emit<'a>,
    observation: Observation,
}

impl Draft<'_, '_> {
    /// Happened at another time than the packet's.
    #[inline]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.observation.at = at;
        self
    }

    /// Who did it, where it is not the sender of the packet.
    #[inline]
    pub fn subject(mut self, subject: Party) -> Self {
        self.observation.subject = subject;
        self
    }

    /// Whom it was done to, where it is not the receiver of the packet.
    #[inline]
    pub fn peer(mut self, peer: Option<Party>) -> Self {
        self.observation.peer = peer;
        self
    }

    /// Text from the wire, cleaned and capped; a token where the field could name a patient, and
    /// nothing where it is empty.
    #[inline]
    pub fn text(mut self, name: &'static str, bytes: &[u8]) -> Self {
        let bytes = trim(bytes);
        if bytes.is_empty() {
            return self;
        }
        let patient = self
            .observation
            .kind
            .index_of(name)
            .is_some_and(|index| self.observation.kind.fields[index].phi == Phi::Patient);
        let value = if patient {
            Value::Token(self.emit.key.token(name, bytes))
        } else {
            Value::Text(text::clean(bytes).into())
        };
        self.observation.set(name, value);
        self
    }

    /// A token made by [`Emit::token`].
    #[inline]
    pub fn token(mut self, name: &'static str, token: Token) -> Self {
        self.observation.set(name, Value::Token(token));
        self
    }

    /// One of the parser's own words.
    #[inline]
    pub fn word(mut self, name: &'static str, word: &'static str) -> Self {
        self.observation.set(name, Value::Word(word));
        self
    }

    /// A count or a code.
    #[inline]
    pub fn uint(mut self, name: &'static str, value: impl Into<u64>) -> Self {
        self.observation.set(name, Value::Uint(value.into()));
        self
    }

    /// A measurement; left out where it is no number.
    #[inline]
    pub fn float(mut self, name: &'static str, value: f64) -> Self {
        if value.is_finite() {
            self.observation.set(name, Value::Float(value));
        }
        self
    }

    /// True or false.
    #[inline]
    pub fn flag(mut self, name: &'static str, value: bool) -> Self {
        self.observation.set(name, Value::Bool(value));
        self
    }

    /// A ready value; left out where there is none. Text given this way must be clean already.
    #[inline]
    pub fn value(mut self, name: &'static str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.observation.set(name, value);
        }
        self
    }

    /// Several texts, each cleaned, at most `cap`; nothing where there are none.
    #[inline]
    pub fn texts<'t>(
        mut self,
        name: &'static str,
        texts: impl IntoIterator<Item = &'t [u8]>,
        cap: usize,
    ) -> Self {
        let texts: Box<[Box<str>]> =
            texts.into_iter().take(cap).map(|t| text::clean(trim(t)).into()).collect();
        if !texts.is_empty() {
            self.observation.set(name, Value::Texts(texts));
        }
        self
    }

    /// Hands it over.
    #[inline]
    pub fn emit(mut self) {
        let mut hasher = IdHasher.build_hasher();
        hasher.write_u64(self.observation.flow.as_ref().map_or(0, |flow| flow.id.0));
        hasher.write_i64(self.observation.at.nanos());
        hasher.write(self.observation.kind.name.as_bytes());
        hasher.write_u64(*self.emit.serial);
        *self.emit.serial = self.emit.serial.wrapping_add(1);
        self.observation.id = ObservationId(hasher.finish());
        self.emit.out.push(self.observation);
    }
}

/// Drops the padding that DICOM, HL7 and fixed-width protocols put around texts.
fn trim(bytes: &[u8]) -> &[u8] {
    let padding = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = bytes.iter().position(|b| !padding(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !padding(b)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// A hasher with fixed keys: ids have to be the same in every run.
struct IdHasher;

impl BuildHasher for IdHasher {
    type Hasher = Fnv;
    fn build_hasher(&self) -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

/// FNV-1a with the finishing mix of MurmurHash3, so that nearby inputs land far apart.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        mixed ^ (mixed >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static KIND: KindSpec = KindSpec {
        name: "test.fact",
        doc: "For this test.",
        fields: &[
            Field::new("name", FieldType::Text, "Names nobody."),
            Field::patient("patient", "Names somebody."),
        ],
    };

    fn one(serial: &mut u64) -> Observation {
        let mut out = Vec::new();
        let key = SiteKey::new(b"k");
        let mut emit = Emit::new(&mut out, &key, None, Timestamp::from_nanos(7), serial);
        emit.observe(&KIND, Direction::Forward)
            .text("name", b" CT1\0")
            .text("patient", b"DOE^JANE")
            .emit();
        out.remove(0)
    }

    #[test]
    fn a_patient_field_leaves_only_as_a_token() {
        let json = serde_json::to_string(&one(&mut 0)).unwrap();
        assert!(json.contains(r#""name":"CT1""#) && json.contains(r#""patient":"t:"#), "{json}");
        assert!(!json.contains("DOE"), "{json}");
    }

    #[test]
    fn ids_repeat_between_runs_and_differ_within_one() {
        assert_eq!(one(&mut 4).id, one(&mut 4).id);
        let mut serial = 4;
        assert_ne!(one(&mut serial).id, one(&mut serial).id);
    }
}
