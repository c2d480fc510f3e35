//! A MUD file as JSON, as RFC 8520 has it: each rule once in each direction of packets.
//!
//! `direction-initiated` exists for TCP only. Who opens a UDP conversation follows from the port;
//! who opens one without a port, or ICMP, cannot be said, and is read back as either.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Mud, Other, Rule};
use crate::restriction::{Proto, Way};

/// A MUD file cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Its address has to be one of the web.
    #[error("'{0}' is no address for a MUD file: it begins with https://")]
    Url(String),
    /// A MUD file says what is needed: without rules it says nothing.
    #[error("nothing to write: no rule, so the device would be cut off by its own profile")]
    Nothing,
}

/// Writes a MUD file: JSON with a line's end. The same file gives the same bytes.
///
/// # Errors
/// Without rules, or with an address that is none.
pub fn write(mud: &Mud) -> Result<String, WriteError> {
    let about = &mud.about;
    if !about.url.starts_with("https://") {
        return Err(WriteError::Url(about.url.clone()));
    }
    if mud.rules.is_empty() {
        return Err(WriteError::Nothing);
    }
    let mut acls = Vec::new();
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for v6 in [false, true] {
        // An abstraction has no family: it is written for both.
        let rules: Vec<&Rule> =
            mud.rules.iter().filter(|rule| family(&rule.other).is_none_or(|is| is == v6)).collect();
        let only_abstract = rules.iter().all(|rule| family(&rule.other).is_none());
        if rules.is_empty() || (v6 && only_abstract) {
            continue;
        }
        for (out, names) in [(true, &mut from), (false, &mut to)] {
            let name =
                format!("{}-{}", if v6 { "v6" } else { "v4" }, if out { "from" } else { "to" });
            let aces: Vec<Value> = rules
                .iter()
                .enumerate()
                .map(|(place, rule)| ace(&format!("{name}-{place}"), rule, out, v6))
                .collect();
            let kind = if v6 { "ipv6-acl-type" } else { "ipv4-acl-type" };
            acls.push(json!({ "name": name, "type": kind, "aces": { "ace": aces } }));
            names.push(json!({ "name": name }));
        }
    }
    let mut body = Map::new();
    let mut say = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    say("mud-version", json!(1));
    say("mud-url", json!(about.url));
    say("last-update", json!(about.last_update.to_string()));
    say("cache-validity", json!(48));
    say("is-supported", json!(about.is_supported));
    let texts = [
        ("systeminfo", &about.systeminfo),
        ("mfg-name", &about.manufacturer),
        ("model-name", &about.model),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        say(name, json!(text));
    }
    say("from-device-policy", json!({ "access-lists": { "access-list": from } }));
    say("to-device-policy", json!({ "access-lists": { "access-list": to } }));
    let file = json!({
        "ietf-mud:mud": body,
        "ietf-access-control-list:acls": { "acl": acls },
    });
    Ok(format!("{file:#}\n"))
}

/// Whether it is of IPv6, of IPv4, or of neither.
const fn family(other: &Other) -> Option<bool> {
    match other {
        Other::Anybody { v6 } => Some(*v6),
        Other::Addresses(range) => Some(matches!(range.address(), IpAddr::V6(_))),
        _ => None,
    }
}

fn ace(name: &str, rule: &Rule, out: bool, v6: bool) -> Value {
    let mut ip = Map::new();
    let mut mud = Map::new();
    let number = match rule.proto {
        Some(Proto::Tcp) => Some(6),
        Some(Proto::Udp) => Some(17),
        Some(Proto::Icmp) => Some(if v6 { 58 } else { 1 }),
        None => None,
    };
    if let Some(number) = number {
        ip.insert("protocol".to_owned(), json!(number));
    }
    let family = if v6 { "ipv6" } else { "ipv4" };
    let side = if out { "destination" } else { "source" };
    // YANG's empty type is written as a list of nothing (RFC 7951, 6.9).
    let empty = json!([null]);
    let abstraction = match &rule.other {
        Other::Anybody { .. } => None,
        Other::Addresses(range) => {
            let network = format!("{}/{}", range.address(), range.prefix());
            ip.insert(format!("{side}-{family}-network"), json!(network));
            None
        }
        Other::Name(host) => {
            let side = if out { "dst" } else { "src" };
            ip.insert(format!("ietf-acldns:{side}-dnsname"), json!(host));
            None
        }
        Other::Controller(uri) => Some(("controller", json!(uri))),
        Other::MyController => Some(("my-controller", empty)),
        Other::SameManufacturer => Some(("same-manufacturer", empty)),
        Other::Manufacturer(host) => Some(("manufacturer", json!(host))),
        Other::Model(url) => Some(("model", json!(url))),
        Other::LocalNetworks => Some(("local-networks", empty)),
    };
    if let Some((key, value)) = abstraction {
        mud.insert(key.to_owned(), value);
    }
    let mut l4 = Map::new();
    if rule.proto == Some(Proto::Tcp) {
        let way = if rule.way == Way::Out { "from-device" } else { "to-device" };
        l4.insert("ietf-mud:direction-initiated".to_owned(), json!(way));
    }
    if let (Some(port), Some(Proto::Tcp | Proto::Udp)) = (rule.port, rule.proto) {
        // The called side's port is where its packets come from and where the others go.
        let is_destination = (rule.way == Way::Out) == out;
        let side = if is_destination { "destination-port" } else { "source-port" };
        l4.insert(side.to_owned(), json!({ "operator": "eq", "port": port }));
    }
    let mut matches = Map::new();
    let l4_name = if rule.proto == Some(Proto::Udp) { "udp" } else { "tcp" };
    for (key, part) in [(family, ip), (l4_name, l4), ("ietf-mud:mud", mud)] {
        if !part.is_empty() {
            matches.insert(key.to_owned(), Value::Object(part));
        }
    }
    json!({ "name": name, "matches": matches, "actions": { "forwarding": "accept" } })
}
