//! What the rendered lines do with packets, read as the kernel reads them, against what the
//! restriction says.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::render::change;
use super::*;
use crate::enforcers::sample::{self, Packet};
use crate::range::Range;
use crate::restriction::{Pattern, Proto, Way};

/// The lines as a firewall.
struct Firewall {
    sets: BTreeMap<String, Vec<Vec<String>>>,
    rules: Vec<Vec<String>>,
}

impl Firewall {
    fn read(lines: &[String], id: &str) -> Self {
        let mut all = Self { sets: BTreeMap::new(), rules: Vec::new() };
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["add", "element", _, "wardwatch", set, "{", element @ .., "timeout", _, "}"] => {
                    let element = element.join(" ").split(" . ").map(str::to_owned).collect();
                    all.sets.entry((*set).to_owned()).or_default().push(element);
                }
                ["add", "rule", _, "wardwatch", chain, rule @ ..]
                    if *chain == format!("action-{id}") =>
                {
                    all.rules.push(rule.iter().map(|&word| word.to_owned()).collect());
                }
                _ => {}
            }
        }
        all
    }

    fn cuts(&self, packet: &Packet) -> bool {
        for rule in &self.rules {
            match self.verdict(rule, packet) {
                Some("drop") => return true,
                Some("return") => return false,
                _ => {}
            }
        }
        false
    }

    /// The verdict, where all of the rule matches.
    fn verdict<'a>(&self, rule: &'a [String], packet: &Packet) -> Option<&'a str> {
        let mut words: Vec<&str> = rule.iter().map(String::as_str).collect();
        let verdict = words.pop()?;
        if words.last() == Some(&"counter") {
            words.pop();
        }
        let text = words.join(" ");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (matched, after) = self.first(rest, packet);
            if !matched {
                return None;
            }
            rest = after.trim_start();
        }
        Some(match verdict {
            "drop" => "drop",
            "return" => "return",
            other => panic!("verdict {other}"),
        })
    }

    /// Whether the first match of a rule's text matches, and what follows.
    fn first<'t>(&self, text: &'t str, packet: &Packet) -> (bool, &'t str) {
        if let Some(after) = text.strip_prefix("tcp flags & (syn | ack) == syn") {
            return (packet.proto == Proto::Tcp && !packet.later && packet.opens, after);
        }
        if let Some(after) = text.strip_prefix("ip frag-off & 0x1fff != 0") {
            return (packet.source.is_ipv4() && packet.later, after);
        }
        if let Some(after) = text.strip_prefix("frag frag-off != 0") {
            return (packet.source.is_ipv6() && packet.later, after);
        }
        if let Some(at) = text.find('@')
            && !text[..at].contains('{')
        {
            let (set, after) = text[at + 1..].split_once(' ').unwrap_or((&text[at + 1..], ""));
            let fields: Option<Vec<String>> =
                text[..at].trim().split(" . ").map(|field| value(field, packet)).collect();
            let Some(fields) = fields else { return (false, after) };
            let elements = self.sets.get(set).map_or(&[][..], Vec::as_slice);
            let hit = elements.iter().any(|element| {
                element.len() == fields.len()
                    && element.iter().zip(&fields).all(|(range, field)| is_in(range, field))
            });
            return (hit, after);
        }
        if let Some((field, rest)) = text.split_once(" {")
            && let Some((list, after)) = rest.split_once('}')
        {
            let (field, negated) = match field.strip_suffix(" !=") {
                Some(field) => (field, true),
                None => (field, false),
            };
            let fields: Option<Vec<String>> =
                field.split(" . ").map(|field| value(field, packet)).collect();
            let Some(fields) = fields else { return (false, after) };
            let said = fields.join(" . ");
            return (list.split(',').any(|one| one.trim() == said) != negated, after);
        }
        let words: Vec<&str> = text.splitn(5, ' ').collect();
        let [one, two, "!=", nobody, ..] = words.as_slice() else { panic!("rule '{text}'") };
        let matched = value(&format!("{one} {two}"), packet).is_some_and(|value| value != *nobody);
        (matched, words.get(4).copied().unwrap_or_default())
    }
}

