//! The hand of response, against an enforcer that remembers, refuses and dies as told.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Timestamp;
use model::case::CaseId;
use model::device::{DeviceClass, DeviceId, InUse, Tier};
use model::finding::{FindingId, FindingKind, Severity};
use respond::card::Card;
use respond::desk::{Ending, Releaser, Status, Whom};
use respond::executor::{Executor, HALT};
use respond::ledger::Book;
use respond::preflight::Outcome;
use respond::watch::{Packet, Side, Tcp};
use respond::{
    Approved, Ask, Beat, Claim, Conversation, EnforceError, Enforcer, Evidence, Intent, Level,
    Moment, Pattern, Person, Plan, Preflight, Proposal, Proto, Range, Receipt, Restriction, Role,
    Source, Standing, State, Subject, Way,
};

/// What an enforcer holds, and how it behaves.
#[derive(Default)]
struct Far {
    rules: BTreeMap<String, Duration>,
    calls: u64,
    /// It makes the change and dies before it says so.
    dies: bool,
    /// It takes nothing back.
    jammed: bool,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Far>>);

impl Fake {
    fn with<T>(&self, what: impl FnOnce(&mut Far) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

const NAME: &str = "fake";

impl Enforcer for Fake {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can(&self, _: Level, _: &Intent) -> bool {
        true
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        Ok(plan(intent))
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let id = approved.plan().intent.id.clone();
        let dies = self.with(|far| {
            far.calls += 1;
            far.rules.insert(id.clone(), approved.remaining());
            far.dies
        });
        assert!(!dies, "killed in the middle");
        Ok(Receipt {
            action: id.clone(),
            enforcer: NAME.to_owned(),
            handle: id,
            undo: Vec::new(),
            ttl: approved.remaining(),
            acknowledged: true,
        })
    }

    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError> {
        let held = self.with(|far| far.rules.get(&receipt.action).copied());
        Ok(held.map_or(State::Gone, State::InForce))
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        self.with(|far| {
            far.calls += 1;
            if far.jammed {
                return Err(EnforceError::Unreachable { enforcer: NAME, why: "jammed".to_owned() });
            }
            far.rules.remove(&receipt.action);
            Ok(())
        })
    }

    fn revert_all(&self, _: &[Receipt]) -> Result<(), EnforceError> {
        self.with(|far| {
            far.calls += 1;
            far.rules.clear();
        });
        Ok(())
    }
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn plan(intent: &Intent) -> Plan {
    Plan {
        intent: intent.clone(),
        enforcer: NAME.to_owned(),
        change: vec!["cut".to_owned()],
        undo: vec!["mend".to_owned()],
        dead_man: "a timer".to_owned(),
    }
}

fn at(second: u64) -> Moment {
    Moment { wall: Timestamp::from_parts(1_800_000_000, 0), up: 1, boot: 1 }
        .plus(Duration::from_secs(second))
}

fn flow() -> Pattern {
    Pattern { way: Way::Out, peer: Range::one(ip(5)), proto: Some(Proto::Tcp), port: Some(445) }
}

fn proposal(id: &str, beats: Vec<Beat>) -> Proposal {
    let subject = Subject {
        id: DeviceId("D-9".to_owned()),
        addresses: vec![ip(9)],
        class: DeviceClass::Workstation,
        tier: Tier::T4,
        ..Subject::default()
    };
    let intent = Intent {
        id: id.to_owned(),
        subject,
        restriction: Restriction::Block { flows: vec![flow()] },
        ttl: Duration::from_secs(600),
    };
    let claim = Claim {
        finding: FindingId("F-1".to_owned()),
        detector: "worm".to_owned(),
        kind: FindingKind::Rule,
        source: Source::Network,
        title: "It copies itself.".to_owned(),
    };
    let first = Timestamp::from_parts(1_799_000_000, 0);
    Proposal {
        plans: vec![plan(&intent)],
        intent,
        evidence: Evidence {
            case: CaseId("C-0001".to_owned()),
            severity: Severity::High,
            claims: vec![claim],
            doubt: None,
        },
        preflight: Preflight {
            outcome: Outcome::CutsNothing,
            because: String::new(),
            recorded: Some((first, Timestamp::from_parts(1_800_000_000, 0))),
            essential: Vec::new(),
            declared: Vec::new(),
            other: Vec::new(),
            more: 0,
            in_use: InUse::Unknown,
            in_use_because: String::new(),
        },
        card: Card::default(),
        beats,
        of_class: 100,
        by: None,
        watched: true,
        versions: Vec::new(),
    }
}

fn book(folder: &Path) -> Book {
    let mut book = Book::open(folder, at(0)).unwrap();
    for by in [Person::new("ada", Role::Soc), Person::new("kim", Role::Clinical)] {
        let ask = Ask::Arm { tier: Tier::T4, level: Level::L3, hours: 8, by };
        book.ask(&ask, at(0)).unwrap().unwrap();
    }
    book
}

fn propose(folder: &Path, second: u64, beats: Vec<Beat>) {
    let mut book = Book::open(folder, at(second)).unwrap();
    let id = book.desk().next_id();
    let ask = Ask::Propose(Box::new(proposal(&id, beats)));
    book.ask(&ask, at(second)).unwrap().unwrap();
}

fn executor(folder: &Path, fake: &Fake, second: u64) -> Executor {
    let book = Book::open(folder, at(second)).unwrap();
    Executor::new(folder, book, vec![Box::new(fake.clone())])
}

fn step(executor: &mut Executor, second: u64) {
    executor.step(&mut || at(second)).unwrap();
}

fn status(executor: &Executor) -> Status {
    executor.book().desk().action("A-0001").unwrap().status.clone()
}

fn packet(second: u64, from: (u8, u16), to: (u8, u16)) -> Packet {
    Packet {
        at: at(second).wall,
        source: ip(from.0),
        destination: ip(to.0),
        proto: Proto::Tcp,
        source_port: from.1,
        destination_port: to.1,
        tcp: Some(Tcp::default()),
    }
}

#[test]
fn what_policy_decided_is_pushed_seen_and_gone_in_time() {
    let folder = tempfile::tempdir().unwrap();
    drop(book(folder.path()));
    let fake = Fake::default();
    let mut executor = executor(folder.path(), &fake, 1);
    propose(folder.path(), 1, Vec::new());
    step(&mut executor, 2);
    assert_eq!(status(&executor), Status::InForce);
    assert_eq!(fake.with(|far| far.rules["A-0001"]), Duration::from_secs(599));
    let standing =
        |executor: &Executor| executor.book().desk().action("A-0001").unwrap().standing();
    assert_eq!(standing(&executor), Standing::Acknowledged, "nothing was seen as yet");
    (3..5).for_each(|s| executor.packet(&packet(s, (9, 50_000), (5, 445)), Side::Mirror));
    step(&mut executor, 5);
    assert_eq!(standing(&executor), Standing::Observed);
    step(&mut executor, 602);
    assert!(fake.with(|far| far.rules.is_empty()));
    assert_eq!(status(&executor), Status::Ended { ending: Ending::Expired });
}

#[test]
fn a_dry_run_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(Book::open(folder.path(), at(0)).unwrap());
    let fake = Fake::default();
    let mut executor = executor(folder.path(), &fake, 1);
    propose(folder.path(), 1, Vec::new());
    (2..30).for_each(|second| step(&mut executor, second));
    assert_eq!(status(&executor), Status::Rehearsed);
    assert_eq!(fake.with(|far| far.calls), 0);
}

#[test]
fn whoever_dies_in_the_middle_leaves_nothing_that_is_not_found_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(book(folder.path()));
    let fake = Fake::default();
    propose(folder.path(), 1, Vec::new());
    fake.with(|far| far.dies = true);
    let mut first = executor(folder.path(), &fake, 1);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step(&mut first, 2)));
    assert!(died.is_err());
    drop(first);
    assert!(fake.with(|far| far.rules.contains_key("A-0001")), "it had been made");
    fake.with(|far| far.dies = false);
    // Let go by somebody before the next one begins: it never heard of a receipt.
    let mut book = Book::open(folder.path(), at(3)).unwrap();
    let whom = Whom::Device(DeviceId("D-9".to_owned()));
    book.ask(&Ask::Release { whom, by: Releaser::Bedside }, at(3)).unwrap().unwrap();
    let mut second = executor(folder.path(), &fake, 4);
    step(&mut second, 4);
    assert!(fake.with(|far| far.rules.is_empty()));
    let by = "the bedside".to_owned();
    let ending = Ending::Released { by, bedside: true };
    assert_eq!(status(&second), Status::Ended { ending });
}

