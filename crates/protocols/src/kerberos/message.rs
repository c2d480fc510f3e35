//! Messages of the key distribution centre (RFC 4120, 5.4 and 5.9), field by field.
//!
//! Each field has its number as a tag, so that a field that is missing or unknown changes nothing
//! for the others.

use model::emit::Probe;
use wire::cursor::Cursor;

use crate::ber::{self, INTEGER, NoHeader, SEQUENCE};

const AS_REQUEST: u8 = 0x6a;
const AS_REPLY: u8 = 0x6b;
const TGS_REQUEST: u8 = 0x6c;
const TGS_REPLY: u8 = 0x6d;
const ERROR: u8 = 0x7e;
const TICKET: u8 = 0x61;
const GENERAL_STRING: u8 = 0x1b;

/// Ways to prove that one knows a key before a ticket is handed out (RFC 4120, 5.2.7; RFC 4556; RFC
/// 6113; RFC 6560).
const PREAUTHENTICATION: [i32; 6] = [2, 14, 16, 136, 138, 142];
/// A service asks for a ticket in a user's name (MS-SFU): by name, and by certificate.
const FOR_USER: [i32; 2] = [129, 130];

/// Most bytes of a principal or realm that are kept.
const LONGEST_NAME: usize = 256;
/// Parts of a principal, encryption types and pre-authentication data that are read.
const MOST_PARTS: usize = 8;
const MOST_ETYPES: usize = 16;
const MOST_PREAUTH: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) tgs: bool,
    pub(super) nonce: u64,
    pub(super) client: Vec<u8>,
    pub(super) realm: Vec<u8>,
    pub(super) service: Vec<u8>,
    pub(super) etypes: Vec<i32>,
    pub(super) preauth: bool,
    pub(super) for_user: bool,
}

#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Which request it answers; an error does not say.
    pub(super) tgs: Option<bool>,
    pub(super) code: Option<i32>,
    pub(super) client: Vec<u8>,
    pub(super) ticket_etype: Option<i32>,
    pub(super) reply_etype: Option<i32>,
}

pub(super) enum Message {
    Request(Request),
    Answer(Answer),
    /// Of no interest here.
    Other,
}

/// Whether bytes begin with a message of the centre that is `whole` bytes long.
pub(super) fn probe(start: &[u8], whole: usize) -> Probe {
    let Some(&tag) = start.first() else { return Probe::Unsure };
    // Version 5 is the first field; then comes the type, which the tag has said already.
    let version = match tag {
        AS_REQUEST | TGS_REQUEST => 1,
        AS_REPLY | TGS_REPLY | ERROR => 0,
        _ => return Probe::No,
    };
    let field = 0xa0 | version;
    let expected = [field, 3, INTEGER, 1, 5, field.saturating_add(1), 3, INTEGER, 1, tag & 0x1f];
    let mut rest = start;
    for (tag, room) in [(tag, Some(whole)), (SEQUENCE, None)] {
        match ber::header(rest) {
            Ok(header) if header.tag != tag => return Probe::No,
            Ok(header) if room.is_some_and(|room| room != header.whole()) => return Probe::No,
            Ok(header) => rest = rest.get(header.head..).unwrap_or_default(),
            Err(NoHeader::Short) => return Probe::Unsure,
            Err(NoHeader::Broken) => return Probe::No,
        }
    }
    let seen = rest.get(..expected.len()).unwrap_or(rest);
    if !expected.starts_with(seen) {
        return Probe::No;
    }
    if seen.len() == expected.len() { Probe::Yes } else { Probe::Unsure }
}

/// Reads a message; nothing where it is broken.
pub(super) fn read(bytes: &[u8]) -> Option<Message> {
    let mut cursor = Cursor::new(bytes);
    let message = ber::next(&mut cursor)?;
    let body = match message.tag {
        AS_REQUEST | TGS_REQUEST | AS_REPLY | TGS_REPLY | ERROR => {
            ber::expect(&mut Cursor::new(message.value), SEQUENCE)?
        }
        _ => return Some(Message::Other),
    };
    Some(match message.tag {
        AS_REQUEST | TGS_REQUEST => Message::Request(request(body, message.tag == TGS_REQUEST)?),
        ERROR => Message::Answer(error(body)?),
        tag => Message::Answer(reply(body, tag == TGS_REPLY)?),
    })
}

