//! The ledger on a real disk: what was changed is found, what was torn is mended, and several
//! processes write one chain.

use std::fs;
use std::path::Path;
use std::time::Duration;

use model::Timestamp;
use model::device::{DeviceId, Tier};
use respond::desk::{Releaser, Whom};
use respond::ledger::{Book, HEAD, KEY, LEDGER, PUBLIC, verify};
use respond::{Ask, Level, Moment, Person, Refused, Role};

fn at(second: u64) -> Moment {
    Moment { wall: Timestamp::from_parts(1_800_000_000, 0), up: 0, boot: 1 }
        .plus(Duration::from_secs(second))
}

fn arm(name: &str, role: Role) -> Ask {
    Ask::Arm { tier: Tier::T4, level: Level::L3, hours: 8, by: Person::new(name, role) }
}

/// A ledger with decisions, a refusal and checkpoints.
fn written(folder: &Path) -> Book {
    let mut book = Book::open(folder, at(0)).unwrap();
    book.ask(&arm("ada", Role::Soc), at(1)).unwrap().unwrap();
    let alone = book.ask(&arm("ada", Role::Clinical), at(2)).unwrap();
    assert!(matches!(alone, Err(Refused::NotYours { .. })), "{alone:?}");
    book.ask(&arm("kim", Role::Clinical), at(3)).unwrap().unwrap();
    let whom = Whom::Device(DeviceId("D-7".to_owned()));
    book.ask(&Ask::Release { whom, by: Releaser::Bedside }, at(4)).unwrap().unwrap();
    book.note("drill", at(5)).unwrap();
    book.ask(&Ask::Halt { by: "kim".to_owned(), why: "drill".to_owned() }, at(6)).unwrap().unwrap();
    book.seal(at(7)).unwrap();
    book
}

#[test]
fn any_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let report = verify(folder.path(), None).unwrap();
    assert_eq!((report.faults.len(), report.decisions, report.unsigned), (0, 5, 0), "{report:?}");
    for name in [LEDGER, HEAD] {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1 << (place % 8);
            fs::write(&path, &changed).unwrap();
            let report = verify(folder.path(), None).unwrap();
            assert!(!report.faults.is_empty(), "byte {place} of {name}");
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn lines_that_are_removed_added_or_put_in_another_order_are_found() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = folder.path().join(LEDGER);
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let changed = |lines: &[&str]| {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        verify(folder.path(), None).unwrap().faults
    };
    assert!(changed(&lines).is_empty());
    for cut in 1..lines.len() {
        assert!(!changed(&lines[..cut]).is_empty(), "cut to {cut} lines");
        let mut without = lines.clone();
        without.remove(cut - 1);
        assert!(!changed(&without).is_empty(), "without line {cut}");
        let mut swapped = lines.clone();
        swapped.swap(cut - 1, cut);
        assert!(!changed(&swapped).is_empty(), "line {cut} swapped");
    }
}

#[test]
fn a_ledger_that_is_written_anew_with_another_key_does_not_pass_for_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let key = fs::read_to_string(folder.path().join(PUBLIC)).unwrap();
    let forged = tempfile::tempdir().unwrap();
    written(forged.path());
    assert!(verify(forged.path(), None).unwrap().faults.is_empty());
    assert!(!verify(forged.path(), Some(&key)).unwrap().faults.is_empty());
}

#[test]
fn a_decision_that_does_not_follow_from_what_was_recorded_is_found() {
    // Whoever has the key can make a chain that is right line by line. What they cannot make is a
    // decision that comes out otherwise than the desk decides.
    let folder = tempfile::tempdir().unwrap();
    let mut book = Book::open(folder.path(), at(0)).unwrap();
    book.ask(&arm("ada", Role::Soc), at(1)).unwrap().unwrap();
    book.ask(&arm("kim", Role::Clinical), at(2)).unwrap().unwrap();
    drop(book);
    let path = folder.path().join(LEDGER);
    let text = fs::read_to_string(&path).unwrap();
    let mut last = respond::ledger::Digest::NONE;
    let mut out = String::new();
    for line in text.lines() {
        let json = line[65..].replace("\"hours\":8", "\"hours\":9");
        // The first of the two signatures was for eight hours.
        let json = json.replacen("\"hours\":9", "\"hours\":8", 1);
        last = last.then(json.as_bytes());
        out.push_str(&format!("{last} {json}\n"));
    }
    fs::write(&path, out).unwrap();
    let faults = verify(folder.path(), None).unwrap().faults;
    assert!(faults.iter().any(|(_, why)| why.contains("comes out otherwise")), "{faults:?}");
}

#[test]
fn half_a_line_is_put_aside_and_noted_and_nothing_whole_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    drop(written(folder.path()));
    let path = folder.path().join(LEDGER);
    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(b"0123456789abcdef half a li");
    fs::write(&path, &torn).unwrap();
    assert!(!verify(folder.path(), None).unwrap().faults.is_empty());
    let book = Book::open(folder.path(), at(9)).unwrap();
    assert_eq!(book.desk().halted(), Some("drill"));
    assert!(verify(folder.path(), None).unwrap().faults.is_empty());
    let aside = fs::read_dir(folder.path()).unwrap().flatten();
    let aside: Vec<_> = aside
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("ledger.torn"))
        .collect();
    assert_eq!(fs::read(aside[0].path()).unwrap(), b"0123456789abcdef half a li");
}

#[test]
fn a_damaged_line_is_named_and_nothing_is_written_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    drop(written(folder.path()));
    let path = folder.path().join(LEDGER);
    let mut bytes = fs::read(&path).unwrap();
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 100;
    bytes[second] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = Book::open(folder.path(), at(9)).unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_ledger_without_its_key_is_not_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(written(folder.path()));
    fs::remove_file(folder.path().join(KEY)).unwrap();
    let error = Book::open(folder.path(), at(9)).unwrap_err().to_string();
    assert!(error.contains("missing"), "{error}");
}

#[test]
fn many_writers_make_one_chain_and_all_see_the_same() {
    let folder = tempfile::tempdir().unwrap();
    drop(Book::open(folder.path(), at(0)).unwrap());
    std::thread::scope(|scope| {
        for writer in 0..4_u64 {
            let folder = folder.path();
            scope.spawn(move || {
                let mut book = Book::open(folder, at(1)).unwrap();
                for n in 0..20 {
                    let whom = Whom::Device(DeviceId(format!("D-{writer}-{n}")));
                    book.ask(&Ask::Release { whom, by: Releaser::Bedside }, at(2))
                        .unwrap()
                        .unwrap();
                }
            });
        }
    });
    let mut one = Book::open(folder.path(), at(3)).unwrap();
    let mut other = Book::open(folder.path(), at(3)).unwrap();
    one.seal(at(4)).unwrap();
    other.refresh(at(4)).unwrap();
    assert_eq!(one.desk(), other.desk());
    let report = verify(folder.path(), None).unwrap();
    assert_eq!((report.faults.len(), report.decisions), (0, 80), "{report:?}");
}
