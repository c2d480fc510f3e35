//! Findings of one cause become one case.
//!
//! The cause is whoever acts. A finding joins the open case of its device; or the case in which its
//! device was a victim a while ago, since that is how an attack moves on; or the case of its user.
//! A shared victim alone joins nothing: two strangers at one PACS are two causes.

mod held;
mod involved;

use std::time::Duration;

use assets::{Entity, Inventory};
use held::Held;
use involved::Involved;
use model::case::{Case, CaseId, StoryLine};
use model::device::{DeviceId, Tier};
use model::finding::{Finding, FindingKind, PeerRef, Severity};
use model::net::is_internal;
use model::observation::Party;
use model::time::Timestamp;

use crate::detectors;
use crate::findings::SENSOR;
use crate::words;

/// How often cases are looked through for those that are over.
const CLOSE_EVERY: Duration = Duration::from_secs(1);

/// Most findings that a case names, and lines that its story has; more are counted in the last line.
const MAX_LINES: usize = 200;

/// An open case, with what correlation needs to know of it.
#[derive(Debug)]
struct Open {
    /// Its number; cases are in this order.
    number: u64,
    case: Case,
    actors: Vec<DeviceId>,
    victims: Vec<DeviceId>,
    detectors: Vec<String>,
    worst: Severity,
    deterministic: bool,
    tier: Tier,
    victim_tier: Option<Tier>,
    headline: String,
    next_step: &'static str,
    external: Option<String>,
    beyond: usize,
    dirty: bool,
}

/// Joins findings into cases.
#[derive(Debug)]
pub struct Correlator {
    open: Vec<Open>,
    quiet_seconds: f64,
    serial: u64,
    findings: Vec<Finding>,
    changed: Vec<Case>,
    held: Held,
    involved: Involved,
    /// Numbers of open cases that have changed.
    dirty: Vec<u64>,
    next_close: Timestamp,
}

impl Correlator {
    /// A case takes no more findings after so many minutes of quiet.
    pub fn new(quiet_minutes: f64) -> Self {
        Self {
            open: Vec::new(),
            quiet_seconds: quiet_minutes * 60.0,
            serial: 0,
            findings: Vec::new(),
            changed: Vec::new(),
            held: Held::default(),
            involved: Involved::default(),
            dirty: Vec::new(),
            next_close: Timestamp::MIN,
        }
    }

    /// Whether somebody acts in a case that nobody has closed.
    pub fn has(&self, entity: Entity) -> bool {
        self.held.has(entity)
    }

    /// Somebody acts in a case, as was known before a restart.
    pub fn hold(&mut self, entity: Entity, case: &CaseId) {
        if let Some(number) = number(case) {
            self.held.note(entity, number);
        }
    }

    /// A person closed a case: whoever acted in it teaches again, unless another case holds them or
    /// more is found.
    pub fn close(&mut self, case: &CaseId) {
        if let Some(number) = number(case) {
            self.held.close(number);
        }
    }

    /// A person opened a case again.
    pub fn reopen(&mut self, case: &CaseId) {
        if let Some(number) = number(case) {
            self.held.reopen(number);
        }
    }

    /// Files a finding.
    pub fn add(&mut self, mut finding: Finding, about: Entity, inventory: &Inventory) {
        if finding.at >= self.next_close {
            self.next_close = finding.at.plus(CLOSE_EVERY);
            self.close_quiet(finding.at);
        }
        let index = match self.find(&finding, inventory) {
            Some(index) => index,
            // A note alone is nothing to work on; it is kept, and told where a case is open.
            None if finding.severity == Severity::Info => {
                self.findings.push(finding);
                return;
            }
            None => self.begin(&finding),
        };
        let open = &mut self.open[index];
        if finding.severity >= Severity::Medium {
            self.held.note(about, open.number);
        }
        finding.case = Some(open.case.id.clone());
        let (actors, victims) = (open.actors.len(), open.victims.len());
        let users = open.case.users.len();
        open.take(&finding, inventory);
        self.involved.actors.note(&open.actors[actors..], open.number);
        self.involved.victims.note(&open.victims[victims..], open.number);
        self.involved.users.note(&open.case.users[users..], open.number);
        self.dirty.push(open.number);
        self.findings.push(finding);
    }

