//! What clinical systems say in the bodies of HTTP: DICOMweb, FHIR, HL7 v2.

use model::flow::Direction;
use model::observation::Observation;

use Direction::{Forward, Reverse};

use crate::{lines, run};

/// Requests and responses in turns.
fn talk(turns: &[(Direction, Vec<u8>)]) -> Vec<Observation> {
    let pieces: Vec<_> = turns.iter().map(|(dir, bytes)| (*dir, &bytes[..])).collect();
    run(&protocols::http::Http, &pieces)
}

fn request(line: &str, headers: &str, body: &[u8]) -> (Direction, Vec<u8>) {
    let head =
        format!("{line} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    (Forward, [head.as_bytes(), body].concat())
}

fn response(status: &str, headers: &str, body: &str) -> (Direction, Vec<u8>) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    (Reverse, text.into_bytes())
}

fn only<'o>(seen: &'o [Observation], kind: &str) -> Vec<&'o Observation> {
    seen.iter().filter(|o| o.is(kind)).collect()
}

/// A CT image of a patient, with this in front.
pub(crate) fn image(preamble: &[u8], patient: &str) -> Vec<u8> {
    let short = |tag: [u8; 4], vr: &[u8], value: &str| {
        let length = u16::try_from(value.len()).unwrap().to_le_bytes();
        [&tag[..], vr, &length, value.as_bytes()].concat()
    };
    let mut file = preamble.to_vec();
    file.resize(128, 0);
    file.extend(b"DICM");
    file.extend(short([2, 0, 2, 0], b"UI", "1.2.840.10008.5.1.4.1.1.2\0"));
    file.extend(short([2, 0, 16, 0], b"UI", "1.2.840.10008.1.2.1\0"));
    file.extend(short([8, 0, 0x60, 0], b"CS", "CT"));
    file.extend(short([16, 0, 32, 0], b"LO", patient));
    file.resize(6000, 7);
    file
}

/// A body of STOW-RS.
pub(crate) fn stow(files: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend(b"--cut\r\nContent-Type: application/dicom\r\n\r\n");
        body.extend(file);
        body.extend(b"\r\n");
    }
    body.extend(b"--cut--\r\n");
    body
}

pub(crate) const STOW: &str =
    "Content-Type: multipart/related; type=\"application/dicom\"; boundary=cut\r\n";
const DICOM_JSON: &str = "Content-Type: application/dicom+json\r\n";
const FHIR_JSON: &str = "Content-Type: application/fhir+json\r\n";

#[test]
fn a_store_says_how_many_of_whom_and_that_one_is_a_program() {
    let files = [image(b"", "P-1 "), image(b"MZ\x90", "P-1 "), image(b"", "P-1 ")];
    let refused = r#"{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[272]}}]},"00081199":{"vr":"SQ","Value":[{},{}]}}"#;
    let seen = talk(&[
        request("POST /dicom-web/studies", STOW, &stow(&files)),
        response("202 Accepted", DICOM_JSON, refused),
    ]);
    let told = only(&seen, "dicomweb.transaction")[0];
    assert_eq!((told.str("service"), told.str("action")), (Some("stow-rs"), Some("store")));
    let uint = |name| told.uint(name).unwrap();
    assert_eq!((uint("instances"), uint("failed"), uint("executable")), (3, 1, 1));
    assert_eq!((uint("status"), uint("patients")), (202, 1));
    assert!(uint("bytes") > 18_000 && told.token("patient").is_some());
    assert_eq!(told.texts("modalities"), [Box::from("CT")]);
    let file = only(&seen, "dicom.file")[0];
    assert_eq!((file.str("preamble"), file.str("carrier")), (Some("pe"), Some("request")));
    assert_eq!(file.token("patient"), told.token("patient"));
}

