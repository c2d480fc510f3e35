//! What everybody who uses a generated hospital relies on: right packets, right order, right truth.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::Ipv4Addr;

use drill::{
    DrillError, Event, Happening, Hospital, Layout, Plan, Speed, Truth, Who, catalogue, demo_plan,
    generate,
};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};

/// A short plan with these events.
fn plan(events: Vec<Event>) -> Plan {
    Plan {
        baseline_minutes: 1.0,
        attack_minutes: 0.2,
        image_kib: 12,
        retransmit: 0.0,
        pace: 0.4,
        events,
        ..Plan::default()
    }
}

fn event(scenario: &str, who: Who) -> Event {
    Event { scenario: scenario.to_owned(), who, speed: Speed::Fast }
}

fn all_events(who: Who) -> Vec<Event> {
    catalogue().iter().map(|entry| event(entry.name, who)).collect()
}

fn digest(plan: &Plan) -> u64 {
    let mut hasher = DefaultHasher::new();
    for happening in Hospital::new(plan).unwrap() {
        match happening {
            Happening::Packet { at, frame, .. } => (at, frame).hash(&mut hasher),
            Happening::Syslog { at, line } | Happening::Audit { at, line } => {
                (at, line).hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_gives_others() {
    let events = vec![event("smb_worm", Who::Known), event("roam_storm", Who::Known)];
    let one = plan(events);
    assert_eq!(digest(&one), digest(&one));
    assert_ne!(digest(&one), digest(&Plan { seed: 2, ..one.clone() }));
}

#[test]
fn a_plan_survives_its_own_json_and_absent_fields_are_as_usual() {
    let sampled = Plan::sample(5);
    let text = serde_json::to_string(&sampled).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), sampled);
    let seven: Plan = serde_json::from_str(r#"{"seed": 7}"#).unwrap();
    assert_eq!(seven, Plan { seed: 7, ..Plan::default() });
}

#[test]
fn an_unknown_scenario_is_refused_by_name() {
    let error = Hospital::new(&plan(vec![event("no_such", Who::Known)])).err().unwrap();
    assert!(matches!(&error, DrillError::NoScenario(name) if name == "no_such"), "{error}");
}

/// One direction of a TCP conversation, and the next sequence number in it.
type Streams = BTreeMap<(Ipv4Addr, u16, Ipv4Addr, u16), u32>;

/// Checks the checksums of a frame, and that its TCP data leave no hole.
fn check(frame: &[u8], streams: &mut Streams) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(NetSlice::Ipv4(ip)) = packet.net else { return };
    let header = ip.header().to_header();
    assert_eq!(header.calc_header_checksum(), header.header_checksum, "IP checksum");
    match packet.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            let right = tcp.calc_checksum_ipv4(header.source, header.destination).unwrap();
            assert_eq!(right, tcp.checksum(), "TCP checksum");
            let key =
                (header.source, tcp.source_port(), header.destination, tcp.destination_port());
            let (from, to) = (Ipv4Addr::from(key.0), Ipv4Addr::from(key.2));
            let key = (from, key.1, to, key.3);
            if tcp.rst() {
                return;
            }
            let length = tcp.payload().len() as u32 + u32::from(tcp.syn()) + u32::from(tcp.fin());
            if tcp.syn() {
                streams.insert(key, tcp.sequence_number().wrapping_add(length));
            } else if let Some(next) = streams.get_mut(&key) {
                let ahead = tcp.sequence_number().wrapping_sub(*next) as i32;
                assert!(ahead <= 0, "{ahead} bytes are missing in {key:?}");
                let end = tcp.sequence_number().wrapping_add(length);
                if end.wrapping_sub(*next) as i32 > 0 {
                    *next = end;
                }
            }
        }
        Some(TransportSlice::Udp(udp)) => {
            let right = udp
                .to_header()
                .calc_checksum_ipv4_raw(header.source, header.destination, udp.payload())
                .unwrap();
            assert_eq!(right, udp.checksum(), "UDP checksum");
        }
        _ => {}
    }
}

