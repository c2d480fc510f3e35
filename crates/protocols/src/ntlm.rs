//! NTLMSSP messages, as SMB, HTTP, LDAP and SMTP carry them inside SPNEGO or bare: who logs on from
//! where, and which machine asks him to prove it.
//!
//! The message is found by its signature rather than by walking the ASN.1 around it: the signature
//! is eight bytes long and the blob small. Hashes and keys are not read. RDP carries them too, but
//! within TLS. Source: MS-NLMP 2.2.1 and 2.2.2.1.

mod challenge;

pub use challenge::{CHALLENGE, say_challenge};

use model::field::{Field, FieldType};
use wire::cursor::Cursor;

/// The field of a log-on for [`Authenticate::domain`].
pub(crate) const DOMAIN: Field = Field::new("domain", FieldType::Text, "Domain from NTLMSSP.");
/// The field for [`Authenticate::workstation`].
pub(crate) const WORKSTATION: Field =
    Field::new("workstation", FieldType::Text, "Workstation from NTLMSSP.");
/// The field for [`Authenticate::version`].
pub(crate) const VERSION: Field =
    Field::new("ntlm_version", FieldType::Uint, "Version of the NTLM answer: 1 can be cracked.");

const SIGNATURE: &[u8] = b"NTLMSSP\0";
const UNICODE: u32 = 0x0000_0001;
const ANONYMOUS: u32 = 0x0000_0800;

/// Longest text that is read, in bytes on the wire.
const LONGEST: usize = 512;

/// Who logs on, from an AUTHENTICATE message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authenticate {
    /// User name; empty for an anonymous log-on.
    pub user: String,
    /// Domain of the user.
    pub domain: String,
    /// Name that the client's machine gives itself.
    pub workstation: String,
    /// Whether without a user.
    pub anonymous: bool,
    /// Version of the answer to the challenge: 1 can be cracked and passed on at will; 0 for an
    /// anonymous log-on.
    pub version: u8,
}

/// The AUTHENTICATE message within a security blob, where there is one.
pub fn authenticate(blob: &[u8]) -> Option<Authenticate> {
    let (message, mut cursor) = find(blob, 3)?;
    let _lm = payload(message, &mut cursor)?;
    let response = payload(message, &mut cursor)?;
    let [domain, user, workstation] = [
        payload(message, &mut cursor)?,
        payload(message, &mut cursor)?,
        payload(message, &mut cursor)?,
    ];
    let _session_key = payload(message, &mut cursor)?;
    let flags = cursor.u32_le().unwrap_or(UNICODE);
    let text = |bytes: &[u8]| match flags & UNICODE {
        0 => String::from_utf8_lossy(bytes).into_owned(),
        _ => utf16(bytes),
    };
    let anonymous = flags & ANONYMOUS != 0 || (user.is_empty() && response.is_empty());
    // 24 bytes in version 1, and longer by what they prove in version 2 (2.2.2.6, 2.2.2.8).
    let version = match response.len() {
        _ if anonymous => 0,
        0..=24 => 1,
        _ => 2,
    };
    Some(Authenticate {
        user: text(user),
        domain: text(domain),
        workstation: text(workstation),
        anonymous,
        version,
    })
}

/// A message of a type within a blob, and where its fields begin.
fn find(blob: &[u8], kind: u32) -> Option<(&[u8], Cursor<'_>)> {
    let at = blob.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
    let message = blob.get(at..)?;
    let mut cursor = Cursor::new(message);
    cursor.skip(SIGNATURE.len()).ok()?;
    (cursor.u32_le().ok()? == kind).then_some((message, cursor))
}

/// What a length, a capacity and an offset point to.
fn payload<'a>(message: &'a [u8], cursor: &mut Cursor<'_>) -> Option<&'a [u8]> {
    let length = usize::from(cursor.u16_le().ok()?);
    cursor.skip(2).ok()?;
    let offset = usize::try_from(cursor.u32_le().ok()?).ok()?;
    if length == 0 {
        return Some(&[]);
    }
    message.get(offset..offset.checked_add(length)?).map(|b| b.get(..LONGEST).unwrap_or(b))
}

/// Text of little-endian UTF-16, up to its first zero; what is no UTF-16 is replaced.
pub fn utf16(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|&unit| unit != 0);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests;
