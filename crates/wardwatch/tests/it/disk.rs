//! A disk that is full, or refuses: the run ends with the file and the reason.

use std::path::Path;
use std::process::Command;

use crate::rig::{Desk, capture, recorded};

/// A file system of a few kilobytes, taken away in the end.
struct Tiny<'a>(&'a Path);

impl<'a> Tiny<'a> {
    /// None where this user may not mount.
    fn mount(at: &'a Path, kib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={kib}k");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        mount.is_ok_and(|ran| ran.status.success()).then_some(Self(at))
    }
}

impl Drop for Tiny<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_ends_the_run_with_the_file_and_what_to_do() {
    let desk = Desk::new();
    let full = desk.path("full");
    let Some(_tiny) = Tiny::mount(&full, 192) else {
        eprintln!("skipped: mounting a small file system needs root");
        return;
    };
    desk.run_on("analyze --quiet --out full/out", &[&capture()]).ended(1).says(&[
        "full/out/observations.jsonl",
        "No space left",
        "Free space",
    ]);
    std::fs::remove_dir_all(full.join("out")).unwrap();
    desk.run_on("analyze --quiet --store full/w.db", &[&capture()]).ended(1).says(&["w.db"]);
    desk.run_on("analyze --quiet --learned full/l.json", &[&capture()])
        .ended(1)
        .says(&["full/l.json"]);
    assert!(!full.join("l.json").exists(), "half of what was learned would be taken for all");
}

#[test]
fn an_output_that_cannot_be_made_ends_with_its_name() {
    let desk = Desk::new();
    let good = recorded("dns/dns.pcap");
    desk.file("taken", "a file");
    desk.run_on("analyze --out taken", &[&good]).ended(1).says(&["taken"]);
    desk.run_on("analyze --out taken/deeper", &[&good]).ended(1).says(&["taken/deeper"]);
    desk.run_on("analyze --store taken", &[&good]).ended(1).says(&["taken"]);
    desk.run_on("analyze --store nowhere/w.db", &[&good]).ended(1).says(&["nowhere/w.db"]);
    assert_eq!(std::fs::read_to_string(desk.path("taken")).unwrap(), "a file");
}
