//! A random life of a hospital that is attacked, defended, and rebooted.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use model::Timestamp;
use model::case::CaseId;
use model::device::{DeviceClass, DeviceId, InUse, Tier};
use model::finding::{FindingId, FindingKind, Severity};
use respond::desk::{Releaser, Status, Whom};
use respond::preflight::{Cut, Outcome};
use respond::{
    Ask, Claim, Conversation, Desk, Event, Evidence, Indicator, Intent, Level, Moment, Pattern,
    Person, Plan, PlanHash, Preflight, Proposal, Proto, Range, Restriction, Role, Source, Subject,
    Way,
};

use super::chance::Chance;
use super::checks;
use super::network::{Network, nanos};

const CLASSES: [DeviceClass; 8] = [
    DeviceClass::Ventilator,
    DeviceClass::DnsServer,
    DeviceClass::Pacs,
    DeviceClass::Ultrasound,
    DeviceClass::Camera,
    DeviceClass::Workstation,
    DeviceClass::Workstation,
    DeviceClass::Unknown,
];
const NAMES: [&str; 4] = ["ada", "kim", "lee", "noor"];
const ROLES: [Role; 4] = [Role::Soc, Role::Clinical, Role::Commander, Role::Admin];
const LOOSER: &str = "[breakers]\nactions_per_ten_minutes = 7\nclass_per_ward = 2\n[automatic]\nrecorded_hours = 0\n";
const STRICTER: &str =
    "[breakers]\nactions_per_ten_minutes = 2\n[tiers.T4]\nautomatic = \"L2\"\nttl_minutes = 60\n";

/// What was seen in lives, so that a test in which nothing happens cannot pass.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) steps: u64,
    pub(crate) applied: u64,
    pub(crate) by_policy: u64,
    pub(crate) life_sustaining: u64,
    pub(crate) idle: u64,
    pub(crate) rehearsed: u64,
    pub(crate) refused: u64,
    pub(crate) halted: u64,
    pub(crate) released: u64,
    pub(crate) restarted: u64,
    pub(crate) tripped: u64,
    pub(crate) expired: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.applied += other.applied;
        self.by_policy += other.by_policy;
        self.life_sustaining += other.life_sustaining;
        self.idle += other.idle;
        self.rehearsed += other.rehearsed;
        self.refused += other.refused;
        self.halted += other.halted;
        self.released += other.released;
        self.restarted += other.restarted;
        self.tripped += other.tripped;
        self.expired += other.expired;
    }

    pub(crate) fn assert_worthwhile(&self, lives: u64) {
        let least = lives / 1_000;
        for (what, count) in [
            ("applied", self.applied),
            ("decided by policy", self.by_policy),
            ("rehearsed", self.rehearsed),
            ("refused", self.refused),
            ("halted", self.halted),
            ("released", self.released),
            ("restarted", self.restarted),
            ("stopped by a breaker", self.tripped),
            ("expired", self.expired),
        ] {
            assert!(count > least, "only {count} were {what}: {self:?}");
        }
        assert!(self.life_sustaining > 0 && self.idle > 0, "{self:?}");
    }
}

pub(crate) struct Life {
    pub(crate) seed: u64,
    chance: Chance,
    pub(crate) desk: Desk,
    /// The ledger: what a restart reads.
    written: Vec<(Event, Moment)>,
    pub(crate) network: Network,
    /// True time since the beginning, in nanoseconds, that no reboot and no clock changes.
    pub(crate) truth: u64,
    boot: u64,
    booted: u64,
    wall: i64,
    /// True times at which something new came into force, by action.
    pub(crate) made: Vec<(u64, String)>,
    pub(crate) seen: Seen,
    known: BTreeSet<String>,
    /// Somebody forges alerts that look right, about one device after the other.
    flood: bool,
}

