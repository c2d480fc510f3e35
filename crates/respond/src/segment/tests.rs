use super::*;
use crate::devices::Devices;
use crate::essentials::tests::{address, call, device, habit, once};
use crate::essentials::{Essentials, Ground};
use crate::history::{History, Names};
use model::Timestamp;

const DAYS: i64 = 4;

fn site() -> (Devices, History) {
    let mut devices = vec![
        device("pacs", "10.0.2.2", DeviceClass::Pacs),
        device("dns", "10.0.2.53", DeviceClass::DnsServer),
        device("desk", "10.0.3.9", DeviceClass::Workstation),
    ];
    let mut history = History::default();
    for place in 0..10 {
        let (id, at) = (format!("us{place}"), format!("10.0.1.{place}"));
        devices.push(device(&id, &at, DeviceClass::Ultrasound));
        habit(&mut history, call(&at, "10.0.2.2", Proto::Tcp, 104), "dicom", 3_600, DAYS);
        habit(&mut history, call(&at, "10.0.2.53", Proto::Udp, 53), "dns", 3_600, DAYS);
    }
    habit(&mut history, call("10.0.3.9", "10.0.1.1", Proto::Tcp, 8_080), "http", 15_000, DAYS);
    once(&mut history, call("10.0.3.9", "10.0.1.1", Proto::Tcp, 445), "smb", 300_000);
    (Devices::new(devices, Vec::new()), history)
}

fn with<T>(devices: &Devices, history: &History, then: impl FnOnce(&Judge<'_>) -> T) -> T {
    let (names, essentials) = (Names::default(), Essentials::default());
    then(&essentials.judge(Ground { history, devices, names: &names }))
}

#[test]
fn zones_are_classes_in_segments_and_what_was_seen_once_makes_no_conduit() {
    let (devices, mut history) = site();
    history.exclude(&[address("10.0.3.9")], Timestamp::from_parts(310_000, 0));
    once(&mut history, call("10.0.3.9", "10.0.2.2", Proto::Tcp, 22), "ssh", 320_000);
    let proposal = with(&devices, &history, |judge| propose(judge, &Settings::default()));
    assert_eq!((proposal.rare, proposal.suspect), (1, 1));
    let zones: Vec<_> =
        proposal.zones.iter().map(|zone| (zone.id.to_string(), zone.devices.len())).collect();
    let expected = [
        ("dns_server@10.0.2.0/24", 1),
        ("pacs@10.0.2.0/24", 1),
        ("ultrasound@10.0.1.0/24", 10),
        ("workstation@10.0.3.0/24", 1),
    ];
    assert_eq!(zones, expected.map(|(name, count)| (name.to_owned(), count)));
    let conduits: Vec<_> = proposal
        .conduits
        .iter()
        .map(|one| (one.service.as_str(), one.conversations, one.essentials))
        .collect();
    assert_eq!(conduits, [("dns", 10, 10), ("dicom", 10, 10), ("http", 1, 0)]);
}

#[test]
fn a_policy_blocks_what_was_seen_once_and_nothing_that_care_needs() {
    let (devices, history) = site();
    with(&devices, &history, |judge| {
        let scanner = devices.get(&DeviceId("us1".to_owned())).unwrap();
        let policy = policy::of(scanner, judge, &Settings::default());
        let told = policy.replay(scanner, judge);
        assert_eq!((told.conversations, told.blocked_conversations), (4, 1));
        assert_eq!(told.blocked_essential, 0);
        assert_eq!(told.blocked[0].service, "smb");
        // Ten scanners in one segment become that segment, for the PACS.
        let pacs = devices.get(&DeviceId("pacs".to_owned())).unwrap();
        let policy = policy::of(pacs, judge, &Settings::default());
        let from: Vec<_> = policy
            .allow
            .iter()
            .filter(|one| one.pattern.port == Some(104))
            .map(|one| one.pattern.to_string())
            .collect();
        assert_eq!(from, ["from 10.0.1.0/24, tcp port 104"]);
        assert_eq!(policy.replay(pacs, judge).blocked_conversations, 0);
    });
}

#[test]
fn a_policy_made_of_the_first_days_is_held_against_the_others() {
    let (devices, mut history) = site();
    // Begins on the third day: no policy of the first two days allows it.
    let late = call("10.0.1.1", "10.0.2.2", Proto::Tcp, 443);
    (0..20).for_each(|turn| once(&mut history, late, "dicomweb", 2 * 86_400 + turn * 6_000));
    with(&devices, &history, |judge| {
        let scanner = devices.get(&DeviceId("us1".to_owned())).unwrap();
        let split = Timestamp::from_parts(2 * 86_400, 0);
        let policy = policy::of_before(scanner, judge, &Settings::default(), split);
        let told = policy.replay_from(scanner, judge, Some(split));
        assert_eq!((told.conversations, told.blocked_conversations), (5, 2));
        assert_eq!(told.blocked[0].slots, 20);
        assert!(told.blocked[0].essential.as_deref().unwrap().contains("DICOMweb"));
        let now = policy::of(scanner, judge, &Settings::default());
        let diff = policy.diff(&now);
        assert_eq!((diff.added.len(), diff.removed.len()), (1, 0));
        assert_eq!(diff.added[0].pattern.port, Some(443));
        assert_eq!(diff.same + 1, now.allow.len() as u64);
    });
}

#[test]
fn a_class_is_what_half_of_its_devices_do_and_comes_back_from_its_mud_file() {
    let (devices, history) = site();
    let policy = with(&devices, &history, |judge| {
        policy::of_class(DeviceClass::Ultrasound, judge, &Settings::default())
    });
    let ports: Vec<_> = policy.allow.iter().map(|one| one.pattern.port.unwrap()).collect();
    assert_eq!(ports, [104, 53, 67]);
    let about = crate::mud::About {
        url: "https://hospital.example/mud/ultrasound.json".to_owned(),
        ..Default::default()
    };
    let mud = policy.mud(about);
    let back = crate::mud::read(crate::mud::write(&mud).unwrap().as_bytes()).unwrap();
    assert_eq!(back.rules, mud.rules);
}