    /// Findings since the last time.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Cases that changed since the last time.
    pub fn take_cases(&mut self) -> Vec<Case> {
        let mut changed = std::mem::take(&mut self.changed);
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        for number in dirty {
            if let Some(place) = self.place(number) {
                let open = &mut self.open[place];
                open.dirty = false;
                changed.push(open.written());
            }
        }
        changed
    }

    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    pub(crate) fn set_serial(&mut self, serial: u64) {
        self.serial = serial;
    }

    /// Where an open case is.
    fn place(&self, number: u64) -> Option<usize> {
        self.open.binary_search_by_key(&number, |open| open.number).ok()
    }

    /// The case that a finding belongs to.
    fn find(&self, finding: &Finding, inventory: &Inventory) -> Option<usize> {
        let device = &finding.device.id;
        // What is said anew stays where it was said first.
        let same = |open: &Open| open.case.findings.contains(&finding.id);
        let bad = |open: &Open| open.worst >= Severity::Medium;
        let own = || self.involved.actors.cases(device);
        // What is only worth a note does not move an attack on to its victim.
        let moved = || {
            let moves = finding.severity >= Severity::Medium;
            self.involved.victims.cases(device).filter(move |_| moves)
        };
        self.first(finding, own(), same)
            .or_else(|| self.first(finding, own(), |_| true))
            .or_else(|| {
                let user = finding.user.as_ref()?;
                self.first(finding, self.involved.users.cases(user), |_| true)
            })
            .or_else(|| self.first(finding, moved(), bad))
            .or_else(|| self.drawn(finding, inventory, bad))
    }

    /// What a victim does at an attacker's bidding belongs to the attacker's case.
    fn drawn(
        &self,
        finding: &Finding,
        inventory: &Inventory,
        bad: impl Fn(&Open) -> bool,
    ) -> Option<usize> {
        if finding.detector != "first_contact" {
            return None;
        }
        let peers = finding.peers.iter().filter_map(|peer| inventory.entity(&party(peer)).device());
        peers
            .filter_map(|ix| {
                let peer = inventory.device_id(ix);
                self.first(finding, self.involved.actors.cases(&peer), &bad)
            })
            .max()
    }

    /// The first of some cases that is not over and is as asked.
    fn first(
        &self,
        finding: &Finding,
        mut cases: impl Iterator<Item = u64>,
        asked: impl Fn(&Open) -> bool,
    ) -> Option<usize> {
        cases.find_map(|number| {
            let place = self.place(number)?;
            let open = &self.open[place];
            let quiet = finding.at.seconds_since(open.case.updated);
            (quiet <= self.quiet_seconds && asked(open)).then_some(place)
        })
    }

    fn begin(&mut self, finding: &Finding) -> usize {
        self.serial += 1;
        self.open.push(Open {
            number: self.serial,
            case: Case {
                id: CaseId(format!("C-{:04}", self.serial)),
                opened: finding.at,
                ..Case::default()
            },
            actors: Vec::new(),
            victims: Vec::new(),
            detectors: Vec::new(),
            worst: Severity::Info,
            deterministic: false,
            tier: finding.device.tier,
            victim_tier: None,
            headline: String::new(),
            next_step: "",
            external: None,
            beyond: 0,
            dirty: true,
        });
        self.open.len() - 1
    }

    fn close_quiet(&mut self, now: Timestamp) {
        let quiet = self.quiet_seconds;
        let (changed, involved) = (&mut self.changed, &mut self.involved);
        self.open.retain(|open| {
            let keep = now.seconds_since(open.case.updated) <= quiet;
            if !keep {
                involved.actors.forget(&open.actors, open.number);
                involved.victims.forget(&open.victims, open.number);
                involved.users.forget(&open.case.users, open.number);
                if open.dirty {
                    changed.push(open.written());
                }
            }
            keep
        });
    }
}

