//! Builds the hospital of a plan: hosts with addresses, servers with ports, and the Internet
//! beyond the router.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use model::Mac;

use crate::address::{self, Numbering};
use crate::change::Changes;
use crate::net::queue::Queue;
use crate::people;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::role::{Os, Role};
use crate::time::Nanos;
use crate::world::{Host, HostId, Service, Services, World};

/// Names that hosts on the Internet have here, and what each is for: clouds of makers, pages that
/// people read, mail, time.
pub(crate) const OUTSIDE: [&str; 14] = [
    "telemetry.imaging-service.example",
    "updates.pump-maker.example",
    "remote.monitor-maker.example",
    "www.news-of-the-day.example",
    "cdn.pictures.example",
    "www.medical-journal.example",
    "mail.hosted-office.example",
    "login.hosted-office.example",
    "ads.banner-network.example",
    "ocsp.certificates.example",
    "api.weather.example",
    "time.example.net",
    "lab.reagent-orders.example",
    "support.vendor-desk.example",
];

struct Builder {
    rng: Rng,
    numbering: Numbering,
    hosts: Vec<Host>,
    /// The maker of each role's devices where a hospital buys from one.
    maker: BTreeMap<Role, u32>,
    mixed: bool,
}

impl Builder {
    fn host(&mut self, role: Role, name: String) -> HostId {
        let id = self.hosts.len();
        let makers = role.makers();
        let usual = *self.maker.entry(role).or_insert_with(|| *self.rng.pick(makers));
        let oui = if self.mixed { *self.rng.pick(makers) } else { usual };
        let (subnet, ip) = match role {
            Role::Gateway => (0, self.numbering.subnets[0].gateway),
            Role::Internet => (0, self.numbering.outside(&mut self.rng)),
            _ => self.numbering.inside(&mut self.rng, role.zone()),
        };
        let mac = mac(&mut self.rng, oui);
        let external = role == Role::Internet;
        let ttl = role.os().ttl() - if external { self.rng.between(7, 19) as u8 } else { 0 };
        let user = format!("{}{}", self.rng.pick(&["dr", "rn", "u", "st"]), 100 + id);
        let title = name.to_uppercase().replace('-', "_");
        self.hosts.push(Host {
            title,
            user,
            role,
            ip,
            mac,
            subnet,
            external,
            ttl,
            ip_id: self.rng.next() as u16,
            next_port: self.rng.below(3_000) as u16,
            open: open_ports(&mut self.rng, role),
            refuses: role.os() != Os::Windows || self.rng.chance(0.3),
            pings: role.os() != Os::Windows || self.rng.chance(0.7),
            model: format!("{}-{}", people::word(&mut self.rng), self.rng.between(2, 90) * 10),
            serial: format!(
                "{}{}",
                self.rng.hex(2).to_uppercase(),
                self.rng.between(10_000, 99_999)
            ),
            name,
        });
        id
    }
}

/// An Ethernet address of a maker.
fn mac(rng: &mut Rng, oui: u32) -> Mac {
    let [_, a, b, c] = oui.to_be_bytes();
    let tail = rng.bytes(3);
    Mac([a, b, c, tail[0], tail[1], tail[2]])
}

/// Ports that such a host has open beside those of the services it gives to others.
fn open_ports(rng: &mut Rng, role: Role) -> Vec<u16> {
    let usual: &[u16] = match role {
        Role::Ct | Role::Mr | Role::Ultrasound | Role::Xray | Role::Mammography => {
            &[104, 445, 3389]
        }
        Role::Reading => &[135, 445, 11_112],
        Role::Nurse | Role::Biomed => &[135, 445],
        Role::Pump => &[80],
        Role::Monitor | Role::Ventilator => &[23, 80],
        Role::Analyser | Role::PointOfCare => &[21],
        Role::EcgCart | Role::Cabinet => &[80],
        Role::Printer => &[80, 515, 631, 9100],
        Role::Camera => &[80, 554],
        Role::Controller => &[80, 502],
        Role::Bms => &[80, 445],
        Role::Pacs | Role::Engine | Role::Ehr | Role::Broker | Role::Logs => &[22],
        Role::Files | Role::Lis | Role::Update | Role::Dns => &[135, 445, 3389],
        Role::Central => &[445, 5900],
        Role::Gateway => &[22, 443],
        Role::Internet => &[80, 443],
        Role::Dhcp | Role::Ntp | Role::Stranger => &[22],
    };
    usual.iter().copied().filter(|_| rng.chance(0.93)).collect()
}

