//! What holds for all fingerprints together.

use model::field::KindSpec;

use super::ALL;

fn kinds() -> Vec<&'static KindSpec> {
    use protocols::{
        arp, astm, bacnet, dhcp, dicom, dns, hl7, http, icmp, modbus, mqtt, nbns, ntlm, ntp,
        poct1a, remote, smb, snmp, soap, ssdp, syslog, tls, wsdiscovery,
    };
    let mut all: Vec<&KindSpec> = vec![
        &arp::PACKET,
        &astm::MESSAGE,
        &dhcp::MESSAGE,
        &dicom::ASSOCIATION,
        &dicom::COMMAND,
        &dicom::OBJECT,
        &dicom::CLOSE,
        &dns::QUERY,
        &dns::RESPONSE,
        &dns::MDNS_HOST,
        &dns::MDNS_SERVICE,
        &nbns::CLAIM,
        &nbns::STATUS,
        &ssdp::DEVICE,
        &snmp::RESPONSE,
        &bacnet::DEVICE,
        &modbus::DEVICE,
        &hl7::MESSAGE,
        &http::REQUEST,
        &http::RESPONSE,
        &http::FHIR,
        &http::dicomweb::TRANSACTION,
        &icmp::MESSAGE,
        &mqtt::CONNECT,
        &mqtt::PUBLISH,
        &ntlm::CHALLENGE,
        &ntp::MESSAGE,
        &poct1a::MESSAGE,
        &remote::SESSION,
        &smb::SESSION,
        &smb::TREE,
        &soap::MESSAGE,
        &syslog::MESSAGE,
        &tls::CLIENT_HELLO,
        &tls::SERVER_HELLO,
        &tls::CERTIFICATE,
        &wsdiscovery::MESSAGE,
    ];
    all.extend(wire::kinds::ALL);
    all.extend(logs::kinds::ALL);
    all
}

/// What the inventory itself reads, beside the fingerprints.
const OWN: &[(&str, &[&str])] = &[
    ("arp.packet", &["sender_mac", "sender_ip", "target_ip"]),
    ("icmp.message", &["name", "about", "about_mac"]),
    ("dhcp.message", &["type", "client_mac", "assigned_ip", "client_ip"]),
    ("flow.start", &[]),
    ("flow.protocol", &[]),
    ("flow.outcome", &["outcome"]),
    ("flow.update", &["delta_bytes_out", "delta_bytes_in"]),
    ("flow.end", &["delta_bytes_out", "delta_bytes_in", "state"]),
];

#[test]
fn every_kind_and_field_that_is_read_exists() {
    let kinds = kinds();
    let read = ALL.iter().flat_map(|fingerprint| fingerprint.reads).chain(OWN);
    for (kind, fields) in read {
        let spec = kinds.iter().find(|spec| spec.name == *kind);
        let spec = spec.unwrap_or_else(|| panic!("no kind {kind}"));
        for field in *fields {
            assert!(spec.index_of(field).is_some(), "{kind} has no field {field}");
        }
    }
}

#[test]
fn names_of_fingerprints_are_unique_and_every_one_is_explained() {
    let mut names: Vec<_> = ALL.iter().map(|fingerprint| fingerprint.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
    assert!(ALL.iter().all(|fingerprint| fingerprint.doc.ends_with('.')));
}
