//! Patients are marked in every protocol and log, and no mark comes out anywhere: not in a file,
//! not in the store, not on the terminal.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::conversations::{Says, Tape};
use crate::rig::{Desk, HOSPITAL, Ran, capture, learn_until, recorded};

/// In every marked text: names, identifiers, addresses, free text, file names.
const MARK: &str = "ZZPH";

/// Where a text is found in a run's traces, in either letter case, as ASCII or as UTF-16.
fn finds(trace: &str, text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let wide: String = text.chars().flat_map(|c| [c, '\0']).collect();
    let at = trace.find(&text).or_else(|| trace.find(&wide))?;
    let before: Vec<char> = trace[..at].chars().rev().take(120).collect();
    Some(before.into_iter().rev().chain(trace[at..].chars().take(80)).collect())
}

/// Every byte that a run left, in lower case: its files, its store, what it said.
fn traces(desk: &Desk, ran: &Ran, folders: &[&str]) -> Vec<(String, String)> {
    let mut all = vec![
        ("standard output".to_owned(), ran.out.to_ascii_lowercase()),
        ("standard error".to_owned(), ran.err.to_ascii_lowercase()),
    ];
    for folder in folders {
        for entry in std::fs::read_dir(desk.path(folder)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
            all.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    all
}

/// Reads a capture and logs into every kind of output.
fn analyze(desk: &Desk, capture: &Path, logs: &[&Path], words: &str) -> Vec<(String, String)> {
    std::fs::create_dir_all(desk.path("kept")).unwrap();
    let mut command = desk.command("--log trace analyze --out out --store kept/w.db");
    command.args(["--learned", "kept/learned.json"]).args(words.split_whitespace()).arg(capture);
    for log in logs {
        command.arg("--logs").arg(log);
    }
    let ran = Ran::from(command.output().unwrap()).ended(0);
    traces(desk, &ran, &["out", "kept"])
}

fn no_mark(traces: &[(String, String)], mark: &str) {
    for (name, trace) in traces {
        if let Some(around) = finds(trace, mark) {
            panic!("{mark} is in {name}: {around}");
        }
    }
}

fn kinds(desk: &Desk) -> BTreeSet<String> {
    let lines = desk.lines("out/observations.jsonl");
    lines.iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
}

/// A token stands for a patient in some observation of this kind.
fn has_token(desk: &Desk, kind: &str) -> bool {
    desk.lines("out/observations.jsonl").iter().any(|line| {
        line["kind"] == kind
            && line["fields"]
                .as_object()
                .unwrap()
                .values()
                .any(|value| value.as_str().is_some_and(|text| text.starts_with("t:")))
    })
}

/// Recordings of real programs, with their patients' names overwritten by marks of equal length.
#[test]
fn marks_in_recordings_of_real_programs_do_not_come_out() {
    let names: [(&[u8], &[u8]); 6] = [
        (b"Synthetic", b"ZZPHIMARK"),
        (b"SYN-", b"ZZPH"),
        (b"SECRETNAME", b"ZZPHSECRET"),
        (b"DOE_JANE", b"ZZPH_ANN"),
        (b"patient/1234567", b"patient/ZZPHMRN"),
        (b"Patient/1234567", b"Patient/ZZPHMRN"),
    ];
    for name in [
        "dicom/store.pcap",
        "dicom/query.pcap",
        "dicom/move.pcap",
        "dicom/get.pcap",
        "dicom/worklist.pcap",
        "dicom/associations.pcap",
        "hl7/vitals.pcap",
        "hl7/dialects.pcap",
        "astm/bare.pcap",
        "astm/session.pcap",
        "mqtt/mosquitto.pcap",
        "http/fhir-console.pcap",
        "smb/smb1.pcap",
        "smb/smb2.pcap",
        "remote/ftp.pcap",
        "syslog/logger.pcap",
    ] {
        let mut bytes = std::fs::read(recorded(name)).unwrap();
        let mut marked = 0;
        for (from, to) in names {
            let wide = |text: &[u8]| text.iter().flat_map(|&byte| [byte, 0]).collect::<Vec<u8>>();
            marked += overwrite(&mut bytes, from, to);
            marked += overwrite(&mut bytes, &wide(from), &wide(to));
        }
        assert!(marked > 0 || name == "dicom/associations.pcap", "{name}: nothing to mark");
        let desk = Desk::new();
        let file = desk.file("marked.pcap", &bytes);
        no_mark(&analyze(&desk, &file, &[], ""), MARK);
        assert!(!kinds(&desk).is_empty(), "{name}: nothing was seen");
    }
}

/// Writes one text over another everywhere; how often.
fn overwrite(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    assert_eq!(from.len(), to.len());
    let mut count = 0;
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
            count += 1;
        }
    }
    count
}

