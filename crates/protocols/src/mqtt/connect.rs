//! What a CONNECT says.

use model::emit::Emit;
use wire::cursor::Cursor;

use super::packet::{Version, is_text, properties, text};
use crate::{credentials, redact};

/// A CONNECT that waits for its answer. The password is compared and dropped.
#[derive(Debug, Default)]
pub(super) struct Connect {
    /// None where the broker is bound to refuse it.
    pub(super) version: Option<Version>,
    pub(super) client_id: Vec<u8>,
    pub(super) user: Vec<u8>,
    pub(super) password: bool,
    pub(super) default: Option<bool>,
    pub(super) keep_alive: u16,
    pub(super) clean: bool,
    pub(super) will_topic: String,
}

/// Reads what follows the fixed header. As much as can be read is given back together with the
/// first rule that was broken.
pub(super) fn read(body: &[u8], emit: &Emit<'_>) -> (Connect, Option<&'static str>) {
    let mut connect = Connect::default();
    let wrong = fill(&mut connect, body, emit).err();
    (connect, wrong)
}

fn fill(connect: &mut Connect, body: &[u8], emit: &Emit<'_>) -> Result<(), &'static str> {
    const SHORT: &str = "CONNECT shorter than its fields";
    let mut cursor = Cursor::new(body);
    let name = text(&mut cursor).ok_or(SHORT)?;
    let level = cursor.u8().map_err(|_| SHORT)?;
    connect.version = match (name, level) {
        (b"MQIsdp", 3) => Some(Version::V31),
        (b"MQTT", 4) => Some(Version::V311),
        (b"MQTT", 5) => Some(Version::V5),
        _ => None,
    };
    let flags = cursor.u8().map_err(|_| SHORT)?;
    connect.keep_alive = cursor.u16().map_err(|_| SHORT)?;
    connect.clean = flags & 0x02 != 0;
    connect.password = flags & 0x40 != 0;
    let newest = connect.version == Some(Version::V5);
    // The first broken rule is told; what can be read is read all the same.
    let mut wrong = match (connect.version, flags) {
        (None, _) => Some("unknown protocol level"),
        (_, flags) if flags & 0x01 != 0 => Some("reserved flag in CONNECT"),
        (_, flags) if flags & 0x18 == 0x18 => Some("quality of service 3"),
        (_, flags) if flags & 0x3c != 0 && flags & 0x04 == 0 => Some("will flags without a will"),
        (Some(Version::V311), flags) if flags & 0xc0 == 0x40 => Some("password without user name"),
        _ => None,
    };
    let mut checked = |bytes: &[u8]| {
        if !is_text(bytes) {
            wrong = wrong.or(Some("text that is not UTF-8"));
        }
    };
    if newest {
        properties(&mut cursor)?;
    }
    let client_id = text(&mut cursor).ok_or(SHORT)?;
    checked(client_id);
    connect.client_id = kept(client_id);
    if flags & 0x04 != 0 {
        if newest {
            properties(&mut cursor)?;
        }
        let topic = text(&mut cursor).ok_or(SHORT)?;
        checked(topic);
        connect.will_topic = redact::topic(emit, topic);
        text(&mut cursor).ok_or(SHORT)?;
    }
    let mut user: &[u8] = &[];
    if flags & 0x80 != 0 {
        user = text(&mut cursor).ok_or(SHORT)?;
        checked(user);
        connect.user = kept(user);
    }
    if connect.password {
        let password = text(&mut cursor).ok_or(SHORT)?;
        connect.default = Some(credentials::is_default(user, password));
    }
    if !cursor.is_empty() {
        wrong = wrong.or(Some("CONNECT longer than its fields"));
    }
    wrong.map_or(Ok(()), Err)
}

/// As much of a text as an observation can hold.
fn kept(text: &[u8]) -> Vec<u8> {
    text.get(..text.len().min(model::text::MAX_TEXT)).unwrap_or_default().to_vec()
}
