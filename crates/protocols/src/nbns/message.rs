//! One message: header, name, and the record behind it (RFC 1002, 4.2).

use std::net::Ipv4Addr;

use model::net::Mac;
use wire::cursor::{Cursor, Short};

use super::name;

/// Most names of a node status answer and most addresses of a response that are kept.
pub(super) const MOST_NAMES: usize = 32;
pub(super) const MOST_ADDRESSES: usize = 16;

/// Record types: an address, and all names.
const NB: u16 = 0x20;
const NBSTAT: u16 = 0x21;

const SHORT: &str = "message ends too early";

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Query,
    Register,
    Release,
    Wait,
    Refresh,
}

impl Operation {
    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Query,
            // 15 is Microsoft's registration of a computer with several addresses.
            5 | 15 => Self::Register,
            6 => Self::Release,
            7 => Self::Wait,
            // RFC 1002 gives both numbers.
            8 | 9 => Self::Refresh,
            _ => return None,
        })
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Register => "register",
            Self::Release => "release",
            Self::Wait => "wait",
            Self::Refresh => "refresh",
        }
    }
}

/// One name of a node status answer.
#[derive(Debug)]
pub(super) struct NodeName {
    pub(super) text: Vec<u8>,
    pub(super) suffix: u8,
    pub(super) group: bool,
}

impl NodeName {
    pub(super) fn label(&self) -> String {
        format!("{}<{:02X}>", String::from_utf8_lossy(&self.text), self.suffix)
    }
}

/// All names of a computer.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) names: Vec<NodeName>,
    pub(super) unit: Option<Mac>,
}

/// What stands in the record that a message is about.
#[derive(Debug)]
pub(super) enum Record {
    None,
    Addresses { group: bool, addresses: Vec<Ipv4Addr> },
    Status(Status),
}

/// One message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) is_response: bool,
    pub(super) operation: Operation,
    pub(super) broadcast: bool,
    pub(super) asks_status: bool,
    pub(super) name: Vec<u8>,
    pub(super) suffix: u8,
    pub(super) record: Record,
    /// A rule that it breaks behind its name.
    pub(super) broken: Option<&'static str>,
    code: u8,
    bytes: &'a [u8],
}

/// Whether flags and counts are such as the protocol knows: at most one question and one record of
/// each sort.
pub(super) fn has_sound_header(bytes: &[u8]) -> bool {
    let Some([_, _, high, low, 0, questions, 0, answers, 0, authorities, 0, additionals]) =
        bytes.first_chunk::<12>()
    else {
        return false;
    };
    Operation::from_bits((high >> 3) & 0x0f).is_some()
        && low & 0x60 == 0
        && [questions, answers, authorities, additionals].iter().all(|count| **count <= 1)
        && *questions ^ *answers == 1
}

impl<'a> Message<'a> {
    /// Reads a message; what breaks the rules behind its name is noted in `broken`.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        if !has_sound_header(bytes) {
            return Err("header");
        }
        let mut cursor = Cursor::new(bytes);
        let mut message = Self::head(bytes, &mut cursor).map_err(|Short| SHORT)??;
        match message.records(&mut cursor) {
            Ok(record) => message.record = record,
            Err(Short) => message.broken = Some(SHORT),
        }
        Ok(message)
    }

    fn head(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<Result<Self, &'static str>, Short> {
        cursor.skip(2)?;
        let [high, low] = cursor.array::<2>()?;
        cursor.skip(8)?;
        let Some(operation) = Operation::from_bits((high >> 3) & 0x0f) else {
            return Ok(Err("opcode not assigned"));
        };
        let length = usize::from(cursor.u8()?);
        let letters = cursor.take(length)?;
        let (32, Some((name, suffix))) = (length, name::decode(letters)) else {
            return Ok(Err("name not encoded by its rules"));
        };
        // A scope may follow, a label at a time.
        loop {
            match cursor.u8()? {
                0 => break,
                label @ 1..=63 => cursor.skip(usize::from(label))?,
                _ => return Ok(Err("name not encoded by its rules")),
            }
        }
        let kind = cursor.u16()?;
        cursor.skip(2)?;
        Ok(Ok(Self {
            is_response: high & 0x80 != 0,
            operation,
            broadcast: low & 0x10 != 0,
            asks_status: kind == NBSTAT,
            name,
            suffix,
            record: Record::None,
            broken: None,
            code: low & 0x0f,
            bytes,
        }))
    }

    /// The record of an answer stands behind its name; the one of a claim behind the question, with
    /// a name of its own that points back.
    fn records(&self, cursor: &mut Cursor<'a>) -> Result<Record, Short> {
        let [questions, answers, additionals] =
            [5, 7, 11].map(|at: usize| self.bytes.get(at).copied().unwrap_or(0));
        let kind = if self.asks_status { NBSTAT } else { NB };
        if answers == 1 {
            return record(kind, cursor);
        }
        if questions == 0 || additionals == 0 {
            return Ok(Record::None);
        }
        match cursor.u8()? {
            pointer if pointer >= 0xc0 => cursor.skip(1)?,
            length => {
                cursor.skip(usize::from(length))?;
                cursor.skip(1)?;
            }
        }
        let kind = cursor.u16()?;
        cursor.skip(2)?;
        record(kind, cursor)
    }

    /// The response code by its name in RFC 1002, 4.2.6 and 4.2.11.
    pub(super) const fn rcode(&self) -> &'static str {
        match self.code {
            0 => "NOERROR",
            1 => "FORMERR",
            2 => "SERVFAIL",
            3 => "NXDOMAIN",
            4 => "NOTIMP",
            5 => "REFUSED",
            6 => "ACTIVE",
            7 => "CONFLICT",
            _ => "UNASSIGNED",
        }
    }
}

/// Time to live, length and data of a record.
fn record(kind: u16, cursor: &mut Cursor<'_>) -> Result<Record, Short> {
    cursor.skip(4)?;
    let length = cursor.u16()?;
    let mut data = Cursor::new(cursor.take(usize::from(length))?);
    match kind {
        NB => {
            let (mut group, mut addresses) = (false, Vec::new());
            while !data.is_empty() && addresses.len() < MOST_ADDRESSES {
                // The answer of one who asks to wait carries flags only.
                group = data.u16()? & 0x8000 != 0;
                if data.is_empty() {
                    break;
                }
                addresses.push(Ipv4Addr::from(data.array::<4>()?));
            }
            Ok(Record::Addresses { group, addresses })
        }
        NBSTAT => {
            let count = data.u8()?;
            let mut names = Vec::new();
            for _ in 0..count {
                let text = name::trim(data.take(15)?);
                let (suffix, flags) = (data.u8()?, data.u16()?);
                if names.len() < MOST_NAMES {
                    names.push(NodeName { text, suffix, group: flags & 0x8000 != 0 });
                }
            }
            // Samba and others without a card of their own give zeros.
            let unit = data.array::<6>().ok().filter(|mac| *mac != [0; 6]).map(Mac);
            Ok(Record::Status(Status { names, unit }))
        }
        _ => Ok(Record::None),
    }
}
