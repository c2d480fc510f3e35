//! More connections or packets than a service can take.
//!
//! Four shapes: connection requests that are never completed (SYN flood), complete connections in
//! such number that they fill the server, and packets of one flow at a rate that only a flood has, and
//! frames of HTTP/2 that cost a server much and a client little. All but the last are held against the most that the target took while learning.

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::net::is_unicast;
use model::observation::{Observation, Party};
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "flood",
    doc: "Connections or packets at a rate that puts a service out of work.",
    kind: FindingKind::Rule,
    reads: &["flow.start", "flow.outcome", "flow.update", "flow.end", "protocol.anomaly"],
    attack: &["T1498", "T1499", "T0814"],
    next_step: "Warn the people who rely on the target: it may be slow or down. Find the sender's switch port and have it closed.",
    sources: &["RFC 4987", "CVE-2023-44487", "CVE-2024-27316"],
};

/// Starts of connections to one service in a second that are too many, unless learned otherwise.
const STARTS: f64 = 100.0;
/// Packets a second of one flow without an answer, unless learned otherwise: to anybody, and to a
/// device that care depends on. Video to a recorder has hundreds; what reaches a bedside has few.
const PACKETS: f64 = 400.0;
const PACKETS_CLINICAL: f64 = 150.0;
/// Echo requests a second, whether answered or not: people and monitoring tools send one.
const ECHOES: f64 = 40.0;
/// Fewest packets in a report.
const FEWEST: f64 = 150.0;
/// So many times the most that was learned.
const TIMES: f64 = 8.0;

#[derive(Debug, Serialize, Deserialize)]
struct Service {
    starts: Bucket,
    answered: Bucket,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Flood {
    services: Bounded<(Entity, u16, bool), Service>,
    senders: Bounded<(Entity, Entity, u16), Bucket>,
    rates: Bounded<Entity, f64>,
}

impl Default for Flood {
    fn default() -> Self {
        Self {
            services: Bounded::new(30_000),
            senders: Bounded::new(50_000),
            rates: Bounded::new(20_000),
        }
    }
}

impl Detector for Flood {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(flow) = &o.flow else { return };
        if !is_unicast(flow.tuple.responder.ip) || matches!(cx.who.peer, Entity::Group) {
            return;
        }
        match o.kind.name {
            "flow.start" => self.start(o, cx, out),
            "flow.outcome" => {
                if o.str("outcome") == Some("established") {
                    let key = key(o, cx);
                    if let Some(service) = self.services.get_mut(&key) {
                        service.answered.add(o.at, 1.0, false);
                    }
                }
            }
            "protocol.anomaly" => frames(o, cx, out),
            _ => self.packets(o, cx, out),
        }
    }
}

/// Whether an anomaly tells of a flood: frames that nobody sends so many of.
pub(super) fn is_flood(protocol: &str, what: &str) -> bool {
    protocol == "http2" && (what.starts_with("flood of") || what.starts_with("rapid reset"))
}

fn frames(o: &Observation, cx: &Context<'_>, out: &mut Findings) {
    let (Some(protocol), Some(what)) = (o.str("protocol"), o.str("what")) else { return };
    if !is_flood(protocol, what) {
        return;
    }
    let severity = if cx.is_clinical(cx.who.peer) { Severity::High } else { Severity::Medium };
    let title = words::sentence(&format!(
        "{} wears {} out over HTTP/2: {what}.",
        cx.subject(o),
        cx.peer(o),
    ));
    out.claim(cx, o, severity, title)
        .because(Reason::new("frames on one connection", what, "a few in a row"))
        .attack(&["T1499.003", "T0814"])
        .key("frames")
        .score(0.9)
        .make();
}

fn key(o: &Observation, cx: &Context<'_>) -> (Entity, u16, bool) {
    let tcp = o.str("transport") == Some("tcp");
    // A UDP or ICMP flood goes to any port; a TCP flood to the one that it fills.
    (cx.who.peer, if tcp { responder_port(o).unwrap_or(0) } else { 0 }, tcp)
}

impl Flood {
    fn start(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let key = key(o, cx);
        let service = self
            .services
            .entry(key, || Service { starts: Bucket::new(1.0), answered: Bucket::new(1.0) });
        let starts = service.starts.add(o.at, 1.0, cx.learning());
        let answered = service.answered.add(o.at, 0.0, false);
        let sender = self
            .senders
            .entry((cx.who.subject, key.0, key.1), || Bucket::new(1.0))
            .add(o.at, 1.0, false);
        let usual = service.starts.learned_max();
        if cx.learning() || starts < STARTS.max(usual * TIMES) {
            return;
        }
        let one_sender = sender >= starts * 0.5;
        let half_open = answered < starts * 0.3;
        let what = match (key.2, half_open) {
            (true, true) => "connection requests that are never completed",
            (true, false) => "connections",
            (false, _) => "single packets",
        };
        // Made-up sender addresses come from one network card, unless a router stands between.
        let card = o
            .subject
            .mac
            .filter(|_| !one_sender)
            .map(|mac| Party { mac: Some(mac), ..Party::default() });
        let behind = card.as_ref().map_or(Entity::Nobody, |card| cx.inventory.entity(card));
        let from = if one_sender { cx.subject(o) } else { "many senders".to_owned() };
        let title = words::sentence(&format!(
            "{from} flooded {} with {what}: {starts:.0} within a second.",
            cx.peer(o)
        ));
        let severity =
            if cx.is_clinical(cx.who.peer) { Severity::Critical } else { Severity::High };
        let claim = out.claim(cx, o, severity, title);
        let claim = if one_sender { claim } else { claim.about_peer(o) };
        let claim = match &card {
            Some(card) => claim.with(behind, card),
            None => claim,
        };
        claim
            .because(
                Reason::new(what, format!("{starts:.0}"), format!("at most {usual:.0}"))
                    .unit("a second"),
            )
            .because(
                Reason::new("of these answered", format!("{answered:.0}"), "nearly all")
                    .weight(0.5),
            )
            .key(format!("{:?} {}", key.0, key.1))
            .score(0.97)
            .make();
    }

