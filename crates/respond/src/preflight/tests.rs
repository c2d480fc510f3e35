use std::time::Duration;

use model::device::DeviceClass;
use proptest::prelude::*;

use super::*;
use crate::devices::Devices;
use crate::essentials::tests::{address, call, device, habit, once};
use crate::essentials::{Essentials, profile};
use crate::history::{History, Names};
use crate::restriction::Way;

const DAYS: i64 = 3;

fn site() -> Devices {
    Devices::new(
        [
            device("pump", "10.0.1.7", DeviceClass::InfusionPump),
            device("gateway", "10.0.2.1", DeviceClass::PumpGateway),
            device("pacs", "10.0.2.2", DeviceClass::Pacs),
            device("desk", "10.0.3.9", DeviceClass::Workstation),
            device("dhcp", "10.0.2.67", DeviceClass::DhcpServer),
        ],
        Vec::new(),
    )
}

struct Lab {
    devices: Devices,
    names: Names,
    history: History,
    essentials: Essentials,
}

impl Lab {
    fn new() -> Self {
        Self {
            devices: site(),
            names: Names::default(),
            history: History::default(),
            essentials: Essentials::default(),
        }
    }

    fn declare(mut self, text: &str) -> Self {
        let head = "approved_by = \"A\"\napproved_on = \"2026-11-02\"\n";
        let text = format!("[[profile]]\n{}", text.replace("BY", head));
        self.essentials.add(profile::read(&text).unwrap());
        self
    }

    fn check(&self, of: &str, restriction: Restriction) -> Preflight {
        let subject = self.devices.get(&DeviceId(of.to_owned())).unwrap().clone();
        let ttl = Duration::from_secs(900);
        let intent = Intent { id: String::new(), subject, restriction, ttl };
        let ground = Ground { history: &self.history, devices: &self.devices, names: &self.names };
        let judge = self.essentials.judge(ground);
        let now = Timestamp::from_parts(DAYS * 86_400, 0);
        check(&intent, &judge, &Minimum::default(), now)
    }
}

fn pattern(way: Way, peer: &str, port: u16) -> Pattern {
    let (proto, port) = (Some(Proto::Tcp), Some(port).filter(|port| *port > 0));
    Pattern { way, peer: peer.parse().unwrap(), proto: proto.filter(|_| port.is_some()), port }
}

fn block(way: Way, peer: &str, port: u16) -> Restriction {
    Restriction::Block { flows: vec![pattern(way, peer, port)] }
}

fn perimeter(range: &str) -> Restriction {
    Restriction::Perimeter { indicator: Indicator::Address(range.parse().unwrap()) }
}

#[test]
fn a_block_of_one_flow_cuts_it_alone_and_of_a_needed_one_is_refused_from_either_side() {
    let mut lab = Lab::new();
    habit(&mut lab.history, call("10.0.1.7", "10.0.2.1", Proto::Tcp, 9_000), "hl7", 600, DAYS);
    once(&mut lab.history, call("10.0.1.7", "203.0.113.5", Proto::Tcp, 443), "tls", 259_000);
    let answer = lab.check("pump", block(Way::Out, "203.0.113.5", 443));
    assert_eq!(answer.outcome, Outcome::CutsOther, "{answer:?}");
    assert_eq!((answer.other.len(), answer.other[0].times), (1, 1));
    assert_eq!(
        lab.check("pump", block(Way::Out, "203.0.113.6", 443)).outcome,
        Outcome::CutsNothing
    );
    for answer in [
        lab.check("pump", block(Way::Out, "10.0.2.0/24", 9_000)),
        lab.check("gateway", block(Way::In, "10.0.1.7", 0)),
        lab.check("desk", perimeter("10.0.1.0/24")),
        lab.check("pump", Restriction::Quarantine { management: Vec::new() }),
        lab.check("pump", Restriction::Essentials { allow: Vec::new() }),
    ] {
        assert_eq!(answer.outcome, Outcome::CutsEssential, "{answer:?}");
        assert!(answer.essential[0].essential.as_deref().unwrap().contains("HL7"), "{answer:?}");
    }
}

