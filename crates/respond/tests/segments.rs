//! The ledger in segments: they chain into each other, dying between two costs nothing, and what is
//! missing or in another order is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Timestamp;
use model::device::{DeviceId, Tier};
use proptest::prelude::*;
use respond::desk::{Releaser, Whom};
use respond::ledger::{
    Book, HEAD, LEDGER, Limits, Lines, PUBLIC, Report, export, segments, verify, verify_with,
};
use respond::{Ask, Level, Moment, Person, Role};

const SMALL: Limits = Limits { bytes: u64::MAX, lines: 4 };

fn at(second: u64) -> Moment {
    Moment { wall: Timestamp::from_parts(1_800_000_000, 0), up: 0, boot: 1 }
        .plus(Duration::from_secs(second))
}

fn let_go(device: u64) -> Ask {
    let whom = Whom::Device(DeviceId(format!("D-{device}")));
    Ask::Release { whom, by: Releaser::Bedside }
}

/// A ledger of many decisions in small segments, whole and signed.
fn written(folder: &Path, asks: u64) -> Book {
    let mut book = Book::open_with(folder, SMALL, at(0)).unwrap();
    for (n, role) in [(1, Role::Soc), (2, Role::Clinical)] {
        let by = Person::new(&format!("person {n}"), role);
        let ask = Ask::Arm { tier: Tier::T4, level: Level::L3, hours: 8, by };
        book.ask(&ask, at(n)).unwrap().unwrap();
    }
    (0..asks).for_each(|n| drop(book.ask(&let_go(n), at(3 + n)).unwrap().unwrap()));
    book.seal(at(100)).unwrap();
    book
}

fn closed(folder: &Path) -> Vec<PathBuf> {
    segments::closed(folder).unwrap().into_values().collect()
}

/// A check that has to find something, and says it with these words.
fn found(folder: &Path, words: &str) -> Report {
    let report = verify(folder, None).unwrap();
    assert!(report.faults.iter().any(|(_, why)| why.contains(words)), "{words}: {report:?}");
    report
}

#[test]
fn segments_come_to_the_same_as_one_file_and_every_line_of_them_is_shown() {
    let (many, one) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let in_many = written(many.path(), 20);
    let mut in_one = Book::open(one.path(), at(0)).unwrap();
    let mut lines = Lines::from(many.path(), None, 0).unwrap();
    let mut count = 0;
    while let Some((record, _)) = lines.next_record().unwrap() {
        assert_eq!(record.seq, count);
        count += 1;
        if let respond::ledger::Body::Decided { ask, .. } = &record.body {
            in_one.ask(ask, record.at).unwrap().unwrap();
        }
    }
    assert_eq!(in_many.desk(), in_one.desk());
    let report = verify(many.path(), None).unwrap();
    assert_eq!((report.faults.len(), report.decisions, report.from), (0, 22, 1), "{report:?}");
    assert_eq!((report.records, report.segments), (count, 1 + closed(many.path()).len() as u64));
    assert!(report.segments > 4, "{report:?}");
    // From any line on, wherever it is.
    for from in 0..count {
        let mut lines = Lines::from(many.path(), None, from).unwrap();
        assert_eq!(lines.next_record().unwrap().unwrap().0.seq, from);
    }
    // Whoever opens it reads the newest only, and knows as much.
    let again = Book::open_with(many.path(), SMALL, at(101)).unwrap();
    assert_eq!(again.desk(), in_many.desk());
}

#[test]
fn any_changed_byte_of_any_segment_is_found() {
    let folder = tempfile::tempdir().unwrap();
    drop(written(folder.path(), 6));
    let newest = folder.path().join(LEDGER);
    for path in closed(folder.path()).into_iter().chain([newest]) {
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1 << (place % 8);
            fs::write(&path, &changed).unwrap();
            let report = verify(folder.path(), None);
            assert!(!report.unwrap().faults.is_empty(), "byte {place} of {}", path.display());
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(verify(folder.path(), None).unwrap().faults.is_empty());
}

#[test]
fn a_segment_that_is_missing_renamed_or_in_anothers_place_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |number| folder.path().join(segments::name(number));
    drop(written(folder.path(), 20));
    let aside = folder.path().join("aside");
    fs::rename(path(2), &aside).unwrap();
    found(folder.path(), "missing between two segments: ledger-000002.jsonl");
    fs::rename(path(1), path(2)).unwrap();
    found(folder.path(), "ledger-000002.jsonl is segment 1: it was renamed");
    fs::rename(path(2), path(1)).unwrap();
    fs::rename(path(3), path(2)).unwrap();
    fs::rename(&aside, path(3)).unwrap();
    found(folder.path(), "ledger-000003.jsonl");
    fs::rename(path(3), &aside).unwrap();
    fs::rename(path(2), path(3)).unwrap();
    fs::rename(&aside, path(2)).unwrap();
    assert!(verify(folder.path(), None).unwrap().faults.is_empty(), "all as it was");
    fs::copy(path(2), path(3)).unwrap();
    found(folder.path(), "ledger-000003.jsonl");
    // The end cut off, by whole segments.
    let cut = tempfile::tempdir().unwrap();
    drop(written(cut.path(), 20));
    let last = closed(cut.path()).pop().unwrap();
    fs::rename(last, cut.path().join(LEDGER)).unwrap();
    found(cut.path(), "it was cut short");
}

