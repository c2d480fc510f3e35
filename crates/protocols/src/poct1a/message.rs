//! Messages of one direction, element by element.

use model::emit::{Emit, Probe};
use model::flow::Direction;
use model::observation::Value;
use model::privacy::Token;

use super::xml::{self, Read, Tag, Tags};
use super::{MESSAGE, SPEC, TYPES};

/// Elements within elements; a message has about six.
const DEEPEST: u32 = 32;
/// Most bytes of a name or value that are kept.
const LONGEST: usize = 128;
/// Tests that are named.
const MOST_TESTS: usize = 32;

/// Values that are kept as they are, by the element that has them: the first one counts.
const TEXTS: [(&str, &[&[u8]]); 20] = [
    ("control_id", &[b"HDR.control_id"]),
    ("version", &[b"HDR.version_id"]),
    ("device_id", &[b"DEV.device_id"]),
    ("vendor", &[b"DEV.vendor_id"]),
    ("manufacturer", &[b"DEV.manufacturer_name"]),
    ("model", &[b"DEV.model_id"]),
    ("serial", &[b"DEV.serial_id"]),
    ("device_name", &[b"DEV.device_name"]),
    ("hardware", &[b"DEV.hw_version"]),
    ("software", &[b"DEV.sw_version"]),
    ("profile", &[b"DSC.connection_profile_cd"]),
    ("ack_code", &[b"ACK.type_cd"]),
    ("ack_control_id", &[b"ACK.ack_control_id", b"ACK.control_id"]),
    ("error", &[b"ACK.error_detail_cd", b"ESC.detail_cd"]),
    ("request", &[b"REQ.request_cd"]),
    ("topic", &[b"EOT.topic_cd"]),
    ("directive", &[b"DTV.command_cd"]),
    ("condition", &[b"DST.condition_cd"]),
    ("role", &[b"SVC.role_cd"]),
    ("operator", &[b"OPR.operator_id"]),
];

/// Whether bytes begin with the name of a message, and what ends a name.
pub(super) fn probe_name(bytes: &[u8]) -> Probe {
    let end = bytes
        .iter()
        .take(LONGEST)
        .position(|b| matches!(b, b'>' | b'/') || b.is_ascii_whitespace());
    let Some(end) = end else {
        let (head, full) = (bytes.get(..3).unwrap_or(bytes), bytes.len() >= LONGEST);
        let could = TYPES.iter().any(|known| known.starts_with(head));
        return if could && !full { Probe::Unsure } else { Probe::No };
    };
    let name = bytes.get(..end).unwrap_or_default();
    if is_message(name) { Probe::Yes } else { Probe::No }
}