fn request(body: &[u8], tgs: bool) -> Option<Request> {
    let mut request = Request { tgs, ..Request::default() };
    let mut whole = false;
    for field in ber::elements(body) {
        match field.tag {
            0xa3 => request.preauthentication(field.value),
            0xa4 => {
                whole = true;
                request.body(ber::expect(&mut Cursor::new(field.value), SEQUENCE)?);
            }
            _ => {}
        }
    }
    whole.then_some(request)
}

impl Request {
    fn preauthentication(&mut self, value: &[u8]) {
        let list = ber::expect(&mut Cursor::new(value), SEQUENCE).unwrap_or_default();
        for item in ber::elements(list).take(MOST_PREAUTH) {
            let kind = ber::elements(item.value).find(|field| field.tag == 0xa1);
            let Some(kind) = kind.and_then(|field| number(field.value)) else { continue };
            self.preauth |= PREAUTHENTICATION.contains(&kind);
            self.for_user |= FOR_USER.contains(&kind);
        }
    }

    fn body(&mut self, body: &[u8]) {
        for field in ber::elements(body) {
            match field.tag {
                0xa1 => self.client = principal(field.value),
                0xa2 => self.realm = text(field.value),
                0xa3 => self.service = principal(field.value),
                0xa7 => self.nonce = nonce(field.value),
                0xa8 => {
                    let list = ber::expect(&mut Cursor::new(field.value), SEQUENCE);
                    let etypes = ber::elements(list.unwrap_or_default());
                    self.etypes = etypes
                        .take(MOST_ETYPES)
                        .filter_map(|etype| ber::int(etype.value))
                        .collect();
                }
                _ => {}
            }
        }
    }
}

fn reply(body: &[u8], tgs: bool) -> Option<Answer> {
    let mut answer = Answer { tgs: Some(tgs), ..Answer::default() };
    let mut whole = false;
    for field in ber::elements(body) {
        match field.tag {
            0xa4 => answer.client = principal(field.value),
            0xa5 => {
                let ticket = ber::expect(&mut Cursor::new(field.value), TICKET)?;
                let ticket = ber::expect(&mut Cursor::new(ticket), SEQUENCE)?;
                let sealed = ber::elements(ticket).find(|field| field.tag == 0xa3);
                answer.ticket_etype = sealed.and_then(|sealed| etype(sealed.value));
            }
            0xa6 => {
                whole = true;
                answer.reply_etype = etype(field.value);
            }
            _ => {}
        }
    }
    whole.then_some(answer)
}

fn error(body: &[u8]) -> Option<Answer> {
    let mut answer = Answer::default();
    for field in ber::elements(body) {
        match field.tag {
            0xa6 => answer.code = number(field.value),
            0xa8 => answer.client = principal(field.value),
            _ => {}
        }
    }
    answer.code.map(|_| answer)
}

/// The type within EncryptedData.
fn etype(value: &[u8]) -> Option<i32> {
    let sealed = ber::expect(&mut Cursor::new(value), SEQUENCE)?;
    ber::elements(sealed).find(|field| field.tag == 0xa0).and_then(|field| number(field.value))
}

fn number(value: &[u8]) -> Option<i32> {
    ber::int(ber::expect(&mut Cursor::new(value), INTEGER)?)
}

/// Some clients write the highest half of all numbers as negative ones: bits are enough here.
fn nonce(value: &[u8]) -> u64 {
    let bytes = ber::expect(&mut Cursor::new(value), INTEGER).unwrap_or_default();
    let low = bytes.get(bytes.len().saturating_sub(4)..).unwrap_or_default();
    low.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn text(value: &[u8]) -> Vec<u8> {
    let text = ber::expect(&mut Cursor::new(value), GENERAL_STRING).unwrap_or_default();
    text.get(..LONGEST_NAME).unwrap_or(text).to_vec()
}

/// Parts of a name with slashes between, as everybody writes them.
fn principal(value: &[u8]) -> Vec<u8> {
    let name = ber::expect(&mut Cursor::new(value), SEQUENCE).unwrap_or_default();
    let parts = ber::elements(name).find(|field| field.tag == 0xa1);
    let parts = parts.and_then(|field| ber::expect(&mut Cursor::new(field.value), SEQUENCE));
    let mut out = Vec::new();
    for part in ber::elements(parts.unwrap_or_default()).take(MOST_PARTS) {
        if !out.is_empty() {
            out.push(b'/');
        }
        let room = LONGEST_NAME.saturating_sub(out.len());
        out.extend_from_slice(part.value.get(..room).unwrap_or(part.value));
    }
    out
}
