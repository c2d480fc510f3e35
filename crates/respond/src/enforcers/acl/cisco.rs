//! Cisco IOS access lists. Without state: `established` is TCP with ACK or RST, and later fragments
//! are matched by addresses where a line permits, and not at all where it denies by port.

use std::net::{IpAddr, Ipv4Addr};

use super::Text;
use crate::enforcers::halves::{
    self, Half, ICMP_ANSWERS, ICMP_ERRORS, ICMP6_ANSWERS, ICMP6_ERRORS, Leg, NEIGHBOURS, What,
};
use crate::plan::Intent;
use crate::range::Range;
use crate::restriction::{Indicator, Proto, Restriction};

/// ICMP types that call somebody.
const ICMP_CALLS: &[u8] = &[8, 13, 15, 17];
const ICMP6_CALLS: &[u8] = &[128];

/// Which packets a list sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// Those from the device; `any` is the device.
    Device,
    Both,
}

/// The downloadable list for the device's port.
pub(super) fn dacl(intent: &Intent) -> Result<Text, String> {
    let mut change = Vec::new();
    let mut undo = Vec::new();
    for (v6, lines) in lists(intent, Sees::Device)? {
        let name = name(intent, v6);
        change.push(format!("! Downloadable ACL {name}"));
        change.extend(lines);
        undo.push(format!(
            "! Take the downloadable ACL {name} out of the authorisation profile, then reauthenticate"
        ));
    }
    Ok(Text { change, undo })
}

/// The named list for an interface.
pub(super) fn extended(intent: &Intent) -> Result<Text, String> {
    let mut change = Vec::new();
    let mut undo = Vec::new();
    for (v6, lines) in lists(intent, Sees::Both)? {
        let name = name(intent, v6);
        let head = if v6 { "ipv6 access-list" } else { "ip access-list extended" };
        undo.push(format!("no {head} {name}"));
        // What an earlier list of this name said must not stay.
        change.push(format!("no {head} {name}"));
        change.push(format!("{head} {name}"));
        change.extend(lines.into_iter().map(|line| format!(" {line}")));
        change.push("exit".to_owned());
    }
    Ok(Text { change, undo })
}

fn name(intent: &Intent, v6: bool) -> String {
    format!("WW-{}{}", intent.id, if v6 { "-v6" } else { "" })
}

/// A list for each Internet protocol that is concerned.
fn lists(intent: &Intent, sees: Sees) -> Result<Vec<(bool, Vec<String>)>, String> {
    if let Restriction::Perimeter { indicator: Indicator::Address(range) } = intent.restriction {
        if range.prefix() == 0 {
            return Err("that is everybody".to_owned());
        }
        let v6 = range.address().is_ipv6();
        let (ip, place) = (if v6 { "ipv6" } else { "ip" }, place(range));
        let mut lines = vec![format!("deny {ip} any {place}")];
        if sees == Sees::Both {
            lines.push(format!("deny {ip} {place} any"));
        }
        lines.push(format!("permit {ip} any any"));
        return Ok(vec![(v6, lines)]);
    }
    let own = halves::own(&intent.subject)?;
    let mut lists = Vec::new();
    for v6 in [false, true] {
        let own: Vec<IpAddr> = own.iter().filter(|own| own.is_ipv6() == v6).copied().collect();
        if own.is_empty() {
            continue;
        }
        let lines = match &intent.restriction {
            Restriction::Block { flows } => {
                let halves = halves::block(&intent.subject, flows)?;
                if !halves.iter().any(|half| half.own.is_ipv6() == v6) {
                    continue;
                }
                block(&halves, v6, sees)
            }
            Restriction::Essentials { allow } => {
                let halves = halves::halves(&intent.subject, allow)?;
                essentials(&own, &halves, v6, sees)
            }
            Restriction::Quarantine { management } => quarantine(&own, management, v6, sees),
            Restriction::Perimeter { .. } => continue,
        };
        lists.push((v6, lines));
    }
    Ok(lists)
}

/// What is no conversation, and what a device without an address asks.
fn free(v6: bool, errors: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if v6 {
        lines.extend(NEIGHBOURS.iter().map(|kind| format!("permit icmp any any {kind}")));
        lines.push("permit udp any eq 546 any eq 547".to_owned());
    } else {
        lines.push("permit udp any eq 68 any eq 67".to_owned());
    }
    if errors {
        let errors = if v6 { ICMP6_ERRORS } else { ICMP_ERRORS };
        lines.extend(errors.iter().map(|kind| format!("permit icmp any any {kind}")));
    }
    lines
}