/// Lives a hospital to its end and checks everything that holds for each packet. Hands back the
/// truth, and when each address (IP or MAC of the sender) was seen, in seconds.
fn live(plan: &Plan) -> (Vec<Truth>, BTreeMap<String, Vec<f64>>) {
    let mut hospital = Hospital::new(plan).unwrap();
    let mut seen: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut streams = Streams::new();
    let mut last = None;
    for happening in &mut hospital {
        let at = happening.at();
        assert!(last <= Some(at), "time goes back");
        last = Some(at);
        let Happening::Packet { frame, .. } = happening else { continue };
        check(&frame, &mut streams);
        let packet = SlicedPacket::from_ethernet(&frame).unwrap();
        if let Some(NetSlice::Ipv4(ip)) = packet.net {
            let from = ip.header().source_addr().to_string();
            seen.entry(from).or_default().push(at.seconds_f64());
        }
        let mac: Vec<String> = frame[6..12].iter().map(|b| format!("{b:02x}")).collect();
        seen.entry(mac.join(":")).or_default().push(at.seconds_f64());
    }
    assert!(hospital.skipped().is_empty(), "left out: {:?}", hospital.skipped());
    let hosts = hospital.hosts();
    for truth in hospital.truth() {
        let inside = hosts.values().any(|h| h.ip == truth.actor);
        assert!(inside, "{} is by a host that hosts.json lacks", truth.label);
    }
    let macs: Vec<(String, String)> = hosts.into_values().map(|h| (h.ip, h.mac)).collect();
    for (ip, mac) in macs {
        let times = seen.get(&mac).cloned().unwrap_or_default();
        seen.insert(ip, times);
    }
    (hospital.truth().to_vec(), seen)
}

fn every_scenario(who: Who, layout: Layout) {
    let plan = Plan { layout, gap_seconds: 61.0, ..plan(all_events(who)) };
    let (truth, seen) = live(&plan);
    assert_eq!(truth.len(), catalogue().len());
    for (truth, entry) in truth.iter().zip(catalogue()) {
        assert_eq!(truth.malicious, entry.malicious, "{}", entry.name);
        assert_eq!(truth.label.starts_with("benign: "), !entry.malicious, "{}", entry.name);
        let times = &seen[&truth.actor];
        let within = |at: &&f64| (truth.start_epoch..=truth.end_epoch).contains(*at);
        // What happens to a server (time, firmware, a move) is not always said by it.
        assert!(times.iter().any(|at| within(&at)), "{}: no packet of its actor", entry.name);
    }
    for pair in truth.windows(2) {
        assert!(pair[0].end_epoch + 60.0 < pair[1].start_epoch, "{} overlaps", pair[1].label);
    }
}

#[test]
fn every_scenario_by_known_devices_in_a_flat_network_is_well_formed_and_true() {
    every_scenario(Who::Known, Layout::Flat);
}

#[test]
fn every_scenario_by_strangers_in_a_tagged_network_is_well_formed_and_true() {
    every_scenario(Who::Stranger, Layout::Tagged);
}

#[test]
fn hospitals_by_chance_live_whatever_they_lack() {
    for seed in 0..6 {
        let plan = Plan {
            baseline_minutes: 0.5,
            attack_minutes: 0.1,
            gap_seconds: 2.0,
            image_kib: 12,
            ..Plan::sample(seed)
        };
        let mut hospital = Hospital::new(&plan).unwrap();
        assert!((&mut hospital).count() > 500);
        assert_eq!(hospital.truth().len() + hospital.skipped().len(), plan.events.len());
    }
}

/// How many TCP segments of a plan's hospital begin beyond what had been seen before them.
fn holes(plan: &Plan) -> usize {
    let mut next: BTreeMap<_, u32> = BTreeMap::new();
    let mut holes = 0;
    for happening in Hospital::new(plan).unwrap() {
        let Happening::Packet { frame, .. } = happening else { continue };
        let packet = SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(TransportSlice::Tcp(tcp)) = packet.transport else { continue };
        let Some(NetSlice::Ipv4(ip)) = packet.net else { continue };
        let ports = (tcp.source_port(), tcp.destination_port());
        let key = (ip.header().source(), ip.header().destination(), ports);
        let seq = tcp.sequence_number();
        let marks = u32::from(tcp.syn()) + u32::from(tcp.fin());
        let end = seq.wrapping_add(tcp.payload().len() as u32 + marks);
        match next.get_mut(&key) {
            Some(next) if !tcp.syn() => {
                holes += usize::from(seq.wrapping_sub(*next) as i32 > 0);
                if end.wrapping_sub(*next) as i32 > 0 {
                    *next = end;
                }
            }
            _ => {
                next.insert(key, end);
            }
        }
    }
    holes
}

#[test]
fn a_sensor_that_misses_segments_has_holes_and_others_have_none() {
    let whole = plan(vec![]);
    assert_eq!(holes(&whole), 0);
    assert!(holes(&Plan { loss: 0.02, ..whole }) > 10);
}

