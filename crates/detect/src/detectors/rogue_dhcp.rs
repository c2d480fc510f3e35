//! A second address server, or a known one that suddenly hands out another way to the network.

use std::collections::BTreeSet;
use std::net::IpAddr;

use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin::same_subnet;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "rogue_dhcp",
    doc: "A DHCP server that is new, or that hands out other routers or name servers than before.",
    kind: FindingKind::Rule,
    reads: &["dhcp.message"],
    attack: &["T1557.003"],
    next_step: "Ask network engineering whether the server is theirs. If not, close its switch port, and have the devices that took an address from it renew it.",
    sources: &["RFC 2131", "RFC 7819", "spec S20"],
};

#[derive(Debug, Default, PartialEq, Eq, Clone, Serialize, Deserialize)]
struct Offer {
    routers: BTreeSet<String>,
    dns: BTreeSet<String>,
}

/// See the module.
#[derive(Debug)]
pub struct RogueDhcp {
    servers: Bounded<IpAddr, Offer>,
}

impl Default for RogueDhcp {
    fn default() -> Self {
        Self { servers: Bounded::new(1_000) }
    }
}

impl Detector for RogueDhcp {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if !matches!(o.str("type"), Some("offer" | "ack")) {
            return;
        }
        let Some(server) = o.ip("server_id").or(o.subject.ip) else { return };
        let set = |field| o.texts(field).iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let offer = Offer { routers: set("routers"), dns: set("dns_servers") };
        if cx.learning() {
            let known = self.servers.entry(server, Offer::default);
            known.routers.extend(offer.routers);
            known.dns.extend(offer.dns);
            return;
        }
        match self.servers.get(&server) {
            None => {
                let known = words::list(
                    &self.servers.sorted().iter().map(|(ip, _)| ip.to_string()).collect::<Vec<_>>(),
                    3,
                );
                let title = words::sentence(&format!(
                    "{} hands out network addresses, which it never did: devices that listen to it can be led anywhere.",
                    cx.subject(o)
                ));
                out.claim(cx, o, Severity::High, title)
                    .because(Reason::new("DHCP server", server, known))
                    .key(server.to_string())
                    .score(0.95)
                    .make();
            }
            Some(known) => {
                // A router of a subnet that nobody has had a lease in as yet is that subnet's own.
                let assigned = o.ip("assigned_ip").or(o.ip("client_ip"));
                let first_there = |router: &&String| {
                    let router = router.parse::<IpAddr>().ok();
                    let beside = |one: &String| match (router, one.parse().ok()) {
                        (Some(router), Some(one)) => same_subnet(router, one),
                        _ => false,
                    };
                    router.zip(assigned).is_some_and(|(router, ip)| same_subnet(router, ip))
                        && !known.routers.iter().any(beside)
                };
                let news: Vec<String> = offer
                    .routers
                    .difference(&known.routers)
                    .filter(|router| !first_there(router))
                    .chain(offer.dns.difference(&known.dns))
                    .cloned()
                    .collect();
                if news.is_empty() || (known.routers.is_empty() && known.dns.is_empty()) {
                    return;
                }
                let title = words::sentence(&format!(
                    "{} now sends devices to {} as router or name server, which it never did.",
                    cx.subject(o),
                    words::list(&news, 3)
                ));
                let usual: Vec<String> = known.routers.iter().chain(&known.dns).cloned().collect();
                out.claim(cx, o, Severity::Medium, title)
                    .because(Reason::new(
                        "router or name server handed out",
                        words::list(&news, 3),
                        words::list(&usual, 4),
                    ))
                    .key(format!("change {server}"))
                    .score(0.8)
                    .make();
            }
        }
    }

    fn save(&self) -> serde_json::Value {
        serde_json::to_value(&self.servers).unwrap_or_default()
    }

    fn load(&mut self, saved: &serde_json::Value) {
        if let Ok(servers) = Deserialize::deserialize(saved) {
            self.servers = servers;
        }
    }
}

#[cfg(test)]
mod tests {
    use model::net::Transport;

    use crate::fixture::{DESK, Host, INTRUDER, SERVER, Ward, ip, texts, word};

    fn offers(ward: &mut Ward, server: Host, assigned: &str, router: &str) {
        let fields = [
            ("type", word("ack")),
            ("server_id", ip(server.ip)),
            ("assigned_ip", ip(assigned)),
            ("routers", texts(&[router])),
            ("dns_servers", texts(&["10.0.1.13"])),
        ];
        let flow = ward.flow_over(Transport::Udp, server, DESK, 68);
        ward.say(&protocols::dhcp::MESSAGE, Some(&flow), server, Some(DESK), &fields);
    }

    fn leased() -> Ward {
        let mut ward = Ward::peopled();
        offers(&mut ward, SERVER, "10.0.3.50", "10.0.3.1");
        ward.watch();
        ward
    }

    #[test]
    fn a_second_server_and_another_way_out_are_found() {
        let mut ward = leased();
        offers(&mut ward, INTRUDER, "10.0.3.51", "10.0.3.99");
        ward.alerts("rogue_dhcp", INTRUDER);
        let mut ward = leased();
        offers(&mut ward, SERVER, "10.0.3.51", "10.0.3.99");
        ward.alerts("rogue_dhcp", SERVER);
    }

    #[test]
    fn another_subnet_has_another_router() {
        let mut ward = leased();
        offers(&mut ward, SERVER, "10.0.3.51", "10.0.3.1");
        offers(&mut ward, SERVER, "10.0.8.20", "10.0.8.1");
        ward.is_quiet();
    }
}
