//! Who is who: addresses that move, routers, floods and lies.

mod common;

use assets::{Entity, Settings};
use common::{Host, Site, host, mac, word};
use model::device::{DeviceClass, Tier};
use model::observation::Value;

const A: Host = host("10.1.2.3", "00:30:e6:00:00:0a");
const B: Host = host("10.1.2.4", "00:14:22:00:00:0b");
const ROUTER: &str = "00:1a:a1:00:00:01";

#[test]
fn a_target_that_never_answers_is_nobody() {
    let mut site = Site::new();
    for last in ["10.1.2.50", "10.1.2.51", "10.1.2.52"] {
        let flow = site.flow(A, host(last, "ff:ff:ff:ff:ff:ff"), 445);
        let who = site.start(&flow);
        assert_eq!(who.peer, Entity::Nobody);
        assert_eq!(site.outcome(&flow, "refused").peer, Entity::Nobody);
        assert_eq!(site.ix(last), None);
    }
    assert_eq!(site.inventory.len(), 1);
}

#[test]
fn a_party_is_new_once() {
    let mut site = Site::new();
    let flow = site.flow(A, B, 445);
    let who = site.start(&flow);
    assert!(who.subject_is_new && !who.peer_is_new);
    let who = site.outcome(&flow, "established");
    assert!(!who.subject_is_new && who.peer_is_new);
    assert_eq!(site.inventory.device_id(site.ix(B.ip).unwrap()).0, "D-0002");
}

#[test]
fn outside_addresses_are_no_devices() {
    let mut site = Site::new();
    let flow = site.talk(A, host("203.0.113.9", ROUTER), 443);
    let who = site.outcome(&flow, "established");
    assert_eq!(who.peer, Entity::External("203.0.113.9".parse().unwrap()));
    assert_eq!(site.inventory.len(), 1);
}

#[test]
fn a_device_keeps_its_identity_through_a_new_lease() {
    let mut site = Site::new();
    let server = host("10.1.2.1", "00:1f:29:00:00:01");
    site.arp(A.mac, A.ip, false);
    site.talk(A, B, 2575);
    let before = site.ix(A.ip).unwrap();
    site.pass(30.0);
    let lease = [
        ("type", word("ack")),
        ("assigned_ip", Value::Ip("10.1.9.77".parse().unwrap())),
        ("server_id", Value::Ip(server.ip.parse().unwrap())),
    ];
    site.dhcp(Some(server), A.mac, &lease);
    site.talk(host("10.1.9.77", A.mac), B, 2575);
    assert_eq!(site.ix("10.1.9.77"), Some(before));
    assert_eq!(site.inventory.ip(before), "10.1.9.77".parse().ok());
}

#[test]
fn a_device_keeps_its_identity_through_an_address_claimed_by_arp() {
    let mut site = Site::new();
    site.arp(A.mac, A.ip, false);
    let before = site.ix(A.ip);
    site.pass(20.0).arp(A.mac, "10.1.2.99", false);
    assert_eq!(site.ix("10.1.2.99"), before);
}

#[test]
fn a_card_that_long_showed_one_address_takes_its_device_along() {
    let mut site = Site::new();
    for _ in 0..20 {
        site.talk(A, B, 2575);
        site.pass(15.0);
    }
    let before = site.ix(A.ip).unwrap();
    assert_eq!(site.inventory.mac(before), Some(mac(A.mac)));
    site.pass(90.0);
    site.talk(host("10.7.7.7", A.mac), B, 2575);
    assert_eq!(site.ix("10.7.7.7"), Some(before));
    // The old address speaks again: the card carries two, so it was a router's all along.
    site.pass(10.0);
    site.talk(A, B, 2575);
    site.talk(host("10.7.7.7", A.mac), B, 2575);
    assert_ne!(site.ix("10.7.7.7"), Some(before));
    assert_eq!(site.ix(A.ip), Some(before));
    assert_eq!(site.inventory.mac(before), None);
    assert_eq!(site.inventory.device(before).vendor, None);
}

#[test]
fn behind_a_router_every_address_is_a_device_of_its_own() {
    let mut site = Site::new();
    site.arp(ROUTER, "10.1.2.1", true);
    for _ in 0..20 {
        for ip in ["10.5.0.11", "10.5.0.12", "10.6.0.13", "10.6.0.14"] {
            site.talk(host(ip, ROUTER), B, 2575);
        }
        site.pass(15.0);
    }
    let mut all: Vec<_> = ["10.5.0.11", "10.5.0.12", "10.6.0.13", "10.6.0.14", "10.1.2.1"]
        .map(|ip| site.ix(ip).unwrap())
        .into();
    assert!(all[..4].iter().all(|ix| site.inventory.mac(*ix).is_none()));
    assert_eq!(site.inventory.mac(all[4]), Some(mac(ROUTER)));
    assert_eq!(site.class("10.1.2.1"), "router");
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5);
}

