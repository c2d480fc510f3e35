//! The shape of a search filter (RFC 4515): its attributes, without values that could name somebody.
//!
//! `(&(objectClass=user)(servicePrincipalName=*))` is how accounts to crack are looked for, and
//! `(&(objectClass=user)(sAMAccountName=?))` how somebody logs on: the shape tells them apart.

use wire::cursor::Cursor;

use crate::ber::{self, NoHeader};

/// Longest shape that is written.
const LONGEST: usize = 256;
/// Filters within filters that are followed.
const DEEPEST: usize = 16;
/// Longest value and longest name of an attribute that are shown.
const LONGEST_SHOWN: usize = 48;

/// Attributes whose values name kinds of entries, and not entries.
const KINDS: [&[u8]; 8] = [
    b"objectClass",
    b"objectCategory",
    b"sAMAccountType",
    b"userAccountControl",
    b"userAccountControl:1.2.840.113556.1.4.803:",
    b"groupType",
    b"adminCount",
    b"primaryGroupID",
];

/// The shape of the filter that bytes begin with.
pub(super) fn shape(bytes: &[u8]) -> String {
    let mut out = String::new();
    // Where each filter that is still open ends.
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0_usize;
    loop {
        while open.last().is_some_and(|&end| at >= end) {
            open.pop();
            out.push(')');
            if open.is_empty() {
                return out;
            }
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let header = match ber::header(rest) {
            Ok(header) if out.len() < LONGEST => header,
            Ok(_) | Err(NoHeader::Short | NoHeader::Broken) => return cut_off(out, open.len()),
        };
        let body = at.saturating_add(header.head);
        let end = at.saturating_add(header.whole());
        let mark = match header.tag {
            0xa0 => Some('&'),
            0xa1 => Some('|'),
            0xa2 => Some('!'),
            _ => None,
        };
        if let Some(mark) = mark {
            if open.len() >= DEEPEST {
                return cut_off(out, open.len());
            }
            out.push('(');
            out.push(mark);
            let outer = open.last().copied().unwrap_or(end);
            open.push(end.min(outer));
            at = body;
            continue;
        }
        let Some(value) = bytes.get(body..end) else { return cut_off(out, open.len()) };
        if leaf(header.tag, value, &mut out).is_none() {
            return cut_off(out, open.len());
        }
        at = end;
        if open.is_empty() {
            return out;
        }
    }
}

/// Closes what is open, with a sign that something is missing.
fn cut_off(mut out: String, open: usize) -> String {
    out.push('…');
    out.extend(std::iter::repeat_n(')', open));
    out
}

fn leaf(tag: u8, value: &[u8], out: &mut String) -> Option<()> {
    let mut cursor = Cursor::new(value);
    let (name, sign, value) = match tag {
        0x87 => (shown(value), "=", Some("*".to_owned())),
        0xa4 => (shown(ber::next(&mut cursor)?.value), "=", Some("*?*".to_owned())),
        0xa9 => {
            let (mut rule, mut name, mut value) = (&[][..], &[][..], &[][..]);
            for part in ber::elements(value_of(&cursor)) {
                match part.tag {
                    0x81 => rule = part.value,
                    0x82 => name = part.value,
                    0x83 => value = part.value,
                    _ => {}
                }
            }
            let name = format!("{}:{}:", shown(name), shown(rule));
            (name, "=", Some(shown(value)))
        }
        0xa3 | 0xa5 | 0xa6 | 0xa8 => {
            let name = shown(ber::next(&mut cursor)?.value);
            let value = shown(ber::next(&mut cursor)?.value);
            let sign = match tag {
                0xa5 => ">=",
                0xa6 => "<=",
                0xa8 => "~=",
                _ => "=",
            };
            (name, sign, Some(value))
        }
        _ => return None,
    };
    let kind = KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(name.as_bytes()));
    let value = match value {
        Some(value) if kind || matches!(&*value, "*" | "*?*") => value,
        _ => "?".to_owned(),
    };
    for part in ["(", &name, sign, &value, ")"] {
        out.push_str(part);
    }
    Some(())
}

fn value_of<'a>(cursor: &Cursor<'a>) -> &'a [u8] {
    cursor.rest()
}

/// Text without what filters and screens give a meaning to.
fn shown(text: &[u8]) -> String {
    let head = text.get(..LONGEST_SHOWN).unwrap_or(text);
    let plain = |byte: &u8| match byte {
        b'(' | b')' | b'\\' => '?',
        0x20..=0x7e => char::from(*byte),
        _ => '?',
    };
    head.iter().map(plain).collect()
}
