//! Random secrets, and what is kept of secrets in place of them.
//!
//! Passwords, which people choose, are kept as argon2id (RFC 9106, the parameters that OWASP names
//! first: 19 MiB, two passes). Session tokens, which are 256 random bits, are kept as SHA-256:
//! nothing can be guessed there, and they are looked up at every request.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};

/// A hash of nobody's password, in the same form and at the same cost as real ones: an unknown
/// name then takes as long as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$d2FyZHdhdGNobm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

/// 256 random bits as 64 hexadecimal digits.
pub(crate) fn token() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(hex(&bytes))
}

/// What is kept of a session token.
pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// What is kept of a password. Takes tens of milliseconds and 19 MiB: call it off the runtime.
pub(crate) fn hash_password(password: &str) -> Result<String, crate::auth::accounts::AccountError> {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(NoRandomness)?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
    let hash = argon2().hash_password(password.as_bytes(), &salt).map_err(|e| e.to_string())?;
    Ok(hash.to_string())
}

/// Whether a password is the one of a hash; against nobody's where there is no hash. Takes as long
/// either way; the comparison is in constant time.
pub(crate) fn verify_password(password: &str, hash: Option<&str>) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    let right = argon2().verify_password(password.as_bytes(), &parsed).is_ok();
    right && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let hash = hash_password("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_password("correct horse battery", Some(&hash)));
        assert!(!verify_password("correct horse batterz", Some(&hash)));
        assert!(!verify_password("", Some(&hash)));
        assert!(!verify_password("x", Some("no hash")));
    }

    #[test]
    fn an_unknown_name_costs_what_a_known_one_costs() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real = hash_password("x").unwrap();
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!(nobody.params, real.params);
        assert_eq!(nobody.algorithm, real.algorithm);
        assert!(nobody.hash.is_some_and(|hash| hash.len() == 32));
        assert!(!verify_password("anything", None));
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(token().unwrap(), token().unwrap());
        assert_eq!(token().unwrap().len(), 64);
    }
}
