//! The texts, as they were read over by eye.

use super::*;
use crate::enforcers::sample;

fn flow(way: Way, peer: &str, proto: Option<Proto>, port: Option<u16>) -> Pattern {
    Pattern { way, peer: peer.parse().unwrap(), proto, port }
}

fn intents() -> Vec<(&'static str, Intent)> {
    let restrictions = [
        (
            "block",
            Restriction::Block {
                flows: vec![
                    flow(Way::Out, "203.0.113.0/24", Some(Proto::Tcp), Some(443)),
                    flow(Way::In, "10.0.9.9", None, Some(445)),
                    flow(Way::Out, "2001:db8::/32", Some(Proto::Icmp), None),
                ],
            },
        ),
        (
            "perimeter",
            Restriction::Perimeter {
                indicator: Indicator::Address("198.51.100.7".parse().unwrap()),
            },
        ),
        (
            "essentials",
            Restriction::Essentials {
                allow: vec![
                    flow(Way::Out, "10.0.1.7", Some(Proto::Tcp), Some(2_575)),
                    flow(Way::In, "10.0.2.0/24", Some(Proto::Tcp), Some(104)),
                    flow(Way::Out, "10.0.1.1", Some(Proto::Udp), Some(123)),
                ],
            },
        ),
        (
            "quarantine",
            Restriction::Quarantine { management: vec!["10.9.0.0/16".parse().unwrap()] },
        ),
    ];
    let mut subject = sample::subject(&["10.0.0.5", "fd00::5"]);
    "Pump 5\"; no ip access-list\nexit".clone_into(&mut subject.name);
    restrictions
        .map(|(name, restriction)| (name, sample::intent(subject.clone(), restriction)))
        .into()
}

#[test]
fn the_text_for_the_network_team_is_what_was_read_over() {
    for (name, intent) in intents() {
        for dialect in Dialect::ALL {
            let text = text(dialect, &intent).unwrap();
            let whole = format!("{}\n\n{}", text.change.join("\n"), text.undo.join("\n"));
            insta::assert_snapshot!(format!("{}-{name}", dialect.name()), whole);
        }
    }
}

#[test]
fn a_name_with_quotation_marks_and_line_ends_does_no_harm() {
    for (_, intent) in intents() {
        for dialect in Dialect::ALL {
            let text = text(dialect, &intent).unwrap();
            for line in text.change.iter().chain(&text.undo) {
                assert!(!line.contains(['\n', '\r', ';', '\'', '`', '$', '?']), "{line}");
            }
        }
    }
    assert_eq!(harmless("\n\u{202e}\"x"), "__x");
    assert_eq!(harmless("  "), "unnamed");
}

#[test]
fn it_is_never_chosen_by_itself_and_writes_text_and_removal() {
    let folder = tempfile::tempdir().unwrap();
    let acl = Acl::new(&Dialect::ALL, folder.path().join("acl"), Outlet::new());
    let (_, intent) = intents().remove(0);
    assert!(!acl.can(Level::L2, &intent));
    let receipt = acl.apply(&sample::approved(acl.plan(&intent).unwrap())).unwrap();
    assert!(!receipt.acknowledged);
    let file = |name: &str| std::fs::read_to_string(folder.path().join("acl").join(name));
    assert!(file("A-0001.txt").unwrap().contains("does not end by itself"));
    assert_eq!(acl.state(&receipt).unwrap(), State::Unknown);
    acl.revert_all(std::slice::from_ref(&receipt)).unwrap();
    acl.revert(&receipt).unwrap();
    assert!(file("A-0001.txt").is_err());
    assert!(file("A-0001.remove.txt").unwrap().contains("no ip access-list extended WW-A-0001"));
}
