//! Bind requests: who, how, and whether the password can be read. Passwords are compared with
//! published defaults here and go no further.

use wire::cursor::Cursor;

use super::message::cut;
use crate::ber::{self, INTEGER, OCTETS};
use crate::credentials;
use crate::ntlm;

const SIMPLE: u8 = 0x80;
const SASL: u8 = 0xa3;
/// The package discovery, negotiation and response of Active Directory's own NTLM (MS-ADTS 5.1.1.1.3).
const SICILY: [u8; 3] = [0x89, 0x8a, SICILY_ANSWER];
const SICILY_ANSWER: u8 = 0x8b;

const LONGEST_NAME: usize = 256;
const LONGEST_MECHANISM: usize = 32;

/// Who binds how.
#[derive(Debug, Default)]
pub(super) struct Bind {
    pub(super) version: u64,
    pub(super) method: &'static str,
    pub(super) mechanism: Box<[u8]>,
    pub(super) user: Box<[u8]>,
    pub(super) domain: String,
    pub(super) workstation: String,
    pub(super) ntlm_version: Option<u8>,
    pub(super) clear: bool,
    first_step: bool,
    /// Whether the pair is a published default, where a password was sent readable.
    pub(super) default: Option<bool>,
}

pub(super) fn bind(value: &[u8]) -> Option<Bind> {
    let mut cursor = Cursor::new(value);
    let version = ber::uint(ber::expect(&mut cursor, INTEGER)?)?;
    let name = ber::expect(&mut cursor, OCTETS)?;
    let credentials = ber::next(&mut cursor)?;
    let mut bind = Bind { version, user: cut(name, LONGEST_NAME), ..Bind::default() };
    match credentials.tag {
        SIMPLE if credentials.value.is_empty() => {
            bind.method = if name.is_empty() { "anonymous" } else { "unauthenticated" };
        }
        SIMPLE => {
            bind.method = "simple";
            bind.password(credentials.value);
        }
        SASL => {
            bind.method = "sasl";
            let mut inner = Cursor::new(credentials.value);
            let mechanism = ber::expect(&mut inner, OCTETS)?;
            bind.mechanism = cut(mechanism, LONGEST_MECHANISM);
            let blob = ber::expect(&mut inner, OCTETS).unwrap_or_default();
            bind.sasl(mechanism, blob);
        }
        tag if SICILY.contains(&tag) => {
            bind.method = "ntlm";
            bind.first_step = tag != SICILY_ANSWER;
            // The name holds the package's.
            bind.user = Box::default();
            bind.ntlm(credentials.value);
        }
        _ => return None,
    }
    Some(bind)
}

impl Bind {
    /// Whether an answer only takes the first steps of Active Directory's own NTLM.
    pub(super) fn is_first_step(&self, code: Option<u64>) -> bool {
        self.first_step && code == Some(0)
    }

    fn password(&mut self, password: &[u8]) {
        self.clear = true;
        // Of a distinguished name, the first value is what is called a user elsewhere.
        let first = self.user.split(|&byte| byte == b',').next().unwrap_or_default();
        let value = first.splitn(2, |&byte| byte == b'=').last().unwrap_or_default();
        let default = credentials::is_default(&self.user, password)
            || credentials::is_default(value, password);
        self.default = Some(default);
    }

    fn sasl(&mut self, mechanism: &[u8], blob: &[u8]) {
        match mechanism {
            // Whom to act as, who one is, password (RFC 4616).
            b"PLAIN" => {
                let mut parts = blob.splitn(3, |&byte| byte == 0).skip(1);
                if let (Some(user), Some(password)) = (parts.next(), parts.next()) {
                    self.user = cut(user, LONGEST_NAME);
                    self.password(password);
                }
            }
            b"DIGEST-MD5" => {
                const NAME: &[u8] = b"username=\"";
                let at = blob.windows(NAME.len()).position(|window| window == NAME);
                if let Some(rest) = at.and_then(|at| blob.get(at.saturating_add(NAME.len())..)) {
                    let end = rest.iter().position(|&byte| byte == b'"').unwrap_or(0);
                    self.user = cut(rest.get(..end).unwrap_or_default(), LONGEST_NAME);
                }
            }
            _ => self.ntlm(blob),
        }
    }

    fn ntlm(&mut self, blob: &[u8]) {
        if let Some(who) = ntlm::authenticate(blob) {
            self.user = cut(who.user.as_bytes(), LONGEST_NAME);
            self.domain = who.domain;
            self.workstation = who.workstation;
            self.ntlm_version = Some(who.version);
            if who.anonymous {
                self.method = "anonymous";
            }
        }
    }
}
