use std::net::IpAddr;

use model::device::DeviceClass;

use super::*;
use crate::history::Seen;

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn device(id: &str, at: &str, class: DeviceClass) -> Subject {
    Subject {
        id: DeviceId(id.to_owned()),
        name: id.to_owned(),
        addresses: vec![address(at)],
        class,
        tier: class.tier(),
        ..Subject::default()
    }
}

pub(crate) fn call(client: &str, server: &str, proto: Proto, port: u16) -> Conversation {
    Conversation { client: address(client), server: address(server), proto, port }
}

/// A conversation that is seen every so often for some days.
pub(crate) fn habit(
    history: &mut History,
    conversation: Conversation,
    service: &str,
    every: i64,
    days: i64,
) {
    (0..days * 86_400 / every).for_each(|turn| once(history, conversation, service, turn * every));
}

pub(crate) fn once(history: &mut History, conversation: Conversation, service: &str, second: i64) {
    history.record(&Seen {
        conversation,
        service,
        first: Timestamp::from_parts(second, 0),
        last: Timestamp::from_parts(second + 1, 0),
        began: true,
        answered: true,
        packets: 10,
        bytes: 900,
        pause: None,
    });
}

const PUMP: &str = "10.0.1.7";
const GATEWAY: &str = "10.0.2.1";
const DESK: &str = "10.0.3.9";

fn devices() -> Devices {
    Devices::new(
        [
            device("pump", PUMP, DeviceClass::InfusionPump),
            device("gateway", GATEWAY, DeviceClass::PumpGateway),
            device("desk", DESK, DeviceClass::Workstation),
            device("printer", "10.0.3.10", DeviceClass::Printer),
            device("pacs", "10.0.2.2", DeviceClass::Pacs),
            device("dns", "10.0.2.53", DeviceClass::DnsServer),
        ],
        Vec::new(),
    )
}

fn why(history: &History, essentials: &Essentials, conversation: Conversation) -> Option<String> {
    let (devices, names) = (devices(), Names::default());
    let ground = Ground { history, devices: &devices, names: &names };
    essentials.judge(ground).why(&conversation, history.get(&conversation).unwrap())
}

#[test]
fn care_and_what_it_stands_on_is_learned_and_offices_are_not() {
    let mut history = History::default();
    let mut expect = |conversation, service, every, days, essential: bool| {
        habit(&mut history, conversation, service, every, days);
        (conversation, essential)
    };
    let tcp = Proto::Tcp;
    let all = [
        expect(call("10.0.1.8", "10.0.2.2", tcp, 4_242), "dicom", 7_200, 3, true),
        expect(call(DESK, "10.0.2.2", tcp, 4_242), "dicom", 7_200, 3, true),
        expect(call(PUMP, GATEWAY, tcp, 9_000), "unrecognised", 7_200, 3, true),
        expect(call(PUMP, "10.0.2.53", Proto::Udp, 53), "dns", 7_200, 3, true),
        expect(call(DESK, "10.0.2.53", Proto::Udp, 53), "dns", 7_200, 3, false),
        expect(call(DESK, "10.0.3.10", tcp, 631), "ipp", 60, 3, false),
        expect(call(DESK, PUMP, tcp, 22), "ssh", 9_000, 3, false),
        // As regular as a heartbeat: inside it counts, to the outside it has to be declared.
        expect(call(PUMP, "10.0.3.10", tcp, 7_777), "unrecognised", 60, 3, true),
        expect(call(PUMP, "203.0.113.9", tcp, 443), "tls", 60, 3, false),
    ];
    for (conversation, essential) in all {
        let why = why(&history, &Essentials::default(), conversation);
        assert_eq!(why.is_some(), essential, "{conversation:?}: {why:?}");
    }
}

