//! RADIUS packets (RFC 2865, RFC 5176) from lines such as `Session-Timeout = 900`, the notation of
//! `radclient`: what people approve is what is sent.

use std::net::Ipv4Addr;

use hmac::{Hmac, Mac as _};
use md5::{Digest, Md5};

/// Most bytes of a packet (RFC 2865, 3).
pub(super) const LONGEST: usize = 4_096;
const HEADER: usize = 20;
const MESSAGE_AUTHENTICATOR: u8 = 80;
const EVENT_TIMESTAMP: u8 = 55;
const ERROR_CAUSE: u8 = 101;
const VENDOR: u8 = 26;
const CISCO: u32 = 9;
const CISCO_AVPAIR: u8 = 1;

/// How the value of an attribute is written.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Address,
    /// A number with a tag of zero before it (RFC 2868).
    Tagged,
    CiscoAvPair,
}

/// The attributes that we send: no other is understood.
const ATTRIBUTES: &[(&str, u8, Kind)] = &[
    ("NAS-IP-Address", 4, Kind::Address),
    ("Filter-Id", 11, Kind::Text),
    ("Session-Timeout", 27, Kind::Number),
    ("Termination-Action", 29, Kind::Number),
    ("Calling-Station-Id", 31, Kind::Text),
    ("Acct-Session-Id", 44, Kind::Text),
    ("Tunnel-Type", 64, Kind::Tagged),
    ("Tunnel-Medium-Type", 65, Kind::Tagged),
    ("Tunnel-Private-Group-Id", 81, Kind::Text),
    ("Cisco-AVPair", VENDOR, Kind::CiscoAvPair),
];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Disconnect-Request.
    Disconnect = 40,
    /// CoA-Request.
    Change = 43,
}

impl Code {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Disconnect => "Disconnect-Request",
            Self::Change => "CoA-Request",
        }
    }
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Yes; and whether it carries a Message-Authenticator.
    Yes { signed: bool },
    /// No, and the Error-Cause, zero where there is none.
    No { cause: u32 },
}

/// A packet to send.
pub(super) struct Request {
    pub(super) bytes: Vec<u8>,
}

/// The bytes of a request. `now` is in seconds since 1970.
///
/// # Errors
/// Where a line is not understood.
pub(super) fn request(
    lines: &[String],
    identifier: u8,
    now: u32,
    secret: &[u8],
) -> Result<Request, String> {
    let [kind, attributes @ ..] = lines else { return Err("nothing to send".to_owned()) };
    let code = [Code::Change, Code::Disconnect].into_iter().find(|code| code.name() == kind);
    let code = code.ok_or_else(|| format!("'{kind}' is no request"))?;
    // First of all attributes, so that nothing an attacker can predict stands before it
    // (CVE-2024-3596).
    let mut body = vec![MESSAGE_AUTHENTICATOR, 18];
    body.extend([0; 16]);
    for line in attributes {
        attribute(&mut body, line)?;
    }
    push(&mut body, EVENT_TIMESTAMP, &now.to_be_bytes())?;
    let length = u16::try_from(HEADER + body.len()).unwrap_or(u16::MAX);
    if usize::from(length) > LONGEST {
        return Err("the request is too long".to_owned());
    }
    let mut bytes = vec![code as u8, identifier];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 16]);
    bytes.extend(body);
    let signature = sign(secret, &bytes);
    bytes[HEADER + 2..HEADER + 18].copy_from_slice(&signature);
    let authenticator = Md5::new().chain_update(&bytes).chain_update(secret).finalize();
    bytes[4..HEADER].copy_from_slice(&authenticator);
    Ok(Request { bytes })
}

