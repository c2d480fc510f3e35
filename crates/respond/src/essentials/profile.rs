//! What a hospital declares: which conversations a device needs, who said so, and when.
//!
//! ```toml
//! [[profile]]
//! class = "infusion_pump"            # or device, name, mac, address; all that are given must hold
//! approved_by = "A. Lind, clinical engineering"
//! approved_on = "2026-11-02"
//!
//! [[profile.needs]]
//! reason = "drug library and alarms"
//! to = "10.20.0.5"                   # or from; an address, a range, or a name
//! proto = "tcp"
//! port = 8443
//! every_s = 60                       # how often, where it is known
//!
//! [[profile.needs]]
//! reason = "alarms"
//! to_class = "alarm_server"          # or from_class; wherever devices of that class are
//!
//! [[profile.not_needed]]             # learned, and no need of care: needs a second person
//! reason = "a remote desktop that a contractor left"
//! from = "10.9.0.4"
//! proto = "tcp"
//! port = 3389
//! countersigned_by = "B. Okoro, security"
//! ```
//!
//! What is declared cannot be cut by anybody; what is learned can be declared not needed.

use std::time::Duration;

use model::device::DeviceClass;
use model::net::Mac;
use serde::{Deserialize, Serialize};

use crate::range::Range;
use crate::restriction::{Proto, Way};
use crate::subject::Subject;

/// Entries of one file.
const MOST: usize = 10_000;

/// Declared needs cannot be taken as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The text is no TOML of this shape.
    #[error("the profiles cannot be read: {0}")]
    Toml(String),
    /// An entry says too little or too much.
    #[error("profile {place}: {why}")]
    Entry {
        /// Which profile, from 1.
        place: usize,
        /// What is wrong, and what to write.
        why: String,
    },
}

/// Who is on the other side of a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// These addresses.
    Addresses(Range),
    /// Whatever address a name has.
    Name(String),
    /// Wherever devices of a class are.
    Class(DeviceClass),
}

/// One kind of conversation that is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Why, in plain words.
    pub reason: String,
    /// Who opens it.
    pub way: Way,
    /// With whom.
    pub peer: Peer,
    /// Transport; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proto: Option<Proto>,
    /// Port of whoever is called; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How often, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
}

/// Which devices a profile is for: all that is given holds, and something is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// Name in the inventory.
    pub device: Option<String>,
    /// Best name, in any case.
    pub name: Option<String>,
    /// Its own Ethernet address.
    pub mac: Option<Mac>,
    /// One of its addresses is in here.
    pub address: Option<Range>,
    /// What it is.
    pub class: Option<DeviceClass>,
}

impl Selector {
    /// Whether a device is meant.
    pub fn selects(&self, device: &Subject) -> bool {
        self.device.as_ref().is_none_or(|id| *id == device.id.0)
            && self.name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&device.name))
            && self.mac.is_none_or(|mac| Some(mac) == device.mac)
            && self.class.is_none_or(|class| class == device.class)
            && self.address.is_none_or(|range| device.addresses.iter().any(|a| range.contains(*a)))
            && *self != Self::default()
    }
}

/// What was declared for some devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// For which.
    pub selector: Selector,
    /// Who approved it, and when.
    pub approved: String,
    /// What they need.
    pub needs: Vec<Declared>,
    /// What was learned of them, and is no need.
    pub not_needed: Vec<Declared>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    device: Option<String>,
    name: Option<String>,
    mac: Option<Mac>,
    address: Option<Range>,
    class: Option<DeviceClass>,
    #[serde(default)]
    approved_by: String,
    #[serde(default)]
    approved_on: String,
    #[serde(default)]
    needs: Vec<Row>,
    #[serde(default)]
    not_needed: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    reason: String,
    to: Option<String>,
    from: Option<String>,
    to_class: Option<DeviceClass>,
    from_class: Option<DeviceClass>,
    proto: Option<Proto>,
    port: Option<u16>,
    every_s: Option<u32>,
    #[serde(default)]
    countersigned_by: String,
}

impl Row {
    fn read(&self) -> Result<Declared, String> {
        if self.reason.trim().is_empty() {
            return Err("a need has no reason: write in plain words what it is for".to_owned());
        }
        let ways = [
            self.to.as_deref().map(|to| (Way::Out, peer(to))),
            self.from.as_deref().map(|from| (Way::In, peer(from))),
            self.to_class.map(|class| (Way::Out, Ok(Peer::Class(class)))),
            self.from_class.map(|class| (Way::In, Ok(Peer::Class(class)))),
        ];
        let mut given = ways.into_iter().flatten();
        let (Some((way, peer)), None) = (given.next(), given.next()) else {
            return Err(format!(
                "'{}' needs exactly one of to, from, to_class and from_class",
                self.reason
            ));
        };
        let ported = matches!(self.proto, Some(Proto::Tcp | Proto::Udp));
        if self.port.is_some() && !ported {
            return Err(format!("'{}' has a port: say proto = \"tcp\" or \"udp\"", self.reason));
        }
        if self.port == Some(0) {
            return Err(format!("'{}' has port 0: leave it out for any port", self.reason));
        }
        Ok(Declared {
            reason: self.reason.trim().to_owned(),
            way,
            peer: peer?,
            proto: self.proto,
            port: self.port,
            every: self.every_s.filter(|s| *s > 0).map(|s| Duration::from_secs(s.into())),
        })
    }
}

