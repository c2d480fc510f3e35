//! For tests: made-up devices, restrictions, conversations, and the packets of which those consist.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use model::net::Mac;
use proptest::prelude::*;

use crate::plan::{Approved, Intent};
use crate::range::Range;
use crate::restriction::{Conversation, Indicator, Pattern, Proto, Restriction, Way};
use crate::subject::Subject;

/// Callers' own ports, above all that patterns name.
const CALLERS: std::ops::Range<u16> = 40_000..60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Call,
    Answer,
}

/// A packet of a conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) mac: Option<Mac>,
    pub(super) proto: Proto,
    /// For ICMP the type.
    pub(super) from: u16,
    pub(super) to: u16,
    /// TCP with SYN and without ACK.
    pub(super) opens: bool,
    /// A later fragment, which has no ports.
    pub(super) later: bool,
}

/// The packets of a conversation: what opens it, what goes on, what is answered.
pub(super) fn packets(conversation: &Conversation, caller: u16) -> Vec<(Kind, Packet)> {
    let Conversation { client, server, proto, port } = *conversation;
    let (ask, answer) = match (proto, client.is_ipv4()) {
        (Proto::Icmp, true) => ((8, 0), (0, 0)),
        (Proto::Icmp, false) => ((128, 0), (129, 0)),
        _ => ((caller, port), (port, caller)),
    };
    let call = Packet {
        source: client,
        destination: server,
        mac: None,
        proto,
        from: ask.0,
        to: ask.1,
        opens: false,
        later: false,
    };
    let back = Packet { source: server, destination: client, from: answer.0, to: answer.1, ..call };
    let mut all = vec![(Kind::Open, Packet { opens: proto == Proto::Tcp, ..call })];
    if proto == Proto::Tcp {
        all.push((Kind::Call, call));
    }
    all.push((Kind::Answer, back));
    all
}

pub(super) fn intent(subject: Subject, restriction: Restriction) -> Intent {
    Intent { id: "A-0001".to_owned(), subject, restriction, ttl: Duration::from_secs(900) }
}

pub(super) fn approved(plan: crate::Plan) -> Approved {
    let ttl = plan.intent.ttl;
    Approved::new(plan, ttl)
}

pub(super) fn subject(addresses: &[&str]) -> Subject {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Subject { addresses, ..Subject::default() }
}

/// A small world, so that what is made up meets.
fn place(net: u8, host: u8, v6: bool) -> IpAddr {
    if v6 {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, u16::from(net) + 1, u16::from(host)).into()
    } else {
        IpAddr::V4(Ipv4Addr::new(10, 0, net, host))
    }
}

pub(super) fn address() -> impl Strategy<Value = IpAddr> {
    (0_u8..3, 0_u8..6, any::<bool>()).prop_map(|(net, host, v6)| place(net, host, v6))
}

pub(super) fn range() -> impl Strategy<Value = Range> {
    (address(), 0_usize..5).prop_map(|(address, which)| {
        let prefix = if address.is_ipv4() { [0, 8, 24, 30, 32] } else { [0, 16, 112, 125, 128] };
        Range::new(address, prefix[which])
    })
}

fn proto() -> impl Strategy<Value = Proto> {
    prop_oneof![Just(Proto::Tcp), Just(Proto::Udp), Just(Proto::Icmp)]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![Just(104), Just(443), Just(4_444)]
}

pub(super) fn pattern() -> impl Strategy<Value = Pattern> {
    let way = prop_oneof![Just(Way::Out), Just(Way::In)];
    (way, range(), proptest::option::of(proto()), proptest::option::weighted(0.7, port())).prop_map(
        |(way, peer, proto, port)| {
            let port = port.filter(|_| proto != Some(Proto::Icmp));
            Pattern { way, peer, proto, port }
        },
    )
}

pub(super) fn restriction() -> impl Strategy<Value = Restriction> {
    let patterns = || proptest::collection::vec(pattern(), 0..6);
    prop_oneof![
        patterns().prop_map(|flows| Restriction::Block { flows: with_both_ways(flows) }),
        range().prop_map(|range| Restriction::Perimeter { indicator: Indicator::Address(range) }),
        patterns().prop_map(|allow| Restriction::Essentials { allow }),
        proptest::collection::vec(range(), 0..4)
            .prop_map(|management| Restriction::Quarantine { management }),
    ]
}

/// What has no port is blocked both ways, half of the time.
fn with_both_ways(mut flows: Vec<Pattern>) -> Vec<Pattern> {
    if flows.len().is_multiple_of(2) {
        let other = |flow: &Pattern| Pattern {
            way: if flow.way == Way::Out { Way::In } else { Way::Out },
            ..*flow
        };
        let more: Vec<Pattern> =
            flows.iter().filter(|flow| flow.port.is_none()).map(other).collect();
        flows.extend(more);
    }
    flows
}

pub(super) fn device() -> impl Strategy<Value = Subject> {
    proptest::collection::vec(address(), 1..3)
        .prop_map(|addresses| Subject { addresses, ..Subject::default() })
}

/// Between two parties, and the caller's own port.
pub(super) fn conversation() -> impl Strategy<Value = (Conversation, u16)> {
    let parties = (0_u8..18, 1_u8..18, any::<bool>()).prop_map(|(one, further, v6)| {
        let at = |number: u8| place(number / 6, number % 6, v6);
        (at(one), at((one + further) % 18))
    });
    (parties, proto(), prop_oneof![port(), Just(80)], CALLERS).prop_map(
        |((client, server), proto, port, caller)| {
            let port = if proto == Proto::Icmp { 0 } else { port };
            (Conversation { client, server, proto, port }, caller)
        },
    )
}

/// Holds what an enforcer's rules do with packets against what the restriction says.
pub(super) fn agrees(
    intent: &Intent,
    conversation: &Conversation,
    caller: u16,
    cuts: impl Fn(&Packet) -> bool,
) -> Result<(), TestCaseError> {
    let meant = intent.restriction.drops(&intent.subject, conversation);
    let own = |address| intent.subject.has(address);
    let alone = own(conversation.client) && own(conversation.server);
    if alone && matches!(intent.restriction, Restriction::Quarantine { .. }) {
        // A device that is in part its own management, and talks to itself: either is right.
        return Ok(());
    }
    for (kind, packet) in packets(conversation, caller) {
        let cut = cuts(&packet);
        if !meant {
            prop_assert!(!cut, "{packet:?} is cut, and was not meant");
        } else if !is_open(&intent.restriction)
            || (kind == Kind::Open && packet.proto != Proto::Udp)
        {
            prop_assert!(cut, "{packet:?} is not cut");
        }
    }
    Ok(())
}

/// Whether an allow list has a pattern without port: packets of connections that exist, and all UDP,
/// may then look like answers.
fn is_open(restriction: &Restriction) -> bool {
    let Restriction::Essentials { allow } = restriction else { return false };
    allow.iter().any(|flow| flow.port.is_none())
}
