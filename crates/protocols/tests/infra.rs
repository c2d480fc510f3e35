//! Captures of real servers and clients, played through the flow engine.
//!
//! The expected figures are those that Wireshark 4.0 shows for the same captures.

#[path = "infra/replay.rs"]
mod replay;

use model::observation::Observation;
use replay::{Seen, testdata};

/// Kinds with how often each was seen.
fn counts(seen: &Seen) -> Vec<(&'static str, usize)> {
    let mut kinds: Vec<_> = seen.observations.iter().map(|o| o.kind.name).collect();
    kinds.sort_unstable();
    kinds.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect()
}

/// One field of every observation of a kind.
fn values<'a>(seen: &'a Seen, kind: &str, field: &str) -> Vec<&'a str> {
    let of_kind = seen.observations.iter().filter(|o| o.is(kind));
    of_kind.map(|o| o.str(field).unwrap_or("-")).collect()
}

fn json(seen: &Seen) -> String {
    let lines: Vec<_> =
        seen.observations.iter().map(|o| serde_json::to_string(o).unwrap()).collect();
    lines.join("\n")
}

fn find<'a>(seen: &'a Seen, kind: &str, field: &str, value: &str) -> &'a Observation {
    let mut all = seen.observations.iter().filter(|o| o.is(kind));
    all.find(|o| o.str(field) == Some(value)).unwrap_or_else(|| panic!("{field} {value}"))
}

#[test]
fn dns_over_udp_and_tcp() {
    let seen = testdata("dns/dns.pcap");
    assert_eq!(counts(&seen), [("dns.query", 11), ("dns.response", 11)]);
    assert_eq!(
        values(&seen, "dns.query", "type"),
        ["A", "AAAA", "A", "MX", "TXT", "SRV", "A", "PTR", "A", "ANY", "A"]
    );
    let alias = find(&seen, "dns.response", "name", "images.ward.example");
    let answers: Vec<_> = alias.texts("answers").iter().map(|t| &**t).collect();
    assert_eq!(answers, ["ct1.ward.example", "10.77.0.10"]);
    let missing = find(&seen, "dns.response", "name", "nowhere.ward.example");
    assert_eq!(missing.str("rcode"), Some("NXDOMAIN"));
    let refused = find(&seen, "dns.response", "name", "other.example");
    assert_eq!(refused.str("rcode"), Some("REFUSED"));
}

#[test]
fn dhcp_leases_with_routes_proxy_and_boot_file() {
    let seen = testdata("dhcp/dhcp.pcap");
    let exchange = ["discover", "offer", "request", "ack"];
    assert_eq!(values(&seen, "dhcp.message", "type"), [exchange, exchange].concat());
    let ack = find(&seen, "dhcp.message", "type", "ack");
    assert_eq!(ack.str("proxy"), Some("http://10.77.0.66/wpad.dat"));
    assert_eq!(
        (ack.str("boot_server"), ack.str("boot_file")),
        (Some("bootserver"), Some("pxelinux.0"))
    );
    assert!(ack.flag("routes"));
    let discover = find(&seen, "dhcp.message", "type", "discover");
    assert_eq!(discover.subject.ip, None);
    assert_eq!(discover.subject.mac, "02:57:00:00:00:02".parse().ok());
    assert_eq!(discover.str("parameters"), Some("1,3,6,12,15,28,42,66,121,252"));
}

#[test]
fn ntp_shows_the_offset_of_the_server_only() {
    let seen = testdata("ntp/ntp.pcap");
    assert_eq!(seen.observations.len(), 6);
    for packet in &seen.observations {
        let offset = packet.float("offset");
        assert_eq!(offset.is_some(), packet.str("mode") == Some("server"));
        assert!(offset.is_none_or(|seconds| seconds.abs() < 0.001));
    }
}

#[test]
fn arp_requests_replies_probe_and_announcement() {
    let seen = testdata("arp/arp.pcap");
    assert_eq!(counts(&seen), [("arp.packet", 8)]);
    let flags = |name| seen.observations.iter().filter(|o| o.flag(name)).count();
    assert_eq!((flags("gratuitous"), flags("broadcast")), (1, 5));
    assert_eq!(seen.observations.iter().filter(|o| o.ip("sender_ip").is_none()).count(), 1);
}

#[test]
fn icmp_echoes_once_and_errors_with_their_target() {
    let seen = testdata("icmp/icmp.pcap");
    let mut names = values(&seen, "icmp.message", "name");
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "echo_reply",
            "echo_reply",
            "echo_request",
            "echo_request",
            "neighbor_advertisement",
            "neighbor_solicitation",
            "unreachable",
            "unreachable",
        ]
    );
    let error = find(&seen, "icmp.message", "name", "unreachable");
    assert_eq!(error.ip("about"), "10.77.0.1".parse().ok());
}