#[test]
fn what_was_seen_for_an_afternoon_or_answered_by_nobody_is_not_learned() {
    let mut history = History::default();
    let afternoon = call(DESK, "10.0.2.2", Proto::Tcp, 104);
    (0..30).for_each(|turn| once(&mut history, afternoon, "dicom", 40_000 + turn * 600));
    assert_eq!(why(&history, &Essentials::default(), afternoon), None);
    let mute = call(DESK, "10.0.2.2", Proto::Tcp, 11_112);
    (0..30_i64).for_each(|turn| {
        let first = Timestamp::from_parts(turn * 9_000, 0);
        history.record(&Seen {
            conversation: mute,
            service: "",
            first,
            last: first,
            began: true,
            answered: false,
            packets: 1,
            bytes: 60,
            pause: None,
        });
    });
    assert_eq!(why(&history, &Essentials::default(), mute), None);
}

#[test]
fn what_an_attacker_keeps_doing_after_the_case_opened_is_never_learned() {
    let mut history = History::default();
    let attack = call(DESK, "10.0.2.2", Proto::Tcp, 104);
    history.exclude(&[address(DESK)], Timestamp::from_parts(0, 0));
    habit(&mut history, attack, "dicom", 600, 10);
    assert_eq!(why(&history, &Essentials::default(), attack), None);
}

const PROFILE: &str = r#"
    [[profile]]
    device = "pump"
    approved_by = "A. Lind"
    approved_on = "2026-11-02"
    [[profile.needs]]
    reason = "drug library"
    to_class = "pump_gateway"
    proto = "tcp"
    port = 8443
    [[profile.needs]]
    reason = "time"
    to = "time.vendor.example"
    proto = "udp"
    port = 123
    [[profile.not_needed]]
    reason = "left by a contractor"
    to = "10.0.3.10"
    countersigned_by = "B. Okoro"
"#;

#[test]
fn what_is_declared_counts_seen_or_not_and_says_who_declared_it() {
    let mut essentials = Essentials::default();
    essentials.add(profile::read(PROFILE).unwrap());
    let mut history = History::default();
    let (library, beat) =
        (call(PUMP, GATEWAY, Proto::Tcp, 8_443), call(PUMP, "10.0.3.10", Proto::Tcp, 7_777));
    once(&mut history, library, "", 77);
    let why_library = why(&history, &essentials, library).unwrap();
    assert_eq!(why_library, "pump: drug library (declared by A. Lind on 2026-11-02)");
    habit(&mut history, beat, "unrecognised", 60, 3);
    assert_eq!(why(&history, &essentials, beat), None, "declared not needed");

    let (devices, names) = (devices(), Names::default());
    let ground = Ground { history: &history, devices: &devices, names: &names };
    let judge = essentials.judge(ground);
    let needs = judge.of(devices.get(&DeviceId("pump".to_owned())).unwrap());
    let told: Vec<_> =
        needs.iter().map(|need| (need.source, need.confirmed, need.last.is_some())).collect();
    assert_eq!(told[0], (Source::Hospital, true, true));
    assert_eq!(told[1], (Source::Hospital, true, false));
    assert_eq!((needs[1].pattern, needs[1].name.as_deref()), (None, Some("time.vendor.example")));
    assert_eq!(told[2], (Source::Always, true, false));
    assert_eq!(told.len(), 3);
}

#[test]
fn a_need_names_its_expected_interval() {
    let mut history = History::default();
    habit(&mut history, call(PUMP, GATEWAY, Proto::Tcp, 9_000), "hl7", 60, 3);
    let (devices, names, essentials) = (devices(), Names::default(), Essentials::default());
    let ground = Ground { history: &history, devices: &devices, names: &names };
    let needs = essentials.judge(ground).of(devices.get(&DeviceId("gateway".to_owned())).unwrap());
    let learned = needs.iter().find(|need| need.source == Source::Learned).unwrap();
    assert_eq!(learned.interval, Some(Duration::from_secs(60)));
    assert_eq!(learned.pattern.unwrap().to_string(), "from 10.0.1.7, tcp port 9000");
    assert!(!learned.confirmed);
}