/// The number in `C-0001`.
fn number(case: &CaseId) -> Option<u64> {
    case.0.strip_prefix("C-")?.parse().ok()
}

impl Open {
    fn take(&mut self, finding: &Finding, inventory: &Inventory) {
        self.dirty = true;
        self.case.updated = self.case.updated.max(finding.at);
        if let Some(place) = self.case.findings.iter().position(|id| *id == finding.id) {
            self.say_anew(place, finding);
            return;
        }
        push_new(&mut self.actors, finding.device.id.clone());
        for peer in &finding.peers {
            if let Entity::Device(ix) = inventory.entity(&party(peer)) {
                push_new(&mut self.victims, inventory.device_id(ix));
                let tier = inventory.tier(ix);
                self.victim_tier = Some(self.victim_tier.map_or(tier, |old| old.min(tier)));
            }
            if let Some(ip) = peer.ip.filter(|ip| !is_internal(*ip)) {
                self.external.get_or_insert_with(|| ip.to_string());
            }
        }
        if let Some(user) = &finding.user {
            push_new(&mut self.case.users, user.clone());
        }
        for id in &finding.attack {
            push_new(&mut self.case.attack, id.clone());
        }
        self.deterministic |= matches!(finding.kind, FindingKind::Rule | FindingKind::Intel);
        if finding.severity >= Severity::Medium {
            push_new(&mut self.detectors, finding.detector.clone());
        }
        if self.headline.is_empty() || finding.severity > self.worst {
            self.worst = self.worst.max(finding.severity);
            self.headline.clone_from(&finding.title);
            self.next_step = detectors::next_step(&finding.detector);
        }
        if self.case.story.len() < MAX_LINES {
            self.case.findings.push(finding.id.clone());
            self.case.story.push(StoryLine { at: finding.at, text: finding.title.clone() });
        } else {
            self.beyond += 1;
        }
    }

    /// Puts what is now known in the place of what a finding said before.
    fn say_anew(&mut self, place: usize, finding: &Finding) {
        let Some(line) = self.case.story.get_mut(place) else { return };
        let was = std::mem::replace(&mut line.text, finding.title.clone());
        for id in &finding.attack {
            push_new(&mut self.case.attack, id.clone());
        }
        if self.headline == was || finding.severity > self.worst {
            self.worst = self.worst.max(finding.severity);
            self.headline.clone_from(&finding.title);
            self.next_step = detectors::next_step(&finding.detector);
        }
    }

    /// The case as a person reads it.
    fn written(&self) -> Case {
        let mut case = self.case.clone();
        // Several detectors that agree are worse news than the worst of them.
        case.severity = if self.detectors.len() >= 3 { self.worst.raised() } else { self.worst };
        case.devices = self.actors.clone();
        for victim in &self.victims {
            push_new(&mut case.devices, victim.clone());
        }
        let others = case.story.len().saturating_sub(1) + self.beyond;
        case.title = match others {
            0 => self.headline.clone(),
            n => format!(
                "{} (and {})",
                self.headline.trim_end_matches('.'),
                words::count(n as u64, "more finding", "more findings")
            ),
        };
        case.story.sort_by_key(|line| line.at);
        if self.beyond > 0 {
            case.story.push(StoryLine {
                at: case.updated,
                text: format!("{} more findings of this case are not listed.", self.beyond),
            });
        }
        self.next_step.clone_into(&mut case.next_step);
        case.proposal = self.proposal();
        case
    }

