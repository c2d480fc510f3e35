//! What no clinical device on a network can do without: an address, and neighbours.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::device::DeviceClass;

use super::learned::Learning;
use super::services::{Kind, service};
use super::{Ground, Need, Source};
use crate::range::Range;
use crate::restriction::{Conversation, Pattern, Proto, Way};
use crate::subject::Subject;

const BROADCAST: IpAddr = IpAddr::V4(Ipv4Addr::BROADCAST);
/// All DHCPv6 servers and relays (RFC 8415, 7.1).
const DHCPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2));
const LINK_LOCAL: (IpAddr, u8) = (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10);
const LINK_GROUPS: (IpAddr, u8) = (IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0)), 16);

/// The servers that give addresses: what the inventory calls so, and what was seen to do it for long
/// enough. One with an open case is none: it may be a rogue.
pub(super) fn dhcp_servers(ground: &Ground<'_>, rule: &Learning) -> Vec<IpAddr> {
    let mut servers = BTreeSet::new();
    for device in ground.devices.all().filter(|one| one.class == DeviceClass::DhcpServer) {
        servers.extend(device.addresses.iter().copied());
    }
    for (conversation, record) in ground.history.all() {
        let (server, is_dhcp) = match (conversation.proto, conversation.port) {
            (Proto::Udp, 67 | 547) => (conversation.server, true),
            (Proto::Udp, 68 | 546) => (conversation.client, true),
            _ => (conversation.server, false),
        };
        if !is_dhcp || service(&record.service, conversation).kind != Kind::Infrastructure {
            continue;
        }
        let established = ground
            .history
            .normal(conversation, record)
            .is_some_and(|normal| normal.slots >= rule.slots && normal.days >= rule.days);
        if established && model::net::is_unicast(server) {
            servers.insert(server);
        }
    }
    servers.into_iter().filter(|server| !ground.history.is_excluded(*server)).collect()
}

/// Whether a conversation may be one of them at all.
pub(super) const fn may_be(conversation: &Conversation) -> bool {
    match conversation.proto {
        Proto::Udp => matches!(conversation.port, 0 | 67 | 68 | 546 | 547),
        Proto::Icmp => true,
        Proto::Tcp => false,
    }
}

/// What a device can never do without.
pub(super) fn needs(device: &Subject, dhcp: &[IpAddr]) -> Vec<Need> {
    let udp = |way, peer, port| {
        (Pattern { way, peer, proto: Some(Proto::Udp), port: Some(port) }, "its address (DHCP)")
    };
    let mut all = Vec::new();
    if device.addresses.iter().any(IpAddr::is_ipv4) {
        all.push(udp(Way::Out, Range::one(BROADCAST), 67));
        for server in dhcp.iter().filter(|server| server.is_ipv4()) {
            all.push(udp(Way::Out, Range::one(*server), 67));
            all.push(udp(Way::In, Range::one(*server), 68));
        }
    }
    if device.addresses.iter().any(IpAddr::is_ipv6) {
        let (link, groups) = (range(LINK_LOCAL), range(LINK_GROUPS));
        all.push(udp(Way::Out, Range::one(DHCPV6), 547));
        all.push(udp(Way::In, link, 546));
        for (way, peer) in [(Way::Out, groups), (Way::Out, link), (Way::In, link)] {
            let pattern = Pattern { way, peer, proto: Some(Proto::Icmp), port: None };
            all.push((pattern, "its neighbours (IPv6 neighbour discovery)"));
        }
    }
    all.into_iter()
        .map(|(pattern, reason)| Need {
            pattern: Some(pattern),
            name: None,
            reason: reason.to_owned(),
            source: Source::Always,
            confirmed: true,
            interval: None,
            last: None,
        })
        .collect()
}

fn range((address, prefix): (IpAddr, u8)) -> Range {
    Range::new(address, prefix)
}
