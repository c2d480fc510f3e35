//! Plans for validation: hospitals that together see every attack by a known device and by a
//! stranger, hospitals in which only known devices attack, and hospitals where nothing happens.

use crate::catalogue;
use crate::plan::{Event, Plan, Speed, Who, usual};
use crate::rng::Rng;
use crate::role::Role;
use crate::scenario::{Kind, Scenario};

/// How often an event is tried with other choices before it is left out.
const RETRIES: u32 = 20;

/// Look-alikes that bring a device of a kind that attacks come from.
const ARRIVALS: [&str; 2] = ["new_modality", "new_device"];

impl Plan {
    /// Hospital number `part` of `parts` by chance, which together see every attack once by a known
    /// device and once by a stranger, and every look-alike once, in random order; new devices come last.
    ///
    /// Each is as [`Plan::sample`] would make it, but has at least one host of every role, and half
    /// of them what newer hospitals have besides. Every
    /// other one speaks no TLS inside, and gets the attacks that need a service in clear; in the
    /// others half the services are sealed. An attack that only a known device can do is done by
    /// one both times, as the truth says.
    pub fn coverage(seed: u64, part: u32, parts: u32) -> Self {
        let parts = parts.max(1);
        let part = part % parts;
        let events = deal(seed, parts as usize).swap_remove(part as usize);
        Self { events, ..Self::with_everything(seed, "coverage", part, parts) }
    }

    /// Hospital number `part` of `parts` as in [`Plan::coverage`], in which only known devices
    /// attack, and nothing looks like an attack: together they see every attack `times` times, in as
    /// many different hospitals as there are, each time at another speed. For kinds of which a set
    /// that covers everything has too few.
    pub fn by_known(seed: u64, part: u32, parts: u32, times: u32) -> Self {
        let parts = parts.max(1);
        let part = part % parts;
        let events = deal_to_known(seed, parts as usize, times).swap_remove(part as usize);
        Self { events, ..Self::with_everything(seed, "by known", part, parts) }
    }

    /// A hospital by chance that has a host of every role, and no events.
    fn with_everything(seed: u64, what: &str, part: u32, parts: u32) -> Self {
        let sealed = part % 2 == 1;
        let own = Rng::new(seed).fork(&format!("{what} {part} of {parts}")).next();
        let mut plan = Self::sample(own);
        for &role in Role::ALL {
            if usual(role).is_some() {
                plan.devices.entry(role).or_insert(1);
            }
        }
        let encrypted_share = if sealed { 0.5 } else { 0.0 };
        let newer = Rng::new(own).fork("newer").chance(0.5);
        Self { encrypted_share, newer, retries: RETRIES, events: vec![], ..plan }
    }

    /// A hospital by chance that nothing befalls: normal life to learn from, then so many hours
    /// more of it. For false alerts.
    pub fn quiet(seed: u64, hours: f64) -> Self {
        let minutes = (hours.max(0.0) * 60_000.0).round() / 1_000.0;
        let newer = Rng::new(seed).fork("newer").chance(0.5);
        Self { attack_minutes: minutes, newer, events: vec![], ..Self::sample(seed) }
    }

    /// The same, in which life changes after half of these hours ([`Plan::changes_after_minutes`]).
    /// For promises that have to hold all the same.
    pub fn changing(seed: u64, hours: f64) -> Self {
        let plan = Self::quiet(seed, hours);
        let after = plan.baseline_minutes + plan.attack_minutes / 2.0;
        Self { changes_after_minutes: Some(after), ..plan }
    }
}

/// The events of each part.
fn deal(seed: u64, parts: usize) -> Vec<Vec<Event>> {
    let mut rng = Rng::new(seed).fork("coverage");
    let mut all: Vec<(&Scenario, Who)> = vec![];
    for scenario in catalogue::ALL {
        all.push((scenario, Who::Known));
        if scenario.kind == Kind::Attack {
            all.push((scenario, Who::Stranger));
        }
    }
    rng.shuffle(&mut all);
    // Those that not every part can take come first, so that all parts get about as many.
    all.sort_by_key(|(scenario, _)| !scenario.clear);
    let mut dealt = vec![vec![]; parts];
    for (scenario, who) in all {
        let speed = *rng.pick(&[Speed::Slow, Speed::Usual, Speed::Fast]);
        let event = Event { scenario: scenario.name.to_owned(), who, speed };
        let step = if scenario.clear { 2 } else { 1 };
        if let Some(part) = dealt.iter_mut().step_by(step).min_by_key(|part| part.len()) {
            part.push(event);
        }
    }
    for part in &mut dealt {
        rng.shuffle(part);
        // What has just joined would else be taken for a known device by a later attack.
        part.sort_by_key(|event| ARRIVALS.contains(&event.scenario.as_str()));
    }
    dealt
}