impl Life {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            chance: Chance::new(seed),
            desk: Desk::default(),
            written: Vec::new(),
            network: Network::default(),
            truth: 0,
            boot: 1,
            booted: 0,
            wall: 1_800_000_000,
            made: Vec::new(),
            seen: Seen::default(),
            known: BTreeSet::new(),
            flood: seed.is_multiple_of(6),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let seconds = self.wall + (self.truth / nanos(1)) as i64;
        Moment {
            wall: Timestamp::from_parts(seconds, 0),
            up: self.truth - self.booted,
            boot: self.boot,
        }
    }

    /// Plays it, checking all the time.
    pub(crate) fn live(mut self) -> Seen {
        // Most lives begin armed, or hardly anything would happen.
        if !self.chance.one_in(4) {
            for tier in [Tier::T0, Tier::T1, Tier::T2, Tier::T3, Tier::T4] {
                for by in [Person::new("ada", Role::Soc), Person::new("kim", Role::Clinical)] {
                    self.ask(&Ask::Arm { tier, level: Level::L4, hours: 24, by });
                }
            }
        }
        for _ in 0..8 + self.chance.below(32) {
            self.step();
            self.seen.steps += 1;
            checks::always(&self);
        }
        self.seen
    }

    fn step(&mut self) {
        if self.flood && !self.chance.one_in(4) {
            self.propose();
            return self.work(false);
        }
        match self.chance.below(25) {
            0..=6 => self.propose(),
            7..=10 => self.sign(),
            11 => {
                let by = self.person();
                let action = self.some_action();
                self.ask(&Ask::Deny { action, by, why: String::new() });
            }
            12 => self.release(),
            13 if self.chance.one_in(3) => {
                self.ask(&Ask::Halt { by: "kim".to_owned(), why: "drill".to_owned() });
                self.seen.halted += 1;
                self.work(false);
                checks::nothing_in_force(self);
            }
            14 => {
                let by = self.person();
                self.ask(&Ask::Resume { by });
            }
            15 => {
                let by = self.person();
                let tier = *self.chance.of(&[Tier::T0, Tier::T1, Tier::T2, Tier::T3, Tier::T4]);
                let level = *self.chance.of(&[Level::L2, Level::L3, Level::L4]);
                self.ask(&Ask::Arm { tier, level, hours: 1, by });
            }
            16 => {
                let by = self.person();
                let policy = [LOOSER, STRICTER, ""][self.chance.below(3) as usize].to_owned();
                self.ask(&Ask::Adopt { policy, by });
            }
            17 => {
                let seconds = *self.chance.of(&[1, 60, 700, 4_000, 20_000]);
                self.pass(seconds);
            }
            18 => self.wall += *self.chance.of(&[-100_000_000, -3_600, 3_600, 100_000_000]),
            19 => self.restart(),
            20 => {
                let action = self.some_action();
                self.ask(&Ask::Missed { action, what: "vital signs".to_owned() });
            }
            21 => self.work(true),
            22 => self.say_of_use(),
            _ => self.work(false),
        }
    }

    pub(crate) fn ask(&mut self, ask: &Ask) -> Option<Vec<Event>> {
        let now = self.now();
        match self.desk.decide(ask, now) {
            Ok(events) => {
                for event in &events {
                    self.desk.apply(event, now);
                    if matches!(event, Event::Ended { ending, .. } | Event::Leaving { ending, .. } if *ending == respond::desk::Ending::Expired)
                    {
                        self.seen.expired += 1;
                    }
                    self.written.push((event.clone(), now));
                }
                Some(events)
            }
            Err(refused) => {
                self.seen.refused += 1;
                self.seen.tripped += u64::from(matches!(refused, respond::Refused::Breaker { .. }));
                None
            }
        }
    }

    /// Does what has to be done; `dies` in the middle of it.
    fn work(&mut self, dies: bool) {
        self.ask(&Ask::Tick);
        let work = self.desk.work(self.now());
        if work.revert_all {
            self.network.revert_all();
        }
        for (action, _) in work.revert {
            self.network.revert(&action);
            if dies {
                return;
            }
            self.ask(&Ask::Reverted { action });
        }
        for (action, plans) in work.apply {
            // Weighed again at the last moment.
            if self.ask(&Ask::Pushing { action: action.clone() }).is_none() {
                continue;
            }
            let standing = self.desk.action(&action).cloned().unwrap();
            checks::may_be_applied(self, &standing);
            let mut receipts = Vec::new();
            for plan in &plans {
                receipts.push(self.network.apply(plan, &standing.proposal, self.truth));
            }
            if self.known.insert(action.clone()) {
                self.made.push((self.truth, action.clone()));
                self.seen.applied += 1;
                self.seen.by_policy += u64::from(standing.signatures.is_empty());
                let subject = &standing.proposal.intent.subject;
                self.seen.idle += u64::from(
                    standing.signatures.is_empty()
                        && subject.tier() == Tier::T1
                        && !matches!(
                            standing.proposal.intent.restriction,
                            Restriction::Perimeter { .. }
                        ),
                );
                self.seen.life_sustaining +=
                    u64::from(standing.proposal.intent.subject.tier() <= Tier::T0i);
            }
            if dies {
                return;
            }
            self.ask(&Ask::Pushed { action, receipts, failed: Vec::new() });
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.truth += nanos(seconds);
        self.network.pass(self.truth);
    }

    /// The process, or the machine, begins again; all it knows is what was written.
    fn restart(&mut self) {
        self.seen.restarted += 1;
        if self.chance.one_in(2) {
            self.boot += 1;
            self.pass(30);
            self.booted = self.truth;
            self.network.reboot();
        }
        let mut again = Desk::default();
        self.written.iter().for_each(|(event, at)| again.apply(event, *at));
        assert_eq!(again, self.desk, "life {}: a restart forgot something", self.seed);
        // What a new segment of the ledger is handed on, written down and read, is the same desk.
        if self.chance.one_in(4) {
            let json = serde_json::to_string(&self.desk.handed_on()).unwrap();
            again = serde_json::from_str(&json).unwrap();
            assert_eq!(again, self.desk, "life {}: a segment forgot something", self.seed);
        }
        self.desk = again;
    }

    fn release(&mut self) {
        let action = self.some_action();
        let subject = subject(&mut self.chance);
        let whom = if self.chance.one_in(2) {
            Whom::Action(action)
        } else {
            Whom::Device(subject.id.clone())
        };
        let by =
            if self.chance.one_in(2) { Releaser::Bedside } else { Releaser::Person(self.person()) };
        self.seen.released += 1;
        let done = self.ask(&Ask::Release { whom: whom.clone(), by });
        assert!(done.is_some(), "life {}: a release was refused", self.seed);
        self.work(false);
        checks::released(self, &whom);
    }

    /// Somebody looks after a device, and says what they found.
    fn say_of_use(&mut self) {
        let device = subject(&mut self.chance).id;
        let by = self.person();
        if !self.chance.one_in(4) {
            let by = if self.chance.one_in(2) { Person::new("kim", Role::Clinical) } else { by };
            // The archives are the only devices of these lives for which it matters.
            let archive = DeviceId(self.chance.of(&["D-2", "D-10"]).to_string());
            let device = if self.chance.one_in(4) { device } else { archive };
            let minutes = *self.chance.of(&[1, 30, 120, 121]);
            self.ask(&Ask::SayIdle { device, minutes, why: "looked".to_owned(), by });
            (0..4).for_each(|_| self.propose());
            return self.work(false);
        }
        assert!(self.ask(&Ask::SayInUse { device: device.clone(), by }).is_some());
        self.work(false);
        checks::nothing_rests_on_idle(self, &device);
    }

    fn sign(&mut self) {
        let action = self.some_action();
        let by = self.person();
        let right = self.desk.action(&action).map(|action| action.hash.clone());
        let plan = match right {
            Some(hash) if !self.chance.one_in(5) => hash,
            _ => PlanHash("another".to_owned()),
        };
        let patient_safe = self.chance.one_in(2);
        let rehearsal = self.ask(&Ask::Approve { action, plan: plan.clone(), by, patient_safe });
        let Some(events) = rehearsal else { return };
        assert_ne!(plan.0, "another", "life {}: another plan was signed", self.seed);
        let rehearsed = |event: &Event| matches!(event, Event::Signed { rehearsal: true, .. });
        self.seen.rehearsed += u64::from(events.iter().any(rehearsed));
    }

    fn person(&mut self) -> Person {
        Person::new(name(&mut self.chance), *self.chance.of(&ROLES))
    }

    fn some_action(&mut self) -> String {
        let ids: Vec<String> = self.desk.actions().map(|a| a.id().to_owned()).collect();
        if ids.is_empty() { "A-0001".to_owned() } else { self.chance.of(&ids).clone() }
    }

    fn propose(&mut self) {
        let flood = self.flood;
        let chance = &mut self.chance;
        let mut subject = subject(chance);
        let mut restriction = restriction(chance);
        if flood {
            let n = 100 + chance.below(60);
            subject.id = DeviceId(format!("D-{n}"));
            subject.addresses = vec![address(n)];
            subject.class = *chance.of(&[DeviceClass::Ultrasound, DeviceClass::Camera]);
            subject.tier = subject.class.tier();
            restriction = Restriction::Block {
                flows: vec![Pattern {
                    way: Way::Out,
                    peer: Range::one(address(2)),
                    proto: Some(Proto::Tcp),
                    port: Some(445),
                }],
            };
        }
        let most = self.desk.policy().rules(subject.tier()).ttl();
        let ttl = if chance.one_in(8) { most * 2 } else { most / (1 + chance.below(3) as u32) };
        let by = (!flood && chance.one_in(3)).then(|| Person::new(name(chance), Role::Soc));
        let kinds =
            [FindingKind::Model, FindingKind::Anomaly, FindingKind::Rule, FindingKind::Intel];
        let claims = (0..1 + chance.below(3)).map(|n| Claim {
            finding: FindingId(format!("F{n}")),
            detector: format!("d{}", chance.below(3)),
            kind: *chance.of(&kinds),
            source: *chance.of(&[Source::Network, Source::Logs]),
            title: String::new(),
        });
        let mut evidence = Evidence {
            case: CaseId("C-0001".to_owned()),
            claims: claims.collect(),
            severity: *chance.of(&[Severity::Low, Severity::High, Severity::Critical]),
            doubt: chance.one_in(8).then(String::new),
        };
        if flood {
            evidence.severity = Severity::Critical;
            evidence.claims.iter_mut().for_each(|claim| claim.kind = FindingKind::Rule);
        }
        let intent = Intent { id: self.desk.next_id(), subject, restriction, ttl };
        let plan = Plan {
            intent: intent.clone(),
            enforcer: "network".to_owned(),
            change: Vec::new(),
            undo: Vec::new(),
            dead_man: String::new(),
        };
        let preflight = preflight(chance, &intent);
        let by_policy = by.is_none();
        let proposal = Proposal {
            intent,
            plans: vec![plan],
            evidence,
            preflight,
            card: respond::card::Card::default(),
            beats: Vec::new(),
            of_class: if flood { 10_000 } else { *chance.of(&[1, 30, 200]) },
            by,
            watched: !chance.one_in(20),
            versions: Vec::new(),
        };
        let Some(events) = self.ask(&Ask::Propose(Box::new(proposal))) else { return };
        for event in &events {
            if let Event::Proposed { action } = event {
                self.seen.rehearsed += u64::from(action.status == Status::Rehearsed);
                let tripped = action.because.iter().any(|why| why.contains("breaker"));
                self.seen.tripped += u64::from(by_policy && tripped);
            }
        }
    }
}

