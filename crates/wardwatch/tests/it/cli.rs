//! Exit statuses and what is said with them.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::rig::{Desk, Ran, capture, recorded, same};

#[test]
fn a_good_capture_ends_with_0_and_says_what_was_lost_even_if_nothing_was() {
    let ran = Desk::new().run_on("analyze", &[&recorded("dns/dns.pcap")]).ended(0);
    for part in ["packets", "devices", "cases", "Lost:", "Broken:", "Not understood:"] {
        assert!(ran.out.contains(part), "'{part}' is not in: {}", ran.out);
    }
    assert_eq!(ran.err, "");
}

#[test]
fn a_missing_capture_ends_with_1_and_its_name_and_the_others_are_read() {
    let desk = Desk::new();
    let missing = desk.path("missing.pcap");
    let ran = desk
        .run_on("analyze --json", &[&missing, &recorded("dns/dns.pcap")])
        .ended(1)
        .says(&["missing.pcap"]);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(summary["packets"].as_u64().unwrap() > 0, "{summary}");
    assert!(summary["unreadable"][0].as_str().unwrap().contains("missing.pcap"));
}

#[test]
fn a_capture_cut_short_ends_with_1_and_the_byte_and_everything_before_is_kept() {
    let desk = Desk::new();
    let mut bytes = std::fs::read(recorded("hl7/vitals.pcap")).unwrap();
    bytes.pop();
    let length = |at: usize| u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap());
    let mut last = 24;
    while last + 16 + (length(last) as usize) < bytes.len() {
        last += 16 + length(last) as usize;
    }
    let cut = desk.file("cut.pcap", &bytes);
    let byte = format!("byte {last}");
    let ran = desk
        .run_on("analyze --json --out out", &[&cut])
        .ended(1)
        .says(&["cut.pcap", &byte, "expected", "found"]);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    desk.run_on("analyze --json --out whole", &[&recorded("hl7/vitals.pcap")]).ended(0);
    let whole = desk.lines("whole/stats.json").remove(0);
    let packets = whole["packets"].as_u64().unwrap();
    assert_eq!(summary["packets"].as_u64(), Some(packets - 1), "all but the last packet");
    assert!(desk.lines("out/observations.jsonl").len() > 10);
}

#[test]
fn something_else_than_a_capture_ends_with_1_and_says_what_was_expected() {
    let desk = Desk::new();
    let text = desk.file("notes.txt", "not a capture");
    desk.run_on("analyze", &[&text]).ended(1).says(&["notes.txt", "byte 0", "pcap"]);
    let empty = desk.file("empty.pcap", "");
    desk.run_on("analyze", &[&empty]).ended(1).says(&["empty.pcap", "byte 0"]);
    desk.run_on("analyze", &[&desk.path("")]).ended(1);
    let good = recorded("dns/dns.pcap");
    desk.run_on("analyze --baseline gone.pcap", &[&good]).ended(1).says(&["gone.pcap"]);
    desk.run_on("analyze --logs gone.log", &[&good]).ended(1).says(&["gone.log"]);
}

/// What syslog daemons write to disk has no priority and no year.
#[test]
fn log_lines_without_a_year_are_of_the_year_of_the_capture() {
    let desk = Desk::new();
    let log = desk.file(
        "auth.log",
        "Nov 23 15:07:30 pacs sshd[7]: Failed password for root from 10.57.0.66 port 4 ssh2\n\
         Nov 23 15:07:31 pacs sshd[7]: Accepted password for root from 10.57.0.66 port 4 ssh2\n",
    );
    let mut command = desk.command("analyze --out out --logs");
    let ran = command.arg(&log).arg(recorded("dicom/store.pcap")).output().unwrap();
    Ran::from(ran).ended(0);
    let stats = desk.lines("out/stats.json").remove(0);
    assert_eq!((&stats["log_records"], &stats["log_errors"]), (&2.into(), &0.into()));
    let year = |line: &Value| line["at"].as_str().unwrap()[..4].to_owned();
    let lines = desk.lines("out/observations.jsonl");
    assert!(lines.iter().any(|line| line["fields"]["user"] == "root"), "no log-on was seen");
    assert!(lines.iter().all(|line| year(line) == "2026"), "a line is of another year");
}

#[test]
fn wrong_usage_ends_with_2_and_names_the_argument() {
    let desk = Desk::new();
    for (words, named) in [
        ("", "Usage"),
        ("analyze", "CAPTURE"),
        ("analyse x.pcap", "analyse"),
        ("analyze --outt o x.pcap", "--outt"),
        ("analyze --threads 0 x.pcap", "--threads"),
        ("analyze --threads many x.pcap", "--threads"),
        ("analyze --learn-until yesterday x.pcap", "--learn-until"),
        ("analyze --fail-on terrible x.pcap", "--fail-on"),
        ("config check", "--config"),
    ] {
        desk.run(words).ended(2).says(&[named]);
    }
    desk.run("--help").ended(0);
    desk.run("analyze --help").ended(0);
}

