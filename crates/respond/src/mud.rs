//! Manufacturer Usage Descriptions (RFC 8520): what the maker says a device needs of the network.
//!
//! Read to declared needs, and written from normal life. Written from RFC 8520, RFC 8519 (access
//! lists) and RFC 6991, and held against their YANG modules by hand.
//!
//! A MUD file comes from outside: it is capped, nothing in it is fetched, and it changes nothing by
//! itself. A person adopts it; then what it accepts counts as needed. Its abstractions (a
//! controller, the same manufacturer, local networks) become addresses through whoever calls.
//! What it accepts more narrowly than a [`crate::Pattern`] can say is taken wider, and told.
//!
//! Absent: fetching by URL, the signature (RFC 8520, section 13; check it before adopting), and
//! rules that drop, since whatever is not accepted is not needed.

mod read;
mod write;

use model::Timestamp;
use serde::{Deserialize, Serialize};

pub use read::{MudError, read};
pub use write::{WriteError, write};

use crate::essentials::{Declared, Peer};
use crate::range::Range;
use crate::restriction::{Proto, Way};

/// What a MUD file says of the device beside its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Where it is published: `https`.
    pub url: String,
    /// When it was written.
    pub last_update: Timestamp,
    /// Whether the maker still supports the device.
    pub is_supported: bool,
    /// What the device is, for people.
    pub systeminfo: String,
    /// The maker.
    pub manufacturer: String,
    /// The model.
    pub model: String,
}

/// Who is on the other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Other {
    /// Anybody, of one address family.
    Anybody {
        /// IPv6, or IPv4.
        v6: bool,
    },
    /// Addresses.
    Addresses(Range),
    /// A name.
    Name(String),
    /// What the site calls the controller of this URI.
    Controller(String),
    /// What the site calls the controller of this device.
    MyController,
    /// Devices whose MUD URL has the same authority.
    SameManufacturer,
    /// Devices whose MUD URL has this authority.
    Manufacturer(String),
    /// Devices with this MUD URL.
    Model(String),
    /// The site's own networks.
    LocalNetworks,
}

/// One kind of conversation that the maker says is needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// Who opens it.
    pub way: Way,
    /// With whom.
    pub other: Other,
    /// Transport; any where absent.
    pub proto: Option<Proto>,
    /// Port of whoever is called; any where absent.
    pub port: Option<u16>,
}

/// A MUD file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mud {
    /// What it says beside its rules.
    pub about: About,
    /// What is accepted, in order.
    pub rules: Vec<Rule>,
    /// What was taken wider than it was written, or left out, in plain words.
    pub notes: Vec<String>,
}

impl Mud {
    /// Its rules as declared needs. `addresses` says where the site has what an abstraction means;
    /// for names, [`Other::Anybody`] and [`Other::Addresses`] it is not asked. The second list says
    /// what has no address here, in plain words: such rules are no needs yet.
    pub fn needs(&self, addresses: impl Fn(&Other) -> Vec<Range>) -> (Vec<Declared>, Vec<String>) {
        let (mut needs, mut missing) = (Vec::new(), Vec::new());
        let maker = if self.about.manufacturer.is_empty() {
            "the manufacturer"
        } else {
            &self.about.manufacturer
        };
        for rule in &self.rules {
            let peers = match &rule.other {
                Other::Anybody { v6: false } => vec![Peer::Addresses(Range::ALL_V4)],
                Other::Anybody { v6: true } => vec![Peer::Addresses(Range::ALL_V6)],
                Other::Addresses(range) => vec![Peer::Addresses(*range)],
                Other::Name(name) => vec![Peer::Name(name.clone())],
                other => addresses(other).into_iter().map(Peer::Addresses).collect(),
            };
            if peers.is_empty() {
                missing.push(format!("nobody here is {}", rule.other));
            }
            needs.extend(peers.into_iter().map(|peer| Declared {
                reason: format!("{maker} says it needs {}", rule.other),
                way: rule.way,
                peer,
                proto: rule.proto,
                port: rule.port,
                every: None,
            }));
        }
        missing.dedup();
        (needs, missing)
    }
}

impl std::fmt::Display for Other {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anybody { .. } => f.write_str("anybody"),
            Self::Addresses(range) => range.fmt(f),
            Self::Name(name) => f.write_str(name),
            Self::Controller(uri) => write!(f, "the controller '{uri}'"),
            Self::MyController => f.write_str("its controller"),
            Self::SameManufacturer => f.write_str("devices of the same manufacturer"),
            Self::Manufacturer(name) => write!(f, "devices of {name}"),
            Self::Model(url) => write!(f, "devices of the model '{url}'"),
            Self::LocalNetworks => f.write_str("local networks"),
        }
    }
}

#[cfg(test)]
mod tests;
