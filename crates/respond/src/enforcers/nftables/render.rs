//! From an intent to the lines that `nft -f -` reads.
//!
//! An action has one chain that says what happens (`action-A-0001`), one that packets enter on their
//! own for each place where they are seen (`.in`, `.out`), and sets. Sets whose elements cut are
//! named `hold-`, those whose elements let through are named `pass-`: what passes lives
//! [`super::super::GRACE`] longer than what holds.
//!
//! A set is for one side of the device, one leg and one shape, so that its elements differ in the
//! peer only: ranges of peers are nested or disjoint, and the inner ones are left out, since the
//! kernel refuses elements that overlap.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{Family, NftablesConfig, TABLE};
use crate::enforcers::halves::{
    self, Half, ICMP_ANSWERS, ICMP_ERRORS, ICMP6_ANSWERS, ICMP6_ERRORS, Leg, NEIGHBOURS, What,
};
use crate::enforcers::{GRACE, is_plain};
use crate::plan::Intent;
use crate::range::Range;
use crate::restriction::{Indicator, Restriction};

/// What names of ours in the table begin with.
pub(super) const PREFIX: &str = "action-";
/// Sets whose elements cut: an action holds as long as one of them has an element.
pub(super) const HOLDING: &[&str] = &["hold"];

/// Words of an Internet protocol.
#[derive(Clone, Copy)]
struct Words {
    v6: bool,
    ip: &'static str,
    address: &'static str,
    icmp: &'static str,
    answers: &'static [u8],
    errors: &'static [u8],
    fragment: &'static str,
    mark: char,
}

const WORDS: [Words; 2] = [
    Words {
        v6: false,
        ip: "ip",
        address: "ipv4_addr",
        icmp: "icmp",
        answers: ICMP_ANSWERS,
        errors: ICMP_ERRORS,
        fragment: "ip frag-off & 0x1fff != 0",
        mark: '4',
    },
    Words {
        v6: true,
        ip: "ip6",
        address: "ipv6_addr",
        icmp: "icmpv6",
        answers: ICMP6_ANSWERS,
        errors: ICMP6_ERRORS,
        fragment: "frag frag-off != 0",
        mark: '6',
    },
];

/// Sets and rules of an action as they are put together.
struct Script<'a> {
    family: &'static str,
    id: &'a str,
    /// Name to type and elements, each with its time to live.
    sets: BTreeMap<String, (String, Vec<(String, Duration)>)>,
    rules: Vec<String>,
    hold: Duration,
}

/// The change, with elements that hold for `hold`.
///
/// # Errors
/// Where it cannot be expressed exactly: why.
pub(super) fn change(
    config: &NftablesConfig,
    intent: &Intent,
    hold: Duration,
) -> Result<Vec<String>, String> {
    if !is_plain(&intent.id) {
        return Err("the name of the action has to be of letters, digits and hyphens".to_owned());
    }
    if hold.is_zero() {
        return Err("it would hold for no time".to_owned());
    }
    let mut script = Script {
        family: config.family.name(),
        id: &intent.id,
        sets: BTreeMap::new(),
        rules: Vec::new(),
        hold,
    };
    match &intent.restriction {
        Restriction::Block { flows } => {
            script.block(&halves::block(&intent.subject, flows)?);
        }
        Restriction::Perimeter { indicator: Indicator::Address(range) } => {
            script.perimeter(*range)?;
        }
        Restriction::Perimeter { indicator: Indicator::Domain(_) } => {
            return Err("packets do not name domains".to_owned());
        }
        Restriction::Essentials { allow } => {
            let own = halves::own(&intent.subject)?;
            script.essentials(&own, &halves::halves(&intent.subject, allow)?);
        }
        Restriction::Quarantine { management } => {
            let own = halves::own(&intent.subject)?;
            script.quarantine(intent, &own, management);
        }
    }
    Ok(script.lines(config))
}

