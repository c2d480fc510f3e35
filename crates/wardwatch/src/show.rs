//! Devices, cases, findings and flows as people read them, from their JSON.

use serde_json::Value;

use crate::ask::What;
use crate::tables::{say, size, table, thousands};

/// Names of a table's columns.
pub(crate) fn head(what: What) -> &'static [&'static str] {
    match what {
        What::Devices => &["id", "address", "class", "tier", "name", "vendor", "sure"],
        What::Cases => &["id", "opened", "severity", "status", "case"],
        What::Findings => &["id", "at", "severity", "detector", "finding"],
        What::Flows => &["first", "originator", "responder", "protocol", "state", "bytes"],
    }
}

/// One row of it.
pub(crate) fn row(what: What, item: &Value) -> Vec<String> {
    match what {
        What::Devices => vec![
            text(item, "id"),
            last(&item["ip"]),
            text(item, "class"),
            text(item, "tier"),
            first(&item["name"]),
            text(item, "vendor"),
            format!("{:.0} %", item["confidence"].as_f64().unwrap_or(0.0) * 100.0),
        ],
        What::Cases => vec![
            text(item, "id"),
            short_time(item, "opened"),
            text(item, "severity"),
            text(item, "status"),
            text(item, "title"),
        ],
        What::Findings => vec![
            text(item, "id"),
            short_time(item, "at"),
            text(item, "severity"),
            text(item, "detector"),
            text(item, "title"),
        ],
        What::Flows => vec![
            short_time(item, "first"),
            side(&item["originator"]),
            side(&item["responder"]),
            item["protocol"].as_str().or(item["transport"].as_str()).unwrap_or("").to_owned(),
            text(item, "state"),
            size(item["bytes_out"].as_u64().unwrap_or(0) + item["bytes_in"].as_u64().unwrap_or(0)),
        ],
    }
}

fn text(item: &Value, name: &str) -> String {
    item[name].as_str().unwrap_or("").to_owned()
}

fn short_time(item: &Value, name: &str) -> String {
    // "2026-11-23T12:10:09.908610Z": date and time to the second.
    text(item, name).chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn first(list: &Value) -> String {
    list.get(0).and_then(Value::as_str).unwrap_or("").to_owned()
}

/// The latest address, IPv4 where there is one.
fn last(list: &Value) -> String {
    let all: Vec<&str> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let v4 = all.iter().rev().find(|ip| !ip.contains(':'));
    v4.or(all.last()).map(|ip| (*ip).to_owned()).unwrap_or_default()
}

fn side(side: &Value) -> String {
    format!("{}:{}", side["ip"].as_str().unwrap_or(""), side["port"])
}

/// Everything about one device.
pub(crate) fn device(item: &Value) {
    say(&format!(
        "{}  {} ({}), {:.0} % sure, tier {}",
        text(item, "id"),
        text(item, "class"),
        first(&item["name"]),
        item["confidence"].as_f64().unwrap_or(0.0) * 100.0,
        text(item, "tier")
    ));
    let list = |name: &str| -> String {
        let all = item[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.collect::<Vec<_>>().join(", ")
    };
    say(&format!("Addresses: {}  Ethernet: {}", list("ip"), text(item, "mac")));
    say(&format!(
        "Vendor: {}  Roles: {}  In use: {}",
        text(item, "vendor"),
        list("roles"),
        text(item, "in_use")
    ));
    say(&format!(
        "Seen from {} to {}; {} partners; {} in, {} out",
        short_time(item, "first_seen"),
        short_time(item, "last_seen"),
        thousands(item["peers"].as_u64().unwrap_or(0)),
        size(item["bytes_in"].as_u64().unwrap_or(0)),
        size(item["bytes_out"].as_u64().unwrap_or(0)),
    ));
    let mut claims = table(&["claim", "value", "source", "sure"]);
    for claim in item["claims"].as_array().into_iter().flatten() {
        claims.add_row(vec![
            text(claim, "what"),
            text(claim, "value"),
            text(claim, "source"),
            format!("{:.0} %", claim["confidence"].as_f64().unwrap_or(0.0) * 100.0),
        ]);
    }
    say(&claims.to_string());
}

/// One case with its story.
pub(crate) fn case(item: &Value) {
    say(&format!("{}  {}  {}", text(item, "id"), text(item, "severity"), text(item, "title")));
    let list = |name: &str| -> String {
        let all = item[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.collect::<Vec<_>>().join(", ")
    };
    say(&format!("Devices: {}", list("devices")));
    if item["users"].as_array().is_some_and(|users| !users.is_empty()) {
        say(&format!("Accounts: {}", list("users")));
    }
    say(&format!("ATT&CK: {}", list("attack")));
    say("");
    for line in item["story"].as_array().into_iter().flatten() {
        say(&format!("  {}  {}", &short_time(line, "at"), text(line, "text")));
    }
    say("");
    say(&format!("Next: {}", text(item, "next_step")));
    say(&format!("Response: {}", text(item, "proposal")));
}
