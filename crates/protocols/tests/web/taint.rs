//! Marked identifiers go in wherever a patient could be named, and must not come out.

use std::fmt::Write;

use base64::Engine;
use model::flow::Direction;
use model::net::Transport;
use model::observation::Observation;
use protocols::drive;
use wire::chunk::Chunk;

use crate::run;

use Direction::{Forward, Reverse};

/// A name, a record number, a birth date and an address of one made-up patient.
const NAME: &str = "ZZTAINT^QUENBY";
const NUMBER: &str = "88417702";
const BORN: &str = "1931-02-28";
const MAIL: &str = "zztaint@example.org";

fn assert_clean(seen: &[Observation]) {
    assert!(!seen.is_empty());
    for observation in seen {
        let text = serde_json::to_string(observation).unwrap().to_uppercase();
        for mark in ["ZZTAINT", "QUENBY", NUMBER, BORN, "ZZSECRET"] {
            assert!(!text.contains(mark), "{mark} in {text}");
        }
    }
}

#[test]
fn nothing_of_a_patient_leaves_http() {
    let percent = "ZZTAINT%5EQUENBY";
    let basic = base64::engine::general_purpose::STANDARD.encode("nurse7:ZZSECRET");
    let mut requests = String::new();
    for target in [
        format!("/fhir/Patient/{NUMBER}"),
        format!(
            "/fhir/Patient?name={percent}&birthdate={BORN}&identifier=urn:mrn%7C{NUMBER}&email={MAIL}"
        ),
        format!("/fhir/Observation?patient={NUMBER}&subject=Patient/{NUMBER}"),
        "/fhir/Patient/ZZTAINT.QUENBY/$everything?ZZTAINT".to_owned(),
        format!("/api/patients/ZZTAINT/{BORN}/{percent}"),
        "/reports/ZZTAINT_QUENBY.pdf;name=ZZTAINT".to_owned(),
        format!("/store/name=ZZTAINT/{MAIL}"),
        format!("http://ehr/charts/{NUMBER}/x?ZZTAINT#QUENBY"),
        format!("/show?{NUMBER}=1&{NUMBER}&ZZTAINT%20QUENBY=1"),
        "/$ZZTAINT%20QUENBY".to_owned(),
    ] {
        write!(
            requests,
            "GET {target} HTTP/1.1\r\nHost: ehr\r\nAuthorization: Basic {basic}\r\nCookie: p={NAME}\r\n\
             Referer: http://ehr/{NUMBER}\r\nX-Patient: {NAME}\r\nAccept: application/fhir+json\r\n\
             Content-Type: multipart/form-data; boundary={NUMBER}\r\nTransfer-Encoding: chunked\r\n\r\n\
             e;n={NUMBER}\r\n{NAME}\r\n0\r\nX-Trailer: {NAME}\r\n\r\n"
        )
        .unwrap();
    }
    let response = format!(
        "HTTP/1.1 200 {NAME}\r\nSet-Cookie: p={NAME}\r\nLocation: /Patient/{NUMBER}\r\n\
         WWW-Authenticate: Basic realm=\"{NAME}\"\r\nContent-Type: application/fhir+json; n={NAME}\r\n\
         Content-Length: 14\r\n\r\n{NAME}"
    );
    let seen = run(
        &protocols::http::Http,
        &[(Forward, requests.as_bytes()), (Reverse, response.repeat(10).as_bytes())],
    );
    let count = |kind| seen.iter().filter(|o| o.is(kind)).count();
    assert_eq!((count("http.request"), count("http.response")), (10, 10));
    assert!(count("fhir.interaction") >= 4);
    assert_clean(&seen);
    assert!(seen.iter().all(|o| !o.is("http.request") || o.str("user") == Some("nurse7")));
}