#[test]
fn a_gateway_to_the_outside_is_found_by_its_card() {
    let mut site = Site::new();
    site.arp(ROUTER, "10.1.2.1", true);
    for outside in ["203.0.113.1", "203.0.113.2", "198.51.100.7"] {
        site.talk(A, host(outside, ROUTER), 443);
    }
    assert_eq!(site.class("10.1.2.1"), "router");
    let gateway = site.ix("10.1.2.1").unwrap();
    assert!(site.inventory.has_role(gateway, "internet_gateway"));
    assert_eq!(site.inventory.tier(gateway), Tier::T0i);
}

#[test]
fn a_spoofer_does_not_take_over_the_device_whose_address_it_claims() {
    let mut site = Site::new();
    site.arp(A.mac, A.ip, false);
    site.arp(B.mac, B.ip, false);
    let (a, b) = (site.ix(A.ip).unwrap(), site.ix(B.ip).unwrap());
    for _ in 0..50 {
        site.pass(2.0);
        site.talk(A, B, 2575);
        let who = site.arp(B.mac, A.ip, true);
        assert_eq!(who.subject, Entity::Device(b));
    }
    assert_eq!(site.ix(A.ip), Some(a));
    assert_eq!(site.inventory.mac(a), Some(mac(A.mac)));
    assert!(!site.inventory.device(b).ip.contains(&A.ip.parse().unwrap()));
    for ix in [a, b] {
        let claims = site.inventory.device(ix).claims;
        assert!(claims.iter().any(|claim| claim.what == "address_conflict"), "{claims:?}");
    }
}

#[test]
fn a_spoofer_does_not_take_over_a_device_that_was_never_seen_to_arp() {
    let mut site = Site::new();
    for _ in 0..3 {
        site.talk(A, B, 2575);
    }
    let a = site.ix(A.ip).unwrap();
    let rogue = "02:00:5e:00:00:99";
    site.arp(rogue, "10.1.2.200", false);
    site.arp(rogue, A.ip, true);
    assert_eq!(site.ix(A.ip), Some(a));
    assert_ne!(site.ix("10.1.2.200"), Some(a));
    assert_ne!(site.inventory.mac(a), Some(mac(rogue)));
}

#[test]
fn one_who_diverts_packets_from_the_start_does_not_become_its_victim() {
    let mut site = Site::new();
    let rogue = "02:00:5e:00:00:99";
    site.arp(rogue, "10.1.2.200", false);
    let rogue_ix = site.ix("10.1.2.200");
    site.talk(host(A.ip, rogue), B, 2575);
    site.talk(host("10.1.2.200", rogue), B, 2575);
    site.arp(rogue, A.ip, true);
    assert_ne!(site.ix(A.ip), rogue_ix);
}

#[test]
fn a_free_address_goes_to_the_next_card() {
    let mut site = Site::new();
    site.arp(A.mac, A.ip, false);
    let a = site.ix(A.ip);
    site.pass(3_600.0).arp(B.mac, A.ip, false);
    assert_ne!(site.ix(A.ip), a);
    site.talk(host(A.ip, B.mac), host("10.1.2.9", "00:14:22:00:00:0c"), 80);
    assert_eq!(site.inventory.mac(site.ix(A.ip).unwrap()), Some(mac(B.mac)));
}

#[test]
fn link_local_and_ipv4_of_one_card_are_one_device() {
    let mut site = Site::new();
    site.arp(A.mac, A.ip, false);
    site.talk(host("fe80::1:2", A.mac), host("ff02::2", "33:33:00:00:00:02"), 0);
    assert_eq!(site.ix("fe80::1:2"), site.ix(A.ip));
    assert_eq!(site.inventory.ip(site.ix(A.ip).unwrap()), A.ip.parse().ok());
}

#[test]
fn a_flow_before_its_arp_is_the_same_device() {
    let mut site = Site::new();
    let flow = site.flow(A, B, 104);
    site.start(&flow);
    let first = site.ix(A.ip);
    site.arp(A.mac, A.ip, false);
    assert_eq!(site.ix(A.ip), first);
    assert_eq!(site.inventory.len(), 1);
    assert_eq!(site.inventory.mac(first.unwrap()), Some(mac(A.mac)));
}