/// The events of each part where only known devices attack.
fn deal_to_known(seed: u64, parts: usize, times: u32) -> Vec<Vec<Event>> {
    let mut rng = Rng::new(seed).fork("by known");
    let attacks = catalogue::ALL.iter().filter(|scenario| scenario.kind == Kind::Attack);
    let mut all: Vec<(&Scenario, usize)> =
        attacks.flat_map(|one| (0..times as usize).map(move |time| (one, time))).collect();
    rng.shuffle(&mut all);
    all.sort_by_key(|(scenario, _)| !scenario.clear);
    let mut dealt: Vec<Vec<Event>> = vec![vec![]; parts];
    let mut before = std::collections::BTreeMap::new();
    for (scenario, time) in all {
        let first = *before.entry(scenario.name).or_insert_with(|| rng.below(3) as usize);
        let speed = [Speed::Slow, Speed::Usual, Speed::Fast][(first + time) % 3];
        let event = Event { scenario: scenario.name.to_owned(), who: Who::Known, speed };
        let step = if scenario.clear { 2 } else { 1 };
        let has = |part: &[Event]| part.iter().filter(|e| e.scenario == scenario.name).count();
        let fewest = dealt.iter_mut().step_by(step).min_by_key(|part| (has(part), part.len()));
        if let Some(part) = fewest {
            part.push(event);
        }
    }
    dealt.iter_mut().for_each(|part| rng.shuffle(part));
    dealt
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_parts_together_hold_every_attack_twice_and_every_look_alike_once() {
        let attacks = catalogue::ALL.iter().filter(|s| s.kind == Kind::Attack).count();
        for parts in [1, 2, 5] {
            let plans: Vec<Plan> = (0..parts).map(|part| Plan::coverage(3, part, parts)).collect();
            let events: Vec<(String, Who)> = plans
                .iter()
                .flat_map(|plan| plan.events.iter().map(|e| (e.scenario.clone(), e.who)))
                .collect();
            let different: BTreeSet<_> =
                events.iter().map(|(name, who)| (name, *who == Who::Known)).collect();
            assert_eq!(events.len(), attacks + catalogue::ALL.len());
            assert_eq!(different.len(), events.len());
            let sizes = plans.iter().map(|plan| plan.events.len());
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }
    }

    #[test]
    fn where_only_known_devices_attack_every_attack_comes_as_often_in_different_hospitals() {
        let plans: Vec<Plan> = (0..8).map(|part| Plan::by_known(3, part, 8, 3)).collect();
        for scenario in catalogue::ALL {
            let events = plans.iter().map(|plan| {
                plan.events.iter().filter(|event| event.scenario == scenario.name).collect()
            });
            let events: Vec<Vec<&Event>> = events.collect();
            let times = if scenario.kind == Kind::Attack { 3 } else { 0 };
            assert_eq!(events.iter().flatten().count(), times, "{}", scenario.name);
            assert!(events.iter().all(|of_one| of_one.len() <= 1), "{}", scenario.name);
            assert!(events.iter().flatten().all(|event| event.who == Who::Known));
            let speeds: BTreeSet<&str> = events.iter().flatten().map(|e| speed(e.speed)).collect();
            assert_eq!(speeds.len(), times, "{}", scenario.name);
            let sealed = events.iter().zip(&plans).filter(|(_, plan)| plan.encrypted_share > 0.0);
            assert!(!scenario.clear || sealed.map(|(of_one, _)| of_one.len()).sum::<usize>() == 0);
        }
        assert_eq!(plans[2], Plan::by_known(3, 2, 8, 3));
        assert_ne!(plans[2].devices, Plan::coverage(3, 2, 8).devices, "hospitals of its own");
    }

    fn speed(speed: Speed) -> &'static str {
        match speed {
            Speed::Slow => "slow",
            Speed::Usual => "usual",
            Speed::Fast => "fast",
        }
    }

    #[test]
    fn a_plan_comes_from_its_seed_and_parts_are_different_hospitals() {
        assert_eq!(Plan::coverage(1, 0, 4), Plan::coverage(1, 0, 4));
        assert_ne!(Plan::coverage(1, 0, 4).events, Plan::coverage(2, 0, 4).events);
        assert_ne!(Plan::coverage(1, 0, 4).devices, Plan::coverage(1, 2, 4).devices);
        let text = serde_json::to_string(&Plan::quiet(4, 0.123_456)).unwrap();
        assert_eq!(
            serde_json::from_str::<Plan>(&text).ok(),
            Some(Plan::quiet(4, 0.123_456)),
            "a plan is exact in JSON"
        );
    }
}
