//! How each kind of observation is read: once for a kind, from its table of fields.
//!
//! Which fields say how an answer went, how large something is and whom it is about is the same in
//! all tables: a field of that name. So a new protocol gives features without a line here.

use model::KindMap;
use model::field::{FieldType, KindSpec, Phi};
use model::observation::{Observation, Value};

use super::distinct::{mark, mix};

/// What an observation is to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    FlowStart,
    FlowOutcome,
    FlowUpdate,
    FlowEnd,
    FlowProtocol,
    Arp,
    Name,
    Broken,
    /// Said of the host that wrote a log, or of the sensor: not traffic of a device.
    Record,
    Speech,
}

/// Where the fields are that a window reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) sort: Sort,
    /// Its subject answers; what it says counts for the peer, who asked.
    answer: bool,
    login: bool,
    outcome: Option<u8>,
    status: Option<u8>,
    ack: Option<u8>,
    rcode: Option<u8>,
    failures: Option<u8>,
    bytes: Option<u8>,
    patient: Option<u8>,
    patients: Option<u8>,
    results: Option<u8>,
    unlimited: Option<u8>,
    wildcard: Option<u8>,
    action: Option<u8>,
    entropy: Option<u8>,
    names: [Option<u8>; 2],
    variety: Option<u8>,
}

/// What an answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
}

/// Readings of all kinds seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readings(KindMap<Reading>);

impl Readings {
    pub(crate) fn of(&mut self, kind: &'static KindSpec) -> Reading {
        *self.0.entry(kind, Reading::new)
    }
}

impl Reading {
    fn new(kind: &'static KindSpec) -> Self {
        let place = |name: &str| kind.index_of(name).and_then(|at| u8::try_from(at).ok());
        let sort = match kind.name {
            "flow.start" => Sort::FlowStart,
            "flow.outcome" => Sort::FlowOutcome,
            "flow.update" => Sort::FlowUpdate,
            "flow.end" => Sort::FlowEnd,
            "flow.protocol" => Sort::FlowProtocol,
            "arp.packet" => Sort::Arp,
            "dns.query" => Sort::Name,
            "protocol.anomaly" => Sort::Broken,
            name if name.starts_with("log.") || name.starts_with("sensor.") => Sort::Record,
            _ => Sort::Speech,
        };
        let answers = ["response", "failure", "exception", "refusal", "challenge"];
        let logins = ["login", "authentication", "bind", "session", "exchange", "connect"];
        let last = kind.name.rsplit('.').next().unwrap_or_default();
        let patient = kind
            .fields
            .iter()
            .position(|field| {
                field.phi == Phi::Patient
                    && field.ty == FieldType::Token
                    && field.name.contains("patient")
            })
            .and_then(|at| u8::try_from(at).ok());
        let names = ["calling_ae", "sending_application", "client_id", "sender", "user"];
        let mut names = names.into_iter().filter_map(place);
        Self {
            names: [names.next(), names.next()],
            variety: ["type", "mode", "command", "operation", "message", "action"]
                .into_iter()
                .find_map(place),
            sort,
            answer: answers.contains(&last),
            login: logins.contains(&last) && place("outcome").is_some(),
            outcome: place("outcome"),
            status: place("status"),
            ack: place("ack_code"),
            rcode: place("rcode"),
            failures: place("failures"),
            bytes: place("bytes").or_else(|| place("content_length")),
            patient,
            patients: place("patients"),
            results: ["results", "matches", "entries"].into_iter().find_map(place),
            wildcard: place("wildcard"),
            action: place("action"),
            entropy: place("entropy"),
            unlimited: ["universal", "everything"].into_iter().find_map(place),
        }
    }

    /// Whether its subject answers somebody.
    pub(crate) fn answers(&self, o: &Observation) -> bool {
        self.answer
            || self.text(o, self.ack).is_some()
            || (o.is("dicom.command") && o.str("command").is_some_and(|it| it.ends_with("-RSP")))
    }

    /// Whether somebody tried to log on.
    pub(crate) fn is_login(&self) -> bool {
        self.login
    }