    /// What policy would allow (safety levels L1 to L4), in words. Nothing here acts.
    fn proposal(&self) -> String {
        if self.actors.iter().all(|actor| actor.0.starts_with(SENSOR)) {
            return "None: it is about the sensor, and no device has to be touched.".to_owned();
        }
        if self.worst < Severity::Medium {
            return "None: for the record only (L0).".to_owned();
        }
        if let Some(external) = &self.external {
            return format!(
                "Block {external} at the perimeter (L2) once a pre-flight shows that no essential flow uses it; everything else stays as it is."
            );
        }
        let why = if self.deterministic { "" } else { " Learning alone never restricts a device." };
        match self.tier {
            Tier::T0 | Tier::T0i => format!(
                "Alert only (L1): the device counts as {}, so any restriction needs SOC and clinical approval and a pre-flight.{why}",
                self.tier
            ),
            Tier::T1 => format!(
                "Alert (L1); a surgical block of this flow (L2) if the device is proven idle, else with one approval.{why}"
            ),
            Tier::T2 => {
                format!("Surgical block of the flows named here (L2) after a pre-flight.{why}")
            }
            Tier::T3 => format!("Allow-list of essential flows (L3) after a pre-flight.{why}"),
            Tier::T4 => format!(
                "Quarantine (L4) may be proposed after a pre-flight; care does not depend on it.{why}"
            ),
        }
    }
}

fn party(peer: &PeerRef) -> Party {
    Party { ip: peer.ip, mac: peer.mac, port: peer.port, name: None }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.len() < MAX_LINES && !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;

    use crate::fixture::{DESK, DESK_B, INTRUDER, PACS, PUMPS, Ward, word};

    fn scans(ward: &mut Ward, from: crate::fixture::Host) {
        (1..40).for_each(|port| drop(ward.knock(from, PUMPS[0], port, "refused")));
    }

    #[test]
    fn what_one_attacker_does_is_one_case_and_two_attackers_are_two() {
        let mut ward = Ward::peopled();
        scans(ward.watch(), INTRUDER);
        let fields = [("service", word("telnet"))];
        ward.over(&protocols::remote::SESSION, INTRUDER, PUMPS[1], 23, &fields);
        scans(&mut ward, DESK);
        let cases: Vec<_> = ward.engine.take_cases();
        let mut bad: Vec<_> = cases.iter().filter(|c| c.severity >= Severity::Medium).collect();
        bad.dedup_by_key(|case| case.id.clone());
        assert_eq!(bad.len(), 2, "{bad:#?}");
        assert!(bad.iter().all(|case| !case.next_step.is_empty() && !case.proposal.is_empty()));
        assert!(bad.iter().all(|case| !case.title.contains(",,") && !case.title.contains("  ")));
    }

    #[test]
    fn what_is_only_to_be_known_opens_no_case() {
        let mut ward = Ward::peopled();
        ward.watch();
        ward.call(DESK, DESK_B, 9_000);
        ward.call(DESK, PACS, 9_001);
        let findings = ward.findings();
        assert!(findings.iter().all(|f| f.severity > Severity::Info || f.case.is_none()));
    }

    #[test]
    fn who_acts_in_a_case_is_held_until_a_person_closes_it_and_over_a_restart() {
        let mut ward = Ward::peopled();
        scans(ward.watch(), INTRUDER);
        let found = ward.findings();
        let found = found.iter().find(|f| f.severity >= Severity::Medium).unwrap();
        let (device, case) = (&found.device.id, found.case.as_ref().unwrap());
        assert!(ward.engine.is_held(device));
        // A restart knows of cases what the store tells it.
        let saved = ward.engine.save().unwrap();
        let mut again = Ward::peopled().engine;
        again.load(&saved).unwrap();
        assert!(!again.is_held(device));
        again.hold(device, case);
        assert!(again.is_held(device));
        again.close_case(case);
        assert!(!again.is_held(device));
        ward.engine.close_case(case);
        assert!(!ward.engine.is_held(device));
        ward.engine.reopen_case(case);
        assert!(ward.engine.is_held(device));
        // What is found after it was closed holds again.
        ward.engine.close_case(case);
        let fields = [("service", word("telnet"))];
        ward.over(&protocols::remote::SESSION, INTRUDER, PUMPS[1], 23, &fields);
        let more = ward.findings();
        assert!(more.iter().any(|f| f.severity >= Severity::Medium), "{more:#?}");
        assert!(ward.engine.is_held(device));
    }
}