#[test]
fn old_segments_may_be_elsewhere_and_a_check_says_from_where_on_it_looked() {
    let (folder, archive) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = written(folder.path(), 20);
    let old = closed(folder.path());
    for path in &old[..3] {
        fs::rename(path, archive.path().join(path.file_name().unwrap())).unwrap();
    }
    let here = verify(folder.path(), None).unwrap();
    assert_eq!((here.faults.len(), here.elsewhere), (0, 3), "{here:?}");
    let whole = verify_with(folder.path(), Some(archive.path()), None).unwrap();
    assert_eq!((whole.faults.len(), whole.elsewhere, whole.from), (0, 0, 1), "{whole:?}");
    assert_eq!(here.from + here.records, 1 + whole.records, "one line after the other");
    assert_eq!(Lines::from(folder.path(), None, 0).unwrap().seq + 1, here.from);
    assert_eq!(Lines::from(folder.path(), Some(archive.path()), 0).unwrap().seq, 0);
    // It goes on, and what is decided later is checked as before.
    let mut book = Book::open_with(folder.path(), SMALL, at(101)).unwrap();
    assert_eq!(book.desk(), before.desk());
    (50..60).for_each(|n| drop(book.ask(&let_go(n), at(n + 60)).unwrap().unwrap()));
    book.seal(at(200)).unwrap();
    assert!(verify(folder.path(), None).unwrap().faults.is_empty());
    // Every closed one away: the newest alone is enough.
    for path in closed(folder.path()) {
        fs::rename(&path, archive.path().join(path.file_name().unwrap())).unwrap();
    }
    let alone = verify(folder.path(), None).unwrap();
    assert_eq!((alone.faults.len(), alone.segments), (0, 1), "{alone:?}");
    drop(Book::open_with(folder.path(), SMALL, at(201)).unwrap());
    // One is missing in the archive.
    fs::remove_file(archive.path().join(segments::name(2))).unwrap();
    let gap = verify_with(folder.path(), Some(archive.path()), None).unwrap();
    assert!(gap.faults.iter().any(|(_, why)| why.contains("ledger-000002.jsonl")), "{gap:?}");
    // And what was exported is whole.
    let to = tempfile::tempdir().unwrap();
    export(folder.path(), None, to.path()).unwrap();
    assert!(verify(to.path(), None).unwrap().faults.is_empty());
}

#[test]
fn a_ledger_whose_newest_segment_was_taken_away_is_not_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(written(folder.path(), 0));
    fs::remove_file(folder.path().join(LEDGER)).unwrap();
    let error = Book::open(folder.path(), at(9)).unwrap_err().to_string();
    assert!(error.contains("signed"), "{error}");
}

#[test]
fn an_older_ledger_in_the_place_of_the_newest_is_refused_by_who_knew_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = Book::open(folder.path(), at(0)).unwrap();
    book.ask(&let_go(1), at(1)).unwrap().unwrap();
    let path = folder.path().join(LEDGER);
    let older = fs::read(&path).unwrap();
    book.ask(&let_go(2), at(2)).unwrap().unwrap();
    let whole = fs::read(&path).unwrap();
    let put = |bytes: &[u8]| {
        fs::write(folder.path().join("new"), bytes).unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
    };
    put(&older);
    assert!(book.ask(&let_go(3), at(3)).is_err());
    assert!(book.ask(&let_go(3), at(4)).is_err(), "and it stays so");
    put(&whole);
    book.ask(&let_go(3), at(5)).unwrap().unwrap();
    assert!(verify(folder.path(), None).unwrap().faults.is_empty());
}