/// How a change is undone, for people; [`super::Listing::removal`] is what is done.
pub(super) fn undo(config: &NftablesConfig, intent: &Intent, change: &[String]) -> Vec<String> {
    let family = config.family.name();
    let set = format!("add set {family} {TABLE} ");
    let sets = change.iter().filter_map(|line| line.strip_prefix(&set)?.split(' ').next());
    let mut sets: Vec<&str> = sets.collect();
    sets.sort_unstable();
    sets.dedup();
    remove(config, &intent.id, &sets)
}

fn remove(config: &NftablesConfig, id: &str, sets: &[&str]) -> Vec<String> {
    let family = config.family.name();
    let chains = chains(config, id);
    let flush = chains.iter().map(|chain| format!("flush chain {family} {TABLE} {chain}"));
    let delete = chains.iter().map(|chain| format!("delete chain {family} {TABLE} {chain}"));
    let sets = sets.iter().map(|set| format!("delete set {family} {TABLE} {set}"));
    flush.chain(delete).chain(sets).collect()
}

/// Names of an action's chains; those that packets enter come first.
fn chains(config: &NftablesConfig, id: &str) -> Vec<String> {
    let mut chains = vec![format!("{PREFIX}{id}.in")];
    if config.family != Family::Netdev {
        chains.push(format!("{PREFIX}{id}.out"));
    }
    chains.push(format!("{PREFIX}{id}"));
    chains
}