/// What a packet has in a field; nothing where it has no such field.
fn value(field: &str, packet: &Packet) -> Option<String> {
    let v4 = packet.source.is_ipv4();
    let ported = packet.proto != Proto::Icmp;
    let known = match field {
        "ip saddr" if v4 => packet.source.to_string(),
        "ip daddr" if v4 => packet.destination.to_string(),
        "ip6 saddr" if !v4 => packet.source.to_string(),
        "ip6 daddr" if !v4 => packet.destination.to_string(),
        "meta l4proto" => packet.proto.to_string(),
        "ether saddr" => packet.mac?.to_string(),
        "th sport" if !packet.later && ported => packet.from.to_string(),
        "th dport" if !packet.later && ported => packet.to.to_string(),
        "udp sport" if !packet.later && packet.proto == Proto::Udp => packet.from.to_string(),
        "udp dport" if !packet.later && packet.proto == Proto::Udp => packet.to.to_string(),
        "icmp type" if !packet.later && !ported && v4 => packet.from.to_string(),
        "icmpv6 type" if !packet.later && !ported && !v4 => packet.from.to_string(),
        "ip saddr" | "ip daddr" | "ip6 saddr" | "ip6 daddr" | "th sport" | "th dport"
        | "udp sport" | "udp dport" | "icmp type" | "icmpv6 type" => return None,
        other => panic!("field '{other}'"),
    };
    Some(known)
}

fn is_in(range: &str, field: &str) -> bool {
    match (range.parse::<Range>(), field.parse()) {
        (Ok(range), Ok(address)) => range.contains(address),
        _ => range == field,
    }
}

fn firewall(intent: &Intent) -> Result<Firewall, String> {
    let lines = change(&NftablesConfig::default(), intent, intent.ttl)?;
    Ok(Firewall::read(&lines, &intent.id))
}