#[test]
fn nothing_of_a_patient_leaves_the_bodies_of_http() {
    use crate::exchanges::{STOW, image, stow};
    let hl7 = format!("MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\rPID|||{NUMBER}||{NAME}||{BORN}\r");
    let soap = format!(
        "<e:Envelope><e:Header><a:Action>http://standards.ieee.org/downloads/11073/x/ContextService/SetContextState</a:Action><a:To>{NAME}</a:To></e:Header><e:Body><m:SetContextState><m:ProposedContextState xsi:type='p:PatientContextState'><p:Identification Extension='{NUMBER}'/><p:CoreData><p:Givenname>ZZTAINT</p:Givenname><p:DateOfBirth>{BORN}</p:DateOfBirth></p:CoreData></m:ProposedContextState></m:SetContextState></e:Body></e:Envelope>"
    );
    let fault = format!(
        "<e:Envelope><e:Body><e:Fault><faultcode>{NAME}</faultcode><Value>{NUMBER}</Value><Text>{NAME}</Text></e:Fault></e:Body></e:Envelope>"
    );
    let dicom = format!(
        r#"[{{"00100020":{{"vr":"LO","Value":["{NUMBER}"]}},"00100010":{{"Value":[{{"Alphabetic":"{NAME}"}}]}}}}]"#
    );
    let fhir = format!(
        r#"{{"resourceType":"{NAME}","type":"{NUMBER}","id":"{NUMBER}","issue":[{{"code":"{NAME}","diagnostics":"{NAME}"}}],"link":[{{"relation":"next","url":"http://e/Patient/{NUMBER}?name={NAME}"}}],"entry":[{{"request":{{"method":"GET","url":"Patient/{NUMBER}"}}}}]}}"#
    );
    let form = format!(
        "grant_type={NAME}&client_secret=ZZSECRET&username={NAME}&scope=launch/{NUMBER}+{NUMBER}"
    );
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    let files = stow(&[image(b"MZ", NUMBER)]);
    let json = "Content-Type: application/fhir+json\r\n";
    for (line, media, body, answer, said) in [
        ("POST /dicom-web/studies", STOW, &files[..], "application/dicom+json", &dicom),
        (
            "GET /rs/studies?PatientName=ZZTAINT&00100020=88417702",
            "",
            b"",
            "application/dicom+json",
            &dicom,
        ),
        (
            "GET /wado?requestType=WADO&studyUID=1.2.88417702&annotation=ZZTAINT",
            "",
            b"",
            "text/plain",
            &hl7,
        ),
        (
            "GET /studies/1.2.88417702/series/1.3.88417702/metadata",
            "",
            b"",
            "application/dicom+json",
            &dicom,
        ),
        ("POST /fhir", json, fhir.as_bytes(), "application/fhir+json", &fhir),
        (
            "POST /hl7",
            "Content-Type: application/hl7-v2\r\n",
            hl7.as_bytes(),
            "application/hl7-v2",
            &hl7,
        ),
        (
            "POST /sdc",
            "Content-Type: application/soap+xml\r\n",
            soap.as_bytes(),
            "text/xml",
            &fault,
        ),
        (
            "POST /token",
            "Content-Type: application/x-www-form-urlencoded\r\n",
            form.as_bytes(),
            "application/json",
            &fhir,
        ),
    ] {
        let head = format!("{line} HTTP/1.1\r\n{media}Content-Length: {}\r\n\r\n", body.len());
        asked.extend([head.as_bytes(), body].concat());
        let length = said.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {answer}\r\nContent-Location: /Patient/{NUMBER}\r\nContent-Length: {length}\r\n\r\n"
        );
        answered.extend([head.as_bytes(), said.as_bytes()].concat());
    }
    let seen = run(&protocols::http::Http, &[(Forward, &asked), (Reverse, &answered)]);
    let count = |kind| seen.iter().filter(|o| o.is(kind)).count();
    assert_eq!((count("dicomweb.transaction"), count("dicom.file")), (4, 1));
    assert_eq!((count("hl7.message"), count("soap.message"), count("oauth.token")), (3, 2, 1));
    assert_clean(&seen);
    // One patient has one token in all of them.
    let tokens: Vec<_> = ["dicom.file", "hl7.message", "soap.message", "dicomweb.transaction"]
        .iter()
        .filter_map(|kind| seen.iter().find(|o| o.is(kind))?.token("patient"))
        .collect();
    assert!(tokens.len() == 4 && tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
}