#[test]
fn two_places_that_prove_to_be_one_card_both_answer() {
    let mut site = Site::new();
    // Discovered by its card first, seen by its address before the claim that joins them.
    site.dhcp(None, A.mac, &[("type", word("discover")), ("host_name", word("vent-7"))]);
    let flow = site.flow(A, B, 104);
    let by_flow = site.start(&flow).subject.device().unwrap();
    site.arp(A.mac, A.ip, false);
    let joined = site.ix(A.ip).unwrap();
    assert_eq!(site.inventory.device_id(by_flow), site.inventory.device_id(joined));
    assert_eq!(site.inventory.name(by_flow), Some("vent-7"));
    assert_eq!(site.inventory.devices().len(), 1);
    assert_eq!(site.by_name("VENT-7.hosp.example"), Entity::Device(joined));
}

#[test]
fn a_flood_of_made_up_senders_makes_few_devices_and_is_counted() {
    let mut site = Site::new();
    for n in 0..50_000_u32 {
        site.at += 0.000_1;
        let from: &'static str =
            Box::leak(format!("10.{}.{}.{}", n >> 16, (n >> 8) & 255, n & 255).into());
        let flow = site.flow(host(from, "02:00:5e:00:00:99"), B, 80);
        site.start(&flow);
    }
    assert!(site.inventory.len() < 500, "{}", site.inventory.len());
    assert!(site.inventory.refused() > 49_000);
    // One that is answered is let in all the same.
    site.talk(host("10.200.0.1", ROUTER), B, 80);
    assert!(site.ix("10.200.0.1").is_some());
}

#[test]
fn the_number_of_devices_has_a_bound() {
    let mut site = Site::with(Settings { max_devices: 3, ..Settings::default() });
    for last in ["10.1.2.10", "10.1.2.11", "10.1.2.12", "10.1.2.13", "10.1.2.14"] {
        site.talk(host(last, ROUTER), host("203.0.113.1", "00:00:00:00:00:00"), 80);
    }
    assert_eq!(site.inventory.len(), 3);
    // Both the first packet and the answer of two devices.
    assert_eq!(site.inventory.refused(), 4);
}

#[test]
fn unknown_counts_as_life_sustaining_until_a_person_says_otherwise() {
    let mut site = Site::new();
    site.talk(A, B, 9999);
    let a = site.ix(A.ip).unwrap();
    assert_eq!(site.inventory.class(a), DeviceClass::Unknown);
    assert_eq!(site.inventory.tier(a), Tier::T0);
    site.inventory.confirm(a, DeviceClass::Printer, "m.keller", site.now());
    assert_eq!((site.inventory.class(a), site.inventory.tier(a)), (DeviceClass::Printer, Tier::T3));
    assert_eq!(site.inventory.confidence(a), 1.0);
    let claims = site.inventory.device(a).claims;
    assert!(claims.iter().any(|claim| claim.source == "person:m.keller"));
}

#[test]
fn outside_the_clinical_segments_unknown_is_not_life_sustaining() {
    let clinical = vec![("10.1.0.0".parse().unwrap(), 16)];
    let mut site = Site::with(Settings { clinical, ..Settings::default() });
    let guest = host("192.168.9.9", "00:14:22:00:00:0c");
    site.talk(A, guest, 9999);
    assert_eq!(site.inventory.tier(site.ix(A.ip).unwrap()), Tier::T0);
    assert_eq!(site.inventory.tier(site.ix(guest.ip).unwrap()), Tier::T3);
}

#[test]
fn what_is_saved_comes_back_and_ids_go_on() {
    let mut site = Site::new();
    site.arp(A.mac, A.ip, false);
    site.talk(A, B, 2575);
    site.dhcp(None, A.mac, &[("type", word("request")), ("host_name", word("mon9"))]);
    site.inventory.confirm(site.ix(B.ip).unwrap(), DeviceClass::Pacs, "k", site.now());
    site.pass(5.0);
    let saved = site.inventory.save();
    let mut other = Site::new();
    other.inventory.load(&saved).unwrap();
    assert_eq!(other.inventory.devices(), site.inventory.devices());
    assert_eq!(other.inventory.save(), saved);
    assert_eq!(other.by_name("mon9"), Entity::Device(other.ix(A.ip).unwrap()));
    other.at = site.at;
    let flow = other.flow(host("10.1.2.77", "00:14:22:00:00:77"), B, 80);
    let who = other.start(&flow);
    assert_eq!(other.inventory.device_id(who.subject.device().unwrap()).0, "D-0003");
}

#[test]
fn a_damaged_save_is_refused_and_changes_nothing() {
    let mut site = Site::new();
    site.talk(A, B, 2575);
    let good = site.inventory.save();
    for (path, value) in [("version", 9), ("ips", 9)] {
        let mut bad = good.clone();
        bad[path] = value.into();
        assert!(site.inventory.load(&bad).is_err());
    }
    let mut bad = good.clone();
    bad["ips"][0]["device"] = 77.into();
    assert!(site.inventory.load(&bad).is_err());
    assert_eq!(site.inventory.save(), good);
}
