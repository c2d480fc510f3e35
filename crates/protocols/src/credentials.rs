//! Published default credentials: what a device, a broker or an application ships with.
//!
//! Passwords never leave a parser. What leaves is whether the pair that was sent is one that anybody
//! can look up, since such a log-on is a finding whoever makes it. Deliberately absent: guessing
//! ("name and password are the same") and weak passwords that nobody published as a default.

mod table;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::field::{Field, FieldType};

/// Base64 of any padding: devices write all of them.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The field of every log-on with a name and a password.
pub(crate) const DEFAULT: Field = Field::new(
    "default_credential",
    FieldType::Bool,
    "Whether name and password are a published default.",
);

/// The field of log-ons that may send a password readable.
pub(crate) const CLEAR_TEXT: Field =
    Field::new("clear_text_password", FieldType::Bool, "Whether a password was sent readable.");

/// Whether a name and password are a published default.
///
/// The name is compared without regard to ASCII case, since many devices do the same and a list
/// cannot know which; the password is compared byte for byte, since that is how nearly all of them
/// treat it. Nothing is trimmed: an empty password is a password of its own.
pub fn is_default(user: &[u8], password: &[u8]) -> bool {
    table::PAIRS.iter().any(|(known, secret)| {
        secret.as_bytes() == password && known.as_bytes().eq_ignore_ascii_case(user)
    })
}

/// Whether an SNMP community is one that makers ship with, byte for byte.
pub fn is_default_community(community: &[u8]) -> bool {
    table::COMMUNITIES.iter().any(|known| known.as_bytes() == community)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_ignores_case_and_the_password_does_not() {
        assert!(is_default(b"Admin", b"admin") && is_default(b"ADMIN", b"admin"));
        assert!(!is_default(b"pump", b"Pump") && !is_default(b"admin", b"adMIN"));
    }

    #[test]
    fn an_empty_password_counts_only_where_it_was_published() {
        assert!(is_default(b"root", b"") && is_default(b"gemsservice", b""));
        assert!(!is_default(b"jsmith", b"") && !is_default(b"", b""));
    }

    #[test]
    fn a_name_as_its_own_password_is_no_default_by_itself() {
        assert!(!is_default(b"jsmith", b"jsmith"));
    }

    #[test]
    fn no_pair_is_listed_twice() {
        let mut seen: Vec<_> =
            table::PAIRS.iter().map(|(u, p)| (u.to_ascii_lowercase(), *p)).collect();
        let listed = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), listed);
        assert!(listed >= 40);
    }
}