const HL7: &str = "MSH|^~\\&|ADT|HOSP|ENGINE|HOSP|20300101120000||ADT^A01^ADT_A01|CTRL1|P|2.5.1\r\
    EVN|A01|20300101120000|||ZZPHclerk^ZZPH\r\
    PID|1|ZZPH1|ZZPH2^^^HOSP^MR~ZZPH3^^^SS|ZZPH4|ZZPHFAM^ZZPHGIV^ZZPHMID|ZZPHMOTHER|19700101|F|\
    ZZPHALIAS||ZZPH street 1^^ZZPHtown||ZZPH555|ZZPH666||||ZZPH7|ZZPHSSN|ZZPHDRIVER\r\
    NK1|1|ZZPHKIN^EVE|WIFE|ZZPH street 2\r\
    PV1|1|I|ICU^^BED3||||D1^ZZPHDOC||||||||||||ZZPHVISIT\r\
    IN1|1|ZZPHPLAN|ZZPH|||||||||||||ZZPHINSURED\r\
    OBR|1|ZZPH-ORD|ZZPH-FILL|X^ZZPH reason\r\
    OBX|1|TX|NOTE^Note||ZZPH free text of a doctor\r\
    NTE|1||ZZPH comment\r\
    ZPI|1|ZZPH in a segment of one's own\r";

fn block(message: &str) -> Vec<u8> {
    [b"\x0b", message.as_bytes(), b"\x1c\r"].concat()
}

fn astm() -> Vec<u8> {
    let records = [
        "H|\\^&|||GAS^3.1^SN42|||||LIS||P|LIS2-A2|20300101120000",
        "P|1|ZZPH1|ZZPH2|ZZPH3|ZZPHFAM^ANN|ZZPHMOTHER|19800101|F||ZZPH street||ZZPH555|ZZPHDOC",
        "O|1|ZZPH-SPEC||^^^GAS|R||20300101115900",
        "R|1|^^^pH^1|7.41|||N||F||ZZPHnurse",
        "C|1|I|ZZPH comment|G",
        "Q|1|ZZPHQ||ALL",
        "M|1|ZZPH by the maker",
        "L|1|N",
    ];
    let mut out = b"\x05".to_vec();
    for (at, record) in records.iter().enumerate() {
        let text = format!("{}{record}\r\x03", (at + 1) % 8);
        let sum = text.bytes().fold(0_u8, |sum, byte| sum.wrapping_add(byte));
        out.extend(format!("\x02{text}{sum:02X}\r\n").bytes());
    }
    out.push(4);
    out
}

fn http(request: &str, content: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{request} HTTP/1.1\r\nHost: fhir.example\r\nContent-Type: {content}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn answer(content: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content}\r\nLocation: /fhir/Patient/ZZPH-NEW\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"ZZPHID","identifier":[{"system":"urn:mrn","value":"ZZPHMRN"}],"name":[{"family":"ZZPHFAM","given":["ZZPHGIV"]}],"birthDate":"1970-01-01","text":{"div":"ZZPH note"}}"#;

/// MQTT 3.1.1: a connection, and a message with a patient in topic and payload.
fn mqtt() -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let packet = |kind: u8, body: &[u8]| [&[kind, body.len() as u8], body].concat();
    let connect = [text("MQTT"), vec![4, 2, 0, 60], text("monitor-7")].concat();
    let publish =
        |topic: &str| packet(0x30, &[text(topic), b"{\"name\":\"ZZPHFAM\"}".to_vec()].concat());
    [
        packet(0x10, &connect),
        publish("hospital/icu/patient/ZZPHMRN/spo2"),
        publish("vitals/patient=ZZPHMRN/hr"),
    ]
    .concat()
}

