//! FortiGate command line (FortiOS 7). New policies stand last, where an earlier one may let pass
//! what they deny: the text ends with what moves them to the top.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

use super::{Policy, Text, policies};
use crate::plan::Intent;
use crate::range::Range;
use crate::restriction::Proto;

/// Most policies of one action, so that numbers of different actions do not meet.
const MOST: usize = 1_000;

pub(super) fn text(intent: &Intent) -> Result<Text, String> {
    let policies = policies(intent)?;
    if policies.len() > MOST {
        return Err(format!("more than {MOST} policies"));
    }
    let mut names = Names::default();
    let mut rules = Vec::new();
    let mut ids = Vec::new();
    for (number, policy) in policies.iter().enumerate() {
        let id = first_id(&intent.id) + number as u64;
        ids.push(id);
        rules.extend(rule(intent, id, number + 1, policy, &mut names));
    }
    let mut change = names.define(intent);
    change.push("config firewall policy".to_owned());
    change.extend(rules);
    change.push("# Replace FIRST by the number of the policy that stands first:".to_owned());
    change.extend(ids.iter().map(|id| format!("#    move {id} before FIRST")));
    change.push("end".to_owned());
    change.push("# Sessions that exist go on until cleared:".to_owned());
    for policy in policies.iter().filter(|policy| !policy.pass) {
        change.extend(clearing(policy));
    }
    let mut undo = vec!["config firewall policy".to_owned()];
    undo.extend(ids.iter().map(|id| format!("    delete {id}")));
    undo.push("end".to_owned());
    undo.extend(names.remove(intent));
    Ok(Text { change, undo })
}

/// Numbers of policies: from 3 000 000 000, where nobody counts by hand.
fn first_id(id: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let [a, b, c, ..] = digest;
    let place = u64::from(u32::from_be_bytes([0, a, b, c]) & 0xf_ffff);
    3_000_000_000 + place * MOST as u64
}

fn clearing(policy: &Policy) -> Vec<String> {
    let session = if policy.v6 { "session6" } else { "session" };
    let side = |name: &str, range: Option<Range>| {
        let range = range.filter(|range| range.prefix() > 0)?;
        let (first, last) = (range.address(), last(range));
        Some(format!("# diagnose sys {session} filter {name} {first} {last}"))
    };
    let mut lines = vec![format!("# diagnose sys {session} filter clear")];
    lines.extend(side("src", policy.from));
    lines.extend(side("dst", policy.to));
    lines.push(format!("# diagnose sys {session} clear"));
    lines
}

/// The last address of a range.
fn last(range: Range) -> IpAddr {
    match range.address() {
        IpAddr::V4(v4) => {
            let rest = u32::MAX.checked_shr(range.prefix().into()).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() | rest).into()
        }
        IpAddr::V6(v6) => {
            let rest = u128::MAX.checked_shr(range.prefix().into()).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() | rest).into()
        }
    }
}

/// Objects that policies name.
#[derive(Default)]
struct Names {
    addresses: Vec<Range>,
    services: Vec<(Option<Proto>, u16)>,
}

impl Names {
    fn address(&mut self, intent: &Intent, range: Option<Range>) -> String {
        let Some(range) = range.filter(|range| range.prefix() > 0) else {
            return "all".to_owned();
        };
        if !self.addresses.contains(&range) {
            self.addresses.push(range);
        }
        address_name(intent, range)
    }

    fn service(&mut self, intent: &Intent, policy: &Policy) -> String {
        let name = match (policy.proto, policy.port) {
            (None, None) => "ALL",
            (Some(Proto::Tcp), None) => "ALL_TCP",
            (Some(Proto::Udp), None) => "ALL_UDP",
            (Some(Proto::Icmp), _) if policy.v6 => "ALL_ICMP6",
            (Some(Proto::Icmp), _) => "ALL_ICMP",
            (proto, Some(port)) => {
                if !self.services.contains(&(proto, port)) {
                    self.services.push((proto, port));
                }
                return service_name(intent, proto, port);
            }
        };
        name.to_owned()
    }

    fn define(&self, intent: &Intent) -> Vec<String> {
        let mut lines = Vec::new();
        for v6 in [false, true] {
            let of = self.addresses.iter().filter(|range| range.address().is_ipv6() == v6);
            let (table, set) = if v6 { ("address6", "ip6") } else { ("address", "subnet") };
            let mut own: Vec<String> = Vec::new();
            for range in of {
                own.push(format!("    edit \"{}\"", address_name(intent, *range)));
                own.push(format!("        set {set} {}/{}", range.address(), range.prefix()));
                own.push("    next".to_owned());
            }
            lines.extend(in_table(table, own));
        }
        let mut own = Vec::new();
        for &(proto, port) in &self.services {
            own.push(format!("    edit \"{}\"", service_name(intent, proto, port)));
            if proto != Some(Proto::Udp) {
                own.push(format!("        set tcp-portrange {port}"));
            }
            if proto != Some(Proto::Tcp) {
                own.push(format!("        set udp-portrange {port}"));
            }
            own.push("    next".to_owned());
        }
        lines.extend(in_table("service custom", own));
        lines
    }

    fn remove(&self, intent: &Intent) -> Vec<String> {
        let mut lines = Vec::new();
        let services = self
            .services
            .iter()
            .map(|&(proto, port)| format!("    delete \"{}\"", service_name(intent, proto, port)));
        lines.extend(in_table("service custom", services.collect()));
        for v6 in [false, true] {
            let of = self.addresses.iter().filter(|range| range.address().is_ipv6() == v6);
            let own = of.map(|range| format!("    delete \"{}\"", address_name(intent, *range)));
            lines.extend(in_table(if v6 { "address6" } else { "address" }, own.collect()));
        }
        lines
    }
}

fn in_table(table: &str, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    let mut all = vec![format!("config firewall {table}")];
    all.extend(lines);
    all.push("end".to_owned());
    all
}

fn address_name(intent: &Intent, range: Range) -> String {
    format!("WW-{}-{range}", intent.id)
}

fn service_name(intent: &Intent, proto: Option<Proto>, port: u16) -> String {
    format!("WW-{}-{}-{port}", intent.id, proto.map_or("any", Proto::name))
}

fn rule(
    intent: &Intent,
    id: u64,
    number: usize,
    policy: &Policy,
    names: &mut Names,
) -> Vec<String> {
    let (source, destination) =
        if policy.v6 { ("srcaddr6", "dstaddr6") } else { ("srcaddr", "dstaddr") };
    let from = names.address(intent, policy.from);
    let to = names.address(intent, policy.to);
    let service = names.service(intent, policy);
    vec![
        format!("    edit {id}"),
        format!("        set name \"WW-{}-{number}\"", intent.id),
        "        set srcintf \"any\"".to_owned(),
        "        set dstintf \"any\"".to_owned(),
        format!("        set {source} \"{from}\""),
        format!("        set {destination} \"{to}\""),
        format!("        set service \"{service}\""),
        "        set schedule \"always\"".to_owned(),
        format!("        set action {}", if policy.pass { "accept" } else { "deny" }),
        "    next".to_owned(),
    ]
}