fn packet(from: &str, to: &str) -> Packet {
    Packet {
        source: from.parse().unwrap(),
        destination: to.parse().unwrap(),
        mac: None,
        proto: Proto::Udp,
        from: 50_000,
        to: 443,
        opens: false,
        later: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn rules_cut_what_the_restriction_says_and_nothing_else(
        subject in sample::device(),
        restriction in sample::restriction(),
        talk in proptest::collection::vec(sample::conversation(), 12),
    ) {
        let intent = sample::intent(subject, restriction);
        let Ok(firewall) = firewall(&intent) else { return Ok(()) };
        for (conversation, caller) in talk {
            sample::agrees(&intent, &conversation, caller, |packet| firewall.cuts(packet))?;
        }
    }
}

fn block(pattern: &str, proto: Option<Proto>, port: Option<u16>) -> Restriction {
    let peer = pattern.parse().unwrap();
    Restriction::Block { flows: vec![Pattern { way: Way::Out, peer, proto, port }] }
}

#[test]
fn a_block_without_a_port_is_refused_one_way_and_made_both_ways() {
    let subject = sample::subject(&["10.0.0.5"]);
    for proto in [None, Some(Proto::Tcp), Some(Proto::Udp)] {
        let one = sample::intent(subject.clone(), block("10.0.1.0/24", proto, None));
        let why = firewall(&one).err().unwrap();
        assert!(why.contains("no port"), "{why}");
        let Restriction::Block { mut flows } = one.restriction else { unreachable!() };
        flows.push(Pattern { way: Way::In, ..flows[0] });
        let both = sample::intent(subject.clone(), Restriction::Block { flows });
        assert!(
            firewall(&both).unwrap().cuts(&packet("10.0.1.1", "10.0.0.5"))
                == (proto != Some(Proto::Tcp))
        );
    }
    let ping = sample::intent(subject, block("10.0.1.0/24", Some(Proto::Icmp), None));
    assert!(firewall(&ping).is_ok());
}

#[test]
fn a_block_of_everything_with_the_dhcp_server_leaves_the_device_its_address() {
    let Restriction::Block { mut flows } = block("10.0.0.1", None, None) else { unreachable!() };
    flows.push(Pattern { way: Way::In, ..flows[0] });
    let intent = sample::intent(sample::subject(&["10.0.0.5"]), Restriction::Block { flows });
    let firewall = firewall(&intent).unwrap();
    assert!(firewall.cuts(&packet("10.0.0.5", "10.0.0.1")));
    assert!(!firewall.cuts(&Packet { from: 68, to: 67, ..packet("10.0.0.5", "10.0.0.1") }));
    assert!(!firewall.cuts(&Packet { from: 67, to: 68, ..packet("10.0.0.1", "10.0.0.5") }));
}

#[test]
fn later_fragments_of_what_is_essential_pass_and_of_others_do_not() {
    let allow = vec![Pattern {
        way: Way::Out,
        peer: "10.0.1.0/24".parse().unwrap(),
        proto: Some(Proto::Udp),
        port: Some(514),
    }];
    let intent = sample::intent(sample::subject(&["10.0.0.5"]), Restriction::Essentials { allow });
    let firewall = firewall(&intent).unwrap();
    let later = |from, to| Packet { later: true, ..packet(from, to) };
    assert!(!firewall.cuts(&later("10.0.0.5", "10.0.1.9")));
    assert!(!firewall.cuts(&later("10.0.1.9", "10.0.0.5")));
    assert!(firewall.cuts(&later("10.0.0.5", "10.0.2.9")));
}

#[test]
fn a_quarantined_device_with_another_address_is_held_by_its_ethernet_address() {
    let mut subject = sample::subject(&["10.0.0.5"]);
    subject.mac = Some("00:1b:21:0a:0b:0c".parse().unwrap());
    let mac = subject.mac;
    let management = vec!["10.9.0.0/16".parse().unwrap()];
    let intent = sample::intent(subject, Restriction::Quarantine { management });
    let firewall = firewall(&intent).unwrap();
    let of = |from, to| Packet { mac, ..packet(from, to) };
    assert!(firewall.cuts(&of("10.0.0.77", "10.0.2.9")));
    assert!(!firewall.cuts(&of("10.0.0.77", "10.9.2.9")));
    assert!(!firewall.cuts(&of("0.0.0.0", "255.255.255.255")), "it may ask for an address");
    assert!(!firewall.cuts(&packet("10.0.0.78", "10.0.2.9")), "others are free");
}

#[test]
fn what_lets_through_outlives_what_denies() {
    let allow = vec![Pattern { way: Way::Out, peer: Range::ALL_V4, proto: None, port: Some(104) }];
    let management = vec!["10.9.0.0/16".parse().unwrap()];
    for restriction in [Restriction::Essentials { allow }, Restriction::Quarantine { management }] {
        let intent = sample::intent(sample::subject(&["10.0.0.5"]), restriction);
        let lines = change(&NftablesConfig::default(), &intent, intent.ttl).unwrap();
        for line in lines.iter().filter(|line| line.starts_with("add element")) {
            let ttl = if line.contains(".pass-") { "timeout 960000ms" } else { "timeout 900000ms" };
            assert!(line.contains(ttl), "{line}");
        }
        assert!(lines.iter().any(|line| line.contains("960000ms")));
    }
}

#[test]
fn nothing_without_an_end_and_no_name_that_is_a_command_gets_into_a_line() {
    let config = NftablesConfig::default();
    let mut intent = sample::intent(
        sample::subject(&["10.0.0.5"]),
        block("10.0.1.1", Some(Proto::Tcp), Some(443)),
    );
    assert!(change(&config, &intent, Duration::ZERO).is_err());
    for line in change(&config, &intent, intent.ttl).unwrap() {
        assert!(!line.starts_with("add element") || line.contains(" timeout 900000ms "), "{line}");
    }
    for bad in ["", "A 1", "A;flush ruleset", "A\nflush", "A.1", "{"] {
        intent.id = bad.to_owned();
        assert!(change(&config, &intent, intent.ttl).is_err(), "{bad}");
    }
    let mut nobody = intent.clone();
    nobody.id = "A-1".to_owned();
    for bad in ["0.0.0.0", "224.0.0.1", "127.0.0.1", "::ffff:10.0.0.5", "255.255.255.255"] {
        nobody.subject = sample::subject(&[bad]);
        assert!(change(&config, &nobody, intent.ttl).is_err(), "{bad}");
    }
}