fn block(halves: &[Half], v6: bool, sees: Sees) -> Vec<String> {
    let mut lines = free(v6, true);
    if sees == Sees::Both {
        let (server, client) = if v6 { (547, 546) } else { (67, 68) };
        lines.push(format!("permit udp any eq {server} any eq {client}"));
    }
    for half in halves.iter().filter(|half| half.own.is_ipv6() == v6) {
        lines.extend(half_lines("deny", half, sees));
    }
    lines.push(format!("permit {} any any", if v6 { "ipv6" } else { "ip" }));
    lines
}

fn essentials(own: &[IpAddr], halves: &[Half], v6: bool, sees: Sees) -> Vec<String> {
    let mut lines = free(v6, true);
    for leg in [Leg::Call, Leg::Answer] {
        for half in halves.iter().filter(|half| half.own.is_ipv6() == v6 && half.leg == leg) {
            lines.extend(half_lines("permit", half, sees));
        }
    }
    lines.extend(deny_own(own, v6, sees));
    lines
}

fn quarantine(own: &[IpAddr], management: &[Range], v6: bool, sees: Sees) -> Vec<String> {
    let mut lines = free(v6, false);
    for &own in own {
        for peer in halves::widest(management, v6) {
            for leaves in [true, false] {
                let half = Half { own, peer, leaves, leg: Leg::Call, what: What::All };
                lines.extend(half_lines("permit", &half, sees));
            }
        }
    }
    lines.extend(deny_own(own, v6, sees));
    lines
}

fn deny_own(own: &[IpAddr], v6: bool, sees: Sees) -> Vec<String> {
    let ip = if v6 { "ipv6" } else { "ip" };
    if sees == Sees::Device {
        return vec![format!("deny {ip} any any")];
    }
    let mut lines = Vec::new();
    for &own in own {
        let own = place(Range::one(own));
        lines.push(format!("deny {ip} {own} any"));
        lines.push(format!("deny {ip} any {own}"));
    }
    lines.push(format!("permit {ip} any any"));
    lines
}

fn half_lines(verdict: &str, half: &Half, sees: Sees) -> Vec<String> {
    if sees == Sees::Device && !half.leaves {
        return Vec::new();
    }
    let v6 = half.own.is_ipv6();
    let from = if sees == Sees::Device { "any".to_owned() } else { place(half.from()) };
    let to = place(half.to());
    let ip = if v6 { "ipv6" } else { "ip" };
    // An answer that is let through must be one.
    let answers = verdict == "permit" && half.leg == Leg::Answer;
    let ending = |proto: Proto| if answers && proto == Proto::Tcp { " established" } else { "" };
    match half.what {
        What::Port(proto, port) => vec![match half.leg {
            Leg::Call => format!("{verdict} {proto} {from} {to} eq {port}"),
            Leg::Answer => format!("{verdict} {proto} {from} eq {port} {to}{}", ending(proto)),
        }],
        What::Proto(proto) => vec![format!("{verdict} {proto} {from} {to}{}", ending(proto))],
        What::Icmp => {
            let types = match (half.leg, v6) {
                (Leg::Call, false) => ICMP_CALLS,
                (Leg::Call, true) => ICMP6_CALLS,
                (Leg::Answer, false) => ICMP_ANSWERS,
                (Leg::Answer, true) => ICMP6_ANSWERS,
            };
            types.iter().map(|kind| format!("{verdict} icmp {from} {to} {kind}")).collect()
        }
        What::All if answers => {
            let what = [What::Proto(Proto::Tcp), What::Proto(Proto::Udp), What::Icmp];
            what.into_iter()
                .flat_map(|what| half_lines(verdict, &Half { what, ..*half }, sees))
                .collect()
        }
        What::All => vec![format!("{verdict} {ip} {from} {to}")],
    }
}

/// A range with a wildcard mask, or a prefix.
fn place(range: Range) -> String {
    match (range.address(), range.prefix()) {
        (_, 0) => "any".to_owned(),
        (address, _) if range.is_one() => format!("host {address}"),
        (IpAddr::V4(address), prefix) => {
            let wildcard = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
            format!("{address} {}", Ipv4Addr::from_bits(wildcard))
        }
        (IpAddr::V6(_), _) => range.to_string(),
    }
}