fn sign(secret: &[u8], bytes: &[u8]) -> [u8; 16] {
    keyed(secret).chain_update(bytes).finalize().into_bytes().into()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(secret: &[u8]) -> Hmac<Md5> {
    <Hmac<Md5>>::new_from_slice(secret).expect("HMAC takes keys of any length")
}

fn attribute(body: &mut Vec<u8>, line: &str) -> Result<(), String> {
    let refuse = || format!("'{line}' is no attribute that is sent");
    let (name, value) = line.split_once(" = ").ok_or_else(refuse)?;
    let known = ATTRIBUTES.iter().find(|(known, ..)| *known == name);
    let &(_, code, kind) = known.ok_or_else(refuse)?;
    match kind {
        Kind::Text => push(body, code, text(value).ok_or_else(refuse)?.as_bytes()),
        Kind::Number => {
            let number: u32 = number(value).ok_or_else(refuse)?;
            push(body, code, &number.to_be_bytes())
        }
        Kind::Tagged => {
            let number: u32 = number(value).filter(|&n| n < 1 << 24).ok_or_else(refuse)?;
            push(body, code, &number.to_be_bytes())
        }
        Kind::Address => {
            let address: Ipv4Addr = value.parse().map_err(|_| refuse())?;
            push(body, code, &address.octets())
        }
        Kind::CiscoAvPair => {
            let text = text(value).ok_or_else(refuse)?.as_bytes();
            let length = u8::try_from(text.len() + 2).map_err(|_| refuse())?;
            let mut inner = CISCO.to_be_bytes().to_vec();
            inner.extend([CISCO_AVPAIR, length]);
            inner.extend(text);
            push(body, code, &inner)
        }
    }
}

/// Numbers have names in two attributes.
fn number(value: &str) -> Option<u32> {
    match value {
        "RADIUS-Request" => Some(1),
        "VLAN" => Some(13),
        "IEEE-802" => Some(6),
        other => other.parse().ok(),
    }
}

/// Text between quotation marks, without any inside.
fn text(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    is_text(inner).then_some(inner)
}

/// Whether a text can be the value of an attribute.
pub(super) fn is_text(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
    (1..=240).contains(&text.len()) && text.chars().all(plain)
}

fn push(body: &mut Vec<u8>, code: u8, value: &[u8]) -> Result<(), String> {
    let length = u8::try_from(value.len() + 2).map_err(|_| "an attribute is too long")?;
    body.extend([code, length]);
    body.extend(value);
    Ok(())
}

impl Request {
    /// The answer in a datagram; nothing where it is not the answer to this, or not by who knows the
    /// secret.
    ///
    /// The Message-Authenticator of an answer is computed with the authenticator of the request (RFC
    /// 5176, 3.3). FreeRADIUS 3.2.1 puts zeros there, which is taken too: the Response Authenticator
    /// still ties the answer to the request.
    pub(super) fn answer(&self, bytes: &[u8], secret: &[u8]) -> Option<Answer> {
        let (&code, &identifier) = (bytes.first()?, bytes.get(1)?);
        let length = usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
        if identifier != self.bytes[1] || !(HEADER..=bytes.len()).contains(&length) {
            return None;
        }
        let bytes = bytes.get(..length)?;
        let own = &self.bytes[4..HEADER];
        let expected = Md5::new()
            .chain_update(&bytes[..4])
            .chain_update(own)
            .chain_update(&bytes[HEADER..])
            .chain_update(secret)
            .finalize();
        if expected.as_slice() != &bytes[4..HEADER] {
            return None;
        }
        let (mut signed, mut cause) = (false, 0);
        let mut at = HEADER;
        while at < length {
            let size = usize::from(*bytes.get(at + 1)?);
            if size < 2 {
                return None;
            }
            let value = bytes.get(at + 2..at + size)?;
            match bytes[at] {
                MESSAGE_AUTHENTICATOR => {
                    let good = value.len() == 16
                        && [own, &[0; 16]].into_iter().any(|authenticator| {
                            is_signed(secret, bytes, at, authenticator, value)
                        });
                    if !good {
                        return None;
                    }
                    signed = true;
                }
                ERROR_CAUSE => cause = u32::from_be_bytes(value.try_into().ok()?),
                _ => {}
            }
            at += size;
        }
        let request = self.bytes[0];
        match code.checked_sub(request)? {
            1 => Some(Answer::Yes { signed }),
            2 => Some(Answer::No { cause }),
            _ => None,
        }
    }
}

fn is_signed(secret: &[u8], bytes: &[u8], at: usize, authenticator: &[u8], value: &[u8]) -> bool {
    keyed(secret)
        .chain_update(&bytes[..4])
        .chain_update(authenticator)
        .chain_update(&bytes[HEADER..at + 2])
        .chain_update([0; 16])
        .chain_update(&bytes[at + 18..])
        .verify_slice(value)
        .is_ok()
}

/// An Error-Cause (RFC 5176, 3.5) in words.
pub(super) fn cause(code: u32) -> &'static str {
    match code {
        0 => "without a reason",
        201 => "the session's context was removed before",
        202 => "that EAP packet is ignored",
        401 => "it does not know one of the attributes",
        402 => "an attribute is missing: it identifies sessions by something else",
        403 => "the NAS-IP-Address is not its own",
        404 => "the request is malformed",
        405 => "it does not offer that service",
        406 => "it does not know such an extension",
        407 => "the value of an attribute is not valid: does that filter or VLAN exist there?",
        501 => "it is not allowed to: administratively prohibited",
        502 => "it cannot pass the request on",
        503 => "it has no such session",
        504 => "that session cannot be removed",
        505 => "something else went wrong when passing it on",
        506 => "it has no resources left",
        507 => "it has begun a request of its own",
        508 => "several sessions match, and it cannot choose",
        _ => "for a reason that RFC 5176 does not name",
    }
}

