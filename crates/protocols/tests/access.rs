//! Captures of log-on, directory, mail, printing and file services, played through the flow engine.
//!
//! The expected figures are those that Wireshark 4.0 shows for the same captures.

#[path = "infra/replay.rs"]
mod replay;

use replay::{Seen, testdata};

/// One text of every observation of a kind, `-` where it is absent.
fn values<'a>(seen: &'a Seen, kind: &str, field: &str) -> Vec<&'a str> {
    let of_kind = seen.observations.iter().filter(|o| o.is(kind));
    of_kind.map(|o| o.str(field).unwrap_or("-")).collect()
}

/// One number of every observation of a kind that has it.
fn numbers(seen: &Seen, kind: &str, field: &str) -> Vec<u64> {
    seen.observations.iter().filter(|o| o.is(kind)).filter_map(|o| o.uint(field)).collect()
}

fn json(seen: &Seen) -> String {
    let lines: Vec<_> =
        seen.observations.iter().map(|o| serde_json::to_string(o).unwrap()).collect();
    lines.join("\n")
}

#[test]
fn ldap_log_ons_searches_and_changes() {
    let seen = testdata("ldap/ldap.pcap");
    assert_eq!(seen.flows.get("ldap"), Some(&11));
    assert_eq!(numbers(&seen, "ldap.bind", "code"), [0, 49, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(numbers(&seen, "ldap.search", "results"), [2, 1, 1, 0]);
    assert_eq!(
        values(&seen, "ldap.change", "action"),
        ["add", "add", "modify", "rename", "delete"]
    );
    assert_eq!(values(&seen, "ldap.extended", "operation"), ["who_am_i", "starttls"]);
    assert_eq!(
        values(&seen, "ldap.search", "java_codebase"),
        ["-", "-", "http://10.77.1.9:8000/", "-"]
    );
    for secret in ["Sesame", "Pass-77", "Somebody", "wrong"] {
        assert!(!json(&seen).contains(secret), "{secret}");
    }
}

#[test]
fn kerberos_log_ons_and_tickets() {
    let seen = testdata("kerberos/kerberos.pcap");
    assert_eq!(
        values(&seen, "kerberos.exchange", "outcome"),
        [
            "challenge",
            "failure",
            "challenge",
            "success",
            "success",
            "failure",
            "failure",
            "failure",
            "success",
            "success"
        ]
    );
    assert_eq!(numbers(&seen, "kerberos.exchange", "code"), [25, 24, 25, 7, 7, 6]);
    let last = seen.observations.iter().rev().find(|o| o.is("kerberos.exchange")).unwrap();
    assert_eq!(last.str("service"), Some("HTTP/pacs.ward.example"));
    assert!(last.flag("rc4_requested"));
    let tickets = values(&seen, "kerberos.exchange", "ticket_etype");
    assert_eq!(tickets.iter().filter(|etype| **etype == "rc4-hmac").count(), 2);
}

#[test]
fn poct1a_conversation() {
    let seen = testdata("poct1a/poct1a.pcap");
    let types = values(&seen, "poct1a.message", "type");
    assert_eq!(types.len(), 19);
    assert_eq!(types.iter().filter(|kind| **kind == "ACK.R01").count(), 9);
    assert_eq!(numbers(&seen, "poct1a.message", "results"), [1, 2, 1]);
    assert_eq!(values(&seen, "poct1a.message", "serial")[0], "SN-4711");
    let codes = values(&seen, "poct1a.message", "ack_code");
    assert_eq!(codes.iter().filter(|code| **code == "AE").count(), 1);
    assert!(!json(&seen).contains("PT222"));
}

#[test]
fn nfs_mounts_reads_and_writes() {
    let seen = testdata("rpc/nfs.pcap");
    let actions = |kind, action: &str| {
        values(&seen, kind, "action").iter().filter(|found| **found == action).count()
    };
    assert_eq!((actions("rpc.portmap", "getport"), actions("rpc.portmap", "dump")), (10, 1));
    assert_eq!((actions("nfs.mount", "mount"), actions("nfs.mount", "exports")), (5, 4));
    assert_eq!(numbers(&seen, "nfs.mount", "status"), [0, 0, 0, 13, 13]);
    assert_eq!(numbers(&seen, "nfs.mount", "open_exports"), [1; 4]);
    assert_eq!(numbers(&seen, "nfs.activity", "calls").iter().sum::<u64>(), 43);
    // The same file over version 3 and 4.
    assert_eq!(numbers(&seen, "nfs.activity", "read_bytes"), [0, 20_000, 0, 0, 20_000, 0]);
    assert_eq!(numbers(&seen, "nfs.activity", "written_bytes"), [0, 0, 12_813, 0, 0, 0]);
}

#[test]
fn smtp_log_ons_and_messages() {
    let seen = testdata("smtp/smtp.pcap");
    assert_eq!(seen.flows.get("smtp"), Some(&4));
    assert_eq!(values(&seen, "smtp.login", "outcome"), ["failure", "success"]);
    assert_eq!(values(&seen, "smtp.login", "mechanism"), ["PLAIN", "LOGIN"]);
    assert_eq!(numbers(&seen, "smtp.mail", "refused_recipients"), [1, 0]);
    assert_eq!(numbers(&seen, "smtp.mail", "bytes"), [52, 52]);
    assert_eq!(values(&seen, "smtp.starttls", "outcome"), ["success"]);
    for secret in ["Sesame", "DOE", "doe.jane", "pump17@"] {
        assert!(!json(&seen).contains(secret), "{secret}");
    }
}

#[test]
fn lpd_jobs_questions_and_orders() {
    let seen = testdata("lpd/lpd.pcap");
    let mut commands = values(&seen, "lpd.command", "command");
    commands.sort_unstable();
    assert_eq!(commands, ["queue_short", "receive_job", "receive_job", "remove_jobs"]);
    assert_eq!(values(&seen, "lpd.file", "part"), ["control", "data"]);
    assert_eq!(numbers(&seen, "lpd.file", "bytes"), [64, 19]);
    assert!(!json(&seen).to_lowercase().contains("doe"));
}
