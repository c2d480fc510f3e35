use model::finding::{DeviceRef, PeerRef};

use super::*;

const CASE: &str = "C-0001";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn finding(id: &str, peers: &[(&str, Option<u16>)]) -> Finding {
    Finding {
        id: FindingId(id.to_owned()),
        at: Timestamp::from_parts(1_800_000_000, 0),
        detector: "worm".to_owned(),
        severity: Severity::High,
        device: DeviceRef {
            id: DeviceId("D-9".to_owned()),
            ip: Some(ip("10.0.0.9")),
            ..DeviceRef::default()
        },
        peers: peers
            .iter()
            .map(|(address, port)| PeerRef {
                ip: Some(ip(address)),
                port: *port,
                ..PeerRef::default()
            })
            .collect(),
        community_id: vec!["1:x".to_owned()],
        case: Some(CaseId(CASE.to_owned())),
        ..Finding::default()
    }
}

fn inside(address: IpAddr) -> bool {
    address.to_string().starts_with("10.")
}

fn drafts(planner: &mut Planner) -> Vec<Draft> {
    let case = Case { id: CaseId(CASE.to_owned()), ..Case::default() };
    planner.drafts(&case, &Desk::default(), &inside, &[])
}

#[test]
fn one_flow_is_blocked_first_and_the_same_findings_are_drafted_once() {
    let mut planner = Planner::default();
    planner.finding(&finding("F1", &[("10.0.0.5", Some(445))]));
    let first = drafts(&mut planner);
    let [draft] = first.as_slice() else { panic!("{first:?}") };
    let Some(Restriction::Block { flows }) = draft.restrictions.first() else {
        panic!("{draft:?}")
    };
    assert_eq!(flows.len(), 1);
    assert_eq!((flows[0].way, flows[0].port), (Way::Out, Some(445)));
    assert!(drafts(&mut planner).is_empty(), "nothing new was found");
    planner.finding(&finding("F2", &[("10.0.0.6", Some(445))]));
    assert_eq!(drafts(&mut planner).len(), 1);
}

#[test]
fn who_turns_to_many_is_held_to_essentials() {
    let mut planner = Planner::default();
    let many: Vec<String> = (10..30).map(|n| format!("10.0.0.{n}")).collect();
    let peers: Vec<(&str, Option<u16>)> = many.iter().map(|ip| (ip.as_str(), Some(445))).collect();
    planner.finding(&finding("F1", &peers));
    let drafts = drafts(&mut planner);
    assert!(
        matches!(drafts[0].restrictions.first(), Some(Restriction::Essentials { .. })),
        "{drafts:?}"
    );
}

#[test]
fn who_probes_for_services_is_held_to_essentials_though_one_flow_is_named() {
    let mut planner = Planner::default();
    let mut scan = finding("F1", &[("10.0.0.5", Some(445))]);
    scan.attack = vec!["T1046".to_owned()];
    planner.finding(&scan);
    let drafts = drafts(&mut planner);
    assert!(
        matches!(drafts[0].restrictions.first(), Some(Restriction::Essentials { .. })),
        "{drafts:?}"
    );
}

#[test]
fn somebody_outside_is_blocked_at_the_perimeter() {
    let mut planner = Planner::default();
    planner.finding(&finding("F1", &[("203.0.113.7", Some(443))]));
    let drafts = drafts(&mut planner);
    let first = drafts[0].restrictions.first();
    assert!(
        matches!(first, Some(Restriction::Perimeter { indicator: Indicator::Address(range) }) if range.contains(ip("203.0.113.7"))),
        "{drafts:?}"
    );
}

#[test]
fn an_address_that_somebody_else_claims_is_blamed_for_nothing() {
    let mut planner = Planner::default();
    let mut spoofing = finding("F0", &[("10.0.0.9", None)]);
    spoofing.attack = vec!["T1557.002".to_owned()];
    spoofing.device.id = DeviceId("D-66".to_owned());
    spoofing.device.ip = Some(ip("10.0.0.66"));
    planner.finding(&spoofing);
    planner.finding(&finding("F1", &[("10.0.0.5", Some(445))]));
    let drafts = drafts(&mut planner);
    let blamed = drafts.iter().find(|draft| draft.device.0 == "D-9").unwrap();
    assert!(blamed.evidence.doubt.as_deref().is_some_and(|why| why.contains("10.0.0.66")));
    let spoofer = drafts.iter().find(|draft| draft.device.0 == "D-66").unwrap();
    assert_eq!(spoofer.evidence.doubt, None);
}

#[test]
fn low_findings_are_no_reason() {
    let mut planner = Planner::default();
    let mut low = finding("F1", &[("10.0.0.5", Some(445))]);
    low.severity = Severity::Low;
    planner.finding(&low);
    assert!(drafts(&mut planner).is_empty());
}