#[test]
fn a_wrong_configuration_ends_with_2_and_names_file_line_and_key() {
    let desk = Desk::new();
    let good = recorded("dns/dns.pcap");
    for (text, line, key) in [
        ("[site]\nnmae = \"x\"\n", "line 2", "nmae"),
        ("\n[learning]\nseconds = \"ten\"\n", "line 3", "seconds"),
        ("[site]\ninternal = [\"10.0.0.0\"]\n", "", "site.internal"),
        ("[capture]\nthreads = 0\n", "", "capture.threads"),
        ("[nowhere]\n", "line 1", "nowhere"),
        ("[site\n", "line 1", ""),
    ] {
        desk.file("w.toml", text);
        desk.run_on("analyze --config w.toml", &[&good]).ended(2).says(&["w.toml", line, key]);
        desk.run("config check --config w.toml").ended(2).says(&["w.toml", line, key]);
    }
    desk.run_on("analyze --config none.toml", &[&good]).ended(2).says(&["none.toml"]);
    let ran = desk.run("config init").ended(0);
    desk.file("w.toml", ran.out);
    desk.run("config check --config w.toml").ended(0);
    desk.run_on("analyze --config w.toml", &[&good]).ended(0);
}

#[test]
fn findings_change_the_exit_status_only_when_asked() {
    let desk = Desk::new();
    let bad = recorded("remote/telnet.pcap");
    let ran = desk.run_on("analyze --json", &[&bad]).ended(0);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = summary["findings"].as_object().unwrap();
    assert!(!findings.is_empty(), "a default password over Telnet is not found: {summary}");
    for severity in ["info", "low", "medium", "high", "critical"] {
        let all = ["info", "low", "medium", "high", "critical"];
        let from = all.iter().position(|name| *name == severity).unwrap();
        let expected = all[from..].iter().any(|name| findings.contains_key(*name));
        let status = if expected { 3 } else { 0 };
        desk.run_on(&format!("analyze --fail-on {severity}"), &[&bad]).ended(status);
    }
    desk.run_on("analyze --fail-on info", &[&recorded("ntp/ntp.pcap")]).ended(0);
    // An input that could not be read weighs more: the answer is not whole.
    desk.run_on("analyze --fail-on info gone.pcap", &[&bad]).ended(1);
}

#[test]
fn quiet_says_nothing_and_json_is_one_object() {
    let desk = Desk::new();
    let good = recorded("dns/dns.pcap");
    let ran = desk.run_on("analyze --quiet", &[&good]).ended(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let ran = desk.run_on("analyze --json", &[&good]).ended(0);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    for key in [
        "packets",
        "bytes",
        "capture_seconds",
        "seconds",
        "packets_per_second",
        "megabits_per_second",
        "devices",
        "findings",
        "cases",
        "unreadable",
        "stats",
    ] {
        assert!(summary.get(key).is_some(), "no '{key}' in {summary}");
    }
}

#[test]
fn a_reader_that_hangs_up_is_no_crash() {
    let desk = Desk::new();
    let mut child = desk.command("analyze").arg(recorded("dns/dns.pcap")).spawn().unwrap();
    drop(child.stdout.take());
    Ran::from(child.wait_with_output().unwrap()).ended(0);
}

#[test]
fn files_in_a_row_and_standard_input_read_like_one_capture() {
    let desk = Desk::new();
    let bytes = std::fs::read(capture()).unwrap();
    let (header, mut rest) = bytes.split_at(24);
    let mut parts = [header.to_vec(), header.to_vec()];
    let half = rest.len() / 2;
    while !rest.is_empty() {
        let length = 16 + u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        parts[usize::from(rest.len() < half)].extend(&rest[..length]);
        rest = &rest[length..];
    }
    let [first, second] = [desk.file("1.pcap", &parts[0]), desk.file("2.pcap", &parts[1])];
    desk.run_on("analyze --out one", &[&capture()]).ended(0);
    desk.run_on("analyze --out two", &[&first, &second]).ended(0);
    same(&desk.results("one"), &desk.results("two"));

    let mut child = desk.command("analyze --out three -").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    Ran::from(child.wait_with_output().unwrap()).ended(0);
    same(&desk.results("one"), &desk.results("three"));

    desk.run_on("analyze --threads 5 --out four", &[&capture()]).ended(0);
    same(&desk.results("one"), &desk.results("four"));
}
