//! The files of `--out`: every line is JSON with the fields that other programs read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rig::{Desk, HOSPITAL, capture, learn_until};

/// A time as all files write it: RFC 3339, UTC, microseconds.
#[track_caller]
fn is_time(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{text}");
}

#[track_caller]
fn has(line: &Value, fields: &[&str]) {
    for field in fields {
        assert!(line.get(field).is_some(), "no '{field}' in {line}");
    }
}

/// Nothing is null, at any depth: what is not known is absent.
#[track_caller]
fn no_null(value: &Value) {
    match value {
        Value::Null => panic!("null"),
        Value::Array(items) => items.iter().for_each(no_null),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            assert!(!value.is_null(), "{key} is null in {map:?}");
            no_null(value);
        }),
        _ => {}
    }
}

#[track_caller]
fn names(lines: &[Value]) -> BTreeSet<String> {
    let all: BTreeSet<String> =
        lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(all.len(), lines.len(), "an id is there twice");
    all
}

#[test]
fn every_file_has_the_fields_that_others_read() {
    let desk = Desk::new();
    let words = format!("analyze --out out --learn-until {}", learn_until());
    let logs = [HOSPITAL.join("syslog.log"), HOSPITAL.join("audit.ndjson")];
    let mut command = desk.command(&words);
    command.arg("--logs").arg(&logs[0]).arg("--logs").arg(&logs[1]).arg(capture());
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let [findings, cases, devices, flows, observations] =
        ["findings", "cases", "devices", "flows", "observations"].map(|name| {
            let lines = desk.lines(&format!("out/{name}.jsonl"));
            assert!(!lines.is_empty(), "{name}.jsonl is empty");
            lines.iter().for_each(no_null);
            lines
        });

    let device_ids = names(&devices);
    let observation_ids = names(&observations);
    let finding_ids = names(&findings);
    let case_ids = names(&cases);

    for finding in &findings {
        has(finding, &["id", "detector", "title", "device", "attack", "because"]);
        is_time(&finding["at"]);
        let known = |name: &str, words: &[&str]| {
            let word = finding[name].as_str().unwrap_or_default();
            assert!(words.contains(&word), "{name} '{word}'");
        };
        known("kind", &["rule", "anomaly", "model", "intel"]);
        known("severity", &["info", "low", "medium", "high", "critical"]);
        has(&finding["device"], &["id", "class", "tier"]);
        assert!(device_ids.contains(finding["device"]["id"].as_str().unwrap()), "{finding}");
        // What is only to be known opens no case, and may belong to none.
        match finding.get("case") {
            Some(case) => assert!(case_ids.contains(case.as_str().unwrap()), "{finding}"),
            None => assert_eq!(finding["severity"], "info", "{finding}"),
        }
        assert!((0.0..=1.0).contains(&finding["score"].as_f64().unwrap()), "{finding}");
        if let Some(p) = finding.get("p_value") {
            assert!((0.0..=1.0).contains(&p.as_f64().unwrap()), "{finding}");
        }
        for reason in finding["because"].as_array().unwrap() {
            has(reason, &["what", "observed", "expected", "weight"]);
        }
        for id in finding["evidence"].as_array().into_iter().flatten() {
            assert!(observation_ids.contains(id.as_str().unwrap()), "no observation {id}");
        }
        for id in finding["community_id"].as_array().into_iter().flatten() {
            assert!(id.as_str().unwrap().starts_with("1:"), "{id}");
        }
    }
    for case in &cases {
        has(
            case,
            &["id", "severity", "title", "devices", "attack", "findings", "story", "proposal"],
        );
        is_time(&case["opened"]);
        is_time(&case["updated"]);
        assert!(case["opened"].as_str() <= case["updated"].as_str(), "{case}");
        for id in case["findings"].as_array().unwrap() {
            assert!(finding_ids.contains(id.as_str().unwrap()), "no finding {id}");
        }
        for id in case["devices"].as_array().unwrap() {
            assert!(device_ids.contains(id.as_str().unwrap()), "no device {id}");
        }
        for line in case["story"].as_array().unwrap() {
            is_time(&line["at"]);
            assert!(!line["text"].as_str().unwrap().is_empty());
        }
    }
    for device in &devices {
        has(device, &["id", "ip", "name", "class", "tier", "in_use", "roles"]);
        has(device, &["peers", "bytes_in", "bytes_out"]);
        is_time(&device["first_seen"]);
        is_time(&device["last_seen"]);
        assert!((0.0..=1.0).contains(&device["confidence"].as_f64().unwrap()), "{device}");
        for claim in device["claims"].as_array().unwrap() {
            has(claim, &["what", "value", "source", "confidence"]);
            is_time(&claim["at"]);
        }
    }
    for flow in &flows {
        has(flow, &["community_id", "id", "transport", "packets_out", "packets_in"]);
        has(flow, &["bytes_out", "bytes_in"]);
        // Absent where nobody knows it.
        assert!(flow.get("protocol").is_none_or(Value::is_string), "{flow}");
        is_time(&flow["first"]);
        is_time(&flow["last"]);
        for side in ["originator", "responder"] {
            has(&flow[side], &["ip", "port"]);
        }
        if flow["transport"] == "tcp" {
            has(flow, &["state"]);
        }
    }
    assert!(flows.iter().any(|flow| flow["protocol"] == "dicom" && flow.get("summary").is_some()));
    for observation in &observations {
        has(observation, &["id", "fields"]);
        is_time(&observation["at"]);
        assert!(observation["kind"].as_str().unwrap().contains('.'), "{observation}");
    }
    let stats = desk.lines("out/stats.json").remove(0);
    has(&stats, &["packets", "bytes", "drops", "malformed", "flows", "memory_peak", "seconds"]);
    assert_eq!(stats["log_errors"], 0, "{stats}");
    assert!(stats["log_records"].as_u64().unwrap() > 0, "{stats}");
}

#[test]
fn a_file_that_is_written_anew_holds_nothing_of_the_old_one() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("out")).unwrap();
    for name in ["findings", "cases", "devices", "flows", "observations"] {
        desk.file(&format!("out/{name}.jsonl"), "left from before\n".repeat(9_000));
    }
    let small = crate::rig::recorded("ntp/ntp.pcap");
    desk.run_on("analyze --out out", &[&small]).ended(0);
    for name in ["findings", "cases", "devices", "flows", "observations"] {
        desk.lines(&format!("out/{name}.jsonl"));
    }
}
