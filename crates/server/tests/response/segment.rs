//! Segmentation over the API: what the command line says, page by page, and hostile MUD files.

use respond::History;
use serde_json::{Value, json};

use super::{Site, site};
use crate::client::Answer;
use crate::conforms;

const DEVICES: &str = "/api/v1/response/devices";

/// Posts bytes as a MUD file.
fn check(site: &Site, token: &str, kind: &str, file: &str) -> Answer {
    let bearer = format!("authorization: Bearer {token}");
    let kind = format!("content-type: {kind}");
    site.server.ask("POST", &format!("{DEVICES}/D-3/mud/check"), &[&bearer, &kind], file)
}

#[test]
fn what_segmentation_says_is_as_the_document_has_it() {
    let site = site();
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let policy = site.get(&format!("{DEVICES}/D-3/policy"));
    conforms(&document, &schemas["WeighedPolicy"], &policy, "policy");
    let telnet = json!({ "way": "out", "peer": "10.0.0.1", "proto": "tcp", "port": 23 });
    let allows = |policy: &Value| {
        let allow = policy["policy"]["allow"].as_array().unwrap();
        allow.iter().any(|one| one["pattern"] == telnet)
    };
    assert!(allows(&policy), "{policy}");
    assert_eq!(policy["would_have_blocked"]["blocked_conversations"], 0, "{policy}");
    assert_eq!(policy, site.get(&format!("{DEVICES}/10.0.0.3/policy")), "by its address");
    // Before anything was recorded nothing is allowed, and all of it would have been blocked since.
    let early = site.get(&format!("{DEVICES}/D-3/policy?until=1000000000"));
    assert!(!allows(&early), "{early}");
    assert_eq!(early["would_have_blocked"]["blocked_conversations"], 1, "{early}");
    let diff = site.get(&format!("{DEVICES}/D-3/policy/diff?since=1000000000"));
    conforms(&document, &schemas["PolicyDiff"], &diff, "diff");
    assert!(diff["added"].as_array().unwrap().iter().any(|one| one["pattern"] == telnet), "{diff}");
    for (language, word) in [("fortigate", "config firewall"), ("cisco-dacl", "permit")] {
        let texts = site.get(&format!("{DEVICES}/D-3/policy/paste?language={language}"));
        conforms(&document, &schemas["Pastes"], &texts, "paste");
        assert!(texts["items"][0]["change"].to_string().contains(word), "{texts}");
    }
    let texts = site.get(&format!("{DEVICES}/D-3/policy/paste"));
    assert_eq!(texts["items"][0]["name"], "nftables", "{texts}");
    let viewed = site.server.get(&site.viewer, &format!("{DEVICES}/D-1/policy"));
    assert_eq!(viewed.status, 200, "who may look may look: {viewed:?}");
    for (path, status) in [
        ("D-99/policy", 404),
        ("10.9.9.9/policy", 404),
        ("D-3/policy?until=soon", 400),
        ("D-3/policy?since=1", 400),
        ("D-3/policy/diff", 400),
        ("D-3/policy/paste?language=cobol", 400),
        ("D-3/mud?url=http://plain.example/", 422),
    ] {
        site.server.get(&site.soc, &format!("{DEVICES}/{path}")).problem(status);
    }
}

#[test]
fn zones_and_conduits_come_page_by_page_to_the_end_and_none_twice() {
    let site = site();
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    for (name, schema) in [("zones", "ZonePage"), ("conduits", "ConduitPage")] {
        let path = format!("/api/v1/response/{name}");
        let whole = site.get(&path);
        conforms(&document, &document["components"]["schemas"][schema], &whole, name);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = site.get(&format!("{path}?limit=1{cursor}"));
            assert_eq!(page["total"], whole["total"]);
            seen.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert!(!seen.is_empty() && seen == *whole["items"].as_array().unwrap(), "{seen:?}");
        for wrong in ["cursor=%21%21", "cursor=bnVsbA", "limit=0", "page=2"] {
            site.server.get(&site.soc, &format!("{path}?{wrong}")).problem(400);
        }
    }
    let conduits = site.get("/api/v1/response/conduits");
    assert_eq!(conduits["items"][0]["service"], "telnet", "{conduits}");
    site.office.learn().history = History::default();
    let none = site.server.get(&site.soc, "/api/v1/response/zones").problem(409);
    assert_eq!(none["refused"], "no_history");
    let none = site.server.get(&site.soc, &format!("{DEVICES}/D-3/policy")).problem(409);
    assert_eq!(none["refused"], "no_history");
}

#[test]
fn a_mud_file_that_was_written_is_checked_and_blocks_nothing_of_what_it_was_made_of() {
    let site = site();
    let written = site.server.get(&site.soc, &format!("{DEVICES}/D-3/mud"));
    assert_eq!(written.headers["content-type"], "application/mud+json", "{written:?}");
    assert_eq!(written.json()["ietf-mud:mud"]["mud-version"], 1);
    let checked = check(&site, &site.soc, "application/mud+json", &written.body);
    assert_eq!(checked.status, 200, "{checked:?}");
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    let schema = &document["components"]["schemas"]["CheckedMud"];
    conforms(&document, schema, &checked.json(), "checked");
    assert_eq!(checked.json()["would_have_blocked"]["blocked_conversations"], 0, "{checked:?}");
    // Less is allowed, so more is blocked.
    let less = written.body.replace("\"port\": 23", "\"port\": 24");
    let checked = check(&site, &site.soc, "application/json; charset=utf-8", &less).json();
    assert_eq!(checked["would_have_blocked"]["blocked_conversations"], 1, "{checked}");
    check(&site, &site.viewer, "application/mud+json", &written.body).problem(403);
    check(&site, &site.soc, "text/plain", &written.body).problem(415);
}

#[test]
fn a_hostile_mud_file_is_refused_in_words_and_breaks_nothing() {
    let site = site();
    let good = site.server.get(&site.soc, &format!("{DEVICES}/D-3/mud")).body;
    let post = |file: &str| check(&site, &site.soc, "application/mud+json", file);
    for (file, status) in [
        ("[".repeat(500_000), 400),
        ("{\"ietf-mud:mud\":".repeat(60_000), 400),
        ("not JSON".to_owned(), 400),
        ("null".to_owned(), 422),
        ("[]".to_owned(), 422),
        (r#"{"ietf-mud:mud": "text"}"#.to_owned(), 422),
        (good.replace("\"mud-version\": 1", "\"mud-version\": \"1\""), 422),
        (good.replace("\"aces\": {", "\"aces\": [1], \"ignored\": {"), 422),
        (good.replace("\"access-list\": [", "\"access-list\": 7, \"more\": ["), 422),
        (good.replace("10.0.0.1/32", "10.0.0.1/99"), 422),
        (good.replace("https://", "\\u001b[2Jhttps://"), 422),
        (" ".repeat((1 << 20) + 1), 413),
    ] {
        let begins: String = file.chars().take(60).collect();
        let answer = post(&file);
        assert_eq!(answer.status, status, "{begins}: {answer:?}");
        answer.problem(status);
    }
    let unknown = post(r#"{"ietf-mud:mud": {}}"#).problem(422);
    assert_eq!(unknown["refused"], "no_mud");
    assert_eq!(post(&good).status, 200, "and it still answers");
}
