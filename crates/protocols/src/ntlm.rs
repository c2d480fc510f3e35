//! NTLMSSP messages, as SMB, HTTP and RDP carry them inside SPNEGO: only who logs on from where.
//!
//! The message is found by its signature rather than by walking the ASN.1 around it: the signature
//! is eight bytes long and the blob small. Hashes and keys are not read. Source: MS-NLMP 2.2.1.

use wire::cursor::Cursor;

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
}

/// The AUTHENTICATE message within a security blob, where there is one.
pub fn authenticate(blob: &[u8]) -> Option<Authenticate> {
    let at = blob.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
    let message = blob.get(at..)?;
    let mut cursor = Cursor::new(message);
    cursor.skip(SIGNATURE.len()).ok()?;
    if cursor.u32_le().ok()? != 3 {
        return None;
    }
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
    Some(Authenticate {
        user: text(user),
        domain: text(domain),
        workstation: text(workstation),
        anonymous,
    })
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(user: &str, domain: &str, host: &str, response: &[u8], flags: u32) -> Vec<u8> {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let parts = [vec![], response.to_vec(), wide(domain), wide(user), wide(host), vec![]];
        let (mut head, mut tail) = (SIGNATURE.to_vec(), Vec::new());
        head.extend(3_u32.to_le_bytes());
        for part in parts {
            let length = (part.len() as u16).to_le_bytes();
            head.extend([length, length].concat());
            head.extend((64 + tail.len() as u32).to_le_bytes());
            tail.extend(part);
        }
        head.extend(flags.to_le_bytes());
        head.extend(tail);
        head
    }

    #[test]
    fn user_domain_and_machine_are_found_within_a_blob() {
        let mut blob = b"\xa1\x82\x01\x02\x30".to_vec();
        blob.extend(message("Pfleger", "KLINIK", "CT-1", &[7; 24], UNICODE));
        let said = authenticate(&blob).unwrap();
        assert_eq!((&*said.user, &*said.domain, &*said.workstation), ("Pfleger", "KLINIK", "CT-1"));
        assert!(!said.anonymous);
    }

    #[test]
    fn without_user_and_response_it_is_anonymous() {
        assert!(authenticate(&message("", "", "X", &[], UNICODE)).unwrap().anonymous);
        assert!(authenticate(&message("u", "", "X", &[1], UNICODE | ANONYMOUS)).unwrap().anonymous);
    }

    proptest! {
        #[test]
        fn hostile_offsets_never_panic(at in 8_usize..64, to: u8, cut in 0_usize..120) {
            let mut bytes = message("user", "domain", "host", &[1; 24], UNICODE);
            bytes[at] = to;
            bytes.truncate(cut);
            authenticate(&bytes);
        }
    }
}
