//! Whether a direction begins with an LDAP message: an envelope with a number, then an operation
//! whose own first field is what that operation begins with. SNMP has another tag there.

use model::emit::Probe;
use wire::cursor::Cursor;

use super::message::op;
use crate::ber::{self, ENUMERATED, INTEGER, NoHeader, OCTETS, SEQUENCE};

/// Longest message that a connection begins with.
const LONGEST_FIRST: usize = 16 << 20;

pub(super) fn probe(start: &[u8]) -> Probe {
    if start.first().is_some_and(|&tag| tag != SEQUENCE) {
        return Probe::No;
    }
    let mut cursor = Cursor::new(start);
    match step(&mut cursor, start) {
        Ok(true) => Probe::Yes,
        Ok(false) | Err(NoHeader::Broken) => Probe::No,
        Err(NoHeader::Short) => Probe::Unsure,
    }
}

fn step(cursor: &mut Cursor<'_>, start: &[u8]) -> Result<bool, NoHeader> {
    let short = |_| NoHeader::Short;
    let envelope = ber::header(start)?;
    if envelope.length > LONGEST_FIRST || envelope.length < 5 {
        return Ok(false);
    }
    cursor.skip(envelope.head).map_err(short)?;
    let number = ber::header(cursor.rest())?;
    if number.tag != INTEGER || !(1..=4).contains(&number.length) {
        return Ok(false);
    }
    cursor.skip(number.whole()).map_err(short)?;
    let operation = ber::header(cursor.rest())?;
    let room = envelope.whole().saturating_sub(cursor.position());
    if operation.whole() > room {
        return Ok(false);
    }
    cursor.skip(operation.head).map_err(short)?;
    let (first, length) = match operation.tag {
        op::BIND => (INTEGER, 1..=1),
        op::SEARCH | op::ENTRY | op::MODIFY | op::ADD | op::RENAME | op::COMPARE => {
            (OCTETS, 0..=operation.length)
        }
        tag if op::is_answer(tag) => (ENUMERATED, 1..=1),
        op::EXTENDED => (0x80, 1..=128),
        _ => return Ok(false),
    };
    let field = ber::header(cursor.rest())?;
    if field.tag != first || !length.contains(&field.length) || field.whole() > operation.length {
        return Ok(false);
    }
    match operation.tag {
        op::BIND => match cursor.rest().get(2) {
            None => Err(NoHeader::Short),
            Some(version) => Ok(matches!(version, 2 | 3)),
        },
        // After the base stands the scope.
        op::SEARCH => {
            // A base that is longer than what is kept while probing is none.
            if field.length > 2_048 {
                return Ok(false);
            }
            cursor.skip(field.whole()).map_err(short)?;
            let scope = cursor.array::<3>().map_err(short)?;
            Ok(matches!(scope, [ENUMERATED, 1, 0..=3]))
        }
        _ => Ok(true),
    }
}
