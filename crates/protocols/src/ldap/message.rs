//! Operations and what of them is read.

use wire::cursor::Cursor;

use super::filter;
use crate::ber::{self, ENUMERATED, INTEGER, OCTETS, SEQUENCE};

/// Tags of operations (RFC 4511, 4.2 to 4.12).
pub(super) mod op {
    pub(in super::super) const BIND: u8 = 0x60;
    pub(in super::super) const BIND_ANSWER: u8 = 0x61;
    pub(in super::super) const UNBIND: u8 = 0x42;
    pub(in super::super) const SEARCH: u8 = 0x63;
    pub(in super::super) const ENTRY: u8 = 0x64;
    pub(in super::super) const SEARCH_DONE: u8 = 0x65;
    pub(in super::super) const REFERENCE: u8 = 0x73;
    pub(in super::super) const MODIFY: u8 = 0x66;
    pub(in super::super) const MODIFY_ANSWER: u8 = 0x67;
    pub(in super::super) const ADD: u8 = 0x68;
    pub(in super::super) const ADD_ANSWER: u8 = 0x69;
    pub(in super::super) const DELETE: u8 = 0x4a;
    pub(in super::super) const DELETE_ANSWER: u8 = 0x6b;
    pub(in super::super) const RENAME: u8 = 0x6c;
    pub(in super::super) const RENAME_ANSWER: u8 = 0x6d;
    pub(in super::super) const COMPARE: u8 = 0x6e;
    pub(in super::super) const EXTENDED: u8 = 0x77;
    pub(in super::super) const EXTENDED_ANSWER: u8 = 0x78;

    /// Whether it ends a request, with a result (RFC 4511, 4.1.9).
    pub(in super::super) const fn is_answer(tag: u8) -> bool {
        matches!(
            tag,
            BIND_ANSWER
                | SEARCH_DONE
                | MODIFY_ANSWER
                | ADD_ANSWER
                | DELETE_ANSWER
                | RENAME_ANSWER
                | EXTENDED_ANSWER
        )
    }
}

/// Most bytes of a name that are kept.
const LONGEST_NAME: usize = 256;
/// Most bytes of an attribute's name that are kept.
const LONGEST_ATTRIBUTE: usize = 64;
/// Attributes that are named.
pub(super) const MOST_ATTRIBUTES: usize = 16;

/// Number of a message, its operation, and that operation's value as far as it is there.
pub(super) fn envelope(message: &[u8]) -> Option<(u64, u8, &[u8])> {
    let mut cursor = Cursor::new(message);
    let number = ber::uint(ber::expect(&mut cursor, INTEGER)?)?;
    let operation = ber::next_cut(&mut cursor)?;
    Some((number, operation.tag, operation.value))
}

/// What is searched for.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) base: Box<[u8]>,
    pub(super) scope: &'static str,
    pub(super) filter: String,
    pub(super) attributes: Vec<Box<[u8]>>,
}

pub(super) fn search(value: &[u8]) -> Option<Search> {
    let mut cursor = Cursor::new(value);
    let base = cut(ber::expect(&mut cursor, OCTETS)?, LONGEST_NAME);
    let scope = match ber::expect(&mut cursor, ENUMERATED)? {
        [0] => "base",
        [1] => "one",
        [2] => "subtree",
        [3] => "children",
        _ => return None,
    };
    // Aliases, size limit, time limit, types only.
    for _ in 0..4 {
        ber::next(&mut cursor)?;
    }
    let filter = filter::shape(cursor.rest());
    // The filter is one element, however much is nested in it.
    let attributes = match ber::next(&mut cursor) {
        Some(_) => ber::expect(&mut cursor, SEQUENCE).map(names).unwrap_or_default(),
        None => Vec::new(),
    };
    Some(Search { base, scope, filter, attributes })
}

