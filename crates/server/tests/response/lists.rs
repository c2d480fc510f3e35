//! Pages, codes for labels, and who may pull block lists.

use std::sync::Arc;

use model::device::DeviceId;
use respond::enforcers::{Blocklist, Outlet};
use serde_json::{Value, json};
use server::{Blocklists, BlocklistsError};

use super::{ACTIONS, LISTS, site, wish};
use crate::client::Running;
use crate::conforms;

#[test]
fn pages_of_actions_follow_each_other_to_the_end_while_new_ones_come() {
    let site = site();
    let propose = |last: u8| {
        let body = wish("D-1", &format!("203.0.113.{last}"), "tcp", 445);
        assert_eq!(site.post(&site.soc, ACTIONS, &body).status, 201);
    };
    (1..=5).for_each(propose);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = site.get(&format!("{ACTIONS}?limit=2{cursor}"));
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        propose(seen.len() as u8 + 10);
    }
    assert_eq!(seen, ["A-0005", "A-0004", "A-0003", "A-0002", "A-0001"]);
    site.server.get(&site.soc, &format!("{ACTIONS}?cursor=zz")).problem(400);
}

#[test]
fn codes_for_labels_are_those_that_let_go_and_nobody_who_only_reads_sees_them() {
    let site = site();
    let codes = site.get("/api/v1/response/codes");
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    conforms(&document, &document["components"]["schemas"]["DeviceCodes"], &codes, "codes");
    assert_eq!(codes["items"].as_array().unwrap().len(), 4);
    let code = codes["items"][0]["code"].as_str().unwrap();
    assert_eq!(code, site.office.codes().of(&DeviceId("D-1".to_owned())));
    assert_eq!(site.bedside("D-1", code).status, 200);
    assert_eq!(site.get("/api/v1/response/codes?device=D-2")["items"][0]["device"], "D-2");
    site.server.get(&site.soc, "/api/v1/response/codes?device=D-99").problem(404);
    site.server.get(&site.viewer, "/api/v1/response/codes").problem(403);
}

#[test]
fn block_lists_open_with_their_token_and_with_no_session() {
    let site = site();
    let path = "/api/v1/response/blocklist/addresses";
    let ask = |header: &str| site.server.ask("GET", path, &[header], "");
    // Base64 of "firewall:" and the token.
    let basic = "ZmlyZXdhbGw6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for right in [format!("Bearer {LISTS}"), format!("basic {basic}")] {
        let answer = ask(&format!("authorization: {right}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.headers["content-type"].starts_with("text/plain"), "{answer:?}");
        assert!(answer.body.starts_with("# Wardwatch"), "{answer:?}");
    }
    for wrong in [
        "Bearer 0",
        "Bearer ",
        "Basic !!",
        "Basic Zg==",
        "Digest x",
        &format!("Bearer {}", site.admin),
    ] {
        let refused = ask(&format!("authorization: {wrong}"));
        refused.problem(401);
        assert!(refused.headers["www-authenticate"].starts_with("Basic "), "{refused:?}");
    }
    // And the token opens nothing else.
    site.server.get(LISTS, ACTIONS).problem(401);
    let without = Running::start();
    without.ask("GET", path, &[&format!("authorization: Bearer {LISTS}")], "").problem(401);
    let lists = || Arc::new(Blocklist::new("unused".into(), true, Outlet::new()));
    assert!(matches!(Blocklists::new("guess me", lists()), Err(BlocklistsError::WeakToken)));
    assert_eq!(site.get(ACTIONS)["items"], json!([]));
}
