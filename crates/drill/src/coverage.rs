//! Plans for validation: hospitals that together see every attack by a known device and by a
//! stranger, and hospitals where nothing happens.

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
    /// Each is as [`Plan::sample`] would make it, but has at least one host of every role. Every
    /// other one speaks no TLS inside, and gets the attacks that need a service in clear; in the
    /// others half the services are sealed. An attack that only a known device can do is done by
    /// one both times, as the truth says.
    pub fn coverage(seed: u64, part: u32, parts: u32) -> Self {
        let parts = parts.max(1);
        let part = part % parts;
        let sealed = part % 2 == 1;
        let own = Rng::new(seed).fork(&format!("coverage {part} of {parts}")).next();
        let mut plan = Self::sample(own);
        for &role in Role::ALL {
            if usual(role).is_some() {
                plan.devices.entry(role).or_insert(1);
            }
        }
        let events = deal(seed, parts as usize).swap_remove(part as usize);
        let encrypted_share = if sealed { 0.5 } else { 0.0 };
        Self { encrypted_share, retries: RETRIES, events, ..plan }
    }

    /// A hospital by chance that nothing befalls: normal life to learn from, then so many hours
    /// more of it. For false alerts.
    pub fn quiet(seed: u64, hours: f64) -> Self {
        let minutes = (hours.max(0.0) * 60_000.0).round() / 1_000.0;
        Self { attack_minutes: minutes, events: vec![], ..Self::sample(seed) }
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
