//! Observations: facts from packets and log lines.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::field::{KindSpec, Phi};
use crate::flow::FlowContext;
use crate::net::Mac;
use crate::privacy::Token;
use crate::time::Timestamp;

/// An observation's number: the same for the same fact of the same capture, so that storing it
/// twice stores it once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObservationId(pub u64);

impl fmt::Display for ObservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "o{:016x}", self.0)
    }
}

impl Serialize for ObservationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One side of an observation, as it was seen: addresses, not yet a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Network address.
    pub ip: Option<IpAddr>,
    /// Ethernet address at the sensor; past a router it is the router's.
    pub mac: Option<Mac>,
    /// TCP or UDP port.
    pub port: Option<u16>,
    /// Name of a host, where a log gives a name instead of an address.
    pub name: Option<Box<str>>,
}

impl Party {
    /// Known by a network address alone.
    pub fn from_ip(ip: IpAddr) -> Self {
        Self { ip: Some(ip), ..Self::default() }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.ip.is_none() && self.mac.is_none() && self.name.is_none()
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(ip) = &self.ip {
            map.serialize_entry("ip", ip)?;
        }
        if let Some(mac) = &self.mac {
            map.serialize_entry("mac", mac)?;
        }
        if let Some(port) = &self.port {
            map.serialize_entry("port", port)?;
        }
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        map.end()
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A count or a code.
    Uint(u64),
    /// A number with a sign.
    Int(i64),
    /// A measurement.
    Float(f64),
    /// One of a parser's own words; costs no memory of its own.
    Word(&'static str),
    /// Text from the wire, cleaned and capped (see [`crate::text`]).
    Text(Box<str>),
    /// A network address.
    Ip(IpAddr),
    /// An Ethernet address.
    Mac(Mac),
    /// A point in time.
    Time(Timestamp),
    /// A text that could name a patient, keyed.
    Token(Token),
    /// Several texts.
    Texts(Box<[Box<str>]>),
}

impl Value {
    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(v) => serializer.serialize_bool(*v),
            Self::Uint(v) => serializer.serialize_u64(*v),
            Self::Int(v) => serializer.serialize_i64(*v),
            Self::Float(v) => serializer.serialize_f64(*v),
            Self::Word(v) => serializer.serialize_str(v),
            Self::Text(v) => serializer.serialize_str(v),
            Self::Ip(v) => v.serialize(serializer),
            Self::Mac(v) => v.serialize(serializer),
            Self::Time(v) => v.serialize(serializer),
            Self::Token(v) => v.serialize(serializer),
            Self::Texts(v) => v.serialize(serializer),
        }
    }
}

/// One fact: a DICOM association, an HL7 message, a DNS answer, a finished flow, a login.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Its number.
    pub id: ObservationId,
    /// Number of the packet that gave it, among all of its input from 0; not written down. Zero
    /// for what did not come from a packet.
    pub packet: u64,
    /// When it happened, by the sensor's clock for packets and by the sender's for log lines.
    pub at: Timestamp,
    /// What it is, with the table of its fields.
    pub kind: &'static KindSpec,
    /// The flow it was seen in, where there was one.
    pub flow: Option<Arc<FlowContext>>,
    /// Who did it.
    pub subject: Party,
    /// Whom it was done to.
    pub peer: Option<Party>,
    /// Values by their place in the kind's table, in its order; at most one each.
    fields: Vec<(u8, Value)>,
}

impl Observation {
    /// A fact without fields as yet.
    pub fn new(at: Timestamp, kind: &'static KindSpec) -> Self {
        Self {
            id: ObservationId(0),
            packet: 0,
            at,
            kind,
            flow: None,
            subject: Party::default(),
            peer: None,
            fields: Vec::with_capacity(kind.fields.len()),
        }
    }