/// `OBS.R01`, or a maker's own such as `DTV.MAKER.SETUP.R01`.
fn is_message(name: &[u8]) -> bool {
    let Some((head, &[b'.', b'R', a, b])) = name.split_last_chunk::<4>() else { return false };
    let first = head.split(|&byte| byte == b'.').next().unwrap_or_default();
    a.is_ascii_digit() && b.is_ascii_digit() && TYPES.contains(&first)
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Lane {
    dir: Direction,
    tags: Tags,
    depth: u32,
    message: Option<Message>,
    /// After a loss, up to the next message.
    torn: bool,
    lost: bool,
}

#[derive(Debug, Default)]
struct Message {
    kind: Box<[u8]>,
    texts: [Box<[u8]>; TEXTS.len()],
    waiting: Option<u64>,
    services: u64,
    results: u64,
    patients: u64,
    operators: u64,
    tests: Vec<Box<[u8]>>,
    patient: Option<Token>,
    bytes: u64,
}

impl Lane {
    pub(super) const fn new(dir: Direction) -> Self {
        Self { dir, tags: Tags::new(), depth: 0, message: None, torn: false, lost: false }
    }

    /// Whether nothing more can be read.
    pub(super) const fn is_lost(&self) -> bool {
        self.lost
    }

    /// Bytes were lost, and the message with them.
    pub(super) fn gap(&mut self) {
        self.tags = Tags::new();
        (self.message, self.depth, self.torn) = (None, 0, true);
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Emit<'_>) {
        for &byte in bytes {
            if self.lost {
                return;
            }
            if let Some(message) = &mut self.message {
                message.bytes = message.bytes.saturating_add(1);
            }
            match self.tags.read(byte) {
                Read::Nothing => {}
                // Within an element text is normal; before the first it is another protocol.
                Read::Text if self.message.is_none() && !self.torn && !is_mark(byte) => {
                    self.lose("text outside of a message", out);
                }
                Read::Text => {}
                Read::Tag => {
                    let tags = std::mem::replace(&mut self.tags, Tags::new());
                    self.tag(tags.tag(), out);
                    self.tags = tags;
                }
            }
        }
    }

    fn lose(&mut self, what: &'static str, out: &mut Emit<'_>) {
        self.lost = true;
        out.anomaly(SPEC.name, what, self.dir);
    }

    fn tag(&mut self, text: &[u8], out: &mut Emit<'_>) {
        match xml::tag(text) {
            Tag::Other => {}
            Tag::End if self.message.is_some() => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.finish(out);
                }
            }
            Tag::End => {}
            Tag::Begin { name, empty, .. } if self.message.is_none() => {
                if !is_message(name) {
                    if !self.torn {
                        self.lose("no message", out);
                    }
                    return;
                }
                self.torn = false;
                // The brackets belong to it.
                let bytes = (text.len() as u64).saturating_add(2);
                self.message = Some(Message { kind: cut(name), bytes, ..Message::default() });
                self.depth = 1;
                if empty {
                    self.finish(out);
                }
            }
            Tag::Begin { name, attributes, empty } => {
                if let Some(message) = &mut self.message {
                    message.element(name, attributes, out);
                }
                if !empty {
                    self.depth = self.depth.saturating_add(1);
                    if self.depth > DEEPEST {
                        self.lose("too many elements within elements", out);
                    }
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Emit<'_>) {
        self.depth = 0;
        if let Some(message) = self.message.take() {
            message.say(self.dir, out);
        }
    }
}

/// A byte of UTF-8's mark, which stands before the first document.
const fn is_mark(byte: u8) -> bool {
    matches!(byte, 0xef | 0xbb | 0xbf)
}

impl Message {
    fn element(&mut self, name: &[u8], attributes: &[u8], out: &Emit<'_>) {
        let counted = match name {
            b"SVC" => Some(&mut self.services),
            b"OBS" => Some(&mut self.results),
            b"PT" => Some(&mut self.patients),
            b"OPR" => Some(&mut self.operators),
            _ => None,
        };
        if let Some(counted) = counted {
            *counted = counted.saturating_add(1);
            return;
        }
        let Some(value) = xml::attribute(attributes, b"V").map(<[u8]>::trim_ascii) else { return };
        match name {
            b"PT.patient_id" | b"PTL.patient_id" => {
                if self.patient.is_none() && !value.is_empty() {
                    self.patient = Some(out.token("patient", value));
                }
            }
            b"OBS.observation_id" => {
                let test = cut(value);
                if self.tests.len() < MOST_TESTS && !test.is_empty() && !self.tests.contains(&test)
                {
                    self.tests.push(test);
                }
            }
            b"DST.new_observations_qty" => {
                self.waiting = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            }
            _ => {
                let slot = TEXTS.iter().position(|(_, elements)| elements.contains(&name));
                if let Some(slot) = slot.and_then(|at| self.texts.get_mut(at))
                    && slot.is_empty()
                {
                    *slot = cut(value);
                }
            }
        }
    }

    fn say(self, dir: Direction, out: &mut Emit<'_>) {
        let mut draft = out.observe(&MESSAGE, dir).text("type", &self.kind);
        for ((field, _), text) in TEXTS.iter().zip(&self.texts) {
            draft = draft.text(field, text);
        }
        let some = |count: u64| (count > 0).then_some(Value::Uint(count));
        draft
            .value("waiting", self.waiting.map(Value::Uint))
            .value("services", some(self.services))
            .value("results", some(self.results))
            .texts("tests", self.tests.iter().map(AsRef::as_ref), MOST_TESTS)
            .value("patients", some(self.patients))
            .value("patient", self.patient.map(Value::Token))
            .value("operators", some(self.operators))
            .uint("bytes", self.bytes)
            .emit();
    }
}

fn cut(text: &[u8]) -> Box<[u8]> {
    text.get(..LONGEST).unwrap_or(text).into()
}