/// The Error-Cause that says there is nothing to change.
pub(super) const NO_SESSION: u32 = 503;
/// The same, where it has gone while being changed.
pub(super) const SESSION_REMOVED: u32 = 201;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &[u8] = b"made up for tests";

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|&line| line.to_owned()).collect()
    }

    fn sample() -> Request {
        let lines = lines(&["CoA-Request", "Calling-Station-Id = \"00-00-5E-00-53-01\""]);
        request(&lines, 7, 1_700_000_000, SECRET).unwrap()
    }

    /// An answer as RFC 5176 has it.
    fn answer(to: &Request, code: u8, attributes: &[u8], signed: bool) -> Vec<u8> {
        let mut bytes = vec![code, to.bytes[1], 0, 0];
        bytes.extend(&to.bytes[4..20]);
        if signed {
            bytes.extend([80, 18]);
            bytes.extend([0; 16]);
        }
        bytes.extend(attributes);
        let length = bytes.len() as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        if signed {
            let signature = sign(SECRET, &bytes);
            bytes[22..38].copy_from_slice(&signature);
        }
        let digest = Md5::new().chain_update(&bytes).chain_update(SECRET).finalize();
        bytes[4..20].copy_from_slice(&digest);
        bytes
    }

    #[test]
    fn yes_and_no_are_understood_and_whether_they_are_signed() {
        let request = sample();
        let read = |bytes: &[u8]| request.answer(bytes, SECRET);
        assert_eq!(read(&answer(&request, 44, &[], true)), Some(Answer::Yes { signed: true }));
        assert_eq!(read(&answer(&request, 44, &[], false)), Some(Answer::Yes { signed: false }));
        let no = [101, 6, 0, 0, 1, 247];
        assert_eq!(read(&answer(&request, 45, &no, true)), Some(Answer::No { cause: 503 }));
        assert_eq!(read(&answer(&request, 41, &[], true)), None, "an answer to something else");
    }

    #[test]
    fn a_line_that_could_carry_another_is_refused() {
        for bad in [
            "Filter-Id = \"a\"b\"",
            "Filter-Id = \"a\nSession-Timeout = 0\"",
            "Filter-Id = ",
            "User-Password = \"x\"",
            "Session-Timeout = -1",
            "NAS-IP-Address = fd00::1",
            "Cisco-AVPair",
        ] {
            assert!(request(&lines(&["CoA-Request", bad]), 0, 0, SECRET).is_err(), "{bad}");
        }
        assert!(request(&lines(&["Access-Request"]), 0, 0, SECRET).is_err());
    }

    proptest! {
        #[test]
        fn an_answer_with_one_changed_byte_or_another_secret_is_none(
            at in 0_usize..38, flip in 1_u8.., secret: Vec<u8>
        ) {
            let request = sample();
            let mut bytes = answer(&request, 44, &[], true);
            prop_assume!(secret != SECRET);
            prop_assert_eq!(request.answer(&bytes, &secret), None);
            bytes[at] ^= flip;
            prop_assert_eq!(request.answer(&bytes, SECRET), None);
        }

        #[test]
        fn whatever_arrives_is_read_without_harm(bytes: Vec<u8>) {
            prop_assert_eq!(sample().answer(&bytes, SECRET), None);
        }
    }
}