fn names(value: &[u8]) -> Vec<Box<[u8]>> {
    let names = ber::elements(value).filter(|element| element.tag == OCTETS);
    names.take(MOST_ATTRIBUTES).map(|name| cut(name.value, LONGEST_ATTRIBUTE)).collect()
}

/// What is changed of which entry.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) action: &'static str,
    pub(super) entry: Box<[u8]>,
    pub(super) attributes: Vec<Box<[u8]>>,
}

pub(super) fn change(tag: u8, value: &[u8]) -> Option<Change> {
    let mut cursor = Cursor::new(value);
    let (action, entry, attributes) = match tag {
        op::DELETE => ("delete", value, Vec::new()),
        op::RENAME => ("rename", ber::expect(&mut cursor, OCTETS)?, Vec::new()),
        op::ADD => {
            let entry = ber::expect(&mut cursor, OCTETS)?;
            let list = ber::next_cut(&mut cursor)?;
            ("add", entry, attribute_names(list.value, false))
        }
        op::MODIFY => {
            let entry = ber::expect(&mut cursor, OCTETS)?;
            let list = ber::next_cut(&mut cursor)?;
            ("modify", entry, attribute_names(list.value, true))
        }
        _ => return None,
    };
    Some(Change { action, entry: cut(entry, LONGEST_NAME), attributes })
}

/// Names in a list of attributes, or of changes to attributes; each once.
fn attribute_names(list: &[u8], changes: bool) -> Vec<Box<[u8]>> {
    let mut names: Vec<Box<[u8]>> = Vec::new();
    for item in ber::elements(list).take(4 * MOST_ATTRIBUTES) {
        let mut cursor = Cursor::new(item.value);
        let mut inner = Cursor::new(item.value);
        if changes {
            // What to do, then the attribute.
            let Some(attribute) =
                ber::next(&mut cursor).and_then(|_| ber::expect(&mut cursor, SEQUENCE))
            else {
                continue;
            };
            inner = Cursor::new(attribute);
        }
        let Some(name) = ber::expect(&mut inner, OCTETS) else { continue };
        let name = cut(name, LONGEST_ATTRIBUTE);
        if names.len() < MOST_ATTRIBUTES && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Attributes of an entry that make it a Java object, and where its code lies (RFC 2713, 3).
pub(super) fn java(value: &[u8], found: &mut Vec<&'static str>, codebase: &mut Box<[u8]>) {
    const NAMES: [&str; 6] = [
        "javaClassName",
        "javaCodebase",
        "javaFactory",
        "javaSerializedData",
        "javaReferenceAddress",
        "javaRemoteLocation",
    ];
    let mut cursor = Cursor::new(value);
    if ber::next(&mut cursor).is_none() {
        return;
    }
    let Some(list) = ber::next_cut(&mut cursor) else { return };
    for item in ber::elements(list.value) {
        let mut inner = Cursor::new(item.value);
        let Some(name) = ber::expect(&mut inner, OCTETS) else { continue };
        let Some(known) = NAMES.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name))
        else {
            continue;
        };
        if !found.contains(known) {
            found.push(known);
        }
        if *known == "javaCodebase"
            && codebase.is_empty()
            && let Some(first) =
                ber::next(&mut inner).and_then(|set| ber::elements(set.value).next())
        {
            *codebase = cut(first.value, LONGEST_NAME);
        }
    }
}

/// Object identifier of an extended operation.
pub(super) fn extended(value: &[u8]) -> Option<Box<[u8]>> {
    ber::expect(&mut Cursor::new(value), 0x80).map(|oid| cut(oid, LONGEST_ATTRIBUTE))
}

/// Result code of an answer.
pub(super) fn code(value: &[u8]) -> Option<u64> {
    ber::uint(ber::expect(&mut Cursor::new(value), ENUMERATED)?)
}

pub(super) fn cut(text: &[u8], most: usize) -> Box<[u8]> {
    text.get(..most).unwrap_or(text).into()
}
