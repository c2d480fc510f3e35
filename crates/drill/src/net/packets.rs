//! Single packets between hosts: resolution of addresses, datagrams, echoes, lone segments.

use std::net::Ipv4Addr;

use model::Mac;

use crate::net::frame::{self, ACK, Ip, Link, RST, SYN, Segment};
use crate::net::queue::Item;
use crate::time::{MS, Nanos, SEC, US};
use crate::world::{HostId, World};

/// How long a stack remembers an address it has asked for.
const ARP_LIFETIME: Nanos = 240 * SEC;

/// What is at the other end of a port that somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A service answers.
    Open,
    /// The host says that there is none.
    Closed,
    /// Nothing comes back.
    Silent,
}

impl World {
    /// Puts a frame on the wire.
    pub(crate) fn put(&mut self, at: Nanos, frame: Vec<u8>) {
        self.queue.push(at, Item::Frame(frame));
    }

    /// Whether two hosts reach each other without a router.
    pub(crate) fn is_neighbour(&self, a: HostId, b: HostId) -> bool {
        let (a, b) = (&self.hosts[a], &self.hosts[b]);
        !a.external && !b.external && a.subnet == b.subnet
    }

    /// Link addresses of a frame from one host to another, as the sensor sees it.
    pub(crate) fn link(&self, from: HostId, to: HostId) -> Link {
        let (a, b) = (&self.hosts[from], &self.hosts[to]);
        let gateway = self.hosts[self.gateway].mac;
        if a.external {
            return Link { from: gateway, to: b.mac, vlan: self.vlan(to) };
        }
        let to = if self.is_neighbour(from, to) { b.mac } else { gateway };
        Link { from: a.mac, to, vlan: self.vlan(from) }
    }

    fn vlan(&self, host: HostId) -> Option<u16> {
        self.subnets[self.hosts[host].subnet].tag
    }

    /// Header of the next IP packet from one host to another.
    pub(crate) fn ip(&mut self, from: HostId, to: HostId) -> Ip {
        let dest = self.hosts[to].ip;
        let host = &mut self.hosts[from];
        host.ip_id = host.ip_id.wrapping_add(1);
        let ttl = host.ttl;
        Ip { from: host.ip, to: dest, ttl, id: host.ip_id, whole: !host.external || ttl < 60 }
    }

    /// Makes sure that `from` knows the link address of the next hop to `to`; says when it does.
    pub(crate) fn resolve(&mut self, at: Nanos, from: HostId, to: HostId) -> Nanos {
        if self.hosts[from].external {
            return at;
        }
        let hop = if self.is_neighbour(from, to) { to } else { self.gateway };
        let key = (from, hop);
        if self.arp.get(&key).is_some_and(|&until| until > at) {
            return at;
        }
        self.arp.insert(key, at + ARP_LIFETIME + self.rng.between(0, 120) * SEC);
        let ip = self.next_hop_ip(from, hop);
        self.arp_request(at, from, ip);
        let answered = at + self.rng.between(60, 400) * US;
        self.arp_reply(answered, hop, ip, from);
        answered + self.rng.between(20, 90) * US
    }

    /// The router has an address in each subnet; other hosts have one.
    fn next_hop_ip(&self, from: HostId, hop: HostId) -> Ipv4Addr {
        if hop == self.gateway {
            self.subnets[self.hosts[from].subnet].gateway
        } else {
            self.hosts[hop].ip
        }
    }

    /// A host asks everybody for the link address of `ip`.
    pub(crate) fn arp_request(&mut self, at: Nanos, from: HostId, ip: Ipv4Addr) {
        let host = &self.hosts[from];
        let link = Link { from: host.mac, to: Mac::BROADCAST, vlan: self.vlan(from) };
        let frame = frame::arp(link, 1, (host.mac, host.ip), (Mac([0; 6]), ip));
        self.put(at, frame);
    }

    /// A host claims `ip`, truly or not, towards another.
    pub(crate) fn arp_reply(&mut self, at: Nanos, from: HostId, ip: Ipv4Addr, to: HostId) {
        let own = self.hosts[to].ip;
        self.arp_reply_to(at, from, ip, (to, own));
    }

    /// The same towards a host that has several addresses, at one of them.
    pub(crate) fn arp_reply_to(
        &mut self,
        at: Nanos,
        from: HostId,
        ip: Ipv4Addr,
        to: (HostId, Ipv4Addr),
    ) {
        let (a, b) = (&self.hosts[from], &self.hosts[to.0]);
        let vlan = self.vlan(if to.0 == self.gateway { from } else { to.0 });
        let link = Link { from: a.mac, to: b.mac, vlan };
        let frame = frame::arp(link, 2, (a.mac, ip), (b.mac, to.1));
        self.put(at, frame);
    }

    /// A host announces its own address to everybody (gratuitous ARP).
    pub(crate) fn arp_announce(&mut self, at: Nanos, from: HostId) {
        let host = &self.hosts[from];
        let link = Link { from: host.mac, to: Mac::BROADCAST, vlan: self.vlan(from) };
        let frame = frame::arp(link, 1, (host.mac, host.ip), (Mac([0; 6]), host.ip));
        self.put(at, frame);
    }

    /// A datagram; the address must have been resolved.
    pub(crate) fn udp(&mut self, at: Nanos, ends: [(HostId, u16); 2], payload: &[u8]) {
        let [(from, from_port), (to, to_port)] = ends;
        let (link, ip) = (self.link(from, to), self.ip(from, to));
        for frame in frame::udp(link, ip, (from_port, to_port), payload) {
            self.put(at, frame);
        }
    }

