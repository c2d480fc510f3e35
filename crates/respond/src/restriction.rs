//! What is restricted, independent of where it is enforced.
//!
//! [`Restriction::drops`] is the one definition of what a restriction does. Pre-flight replays
//! history with it, verification watches traffic with it, and every enforcer is tested against it.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::range::Range;
use crate::subject::Subject;

/// A transport protocol that can be named in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proto {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP for IPv4, ICMPv6 for IPv6.
    Icmp,
}

impl Proto {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

impl fmt::Display for Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Who opens a conversation, seen from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The device calls.
    Out,
    /// The device is called.
    In,
}

/// Conversations of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pattern {
    /// Who opens them.
    pub way: Way,
    /// The other side.
    pub peer: Range,
    /// Transport; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proto: Option<Proto>,
    /// Port of whoever is called; any where absent. Only with TCP and UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// A conversation as it was recorded: who called whom for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Conversation {
    /// Who called.
    pub client: IpAddr,
    /// Who was called.
    pub server: IpAddr,
    /// Transport.
    pub proto: Proto,
    /// Port of the server; 0 for ICMP.
    pub port: u16,
}

impl Pattern {
    /// Whether a conversation of the device with these addresses is one of these.
    pub fn matches(&self, addresses: &[IpAddr], conversation: &Conversation) -> bool {
        let (own, peer) = match self.way {
            Way::Out => (conversation.client, conversation.server),
            Way::In => (conversation.server, conversation.client),
        };
        addresses.contains(&own)
            && self.peer.contains(peer)
            && self.proto.is_none_or(|proto| proto == conversation.proto)
            && self.port.is_none_or(|port| port == conversation.port)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Out => "to",
            Way::In => "from",
        };
        write!(f, "{way} {}", self.peer)?;
        match (self.proto, self.port) {
            (Some(proto), Some(port)) => write!(f, ", {proto} port {port}"),
            (Some(proto), None) => write!(f, ", {proto}"),
            (None, Some(port)) => write!(f, ", port {port}"),
            (None, None) => Ok(()),
        }
    }
}

/// Something outside of the hospital that published intelligence, or a case, names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indicator {
    /// Addresses.
    Address(Range),
    /// A domain and everything below it, in lower case without a dot at the end.
    Domain(String),
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(range) => range.fmt(f),
            Self::Domain(name) => f.write_str(name),
        }
    }
}

/// What is cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Restriction {
    /// L2 on the device: these conversations of it, and nothing else.
    Block {
        /// What is cut, at least one.
        flows: Vec<Pattern>,
    },
    /// L2 at the perimeter: the indicator, for everybody.
    Perimeter {
        /// What is cut.
        indicator: Indicator,
    },
    /// L3: everything of the device but these conversations.
    Essentials {
        /// What goes on.
        allow: Vec<Pattern>,
    },
    /// L4: everything of the device but management.
    Quarantine {
        /// Who may still reach it.
        management: Vec<Range>,
    },
}

impl Restriction {
    /// How far it goes.
    pub const fn level(&self) -> Level {
        match self {
            Self::Block { .. } | Self::Perimeter { .. } => Level::L2,
            Self::Essentials { .. } => Level::L3,
            Self::Quarantine { .. } => Level::L4,
        }
    }

    /// Whether a conversation would be cut: what enforcers have to do, neither more nor less.
    ///
    /// One exception is the enforcers' own: a block that names DHCP by accident (no port, everybody)
    /// lets it pass, since a device that loses its address has lost everything. An essentials list
    /// names DHCP like any other conversation.
    pub fn drops(&self, subject: &Subject, conversation: &Conversation) -> bool {
        let own = &subject.addresses;
        let concerns = subject.has(conversation.client) || subject.has(conversation.server);
        match self {
            Self::Block { flows } => flows.iter().any(|flow| flow.matches(own, conversation)),
            Self::Perimeter { indicator: Indicator::Address(range) } => {
                range.contains(conversation.server) || range.contains(conversation.client)
            }
            // A name is refused when it is looked up; no address is known here.
            Self::Perimeter { indicator: Indicator::Domain(_) } => false,
            Self::Essentials { allow } => {
                concerns && !allow.iter().any(|flow| flow.matches(own, conversation))
            }
            Self::Quarantine { management } => {
                let peer = if subject.has(conversation.client) {
                    conversation.server
                } else {
                    conversation.client
                };
                concerns && !management.iter().any(|range| range.contains(peer))
            }
        }
    }

    /// In plain words, such as `block 2 flows`.
    pub fn title(&self) -> String {
        match self {
            Self::Block { flows } => match flows.as_slice() {
                [one] => format!("block what goes {one}"),
                many => format!("block {} kinds of conversation", many.len()),
            },
            Self::Perimeter { indicator } => format!("block {indicator} at the perimeter"),
            Self::Essentials { allow } => {
                format!("allow {} essential kinds of conversation only", allow.len())
            }
            Self::Quarantine { .. } => "quarantine: management only".to_owned(),
        }
    }
}
