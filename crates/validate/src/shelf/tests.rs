//! Promotion, rollback, and what is left when a process is killed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;
use crate::package::tests::{key, made};

const NOTE: Note<'_> = Note { at: "2026-11-23T20:38:50Z", by: "engineer", why: "a test" };

fn open(folder: &Path) -> Shelf {
    Shelf::open(folder, &[key(1).public()], NOTE.at).expect("a shelf")
}

fn filled(folder: &Path) -> Shelf {
    let shelf = open(folder);
    for version in 1..=3 {
        shelf.add(&made(version).sign(&key(1)).expect("signed"), NOTE).expect("added");
    }
    shelf
}

#[test]
fn versions_are_promoted_and_rolled_back_and_it_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    assert_eq!(shelf.state().expect("a state"), State::default());
    shelf.promote(1, NOTE).expect("promoted");
    shelf.challenge(Some(2), NOTE).expect("challenged");
    assert_eq!(shelf.state().expect("a state").challenger, Some(2));
    shelf.promote(2, NOTE).expect("promoted");
    let state = shelf.state().expect("a state");
    assert_eq!((state.champion, state.challenger, state.before), (Some(2), None, vec![1]));
    assert_eq!(shelf.rollback(NOTE).expect("back"), 1);
    assert_eq!(shelf.rollback(NOTE).expect("back to what came with the program"), 0);
    assert_eq!(shelf.state().expect("state").champion, None);
    assert!(matches!(shelf.rollback(NOTE), Err(ShelfError::NothingBefore)));
    shelf.promote(1, NOTE).expect("promoted again");
    assert_eq!(shelf.state().expect("a state").champion, Some(1));
    let done: Vec<_> =
        shelf.history().expect("lines").iter().map(|l| (l.action, l.version)).collect();
    let added = (1..=3).map(|version| (Action::Added, Some(version)));
    let then = [
        (Action::Promoted, Some(1)),
        (Action::Challenged, Some(2)),
        (Action::Promoted, Some(2)),
        (Action::RolledBack, Some(1)),
        (Action::RolledBack, None),
        (Action::Promoted, Some(1)),
    ];
    assert_eq!(done, added.chain(then).collect::<Vec<_>>());
    assert_eq!(shelf.list().expect("a list").len(), 3);
    assert_eq!(shelf.read(3).expect("a package"), made(3));
}

#[test]
fn new_evidence_takes_the_place_of_the_old_and_brings_no_other_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    let gates = |text: &str| {
        let files = std::collections::BTreeMap::from([("gates.json".to_owned(), text.into())]);
        made(2).with_evidence(files).expect("evidence")
    };
    let new = gates("[ ]");
    assert_eq!(shelf.revalidated(&new.sign(&key(1)).expect("signed"), NOTE).expect("there"), 2);
    assert_eq!(shelf.read(2).expect("a package").file("gates.json"), Some(&b"[ ]"[..]));
    assert_eq!(shelf.read(2).expect("a package").model(), made(2).model());
    let last = shelf.history().expect("lines").pop().expect("a line");
    assert_eq!((last.action, last.version), (Action::Validated, Some(2)));
    // Another model under the same number is no evidence, nor is a file beside.
    let mut files: std::collections::BTreeMap<String, Vec<u8>> = new
        .names()
        .map(|name| (name.to_owned(), new.file(name).unwrap_or_default().to_vec()))
        .collect();
    files.insert("model.bin".to_owned(), b"another".to_vec());
    let other = Package::build(new.manifest().head.clone(), files).expect("a package");
    let refused = shelf.revalidated(&other.sign(&key(1)).expect("signed"), NOTE);
    assert!(matches!(refused, Err(ShelfError::NotEvidence(2))), "{refused:?}");
    let model = std::collections::BTreeMap::from([("model.bin".to_owned(), vec![1])]);
    assert!(made(2).with_evidence(model).is_err());
    let stranger = shelf.revalidated(&new.sign(&key(2)).expect("signed"), NOTE);
    assert!(matches!(stranger, Err(ShelfError::Package { .. })));
    let missing = shelf.revalidated(&made(9).sign(&key(1)).expect("signed"), NOTE);
    assert!(matches!(missing, Err(ShelfError::NoVersion(9))));
}

