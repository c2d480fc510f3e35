//! Which session a device has on the switch: what a request names beside its Ethernet address.
//!
//! From the configuration, or from accounting as FreeRADIUS writes it down (`detail` files): a line
//! with the time, lines with a tab and `Name = value`, an empty line. The file is somebody else's: only its end is
//! read, and what is no text for an attribute is passed over. The last record of a device counts; a
//! session that was stopped is none.
//!
//! RFC 5176 knows no question about sessions, so this is all that can be known of them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::Ipv4Addr;
use std::path::Path;

use model::net::Mac;
use serde::{Deserialize, Serialize};

use super::packet::is_text;

/// Bytes at the end of an accounting file that are read: days of a ward, and milliseconds.
const LATEST: u64 = 4 << 20;

/// Whether a request names the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// Where it is known.
    #[default]
    WhereKnown,
    /// Always: what is not known is not restricted this way.
    Required,
    /// By Ethernet address alone.
    Never,
}

/// A session that is known without accounting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Of the device with this Ethernet address.
    pub mac: Mac,
    /// Acct-Session-Id.
    #[serde(default)]
    pub acct_session_id: Option<String>,
    /// Calling-Station-Id, where it is written in another way than those of other devices.
    #[serde(default)]
    pub calling_station_id: Option<String>,
}

impl Session {
    /// What is wrong with it.
    pub(super) fn check(&self) -> Result<(), String> {
        let texts = [&self.acct_session_id, &self.calling_station_id];
        if texts.iter().all(|text| text.is_none()) {
            return Err(format!("sessions: {} has neither of its two names", self.mac));
        }
        match texts.into_iter().flatten().all(|text| is_text(text)) {
            true => Ok(()),
            false => Err("sessions: 1 to 240 characters without quotation marks".to_owned()),
        }
    }
}

/// What names a session in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Acct-Session-Id.
    pub(super) id: Option<String>,
    /// Calling-Station-Id, as the switch wrote it.
    pub(super) station: Option<String>,
}

/// What accounting said last of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) named: Named,
    /// The session is over.
    pub(super) stopped: bool,
}

/// The end of an accounting file; nothing where it cannot be read, which is told in the log.
pub(super) fn read(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LATEST)))?;
        let mut bytes = Vec::new();
        file.take(LATEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            let path = path.display();
            tracing::warn!(%path, %error, "accounting cannot be read: sessions are not known");
            String::new()
        }
    }
}

/// What accounting said last of a device on a switch. A record that is not finished is not read: it
/// may be without what comes last.
pub(super) fn last(text: &str, mac: Mac, nas: Ipv4Addr) -> Option<Told> {
    let mut last = None;
    let mut record = Record::default();
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break };
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() {
            last = std::mem::take(&mut record).of(mac, nas).or(last);
        } else if let Some((name, value)) = line.trim().split_once(" = ") {
            record.attribute(name, value);
        }
    }
    last
}

#[derive(Default)]
struct Record {
    status: String,
    nas: Option<Ipv4Addr>,
    id: Option<String>,
    station: Option<String>,
}

impl Record {
    fn attribute(&mut self, name: &str, value: &str) {
        let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = inner.unwrap_or(value);
        let plain = || Some(value.to_owned()).filter(|value| is_text(value));
        match name {
            "Acct-Status-Type" => value.clone_into(&mut self.status),
            "NAS-IP-Address" => self.nas = value.parse().ok(),
            "Acct-Session-Id" => self.id = plain(),
            "Calling-Station-Id" => self.station = plain(),
            _ => {}
        }
    }

    /// What it says of a device on a switch.
    fn of(self, mac: Mac, nas: Ipv4Addr) -> Option<Told> {
        let station = self.station.as_deref().and_then(ethernet)?;
        let stopped = match self.status.as_str() {
            "Start" | "Interim-Update" | "Alive" => false,
            "Stop" => true,
            _ => return None,
        };
        let here = self.nas.is_none_or(|of| of == nas);
        let named = Named { id: self.id, station: self.station };
        (station == mac && here).then_some(Told { named, stopped })
    }
}

/// An Ethernet address in any of the ways it is written, before whatever follows it.
pub(super) fn ethernet(text: &str) -> Option<Mac> {
    let mut digits = text.chars().filter(|c| !matches!(c, '-' | ':' | '.'));
    let mut bytes = [0; 6];
    for byte in &mut bytes {
        let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(Mac(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const MAC: Mac = Mac([0, 0, 0x5e, 0, 0x53, 1]);

    fn record(status: &str, station: &str, nas: &str, id: &str) -> String {
        format!(
            "Tue Nov 24 03:23:17 2026\n\tAcct-Status-Type = {status}\n\tUser-Name = \"x\"\n\
             \tCalling-Station-Id = \"{station}\"\n\tNAS-IP-Address = {nas}\n\
             \tAcct-Session-Id = \"{id}\"\n\tTimestamp = 1795490597\n\n"
        )
    }

    #[test]
    fn the_last_word_on_a_device_counts_however_its_address_is_written() {
        let mut text = record("Start", "00-00-5E-00-53-01", "10.0.0.2", "one");
        for station in ["0000.5e00.5301", "00005e005301", "00:00:5e:00:53:01"] {
            text += &record("Interim-Update", station, "10.0.0.2", station);
            let told = last(&text, MAC, NAS).unwrap();
            let name = Some(station.to_owned());
            assert_eq!(told.named, Named { id: name.clone(), station: name });
        }
        // Of others, of another switch, half written, and of no session.
        text += &record("Start", "00-00-5E-00-53-02", "10.0.0.2", "other");
        text += &record("Start", "00-00-5E-00-53-01", "10.0.0.3", "elsewhere");
        text += &record("Accounting-On", "00-00-5E-00-53-01", "10.0.0.2", "none");
        text += record("Start", "00-00-5E-00-53-01", "10.0.0.2", "half").trim_end();
        let told = last(&text, MAC, NAS).unwrap();
        assert_eq!(told.named.id.as_deref(), Some("00:00:5e:00:53:01"));
        text += "\n\n";
        assert_eq!(last(&text, MAC, NAS).unwrap().named.id.as_deref(), Some("half"));
        text += &record("Stop", "00-00-5E-00-53-01", "10.0.0.2", "half");
        assert!(last(&text, MAC, NAS).unwrap().stopped);
    }

    #[test]
    fn a_name_that_would_break_out_of_its_line_is_none() {
        let text = record("Start", "00-00-5E-00-53-01", "10.0.0.2", "a\" b = \"c");
        assert_eq!(last(&text, MAC, NAS).unwrap().named.id, None);
        assert_eq!(last(&record("Start", "00-00-5E-00-53-01-99", "10.0.0.2", "x"), MAC, NAS), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s).{0,200}", tail in "[\\t\\n =A-Za-z\"0-9:-]{0,80}") {
            let _ = last(&text, MAC, NAS);
            let told = last(&(record("Start", "00-00-5E-00-53-01", "10.0.0.2", "x") + &tail), MAC, NAS);
            prop_assert!(told.is_some());
        }
    }
}
