//! Captures of building, network and discovery protocols between real programs, played through the
//! flow engine.
//!
//! The expected figures are those that Wireshark 4.0 shows for the same captures, with what is
//! repeated joined.

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

fn of_kind<'a>(seen: &'a Seen, kind: &str) -> Vec<&'a Observation> {
    seen.observations.iter().filter(|o| o.is(kind)).collect()
}

/// One field of every observation of a kind.
fn values<'a>(seen: &'a Seen, kind: &str, field: &str) -> Vec<&'a str> {
    of_kind(seen, kind).iter().map(|o| o.str(field).unwrap_or("-")).collect()
}

fn json(seen: &Seen) -> String {
    let lines: Vec<_> =
        seen.observations.iter().map(|o| serde_json::to_string(o).unwrap()).collect();
    lines.join("\n")
}

#[test]
fn snmp_of_all_versions_without_a_community() {
    let seen = testdata("snmp/snmp.pcap");
    assert_eq!(counts(&seen), [("snmp.request", 17), ("snmp.response", 10), ("snmp.trap", 2)]);
    let described = values(&seen, "snmp.response", "sys_descr");
    assert_eq!(described.iter().filter(|d| **d == "Patient monitor 9, firmware 2.1.4").count(), 3);
    assert!(values(&seen, "snmp.response", "sys_object_id").contains(&"1.3.6.1.4.1.8072.3.2.10"));
    let types = values(&seen, "snmp.request", "type");
    assert_eq!(types.iter().filter(|kind| **kind == "get_next").count(), 6, "38 in all, joined");
    let set: Vec<_> = of_kind(&seen, "snmp.request")
        .into_iter()
        .filter(|o| o.str("type") == Some("set"))
        .collect();
    assert_eq!((set.len(), set[0].flag("default_credential")), (1, false));
    let users = values(&seen, "snmp.request", "security");
    assert_eq!(users.iter().filter(|security| **security == "encrypted").count(), 2);
    assert_eq!(values(&seen, "snmp.trap", "trap"), ["linkDown", "authenticationFailure"]);
    assert!(!json(&seen).contains("public") && !json(&seen).contains("ward-secret"));
}

#[test]
fn bacnet_devices_reads_and_a_write() {
    let seen = testdata("bacnet/bacnet.pcap");
    assert_eq!(counts(&seen), [("bacnet.device", 6), ("bacnet.failure", 1), ("bacnet.request", 7)]);
    let requests = of_kind(&seen, "bacnet.request");
    let write = requests.iter().find(|o| o.str("service") == Some("write_property")).unwrap();
    assert_eq!((write.str("object"), write.uint("instance")), (Some("analog_value"), Some(1)));
    assert_eq!((write.uint("priority"), write.float("value")), (Some(8), Some(27.5)));
    let reads: u64 = requests
        .iter()
        .filter(|o| o.str("service") == Some("read_property"))
        .filter_map(|o| o.uint("count"))
        .max()
        .unwrap();
    assert_eq!(reads, 8);
    let devices = of_kind(&seen, "bacnet.device");
    assert_eq!(
        (devices[0].uint("instance"), devices[0].uint("vendor_id")),
        (Some(1234), Some(999))
    );
    let whole = devices.last().unwrap();
    assert_eq!((whole.str("name"), whole.str("vendor")), (Some("theatre-ahu"), Some("BACpypes")));
    assert_eq!(values(&seen, "bacnet.failure", "reason"), ["unknown_object"]);
}

#[test]
fn modbus_polls_writes_and_identity() {
    let seen = testdata("modbus/modbus.pcap");
    assert_eq!(seen.flows.get("modbus"), Some(&1));
    assert_eq!(
        counts(&seen),
        [("modbus.device", 1), ("modbus.exception", 1), ("modbus.request", 10)]
    );
    let writes: Vec<_> = of_kind(&seen, "modbus.request")
        .into_iter()
        .filter(|o| o.flag("write"))
        .map(|o| {
            (o.str("function").unwrap(), o.uint("address").unwrap(), o.uint("quantity").unwrap())
        })
        .collect();
    assert_eq!(
        writes,
        [
            ("write_single_register", 12, 1),
            ("write_single_coil", 3, 1),
            ("write_multiple_registers", 20, 3)
        ]
    );
    assert_eq!(values(&seen, "modbus.exception", "reason"), ["illegal_data_address"]);
    assert_eq!(values(&seen, "modbus.device", "vendor"), ["Example Gas"]);
}

#[test]
fn quic_of_both_versions_with_a_retry_and_a_negotiation() {
    let seen = testdata("quic/quic.pcap");
    assert_eq!(counts(&seen), [("quic.initial", 5), ("quic.refusal", 2), ("tls.client_hello", 4)]);
    assert_eq!(values(&seen, "quic.initial", "version"), ["1", "1", "1", "2", "1"]);
    assert_eq!(values(&seen, "quic.refusal", "action"), ["retry", "version_negotiation"]);
    assert_eq!(values(&seen, "tls.client_hello", "sni"), ["pacs.ward.example"; 4]);
    let fingerprints = values(&seen, "tls.client_hello", "ja4");
    assert!(
        fingerprints.iter().all(|ja4| *ja4 == fingerprints[0] && ja4.starts_with("q13d0307h3_"))
    );
}

#[test]
fn netbios_names_are_claimed_asked_for_and_listed() {
    let seen = testdata("nbns/nbns.pcap");
    assert_eq!(
        counts(&seen),
        [("nbns.claim", 5), ("nbns.query", 7), ("nbns.response", 2), ("nbns.status", 1)]
    );
    assert_eq!(values(&seen, "nbns.claim", "name"), ["FILES1", "FILES1", "FILES1", "WARD", "WARD"]);
    assert_eq!(values(&seen, "nbns.status", "host"), ["FILES1"]);
    assert_eq!(of_kind(&seen, "nbns.response")[0].texts("answers"), ["10.77.0.2".into()]);
}

#[test]
fn devices_announce_themselves_over_mdns_and_ssdp() {
    let seen = testdata("mdns/mdns.pcap");
    assert_eq!(counts(&seen), [("mdns.host", 2), ("mdns.query", 4), ("mdns.service", 4)]);
    assert_eq!(values(&seen, "mdns.service", "model"), ["LP 9", "Archive 2", "LP 9", "Archive 2"]);
    assert!(!json(&seen).contains("Ward 4 desk"), "only what names a product leaves");
    let seen = testdata("ssdp/ssdp.pcap");
    assert_eq!(counts(&seen), [("ssdp.device", 7), ("ssdp.search", 1)]);
    let states = values(&seen, "ssdp.device", "state");
    assert_eq!(states, ["alive", "response", "response", "response", "byebye", "byebye", "byebye"]);
}
