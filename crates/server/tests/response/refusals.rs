//! Each refusal: the desk's own sentence for people, its name for programs.

use model::case::CaseId;
use model::device::DeviceId;
use serde_json::{Value, json};

use super::{ACTIONS, Site, site, wish};
use crate::client::Answer;
use crate::conforms;

/// A refusal by its name and status.
fn refused(answer: &Answer, status: u16, name: &str) {
    let problem = answer.problem(status);
    assert_eq!(problem["refused"], name, "{problem}");
}

fn approve(site: &Site, token: &str, action: &str, patient_safe: bool) -> Answer {
    let hash = site.get(&format!("{ACTIONS}/{action}"))["hash"].clone();
    let yes = json!({ "plan": hash, "patient_safe": patient_safe });
    site.post(token, &format!("{ACTIONS}/{action}/approve"), &yes)
}

fn arm(site: &Site, level: &str) {
    let body = json!({ "tier": "T0", "level": level, "hours": 1 });
    for token in [&site.commander, &site.admin] {
        assert_eq!(site.post(token, "/api/v1/response/arm", &body).status, 200);
    }
}

fn to(last: u8) -> Value {
    wish("D-1", &format!("203.0.113.{last}"), "tcp", 445)
}

#[test]
fn what_cannot_be_proposed_says_why_in_a_word() {
    let site = site();
    let propose = |body: &Value| site.post(&site.soc, ACTIONS, body);
    refused(&propose(&wish("D-1", "255.255.255.255", "udp", 67)), 409, "cuts_essential");
    refused(&propose(&wish("D-9", "203.0.113.9", "tcp", 1)), 404, "unknown_device");
    let mut long = to(9);
    long["minutes"] = 100_000.into();
    refused(&propose(&long), 422, "unsound");
    let nobody = json!({ "device": "D-1", "why": "x",
        "restriction": { "kind": "perimeter", "indicator": { "address": "::/0" } } });
    refused(&propose(&nobody), 409, "no_enforcer");
    assert_eq!(propose(&to(9)).status, 201);
    let strict = json!({ "toml": "[breakers]\nwaiting = 1\n" });
    assert_eq!(site.put(&site.admin, "/api/v1/response/policy", &strict).status, 200);
    refused(&propose(&to(10)), 409, "too_many_waiting");
    let halt = json!({ "why": "a drill" });
    assert_eq!(site.post(&site.soc, "/api/v1/response/halt", &halt).status, 200);
    refused(&propose(&to(11)), 409, "halted");
    let unsafe_one = json!({ "toml": "[tiers.T0]\nautomatic = \"L3\"\n" });
    let answer = site.put(&site.admin, "/api/v1/response/policy", &unsafe_one);
    refused(&answer, 422, "policy");
}

#[test]
fn life_sustaining_devices_are_held_to_essentials_by_two_people_who_looked_at_the_patient() {
    let site = site();
    arm(&site, "L3");
    let level = json!({ "device": "D-1", "level": "L3", "why": "It scans the ward", "minutes": 5 });
    let done = site.post(&site.commander, ACTIONS, &level);
    assert_eq!(done.status, 201, "{done:?}");
    let action = site.get(&format!("{ACTIONS}/A-0001"));
    assert_eq!(action["proposal"]["intent"]["restriction"]["kind"], "essentials");
    assert_eq!(action["proposal"]["intent"]["ttl"]["secs"], 300);
    assert_eq!((&action["needs"], &action["attest"]), (&json!(["soc", "clinical"]), &true.into()));
    refused(&approve(&site, &site.commander, "A-0001", true), 409, "not_yours");
    assert_eq!(approve(&site, &site.soc, "A-0001", true).status, 200);
    refused(&approve(&site, &site.soc, "A-0001", true), 409, "not_yours");
    assert_eq!(site.get(&format!("{ACTIONS}/A-0001"))["missing"], json!(["clinical"]));
    // Security says nothing of the patient, whatever it ticks.
    refused(&approve(&site, &site.clinical, "A-0001", false), 409, "not_attested");
    let last = approve(&site, &site.clinical, "A-0001", true);
    assert_eq!(last.json()["events"][0]["complete"], true, "{last:?}");
    assert_eq!(site.get(&format!("{ACTIONS}/A-0001"))["status"]["is"], "approved");
    refused(&approve(&site, &site.soc, "A-0001", true), 409, "not_waiting");
    let path = format!("{ACTIONS}/A-0099/deny");
    refused(&site.post(&site.soc, &path, &json!({ "why": "no" })), 409, "not_waiting");
}

