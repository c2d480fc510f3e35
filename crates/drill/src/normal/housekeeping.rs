//! What every host does to stay on a network: names, time, its lease, announcements, its log.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::Mac;

use crate::activity::{Activity, random, regular};
use crate::app::dhcp::{self, Kind, Lease};
use crate::app::{dns, ntp, syslog};
use crate::net::frame::{self, Link};
use crate::role::Role;
use crate::time::{MS, Nanos, SEC};
use crate::world::{HostId, World};

/// The group of mDNS.
const MDNS: (Mac, Ipv4Addr) = (Mac([1, 0, 0x5e, 0, 0, 0xfb]), Ipv4Addr::new(224, 0, 0, 251));

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    let role = w.hosts[host].role;
    let period = w.rng.between(40, 130) * SEC;
    let mut all = vec![regular(w, period, 0.05, move |w, now| {
        clock(w, now, host);
    })];
    if !role.is_server() {
        all.push(random(w, 420 * SEC, move |w, now| renew(w, now, host)));
    }
    if !role.is_server() && !role.is_desk() {
        all.push(random(w, 45 * SEC, move |w, now| report(w, now, host)));
    }
    all.push(random(w, 75 * SEC, move |w, now| {
        let names = [w.services.pacs, w.services.hl7, w.services.fhir, w.services.update];
        let known: Vec<HostId> = names.into_iter().flatten().map(|s| s.host).collect();
        if !known.is_empty() {
            let asked = *w.rng.pick(&known);
            let name = w.fqdn(asked);
            lookup(w, now, host, &name);
        }
    }));
    if role.is_desk() || matches!(role, Role::Printer | Role::Camera) {
        all.push(random(w, 110 * SEC, move |w, now| announce(w, now, host)));
    }
    all
}

/// Asks the time server for the time. Says when the answer came.
pub(crate) fn clock(w: &mut World, at: Nanos, host: HostId) -> Nanos {
    let Some(server) = w.services.ntp.filter(|&s| s != host) else { return at };
    let ask = ntp::request(at);
    let answer = ntp::reply(at, at + 200_000, 2);
    w.ask(at, host, (server, ntp::PORT), &ask, &answer)
}

/// Asks the name server for an address. Says when the answer came.
pub(crate) fn lookup(w: &mut World, at: Nanos, host: HostId, name: &str) -> Nanos {
    let Some(server) = w.services.dns.filter(|&s| s != host) else { return at };
    let ip = (0..w.hosts.len()).find(|&h| w.fqdn(h) == name).map(|h| w.hosts[h].ip);
    let id = w.rng.next() as u16;
    let ask = dns::query(id, name, dns::A);
    let answer = match ip {
        Some(ip) => {
            let ttl = w.rng.between(30, 3_600) as u32;
            dns::answer(id, name, dns::A, ttl, &[dns::address(ip)])
        }
        None => dns::no_such_name(id, name, dns::A),
    };
    let done = w.ask(at, host, (server, 53), &ask, &answer);
    if w.hosts[host].role.is_desk() {
        let id = w.rng.next() as u16;
        let answer = dns::answer(id, name, dns::AAAA, 60, &[]);
        w.ask(at + MS / 3, host, (server, 53), &dns::query(id, name, dns::AAAA), &answer);
    }
    done
}

/// What the DHCP server tells about the network of a host.
pub(crate) fn lease_of(w: &World, host: HostId, server: HostId) -> Lease {
    let subnet = &w.subnets[w.hosts[host].subnet];
    let dns = w.services.dns.unwrap_or(server);
    Lease {
        ip: w.hosts[host].ip,
        mask: Ipv4Addr::from_bits(u32::MAX << (32 - u32::from(subnet.prefix))),
        router: subnet.gateway,
        dns: w.hosts[dns].ip,
        server: w.hosts[server].ip,
        seconds: 3_600,
    }
}

/// What a client says about itself (option 60).
fn vendor_class(w: &World, host: HostId) -> String {
    match w.hosts[host].role.os() {
        crate::role::Os::Windows => "MSFT 5.0".to_owned(),
        crate::role::Os::Embedded => "udhcp 1.20.2".to_owned(),
        _ => String::new(),
    }
}

/// Renews the lease with the server that gave it.
pub(crate) fn renew(w: &mut World, at: Nanos, host: HostId) {
    let Some(server) = w.services.dhcp.filter(|&s| s != host) else { return };
    let (mac, ip, name) = (w.hosts[host].mac, w.hosts[host].ip, w.hosts[host].name.clone());
    let id = w.rng.next() as u32;
    let vendor = vendor_class(w, host);
    let at = w.resolve(at, host, server);
    let ask = dhcp::ask(Kind::Request, id, mac, &name, Some(ip), None, &vendor);
    let give = dhcp::give(Kind::Ack, id, mac, Some(ip), &lease_of(w, host, server));
    let (client, port) = dhcp::PORTS;
    w.udp(at, [(host, client), (server, port)], &ask);
    w.udp(at + 2 * MS, [(server, port), (host, client)], &give);
}