#[test]
fn what_is_not_trusted_does_not_come_onto_the_shelf_nor_off_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    let stranger = made(4).sign(&key(2)).expect("signed");
    assert!(matches!(shelf.add(&stranger, NOTE), Err(ShelfError::Package { .. })));
    assert!(matches!(shelf.promote(4, NOTE), Err(ShelfError::NoVersion(4))));
    // Put there behind its back; and one version under another's name.
    std::fs::write(shelf.path(4), stranger).expect("written");
    std::fs::copy(shelf.path(1), shelf.path(5)).expect("copied");
    for version in [4, 5] {
        assert!(matches!(shelf.promote(version, NOTE), Err(ShelfError::Package { .. })));
    }
    let list = shelf.list().expect("a list");
    assert!(list[3].manifest.as_ref().is_err_and(|why| why.contains("trusted")));
    assert_eq!(shelf.state().expect("a state"), State::default());
}

#[test]
fn the_same_package_may_come_twice_and_another_of_its_version_may_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    let same = made(1).sign(&key(1)).expect("signed");
    assert_eq!(shelf.add(&same, NOTE).expect("the same"), 1);
    assert_eq!(shelf.history().expect("lines").len(), 3);
    let mut files: std::collections::BTreeMap<String, Vec<u8>> = crate::package::REQUIRED
        .map(|name| (name.to_owned(), made(1).file(name).expect("a file").to_vec()))
        .into();
    files.insert("model.bin".to_owned(), b"other".to_vec());
    let other = Package::build(made(1).manifest().head.clone(), files).expect("whole");
    let other = other.sign(&key(1)).expect("signed");
    assert!(matches!(shelf.add(&other, NOTE), Err(ShelfError::Taken(1))));
}

#[test]
fn a_rollback_passes_over_versions_that_are_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    (1..=3).for_each(|version| shelf.promote(version, NOTE).expect("promoted"));
    std::fs::remove_file(shelf.path(2)).expect("removed");
    assert_eq!(shelf.rollback(NOTE).expect("back"), 1);
}

#[test]
fn a_change_that_was_interrupted_leaves_the_old_champion_or_is_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    shelf.promote(1, NOTE).expect("promoted");
    // Killed while the new state was written: it lies beside, in part.
    std::fs::write(folder.path().join("state.json.new"), "{\"changes\":2,\"champ")
        .expect("written");
    assert_eq!(open(folder.path()).state().expect("a state").champion, Some(1));
    // Killed between the state and its line of history, in the middle of which it was.
    let history = folder.path().join(HISTORY);
    let before = std::fs::read(&history).expect("lines");
    shelf.promote(2, NOTE).expect("promoted");
    let cut = [before, b"{\"at\":\"20".to_vec()].concat();
    std::fs::write(&history, cut).expect("written");
    let again = open(folder.path());
    assert_eq!(again.state().expect("a state").champion, Some(2));
    let last = again.history().expect("lines").pop().expect("a line");
    assert_eq!((last.action, last.version, last.changes), (Action::Found, Some(2), 2));
    again.promote(3, NOTE).expect("promoted");
    assert_eq!(again.history().expect("lines").len(), 6);
}

#[test]
fn a_state_that_cannot_be_read_is_an_error_and_not_a_new_shelf() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    std::fs::write(folder.path().join(STATE), "{}").expect("written");
    assert!(matches!(shelf.promote(1, NOTE), Err(ShelfError::State { .. })));
}

#[test]
fn two_do_not_change_it_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = filled(folder.path());
    let lock = shelf.lock().expect("a lock");
    assert!(matches!(shelf.promote(1, NOTE), Err(ShelfError::Busy(_))));
    drop(lock);
    shelf.promote(1, NOTE).expect("promoted");
}

/// Where the child of the next test works; unset in an ordinary run.
const FOLDER: &str = "WARDWATCH_TEST_SHELF";

#[test]
fn a_killed_process_leaves_a_champion_that_can_be_used() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let shelf = open(Path::new(&folder));
        for i in 0_u64.. {
            shelf.promote(1 + i % 3, NOTE).expect("promoted");
            // Read by the parent, which kills at some number of lines.
            let line = format!("promoted {i}\n");
            std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).expect("told");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    for lines in [1, 2, 5, 9, 14] {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "shelf::tests::a_killed_process_leaves_a_champion_that_can_be_used"])
            .arg("--nocapture")
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let told = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let promoted =
            told.map_while(Result::ok).filter(|line| line.contains("promoted ")).take(lines);
        assert_eq!(promoted.count(), lines);
        child.kill().expect("killed");
        child.wait().expect("ended");
        let shelf = open(folder.path());
        let state = shelf.state().expect("a state");
        shelf.read(state.champion.expect("a champion")).expect("it can be used");
        let last = shelf.history().expect("lines").pop().expect("a line");
        assert_eq!(last.changes, state.changes);
    }
}