#[test]
fn little_or_old_recording_is_no_data_and_says_how_much_there_is() {
    let mut lab = Lab::new();
    let anything = || block(Way::Out, "203.0.113.5", 443);
    let answer = lab.check("pump", anything());
    assert_eq!(answer.outcome, Outcome::NoData);
    assert_eq!(answer.because, "no conversation of pump was recorded before this");
    let talk = call("10.0.1.7", "10.0.3.9", Proto::Tcp, 8_080);
    (0..10).for_each(|turn| once(&mut lab.history, talk, "http", 250_000 + turn * 300));
    let answer = lab.check("pump", anything());
    assert_eq!(
        answer.because,
        "conversations of pump were recorded over 45 minutes only; 24 hours are needed"
    );
    habit(&mut lab.history, talk, "http", 7_200, DAYS - 1);
    let answer = lab.check("pump", anything());
    assert_eq!(answer.outcome, Outcome::NoData, "the sensor has been blind for hours");
    assert!(answer.because.contains("nothing was recorded for"), "{}", answer.because);
    once(&mut lab.history, talk, "http", DAYS * 86_400 - 60);
    assert_eq!(lab.check("pump", anything()).outcome, Outcome::CutsNothing);
    // What the attack itself did is no recording of normal life.
    lab.history.exclude(&[address("10.0.1.7")], Timestamp::default());
    assert_eq!(lab.check("pump", anything()).outcome, Outcome::NoData);
}

#[test]
fn a_declared_need_that_nobody_has_seen_is_not_cut() {
    let lab = Lab::new().declare(
        "device = \"pump\"\nBY[[profile.needs]]\nreason = \"drug library\"\nto = \"10.0.2.0/24\"\nproto = \"tcp\"\nport = 8443\n",
    );
    let need = pattern(Way::Out, "10.0.2.0/24", 8_443);
    let allow = |pattern| Restriction::Essentials { allow: vec![pattern] };
    for (restriction, cut) in [
        (block(Way::Out, "10.0.2.9", 0), true),
        (block(Way::Out, "10.0.0.0/8", 8_443), true),
        (block(Way::Out, "10.0.2.9", 443), false),
        (block(Way::In, "10.0.2.9", 8_443), false),
        (perimeter("10.0.2.128/25"), true),
        (perimeter("203.0.113.0/24"), false),
        (allow(pattern(Way::Out, "10.0.2.0/25", 8_443)), true),
    ] {
        let answer = lab.check("pump", restriction.clone());
        assert_eq!(!answer.declared.is_empty(), cut, "{restriction:?}: {answer:?}");
        assert_eq!(answer.outcome == Outcome::CutsEssential, cut, "{restriction:?}");
    }
    let told = &lab.check("pump", allow(need)).declared;
    assert_eq!(told.len(), 3, "only what is always needed is missing: {told:?}");
    assert!(told.iter().all(|need| need.contains("DHCP")), "{told:?}");
}

#[test]
fn a_need_of_the_other_side_counts_where_it_names_the_device() {
    let profile = |from: &str| {
        Lab::new().declare(&format!(
            "device = \"pacs\"\nBY[[profile.needs]]\nreason = \"images\"\nfrom = \"{from}\"\nproto = \"tcp\"\nport = 104\n"
        ))
    };
    let cut = block(Way::Out, "10.0.2.2", 104);
    assert_eq!(profile("10.0.3.9").check("desk", cut.clone()).outcome, Outcome::CutsEssential);
    // One that only lies in a range is needed where it was recorded before its case began.
    let mut lab = profile("10.0.3.0/24");
    assert_eq!(lab.check("desk", cut.clone()).outcome, Outcome::NoData);
    once(&mut lab.history, call("10.0.3.9", "10.0.2.2", Proto::Tcp, 104), "dicom", 250_000);
    assert_eq!(lab.check("desk", cut.clone()).outcome, Outcome::CutsEssential);
    lab.history.exclude(&[address("10.0.3.9")], Timestamp::from_parts(249_000, 0));
    assert_ne!(lab.check("desk", cut).outcome, Outcome::CutsEssential);
}

