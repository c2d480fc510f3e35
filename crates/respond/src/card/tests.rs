use model::device::{DeviceClass, DeviceId, Tier};

use super::*;
use crate::restriction::{Conversation, Pattern, Proto, Way};
use crate::subject::Subject;

fn intent(restriction: Restriction) -> Intent {
    let subject = Subject {
        id: DeviceId("D-0007".to_owned()),
        name: "pump-3w-07".to_owned(),
        class: DeviceClass::InfusionPump,
        ..Subject::default()
    };
    Intent { id: "A-0001".to_owned(), subject, restriction, ttl: Duration::from_secs(900) }
}

fn preflight(cuts: usize) -> Preflight {
    let cut = |n: usize| Cut {
        conversation: Conversation {
            client: [10, 0, 0, 7].into(),
            server: [10, 0, 0, 1].into(),
            proto: Proto::Tcp,
            port: 445,
        },
        peer: None,
        peer_name: format!("server-{n}"),
        peer_tier: Tier::T4,
        service: "smb".to_owned(),
        last: Timestamp::default(),
        times: 3,
        essential: None,
        suspect: n == 0,
    };
    Preflight {
        outcome: Outcome::CutsOther,
        because: String::new(),
        recorded: None,
        essential: Vec::new(),
        declared: Vec::new(),
        other: (0..cuts).map(cut).collect(),
        more: 0,
        in_use: InUse::Unknown,
        in_use_because: "no vital signs were seen".to_owned(),
    }
}

fn block() -> Restriction {
    let peer = "10.0.0.1".parse().unwrap();
    Restriction::Block {
        flows: vec![Pattern { way: Way::Out, peer, proto: Some(Proto::Tcp), port: Some(445) }],
    }
}

#[test]
fn a_nurse_reads_what_stops_what_goes_on_and_how_to_end_it() {
    let contacts = Contacts { security: "desk, 4711".to_owned(), ..Contacts::default() };
    let card =
        card(&intent(block()), &preflight(9), &contacts, Some("4K7-92M"), Timestamp::default());
    let text = card.to_string();
    for words in [
        "One connection of the infusion pump pump-3w-07 is cut",
        "a connection with server-0 (began with the attack).",
        "And 3 more",
        "Nobody can tell whether a patient depends on it now: no vital signs were seen. Act as if one did.",
        "15 minutes at most, then it ends by itself. (1970-01-01T00:15:00.000000Z)",
        "Enter the code 4K7-92M",
        "Security operations: desk, 4711",
        "Clinical engineering (no number is configured)",
        "double check",
    ] {
        assert!(text.contains(words), "{words}\n---\n{text}");
    }
    for jargon in ["tcp", "445", "L2", "10.0.0.1"] {
        assert!(!text.contains(jargon), "{jargon}\n---\n{text}");
    }
    let back: Card = serde_json::from_str(&serde_json::to_string(&card).unwrap()).unwrap();
    assert_eq!(back, card);
}

#[test]
fn a_quarantine_says_what_the_class_loses_and_no_data_is_said() {
    let mut preflight = preflight(0);
    preflight.outcome = Outcome::NoData;
    preflight.because = "no conversation was recorded".to_owned();
    let quarantine = Restriction::Quarantine { management: Vec::new() };
    let card =
        card(&intent(quarantine), &preflight, &Contacts::default(), None, Timestamp::default());
    assert_eq!(card.stops[0], downtime(DeviceClass::InfusionPump).stops);
    assert!(card.caution[0].contains("no conversation was recorded"), "{:?}", card.caution);
}

#[test]
fn what_care_needs_is_said_first() {
    let mut preflight = preflight(8);
    let mut needed = preflight.other.pop().unwrap();
    needed.essential = Some("carries drug library".to_owned());
    preflight.essential.push(needed);
    preflight.outcome = Outcome::CutsEssential;
    let card = card(&intent(block()), &preflight, &Contacts::default(), None, Timestamp::default());
    assert!(card.stops[0].starts_with("NEEDED BY CARE"), "{:?}", card.stops);
    assert!(card.caution[0].contains("may not be done"));
}
