//! Requests for access tokens (RFC 6749, section 4; SMART App Launch): which client asks for what.
//!
//! Of the form only the kind of grant, the client's name and the scopes are read. Secrets,
//! assertions, codes and passwords are not.

use model::field::{Field, FieldType, KindSpec};

use crate::redact::query::pairs;

/// A request to a token endpoint.
pub static TOKEN: KindSpec = KindSpec {
    name: "oauth.token",
    doc: "A client asked for an access token and was answered. Subject is the client.",
    fields: &[
        Field::new(
            "grant",
            FieldType::Text,
            "authorization_code, client_credentials, refresh_token, password, jwt-bearer or other.",
        ),
        Field::new("client", FieldType::Text, "client_id: the application."),
        Field::new("scopes", FieldType::Texts, "Scopes of SMART and OpenID asked for, at most 32."),
        Field::new(
            "system",
            FieldType::Bool,
            "Whether a scope is for the whole system (system/...), not for one patient or user.",
        ),
        Field::new("status", FieldType::Uint, "Status code."),
    ],
};

/// Most bytes of a form that are read.
pub(super) const MAX_FORM: usize = 8 * 1024;

/// Most scopes that are kept.
pub(super) const MAX_SCOPES: usize = 32;

/// What a form asks for.
#[derive(Debug, Default)]
pub(super) struct Grant {
    pub(super) kind: &'static str,
    pub(super) client: Box<[u8]>,
    pub(super) scopes: Vec<Box<[u8]>>,
    pub(super) system: bool,
}

/// Reads a form; nothing where it asks for no token.
pub(super) fn grant(form: &[u8]) -> Option<Grant> {
    let mut grant = Grant::default();
    for (name, value) in pairs(form).take(64) {
        let value = value.unwrap_or_default();
        match &*name {
            b"grant_type" => grant.kind = kind(&value),
            b"client_id" => grant.client = value.get(..value.len().min(128))?.into(),
            b"scope" => {
                for scope in value.split(|b| matches!(b, b' ' | b'+')).filter(|s| is_scope(s)) {
                    grant.system |= scope.starts_with(b"system/");
                    if grant.scopes.len() < MAX_SCOPES {
                        grant.scopes.push(scope.into());
                    }
                }
            }
            _ => {}
        }
    }
    (!grant.kind.is_empty()).then_some(grant)
}

fn kind(value: &[u8]) -> &'static str {
    if value.ends_with(b":jwt-bearer") {
        return "jwt-bearer";
    }
    ["authorization_code", "client_credentials", "refresh_token", "password"]
        .into_iter()
        .find(|known| known.as_bytes() == value)
        .unwrap_or("other")
}

/// `patient/Observation.read`, `system/*.rs`, `launch/patient`, `openid`: words, not values.
fn is_scope(scope: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'/' | b'.' | b'*' | b'_' | b'-');
    (1..=64).contains(&scope.len()) && scope.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_keeps_no_secret() {
        let form = b"grant_type=client_credentials&client_id=bulk&client_secret=s3cret&scope=system%2F*.read+openid+launch%2F4711";
        let found = grant(form).unwrap();
        assert_eq!((found.kind, &found.client[..]), ("client_credentials", &b"bulk"[..]));
        assert_eq!(found.scopes, [Box::from(&b"system/*.read"[..]), Box::from(&b"openid"[..])]);
        assert!(found.system && !format!("{found:?}").contains("s3cret"));
        let jwt = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=x";
        assert_eq!(grant(jwt).unwrap().kind, "jwt-bearer");
        assert!(grant(b"user=a&password=b").is_none());
    }
}