#[test]
fn a_block_of_everything_takes_the_address_away_and_a_block_of_an_attacker_does_not() {
    let lab = Lab::new();
    let told = lab.check("pump", block(Way::Out, "0.0.0.0/0", 0)).declared;
    assert!(told.iter().any(|need| need.contains("its address (DHCP)")), "{told:?}");
    assert!(lab.check("pump", block(Way::In, "10.0.3.9", 0)).declared.is_empty());
    assert!(!lab.check("pump", block(Way::In, "10.0.2.67", 0)).declared.is_empty());
    assert!(lab.check("desk", block(Way::Out, "0.0.0.0/0", 0)).declared.is_empty());
}

#[test]
fn a_domain_is_followed_to_its_addresses_and_unknown_lookups_are_no_data() {
    let mut lab = Lab::new().declare(
        "device = \"pump\"\nBY[[profile.needs]]\nreason = \"updates\"\nto = \"update.vendor.example\"\n",
    );
    let domain =
        |name: &str| Restriction::Perimeter { indicator: Indicator::Domain(name.to_owned()) };
    assert_eq!(lab.check("desk", domain("vendor.example")).outcome, Outcome::CutsEssential);
    habit(&mut lab.history, call("10.0.3.9", "203.0.113.5", Proto::Tcp, 443), "tls", 600, DAYS);
    let answer = lab.check("desk", domain("evil.example"));
    assert_eq!(answer.outcome, Outcome::NoData, "{answer:?}");
    lab.names.see("c2.evil.example", address("203.0.113.5"));
    let answer = lab.check("desk", domain("evil.example"));
    assert_eq!((answer.outcome, answer.other.len()), (Outcome::CutsOther, 1));
    // The vendor's name turns out to live at an address that somebody wants blocked.
    lab.names.see("update.vendor.example", address("203.0.113.5"));
    assert_eq!(lab.check("desk", perimeter("203.0.113.5")).outcome, Outcome::CutsEssential);
    assert_eq!(lab.check("desk", domain("evil.example")).outcome, Outcome::CutsEssential);
}

#[test]
fn a_service_on_any_of_many_ports_is_cut_by_a_block_of_one_of_them() {
    let mut lab = Lab::new();
    for turn in 0..3_000_u16 {
        let second = i64::from(turn) * 86;
        once(&mut lab.history, call("10.0.1.7", "10.0.2.1", Proto::Tcp, 40_000 + turn), "", second);
    }
    let answer = lab.check("pump", block(Way::Out, "10.0.2.1", 50_123));
    assert_eq!(answer.outcome, Outcome::CutsEssential, "{answer:?}");
}

#[test]
fn an_allow_list_of_all_needs_cuts_nothing_essential() {
    let mut lab = Lab::new();
    habit(&mut lab.history, call("10.0.1.7", "10.0.2.1", Proto::Tcp, 9_000), "hl7", 600, DAYS);
    habit(&mut lab.history, call("10.0.3.9", "10.0.1.7", Proto::Tcp, 22), "ssh", 40_000, DAYS);
    let ground = Ground { history: &lab.history, devices: &lab.devices, names: &lab.names };
    let pump = lab.devices.get(&DeviceId("pump".to_owned())).unwrap();
    let needs = lab.essentials.judge(ground).of(pump);
    let allow = needs.into_iter().filter_map(|need| need.pattern).collect();
    let answer = lab.check("pump", Restriction::Essentials { allow });
    assert_eq!(answer.outcome, Outcome::CutsOther, "{answer:?}");
    assert_eq!(answer.other[0].conversation.port, 22);
}

const HOSTS: [&str; 7] =
    ["10.0.1.7", "10.0.2.1", "10.0.2.2", "10.0.3.9", "10.0.2.67", "10.0.9.9", "203.0.113.5"];