#[test]
fn a_program_is_seen_in_any_upload_and_download() {
    let file = image(b"#!/bin/sh\n", "P-1 ");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/dicom\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        file.len()
    );
    let seen = talk(&[
        request("POST /instances", "Content-Type: application/x-www-form-urlencoded\r\n", &file),
        response("200 OK", "", ""),
        request("GET /instances/1/file", "", b""),
        (Reverse, [head.as_bytes(), &file, b"\r\n0\r\n\r\n"].concat()),
    ]);
    let carriers: Vec<_> = only(&seen, "dicom.file").iter().map(|o| o.str("carrier")).collect();
    assert_eq!(carriers, [Some("request"), Some("response")]);
}

#[test]
fn a_search_counts_its_results_and_their_patients() {
    let results = r#"[{"00100020":{"vr":"LO","Value":["P-1"]},"00081199":{"Value":[{}]}},{"00100020":{"vr":"LO","Value":["P-2"]}},{"00100020":{"vr":"LO"}}]"#;
    let seen = talk(&[
        request("GET /rs/studies?PatientName=*&limit=3", "Accept: application/dicom+json\r\n", b""),
        response("200 OK", DICOM_JSON, results),
        request("GET /rs/studies?PatientID=P-1", "", b""),
        response("200 OK", DICOM_JSON, r#"[{"00100020":{"vr":"LO","Value":["P-1"]}}]"#),
        request("GET /rs/studies?PatientID=P-1", "", b""),
        response("404 Not Found", "Content-Type: text/html\r\n", "x"),
    ]);
    let told = only(&seen, "dicomweb.transaction");
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].uint("results"), told[0].uint("patients")), (Some(3), Some(2)));
    assert!(told[0].flag("universal") && told[0].flag("wildcard"));
    assert_eq!(told[0].token("patient"), None);
    assert_eq!(told[1].uint("results"), Some(1));
    assert!(told[1].token("patient").is_some() && !told[1].flag("universal"));
}

#[test]
fn pages_of_one_search_are_numbered() {
    let page = |next: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"searchset","total":9,"entry":[{{}},{{}},{{}}],"link":[{{"relation":"next","url":"https://ehr/fhir?_getpages=7&_getpagesoffset={next}"}}]}}"#
        )
    };
    let end = r#"{"resourceType":"Bundle","type":"searchset","entry":[{}]}"#;
    let seen = talk(&[
        request("GET /fhir/Patient?_count=3&_include=Patient:organization", "", b""),
        response("200 OK", FHIR_JSON, &page("3")),
        request("GET /fhir?_getpages=7&_getpagesoffset=3", "", b""),
        response("200 OK", FHIR_JSON, &page("6")),
        request("GET /fhir?_getpages=7&_getpagesoffset=6", "", b""),
        response("200 OK", FHIR_JSON, end),
    ]);
    let told = only(&seen, "fhir.interaction");
    let all = |name: &str| told.iter().map(|o| o.uint(name)).collect::<Vec<_>>();
    assert_eq!(all("page"), [None, Some(2), Some(3)]);
    assert_eq!(all("entries"), [Some(3), Some(3), Some(1)]);
    assert_eq!(all("offset"), [None, Some(3), Some(6)]);
    assert_eq!((told[0].uint("count"), told[0].uint("includes")), (Some(3), Some(1)));
    assert!(told[1].flag("more") && !told[2].flag("more"));
}

#[test]
fn a_bulk_export_is_followed_from_kick_off_to_files() {
    let manifest = r#"{"transactionTime":"2026-01-01T00:00:00Z","output":[{"type":"Patient","url":"https://ehr/files/1"}]}"#;
    let seen = talk(&[
        request("GET /fhir/Group/9/$export", "Prefer: respond-async\r\n", b""),
        response("202 Accepted", "Content-Location: https://ehr/jobs/77\r\n", ""),
        request("GET /jobs/77", "", b""),
        response("202 Accepted", "", ""),
        request("GET /jobs/77", "", b""),
        response("200 OK", "Content-Type: application/json\r\n", manifest),
        request("GET /files/1", "", b""),
        response("200 OK", "Content-Type: application/fhir+ndjson\r\n", "{}\n{}\n{}"),
        request("DELETE /jobs/77", "", b""),
        response("202 Accepted", "", ""),
    ]);
    let told = only(&seen, "fhir.interaction");
    let steps: Vec<_> = told.iter().map(|o| o.str("export").unwrap()).collect();
    assert_eq!(steps, ["kick-off", "status", "status", "file", "cancel"]);
    assert_eq!((told[0].str("scope"), told[3].uint("entries")), (Some("instance"), Some(3)));
}

