//! Lists as a firewall would fetch them.

use super::*;
use crate::enforcers::sample;

fn blocklist(folder: &tempfile::TempDir) -> Blocklist {
    Blocklist::new(folder.path().join("lists"), true, Outlet::new())
}

fn listed(blocklist: &Blocklist, id: &str, indicator: Indicator) -> Receipt {
    let restriction = Restriction::Perimeter { indicator };
    let mut intent = sample::intent(crate::Subject::default(), restriction);
    id.clone_into(&mut intent.id);
    blocklist.apply(&sample::approved(blocklist.plan(&intent).unwrap())).unwrap()
}

fn address(text: &str) -> Indicator {
    Indicator::Address(text.parse().unwrap())
}

fn file(blocklist: &Blocklist, list: List) -> Vec<String> {
    let text = std::fs::read_to_string(blocklist.folder.join(list.file())).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn what_is_listed_is_served_until_its_time_is_over_whatever_the_clock_says() {
    let folder = tempfile::tempdir().unwrap();
    let blocklist = blocklist(&folder);
    listed(&blocklist, "A-1", address("203.0.113.0/24"));
    let receipt = listed(&blocklist, "A-2", Indicator::Domain("bad.example".to_owned()));
    assert!(!receipt.acknowledged);
    assert_eq!(file(&blocklist, List::Addresses), ["203.0.113.0/24"]);
    assert_eq!(file(&blocklist, List::Domains), ["*.bad.example", "bad.example"]);
    let served = |now| blocklist.render(List::Addresses, now).unwrap().lines().count() - 1;
    let start = now();
    assert_eq!(served(start.plus(Duration::from_secs(890))), 1);
    let late = start.plus(Duration::from_secs(901));
    assert_eq!(served(late), 0);
    assert_eq!(served(Moment { wall: Timestamp::from_parts(0, 0), ..late }), 0);
    // Another boot with a clock that went back: nobody knows, so it is over.
    let lost = Moment { wall: Timestamp::from_parts(0, 0), up: 1, boot: start.boot ^ 1 };
    assert_eq!(served(lost), 0);
    blocklist.refresh(late).unwrap();
    assert!(file(&blocklist, List::Addresses).is_empty());
}

#[test]
fn it_is_in_force_only_after_it_was_fetched_and_gone_only_after_it_was_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let blocklist = blocklist(&folder);
    let receipt = listed(&blocklist, "A-1", address("203.0.113.7"));
    let state = || blocklist.state(&receipt).unwrap();
    assert_eq!(state(), State::Unknown);
    blocklist.fetched(List::Domains, now()).unwrap();
    assert_eq!(state(), State::Unknown);
    blocklist.fetched(List::Addresses, now()).unwrap();
    assert!(matches!(state(), State::InForce(_)));
    blocklist.revert(&receipt).unwrap();
    blocklist.revert(&receipt).unwrap();
    assert!(file(&blocklist, List::Addresses).is_empty());
    assert_eq!(state(), State::Unknown);
    blocklist.fetched(List::Addresses, now()).unwrap();
    assert_eq!(state(), State::Gone);
}

#[test]
fn halt_empties_the_lists_though_the_state_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let blocklist = blocklist(&folder);
    listed(&blocklist, "A-1", address("203.0.113.7"));
    std::fs::write(blocklist.folder.join(STATE), "{").unwrap();
    blocklist.revert_all(&[]).unwrap();
    assert!(file(&blocklist, List::Addresses).is_empty());
}

#[test]
fn what_would_block_everybody_or_add_a_line_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let blocklist = blocklist(&folder);
    let domain = |name: &str| Indicator::Domain(name.to_owned());
    for bad in [
        address("0.0.0.0/0"),
        address("::/0"),
        domain("org"),
        domain("*"),
        domain("a.example\n0.0.0.0/0"),
        domain("Bad.example"),
        domain("bad.example."),
        domain(""),
        domain("10.0.0.1"),
    ] {
        let restriction = Restriction::Perimeter { indicator: bad.clone() };
        let intent = sample::intent(crate::Subject::default(), restriction);
        assert!(blocklist.plan(&intent).is_err(), "{bad}");
    }
}

#[test]
fn whoever_owns_the_folder_around_can_note_that_a_list_was_fetched() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    // Only root can give something away.
    let mine = folder.path().metadata().unwrap().uid();
    let owner = if mine == 0 { 65_534 } else { mine };
    std::os::unix::fs::chown(folder.path(), Some(owner), None).unwrap();
    let blocklist = blocklist(&folder);
    listed(&blocklist, "A-1", address("203.0.113.7"));
    for name in ["", "lock", STATE, "addresses.txt", "domains.txt"] {
        let about = blocklist.folder.join(name).metadata().unwrap();
        assert_eq!(about.uid(), owner, "'{name}'");
    }
}

#[test]
fn a_link_in_the_folder_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let blocklist = blocklist(&folder);
    let elsewhere = folder.path().join("shadow");
    std::fs::write(&elsewhere, "root").unwrap();
    std::fs::create_dir(&blocklist.folder).unwrap();
    let link = |name: &str| {
        std::os::unix::fs::symlink(&elsewhere, blocklist.folder.join(name)).unwrap();
    };
    link(&format!(".{STATE}"));
    listed(&blocklist, "A-1", address("203.0.113.7"));
    assert_eq!(file(&blocklist, List::Addresses), ["203.0.113.7"]);
    std::fs::remove_file(blocklist.folder.join("lock")).unwrap();
    link("lock");
    assert!(blocklist.refresh(now()).is_err());
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "root");
}