#[test]
fn what_cannot_be_taken_back_is_told_once_and_tried_until_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    drop(book(folder.path()));
    let fake = Fake::default();
    let mut executor = executor(folder.path(), &fake, 1);
    propose(folder.path(), 1, Vec::new());
    step(&mut executor, 2);
    fake.with(|far| far.jammed = true);
    let whom = Whom::Action("A-0001".to_owned());
    let by = Releaser::Person(Person::new("ada", Role::Soc));
    let mut other = Book::open(folder.path(), at(3)).unwrap();
    other.ask(&Ask::Release { whom, by }, at(3)).unwrap().unwrap();
    (4..10).for_each(|second| step(&mut executor, second));
    let action = executor.book().desk().action("A-0001").unwrap();
    assert!(action.stuck.as_deref().is_some_and(|why| why.contains("jammed")), "{action:?}");
    let text = fs::read_to_string(folder.path().join(respond::ledger::LEDGER)).unwrap();
    assert_eq!(text.matches("\"ask\":\"stuck\"").count(), 1);
    fake.with(|far| far.jammed = false);
    step(&mut executor, 12);
    assert!(matches!(status(&executor), Status::Ended { .. }));
}

#[test]
fn care_that_misses_two_beats_rolls_it_back() {
    let folder = tempfile::tempdir().unwrap();
    drop(book(folder.path()));
    let fake = Fake::default();
    let mut executor = executor(folder.path(), &fake, 1);
    let beat = Beat {
        conversation: Conversation { client: ip(7), server: ip(6), proto: Proto::Tcp, port: 2575 },
        what: "vital signs of bed 7".to_owned(),
        interval: Duration::from_secs(5),
        tier: Tier::T0,
        last: at(1).wall,
        one_way: false,
    };
    propose(folder.path(), 1, vec![beat]);
    step(&mut executor, 2);
    executor.packet(&packet(6, (6, 2575), (7, 40_000)), Side::Mirror);
    step(&mut executor, 15);
    assert_eq!(status(&executor), Status::InForce, "one beat late is no reason");
    step(&mut executor, 17);
    step(&mut executor, 18);
    assert!(fake.with(|far| far.rules.is_empty()));
    assert!(
        matches!(status(&executor), Status::Ended { ending: Ending::RolledBack(what) } if what.contains("bed 7"))
    );
}

