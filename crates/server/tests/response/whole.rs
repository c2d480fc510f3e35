//! From a wish to what a firewall pulls, and back, by the API alone: somebody enforces beside it, as
//! `wardwatch enforce` does.

use std::time::{Duration, Instant};

use respond::executor::Executor;
use respond::ledger::Book;
use serde_json::{Value, json};

use super::{ACTIONS, LISTS, Site, all, site};
use crate::client::event;

fn domains(site: &Site) -> String {
    let token = format!("authorization: Bearer {LISTS}");
    let answer = site.server.ask("GET", "/api/v1/response/blocklist/domains", &[&token], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn hand(site: &Site) -> Executor {
    let folder = site.office.folder();
    Executor::new(folder, Book::open(folder, site.office.now()).unwrap(), all(folder))
}

/// Proposes for the camera, which needs one other person, and has it approved.
fn approved(site: &Site, domain: &str) -> String {
    let wish = json!({ "device": "D-3", "why": "It calls home", "minutes": 30,
        "restriction": { "kind": "perimeter", "indicator": { "domain": domain } } });
    let done = site.post(&site.soc, ACTIONS, &wish);
    assert_eq!(done.status, 201, "{done:?}");
    let id = done.json()["events"][0]["action"]["proposal"]["intent"]["id"].clone();
    let path = format!("{ACTIONS}/{}", id.as_str().unwrap());
    let yes = json!({ "plan": site.get(&path)["hash"] });
    let signed = site.post(&site.clinical, &format!("{path}/approve"), &yes);
    assert_eq!(signed.json()["events"][0]["complete"], true, "{signed:?}");
    path
}

fn arm(site: &Site) {
    let body = json!({ "tier": "T3", "level": "L2", "hours": 1 });
    for token in [&site.soc, &site.admin] {
        assert_eq!(site.post(token, "/api/v1/response/arm", &body).status, 200);
    }
}

#[test]
fn what_two_people_approved_is_in_force_until_the_bedside_lets_go() {
    let site = site();
    let mut hand = hand(&site);
    let mut step = || hand.step(&mut || site.office.now()).unwrap();
    let rehearsed = approved(&site, "rehearsed.example");
    step();
    assert_eq!(site.get(&rehearsed)["status"]["is"], "rehearsed");
    assert!(!domains(&site).contains("rehearsed"), "nothing is armed");
    arm(&site);
    let mut stream = site.server.stream(&site.viewer, None);
    let path = approved(&site, "Bad.Example.");
    assert_eq!(site.get(&path)["standing"], "desired");
    step();
    let action = site.get(&path);
    assert_eq!(
        (&action["status"]["is"], &action["standing"], &action["receipts"][0]["enforcer"]),
        (&"in_force".into(), &"pushed".into(), &"blocklist".into())
    );
    assert!((1_700..=1_800).contains(&action["left_seconds"].as_u64().unwrap()), "{action}");
    assert!(domains(&site).contains("\nbad.example\n"));
    assert_eq!(site.bedside("D-3", &site.code("D-3")).status, 200);
    assert_eq!(site.get(&path)["status"]["is"], "leaving");
    step();
    assert_eq!(site.get(&path)["status"]["ending"]["released"]["bedside"], true);
    assert!(!domains(&site).contains("bad.example"));
    // Whoever listens is told to the end, with nothing but the API.
    loop {
        let told = event(&mut stream).unwrap();
        let line: Value = serde_json::from_str(&told["data"]).unwrap();
        if told["event"] == "action" && line["id"] == "A-0002" && line["status"]["is"] == "ended" {
            break;
        }
    }
}

#[test]
fn halt_over_the_api_empties_what_is_in_force_at_once() {
    let site = site();
    let mut hand = hand(&site);
    arm(&site);
    approved(&site, "one.example");
    approved(&site, "two.example");
    hand.step(&mut || site.office.now()).unwrap();
    assert!(domains(&site).contains("one.example") && domains(&site).contains("two.example"));
    let began = Instant::now();
    let halted = site.post(&site.clinical, "/api/v1/response/halt", &json!({ "why": "a drill" }));
    assert_eq!(halted.status, 200, "{halted:?}");
    hand.step(&mut || site.office.now()).unwrap();
    assert!(!domains(&site).contains("example"));
    assert!(began.elapsed() < Duration::from_secs(10));
    let left = site.get(&format!("{ACTIONS}?status=open"));
    assert_eq!(left["total"], 0, "{left}");
}
