//! Whether a device serves somebody, as people say.

use serde_json::{Value, json};

use super::{ACTIONS, site, wish};
use crate::conforms;

#[test]
fn who_looked_says_that_a_device_is_idle_until_anybody_says_otherwise() {
    let site = site();
    let path = |device: &str, what: &str| format!("/api/v1/response/devices/{device}/{what}");
    let said = json!({ "minutes": 30, "why": "bay 3 is empty, the pump is in the store room" });
    let idle = path("D-1", "idle");
    for token in [&site.viewer, &site.soc, &site.commander, &site.admin] {
        site.post(token, &idle, &said).problem(403);
    }
    site.post(&site.clinical, &path("D-99", "idle"), &said).problem(404);
    for wrong in [
        json!({ "minutes": 121, "why": "looked" }),
        json!({ "minutes": 0, "why": "looked" }),
        json!({ "minutes": 30, "why": "  " }),
        json!({ "minutes": 30, "why": "x".repeat(501) }),
        json!({ "minutes": -1, "why": "looked" }),
        json!({ "why": "looked" }),
    ] {
        site.post(&site.clinical, &idle, &wrong).problem(422);
    }
    let in_use = || {
        let mut dry = wish("D-1", "203.0.113.9", "tcp", 445);
        dry["dry"] = true.into();
        site.post(&site.soc, ACTIONS, &dry).json()["preflight"].clone()
    };
    assert_eq!(in_use()["in_use"], "unknown");
    assert_eq!(site.post(&site.clinical, &idle, &said).status, 200);
    let now = in_use();
    assert_eq!(now["in_use"], "idle");
    assert!(now["in_use_because"].as_str().unwrap().contains("bay 3 is empty"), "{now}");
    let status = site.get("/api/v1/response/status");
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    let schema = &document["components"]["schemas"]["ResponseStatus"];
    conforms(&document, schema, &status, "status");
    assert_eq!(status["idle"][0]["device"], "D-1");
    assert!((1790..=1800).contains(&status["idle"][0]["left_seconds"].as_u64().unwrap()));
    site.bare(&site.viewer, &path("D-1", "in-use")).problem(403);
    assert_eq!(site.bare(&site.soc, &path("D-1", "in-use")).status, 200);
    assert_eq!(in_use()["in_use"], "unknown");
    assert_eq!(site.get("/api/v1/response/status")["idle"], json!([]));
}