#[test]
fn smb2_files_shares_and_pipes() {
    let seen = testdata("smb/smb2.pcap");
    assert_eq!(
        counts(&seen),
        [
            ("ntlm.challenge", 4),
            ("smb.file", 16),
            ("smb.negotiate", 4),
            ("smb.session", 4),
            ("smb.tree", 4)
        ]
    );
    assert_eq!(
        values(&seen, "smb.file", "action"),
        [
            "create",
            "write",
            "open",
            "read",
            "overwrite",
            "write",
            "open",
            "rename",
            "create",
            "write",
            "open",
            "delete",
            "open",
            "create",
            "open",
            "open",
        ]
    );
    let pipes: Vec<_> =
        values(&seen, "smb.file", "pipe").into_iter().filter(|pipe| *pipe != "-").collect();
    assert_eq!(pipes, ["srvsvc", "samr"]);
    let renamed = find(&seen, "smb.file", "action", "rename");
    assert_eq!(renamed.str("new_extension"), Some("locked"));
    assert_eq!(
        values(&seen, "smb.session", "outcome"),
        ["failure", "success", "success", "success"]
    );
    assert!(!json(&seen).contains("DOE") && !json(&seen).contains("JANE"));
}

#[test]
fn smb1_files_and_an_anonymous_log_on() {
    let seen = testdata("smb/smb1.pcap");
    assert_eq!(
        values(&seen, "smb.file", "action"),
        ["create", "write", "open", "read", "overwrite", "write", "rename", "delete", "open"]
    );
    let anonymous =
        seen.observations.iter().filter(|o| o.is("smb.session")).map(|o| o.flag("anonymous"));
    assert_eq!(anonymous.collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(seen.flows.get("smb"), Some(&3), "also on the session service's port");
    assert!(!json(&seen).contains("DOE") && !json(&seen).contains("JANE"));
}

#[test]
fn smb3_encrypted_ends_with_the_log_on() {
    let seen = testdata("smb/smb3_encrypted.pcap");
    assert_eq!(counts(&seen), [("ntlm.challenge", 1), ("smb.negotiate", 1), ("smb.session", 1)]);
    assert!(seen.observations.iter().any(|o| o.is("smb.session") && o.flag("encrypted")));
}

#[test]
fn ssh_says_both_sides() {
    let seen = testdata("remote/ssh.pcap");
    assert_eq!(
        counts(&seen),
        [("remote.session", 1), ("ssh.authentication", 1), ("ssh.handshake", 1)]
    );
    assert!(seen.observations[0].str("software").unwrap().starts_with("OpenSSH_9.2p1"));
    // Wireshark's ssh.kex.hassh and ssh.kex.hasshserver.
    let handshake = find(&seen, "ssh.handshake", "kex", "sntrup761x25519-sha512");
    assert_eq!(handshake.str("hassh"), Some("472b5de333ad665af5cbf10ff892c4df"));
    assert_eq!(handshake.str("hassh_server"), Some("425d29fe50d8e4f5e37efb6e24bcf660"));
}

#[test]
fn ssh_outcomes_and_one_host_key() {
    let seen = testdata("remote/ssh_logins.pcap");
    let mut logins: Vec<_> = seen
        .observations
        .iter()
        .filter(|o| o.is("ssh.authentication"))
        .map(|o| (o.str("outcome").unwrap(), o.uint("failures").unwrap()))
        .collect();
    logins.sort_unstable();
    assert_eq!(logins, [("failure", 3), ("success", 0), ("success", 1)]);
    // As ssh-keygen -l prints it.
    let key = "SHA256:tNvCWow9dloAnoYteIyZzbbjCaWpVT7sKrqUCrBgqhc";
    assert_eq!(values(&seen, "ssh.handshake", "host_key"), [key; 3]);
}

#[test]
fn telnet_log_ons_without_their_passwords() {
    let seen = testdata("remote/telnet.pcap");
    assert_eq!(values(&seen, "remote.login", "outcome"), ["failure", "success"]);
    assert_eq!(values(&seen, "remote.login", "user"), ["service", "admin"]);
    assert!(find(&seen, "remote.login", "user", "admin").flag("default_credential"));
    assert!(!json(&seen).contains("Hidden"));
}

#[test]
fn ftp_log_ons_and_transfers() {
    let seen = testdata("remote/ftp.pcap");
    let outcomes = values(&seen, "remote.login", "outcome");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "failure").count(), 1);
    assert_eq!(outcomes.len(), 6);
    assert_eq!(
        values(&seen, "remote.transfer", "action"),
        ["list", "download", "upload", "delete", "list"]
    );
    assert!(!json(&seen).contains("wrong") && !json(&seen).contains("DOE"));
}

#[test]
fn rdp_users_and_protection() {
    let seen = testdata("remote/rdp.pcap");
    assert_eq!(values(&seen, "remote.session", "user"), ["service", "tech", "nurse"]);
    assert_eq!(values(&seen, "remote.session", "security"), ["rdp", "tls", "tls"]);
}

#[test]
fn vnc_outcomes() {
    let seen = testdata("remote/vnc.pcap");
    assert_eq!(values(&seen, "remote.session", "security"), ["vnc", "vnc", "none"]);
    assert_eq!(values(&seen, "remote.login", "outcome"), ["success", "failure", "success"]);
}