fn name(chance: &mut Chance) -> &'static str {
    NAMES[chance.below(4) as usize]
}

fn address(n: u64) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, n as u8).into()
}

fn subject(chance: &mut Chance) -> Subject {
    let n = chance.below(12);
    let class = CLASSES[n as usize % CLASSES.len()];
    Subject {
        id: DeviceId(format!("D-{n}")),
        name: String::new(),
        addresses: vec![address(10 + n)],
        mac: None,
        class,
        // Whatever somebody else says of it.
        tier: *chance.of(&[Tier::T0, Tier::T2, Tier::T4]),
        ward: ["3A", "3A", "4B"][chance.below(3) as usize].to_owned(),
        in_use: *chance.of(&[InUse::InUse, InUse::Idle, InUse::Unknown]),
        in_use_because: String::new(),
        clinical_network: true,
    }
}

/// What every device of this hospital needs: the server at .1, by one service.
pub(crate) fn essential(subject: &Subject) -> Conversation {
    Conversation { client: subject.addresses[0], server: address(1), proto: Proto::Tcp, port: 104 }
}

fn restriction(chance: &mut Chance) -> Restriction {
    let peer = |chance: &mut Chance| match chance.below(3) {
        0 => Range::one(address(1)),
        1 => Range::one(address(2)),
        _ => Range::new(address(0), 24),
    };
    let port = |chance: &mut Chance| *chance.of(&[None, Some(104), Some(445)]);
    let pattern = |chance: &mut Chance| Pattern {
        way: *chance.of(&[Way::Out, Way::In]),
        peer: peer(chance),
        proto: *chance.of(&[None, Some(Proto::Tcp), Some(Proto::Udp)]),
        port: port(chance),
    };
    match chance.below(8) {
        0..=3 => Restriction::Block { flows: vec![pattern(chance)] },
        4 => Restriction::Perimeter {
            indicator: Indicator::Address(Range::one(*chance.of(&[address(1), address(200)]))),
        },
        5 | 6 => Restriction::Essentials { allow: vec![pattern(chance), pattern(chance)] },
        _ => Restriction::Quarantine { management: vec![peer(chance)] },
    }
}

