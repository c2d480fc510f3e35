//! Who a request says it comes from. Passwords are compared with published defaults here and go no
//! further.

use base64::Engine;

use crate::credentials::{self, BASE64};
use crate::ntlm;

/// Longest Basic credential that is decoded, in bytes of base64.
const MAX_BASIC: usize = 1024;

/// Longest NTLM message that is decoded, in bytes of base64.
const MAX_NTLM: usize = 8 << 10;

/// What an Authorization header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Credential {
    /// Name of the scheme, as in the field `auth`.
    pub(super) scheme: &'static str,
    /// User name of basic, digest and NTLM authentication; may be empty.
    pub(super) user: Vec<u8>,
    /// Whether the pair is a published default, where a password was sent.
    pub(super) default: Option<bool>,
}

/// Reads an Authorization header; an empty one is none.
pub(super) fn credential(value: &[u8]) -> Credential {
    let scheme = scheme(value);
    let rest = after_scheme(value);
    let (user, default) = match scheme {
        "basic" => match basic(rest) {
            Some((user, default)) => (user, Some(default)),
            None => (Vec::new(), None),
        },
        "digest" => (digest_user(rest), None),
        "ntlm" | "negotiate" => {
            let said = ntlm_message(rest).and_then(|blob| ntlm::authenticate(&blob));
            (said.map(|who| who.user.into_bytes()).unwrap_or_default(), None)
        }
        _ => (Vec::new(), None),
    };
    Credential { scheme, user, default }
}

/// The NTLM message that a WWW-Authenticate or Authorization header carries (RFC 4559), where it is
/// one; it may be wrapped in SPNEGO.
pub(super) fn challenge(value: &[u8]) -> Option<Vec<u8>> {
    matches!(scheme(value), "ntlm" | "negotiate").then(|| ntlm_message(after_scheme(value)))?
}

fn ntlm_message(encoded: &[u8]) -> Option<Vec<u8>> {
    if encoded.is_empty() {
        return None;
    }
    BASE64.decode(encoded.get(..encoded.len().min(MAX_NTLM))?).ok()
}

/// The scheme of an Authorization or WWW-Authenticate header.
pub(super) fn scheme(value: &[u8]) -> &'static str {
    let value = value.trim_ascii();
    let end = value.iter().position(|b| matches!(b, b' ' | b'\t' | b',')).unwrap_or(value.len());
    let name = value.get(..end).unwrap_or_default();
    if name.is_empty() {
        return "none";
    }
    ["basic", "digest", "bearer", "ntlm", "negotiate"]
        .into_iter()
        .find(|known| known.as_bytes().eq_ignore_ascii_case(name))
        .unwrap_or("other")
}

fn after_scheme(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let end = value.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(value.len());
    value.get(end..).unwrap_or_default().trim_ascii()
}

/// User name, and whether the pair is a published default (RFC 7617).
fn basic(encoded: &[u8]) -> Option<(Vec<u8>, bool)> {
    let pair = BASE64.decode(encoded.get(..encoded.len().min(MAX_BASIC))?).ok()?;
    let colon = pair.iter().position(|&b| b == b':')?;
    let (user, password) = pair.split_at(colon);
    let default = credentials::is_default(user, password.get(1..).unwrap_or_default());
    Some((user.to_vec(), default))
}

/// The `username` of digest authentication (RFC 7616): parameters with commas between, and commas
/// within quotes.
fn digest_user(parameters: &[u8]) -> Vec<u8> {
    let mut quoted = false;
    let outside = |byte: &u8| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    };
    let value = parameters.split(outside).find_map(|parameter| {
        let (name, value) = parameter.trim_ascii().split_at_checked(9)?;
        name.eq_ignore_ascii_case(b"username=").then_some(value)
    });
    let value = value.unwrap_or_default().trim_ascii();
    let bare = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
    bare.get(..bare.len().min(256)).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_gives_the_name_and_never_the_password() {
        // RFC 7617's own example.
        let known = credential(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(
            (known.scheme, &known.user[..], known.default),
            ("basic", &b"Aladdin"[..], Some(false))
        );
        assert!(!format!("{known:?}").contains("sesame"));
        // admin:admin, admin: and root:root, with and without padding.
        for default in ["YWRtaW46YWRtaW4=", "YWRtaW46YWRtaW4", "YWRtaW46", "cm9vdDpyb290"] {
            let header = format!("bAsIc  {default}");
            assert_eq!(credential(header.as_bytes()).default, Some(true), "{default}");
        }
    }

    #[test]
    fn a_credential_that_is_none_is_no_default() {
        for broken in ["Basic", "Basic !!!!", "Basic YWRtaW4="] {
            let found = credential(broken.as_bytes());
            assert_eq!(
                (found.scheme, found.user.len(), found.default),
                ("basic", 0, None),
                "{broken}"
            );
        }
        assert_eq!(credential(b"").scheme, "none");
        assert_eq!(credential(b"Hawk id=1").scheme, "other");
    }

    /// An AUTHENTICATE message of NTLM (MS-NLMP 2.2.1.3) by a user, in base64.
    fn log_on(user: &str) -> String {
        let user: Vec<u8> = user.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (at, length) = (64_u32, u16::try_from(user.len()).unwrap());
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        for part in [0, 24, 0, length, 0, 0] {
            message.extend(part.to_le_bytes());
            message.extend(part.to_le_bytes());
            let offset = if part == 24 { at + u32::from(length) } else { at };
            message.extend(offset.to_le_bytes());
        }
        message.extend(1_u32.to_le_bytes());
        message.extend(user);
        message.extend([7; 24]);
        BASE64.encode(message)
    }

    #[test]
    fn ntlm_gives_the_name_bare_or_negotiated_and_challenges_are_told_apart() {
        for scheme in ["NTLM", "Negotiate"] {
            let header = format!("{scheme} {}", log_on("ward\u{e4}"));
            assert_eq!(credential(header.as_bytes()).user, "ward\u{e4}".as_bytes(), "{scheme}");
            assert!(challenge(header.as_bytes()).is_some());
        }
        for nothing in ["NTLM", "NTLM !!", "Negotiate YII=", "Basic YWRtaW46YWRtaW4="] {
            assert!(credential(nothing.as_bytes()).user.len() < 6, "{nothing}");
        }
        assert_eq!(challenge(b"NTLM"), None);
        assert_eq!(challenge(b"Basic realm=x"), None);
    }

    #[test]
    fn digest_gives_the_name() {
        let header = br#"Digest realm="a username=b", username="nurse7", uri="/x""#;
        assert_eq!(credential(header).user, b"nurse7");
        assert_eq!(credential(b"Digest username=tech, nonce=1").user, b"tech");
    }
}
