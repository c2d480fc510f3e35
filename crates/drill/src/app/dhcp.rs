//! DHCP messages (RFC 2131, options of RFC 2132).

use std::net::Ipv4Addr;

use model::Mac;

/// Ports of client and server.
pub(crate) const PORTS: (u16, u16) = (68, 67);

/// Kinds of messages (option 53).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Ack = 5,
}

/// What a server tells a client about the network.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) ip: Ipv4Addr,
    pub(crate) mask: Ipv4Addr,
    pub(crate) router: Ipv4Addr,
    pub(crate) dns: Ipv4Addr,
    pub(crate) server: Ipv4Addr,
    pub(crate) seconds: u32,
}

fn head(reply: bool, transaction: u32, mac: Mac) -> Vec<u8> {
    let mut out = vec![if reply { 2 } else { 1 }, 1, 6, 0];
    out.extend_from_slice(&transaction.to_be_bytes());
    out.resize(28, 0);
    out.extend_from_slice(&mac.0);
    out.resize(236, 0);
    out.extend_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    out
}

fn option(out: &mut Vec<u8>, code: u8, value: &[u8]) {
    out.extend_from_slice(&[code, value.len() as u8]);
    out.extend_from_slice(value);
}

fn end(mut out: Vec<u8>) -> Vec<u8> {
    out.push(255);
    out.resize(out.len().max(300), 0);
    out
}

/// A client's message. `current` is the address it renews, `wanted` the one it asks for.
pub(crate) fn ask(
    kind: Kind,
    transaction: u32,
    mac: Mac,
    name: &str,
    current: Option<Ipv4Addr>,
    wanted: Option<(Ipv4Addr, Ipv4Addr)>,
    vendor: &str,
) -> Vec<u8> {
    let mut out = head(false, transaction, mac);
    if let Some(ip) = current {
        out[12..16].copy_from_slice(&ip.octets());
    }
    option(&mut out, 53, &[kind as u8]);
    let mut identifier = vec![1];
    identifier.extend_from_slice(&mac.0);
    option(&mut out, 61, &identifier);
    if let Some((ip, server)) = wanted {
        option(&mut out, 50, &ip.octets());
        option(&mut out, 54, &server.octets());
    }
    option(&mut out, 12, name.as_bytes());
    if !vendor.is_empty() {
        option(&mut out, 60, vendor.as_bytes());
    }
    option(&mut out, 55, &[1, 3, 6, 15, 42, 51, 58, 59]);
    end(out)
}

/// A server's answer.
pub(crate) fn give(
    kind: Kind,
    transaction: u32,
    mac: Mac,
    current: Option<Ipv4Addr>,
    lease: &Lease,
) -> Vec<u8> {
    let mut out = head(true, transaction, mac);
    if let Some(ip) = current {
        out[12..16].copy_from_slice(&ip.octets());
    }
    out[16..20].copy_from_slice(&lease.ip.octets());
    out[20..24].copy_from_slice(&lease.server.octets());
    option(&mut out, 53, &[kind as u8]);
    option(&mut out, 54, &lease.server.octets());
    option(&mut out, 51, &lease.seconds.to_be_bytes());
    option(&mut out, 1, &lease.mask.octets());
    option(&mut out, 3, &lease.router.octets());
    option(&mut out, 6, &lease.dns.octets());
    end(out)
}