fn talk() -> impl Strategy<Value = (Conversation, &'static str, i64)> {
    let host = || prop::sample::select(&HOSTS[..]);
    let services = vec![(104, "dicom"), (9_000, "hl7"), (22, "ssh"), (53, "dns"), (67, "dhcp")];
    (
        host(),
        host(),
        prop::sample::select(services),
        prop::sample::select(vec![900_i64, 7_200, 80_000]),
    )
        .prop_map(|(client, server, (port, service), every)| {
            let proto = if port == 53 || port == 67 { Proto::Udp } else { Proto::Tcp };
            (call(client, server, proto, port), service, every)
        })
}

fn restriction() -> impl Strategy<Value = Restriction> {
    let ranges = vec!["0.0.0.0/0", "10.0.2.0/24", "10.0.2.1", "203.0.113.5", "10.0.3.0/24"];
    let range =
        || prop::sample::select(ranges.clone()).prop_map(|range| range.parse::<Range>().unwrap());
    let way = prop::sample::select(vec![Way::Out, Way::In]);
    let port = prop::option::of(prop::sample::select(vec![104_u16, 9_000, 53, 67]));
    let pattern =
        (way, range(), port).prop_map(|(way, peer, port)| Pattern { way, peer, proto: None, port });
    let patterns = prop::collection::vec(pattern, 1..4);
    prop_oneof![
        patterns.clone().prop_map(|flows| Restriction::Block { flows }),
        patterns.prop_map(|allow| Restriction::Essentials { allow }),
        range().prop_map(|range| Restriction::Perimeter { indicator: Indicator::Address(range) }),
        prop::collection::vec(range(), 0..3)
            .prop_map(|management| Restriction::Quarantine { management }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_essential_is_ever_cut_unnoticed_and_order_does_not_matter(
        talks in prop::collection::vec(talk(), 1..8),
        restriction in restriction(),
        of in prop::sample::select(vec!["pump", "gateway", "pacs", "desk"]),
    ) {
        let mut lab = Lab::new();
        talks.iter().for_each(|(key, service, every)| habit(&mut lab.history, *key, service, *every, DAYS));
        let mut backwards = Lab::new();
        talks.iter().rev().for_each(|(key, service, every)| habit(&mut backwards.history, *key, service, *every, DAYS));
        let answer = lab.check(of, restriction.clone());
        prop_assert_eq!(&answer, &backwards.check(of, restriction.clone()));

        let subject = lab.devices.get(&DeviceId(of.to_owned())).unwrap();
        let ground = Ground { history: &lab.history, devices: &lab.devices, names: &lab.names };
        let judge = lab.essentials.judge(ground);
        for (key, record) in lab.history.all() {
            if !restriction.drops(subject, key) {
                continue;
            }
            let told = answer.essential.iter().chain(&answer.other).find(|cut| cut.conversation == *key);
            prop_assert!(told.is_some(), "{:?} is cut and not told", key);
            if judge.why(key, record).is_some() {
                prop_assert_eq!(answer.outcome, Outcome::CutsEssential);
                prop_assert!(told.unwrap().essential.is_some());
            }
        }
        if answer.outcome == Outcome::CutsNothing {
            prop_assert!(lab.history.all().all(|(key, _)| !restriction.drops(subject, key)));
        }
        // A list that allows all it needs is not refused.
        let allow: Vec<_> = judge.of(subject).iter().filter_map(|need| need.pattern).collect();
        let allowed = lab.check(of, Restriction::Essentials { allow });
        prop_assert_ne!(allowed.outcome, Outcome::CutsEssential, "{:?}", allowed);
        // What a device needs, by its own list, is what refuses.
        for need in judge.of(subject).iter().filter_map(|need| need.pattern) {
            let cut = Restriction::Block { flows: vec![need] };
            prop_assert_eq!(lab.check(of, cut).outcome, Outcome::CutsEssential);
        }
    }
}