/// Builds the hospital of a plan, before anything has happened.
pub(crate) fn build(plan: &Plan) -> World {
    let root = Rng::new(plan.seed);
    let mut rng = root.fork("hospital");
    let numbering = address::number(&mut rng, plan.layout);
    let domain = format!("{}.example", people::word(&mut rng).to_lowercase());
    let hosts = vec![];
    let mixed = plan.mixed_makers;
    let mut b = Builder { rng, numbering, hosts, maker: BTreeMap::new(), mixed };
    let gateway = b.host(Role::Gateway, "gateway".to_owned());
    let counted = b.rng.chance(0.5);
    for (&role, &count) in &plan.devices {
        if matches!(role, Role::Gateway | Role::Internet | Role::Stranger) {
            continue;
        }
        for i in 0..count {
            let name = match (role.is_server() && count == 1, counted) {
                (true, _) => role.name().to_owned(),
                (false, true) => format!("{}{i}", role.name()),
                (false, false) => format!("{}-{:02}", role.name(), i + 1),
            };
            b.host(role, name);
        }
    }
    for name in OUTSIDE {
        b.host(Role::Internet, name.to_owned());
    }
    let Builder { mut rng, numbering, hosts, .. } = b;
    let patients = people::patients(&mut rng, 60);
    let services = Services::default();
    let start: Nanos = plan.start.nanos();
    let mut world = World {
        founders: hosts.len(),
        hosts,
        subnets: numbering.subnets,
        gateway,
        services,
        domain,
        patients,
        queue: Queue::default(),
        arp: BTreeMap::new(),
        sessions: BTreeMap::new(),
        rng: root.fork("world"),
        retransmit: plan.retransmit.clamp(0.0, 0.2),
        loss: plan.loss.clamp(0.0, 0.2),
        image_bytes: plan.image_kib as usize * 1_024,
        pace: plan.pace.clamp(0.05, 20.0),
        newer: plan.newer,
        start,
        away: BTreeMap::new(),
        newborn: vec![],
        former: vec![],
        changes: Changes::default(),
    };
    world.services = services_of(&mut world, &mut rng, plan.encrypted_share);
    world
}

/// Decides which host gives which service, on which port.
fn services_of(w: &mut World, rng: &mut Rng, encrypted: f64) -> Services {
    let find = |w: &World, roles: &[Role]| roles.iter().find_map(|&r| w.all(r).first().copied());
    let mut serve = |w: &mut World, roles: &[Role], plain: &[u16], tls: u16| {
        let host = find(w, roles)?;
        let sealed = tls > 0 && rng.chance(encrypted);
        let port = if sealed { tls } else { *rng.pick(plain) };
        w.hosts[host].open.push(port);
        Some(Service { host, port, tls: sealed })
    };
    Services {
        pacs: serve(w, &[Role::Pacs], &[104, 4_242, 11_112, 5_678], 2_762),
        hl7: serve(w, &[Role::Engine], &[2_575, 6_661, 2_100, 5_000], 0),
        lis: serve(w, &[Role::Lis, Role::Engine], &[4_010, 1_394, 7_000, 12_000], 0),
        fhir: serve(w, &[Role::Ehr, Role::Engine], &[8_080, 80, 9_000], 443),
        broker: serve(w, &[Role::Broker], &[1_883], 8_883),
        update: serve(w, &[Role::Update, Role::Engine], &[8_888, 80, 8_000], 8_443),
        files: serve(w, &[Role::Files], &[445], 0),
        dns: find(w, &[Role::Dns, Role::Dhcp, Role::Engine]),
        dhcp: find(w, &[Role::Dhcp, Role::Dns]),
        ntp: find(w, &[Role::Ntp, Role::Dns, Role::Engine]),
        logs: find(w, &[Role::Logs]),
        bms: find(w, &[Role::Bms]),
    }
}

/// Adds a host that was never there before: near others of its kind, or, where it does not belong,
/// at any socket in any room.
pub(crate) fn join(w: &mut World, role: Role, name: String) -> HostId {
    let inside: Vec<HostId> = (0..w.hosts.len())
        .filter(|&h| !w.hosts[h].external && w.hosts[h].role != Role::Gateway)
        .collect();
    let alike = inside.iter().copied().find(|&h| w.hosts[h].role == role && role != Role::Stranger);
    let kin = || inside.iter().copied().find(|&h| w.hosts[h].role.zone() == role.zone());
    let near = match alike.or_else(|| if role == Role::Stranger { None } else { kin() }) {
        Some(near) => near,
        None => {
            let devices = w.devices();
            *w.rng.pick(if devices.is_empty() { &inside } else { &devices })
        }
    };
    let subnet = w.hosts[near].subnet;
    let ip = free_address(w, near);
    let mut rng = w.rng.fork("join");
    w.rng.next();
    let oui = *rng.pick(role.makers());
    let mac = mac(&mut rng, oui);
    let id = w.hosts.len();
    w.hosts.push(Host {
        title: name.to_uppercase().replace('-', "_"),
        user: format!("u{}", 100 + id),
        role,
        ip,
        mac,
        subnet,
        external: false,
        ttl: role.os().ttl(),
        ip_id: rng.next() as u16,
        next_port: rng.below(3_000) as u16,
        open: open_ports(&mut rng, role),
        refuses: true,
        pings: true,
        model: people::word(&mut rng),
        serial: rng.hex(8).to_uppercase(),
        name,
    });
    id
}

/// Adds a host somewhere on the Internet.
pub(crate) fn join_outside(w: &mut World, name: String) -> HostId {
    let id = join(w, Role::Internet, name);
    let ip = address::outside(&mut w.rng);
    let ttl = 64 - w.rng.between(8, 20) as u8;
    let host = &mut w.hosts[id];
    (host.ip, host.external, host.ttl, host.subnet) = (ip, true, ttl, 0);
    id
}

/// An address that nobody has, in the same network and among the same numbers as a host's.
pub(crate) fn free_address(w: &mut World, near: HostId) -> Ipv4Addr {
    let near = &w.hosts[near];
    let prefix = w.subnets[near.subnet].prefix.max(24);
    let base = Ipv4Addr::from_bits(near.ip.to_bits() & (u32::MAX << (32 - u32::from(prefix))));
    let gateway = w.subnets[near.subnet].gateway;
    loop {
        let ip = address::within(&mut w.rng, base, prefix);
        if ip != gateway && w.hosts.iter().all(|h| h.ip != ip) {
            return ip;
        }
    }
}