    /// Whether it says yes or no, and how often no.
    pub(crate) fn answer(&self, o: &Observation) -> Option<(Answer, u64)> {
        if let Some(count) = self.number(o, self.failures).filter(|count| *count > 0) {
            return Some((Answer::No, count));
        }
        if let Some(outcome) = self.text(o, self.outcome) {
            let no =
                ["failure", "rejected", "refused", "aborted", "error", "unanswered", "serious"];
            let no = no.contains(&outcome);
            return Some((if no { Answer::No } else { Answer::Yes }, 1));
        }
        if let Some(code) = self.text(o, self.ack) {
            let yes = matches!(code, "AA" | "CA");
            return Some((if yes { Answer::Yes } else { Answer::No }, 1));
        }
        if let Some(code) = self.text(o, self.rcode) {
            let yes = code == "NOERROR";
            return Some((if yes { Answer::Yes } else { Answer::No }, 1));
        }
        // Of HTTP and what it carries from 400 on; of DIMSE all but success and pending.
        let status = self.number(o, self.status)?;
        let no = if o.kind.name.starts_with("dicom.") {
            status != 0 && !matches!(status, 0xff00 | 0xff01)
        } else {
            (400..600).contains(&status) || status >= 0xc000_0000
        };
        Some((if no { Answer::No } else { Answer::Yes }, 1))
    }

    /// Size of what was said, in bytes.
    pub(crate) fn bytes(&self, o: &Observation) -> u64 {
        self.number(o, self.bytes).unwrap_or(0)
    }

    /// A mark of the patient that it is about.
    pub(crate) fn patient(&self, o: &Observation) -> Option<u64> {
        match o.at_place(usize::from(self.patient?))? {
            Value::Token(token) => Some(mix(token.mark())),
            _ => None,
        }
    }

    /// How many patients it tells of, where it counts them.
    pub(crate) fn patients(&self, o: &Observation) -> u64 {
        self.number(o, self.patients).unwrap_or(0)
    }

    /// How many results a search gave.
    pub(crate) fn results(&self, o: &Observation) -> u64 {
        self.number(o, self.results).unwrap_or(0)
    }

    /// Whether it asks for everything.
    pub(crate) fn is_unlimited(&self, o: &Observation) -> bool {
        self.flag(o, self.unlimited)
    }

    /// Whether it asks with a wildcard.
    pub(crate) fn is_wildcard(&self, o: &Observation) -> bool {
        self.flag(o, self.wildcard)
    }

    /// Whether what was there is not there any more.
    pub(crate) fn is_rewrite(&self, o: &Observation) -> bool {
        matches!(self.text(o, self.action), Some("overwrite" | "rename" | "delete"))
    }

    /// Entropy of what was written, in bits a byte.
    pub(crate) fn entropy(&self, o: &Observation) -> Option<f64> {
        match o.at_place(usize::from(self.entropy?))? {
            Value::Float(bits) => Some(*bits),
            _ => None,
        }
    }

    /// A mark of what sort of message it is.
    pub(crate) fn sort_of_message(&self, o: &Observation) -> u64 {
        let variety = self.text(o, self.variety).map_or(0, mark);
        mix(mark(o.kind.name) ^ variety)
    }

    /// Marks of the names that its subject gives itself.
    pub(crate) fn names(&self, o: &Observation) -> impl Iterator<Item = u64> {
        let named = self.names.map(|place| self.text(o, place).map(mark));
        named.into_iter().flatten()
    }

    fn flag(&self, o: &Observation, place: Option<u8>) -> bool {
        let value = place.and_then(|place| o.at_place(usize::from(place)));
        matches!(value, Some(Value::Bool(true)))
    }

    fn number(&self, o: &Observation, place: Option<u8>) -> Option<u64> {
        match o.at_place(usize::from(place?))? {
            Value::Uint(number) => Some(*number),
            _ => None,
        }
    }

    fn text<'o>(&self, o: &'o Observation, place: Option<u8>) -> Option<&'o str> {
        o.at_place(usize::from(place?))?.as_str()
    }
}