#[test]
fn a_breaker_another_plan_and_what_is_decided_already_hold_whoever_signs() {
    let site = site();
    let one = json!({ "toml": "[breakers]\nactions_per_ten_minutes = 1\n" });
    assert_eq!(site.put(&site.soc, "/api/v1/response/policy", &one).status, 200);
    arm(&site, "L2");
    for last in [9, 10] {
        assert_eq!(site.post(&site.clinical, ACTIONS, &to(last)).status, 201);
    }
    let other = json!({ "plan": site.get(&format!("{ACTIONS}/A-0002"))["hash"] });
    let answer = site.post(&site.soc, &format!("{ACTIONS}/A-0001/approve"), &other);
    refused(&answer, 409, "other_plan");
    assert_eq!(approve(&site, &site.soc, "A-0001", false).status, 200);
    refused(&approve(&site, &site.soc, "A-0002", false), 409, "breaker");
    refused(&site.post(&site.soc, ACTIONS, &to(9)), 409, "duplicate");
}

#[test]
fn what_is_misspelt_forged_or_unknown_is_not_put_before_anybody() {
    let site = site();
    let invalid = |body: &Value, words: &str| {
        let problem = site.post(&site.soc, ACTIONS, body).problem(422);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    };
    let mut wide = to(9);
    wide["restriction"]["flows"][0]["prt"] = 445.into();
    invalid(&wide, "'restriction'");
    let mut forged = to(9);
    forged["evidence"]["claims"][0]["finding"] = "F0000000000000001".into();
    invalid(&forged, "a finding that there is not");
    let mut other = to(9);
    other["evidence"]["case"] = "C-404".into();
    invalid(&other, "no such case");
    let mut both = to(9);
    both["level"] = "L3".into();
    invalid(&both, "either");
    invalid(&json!({ "device": "D-1", "level": "L2", "why": "x" }), "names the flows");
    invalid(&json!({ "device": "D-1", "level": "L3" }), "why");
    let mut icmp = wish("D-1", "203.0.113.9", "icmp", 8);
    invalid(&icmp, "no ports");
    icmp["restriction"]["flows"][0]["port"] = Value::Null;
    icmp["evidence"]["claims"][0]["detector"] = "worm".into();
    icmp["evidence"]["severity"] = "critical".into();
    assert_eq!(site.post(&site.soc, ACTIONS, &icmp).status, 201);
    let evidence = &site.get(&format!("{ACTIONS}/A-0001"))["proposal"]["evidence"];
    assert_eq!(
        (&evidence["claims"][0]["detector"], &evidence["severity"]),
        (&"person".into(), &"high".into())
    );
    // Nobody believes that something was let go because its name was mistyped.
    for path in
        [format!("{ACTIONS}/A-0099/release"), "/api/v1/response/devices/D-99/release".to_owned()]
    {
        site.bare(&site.clinical, &path).problem(404);
    }
}

#[test]
fn what_policy_was_refused_is_listed_page_by_page_with_how_often() {
    let site = site();
    let evidence = serde_json::from_value(wish("D-1", "10.0.0.9", "tcp", 1)["evidence"].clone());
    let mut wish = respond::office::Wish {
        device: DeviceId("D-1".to_owned()),
        restriction: serde_json::from_value(
            wish("D-1", "255.255.255.255", "udp", 67)["restriction"].clone(),
        )
        .unwrap(),
        ttl: None,
        evidence: evidence.unwrap(),
        by: None,
    };
    for case in ["C-1", "C-2", "C-2", "C-3"] {
        wish.evidence.case = CaseId(case.to_owned());
        assert!(site.office.propose(&wish).unwrap().unwrap().is_err());
    }
    let path = "/api/v1/response/refused";
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    let page = site.get(&format!("{path}?limit=2"));
    conforms(&document, &document["components"]["schemas"]["RefusedPage"], &page, "page");
    let of = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|one| one["case"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((&page["total"], of(&page)), (&3.into(), vec!["C-3".to_owned(), "C-2".to_owned()]));
    assert_eq!(page["items"][0]["reason"], "cuts_essential");
    let rest = site.get(&format!("{path}?limit=2&cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((of(&rest), &rest["next"]), (vec!["C-1".to_owned()], &Value::Null));
    assert_eq!(site.get(&format!("{path}?device=D-2"))["total"], 0);
    site.server.get(&site.soc, &format!("{path}?cursor=x")).problem(400);
    assert_eq!(site.get(ACTIONS)["total"], 0, "and nothing came of it");
}