#[test]
fn a_batch_says_what_its_entries_do() {
    let batch = r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"DELETE","url":"Patient/1"}},{"request":{"method":"PUT"}},{"request":{"method":"GET"}}]}"#;
    let issue = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden","diagnostics":"x"}]}"#;
    let seen = talk(&[
        request("POST /fhir", FHIR_JSON, batch.as_bytes()),
        response("403 Forbidden", FHIR_JSON, issue),
    ]);
    let told = only(&seen, "fhir.interaction")[0];
    let uint = |name| told.uint(name).unwrap();
    assert_eq!((uint("entries"), uint("reads"), uint("writes"), uint("deletes")), (3, 1, 1, 1));
    assert_eq!((told.str("bundle"), told.str("issue")), (Some("batch"), Some("forbidden")));
}

#[test]
fn a_response_before_the_end_of_its_request_is_paired_with_it() {
    let batch = r#"{"resourceType":"Bundle","type":"batch","entry":[{},{}]}"#.as_bytes();
    let (_, whole) = request("POST /fhir", FHIR_JSON, batch);
    let (first, second) = whole.split_at(whole.len() - 9);
    let (_, answer) = response("200 OK", FHIR_JSON, r#"{"resourceType":"Bundle"}"#);
    let (early, late) = answer.split_at(answer.len() - 5);
    let seen = talk(&[
        (Forward, first.to_vec()),
        (Reverse, early.to_vec()),
        (Forward, second.to_vec()),
        (Reverse, late.to_vec()),
    ]);
    assert_eq!(only(&seen, "fhir.interaction")[0].uint("entries"), Some(2));
}

#[test]
fn hl7_in_a_body_is_the_same_message_as_over_mllp() {
    let message = "MSH|^~\\&|MON|ICU|EHR|H|20260101||ORU^R01|7|P|2.5\rPID|||P-1^^^H\rOBX|1|NM|x\r";
    let ack = "MSH|^~\\&|EHR|H|MON|ICU|20260101||ACK^R01|8|P|2.5\rMSA|AA|7\r";
    let block = format!("\x0b{message}\x1c\r");
    let mllp = run(&protocols::hl7::Hl7, &[(Forward, block.as_bytes())]);
    for media in ["application/hl7-v2; charset=UTF-8", "x-application/hl7-v2+er7", "text/plain"] {
        let header = format!("Content-Type: {media}\r\n");
        let seen = talk(&[
            request("POST /hl7", &header, message.as_bytes()),
            response("200 OK", &header, ack),
        ]);
        let told = only(&seen, "hl7.message");
        assert_eq!(crate::line(told[0]), crate::line(&mllp[0]), "{media}");
        assert_eq!(told[1].str("ack_code"), Some("AA"));
        assert_eq!(told[1].token("acked_id"), told[0].token("control_id"));
    }
    let text = talk(&[
        request("GET /a", "", b""),
        response("200 OK", "Content-Type: text/plain\r\n", "MSHX is no header"),
    ]);
    assert!(only(&text, "hl7.message").is_empty());
}

#[test]
fn a_token_is_asked_for_with_scopes_and_without_secrets() {
    let form =
        b"grant_type=client_credentials&client_id=bulk&client_secret=s3cret&scope=system/*.read";
    let seen = talk(&[
        request("POST /auth/token", "Content-Type: application/x-www-form-urlencoded\r\n", form),
        response("200 OK", "Content-Type: application/json\r\n", r#"{"access_token":"s3cret"}"#),
    ]);
    let told = only(&seen, "oauth.token")[0];
    assert!(told.flag("system") && told.uint("status") == Some(200));
    assert!(!lines(&seen).join("").contains("s3cret"));
}

pub(crate) const SET: &str = "<?xml version='1.0'?><s:Envelope><s:Header><a:Action>http://standards.ieee.org/downloads/11073/11073-20701-2018/SetService/SetValue</a:Action></s:Header><s:Body><m:SetValue><m:OperationHandleRef>rate.op</m:OperationHandleRef><m:RequestedNumericValue>250</m:RequestedNumericValue></m:SetValue></s:Body></s:Envelope>";
const SOAP: &str = "Content-Type: application/soap+xml; charset=utf-8\r\n";

#[test]
fn an_operation_that_changes_a_device_is_told() {
    let done = SET.replace("<m:SetValue>", "<m:SetValueResponse><m:InvocationInfo><m:InvocationState>Fail</m:InvocationState><m:InvocationError>Oth</m:InvocationError></m:InvocationInfo></m:SetValueResponse><m:x>").replace("</m:SetValue>", "</m:x>");
    let fault = "<s:Envelope><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault></s:Body></s:Envelope>";
    let seen = talk(&[
        request("POST /Set", SOAP, SET.as_bytes()),
        response("200 OK", SOAP, &done),
        request("POST /Set", SOAP, SET.as_bytes()),
        response("400 Bad Request", SOAP, fault),
    ]);
    let told = only(&seen, "soap.message");
    let all = |name: &str| told.iter().map(|o| o.str(name)).collect::<Vec<_>>();
    assert_eq!(all("role"), [Some("request"), Some("response"), Some("request"), Some("fault")]);
    assert_eq!(all("service")[0], Some("SetService"));
    assert_eq!((all("handle")[0], all("standard")[0]), (Some("rate.op"), Some("sdc")));
    assert_eq!((all("invocation")[1], all("error")[1]), (Some("Fail"), Some("Oth")));
    assert!(told[0].flag("changes") && !told[1].flag("changes"));
    assert!(!lines(&seen).join("").contains("250"));
}

#[test]
fn an_xml_bomb_is_an_anomaly_and_nothing_is_expanded() {
    let bomb = format!("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'cc'>]>{SET}");
    let seen = talk(&[request("POST /Set", SOAP, bomb.as_bytes())]);
    let odd = only(&seen, "protocol.anomaly");
    assert_eq!((odd.len(), odd[0].str("protocol")), (1, Some("soap")));
    assert!(only(&seen, "soap.message").is_empty());
    let page = "<!DOCTYPE html PUBLIC 'x' 'y'><html/>";
    let plain = "Content-Type: text/xml\r\n";
    let seen = talk(&[
        request("GET /feed", "", b""),
        response("200 OK", plain, page),
        request("POST /import", plain, bomb.as_bytes()),
    ]);
    assert_eq!(only(&seen, "protocol.anomaly").len(), 1, "a page is none, entities sent are one");
}

#[test]
fn lost_bytes_of_a_body_do_not_lose_the_next_exchange() {
    use wire::chunk::Chunk;
    let (_, first) = response("200 OK", DICOM_JSON, &format!("[{}]", "{},".repeat(400)));
    let (start, rest) = first.split_at(300);
    let (lost, end) = rest.split_at(500);
    let (_, second) = response("200 OK", DICOM_JSON, "[{}]");
    let (_, ask) = request("GET /dicom-web/studies", "", b"");
    let seen = protocols::drive::run(
        &protocols::http::Http,
        protocols::drive::flow(model::net::Transport::Tcp, 9),
        &[
            (Forward, Chunk::Stream(&ask)),
            (Reverse, Chunk::Stream(start)),
            (Reverse, Chunk::Gap(lost.len() as u64)),
            (Reverse, Chunk::Stream(end)),
            (Forward, Chunk::Stream(&ask)),
            (Reverse, Chunk::Stream(&second)),
        ],
    );
    let told = only(&seen, "dicomweb.transaction");
    assert_eq!((told.len(), told[0].uint("results"), told[1].uint("results")), (2, None, Some(1)));
}
