//! Kerberos 5 messages (RFC 4120) as a client and a key distribution centre send them over TCP.
//! Everything that is encrypted is noise of the right size.

use crate::app::der::{all, tlv};
use crate::rng::Rng;

/// Port of the key distribution centre.
pub(crate) const PORT: u16 = 88;
/// AES-256 with SHA-1 (RFC 3962).
pub(crate) const AES: u8 = 18;
/// RC4 with HMAC-MD5 (RFC 4757), quick to try passwords on.
pub(crate) const RC4: u8 = 23;

fn number(n: u32) -> Vec<u8> {
    let bytes = n.to_be_bytes();
    let first = bytes.iter().position(|&b| b != 0).unwrap_or(3);
    // A number with its highest bit set would be negative.
    let sign: &[u8] = if bytes[first] > 127 { &[0] } else { &[] };
    tlv(2, &[sign, &bytes[first..]].concat())
}

fn field(n: u8, value: Vec<u8>) -> Vec<u8> {
    tlv(0xa0 | n, &value)
}

fn text(text: &str) -> Vec<u8> {
    tlv(0x1b, text.as_bytes())
}

/// A principal such as `cifs/files`.
fn principal(name: &str) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = name.split('/').map(text).collect();
    let kind = if parts.len() > 1 { 2 } else { 1 };
    all(0x30, &[field(0, number(kind)), field(1, all(0x30, &parts))])
}

fn encrypted(rng: &mut Rng, etype: u8, length: usize) -> Vec<u8> {
    let noise = tlv(4, &rng.bytes(length));
    all(0x30, &[field(0, number(etype.into())), field(1, number(3)), field(2, noise)])
}

fn ticket(rng: &mut Rng, realm: &str, service: &str, etype: u8) -> Vec<u8> {
    let length = 900 + rng.below(120) as usize;
    let parts = [
        field(0, number(5)),
        field(1, text(realm)),
        field(2, principal(service)),
        field(3, encrypted(rng, etype, length)),
    ];
    tlv(0x61, &all(0x30, &parts))
}

/// Over TCP a message follows its length.
fn framed(message: Vec<u8>) -> Vec<u8> {
    let mut out = (message.len() as u32).to_be_bytes().to_vec();
    out.extend(message);
    out
}

/// Who asks whom for what.
pub(crate) struct Exchange<'a> {
    pub(crate) realm: &'a str,
    pub(crate) user: &'a str,
    /// None for a log-on.
    pub(crate) service: Option<&'a str>,
    /// Encryption types that the client takes.
    pub(crate) takes: &'a [u8],
    /// Encryption of the ticket.
    pub(crate) gives: u8,
}

impl Exchange<'_> {
    fn granting(&self) -> String {
        format!("krbtgt/{}", self.realm)
    }

    /// The request.
    pub(crate) fn ask(&self, rng: &mut Rng) -> Vec<u8> {
        let granting = self.granting();
        let log_on = self.service.is_none();
        let (kind, proof) = if log_on {
            (10, [field(1, number(2)), field(2, tlv(4, &encrypted(rng, AES, 56)))])
        } else {
            let parts = [
                field(0, number(5)),
                field(1, number(14)),
                field(2, tlv(3, &[0, 0, 0, 0, 0])),
                field(3, ticket(rng, self.realm, &granting, AES)),
                field(4, encrypted(rng, AES, 180)),
            ];
            (12, [field(1, number(1)), field(2, tlv(4, &tlv(0x6e, &all(0x30, &parts))))])
        };
        let etypes: Vec<Vec<u8>> = self.takes.iter().map(|&e| number(e.into())).collect();
        let mut body = vec![field(0, tlv(3, &[0, 0x40, 0x81, 0, 0x10]))];
        if log_on {
            body.push(field(1, principal(self.user)));
        }
        body.extend([
            field(2, text(self.realm)),
            field(3, principal(self.service.unwrap_or(&granting))),
            field(5, tlv(0x18, b"20370913024805Z")),
            field(7, number(rng.next() as u32 >> 1)),
            field(8, all(0x30, &etypes)),
        ]);
        let parts = [
            field(1, number(5)),
            field(2, number(kind)),
            field(3, all(0x30, &[all(0x30, &proof)])),
            field(4, all(0x30, &body)),
        ];
        framed(tlv(0x60 | kind as u8, &all(0x30, &parts)))
    }

    /// The answer, with a ticket.
    pub(crate) fn answer(&self, rng: &mut Rng) -> Vec<u8> {
        let kind = if self.service.is_none() { 11 } else { 13 };
        let granting = self.granting();
        let service = self.service.unwrap_or(&granting);
        let parts = [
            field(0, number(5)),
            field(1, number(kind)),
            field(3, text(self.realm)),
            field(4, principal(self.user)),
            field(5, ticket(rng, self.realm, service, self.gives)),
            field(6, encrypted(rng, AES, 240)),
        ];
        framed(tlv(0x60 | kind as u8, &all(0x30, &parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_their_length_and_the_application_tags_of_the_standard() {
        let mut rng = Rng::new(1);
        for (service, tags) in [(None, [0x6a, 0x6b]), (Some("cifs/files"), [0x6c, 0x6d])] {
            let exchange =
                Exchange { realm: "SITE", user: "rn101", service, takes: &[AES, RC4], gives: AES };
            for (bytes, tag) in [exchange.ask(&mut rng), exchange.answer(&mut rng)].iter().zip(tags)
            {
                let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                assert_eq!((length as usize + 4, bytes[4]), (bytes.len(), tag));
            }
        }
        assert_eq!(number(200), [2, 2, 0, 200]);
    }
}
