//! Palo Alto `set` commands (PAN-OS 10), for the configuration mode of a firewall. Each rule is moved
//! behind the one before, the first of all to the top.

use super::{Policy, Text, policies};
use crate::plan::Intent;
use crate::range::Range;
use crate::restriction::Proto;

pub(super) fn text(intent: &Intent) -> Result<Text, String> {
    let policies = policies(intent)?;
    let (mut objects, mut rules, mut clear) = (Vec::new(), Vec::new(), Vec::new());
    let mut undo = Vec::new();
    let mut before: Option<String> = None;
    for (number, policy) in policies.iter().enumerate() {
        let name = format!("WW-{}-{}", intent.id, number + 1);
        let from = address(intent, policy.from, &mut objects);
        let to = address(intent, policy.to, &mut objects);
        let service = service(intent, policy, &mut objects);
        let application = match (policy.proto, policy.v6) {
            (Some(Proto::Icmp), false) => "[ icmp ping ]",
            (Some(Proto::Icmp), true) => "[ ipv6-icmp ping6 ]",
            _ => "any",
        };
        let action = if policy.pass { "allow" } else { "drop" };
        rules.push(format!(
            "set rulebase security rules {name} from any to any source {from} destination {to} \
             application {application} service {service} action {action}"
        ));
        rules.push(match &before {
            None => format!("move rulebase security rules {name} top"),
            Some(before) => format!("move rulebase security rules {name} after {before}"),
        });
        undo.push(format!("delete rulebase security rules {name}"));
        if !policy.pass {
            clear.push(format!("# run clear session all filter{}", filter(policy)));
        }
        before = Some(name);
    }
    undo.extend(objects.iter().map(|object| format!("delete {}", object.name)));
    undo.push("commit".to_owned());
    let mut change: Vec<String> =
        objects.iter().map(|object| format!("set {} {}", object.name, object.value)).collect();
    change.extend(rules);
    change.push("commit".to_owned());
    change.push("# Sessions that exist go on until cleared:".to_owned());
    change.extend(clear);
    Ok(Text { change, undo })
}

struct Object {
    name: String,
    value: String,
}

fn note(objects: &mut Vec<Object>, name: String, value: String) {
    if !objects.iter().any(|object| object.name == name) {
        objects.push(Object { name, value });
    }
}

fn address(intent: &Intent, range: Option<Range>, objects: &mut Vec<Object>) -> String {
    let Some(range) = range.filter(|range| range.prefix() > 0) else { return "any".to_owned() };
    // Names take no slash and no colon.
    let text = format!("{}-{}", range.address(), range.prefix()).replace(':', "_");
    let name = format!("WW-{}-{text}", intent.id);
    let value = format!("ip-netmask {}/{}", range.address(), range.prefix());
    note(objects, format!("address {name}"), value);
    name
}

fn service(intent: &Intent, policy: &Policy, objects: &mut Vec<Object>) -> String {
    let protos = match policy.proto {
        Some(Proto::Icmp) => return "any".to_owned(),
        Some(proto) => vec![proto],
        None if policy.port.is_none() => return "any".to_owned(),
        None => vec![Proto::Tcp, Proto::Udp],
    };
    let port = policy.port.map_or_else(|| "0-65535".to_owned(), |port| port.to_string());
    let mut names = Vec::new();
    for proto in protos {
        let name = format!("WW-{}-{proto}-{port}", intent.id);
        note(objects, format!("service {name}"), format!("protocol {proto} port {port}"));
        names.push(name);
    }
    match names.as_slice() {
        [one] => one.clone(),
        many => format!("[ {} ]", many.join(" ")),
    }
}

fn filter(policy: &Policy) -> String {
    let side = |name: &str, range: Option<Range>| {
        let Some(range) = range.filter(|range| range.prefix() > 0) else { return String::new() };
        format!(" {name} {range}")
    };
    format!("{}{}", side("source", policy.from), side("destination", policy.to))
}