/// An address, a range or a name.
pub(crate) fn peer(text: &str) -> Result<Peer, String> {
    if let Ok(range) = text.parse() {
        return Ok(Peer::Addresses(range));
    }
    let is_name = text.len() <= 253
        && text.contains(|c: char| c.is_ascii_alphabetic())
        && !text.contains(':')
        && text.split('.').all(|label| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !label.is_empty() && label.len() <= 63 && label.bytes().all(inner)
        });
    if is_name {
        Ok(Peer::Name(text.to_ascii_lowercase()))
    } else {
        Err(format!("'{text}' is no address, range or name"))
    }
}

/// Reads declared needs.
///
/// # Errors
/// Where an entry is not understood, names nobody, or nobody stands for it.
pub fn read(text: &str) -> Result<Vec<Profile>, ProfileError> {
    let file: File = toml::from_str(text).map_err(|e| ProfileError::Toml(e.to_string()))?;
    file.profile
        .into_iter()
        .zip(1..)
        .map(|(entry, place)| entry.read().map_err(|why| ProfileError::Entry { place, why }))
        .collect()
}

impl Entry {
    fn read(self) -> Result<Profile, String> {
        let (by, on) = (self.approved_by.trim(), self.approved_on.trim());
        if by.is_empty() || on.is_empty() {
            return Err("nobody approved it: give approved_by and approved_on".to_owned());
        }
        if self.needs.len() + self.not_needed.len() > MOST {
            return Err(format!("it has more than {MOST} entries"));
        }
        for row in &self.not_needed {
            let second = row.countersigned_by.trim();
            if second.is_empty() || second.eq_ignore_ascii_case(by) {
                return Err(format!(
                    "'{}' is declared not needed: give countersigned_by, another person than approved_by",
                    row.reason
                ));
            }
        }
        let selector = Selector {
            device: self.device,
            name: self.name,
            mac: self.mac,
            address: self.address,
            class: self.class,
        };
        if selector == Selector::default() {
            return Err("it names no device: give device, name, mac, address or class".to_owned());
        }
        let all = |rows: &[Row]| rows.iter().map(Row::read).collect::<Result<Vec<_>, _>>();
        Ok(Profile {
            selector,
            approved: format!("{by} on {on}"),
            needs: all(&self.needs)?,
            not_needed: all(&self.not_needed)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[profile]]
        class = "infusion_pump"
        approved_by = "A. Lind"
        approved_on = "2026-11-02"
        [[profile.needs]]
        reason = "drug library"
        to = "10.20.0.5"
        proto = "tcp"
        port = 8443
        every_s = 60
        [[profile.needs]]
        reason = "vendor time"
        to = "Time.Vendor.example"
        [[profile.not_needed]]
        reason = "left by a contractor"
        from = "10.9.0.4"
        countersigned_by = "B. Okoro"
    "#;

    #[test]
    fn a_profile_is_read_and_selects_its_devices_only() {
        let profiles = read(GOOD).unwrap();
        let needs = &profiles[0].needs;
        assert_eq!(needs[1].peer, Peer::Name("time.vendor.example".to_owned()));
        assert_eq!(needs[0].every, Some(Duration::from_secs(60)));
        let mut pump = Subject { class: DeviceClass::InfusionPump, ..Subject::default() };
        assert!(profiles[0].selector.selects(&pump));
        pump.class = DeviceClass::Printer;
        assert!(!profiles[0].selector.selects(&pump));
        assert!(!Selector::default().selects(&pump), "a selector of nothing selects nobody");
    }

    #[test]
    fn what_nobody_stands_for_or_nobody_understands_is_refused_with_its_place() {
        for (old, new, told) in [
            ("approved_by = \"A. Lind\"", "", "nobody approved it"),
            ("class = \"infusion_pump\"", "", "names no device"),
            ("countersigned_by = \"B. Okoro\"", "countersigned_by = \"a. lind\"", "another person"),
            ("proto = \"tcp\"", "", "say proto"),
            ("to = \"10.20.0.5\"", "to = \"10.20.0.5\"\nfrom = \"10.0.0.1\"", "exactly one"),
            ("to = \"10.20.0.5\"", "to = \"10.20.0.500/24\"", "is no address"),
            ("reason = \"drug library\"", "", "no reason"),
            ("class =", "clas =", "clas"),
        ] {
            let error = read(&GOOD.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
