//! What must never be seen. Numbers are those of the specification of safety, 4.5.

use std::collections::BTreeSet;

use model::device::{DeviceClass, DeviceId, InUse, Tier};
use respond::desk::{Action, Whom};
use respond::{Level, Restriction, Role, Signature};

use super::life::{Life, essential};
use super::network::nanos;

/// After every step.
pub(crate) fn always(life: &Life) {
    let seed = life.seed;
    for (id, rule) in &life.network.rules {
        let intent = &rule.proposal.intent;
        let subject = &intent.subject;
        let tier = subject.tier();
        // I2
        assert!(
            !intent.restriction.drops(subject, &essential(subject)),
            "life {seed}: {id} cuts what care needs"
        );
        // I3: where it is enforced, and by the default, which no policy here lengthens.
        let longest = respond::Policy::default().rules(tier).ttl();
        assert!(
            rule.until - life.truth <= longest.as_nanos() as u64,
            "life {seed}: {id} is too long"
        );
        // I12: however clocks jumped, it ends no later than planned after it was first made.
        assert!(
            rule.until <= rule.made + intent.ttl.as_nanos() as u64,
            "life {seed}: {id} was made longer"
        );
        // I9
        if subject.class == DeviceClass::Unknown {
            assert_eq!(tier, Tier::T0, "life {seed}: {id}");
        }
    }
    // I13, with the loosest policy of these lives: counted by true time.
    let window = nanos(600);
    let lately = life.made.iter().filter(|(at, _)| life.truth - at < window).count();
    assert!(lately <= 7, "life {seed}: {lately} restrictions within ten minutes");
}

/// Before something is sent to the network.
pub(crate) fn may_be_applied(life: &Life, action: &Action) {
    let (seed, id) = (life.seed, action.id());
    let intent = &action.proposal.intent;
    let subject = &intent.subject;
    let tier = subject.tier();
    let on_device = !matches!(intent.restriction, Restriction::Perimeter { .. });
    let level = intent.restriction.level();
    // I5: nothing is sent for a tier that is not armed (it was when it was decided).
    assert!(action.decided.is_some(), "life {seed}: {id} was never decided");
    // I7
    assert!(
        action.proposal.plans.iter().all(|plan| plan.intent == *intent),
        "life {seed}: {id} is not what was approved"
    );
    if action.signatures.is_empty() {
        assert!(action.proposal.watched, "life {seed}: {id}: nobody would see what comes of it");
        // I1
        assert!(!(on_device && tier <= Tier::T0i), "life {seed}: {id} restricts {tier} by itself");
        assert!(tier != Tier::T0i, "life {seed}: {id} acts on infrastructure by itself");
        if tier == Tier::T1 && on_device {
            assert_eq!(level, Level::L2, "life {seed}: {id}");
            assert_eq!(subject.in_use, InUse::Idle, "life {seed}: {id}");
            let idle = life.desk.idle(&subject.id, life.now());
            assert!(idle.is_some(), "life {seed}: {id}: nobody says that it is idle");
        }
        assert!(!(tier == Tier::T2 && level == Level::L4), "life {seed}: {id}");
        let learned_only = action.proposal.evidence.claims.iter().all(|claim| {
            matches!(
                claim.kind,
                model::finding::FindingKind::Model | model::finding::FindingKind::Anomaly
            )
        });
        assert!(!(learned_only && tier.is_clinical()), "life {seed}: {id} rests on learning alone");
        assert!(
            action.proposal.evidence.doubt.is_none(),
            "life {seed}: {id} is about a doubtful device"
        );
    } else {
        signed_by_enough(life, action);
    }
}

/// I6
fn signed_by_enough(life: &Life, action: &Action) {
    let (seed, id) = (life.seed, action.id());
    let people: Vec<_> = action.signatures.iter().map(|(person, _)| person.clone()).collect();
    let proposer = action.proposal.by.as_ref();
    assert!(
        people.iter().all(|person| Some(&person.name) != proposer.map(|p| &p.name)),
        "life {seed}: {id} was approved by who proposed it"
    );
    assert!(people.iter().all(|person| person.role != Role::Admin), "life {seed}: {id}");
    let roles: BTreeSet<_> = people.iter().map(|person| person.role).collect();
    let names: BTreeSet<_> = people.iter().map(|person| &person.name).collect();
    assert!(
        roles.len() >= action.needs.len() && names.len() >= action.needs.len(),
        "life {seed}: {id} was signed by too few: {people:?}"
    );
    let tier = action.proposal.intent.subject.tier();
    let needs_two = tier <= Tier::T1 && action.level() >= Level::L3;
    if needs_two {
        let soc = people.iter().filter(|p| p.role == Role::Soc);
        let two = soc.into_iter().any(|soc| {
            people.iter().any(|other| other.role == Role::Clinical && other.name != soc.name)
        });
        assert!(two, "life {seed}: {id} lacks a second person: {people:?}");
    }
    if action.needs.contains(&Signature::Commander) {
        assert!(people.iter().any(|p| p.role == Role::Commander), "life {seed}: {id}");
    }
    if action.attest {
        assert!(action.patient_safe, "life {seed}: {id}: nobody looked at the patient");
    }
}

/// I4
pub(crate) fn nothing_in_force(life: &Life) {
    assert!(life.network.rules.is_empty(), "life {}: something is left after a halt", life.seed);
}

/// I8
pub(crate) fn released(life: &Life, whom: &Whom) {
    let left = life.network.rules.iter().any(|(id, rule)| match whom {
        Whom::Action(action) => id == action,
        Whom::Device(device) => rule.proposal.intent.subject.id == *device,
    });
    assert!(!left, "life {}: what was released is still in force", life.seed);
}

/// Nothing that policy did to a device because it was idle goes on.
pub(crate) fn nothing_rests_on_idle(life: &Life, device: &DeviceId) {
    let of_it = |action: &&Action| {
        let intent = &action.proposal.intent;
        intent.subject.id == *device
            && intent.subject.tier() == Tier::T1
            && action.signatures.is_empty()
            && !matches!(intent.restriction, Restriction::Perimeter { .. })
    };
    for action in life.desk.actions().filter(of_it) {
        let id = action.id();
        assert!(
            !life.network.rules.contains_key(id),
            "life {}: {id} goes on though it is in use",
            life.seed
        );
    }
}