impl Script<'_> {
    fn set_name(&self, name: &str) -> String {
        format!("{PREFIX}{}.{name}", self.id)
    }

    /// Puts an element into a set, and says the set's name.
    fn element(&mut self, name: &str, kind: &str, element: String) -> String {
        let name = self.set_name(name);
        let ttl = if name.contains(".pass-") { self.hold + GRACE } else { self.hold };
        let set = self.sets.entry(name.clone()).or_insert_with(|| (kind.to_owned(), Vec::new()));
        set.1.push((element, ttl));
        name
    }

    fn rule(&mut self, rule: String) {
        self.rules.push(rule);
    }

    /// What is no conversation passes.
    fn neighbours(&mut self) {
        self.rule(format!("icmpv6 type {} return", numbers(NEIGHBOURS)));
    }

    fn errors(&mut self) {
        for words in WORDS {
            self.rule(format!("{} type {} return", words.icmp, numbers(words.errors)));
        }
    }

    /// The device keeps its address.
    fn dhcp(&mut self) {
        self.rule("udp sport . udp dport { 67 . 67, 67 . 68, 68 . 67 } return".to_owned());
        self.rule("udp sport . udp dport { 546 . 547, 547 . 546, 547 . 547 } return".to_owned());
    }

    /// Puts halves into sets, and a rule for each set.
    fn match_halves(&mut self, halves: &[Half], name: &str, verdict: &str) {
        let mut rules = BTreeMap::new();
        for half in halves {
            let words = words_of(half.own);
            let (from, to) = (half.from(), half.to());
            let side = if half.leaves { "from" } else { "to" };
            let leg = if half.leg == Leg::Call { "call" } else { "answer" };
            let Words { ip, address, icmp, mark, .. } = words;
            let pair = format!("{ip} saddr . {ip} daddr");
            let (shape, kind, element, before, expression) = match half.what {
                What::Port(proto, port) => (
                    "port",
                    format!("{address} . {address} . inet_proto . inet_service"),
                    format!("{from} . {to} . {proto} . {port}"),
                    String::new(),
                    match half.leg {
                        Leg::Call => format!("{pair} . meta l4proto . th dport"),
                        Leg::Answer => format!("{pair} . meta l4proto . th sport"),
                    },
                ),
                What::Proto(proto) => (
                    "proto",
                    format!("{address} . {address} . inet_proto"),
                    format!("{from} . {to} . {proto}"),
                    String::new(),
                    format!("{pair} . meta l4proto"),
                ),
                What::Icmp => (
                    "icmp",
                    format!("{address} . {address}"),
                    format!("{from} . {to}"),
                    match half.leg {
                        Leg::Call => format!("{icmp} type != {} ", not_calls(words)),
                        Leg::Answer => format!("{icmp} type {} ", numbers(words.answers)),
                    },
                    pair,
                ),
                What::All => (
                    "all",
                    format!("{address} . {address}"),
                    format!("{from} . {to}"),
                    String::new(),
                    pair,
                ),
            };
            let kind = format!("{{ type {kind}; flags interval,timeout; }}");
            let set = self.element(&format!("{name}-{side}-{leg}-{shape}{mark}"), &kind, element);
            let rule = format!("{before}{expression} @{set} {verdict}");
            rules.insert(set, rule);
        }
        self.rules.extend(rules.into_values());
    }

    fn block(&mut self, halves: &[Half]) {
        self.neighbours();
        self.errors();
        self.dhcp();
        self.match_halves(halves, "hold", "counter drop");
    }

    fn perimeter(&mut self, range: Range) -> Result<(), String> {
        if range.prefix() == 0 {
            return Err("that is everybody".to_owned());
        }
        let Words { ip, address, mark, .. } = words_of(range.address());
        let kind = format!("{{ type {address}; flags interval,timeout; }}");
        let set = self.element(&format!("hold-bad{mark}"), &kind, range.to_string());
        self.neighbours();
        self.rule(format!("{ip} saddr @{set} counter drop"));
        self.rule(format!("{ip} daddr @{set} counter drop"));
        Ok(())
    }

    /// Notes the device's own addresses; the rules that cut everything to and from them, behind
    /// whatever is put before.
    fn own(&mut self, own: &[IpAddr]) -> Vec<String> {
        let mut ends = Vec::new();
        for &address in own {
            let Words { ip, address: kind, mark, .. } = words_of(address);
            let kind = format!("{{ type {kind}; flags timeout; }}");
            let set = self.element(&format!("hold-own{mark}"), &kind, address.to_string());
            for end in [format!("{ip} saddr @{set}"), format!("{ip} daddr @{set}")] {
                if !ends.contains(&end) {
                    ends.push(end);
                }
            }
        }
        ends
    }

    fn essentials(&mut self, own: &[IpAddr], halves: &[Half]) {
        let ends = self.own(own);
        self.neighbours();
        self.errors();
        let (calls, answers): (Vec<Half>, Vec<Half>) =
            halves.iter().partition(|half| half.leg == Leg::Call);
        self.match_halves(&calls, "pass", "return");
        // Whatever opens a conversation that is not essential ends here, so that what looks like an
        // answer below cannot be a call.
        for end in &ends {
            self.rule(format!("tcp flags & (syn | ack) == syn {end} counter drop"));
            let words = WORDS[usize::from(end.starts_with("ip6 "))];
            let answers = numbers(words.answers);
            self.rule(format!("{} type != {answers} {end} counter drop", words.icmp));
        }
        self.match_halves(&answers, "pass", "return");
        self.fragments(halves);
        for end in ends {
            self.rule(format!("{end} counter drop"));
        }
    }

    /// Later parts of packets have no ports. With a peer of an essential conversation they pass: what
    /// they belong to is known by the first part, and without that they are worth nothing.
    fn fragments(&mut self, halves: &[Half]) {
        let mut parts: Vec<Half> =
            halves.iter().map(|half| Half { leg: Leg::Call, what: What::All, ..*half }).collect();
        parts.sort();
        parts.dedup();
        let mut rules = BTreeMap::new();
        for part in &parts {
            let inner = |other: &Half| {
                other != part
                    && (other.own, other.leaves) == (part.own, part.leaves)
                    && halves::covers(other.peer, part.peer)
            };
            if parts.iter().any(inner) {
                continue;
            }
            let Words { ip, address, fragment, mark, .. } = words_of(part.own);
            let side = if part.leaves { "from" } else { "to" };
            let kind = format!("{{ type {address} . {address}; flags interval,timeout; }}");
            let element = format!("{} . {}", part.from(), part.to());
            let set = self.element(&format!("pass-{side}-part{mark}"), &kind, element);
            rules.insert(set.clone(), format!("{fragment} {ip} saddr . {ip} daddr @{set} return"));
        }
        self.rules.extend(rules.into_values());
    }

    fn quarantine(&mut self, intent: &Intent, own: &[IpAddr], management: &[Range]) {
        let ends = self.own(own);
        self.neighbours();
        let mut passes = Vec::new();
        let mut after = Vec::new();
        for words in WORDS {
            let Words { v6, ip, address, mark, .. } = words;
            let ranges = halves::widest(management, v6);
            for &own in own.iter().filter(|own| own.is_ipv6() == v6) {
                for &peer in &ranges {
                    for leaves in [true, false] {
                        passes.push(Half { own, peer, leaves, leg: Leg::Call, what: What::All });
                    }
                }
            }
            // By its Ethernet address it is held too when it takes another address. Without any
            // address yet it may ask for one.
            let Some(mac) = intent.subject.mac.filter(|mac| mac.is_station()) else { continue };
            let kind = format!("{{ type ether_addr . {address}; flags interval,timeout; }}");
            for peer in ranges {
                let element = format!("{mac} . {peer}");
                let set = self.element(&format!("pass-mac{mark}"), &kind, element);
                let rule = format!("ether saddr . {ip} daddr @{set} return");
                if !after.contains(&rule) {
                    after.push(rule);
                }
            }
            let kind = "{ type ether_addr; flags timeout; }";
            let set = self.set_name("hold-mac");
            if !self.sets.contains_key(&set) {
                self.element("hold-mac", kind, mac.to_string());
            }
            let nobody = if v6 { "::" } else { "0.0.0.0" };
            after.push(format!("ether saddr @{set} {ip} saddr != {nobody} counter drop"));
        }
        self.match_halves(&passes, "pass", "return");
        for end in ends {
            self.rule(format!("{end} counter drop"));
        }
        self.rules.extend(after);
    }

    fn lines(self, config: &NftablesConfig) -> Vec<String> {
        let (family, id) = (self.family, self.id);
        let mut lines = vec![format!("add table {family} {TABLE}")];
        for (name, (kind, elements)) in &self.sets {
            lines.push(format!("add set {family} {TABLE} {name} {kind}"));
            for (element, ttl) in elements {
                let ttl = ttl.as_millis();
                lines.push(format!(
                    "add element {family} {TABLE} {name} {{ {element} timeout {ttl}ms }}"
                ));
            }
        }
        lines.push(format!("add chain {family} {TABLE} {PREFIX}{id}"));
        for rule in &self.rules {
            lines.push(format!("add rule {family} {TABLE} {PREFIX}{id} {rule}"));
        }
        for (name, hook) in hooks(config) {
            let chain = format!("{PREFIX}{id}.{name}");
            lines.push(format!("add chain {family} {TABLE} {chain} {{ {hook}; policy accept; }}"));
            lines.push(format!("add rule {family} {TABLE} {chain} jump {PREFIX}{id}"));
        }
        lines
    }
}

/// Where packets enter: before connections are tracked and addresses translated.
fn hooks(config: &NftablesConfig) -> Vec<(&'static str, String)> {
    match config.family {
        Family::Bridge | Family::Inet => vec![
            ("in", "type filter hook prerouting priority -300".to_owned()),
            ("out", "type filter hook output priority -300".to_owned()),
        ],
        Family::Netdev => {
            let devices = config.interfaces.join(", ");
            let hook = format!("type filter hook ingress devices = {{ {devices} }} priority -300");
            vec![("in", hook)]
        }
    }
}

fn words_of(address: IpAddr) -> Words {
    WORDS[usize::from(address.is_ipv6())]
}

fn numbers(numbers: &[u8]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u8::to_string).collect();
    format!("{{ {} }}", numbers.join(", "))
}

/// ICMP types that call nobody.
fn not_calls(words: Words) -> String {
    let mut all: Vec<u8> = words.answers.iter().chain(words.errors).copied().collect();
    all.sort_unstable();
    numbers(&all)
}
