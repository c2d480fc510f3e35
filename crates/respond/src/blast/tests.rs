use super::*;
use crate::devices::Devices;
use crate::essentials::tests::{address, call, device, habit, once};
use crate::essentials::{Essentials, Ground};
use crate::history::{History, Names};
use crate::restriction::Proto;
use crate::segment::Settings;
use proptest::prelude::*;

/// A desk that a jump host and a forgotten share connect with monitors and a PACS.
fn site() -> (Devices, History) {
    let mut devices = vec![
        device("desk", "10.0.3.9", DeviceClass::Workstation),
        device("jump", "10.0.4.1", DeviceClass::Server),
        device("pacs", "10.0.2.2", DeviceClass::Pacs),
        device("printer", "10.0.3.10", DeviceClass::Printer),
    ];
    let mut history = History::default();
    once(&mut history, call("10.0.3.9", "10.0.4.1", Proto::Tcp, 3_389), "rdp", 100);
    for place in 0..5 {
        let at = format!("10.0.1.{place}");
        devices.push(device(&format!("monitor{place}"), &at, DeviceClass::PatientMonitor));
        once(&mut history, call("10.0.4.1", &at, Proto::Tcp, 22), "ssh", 200);
    }
    // Care needs the way from the desk to the PACS.
    habit(&mut history, call("10.0.3.9", "10.0.2.2", Proto::Tcp, 104), "dicom", 3_600, 4);
    once(&mut history, call("10.0.3.9", "203.0.113.5", Proto::Tcp, 443), "tls", 300);
    once(&mut history, call("203.0.113.5", "10.0.4.1", Proto::Tcp, 443), "tls", 300);
    (Devices::new(devices, Vec::new()), history)
}

fn blast(devices: &Devices, history: &History, from: &str, limits: &Limits) -> Blast {
    let (names, essentials) = (Names::default(), Essentials::default());
    let judge = essentials.judge(Ground { history, devices, names: &names });
    of(&Graph::new(&judge, &Settings::default()), address(from), limits).unwrap()
}

#[test]
fn what_a_desk_reaches_and_what_to_cut_first() {
    let (devices, history) = site();
    let blast = blast(&devices, &history, "10.0.3.9", &Limits::default());
    assert_eq!(blast.care, ["5 x patient monitor (T0)", "1 x PACS (T1)"]);
    let hops: Vec<_> = blast
        .reaches
        .devices
        .iter()
        .map(|one| (one.name.as_str(), one.hops, one.how, one.via.as_str()))
        .filter(|(name, ..)| ["pacs", "monitor3", "printer", "outside"].contains(name))
        .collect();
    assert_eq!(
        hops,
        [
            ("pacs", 1, How::Observed, "desk"),
            ("outside", 1, How::Observed, "desk"),
            ("monitor3", 2, How::Observed, "jump"),
            ("printer", 1, How::Could, "desk"),
        ]
    );
    // Two conduits protect all monitors; cutting the images would not be told.
    let cuts: Vec<_> = blast.cuts.iter().map(|cut| (cut.port, cut.protects, cut.kept)).collect();
    assert_eq!(cuts, [(3_389, 5, 0), (22, 5, 0)]);
    assert_eq!(blast.cuts[0].protects_all, 6);
    let block = &blast.cuts[0].block[&DeviceId("desk".to_owned())];
    assert_eq!(block[0].to_string(), "to 10.0.4.1, tcp port 3389");
}

#[test]
fn what_reaches_a_monitor_does_not_come_through_the_internet() {
    let (devices, history) = site();
    let blast = blast(&devices, &history, "10.0.1.3", &Limits::default());
    let names: Vec<_> = blast
        .reached_by
        .devices
        .iter()
        .filter(|one| one.how == How::Observed)
        .map(|one| (one.name.as_str(), one.hops))
        .collect();
    assert_eq!(names, [("jump", 1), ("desk", 2), ("outside", 2)]);
    assert_eq!(blast.reached_by.could["T0"], 4, "the other monitors are in its segment");
}

#[test]
fn hops_and_lists_are_bounded_and_everybody_is_counted() {
    let (devices, history) = site();
    let limits = Limits { hops: 1, listed: 1, ..Limits::default() };
    let blast = blast(&devices, &history, "10.0.3.9", &limits);
    assert_eq!(blast.reaches.devices.len(), 1);
    assert_eq!(blast.reaches.observed.values().sum::<u64>(), 3);
    assert!(!blast.care.iter().any(|care| care.contains("monitor")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_cut_takes_nothing_that_care_needs_and_protects_as_many_as_it_says(
        talks in prop::collection::vec((0_u8..12, 0_u8..12, 0_usize..4, any::<bool>()), 1..40)
    ) {
        use DeviceClass as C;
        let classes = [C::Workstation, C::InfusionPump, C::Pacs, C::Ultrasound, C::Server, C::Camera];
        let at = |n: u8| format!("10.0.{}.{n}", n % 3);
        let devices = Devices::new(
            (0..12).map(|n| device(&format!("d{n}"), &at(n), classes[usize::from(n) % 6])),
            Vec::new(),
        );
        let mut history = History::default();
        for (from, to, service, often) in talks {
            let (port, name) = [(104, "dicom"), (22, "ssh"), (445, "smb"), (2575, "hl7")][service];
            let conversation = call(&at(from), &at(to), Proto::Tcp, port);
            if often {
                habit(&mut history, conversation, name, 7_200, 3);
            } else {
                once(&mut history, conversation, name, 100);
            }
        }
        let (names, essentials) = (Names::default(), Essentials::default());
        let judge = essentials.judge(Ground { history: &history, devices: &devices, names: &names });
        let graph = Graph::new(&judge, &Settings::default());
        let Some(told) = of(&graph, address(&at(0)), &Limits::default()) else { return Ok(()) };
        prop_assert_eq!(&told, &of(&graph, address(&at(0)), &Limits::default()).unwrap());
        let critical = |blast: &Blast| {
            ["T0", "T0i", "T1"].iter().filter_map(|tier| blast.reaches.observed.get(*tier)).sum::<u64>()
        };
        for cut in &told.cuts {
            // Replay: without the blocked conversations, that many fewer are within reach.
            let blocked = |key: &crate::Conversation| {
                cut.block.iter().any(|(id, patterns)| {
                    let own = &devices.get(id).unwrap().addresses;
                    patterns.iter().any(|pattern| pattern.matches(own, key))
                })
            };
            let mut rest = History::default();
            for (key, record) in history.all() {
                if blocked(key) {
                    prop_assert!(judge.why(key, record).is_none(), "{:?}", key);
                } else {
                    once(&mut rest, *key, "", 100);
                }
            }
            let judge = essentials.judge(Ground { history: &rest, devices: &devices, names: &names });
            let graph = Graph::new(&judge, &Settings::default());
            let after = of(&graph, address(&at(0)), &Limits::default()).unwrap();
            prop_assert_eq!(critical(&told) - critical(&after), cut.protects);
        }
    }
}