    /// Sets a field. A field that is not in the kind's table, and a readable text for a field that
    /// could name a patient, are mistakes of the program: they stop a debug build, and a release
    /// build leaves the value out.
    pub fn set(&mut self, name: &str, value: Value) {
        // Parsers set fields in the order of their table, more often than not.
        let next = self.fields.last().map_or(0, |(last, _)| usize::from(*last) + 1);
        let ahead = self.kind.fields.iter().skip(next).position(|field| field.name == name);
        let Some(index) = ahead.map(|by| next + by).or_else(|| self.kind.index_of(name)) else {
            debug_assert!(false, "{} has no field '{name}'", self.kind.name);
            return;
        };
        let readable = !matches!(value, Value::Token(_));
        if self.kind.fields[index].phi == Phi::Patient && readable {
            debug_assert!(false, "{}.{name} could name a patient: set a token", self.kind.name);
            return;
        }
        let Ok(index) = u8::try_from(index) else { return };
        if self.fields.last().is_none_or(|(last, _)| *last < index) {
            self.fields.push((index, value));
            return;
        }
        match self.fields.binary_search_by_key(&index, |(at, _)| *at) {
            Ok(place) => self.fields[place].1 = value,
            Err(place) => self.fields.insert(place, (index, value)),
        }
    }

    /// The value of a field, where it was seen.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let index = self.kind.index_of(name);
        debug_assert!(index.is_some(), "{} has no field '{name}'", self.kind.name);
        self.at_place(index?)
    }

    /// The value of the field at a place in the kind's table, where it was seen: for who looked the
    /// place up once ([`KindSpec::index_of`]).
    pub fn at_place(&self, index: usize) -> Option<&Value> {
        let index = u8::try_from(index).ok()?;
        let place = self.fields.binary_search_by_key(&index, |(at, _)| *at).ok()?;
        Some(&self.fields[place].1)
    }

    /// Whether the kind is the one of this name.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.name == kind
    }

    /// A text.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A count or a code.
    pub fn uint(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Uint(v) => Some(*v),
            _ => None,
        }
    }

    /// A measurement, or any other number.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Float(v) => Some(*v),
            Value::Uint(v) => Some(*v as f64),
            Value::Int(v) => Some(*v as f64),
            _ => None,
        }
    }

    /// Whether a flag is set; false where it was not seen.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true)))
    }

    /// A network address.
    pub fn ip(&self, name: &str) -> Option<IpAddr> {
        match self.get(name)? {
            Value::Ip(v) => Some(*v),
            _ => None,
        }
    }

    /// An Ethernet address.
    pub fn mac(&self, name: &str) -> Option<Mac> {
        match self.get(name)? {
            Value::Mac(v) => Some(*v),
            _ => None,
        }
    }

    /// A token.
    pub fn token(&self, name: &str) -> Option<Token> {
        match self.get(name)? {
            Value::Token(v) => Some(*v),
            _ => None,
        }
    }

    /// Several texts; none where the field was not seen.
    pub fn texts(&self, name: &str) -> &[Box<str>] {
        match self.get(name) {
            Some(Value::Texts(v)) => v,
            _ => &[],
        }
    }

    /// Fields that were seen, in the order of the kind's table.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.fields.iter().map(|(at, value)| (self.kind.fields[usize::from(*at)].name, value))
    }
}

impl Serialize for Observation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Fields<'a>(&'a Observation);
        impl Serialize for Fields<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.fields())
            }
        }
        let mut out = serializer.serialize_struct("Observation", 7)?;
        out.serialize_field("id", &self.id)?;
        out.serialize_field("at", &self.at)?;
        out.serialize_field("kind", self.kind.name)?;
        if let Some(flow) = &self.flow {
            out.serialize_field("flow", &flow.tuple.community_id())?;
        }
        if !self.subject.is_empty() {
            out.serialize_field("subject", &self.subject)?;
        }
        if let Some(peer) = &self.peer {
            out.serialize_field("peer", peer)?;
        }
        out.serialize_field("fields", &Fields(self))?;
        out.end()
    }
}
