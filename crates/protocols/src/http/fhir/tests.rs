//! Interactions by method and path, and one token for one patient.

use super::*;
use model::privacy::SiteKey;
use model::time::Timestamp;

use crate::http::head::request;

fn with(method: &str, target: &str, headers: &str) -> Option<Asked> {
    let (key, mut out, mut serial) = (SiteKey::new(b"k"), Vec::new(), 0);
    let emit = Emit::new(&mut out, &key, None, Timestamp::from_nanos(0), &mut serial);
    let text = format!("{method} {target} HTTP/1.1\r\nHost: ehr\r\n{headers}\r\n");
    let (head, _) = request(text.as_bytes()).unwrap();
    asked(&emit, &head)
}

const FHIR: &str = "Accept: application/fhir+json\r\n";

#[test]
fn the_list_of_resource_types_is_sorted_so_that_it_can_be_searched() {
    assert!(types::RESOURCES.is_sorted());
    assert_eq!(resource_type(b"Patient"), Some("Patient"));
    assert_eq!(resource_type(b"patient"), None);
    assert_eq!(resource_type(b"DomainResource"), None);
}

#[test]
fn every_interaction_of_the_specification_is_told_apart() {
    use Interaction::*;
    let cases: &[(&str, &str, Interaction, Option<&str>)] = &[
        ("GET", "/r4/Patient/7", Read, Some("Patient")),
        ("HEAD", "/r4/Patient/7", Read, Some("Patient")),
        ("GET", "/r4/Patient/7/_history/2", VersionRead, Some("Patient")),
        ("GET", "/r4/Patient?family=doe", Search, Some("Patient")),
        ("GET", "/r4/Observation", Search, Some("Observation")),
        ("POST", "/r4/Observation/_search", Search, Some("Observation")),
        ("GET", "/r4/Patient/7/Observation?code=1", Search, Some("Observation")),
        ("POST", "/r4/Observation", Create, Some("Observation")),
        ("PUT", "/r4/Patient/7", Update, Some("Patient")),
        ("PUT", "/r4/Patient?identifier=7", Update, Some("Patient")),
        ("PATCH", "/r4/Patient/7", Patch, Some("Patient")),
        ("DELETE", "/r4/Patient/7", Delete, Some("Patient")),
        ("GET", "/r4/Patient/7/_history", History, Some("Patient")),
        ("GET", "/r4/_history", History, None),
        ("GET", "/r4/metadata", Capabilities, None),
        ("POST", "/r4", Batch, None),
        ("GET", "/r4/$export", Operation, None),
        ("GET", "/r4/Group/3/$export", Operation, Some("Group")),
        ("GET", "/r4/Patient/7/$everything", Operation, Some("Patient")),
        ("GET", "/r4/Observation/$lastn", Operation, Some("Observation")),
    ];
    for &(method, target, interaction, resource) in cases {
        let found = with(method, target, FHIR).unwrap();
        assert_eq!(
            (found.interaction, found.resource),
            (interaction, resource),
            "{method} {target}"
        );
        assert_eq!(found.evidence, Evidence::Enough);
    }
    assert_eq!(with("GET", "/fhir?_type=Patient", FHIR).unwrap().interaction, Search);
    assert_eq!(with("GET", "/x/$export", FHIR).unwrap().operation.as_deref(), Some("$export"));
}

#[test]
fn one_patient_has_one_token_however_named() {
    let expected = with("GET", "/fhir/Patient/p-7", "").unwrap().patient.unwrap();
    for target in [
        "/fhir/Patient/P-7/$everything",
        "/fhir/Patient/p-7/Observation",
        "/fhir/Patient/p-7/_history/3",
        "/fhir/Observation?patient=p-7",
        "/fhir/Observation?patient=Patient/p-7",
        "/fhir/Observation?code=1&subject=Patient%2Fp-7",
        "/fhir/Observation?subject:Patient=p-7",
        "/fhir/Observation?patient=http://ehr/fhir/Patient/p-7",
        "/fhir/Observation?patient=p-7,p-8",
        "/fhir/Observation?patient.identifier=urn:mrn%7Cp-7",
        "/fhir/Patient?identifier=urn:mrn|p-7",
        "/fhir/Patient?identifier=p-7",
        "/fhir/Patient?_id=p-7",
    ] {
        assert_eq!(with("GET", target, "").unwrap().patient, Some(expected), "{target}");
    }
}

#[test]
fn what_names_no_patient_gives_no_token() {
    for target in [
        "/fhir/Observation?subject=Group/1",
        "/fhir/Observation?identifier=9",
        "/fhir/Observation/9",
        "/fhir/Patient?family=doe",
        "/fhir/Observation?patient.name=doe",
        "/fhir/Observation?patient=",
    ] {
        assert_eq!(with("GET", target, "").unwrap().patient, None, "{target}");
    }
}

#[test]
fn other_interfaces_are_not_taken_for_fhir() {
    assert!(with("GET", "/index.html", "").is_none());
    assert!(with("GET", "/Patient/7/chart/today", "").is_none());
    let page = with("GET", "/Account", "Accept: text/html\r\n").unwrap();
    assert!(!page.holds("text/html") && page.holds("application/json"));
    let post = with("POST", "/login", "Content-Type: application/json\r\n").unwrap();
    assert!(!post.holds("application/json") && post.holds("application/fhir+json"));
    let post = with("POST", "/fhir-tools/login", "").unwrap();
    assert!(!post.holds("application/json"));
    assert!(with("GET", "/metadata", "").unwrap().holds("application/fhir+xml"));
}