#[test]
fn nothing_of_a_patient_leaves_a_websocket() {
    let ask = format!(
        "GET /patients/{NUMBER}/live?name={NAME} HTTP/1.1\r\nUpgrade: websocket\r\nOrigin: http://ehr/{NUMBER}?{NAME}\r\nSec-WebSocket-Protocol: v1, {NAME}\r\n\r\n"
    );
    let yes =
        format!("HTTP/1.1 101 {NAME}\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v1\r\n\r\n");
    let said = [&[0x81, u8::try_from(NAME.len()).unwrap()], NAME.as_bytes()].concat();
    let over = [&[0x88, 2 + u8::try_from(NAME.len()).unwrap(), 3, 0xe8], NAME.as_bytes()].concat();
    let seen = run(
        &protocols::http::Http,
        &[(Forward, ask.as_bytes()), (Reverse, yes.as_bytes()), (Reverse, &said), (Reverse, &over)],
    );
    assert_eq!(seen.len(), 4);
    assert_clean(&seen);
}

#[test]
fn a_patient_is_the_same_in_a_path_and_in_fhir() {
    let request =
        format!("GET /fhir/Patient/{NUMBER} HTTP/1.1\r\nAccept: application/fhir+json\r\n\r\n");
    let seen = run(
        &protocols::http::Http,
        &[
            (Forward, request.as_bytes()),
            (Reverse, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ],
    );
    let token = seen[2].token("patient").unwrap();
    assert_eq!(seen[0].str("path"), Some(format!("/fhir/Patient/{{{token}}}").as_str()));
}

/// A text with its length in front.
fn text(bytes: &str) -> Vec<u8> {
    let mut out = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(bytes.as_bytes());
    out
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first, u8::try_from(body.len() % 128).unwrap() | 0x80];
    out.push(u8::try_from(body.len() / 128).unwrap());
    out.extend_from_slice(body);
    out
}

#[test]
fn nothing_of_a_patient_leaves_mqtt() {
    let will = format!("icu/patient/ZZTAINT/{NUMBER}");
    let mut hello = b"\x00\x04MQTT\x04\xc6\x00\x3c".to_vec();
    for part in ["mon1", &will, NAME, "nurse7", "ZZSECRET"] {
        hello.extend(text(part));
    }
    let mut stream = packet(0x10, &hello);
    for topic in [
        will.clone(),
        format!("icu/{NAME}/hr"),
        format!("icu/{BORN}/{MAIL}"),
        format!("icu/{NUMBER}"),
        "patients/ZZTAINT".to_owned(),
        "icu/ZZTAINT QUENBY/hr".to_owned(),
    ] {
        stream.extend(packet(0x30, &[text(&topic), NAME.as_bytes().to_vec()].concat()));
        stream.extend(packet(0x82, &[vec![0, 1], text(&format!("{topic}/#")), vec![0]].concat()));
    }
    let seen = run(&protocols::mqtt::Mqtt, &[(Forward, &stream), (Reverse, b"\x20\x02\x00\x00")]);
    assert_eq!(seen.iter().filter(|o| o.is("mqtt.publish")).count(), 6);
    assert_eq!(seen.iter().filter(|o| o.is("mqtt.subscribe")).count(), 6);
    assert_clean(&seen);
}

#[test]
fn nothing_of_a_patient_leaves_syslog() {
    let messages = [
        format!("<13>1 2026-11-23T12:10:09Z mon1 hl7d 7 ADT [p name=\"{NAME}\"] {NUMBER}"),
        format!("<13>Oct 11 22:14:15 mon1 hl7d: admitted {NAME} {NUMBER} {BORN}"),
        format!("<13>Oct 11 22:14:15 {NAME} admitted"),
        format!("<13>{NAME} {NUMBER}"),
        "<13>Oct 11 22:14:15 ZZTAINT QUENBY fell".to_owned(),
    ];
    let datagrams: Vec<_> =
        messages.iter().map(|m| (Forward, Chunk::Datagram(m.as_bytes()))).collect();
    let seen = drive::run(&protocols::syslog::Syslog, drive::flow(Transport::Udp, 514), &datagrams);
    assert_eq!(seen.len(), 5);
    assert_clean(&seen);
    let stream = messages.join("\n") + "\n";
    assert_clean(&run(&protocols::syslog::Syslog, &[(Forward, stream.as_bytes())]));
}