#[test]
fn the_demonstration_is_small_and_whole() {
    let plan = demo_plan();
    let mut hospital = Hospital::new(&plan).unwrap();
    let mut bytes = 24;
    for happening in &mut hospital {
        if let Happening::Packet { frame, .. } = happening {
            bytes += frame.len() + 16;
        }
    }
    let malicious = hospital.truth().iter().filter(|t| t.malicious).count();
    assert_eq!((malicious, hospital.truth().len()), (10, 14));
    assert!((40..=70).contains(&hospital.hosts().len()), "{}", hospital.hosts().len());
    assert!(bytes < 60_000_000, "{bytes}");
    let last = hospital.truth().last().unwrap().end_epoch;
    let minutes = (last - hospital.phases().baseline_end_epoch) / 60.0;
    assert!((4.0..8.0).contains(&minutes), "{minutes} minutes of events");
}

#[test]
fn files_are_written_in_the_forms_that_scoring_reads() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(vec![event("record_snooping", Who::Known)]);
    let summary = generate(&plan, folder.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let truth: Vec<Truth> = serde_json::from_str(&read("truth.json")).unwrap();
    let micros = |truth: &[Truth]| {
        let both =
            |t: &Truth| (t.label.clone(), format!("{:.6} {:.6}", t.start_epoch, t.end_epoch));
        truth.iter().map(both).collect::<Vec<_>>()
    };
    assert_eq!(micros(&truth), micros(&summary.truth));
    let hosts: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&read("hosts.json")).unwrap();
    assert!(hosts.values().any(|h| h["ip"] == truth[0].actor && h["mac"].len() == 17));
    let phases: BTreeMap<String, f64> = serde_json::from_str(&read("phases.json")).unwrap();
    assert!(phases["baseline_end_epoch"] < truth[0].start_epoch);
    let syslog = read("syslog.log");
    assert!(syslog.lines().count() > 5 && syslog.lines().all(|l| l.starts_with("<134>1 20")));
    for line in read("audit.ndjson").lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["resourceType"], "AuditEvent");
    }
    let capture = std::fs::read(folder.path().join("capture.pcap")).unwrap();
    assert_eq!(capture[..4], 0xa1b2_3c4d_u32.to_le_bytes());
    assert_eq!(capture.len() as u64, 24 + summary.bytes + 16 * summary.packets);
    let runs = drill::labels::read(&read("packets.labels")).unwrap();
    let frames = (0..summary.packets).filter(|&n| drill::labels::event_of(&runs, n) == Some(0));
    let labelled = Hospital::new(&plan)
        .unwrap()
        .filter(|h| matches!(h, Happening::Packet { event: Some(0), .. }))
        .count();
    assert!(labelled > 100 && frames.count() == labelled);
}

#[test]
fn hospitals_of_a_coverage_leave_nothing_out_and_label_every_packet() {
    let mut seen = std::collections::BTreeSet::new();
    for part in 0..2 {
        let plan = Plan {
            baseline_minutes: 0.5,
            attack_minutes: 0.1,
            gap_seconds: 1.0,
            image_kib: 12,
            pace: 0.4,
            ..Plan::coverage(11, part, 2)
        };
        let mut hospital = Hospital::new(&plan).unwrap();
        let mut times: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        for happening in &mut hospital {
            let Happening::Packet { at, event: Some(event), .. } = happening else { continue };
            let at = at.seconds_f64();
            times.entry(event).or_insert((at, at)).1 = at;
        }
        assert_eq!(hospital.skipped(), [""; 0]);
        assert_eq!(times.len(), hospital.truth().len(), "an event without a packet of its own");
        for (truth, (first, last)) in hospital.truth().iter().zip(times.values()) {
            assert!((first - truth.start_epoch - 0.001).abs() < 2e-6, "{}", truth.scenario);
            assert!((last - truth.end_epoch).abs() < 2e-6, "{}", truth.scenario);
            seen.insert((truth.scenario.clone(), truth.who == Who::Known));
        }
    }
    let attacks = catalogue().into_iter().filter(|e| e.malicious);
    let missing: Vec<_> =
        attacks.map(|e| e.name).filter(|&name| !seen.contains(&(name.to_owned(), true))).collect();
    assert_eq!(missing, [""; 0], "not done by a known device");
    let strangers = seen.iter().filter(|(_, known)| !known).count();
    assert!(strangers > 40, "{strangers} kinds by strangers");
}

#[test]
fn a_quiet_hospital_has_no_event() {
    let plan = Plan { baseline_minutes: 0.5, pace: 0.3, image_kib: 12, ..Plan::quiet(9, 0.02) };
    let mut hospital = Hospital::new(&plan).unwrap();
    let labelled = |h: Happening| matches!(h, Happening::Packet { event: Some(_), .. });
    let mut end = 0.0;
    for happening in &mut hospital {
        end = happening.at().seconds_f64();
        assert!(!labelled(happening));
    }
    assert!(hospital.truth().is_empty() && end > hospital.phases().baseline_end_epoch + 60.0);
}
