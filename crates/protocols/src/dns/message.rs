//! One DNS message: header, first question, and a walk over the records.

use std::net::{Ipv4Addr, Ipv6Addr};

use wire::cursor::{Cursor, Short};

use super::name;

mod records;

pub(super) use records::Record;

/// Bytes of the header.
pub(super) const HEADER: usize = 12;
/// The smallest message with a question: the root's name, type and class.
pub(super) const SMALLEST: usize = 17;
/// Most addresses and names of a response that are kept.
pub(super) const MOST_ANSWERS: usize = 16;
/// A record without data: root name, type, class, time to live, length.
const SMALLEST_RECORD: usize = 11;

/// Which rule a message breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    Short,
    Opcode,
    Label,
    Pointer,
    LongName,
    Counts,
}

impl Malformed {
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Short => "message ends too early",
            Self::Opcode => "opcode not assigned",
            Self::Label => "label type not assigned",
            Self::Pointer => "compression pointer does not point back",
            Self::LongName => "name longer than 255 bytes",
            Self::Counts => "more records counted than fit",
        }
    }
}

impl From<Short> for Malformed {
    fn from(_: Short) -> Self {
        Self::Short
    }
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Query,
    InverseQuery,
    Status,
    Notify,
    Update,
    Stateful,
}

impl Opcode {
    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Query,
            1 => Self::InverseQuery,
            2 => Self::Status,
            4 => Self::Notify,
            5 => Self::Update,
            6 => Self::Stateful,
            _ => return None,
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Query => "QUERY",
            Self::InverseQuery => "IQUERY",
            Self::Status => "STATUS",
            Self::Notify => "NOTIFY",
            Self::Update => "UPDATE",
            Self::Stateful => "DSO",
        }
    }
}

/// The first question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: Vec<u8>,
    pub(super) kind: u16,
    pub(super) class: u16,
}

/// Header and first question.
#[derive(Debug)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    pub(super) is_response: bool,
    pub(super) opcode: Opcode,
    pub(super) authoritative: bool,
    truncated: bool,
    /// "Tentative" in LLMNR.
    pub(super) recursion_desired: bool,
    /// The four bits of the header.
    pub(super) rcode: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    authorities: u16,
    additionals: u16,
    pub(super) question: Option<Question>,
    after_first: usize,
}

/// What the records say.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Addresses and names of the answers, as text.
    pub(super) answers: Vec<Vec<u8>>,
    /// Shortest time to live of the answers, in seconds.
    pub(super) ttl: Option<u32>,
    /// The upper bits of the response code, from EDNS, in place.
    pub(super) extended_rcode: u16,
    /// Bytes after the last record.
    pub(super) trailing: usize,
}

/// Whether the first bytes of a message rule out DNS, however it goes on.
pub(super) fn refused_early(start: &[u8]) -> bool {
    let opcode = start.get(2).map(|byte| (byte >> 3) & 0x0f);
    let questions = start.get(4..6);
    opcode.is_some_and(|bits| Opcode::from_bits(bits).is_none())
        || questions.is_some_and(|count| count != [0, 1])
}

/// Whether a datagram begins with the header of a query or an answer with one question and few
/// records.
pub(super) fn has_sound_header(bytes: &[u8]) -> bool {
    let Some([_, _, high, _, 0, 1, 0, _, 0, _, 0, _]) = bytes.first_chunk::<HEADER>() else {
        return false;
    };
    high & 0x78 == 0
}

impl<'a> Message<'a> {
    /// Reads the header and the first question.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes);
        cursor.skip(2)?;
        let flags = cursor.u16()?;
        let [questions, answers, authorities, additionals] =
            [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
        let opcode = Opcode::from_bits((flags >> 11) as u8 & 0x0f).ok_or(Malformed::Opcode)?;
        let question = if questions == 0 {
            None
        } else {
            let name = name::read(bytes, &mut cursor)?;
            Some(Question { name, kind: cursor.u16()?, class: cursor.u16()? })
        };
        Ok(Self {
            bytes,
            is_response: flags & 0x8000 != 0,
            opcode,
            authoritative: flags & 0x0400 != 0,
            truncated: flags & 0x0200 != 0,
            recursion_desired: flags & 0x0100 != 0,
            rcode: flags & 0x000f,
            questions,
            answers,
            authorities,
            additionals,
            question,
            after_first: cursor.position(),
        })
    }

