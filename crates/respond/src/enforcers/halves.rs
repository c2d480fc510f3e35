//! From conversations to packets, for enforcers that keep no state of connections.
//!
//! A [`Pattern`] speaks of who opens a conversation; a packet only says from where to where. Which
//! side was called is told by the side on which the port is: a *call* carries it as destination, an
//! *answer* as source. So a pattern with a port is two [`Half`]s, and cutting both ends connections
//! that exist as well.
//!
//! **Where that is not exact.** When the caller happens to use the same number as its own port, one
//! packet fits both ways: a peer that calls the device *from* port 443 cannot be told from a server
//! at 443 that the device called. Callers pick theirs from thousands (RFC 6056), except in protocols
//! where both sides use the same port, such as NTP between servers, IKE and NetBIOS.
//!
//! Without a port the way cannot be told at all, except for ICMP, where the type tells. A block
//! without port is therefore only possible both ways at once; see [`block`].
//!
//! What is no conversation passes: ARP and IPv6 neighbour discovery, without which a device has no
//! neighbours, and reports of errors about other packets (ICMP 3, 11, 12 and ICMPv6 1 to 4), without
//! which large transfers stall (RFC 1191, RFC 8201).

use std::net::IpAddr;

use model::net::is_unicast;

use crate::range::Range;
use crate::restriction::{Pattern, Proto, Way};
use crate::subject::Subject;

/// ICMP types that answer another one: echo, timestamp, information and address mask.
pub(super) const ICMP_ANSWERS: &[u8] = &[0, 14, 16, 18];
/// ICMP types that report an error about another packet.
pub(super) const ICMP_ERRORS: &[u8] = &[3, 11, 12];
/// ICMPv6 types that answer another one: echo.
pub(super) const ICMP6_ANSWERS: &[u8] = &[129];
/// ICMPv6 types that report an error about another packet.
pub(super) const ICMP6_ERRORS: &[u8] = &[1, 2, 3, 4];
/// Neighbour discovery (RFC 4861).
pub(super) const NEIGHBOURS: &[u8] = &[133, 134, 135, 136, 137];

/// Most addresses of one device.
const MOST_ADDRESSES: usize = 64;
/// Most halves of one restriction.
const MOST_HALVES: usize = 16_384;

/// Whether packets of this half go to who is called, or come from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Leg {
    /// To who is called.
    Call,
    /// From who is called.
    Answer,
}

/// What a packet of a half looks like above its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum What {
    /// A protocol with ports, and the port of who is called.
    Port(Proto, u16),
    /// All of a protocol: TCP or UDP.
    Proto(Proto),
    /// ICMP.
    Icmp,
    /// Everything.
    All,
}

/// One direction of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Half {
    /// The device's address.
    pub(super) own: IpAddr,
    /// The other side, of the same family.
    pub(super) peer: Range,
    /// Whether the device is the source.
    pub(super) leaves: bool,
    /// To or from who is called.
    pub(super) leg: Leg,
    /// What.
    pub(super) what: What,
}

impl Half {
    /// Where packets come from.
    pub(super) fn from(&self) -> Range {
        if self.leaves { Range::one(self.own) } else { self.peer }
    }

    /// Where packets go.
    pub(super) fn to(&self) -> Range {
        if self.leaves { self.peer } else { Range::one(self.own) }
    }

    /// Whether all packets of the other are packets of this one.
    fn holds(&self, other: &Self) -> bool {
        (self.own, self.leaves, self.leg, self.what)
            == (other.own, other.leaves, other.leg, other.what)
            && covers(self.peer, other.peer)
    }
}

/// Whether every address of `narrow` is in `wide`.
pub(super) fn covers(wide: Range, narrow: Range) -> bool {
    wide.prefix() <= narrow.prefix() && wide.contains(narrow.address())
}

/// The addresses of a device, each once.
///
/// # Errors
/// Where there is none, or one that is nobody's own: why.
pub(super) fn own(subject: &Subject) -> Result<Vec<IpAddr>, String> {
    let mut own = subject.addresses.clone();
    own.sort();
    own.dedup();
    if own.is_empty() {
        return Err("no address of the device is known".to_owned());
    }
    if own.len() > MOST_ADDRESSES {
        return Err(format!("the device has more than {MOST_ADDRESSES} addresses"));
    }
    match own.iter().find(|address| !is_own(**address)) {
        Some(address) => Err(format!("{address} is no address of one device")),
        None => Ok(own),
    }
}

