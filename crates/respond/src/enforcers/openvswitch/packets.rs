//! What the rendered flows do with packets, read as the switch reads them, against what the
//! restriction says.

use proptest::prelude::*;

use super::*;
use crate::enforcers::sample::{self, Packet};
use crate::range::Range;
use crate::restriction::{Pattern, Proto, Restriction, Way};

pub(super) fn config() -> OpenvswitchConfig {
    OpenvswitchConfig {
        bridge: "br0".to_owned(),
        first_table: first_table(),
        then: then(),
        command: command(),
    }
}

struct Flow {
    table: u8,
    priority: u16,
    matches: Vec<String>,
    actions: String,
}

fn read(lines: &[String]) -> Vec<Flow> {
    let added = lines.iter().filter_map(|line| line.strip_prefix("add "));
    added
        .map(|line| {
            let (matches, actions) = line.split_once(",actions=").unwrap();
            let mut flow =
                Flow { table: 0, priority: 0, matches: Vec::new(), actions: actions.to_owned() };
            for part in matches.split(',') {
                match part.split_once('=') {
                    Some(("table", table)) => flow.table = table.parse().unwrap(),
                    Some(("priority", priority)) => flow.priority = priority.parse().unwrap(),
                    Some(("cookie" | "hard_timeout", _)) => {}
                    _ => flow.matches.push(part.to_owned()),
                }
            }
            flow
        })
        .collect()
}

fn cuts(flows: &[Flow], packet: &Packet) -> bool {
    let mut table = 0;
    loop {
        let of = flows.iter().filter(|flow| flow.table == table);
        let best = of
            .filter(|flow| flow.matches.iter().all(|one| is_match(one, packet)))
            .max_by_key(|flow| flow.priority);
        let Some(best) = best else {
            // In table 0 the switch does what it always does; in ours nothing may be missed.
            assert_eq!(table, 0, "a packet is lost in table {table}");
            return false;
        };
        match best.actions.as_str() {
            "drop" => return true,
            "NORMAL" => return false,
            other => table = other[10..other.len() - 1].parse().unwrap(),
        }
    }
}

fn is_match(one: &str, packet: &Packet) -> bool {
    let v4 = packet.source.is_ipv4();
    let is = |proto, four| packet.proto == proto && v4 == four;
    let number = |text: &str| text.parse::<u16>().unwrap();
    let range = |text: &str| text.parse::<Range>().unwrap();
    // Later fragments have ports of zero (ovs-fields(7)).
    let (from, to) = if packet.later { (0, 0) } else { (packet.from, packet.to) };
    match one.split_once('=') {
        None => match one {
            "ip" => v4,
            "ipv6" => !v4,
            "tcp" => is(Proto::Tcp, true),
            "tcp6" => is(Proto::Tcp, false),
            "udp" => is(Proto::Udp, true),
            "udp6" => is(Proto::Udp, false),
            "icmp" => is(Proto::Icmp, true),
            "icmp6" => is(Proto::Icmp, false),
            other => panic!("match {other}"),
        },
        Some(("nw_src" | "ipv6_src", text)) => range(text).contains(packet.source),
        Some(("nw_dst" | "ipv6_dst", text)) => range(text).contains(packet.destination),
        Some(("dl_src", mac)) => packet.mac.is_some_and(|own| own.to_string() == mac),
        Some(("tp_src" | "icmp_type", text)) => from == number(text),
        Some(("tp_dst", text)) => to == number(text),
        Some(("tcp_flags", "+syn-ack")) => packet.opens && !packet.later,
        Some(("nw_frag", "later")) => packet.later,
        other => panic!("match {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn flows_cut_what_the_restriction_says_and_nothing_else(
        subject in sample::device(),
        restriction in sample::restriction(),
        talk in proptest::collection::vec(sample::conversation(), 12),
    ) {
        let intent = sample::intent(subject, restriction);
        let Ok(lines) = render::change(&config(), &intent, intent.ttl) else { return Ok(()) };
        let flows = read(&lines);
        for (conversation, caller) in talk {
            sample::agrees(&intent, &conversation, caller, |packet| cuts(&flows, packet))?;
        }
    }

    #[test]
    fn between_two_restricted_devices_only_what_both_allow_passes(
        talk in proptest::collection::vec(sample::conversation(), 40),
        one in sample::pattern(), other in sample::pattern(),
    ) {
        let ported = |flow: Pattern| match flow.proto {
            Some(Proto::Icmp) => Pattern { proto: None, port: Some(104), ..flow },
            _ => Pattern { port: flow.port.or(Some(443)), ..flow },
        };
        let (one, other) = (ported(one), ported(other));
        let devices = [("10.0.0.1", one, "A-1"), ("10.0.0.2", other, "A-2")];
        let intents = devices.map(|(address, flow, id)| {
            let allow = Restriction::Essentials { allow: vec![flow] };
            let mut intent = sample::intent(sample::subject(&[address]), allow);
            id.clone_into(&mut intent.id);
            intent
        });
        let lines: Vec<String> = intents
            .iter()
            .flat_map(|intent| render::change(&config(), intent, intent.ttl).unwrap())
            .collect();
        let flows = read(&lines);
        for (conversation, caller) in talk {
            let meant = intents
                .iter()
                .any(|intent| intent.restriction.drops(&intent.subject, &conversation));
            for (_, packet) in sample::packets(&conversation, caller) {
                prop_assert_eq!(cuts(&flows, &packet), meant, "{:?}", packet);
            }
        }
    }
}

#[test]
fn flows_that_let_through_outlive_those_that_deny_and_only_those_that_hand_on_stay() {
    let way = Way::Out;
    let allow = vec![Pattern { way, peer: Range::ALL_V4, proto: None, port: Some(104) }];
    let intent = sample::intent(sample::subject(&["10.0.0.5"]), Restriction::Essentials { allow });
    let lines = render::change(&config(), &intent, intent.ttl).unwrap();
    for line in lines.iter().filter(|line| line.starts_with("add")) {
        let ends = line.contains("hard_timeout=900,");
        match () {
            () if line.contains("cookie=0x5757000000000000") => {
                assert!(line.contains("priority=0,actions=resubmit") || line.ends_with("NORMAL"));
            }
            () if line.ends_with("actions=drop") || line.contains("table=0,") => {
                assert!(ends, "{line}");
            }
            () => assert!(line.contains("hard_timeout=960,"), "{line}"),
        }
    }
}

#[test]
fn the_time_that_a_dumped_flow_has_left_is_read() {
    let flow = " cookie=0x5757aa, duration=10.500s, table=0, n_packets=0, n_bytes=0, \
                hard_timeout=60, priority=60001,ip,nw_src=10.0.0.5 actions=resubmit(,200)";
    assert_eq!(render::holds(flow), Some(Duration::from_millis(49_500)));
    assert_eq!(render::holds(&flow.replace("table=0", "table=200")), None);
}