    /// Whether the header is one that DNS software sends, so that noise is not taken for DNS.
    pub(super) fn is_plausible(&self) -> bool {
        let Some(question) = &self.question else { return false };
        // IN, CH, HS, NONE, ANY; mDNS uses the top bit to ask for unicast.
        let class_known = matches!(question.class & 0x7fff, 1 | 3 | 4 | 254 | 255);
        let query_is_bare = self.is_response
            || self.opcode != Opcode::Query
            || (self.rcode == 0 && self.additionals <= 4);
        question.kind != 0 && class_known && query_is_bare
    }

    /// Whether the name asked for is a NetBIOS one: 32 letters from A to P (RFC 1001, 14.1).
    pub(super) fn is_netbios(&self) -> bool {
        let Some(question) = &self.question else { return false };
        let label = question.name.split(|&byte| byte == b'.').next().unwrap_or_default();
        label.len() == 32 && label.iter().all(|byte| matches!(byte, b'a'..=b'p'))
    }

    /// Walks over all records. An error comes with what was found before it.
    pub(super) fn check(&self) -> Result<Walk, (Malformed, Walk)> {
        let mut walk = Walk::default();
        match self.records(&mut walk) {
            Ok(()) => Ok(walk),
            // What a server cut to fit, it says it cut.
            Err(Malformed::Short | Malformed::Counts) if self.truncated => Ok(walk),
            Err(error) => Err((error, walk)),
        }
    }

    fn records(&self, walk: &mut Walk) -> Result<(), Malformed> {
        let mut cursor = Cursor::new(self.bytes);
        cursor.skip(self.after_first)?;
        for _ in 1..self.questions {
            name::skip(self.bytes, &mut cursor)?;
            cursor.skip(4)?;
        }
        let others = usize::from(self.authorities).saturating_add(usize::from(self.additionals));
        let total = usize::from(self.answers).saturating_add(others);
        if total.saturating_mul(SMALLEST_RECORD) > cursor.remaining() {
            return Err(Malformed::Counts);
        }
        for _ in 0..self.answers {
            self.record(&mut cursor, walk, true)?;
        }
        for _ in 0..others {
            self.record(&mut cursor, walk, false)?;
        }
        walk.trailing = cursor.remaining();
        Ok(())
    }

    fn record(
        &self,
        cursor: &mut Cursor<'a>,
        walk: &mut Walk,
        answer: bool,
    ) -> Result<(), Malformed> {
        name::skip(self.bytes, cursor)?;
        let [kind, _class] = [cursor.u16()?, cursor.u16()?];
        let ttl = cursor.u32()?;
        let length = usize::from(cursor.u16()?);
        let data_at = cursor.position();
        let data = cursor.take(length)?;
        if kind == 41 {
            // EDNS keeps the upper eight bits of the response code in the time to live.
            walk.extended_rcode = ((ttl >> 24) as u16) << 4;
        }
        if !answer {
            return Ok(());
        }
        walk.ttl = Some(walk.ttl.map_or(ttl, |shortest| shortest.min(ttl)));
        if walk.answers.len() < MOST_ANSWERS
            && let Some(text) = self.answer(kind, data_at, data)?
        {
            walk.answers.push(text);
        }
        Ok(())
    }

    /// The address or name of a record, as text.
    fn answer(&self, kind: u16, at: usize, data: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        // How many bytes stand before the name: preference of MX; priority, weight, port of SRV.
        let before = match kind {
            1 => {
                let octets: [u8; 4] = data.try_into().map_err(|_| Malformed::Short)?;
                return Ok(Some(Ipv4Addr::from(octets).to_string().into()));
            }
            28 => {
                let octets: [u8; 16] = data.try_into().map_err(|_| Malformed::Short)?;
                return Ok(Some(Ipv6Addr::from(octets).to_string().into()));
            }
            2 | 5 | 12 | 39 => 0,
            15 => 2,
            33 => 6,
            _ => return Ok(None),
        };
        let mut cursor = Cursor::new(self.bytes);
        cursor.skip(at.saturating_add(before))?;
        name::read(self.bytes, &mut cursor).map(Some)
    }
}
