//! What stays readable, and what must not.

use super::*;
use model::privacy::SiteKey;
use model::time::Timestamp;

fn with<T>(work: impl FnOnce(&Emit<'_>) -> T) -> T {
    let (key, mut out, mut serial) = (SiteKey::new(b"k"), Vec::new(), 0);
    work(&Emit::new(&mut out, &key, None, Timestamp::from_nanos(0), &mut serial))
}

fn shown(target: &str) -> String {
    with(|emit| path(emit, target.as_bytes(), false))
}

fn shown_topic(text: &str) -> String {
    with(|emit| topic(emit, text.as_bytes()))
}

fn patient(id: &str) -> String {
    with(|emit| format!("{{{}}}", emit.token(PATIENT, id.as_bytes())))
}

#[test]
fn words_of_an_interface_stay_readable() {
    for path in [
        "/",
        "/api/v2/drug-library/status",
        "/cgi-bin/luci",
        "/../../etc/passwd",
        "/app/static/main.js",
        "/firmware/pump_v2.3.bin",
        "/Account/Login",
        "/robots.txt",
        "/dicom-web/studies",
        "/patients/list",
        "/metadata",
        "*",
        "/MedicinalProductAuthorization",
        "/.env",
    ] {
        assert_eq!(shown(path), path);
    }
    assert_eq!(shown("http://10.0.0.1:8042/system?x=1#y"), "/system");
    assert_eq!(shown("/redirect?to=http://a/b"), "/redirect");
}

#[test]
fn identifiers_in_a_path_become_tokens() {
    for secret in [
        "12345678",
        "6fa459ea-ee8a-3ca4-894e-db77e160355e",
        "jane.doe@example.org",
        "Jane%20Doe",
        "DOE%5EJANE",
        "DOE^JANE",
        "M%C3%BCller",
        "1.2.840.10008.5.1",
        "deadbeef0001",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ9",
        "jane,doe",
    ] {
        let path = shown(&format!("/store/{secret}/frames"));
        assert!(path.starts_with("/store/{t:") && path.ends_with("}/frames"), "{path}");
        assert!(!path.contains(secret), "{path}");
    }
}

#[test]
fn whatever_follows_a_word_for_patients_is_a_token_in_their_domain() {
    assert_eq!(
        shown("/api/patients/jdoe/chart"),
        format!("/api/patients/{}/chart", patient("JDOE"))
    );
    assert_eq!(shown("/Patient/7.json"), format!("/Patient/{}.json", patient("7")));
    assert_eq!(shown("/patient/search/doe"), format!("/patient/search/{}", patient("doe")));
    assert_eq!(shown("/Patient/7/$everything"), format!("/Patient/{}/$everything", patient("7")));
}

#[test]
fn names_of_documents_are_free_text() {
    let path = shown("/reports/jane_doe.pdf");
    assert!(path.starts_with("/reports/{t:") && path.ends_with("}.pdf"), "{path}");
}

#[test]
fn parameters_within_a_path_lose_their_values() {
    assert_eq!(shown("/app;jsessionid=AbC/page"), "/app;jsessionid/page");
    let path = shown("/show/name=doe/x");
    assert!(path.starts_with("/show/name={t:") && path.ends_with("}/x"), "{path}");
}

#[test]
fn an_id_after_a_resource_type_is_kept_only_where_it_may_be_a_page() {
    assert!(shown("/Observation/a1").starts_with("/Observation/{t:"));
    assert_eq!(shown("/Task/run"), "/Task/run");
    assert!(with(|emit| path(emit, b"/fhir/Task/run", true)).starts_with("/fhir/Task/{t:"));
}

#[test]
fn a_query_leaves_only_names() {
    let names =
        with(|emit| query::names(emit, b"family=doe&given=jane&family=x&wsdl&smith&12345678=1"));
    assert_eq!(names[..3], ["family", "given", "wsdl"]);
    assert_eq!(names.len(), 5);
    assert!(names[3].starts_with("{t:") && names[4].starts_with("{t:"), "{names:?}");
    assert_eq!(with(|emit| query::names(emit, b"filter%5Bname%5D=doe")), ["filter[name]"]);
}

#[test]
fn topics_keep_devices_and_hide_people() {
    for topic in [
        "hospital/icu/pump-12/status",
        "mon0/hr",
        "ward/3B/bed4/spo2",
        "aa:bb:cc:dd:ee:ff/state",
        "dev/SN-0012",
        "$SYS/broker/uptime/1234567",
        "+/vitals/#",
        "Bettenstation/Übergang",
        "/leading//empty/",
        "patient/+/hr",
        "patient/vitals/bed4",
        "patient-monitor/bed4/hr",
    ] {
        assert_eq!(shown_topic(topic), topic);
    }
    for secret in [
        "12345",
        "1960-01-31",
        "jane@example.org",
        "DOE^JANE",
        "Doe, Jane",
        "6fa459ea-ee8a-3ca4-894e-db77e160355e",
    ] {
        let topic = shown_topic(&format!("icu/{secret}/hr"));
        assert!(topic.starts_with("icu/{t:") && topic.ends_with("}/hr"), "{topic}");
    }
    for label in ["icu/patient", "icu.patient", "bed4-current_Patient"] {
        let topic = shown_topic(&format!("{label}/doe/hr"));
        assert_eq!(topic, format!("{label}/{}/hr", patient("doe")));
    }
}

#[test]
fn a_long_path_stops_at_the_cap_and_stays_free_of_identifiers() {
    let path = shown(&"/12345678".repeat(4_000));
    assert!(path.len() < MAX_TEXT + 64 && !path.contains("12345678"));
}
