//! DNS messages (RFC 1035), also as mDNS (RFC 6762).

use std::net::Ipv4Addr;

/// Types of records.
pub(crate) const A: u16 = 1;
pub(crate) const PTR: u16 = 12;
pub(crate) const TXT: u16 = 16;
pub(crate) const AAAA: u16 = 28;

fn name(text: &str) -> Vec<u8> {
    let mut out = vec![];
    for label in text.split('.').filter(|l| !l.is_empty()) {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

fn header(id: u16, flags: u16, questions: u16, answers: u16) -> Vec<u8> {
    let mut out = vec![];
    for word in [id, flags, questions, answers, 0, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out
}

fn question(id: u16, flags: u16, text: &str, kind: u16, answers: u16) -> Vec<u8> {
    let mut out = header(id, flags, 1, answers);
    out.extend(name(text));
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out
}

/// A question with recursion desired.
pub(crate) fn query(id: u16, text: &str, kind: u16) -> Vec<u8> {
    question(id, 0x0100, text, kind, 0)
}

/// An answer with records of the type asked for; none of them and no error where `data` is empty.
pub(crate) fn answer(id: u16, text: &str, kind: u16, ttl: u32, data: &[Vec<u8>]) -> Vec<u8> {
    let mut out = question(id, 0x8180, text, kind, data.len() as u16);
    for record in data {
        out.extend_from_slice(&[0xc0, 12]);
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0, 1]);
        out.extend_from_slice(&ttl.to_be_bytes());
        out.extend_from_slice(&(record.len() as u16).to_be_bytes());
        out.extend_from_slice(record);
    }
    out
}

/// An answer that the name does not exist.
pub(crate) fn no_such_name(id: u16, text: &str, kind: u16) -> Vec<u8> {
    question(id, 0x8183, text, kind, 0)
}

/// The data of an A record.
pub(crate) fn address(ip: Ipv4Addr) -> Vec<u8> {
    ip.octets().to_vec()
}

/// The data of a TXT record.
pub(crate) fn txt(text: &str) -> Vec<u8> {
    let mut out = vec![];
    for piece in text.as_bytes().chunks(255) {
        out.push(piece.len() as u8);
        out.extend_from_slice(piece);
    }
    out
}

/// An mDNS question about a kind of service, such as `_ipp._tcp.local`.
pub(crate) fn browse(service: &str) -> Vec<u8> {
    question(0, 0, service, PTR, 0)
}

/// An mDNS announcement: this service is given by that instance.
pub(crate) fn announce(service: &str, instance: &str) -> Vec<u8> {
    let mut out = header(0, 0x8400, 0, 1);
    out.extend(name(service));
    out.extend_from_slice(&PTR.to_be_bytes());
    out.extend_from_slice(&[0, 1, 0, 0, 0x11, 0x94]);
    let data = name(&format!("{instance}.{service}"));
    out.extend_from_slice(&(data.len() as u16).to_be_bytes());
    out.extend(data);
    out
}
