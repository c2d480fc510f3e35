//! The CHALLENGE message: which machine asks, in which domain, on which Windows.

use model::emit::Emit;
use model::field::{Field, FieldType, KindSpec};
use model::flow::Direction;
use wire::cursor::Cursor;

use super::{find, payload, utf16};

/// A machine asks for proof.
pub static CHALLENGE: KindSpec = KindSpec {
    name: "ntlm.challenge",
    doc: "A server answered an NTLM log-on with a challenge, and said who it is. Subject is the server.",
    fields: &[
        Field::new("service", FieldType::Text, "Protocol that carries it: smb, ldap, smtp, http."),
        Field::new("computer", FieldType::Text, "NetBIOS name of the machine."),
        Field::new("domain", FieldType::Text, "NetBIOS name of its domain."),
        Field::new("dns_computer", FieldType::Text, "DNS name of the machine."),
        Field::new("dns_domain", FieldType::Text, "DNS name of its domain."),
        Field::new("version", FieldType::Text, "Version of Windows, such as 10.0.17763."),
    ],
};

const HAS_VERSION: u32 = 0x0200_0000;
/// Pairs that are read; there are about seven.
const MOST_PAIRS: usize = 16;

/// Says the challenge within a blob, where there is one; `from` is the server's direction.
pub fn say_challenge(service: &'static str, blob: &[u8], from: Direction, out: &mut Emit<'_>) {
    let Some((names, version)) = read(blob) else { return };
    let [computer, domain, dns_computer, dns_domain] = names;
    out.observe(&CHALLENGE, from)
        .word("service", service)
        .text("computer", computer.as_bytes())
        .text("domain", domain.as_bytes())
        .text("dns_computer", dns_computer.as_bytes())
        .text("dns_domain", dns_domain.as_bytes())
        .text("version", version.as_bytes())
        .emit();
}

fn read(blob: &[u8]) -> Option<([String; 4], String)> {
    let (message, mut cursor) = find(blob, 2)?;
    let _target = payload(message, &mut cursor)?;
    let flags = cursor.u32_le().ok()?;
    // The challenge itself, and eight bytes that are reserved.
    cursor.skip(16).ok()?;
    let pairs = payload(message, &mut cursor).unwrap_or_default();
    let version = match cursor.array::<8>() {
        Ok([major, minor, low, high, ..]) if flags & HAS_VERSION != 0 => {
            format!("{major}.{minor}.{}", u16::from_le_bytes([low, high]))
        }
        _ => String::new(),
    };
    Some((names(pairs), version))
}

/// Names of machine and domain, from pairs of a number and a text.
fn names(pairs: &[u8]) -> [String; 4] {
    let mut names = <[String; 4]>::default();
    let mut cursor = Cursor::new(pairs);
    for _ in 0..MOST_PAIRS {
        let (Ok(id), Ok(length)) = (cursor.u16_le(), cursor.u16_le()) else { break };
        let Ok(text) = cursor.take(usize::from(length)) else { break };
        let place = usize::from(id).wrapping_sub(1);
        if let Some(name) = names.get_mut(place) {
            *name = utf16(text);
        }
        if id == 0 {
            break;
        }
    }
    names
}
