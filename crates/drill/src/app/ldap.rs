//! LDAP version 3 messages (RFC 4511): a bind, a search, its entries, and an end.

use crate::app::der::{all, tlv};

/// Port of a directory.
pub(crate) const PORT: u16 = 389;

fn number(n: u32) -> Vec<u8> {
    let bytes = n.to_be_bytes();
    let first = bytes.iter().position(|&b| b != 0).unwrap_or(3);
    let sign: &[u8] = if bytes[first] > 127 { &[0] } else { &[] };
    tlv(2, &[sign, &bytes[first..]].concat())
}

fn message(id: u32, body: Vec<u8>) -> Vec<u8> {
    all(0x30, &[number(id), body])
}

/// Success, in an answer of this tag.
fn success(id: u32, tag: u8) -> Vec<u8> {
    message(id, all(tag, &[tlv(10, &[0]), tlv(4, b""), tlv(4, b"")]))
}

/// A bind with a ticket (GSS-SPNEGO), which is only noise here, and the server's yes.
pub(crate) fn bind(id: u32, ticket: &[u8]) -> [Vec<u8>; 2] {
    let sasl = all(0xa3, &[tlv(4, b"GSS-SPNEGO"), tlv(4, ticket)]);
    [message(id, all(0x60, &[number(3), tlv(4, b""), sasl])), success(id, 0x61)]
}

/// What a search asks for.
pub(crate) enum Filter<'a> {
    /// Entries that have an attribute at all.
    Present(&'a str),
    /// Entries where an attribute has a value.
    Equal(&'a str, &'a str),
    /// Both.
    And(&'a [Filter<'a>]),
}

impl Filter<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Present(attribute) => tlv(0x87, attribute.as_bytes()),
            Self::Equal(attribute, value) => {
                all(0xa3, &[tlv(4, attribute.as_bytes()), tlv(4, value.as_bytes())])
            }
            Self::And(parts) => all(0xa0, &parts.iter().map(Self::bytes).collect::<Vec<_>>()),
        }
    }
}

/// A search of a whole subtree for some attributes.
pub(crate) fn search(id: u32, base: &str, filter: &Filter<'_>, attributes: &[&str]) -> Vec<u8> {
    let attributes: Vec<Vec<u8>> = attributes.iter().map(|a| tlv(4, a.as_bytes())).collect();
    let parts = [
        tlv(4, base.as_bytes()),
        tlv(10, &[2]),
        tlv(10, &[0]),
        number(0),
        number(0),
        tlv(1, &[0]),
        filter.bytes(),
        all(0x30, &attributes),
    ];
    message(id, all(0x63, &parts))
}

/// An entry that was found.
pub(crate) fn entry(id: u32, name: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let attributes: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(attribute, value)| {
            let values = tlv(0x31, &tlv(4, value.as_bytes()));
            all(0x30, &[tlv(4, attribute.as_bytes()), values])
        })
        .collect();
    message(id, all(0x64, &[tlv(4, name.as_bytes()), all(0x30, &attributes)]))
}

/// That was all.
pub(crate) fn done(id: u32) -> Vec<u8> {
    success(id, 0x65)
}

/// The end.
pub(crate) fn unbind(id: u32) -> Vec<u8> {
    message(id, tlv(0x42, b""))
}
