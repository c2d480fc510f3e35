//! What policy proposes by itself and is refused: seen, and bounded whatever floods it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use model::case::CaseId;
use model::device::{DeviceClass, DeviceId, Tier};
use model::finding::{FindingId, FindingKind, Severity};
use respond::ledger::refusals::{OTHERS, PER_HOUR};
use respond::ledger::{Body, Book, LEDGER, Lines, verify};
use respond::office::{Setting, Wish};
use respond::planner::Draft;
use respond::{
    Ask, Claim, Devices, Evidence, Moment, Office, Pattern, Proposal, Proto, Refused, Restriction,
    Source, Subject, Way, enforcers,
};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);

fn office(folder: &Path, enforcers: serde_json::Value) -> Office {
    let config: enforcers::Config = serde_json::from_value(enforcers).unwrap();
    let all = enforcers::build(&config, folder).unwrap();
    let office = Office::open(folder, Setting::default(), all).unwrap();
    let pump = Subject {
        id: DeviceId("D-1".to_owned()),
        addresses: vec!["10.0.0.3".parse().unwrap()],
        class: DeviceClass::InfusionPump,
        tier: Tier::T0,
        ..Subject::default()
    };
    office.learn().devices = Devices::new([pump], Vec::new());
    office
}

fn block(peer: &str, port: u16, proto: Proto) -> Restriction {
    let peer = peer.parse().unwrap();
    let flow = Pattern { way: Way::Out, peer, proto: Some(proto), port: Some(port) };
    Restriction::Block { flows: vec![flow] }
}

fn evidence(case: &str) -> Evidence {
    let claim = Claim {
        finding: FindingId("F1".to_owned()),
        detector: "scan".to_owned(),
        kind: FindingKind::Rule,
        source: Source::Network,
        title: "It scans".to_owned(),
    };
    Evidence {
        case: CaseId(case.to_owned()),
        severity: Severity::High,
        claims: vec![claim],
        doubt: None,
    }
}

/// A proposal of policy, and the moment at which it was made.
fn proposal(folder: &Path) -> (Proposal, Moment) {
    let office = office(folder, json!({ "nftables": {} }));
    let wish = Wish {
        device: DeviceId("D-1".to_owned()),
        restriction: block("10.0.0.9", 445, Proto::Tcp),
        ttl: None,
        evidence: evidence("C-0"),
        by: None,
    };
    let mut now = office.now();
    // As the ledger writes it.
    now.wall = now.wall.to_string().parse().unwrap();
    (office.look(|desk, now| office.weigh(&wish, desk, now)).unwrap().unwrap(), now)
}

fn refusals(folder: &Path) -> Vec<(u64, String, u64)> {
    let mut lines = Lines::from(folder, None, 0).unwrap();
    let mut all = Vec::new();
    while let Some((record, _)) = lines.next_record().unwrap() {
        if let Body::Refused(refusal) = record.body {
            all.push((record.seq, refusal.reason, refusal.times));
        }
    }
    all
}

