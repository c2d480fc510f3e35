//! Whatever is claimed in whatever order: the inventory stays whole.

mod common;

use std::collections::BTreeSet;

use common::{Site, host, mac, word};
use model::observation::{Party, Value};
use proptest::prelude::*;

const MACS: [&str; 6] = [
    "00:30:e6:00:00:01",
    "00:14:22:00:00:02",
    "02:00:5e:00:00:03",
    "00:1a:a1:00:00:04",
    "ff:ff:ff:ff:ff:ff",
    "00:00:00:00:00:00",
];
const IPS: [&str; 9] = [
    "10.1.0.1",
    "10.1.0.2",
    "10.1.0.3",
    "10.2.0.1",
    "fe80::1",
    "fd00::2",
    "203.0.113.9",
    "224.0.0.251",
    "0.0.0.0",
];

#[derive(Clone, Debug)]
enum Event {
    Arp { from: usize, ip: usize, reply: bool },
    Lease { client: usize, ip: usize },
    Ask { client: usize },
    Flow { from: (usize, usize), to: (usize, usize), answered: bool },
    Pass { seconds: u16 },
}

fn event() -> impl Strategy<Value = Event> {
    let (m, i) = (0..MACS.len(), 0..IPS.len());
    prop_oneof![
        (m.clone(), i.clone(), any::<bool>()).prop_map(|(from, ip, reply)| Event::Arp {
            from,
            ip,
            reply
        }),
        (m.clone(), i.clone()).prop_map(|(client, ip)| Event::Lease { client, ip }),
        m.clone().prop_map(|client| Event::Ask { client }),
        ((m.clone(), i.clone()), (m, i), any::<bool>())
            .prop_map(|(from, to, answered)| Event::Flow { from, to, answered }),
        (0_u16..400).prop_map(|seconds| Event::Pass { seconds }),
    ]
}

fn play(events: &[Event]) -> Site {
    let mut site = Site::new();
    for event in events {
        site.at += 0.01;
        match *event {
            Event::Arp { from, ip, reply } => {
                site.arp(MACS[from], IPS[ip], reply);
            }
            Event::Lease { client, ip } => {
                let ip = Value::Ip(IPS[ip].parse().unwrap());
                let server = host("10.1.0.1", MACS[3]);
                let fields = [("type", word("ack")), ("assigned_ip", ip)];
                site.dhcp(Some(server), MACS[client], &fields);
            }
            Event::Ask { client } => {
                site.dhcp(None, MACS[client], &[("type", word("discover"))]);
            }
            Event::Flow { from, to, answered } => {
                let from = host(IPS[from.1], MACS[from.0]);
                let to = host(IPS[to.1], MACS[to.0]);
                let flow = site.flow(from, to, 80);
                site.start(&flow);
                site.outcome(&flow, if answered { "established" } else { "unanswered" });
            }
            Event::Pass { seconds } => {
                site.pass(f64::from(seconds));
            }
        }
    }
    site
}

proptest! {
    #[test]
    fn no_card_and_no_address_stands_for_two_devices(
        events in proptest::collection::vec(event(), 0..200)
    ) {
        let site = play(&events);
        let devices = site.inventory.devices();
        let ids: BTreeSet<_> = devices.iter().map(|device| &device.id).collect();
        prop_assert_eq!(ids.len(), devices.len());
        prop_assert_eq!(devices.len(), site.inventory.len());
        let cards: Vec<_> = devices.iter().filter_map(|device| device.mac).collect();
        prop_assert_eq!(cards.iter().collect::<BTreeSet<_>>().len(), cards.len());
        for text in MACS {
            let party = Party { mac: Some(mac(text)), ..Party::default() };
            if let Some(ix) = site.inventory.entity(&party).device() {
                prop_assert_eq!(site.inventory.mac(ix), Some(mac(text)));
            }
        }
        for ip in IPS {
            if let Some(ix) = site.ix(ip) {
                let device = site.inventory.device(ix);
                prop_assert!(device.ip.contains(&ip.parse().unwrap()), "{} of {:?}", ip, device);
                prop_assert_eq!(site.inventory.by_id(&device.id), Some(ix));
            }
        }
    }

    #[test]
    fn the_same_events_give_the_same_inventory_and_it_survives_saving(
        events in proptest::collection::vec(event(), 0..120)
    ) {
        let (one, two) = (play(&events), play(&events));
        prop_assert_eq!(one.inventory.devices(), two.inventory.devices());
        let saved = one.inventory.save();
        let mut other = Site::new();
        other.inventory.load(&saved).unwrap();
        prop_assert_eq!(other.inventory.save(), saved);
    }
}