    /// A question and its answer over UDP, from a fresh port; says when the answer arrived.
    pub(crate) fn ask(
        &mut self,
        at: Nanos,
        from: HostId,
        server: (HostId, u16),
        question: &[u8],
        answer: &[u8],
    ) -> Nanos {
        let at = self.resolve(at, from, server.0);
        let port = self.port(from);
        self.udp(at, [(from, port), server], question);
        let back = at + self.round_trip(from, server.0) + self.rng.between(80, 900) * US;
        self.udp(back, [server, (from, port)], answer);
        back
    }

    /// A datagram to a group of hosts on the same link (mDNS, SSDP, DHCP), from any address.
    pub(crate) fn multicast(
        &mut self,
        at: Nanos,
        from: HostId,
        source: Ipv4Addr,
        group: (Mac, Ipv4Addr),
        ports: (u16, u16),
        payload: &[u8],
    ) {
        let link = Link { from: self.hosts[from].mac, to: group.0, vlan: self.vlan(from) };
        let id = self.ip(from, from).id;
        let ttl = if group.1.is_broadcast() { 64 } else { 255 };
        let ip = Ip { from: source, to: group.1, ttl, id, whole: true };
        for frame in frame::udp(link, ip, ports, payload) {
            self.put(at, frame);
        }
    }

    /// An echo request and, where the host answers, its reply.
    pub(crate) fn ping(&mut self, at: Nanos, from: HostId, to: HostId, count: u16, size: usize) {
        let at = self.resolve(at, from, to);
        let ident = u32::from(self.hosts[from].ip_id) << 16;
        let body: Vec<u8> = (0..size).map(|i| (i % 23) as u8 + b'a').collect();
        let (link, ip) = (self.link(from, to), self.ip(from, to));
        self.put(at, frame::icmp(link, ip, 8, 0, ident | u32::from(count), &body));
        if self.hosts[to].pings {
            let back = at + self.round_trip(from, to);
            let (link, ip) = (self.link(to, from), self.ip(to, from));
            self.put(back, frame::icmp(link, ip, 0, 0, ident | u32::from(count), &body));
        }
    }

    /// An echo request, through the router, to an address that nobody has.
    pub(crate) fn ping_nobody(&mut self, at: Nanos, from: HostId, to: Ipv4Addr) {
        let gateway = self.gateway;
        let at = self.resolve(at, from, gateway);
        let link = Link { to: self.hosts[gateway].mac, ..self.link(from, gateway) };
        let ip = Ip { to, ..self.ip(from, gateway) };
        let body: Vec<u8> = (0..56).map(|i| i % 23 + b'a').collect();
        self.put(at, frame::icmp(link, ip, 8, 0, u32::from(ip.id) << 16 | 1, &body));
    }

    /// One segment outside of any conversation.
    pub(crate) fn segment(&mut self, at: Nanos, from: HostId, to: HostId, segment: &Segment<'_>) {
        let (link, ip) = (self.link(from, to), self.ip(from, to));
        self.put(at, frame::tcp(link, ip, segment));
    }

    /// What a port of a host would answer.
    pub(crate) fn door(&self, host: HostId, port: u16) -> Door {
        let host = &self.hosts[host];
        if host.open.contains(&port) {
            Door::Open
        } else if host.refuses {
            Door::Closed
        } else {
            Door::Silent
        }
    }

    /// A half-open try of a port, as a scanner does it: SYN, the answer, and RST where it is open.
    pub(crate) fn knock(&mut self, at: Nanos, from: HostId, to: HostId, ports: (u16, u16)) -> Door {
        let seq = self.rng.next() as u32;
        let options = [2, 4, 0x05, 0xb4];
        let (from_port, to_port) = ports;
        let syn = Segment { from: from_port, to: to_port, seq, flags: SYN, ..<_>::default() };
        self.segment(at, from, to, &Segment { window: 1_024, options: &options, ..syn.clone() });
        let door = self.door(to, to_port);
        let back = at + self.round_trip(from, to);
        let answer = Segment { from: to_port, to: from_port, ack: seq.wrapping_add(1), ..syn };
        match door {
            Door::Open => {
                let (window, _, _) = self.hosts[to].role.os().windows();
                let (theirs, flags) = (self.rng.next() as u32, SYN | ACK);
                let answer = Segment { seq: theirs, flags, window, options: &options, ..answer };
                self.segment(back, to, from, &answer);
                let seq = seq.wrapping_add(1);
                let reset =
                    Segment { from: from_port, to: to_port, seq, flags: RST, ..<_>::default() };
                self.segment(back + 60 * US, from, to, &reset);
            }
            Door::Closed => {
                let answer = Segment { seq: 0, flags: RST | ACK, ..answer };
                self.segment(back, to, from, &answer);
            }
            Door::Silent => {}
        }
        door
    }

    /// Time from the sensor to the far host and back.
    pub(crate) fn round_trip(&mut self, from: HostId, to: HostId) -> Nanos {
        let far = self.hosts[from].external || self.hosts[to].external;
        if far { self.rng.between(9, 38) * MS } else { self.rng.between(120, 700) * US }
    }

    /// The next port that a host calls from.
    pub(crate) fn port(&mut self, host: HostId) -> u16 {
        let step = self.rng.between(1, 40) as u16;
        let host = &mut self.hosts[host];
        let (first, count) = host.role.os().ports();
        host.next_port = (host.next_port + step) % count;
        first + host.next_port
    }
}
