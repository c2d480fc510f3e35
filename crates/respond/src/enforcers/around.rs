//! For tests: what stands around every enforcer, held against each of them.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::enforce::{Enforcer, State};
use crate::restriction::{Indicator, Pattern, Restriction, Way};

/// Every enforcer, configured so that nothing real could be reached by mistake.
const EVERY: &str = include_str!("every.toml");

fn every(folder: &Path, outlet: &Outlet) -> Vec<Box<dyn Enforcer>> {
    std::fs::write(folder.join("secret"), "made up for tests only").unwrap();
    let config: Config = toml::from_str(EVERY).unwrap();
    config::build_through(&config, folder, outlet).unwrap()
}

#[test]
fn every_enforcer_of_the_table_can_be_configured_and_has_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let enforcers = every(folder.path(), &Outlet::new());
    let names: Vec<&str> = enforcers.iter().map(|enforcer| enforcer.name()).collect();
    let table: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, table);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// I5, and the same for plans.
    #[test]
    fn a_plan_and_a_dry_run_send_nothing(
        subject in sample::device(), restriction in sample::restriction(), mac: [u8; 5],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let outlet = Outlet::new();
        let mut subject = subject;
        let [b, c, d, e, f] = mac;
        subject.mac = Some(model::net::Mac([0, b, c, d, e, f]));
        let intent = sample::intent(subject, restriction);
        for enforcer in every(folder.path(), &outlet) {
            let _ = enforcer.can(intent.restriction.level(), &intent);
            let Ok(plan) = enforcer.plan(&intent) else { continue };
            let again = enforcer.plan(&intent).unwrap();
            prop_assert_eq!(plan.hash(), again.hash());
            let dry = DryRun(enforcer.as_ref());
            let receipt = dry.apply(&sample::approved(plan)).unwrap();
            prop_assert_eq!(dry.state(&receipt).unwrap(), State::Gone);
            dry.revert(&receipt).unwrap();
            prop_assert_eq!(outlet.count(), 0, "{} went out", enforcer.name());
            prop_assert!(!receipt.acknowledged && receipt.ttl.is_zero());
        }
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        prop_assert_eq!(left.len(), 1, "a file was made: {:?}", left);
    }

    /// Whatever is asked of whichever enforcer: a device on the list is not restricted, nobody on it
    /// is named by a block, and no indicator holds one.
    #[test]
    fn what_is_never_touched_is_refused_by_every_enforcer(
        subject in sample::device(), restriction in sample::restriction(), own in sample::range(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "made up for tests only").unwrap();
        let mut config: Config = toml::from_str(EVERY).unwrap();
        config.never.addresses = vec![own];
        let outlet = Outlet::new();
        let intent = sample::intent(subject, restriction);
        let meets = |range: crate::Range| {
            own.contains(range.address()) || range.contains(own.address())
        };
        let touched = match &intent.restriction {
            Restriction::Perimeter { indicator: Indicator::Address(range) } => meets(*range),
            Restriction::Perimeter { .. } => false,
            Restriction::Block { flows } => {
                intent.subject.addresses.iter().any(|one| own.contains(*one))
                    || flows.iter().any(|flow| flow.peer.prefix() > 0 && meets(flow.peer))
            }
            _ => intent.subject.addresses.iter().any(|one| own.contains(*one)),
        };
        let free = every(folder.path(), &outlet);
        for (guarded, free) in config::build_through(&config, folder.path(), &outlet).unwrap().iter().zip(&free) {
            let plan = guarded.plan(&intent);
            if touched {
                prop_assert!(plan.is_err(), "{} plans", guarded.name());
                prop_assert!(!guarded.can(intent.restriction.level(), &intent));
                // Not even what was planned and approved before it was on the list.
                if let Ok(plan) = free.plan(&intent) {
                    prop_assert!(guarded.apply(&sample::approved(plan)).is_err());
                }
            } else {
                prop_assert_eq!(plan, free.plan(&intent));
            }
        }
        prop_assert_eq!(outlet.count(), 0);
    }
}

#[test]
fn infrastructure_is_not_touched_by_its_ethernet_address_or_domain_either() {
    let never = Never {
        macs: vec!["00:1b:21:0a:0b:0c".parse().unwrap()],
        domains: vec!["pacs.hospital.example".to_owned()],
        ..Never::default()
    };
    let mut subject = sample::subject(&["10.0.0.5"]);
    subject.mac = Some("00:1b:21:0a:0b:0c".parse().unwrap());
    let quarantine = Restriction::Quarantine { management: Vec::new() };
    assert!(never.forbids(&sample::intent(subject.clone(), quarantine)).is_some());
    for (name, forbidden) in [
        ("pacs.hospital.example", true),
        ("hospital.example", true),
        ("a.pacs.hospital.example", true),
        ("ospital.example", false),
        ("mail.hospital.example", false),
        ("xpacs.hospital.example", false),
    ] {
        let indicator = Indicator::Domain(name.to_owned());
        let intent = sample::intent(subject.clone(), Restriction::Perimeter { indicator });
        assert_eq!(never.forbids(&intent).is_some(), forbidden, "{name}");
    }
    // A block of everybody on one port names nobody.
    let way = Way::Out;
    let worm = Pattern { way, peer: crate::Range::ALL_V4, proto: None, port: Some(445) };
    let never = Never { addresses: vec!["10.0.1.0/24".parse().unwrap()], ..Never::default() };
    let block = sample::intent(subject, Restriction::Block { flows: vec![worm] });
    assert_eq!(never.forbids(&block), None);
}

#[test]
fn a_configuration_that_says_too_little_or_too_much_is_refused_with_the_section() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str| match toml::from_str::<Config>(text) {
        Ok(config) => build(&config, folder.path()).err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    for (text, part) in [
        ("[nftables]\nfamly = \"bridge\"", "famly"),
        ("[nftables]\nfamily = \"netdev\"", "enforcers.nftables: interfaces"),
        ("[nftables]\nnetns = \"../x\"", "enforcers.nftables: netns"),
        ("[nftables]\ncommand = []", "enforcers.nftables: command"),
        ("[never]\ndomains = [\"X\"]", "enforcers.never: domains"),
        ("[firewall]", "firewall"),
    ] {
        let said = refused(text).unwrap_or_else(|| panic!("{text} is taken"));
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(refused(""), None);
}