#[test]
fn a_flood_of_refused_proposals_adds_no_more_lines_than_an_hour_has_place_for_and_all_are_counted()
{
    const FLOOD: u64 = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let (mut proposal, now) = proposal(folder.path());
    let mut book = Book::open(folder.path(), now).unwrap();
    let halt = Ask::Halt { by: "kim".to_owned(), why: "drill".to_owned() };
    book.ask(&halt, now).unwrap().unwrap();
    let size = || fs::metadata(folder.path().join(LEDGER)).unwrap().len();
    let before = size();
    for n in 0..FLOOD {
        // A third is about ever new cases, a third about one, and a third about a few devices.
        proposal.evidence.case = CaseId(format!("C-{}", if n % 3 == 0 { n } else { 1 }));
        proposal.intent.subject.id = DeviceId(format!("D-{}", if n % 3 == 1 { n % 7 } else { 1 }));
        let ask = Ask::Propose(Box::new(proposal.clone()));
        let answer = book.ask(&ask, now.plus(Duration::from_millis(n))).unwrap();
        assert!(matches!(answer, Err(Refused::Halted { .. })), "{answer:?}");
        // Half way through the process dies, and begins again: nothing is forgotten of the limit.
        if n == FLOOD / 2 {
            book = Book::open(folder.path(), now.plus(Duration::from_millis(n))).unwrap();
        }
    }
    let written = refusals(folder.path());
    assert_eq!(written.len(), PER_HOUR);
    assert!(size() - before < 64 << 10, "{} bytes", size() - before);
    // Later it is told how many there were. What the first process had only counted died with it.
    for hours in 1..40 {
        for minutes in (0..60).step_by(10) {
            let later = now.plus(MINUTE * (hours * 60 + minutes));
            for _ in 0..12 {
                book.ask(&Ask::Tick, later).unwrap().unwrap();
            }
        }
        let lines = refusals(folder.path()).len();
        assert!(lines <= PER_HOUR * (1 + hours as usize), "{lines} after {hours} hours");
    }
    let written = refusals(folder.path());
    let told: u64 = written.iter().map(|(.., times)| times).sum();
    assert!((FLOOD / 2..=FLOOD).contains(&told), "{told} are told of");
    assert!(written.iter().any(|(_, reason, times)| reason == OTHERS && *times > 1_000));
    let report = verify(folder.path(), None).unwrap();
    assert!(report.faults.is_empty(), "{report:?}");
    assert_eq!(book.desk().actions().count(), 0, "and nothing came of it");
}

#[test]
fn the_same_refusal_is_told_at_once_and_then_counted_every_ten_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let (proposal, now) = proposal(folder.path());
    let mut book = Book::open(folder.path(), now).unwrap();
    book.ask(&Ask::Halt { by: "kim".to_owned(), why: "drill".to_owned() }, now).unwrap().unwrap();
    let ask = Ask::Propose(Box::new(proposal));
    for second in 0..1_500_u32 {
        assert!(book.ask(&ask, now.plus(MINUTE / 60 * second)).unwrap().is_err());
    }
    let times: Vec<u64> = refusals(folder.path()).into_iter().map(|(.., times)| times).collect();
    assert_eq!(times, [1, 601, 601]);
    book.ask(&Ask::Tick, now.plus(MINUTE * 120)).unwrap().unwrap();
    let times: Vec<u64> = refusals(folder.path()).into_iter().map(|(.., times)| times).collect();
    assert_eq!(times.iter().sum::<u64>(), 1_500, "{times:?}");
    let (_, _, last) = book.refusals().iter().next_back().unwrap();
    assert_eq!((last.reason.as_str(), last.case.0.as_str()), ("halted", "C-0"));
    // Whoever reads the ledger knows the same.
    assert_eq!(Book::open(folder.path(), now).unwrap().refusals(), book.refusals());
}

#[test]
fn a_draft_that_would_harm_care_or_that_nobody_can_enforce_is_seen_to_be_refused() {
    let folder = tempfile::tempdir().unwrap();
    let office = office(folder.path(), json!({ "nftables": {} }));
    // DHCP: no signature allows that to be cut.
    let draft = Draft {
        device: DeviceId("D-1".to_owned()),
        restrictions: vec![block("255.255.255.255", 67, Proto::Udp)],
        evidence: evidence("C-7"),
    };
    let answer = office.propose_draft(&draft).unwrap();
    assert!(matches!(answer, Some(Err(Refused::CutsEssential { .. }))), "{answer:?}");
    let seen = office.refusals().unwrap();
    let (_, _, refusal) = seen.iter().next().unwrap();
    assert_eq!((refusal.reason.as_str(), refusal.case.0.as_str()), ("cuts_essential", "C-7"));
    assert!(refusal.why.contains("care needs"), "{refusal:?}");
    let without = tempfile::tempdir().unwrap();
    let office = self::office(without.path(), json!({}));
    assert!(office.propose_draft(&draft).unwrap().is_none());
    let seen = office.refusals().unwrap();
    assert_eq!(seen.iter().next().unwrap().2.reason, "no_enforcer");
    assert!(verify(without.path(), None).unwrap().faults.is_empty());
}