/// Asks for an address from nothing: discover, offer, request, acknowledgement. The address is the
/// one the host has now. Says when it was done.
pub(crate) fn obtain(w: &mut World, at: Nanos, host: HostId) -> Nanos {
    let Some(server) = w.services.dhcp.filter(|&s| s != host) else {
        w.arp_announce(at, host);
        return at + MS;
    };
    let lease = lease_of(w, host, server);
    let (mac, name) = (w.hosts[host].mac, w.hosts[host].name.clone());
    let id = w.rng.next() as u32;
    let everybody = (Mac::BROADCAST, Ipv4Addr::BROADCAST);
    let (client, port) = dhcp::PORTS;
    let vendor = vendor_class(w, host);
    let nobody = Ipv4Addr::UNSPECIFIED;
    let mut now = at;
    for (ask, give) in [(Kind::Discover, Kind::Offer), (Kind::Request, Kind::Ack)] {
        let wanted = (ask == Kind::Request).then_some((lease.ip, lease.server));
        let bytes = dhcp::ask(ask, id, mac, &name, None, wanted, &vendor);
        w.multicast(now, host, nobody, everybody, (client, port), &bytes);
        now += w.rng.between(1, 12) * MS;
        let bytes = dhcp::give(give, id, mac, None, &lease);
        w.udp(now, [(server, port), (host, client)], &bytes);
        now += w.rng.between(1, 8) * MS;
    }
    w.arp_announce(now, host);
    now + w.rng.between(1, 30) * MS
}

/// Announces a service to the neighbours, or asks them for one, with mDNS over IPv4 and IPv6.
fn announce(w: &mut World, at: Nanos, host: HostId) {
    let payload = match w.hosts[host].role {
        Role::Printer => dns::announce("_ipp._tcp.local", &w.hosts[host].name.clone()),
        Role::Camera => dns::announce("_rtsp._tcp.local", &w.hosts[host].name.clone()),
        _ => dns::browse("_ipp._tcp.local"),
    };
    let source = w.hosts[host].ip;
    w.multicast(at, host, source, MDNS, (5353, 5353), &payload);
    if w.rng.chance(0.5) {
        announce_v6(w, at + MS, host, &payload);
    }
}

fn announce_v6(w: &mut World, at: Nanos, host: HostId, payload: &[u8]) {
    let mac = w.hosts[host].mac;
    let [a, b, c, d, e, f] = mac.0;
    let local = Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
    let mut datagram = vec![0x14, 0xe9, 0x14, 0xe9];
    datagram.extend_from_slice(&(payload.len() as u16 + 8).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(payload);
    let vlan = w.subnets[w.hosts[host].subnet].tag;
    let link = Link { from: mac, to: Mac([0x33, 0x33, 0, 0, 0, 0xfb]), vlan };
    let frame = frame::ipv6(link, (local, group), 255, 17, 6, datagram);
    w.put(at, frame);
}

/// A device writes a line to its log, which goes to the collector where there is one.
pub(crate) fn report(w: &mut World, at: Nanos, host: HostId) {
    let lines: &[&str] = match w.hosts[host].role {
        Role::Monitor => {
            &["NIBP cycle complete", "lead II signal quality good", "SpO2 probe attached"]
        }
        Role::Ventilator => {
            &["self test passed", "circuit leak 3 percent", "oxygen cell calibrated"]
        }
        Role::Pump => &["battery 92 percent", "drug library verified", "keep vein open ended"],
        Role::Analyser | Role::PointOfCare => &["QC level 2 passed", "reagent lot changed"],
        Role::Printer | Role::Camera => &["link up 100 Mbit/s", "time synchronised"],
        Role::Controller => &["set point reached", "filter pressure normal"],
        _ => &["self check passed", "disk usage 61 percent", "queue empty"],
    };
    let text = *w.rng.pick(lines);
    tell(w, at, host, text);
}

/// Sends a line to the log collector.
pub(crate) fn tell(w: &mut World, at: Nanos, host: HostId, text: &str) {
    let app = w.hosts[host].role.name();
    if let Some(server) = w.services.logs.filter(|&s| s != host) {
        let line = syslog::line(at, &w.hosts[host].name, app, text);
        let at = w.resolve(at, host, server);
        let port = w.port(host);
        w.udp(at, [(host, port), (server, syslog::PORT)], &line);
    }
    w.log(at, host, app, 6, text);
}