    fn packets(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.str("transport") == Some("tcp") {
            return;
        }
        let seconds = o.float("seconds").unwrap_or(0.0).max(0.1);
        let sent = o.uint("delta_packets_out").unwrap_or(0) as f64;
        let back = o.uint("delta_packets_in").unwrap_or(0) as f64;
        let rate = sent / seconds;
        let usual = self.rates.entry(cx.who.peer, f64::default);
        if cx.learning() {
            *usual = usual.max(rate);
            return;
        }
        // Echo floods are answered one for one; a stream that is wanted is not new.
        let echoes = matches!(o.str("transport"), Some("icmp" | "icmp6"));
        let one_way = back < sent * 0.2 || o.str("transport") != Some("udp");
        let bound = match (echoes, cx.is_clinical(cx.who.peer)) {
            (true, _) => ECHOES,
            (false, true) => PACKETS_CLINICAL,
            (false, false) => PACKETS,
        };
        let known = cx.normal.knows_pair(cx.who.subject, cx.who.peer) && *usual > bound / 4.0;
        if sent < FEWEST || rate < bound.max(*usual * TIMES) || !one_way || known {
            return;
        }
        let usual = *usual;
        let title = words::sentence(&format!(
            "{} sends {} {rate:.0} {} packets a second.",
            cx.subject(o),
            cx.peer(o),
            o.str("transport").unwrap_or("ip").to_uppercase(),
        ));
        let severity =
            if cx.is_clinical(cx.who.peer) { Severity::Critical } else { Severity::High };
        out.claim(cx, o, severity, title)
            .because(
                Reason::new(
                    "packets to one target",
                    format!("{rate:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("a second"),
            )
            .key(format!("packets {:?}", cx.who.peer))
            .score(0.95)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::net::Transport;

    use crate::fixture::{DESK, Host, PACS, PUMPS, SERVER, Ward, ip, mac, nth, word};

    #[test]
    fn a_rapid_reset_is_a_flood_and_a_broken_frame_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        let flow = ward.call(DESK, PACS, 8_080);
        for what in ["frame of an unknown stream", "rapid reset of HTTP/2 streams"] {
            assert_eq!(ward.worst("flood"), None);
            let fields = [("protocol", word("http2")), ("what", word(what))];
            ward.say(&model::emit::ANOMALY, Some(&flow), DESK, Some(PACS), &fields);
        }
        ward.alerts("flood", DESK);
    }

    #[test]
    fn connection_requests_without_end_are_a_flood() {
        let mut ward = Ward::peopled();
        ward.watch();
        for _ in 0..150 {
            let flow = ward.flow(DESK, PACS, 104);
            let fields = [("transport", word("tcp"))];
            ward.say(&wire::kinds::START, Some(&flow), DESK, Some(PACS), &fields);
            ward.pass(0.004);
        }
        ward.alerts("flood", DESK);
    }

    #[test]
    fn made_up_senders_are_traced_to_the_card_they_come_from() {
        let mut ward = Ward::peopled();
        // The card shows whose it is.
        let hello = [
            ("operation", word("request")),
            ("sender_ip", ip(DESK.ip)),
            ("sender_mac", mac(DESK.mac)),
            ("target_ip", ip(PACS.ip)),
        ];
        ward.say(&protocols::arp::PACKET, None, DESK, None, &hello);
        ward.watch();
        for n in 0..240_u8 {
            let made_up = Host { mac: DESK.mac, ..nth(n) };
            let flow = ward.flow(made_up, PACS, 104);
            let fields = [("transport", word("tcp"))];
            ward.say(&wire::kinds::START, Some(&flow), made_up, Some(PACS), &fields);
            ward.pass(0.002);
        }
        let findings = ward.findings();
        let flood = findings.iter().find(|f| f.detector == "flood").expect("a flood");
        let desk = DESK.mac.parse().ok();
        assert!(flood.peers.iter().any(|peer| peer.mac == desk), "{flood:?}");
    }

    #[test]
    fn echo_requests_by_the_hundred_are_a_flood_and_a_ping_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        let flow = ward.flow_over(Transport::Icmp, DESK, PUMPS[0], 0);
        ward.grows(&flow, (DESK, PUMPS[0]), "icmp", [5, 5, 500, 500]);
        ward.is_quiet();
        ward.grows(&flow, (DESK, PUMPS[0]), "icmp", [900, 900, 90_000, 90_000]);
        ward.alerts("flood", DESK);
    }

    #[test]
    fn a_ward_that_comes_back_at_once_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        for n in 0..60 {
            ward.call(PUMPS[n % 3], SERVER, 8_443);
            ward.pass(0.02);
        }
        ward.is_quiet();
    }
}