/// Honest about this hospital, which has one essential conversation a device.
fn preflight(chance: &mut Chance, intent: &Intent) -> Preflight {
    let needed = essential(&intent.subject);
    let cut = |conversation: Conversation, tier, essential| Cut {
        conversation,
        peer: None,
        peer_name: String::new(),
        peer_tier: tier,
        service: "dicom".to_owned(),
        last: Timestamp::from_nanos(0),
        times: 9,
        essential,
        suspect: false,
    };
    let drops = intent.restriction.drops(&intent.subject, &needed);
    let recorded = !chance.one_in(6);
    let other = if chance.one_in(3) {
        let tier = *chance.of(&[Tier::T0, Tier::T4]);
        vec![cut(Conversation { server: address(2), ..needed }, tier, None)]
    } else {
        Vec::new()
    };
    Preflight {
        outcome: match (drops, recorded) {
            (true, _) => Outcome::CutsEssential,
            (false, false) => Outcome::NoData,
            (false, true) if other.is_empty() => Outcome::CutsNothing,
            (false, true) => Outcome::CutsOther,
        },
        because: String::new(),
        recorded: recorded.then(|| {
            let last = Timestamp::from_parts(1_000_000, 0);
            (last.minus(Duration::from_secs(*chance.of(&[600, 1_000_000]))), last)
        }),
        essential: if drops {
            vec![cut(needed, Tier::T1, Some("images".to_owned()))]
        } else {
            Vec::new()
        },
        declared: Vec::new(),
        other,
        more: 0,
        in_use: intent.subject.in_use,
        in_use_because: String::new(),
    }
}
