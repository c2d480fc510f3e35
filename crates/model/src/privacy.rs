//! Patients' names and identifiers as keyed tokens.
//!
//! A token is the first 96 bits of an HMAC-SHA-256 under a key of the site: the same text gives the
//! same token, so "how many patients" can be counted, and nobody without the key can find the text,
//! nor join two sites. Rotating the key makes all older tokens unjoinable.

use std::fmt;

use hmac::{Hmac, Mac};
use serde::{Serialize, Serializer};
use sha2::Sha256;

/// A text that could name a patient, unreadable without the key of the site.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 12]);

impl Token {
    /// Eight of its bytes, to count different tokens by.
    pub const fn mark(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("t:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The key under which a site makes tokens. Never printed, never stored beside what it protects.
#[derive(Clone)]
pub struct SiteKey(Hmac<Sha256>);

impl SiteKey {
    /// A key from secret bytes; 32 random bytes are right.
    pub fn new(secret: &[u8]) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(secret);
        // HMAC takes keys of any length (RFC 2104), so this never takes the other branch.
        Self(mac.unwrap_or_else(|_| unreachable!("HMAC takes keys of any length")))
    }

    /// The token of a text within a domain (`patient`, `study`, ...): the same identifier in two
    /// domains gives two tokens. Padding and letter case are dropped first, since devices differ
    /// in both.
    pub fn token(&self, domain: &str, text: &[u8]) -> Token {
        let mut mac = self.0.clone();
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        let mut upper = [0; 64];
        for piece in text.trim_ascii().chunks(upper.len()) {
            let upper = &mut upper[..piece.len()];
            upper.copy_from_slice(piece);
            upper.make_ascii_uppercase();
            mac.update(upper);
        }
        let full = mac.finalize().into_bytes();
        let mut short = [0; 12];
        short.copy_from_slice(&full[..12]);
        Token(short)
    }
}

impl fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SiteKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_patient_same_token_other_key_or_domain_another() {
        let key = SiteKey::new(b"one");
        let token = key.token("patient", b"Doe^Jane ");
        assert_eq!(token, key.token("patient", b"DOE^JANE"));
        assert_ne!(token, key.token("study", b"Doe^Jane"));
        assert_ne!(token, SiteKey::new(b"two").token("patient", b"Doe^Jane"));
        let long = "ab".repeat(100);
        assert_eq!(key.token("p", long.as_bytes()), key.token("p", long.to_uppercase().as_bytes()));
        assert_ne!(key.token("p", long.as_bytes()), key.token("p", &long.as_bytes()[1..]));
        assert!(!token.to_string().to_uppercase().contains("DOE"));
        assert!(!format!("{key:?}").contains("one"));
    }
}