#[test]
fn the_file_that_halts_takes_everything_back_known_or_not() {
    let folder = tempfile::tempdir().unwrap();
    drop(book(folder.path()));
    let fake = Fake::default();
    let mut executor = executor(folder.path(), &fake, 1);
    propose(folder.path(), 1, Vec::new());
    step(&mut executor, 2);
    fake.with(|far| far.rules.insert("A-0999".to_owned(), Duration::from_secs(9)));
    fs::write(folder.path().join(HALT), "").unwrap();
    step(&mut executor, 3);
    assert!(fake.with(|far| far.rules.is_empty()));
    assert!(executor.book().desk().halted().is_some());
    assert_eq!(status(&executor), Status::Ended { ending: Ending::Halted });
    propose_refused(folder.path());
}

fn propose_refused(folder: &Path) {
    let mut book = Book::open(folder, at(4)).unwrap();
    let id = book.desk().next_id();
    let ask = Ask::Propose(Box::new(proposal(&id, Vec::new())));
    assert!(matches!(book.ask(&ask, at(4)).unwrap(), Err(respond::Refused::Halted { .. })));
}

#[test]
fn a_decision_that_nobody_carried_out_in_ten_minutes_is_never_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    drop(book(folder.path()));
    propose(folder.path(), 1, Vec::new());
    let fake = Fake::default();
    let mut executor = executor(folder.path(), &fake, 601);
    step(&mut executor, 601);
    assert_eq!(status(&executor), Status::Ended { ending: Ending::Lapsed });
    assert_eq!(fake.with(|far| far.calls), 0);
}