fn is_own(address: IpAddr) -> bool {
    let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    is_unicast(address) && !address.is_loopback() && !mapped
}

/// What a block cuts.
///
/// # Errors
/// Where packets do not tell enough: what is missing.
pub(super) fn block(subject: &Subject, flows: &[Pattern]) -> Result<Vec<Half>, String> {
    if flows.is_empty() {
        return Err("the block names no conversation".to_owned());
    }
    for flow in flows {
        let told_by_type = flow.proto == Some(Proto::Icmp);
        if flow.port.is_some() || told_by_type || goes_both_ways(flow, flows) {
            continue;
        }
        return Err(format!(
            "'{flow}' has no port, and packets alone do not say who opened a connection: name the \
             port, or block both ways"
        ));
    }
    let halves = halves(subject, flows)?;
    if halves.is_empty() {
        return Err("the device has no address of that family, so nothing would be cut".to_owned());
    }
    Ok(halves)
}

/// Whether the same is blocked the other way too.
fn goes_both_ways(flow: &Pattern, flows: &[Pattern]) -> bool {
    flows.iter().any(|other| {
        other.way != flow.way
            && other.port.is_none()
            && (other.proto.is_none() || other.proto == flow.proto)
            && covers(other.peer, flow.peer)
    })
}

/// Both halves of each pattern, in order, without those that another one covers.
///
/// # Errors
/// Where a pattern makes no sense: which.
pub(super) fn halves(subject: &Subject, patterns: &[Pattern]) -> Result<Vec<Half>, String> {
    let own = own(subject)?;
    let mut all = Vec::new();
    for pattern in patterns {
        let peer = pattern.peer;
        if !own.iter().any(|own| own.is_ipv4() == peer.address().is_ipv4()) {
            // Nothing of the device can ever be of this family.
            continue;
        }
        for what in whats(pattern)? {
            for &own in own.iter().filter(|own| own.is_ipv4() == peer.address().is_ipv4()) {
                for leg in [Leg::Call, Leg::Answer] {
                    let leaves = (pattern.way == Way::Out) == (leg == Leg::Call);
                    all.push(Half { own, peer, leaves, leg, what });
                }
            }
        }
        if all.len() > MOST_HALVES {
            return Err("too many kinds of conversation for one device".to_owned());
        }
    }
    all.sort();
    all.dedup();
    let covered = |half: &Half| all.iter().any(|other| other != half && other.holds(half));
    Ok(all.iter().filter(|half| !covered(half)).copied().collect())
}

fn whats(pattern: &Pattern) -> Result<Vec<What>, String> {
    let ported = |port| match port {
        0 => Err(format!("'{pattern}': there is no port 0")),
        port => Ok(port),
    };
    Ok(match (pattern.proto, pattern.port) {
        (Some(Proto::Icmp), None) => vec![What::Icmp],
        (Some(Proto::Icmp), Some(_)) => {
            return Err(format!("'{pattern}': ICMP has no ports"));
        }
        (Some(proto), Some(port)) => vec![What::Port(proto, ported(port)?)],
        (None, Some(port)) => {
            let port = ported(port)?;
            vec![What::Port(Proto::Tcp, port), What::Port(Proto::Udp, port)]
        }
        (Some(proto), None) => vec![What::Proto(proto)],
        (None, None) => vec![What::All],
    })
}

/// Ranges of one family without those that others hold, in order.
pub(super) fn widest(ranges: &[Range], v6: bool) -> Vec<Range> {
    let mut of: Vec<Range> =
        ranges.iter().filter(|range| range.address().is_ipv6() == v6).copied().collect();
    of.sort_by_key(|range| (range.address(), range.prefix()));
    of.dedup();
    let covered = |range: &Range| of.iter().any(|other| other != range && covers(*other, *range));
    of.iter().filter(|range| !covered(range)).copied().collect()
}