#[test]
fn many_writers_close_segments_at_once_and_make_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4_u64 {
            let folder = folder.path();
            scope.spawn(move || {
                let limits = Limits { lines: 3 + writer, ..SMALL };
                let mut book = Book::open_with(folder, limits, at(1)).unwrap();
                for n in 0..25 {
                    book.ask(&let_go(100 * writer + n), at(2)).unwrap().unwrap();
                    book.refresh(at(2)).unwrap();
                }
            });
        }
    });
    let mut one = Book::open(folder.path(), at(3)).unwrap();
    one.seal(at(4)).unwrap();
    let report = verify(folder.path(), None).unwrap();
    assert_eq!((report.faults.len(), report.decisions), (0, 100), "{report:?}");
    assert!(report.segments > 10, "{report:?}");
}

#[test]
fn a_segment_that_one_user_begins_can_be_written_by_whom_the_folder_belongs_to() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().unwrap();
    // Only root may give things away; others make what is their own anyway.
    if chown(folder.path(), Some(12_345), Some(12_346)).is_err() {
        return;
    }
    drop(written(folder.path(), 20));
    for path in closed(folder.path()).into_iter().chain([folder.path().join(LEDGER)]) {
        let about = fs::metadata(&path).unwrap();
        assert_eq!((about.uid(), about.gid()), (12_345, 12_346), "{}", path.display());
    }
}

/// What happens to a ledger.
#[derive(Clone, Debug)]
enum Step {
    /// One of two processes asks.
    Ask(bool, u64),
    /// Both begin again.
    Restart,
    /// Who closed a segment died before they began the next; of its first line so much was written.
    DiedBetween(usize),
    /// Who wrote a line died in the middle.
    Torn(usize),
    /// One looks what the other wrote.
    Look(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), 0..8_u64).prop_map(|(who, device)| Step::Ask(who, device)),
        1 => Just(Step::Restart),
        1 => (0..200_usize).prop_map(Step::DiedBetween),
        1 => (1..200_usize).prop_map(Step::Torn),
        1 => any::<bool>().prop_map(Step::Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn dying_between_two_segments_loses_nothing_and_leaves_one_chain(
        steps in prop::collection::vec(step(), 1..40),
        lines in 1_u64..6,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let alone = tempfile::tempdir().unwrap();
        let path = folder.path().join(LEDGER);
        let mut model = Book::open(alone.path(), at(0)).unwrap();
        let open = |second| {
            let limits = |lines| Limits { lines, ..SMALL };
            [lines, lines + 2].map(|lines| Book::open_with(folder.path(), limits(lines), at(second)).unwrap())
        };
        let mut books = open(0);
        for (second, step) in steps.iter().enumerate() {
            let now = at(second as u64 + 1);
            match step {
                Step::Ask(who, device) => {
                    let done = books[usize::from(*who)].ask(&let_go(*device), now).unwrap();
                    prop_assert_eq!(done.unwrap().events, model.ask(&let_go(*device), now).unwrap().unwrap().events);
                }
                Step::Restart => books = open(second as u64 + 1),
                Step::DiedBetween(written) => {
                    books[0].seal(now).unwrap();
                    let number = segments::closed(folder.path()).unwrap().len() as u64 + 1;
                    let (head, to) = (fs::read(folder.path().join(HEAD)).unwrap(), folder.path().join(segments::name(number)));
                    fs::rename(&path, &to).unwrap();
                    // What the next process would have begun with, up to some byte of its first line.
                    drop(Book::open(folder.path(), now).unwrap());
                    let whole = fs::read(&path).unwrap();
                    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
                    fs::write(&path, &whole[..(*written).min(first)]).unwrap();
                    fs::write(folder.path().join(HEAD), head).unwrap();
                    if *written == 0 {
                        fs::remove_file(&path).unwrap();
                    }
                }
                Step::Torn(bytes) => {
                    let mut torn = fs::read(&path).unwrap_or_default();
                    torn.extend(std::iter::repeat_n(b'x', *bytes));
                    fs::write(&path, torn).unwrap();
                }
                Step::Look(who) => {
                    let book = &mut books[usize::from(*who)];
                    prop_assert_eq!(book.refresh(now).unwrap(), model.desk());
                }
            }
        }
        let end = at(100);
        for book in &mut books {
            prop_assert_eq!(book.refresh(end).unwrap(), model.desk());
        }
        books[1].seal(end).unwrap();
        let report = verify(folder.path(), None).unwrap();
        prop_assert!(report.faults.is_empty(), "{:?}", report);
        let asks = steps.iter().filter(|step| matches!(step, Step::Ask(..))).count() as u64;
        prop_assert_eq!(report.decisions, asks);
        // Copied elsewhere with nothing but the key, it is as good.
        let to = tempfile::tempdir().unwrap();
        export(folder.path(), None, to.path()).unwrap();
        let key = fs::read_to_string(folder.path().join(PUBLIC)).unwrap();
        prop_assert!(verify(to.path(), Some(key.trim_end())).unwrap().faults.is_empty());
    }
}
