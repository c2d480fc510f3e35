//! Questions and records one by one, for the cousins that say something in every section.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::cursor::Cursor;

use super::super::name;
use super::{Malformed, Message, Question};

/// Most questions and records of a message that are looked at: a datagram of 9000 bytes (RFC 6762,
/// 17) holds hardly more.
const MOST: usize = 256;

/// One record of the answer, authority or additional section.
#[derive(Debug)]
pub(in super::super) struct Record<'a> {
    /// As it was written: not in lower case.
    pub(in super::super) name: Vec<u8>,
    pub(in super::super) kind: u16,
    /// In seconds; 0 takes the record back.
    pub(in super::super) ttl: u32,
    pub(in super::super) data: &'a [u8],
    at: usize,
}

impl<'a> Message<'a> {
    /// All questions, as far as they can be read.
    pub(in super::super) fn all_questions(&self) -> Vec<Question> {
        let mut cursor = Cursor::new(self.bytes);
        if cursor.skip(super::HEADER).is_err() {
            return Vec::new();
        }
        let mut question = || -> Result<Question, Malformed> {
            let name = name::read(self.bytes, &mut cursor)?;
            Ok(Question { name, kind: cursor.u16()?, class: cursor.u16()? })
        };
        let count = usize::from(self.questions).min(MOST);
        (0..count).map_while(|_| question().ok()).collect()
    }

    /// All records of all sections, as far as they can be read.
    pub(in super::super) fn all_records(&self) -> Vec<Record<'a>> {
        let mut cursor = Cursor::new(self.bytes);
        let mut begin = || -> Result<(), Malformed> {
            cursor.skip(self.after_first)?;
            for _ in 1..self.questions {
                name::skip(self.bytes, &mut cursor)?;
                cursor.skip(4)?;
            }
            Ok(())
        };
        if begin().is_err() {
            return Vec::new();
        }
        let sections = [self.answers, self.authorities, self.additionals];
        let count = sections.iter().fold(0_usize, |sum, n| sum.saturating_add(usize::from(*n)));
        (0..count.min(MOST)).map_while(|_| self.one(&mut cursor).ok()).collect()
    }

    /// Whether it carries records that its sender is about to claim (RFC 6762, 8.1).
    pub(in super::super) const fn proposes(&self) -> bool {
        !self.is_response && self.authorities > 0
    }

    fn one(&self, cursor: &mut Cursor<'a>) -> Result<Record<'a>, Malformed> {
        let name = name::read_as_written(self.bytes, cursor)?;
        let [kind, _class] = [cursor.u16()?, cursor.u16()?];
        let ttl = cursor.u32()?;
        let length = usize::from(cursor.u16()?);
        let at = cursor.position();
        Ok(Record { name, kind, ttl, data: cursor.take(length)?, at })
    }

    /// The name in a record's data, behind so many bytes.
    pub(in super::super) fn name_in(&self, record: &Record<'_>, before: usize) -> Option<Vec<u8>> {
        let mut cursor = Cursor::new(self.bytes);
        cursor.skip(record.at.checked_add(before)?).ok()?;
        name::read_as_written(self.bytes, &mut cursor).ok()
    }
}

impl Record<'_> {
    /// The address of an A or AAAA record.
    pub(in super::super) fn address(&self) -> Option<IpAddr> {
        match self.kind {
            1 => self.data.try_into().ok().map(|octets: [u8; 4]| Ipv4Addr::from(octets).into()),
            28 => self.data.try_into().ok().map(|octets: [u8; 16]| Ipv6Addr::from(octets).into()),
            _ => None,
        }
    }

    /// The character strings of a TXT or HINFO record.
    pub(in super::super) fn strings(&self) -> impl Iterator<Item = &[u8]> {
        let mut cursor = Cursor::new(self.data);
        std::iter::from_fn(move || {
            let length = cursor.u8().ok()?;
            cursor.take(usize::from(length)).ok()
        })
    }
}