#[test]
fn marks_in_every_place_that_a_patient_can_have_do_not_come_out() {
    use Says::{Called, Caller};
    let mut tape = Tape::new();
    let refused = "MSH|^~\\&|ENGINE|HOSP|ADT|HOSP|20300101||ACK|A1|P|2.5.1\r\
        MSA|AE|CTRL1|ZZPH is not known\rERR|||207|E||||ZZPHFAM cannot be admitted\r";
    tape.tcp(2575, &[(Caller, &block(HL7)), (Called, &block(refused))]);
    tape.tcp(2576, &[(Caller, HL7.replace('\r', "\n").as_bytes())]);
    tape.tcp(2577, &[(Caller, &block(&HL7.replace('|', "#").replace('^', "!")))]);
    // Broken ones: what is said of them must not cite them.
    tape.tcp(2578, &[(Caller, &block(&HL7.replace("MSH|^~\\&|", "MSH|^|")))]);
    tape.tcp(2579, &[(Caller, &block(HL7)[..400]), (Caller, b"\x0bZZPHFAM^ZZPH\x1c\r")]);
    tape.tcp(4010, &[(Caller, &astm()), (Called, b"\x06\x06\x06")]);
    tape.tcp(
        4011,
        &[(Caller, &astm().iter().filter(|&&byte| byte != 3).copied().collect::<Vec<_>>())],
    );
    let json = "application/fhir+json";
    for (request, body) in [
        ("POST /fhir/Patient", PATIENT),
        ("PUT /fhir/Patient/ZZPHID", PATIENT),
        ("GET /fhir/Patient?name=ZZPHFAM&identifier=urn:mrn%7CZZPHMRN", ""),
        ("GET /fhir/Observation?patient=ZZPHID", ""),
        ("GET /fhir/Patient/ZZPHID/_history/3", ""),
        ("GET /dicom-web/studies?PatientName=ZZPHFAM*&PatientID=ZZPHMRN", ""),
        ("GET /charts/ZZPHFAM_ZZPHGIV.pdf", ""),
        ("POST /patients/ZZPHMRN/notes", "note=ZZPH+fell"),
        ("POST /fhir/Patient/_search", "name=ZZPHFAM"),
        ("POST /fhir/Patient", "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"ZZPH"),
    ] {
        let said = [(Caller, http(request, json, body)), (Called, answer(json, PATIENT))];
        tape.tcp(8080, &said.each_ref().map(|(who, bytes)| (*who, bytes.as_slice())));
    }
    tape.tcp(1883, &[(Caller, &mqtt()), (Called, b"\x20\x02\x00\x00")]);
    tape.udp(514, b"<132>1 2030-01-01T12:00:00Z mon7 hl7d 12 - - patient ZZPHFAM ZZPHMRN admitted");
    tape.udp(514, b"<35>Jan  1 12:00:00 mon7 pumpd[4]: drug for ZZPHFAM in bed 3");
    tape.tcp(
        21,
        &[
            (Called, b"220 ready\r\n"),
            (Caller, b"USER op\r\n"),
            (Called, b"331 password\r\n"),
            (Caller, b"PASS secret\r\n"),
            (Called, b"230 in\r\n"),
            (Caller, b"STOR ZZPHFAM_report.pdf\r\n"),
            (Called, b"550 ZZPHFAM_report.pdf: no\r\n"),
        ],
    );
    let desk = Desk::new();
    let file = desk.file("marked.pcap", tape.bytes());
    let syslog = desk.file(
        "marked.log",
        "<132>1 2030-03-17T17:46:41Z mon7 hl7d 12 - - patient ZZPHFAM ZZPHMRN admitted\n\
         <35>Mar 17 17:46:42 mon7 app[1]: opened chart of ZZPHFAM\n\
         this is no record ZZPHFAM\n",
    );
    let audit = desk.file(
        "marked.ndjson",
        AUDIT.replace('\n', "") + "\n{\"resourceType\":\"AuditEvent\",\"ZZPH\n",
    );
    let traces = analyze(&desk, &file, &[&syslog, &audit], "");
    no_mark(&traces, MARK);
    let client = |(name, trace): &&(String, String)| {
        (name.contains("jsonl") || name.contains(".db")) && finds(trace, "monitor-7").is_some()
    };
    assert!(traces.iter().filter(client).count() >= 2, "what names nobody is not found either");
    let seen = kinds(&desk);
    for kind in ["hl7.message", "astm.message", "mqtt.publish", "http.request", "audit.access"] {
        assert!(seen.contains(kind), "no {kind} was seen, so no mark could come out: {seen:?}");
    }
    for kind in ["hl7.message", "astm.message"] {
        assert!(has_token(&desk, kind), "{kind} has no token: the patient was not seen at all");
    }
}

const AUDIT: &str = r#"{"resourceType":"AuditEvent","type":{"code":"rest"},"action":"R",
"recorded":"2030-03-17T17:46:43Z","outcome":"0","outcomeDesc":"ZZPH was read",
"agent":[{"altId":"nurse7","requestor":true,"network":{"address":"10.61.0.7","type":"2"}}],
"source":{"observer":{"display":"ehr"}},
"entity":[{"what":{"reference":"Patient/ZZPHID","display":"ZZPHFAM, ANN"},"name":"ZZPHFAM",
"description":"ZZPH chart","query":"WlpQSEZBTQ==","type":{"code":"1"},"role":{"code":"1"}}]}"#;

/// A made-up hospital's own patients, taken from its HL7.
#[test]
fn the_patients_of_a_hospital_do_not_come_out() {
    let bytes = std::fs::read(capture()).unwrap();
    let mut names = BTreeSet::new();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(4).position(|part| part == b"PID|") {
        at += found + 4;
        let line: Vec<u8> =
            bytes[at..].iter().take(200).take_while(|b| **b != b'\r').copied().collect();
        let line = String::from_utf8_lossy(&line).into_owned();
        let Some(name) = line.split('|').nth(4) else { continue };
        let mut parts = name.split('^');
        if let (Some(family), Some(given)) = (parts.next(), parts.next())
            && family.len() > 5
            && given.len() > 3
        {
            names.insert((family.to_owned(), given.to_owned()));
        }
    }
    assert!(names.len() > 3, "no patients in the capture: {names:?}");
    let desk = Desk::new();
    let logs = [HOSPITAL.join("syslog.log"), HOSPITAL.join("audit.ndjson")];
    let words = format!("--learn-until {}", learn_until());
    let traces = analyze(&desk, &capture(), &[&logs[0], &logs[1]], &words);
    for (family, given) in names {
        no_mark(&traces, &family);
        no_mark(&traces, &format!("{family}^{given}"));
        no_mark(&traces, &format!("{given} {family}"));
    }
    let findings = desk.lines("out/findings.jsonl");
    assert!(findings.iter().all(Value::is_object) && !findings.is_empty());
}
