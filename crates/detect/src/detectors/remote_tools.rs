//! A tool for remote help, for giving files away or for a way in from the internet appears where it
//! never was.
//!
//! Callers who pose as support have people install what real support uses, and then carry files off
//! with what administrators use. The tools are no malware, and in many hospitals one of them is the
//! usual one: what was seen while learning is quiet, on its machine, and a note on others; so is what
//! visitors bring. Names are taken from look-ups, from TLS and from web requests; `known.rs` has the list.
//!
//! The look-alike is a vendor's service session that was announced: nothing in the traffic tells it
//! apart, and so the step is to ask.

mod known;

use assets::Entity;
use learn::Bounded;
use model::device::{DeviceClass, Tier};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;
use known::Purpose;

static SPEC: DetectorSpec = DetectorSpec {
    name: "remote_tools",
    doc: "A tool for remote help, file drops or tunnels is used where it never was.",
    kind: FindingKind::Anomaly,
    reads: &["dns.query", "tls.client_hello", "http.request"],
    attack: &["T1219", "T1567.002", "T1572"],
    next_step: "Ask whoever works at the machine whether somebody called and offered help, and biomedical engineering whether a vendor's session was announced. If not, end it and take the machine off the network.",
    sources: &[
        "FBI, Silent Ransom Group (Private Industry Notification, May 2025)",
        "CISA AA23-025A",
        "CISA AA23-165A",
        "LOLRMM (lolrmm.io)",
        "MITRE ATT&CK T1219, T1567.002",
        "spec S22",
    ],
};

/// Addresses outside after which a machine of unknown class is one at which people browse.
const BROWSES: u32 = 4;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemoteTools {
    /// Who used a product while learning.
    users: Bounded<(Entity, Box<str>), ()>,
    /// Products that anybody used.
    products: Bounded<Box<str>, ()>,
}

impl Default for RemoteTools {
    fn default() -> Self {
        Self { users: Bounded::new(20_000), products: Bounded::new(1_000) }
    }
}

impl Detector for RemoteTools {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let field = match o.kind.name {
            "dns.query" => "name",
            "tls.client_hello" => "sni",
            _ => "host",
        };
        let Some((product, purpose)) = o.str(field).and_then(known::product) else { return };
        let (who, Entity::Device(_)) = (cx.who.subject, cx.who.subject) else { return };
        // A name server asks for others.
        let class = cx.class(who);
        if class == DeviceClass::DnsServer {
            return;
        }
        let key = (who, Box::from(product));
        if cx.learning() {
            self.users.entry(key, || ());
            self.products.entry(product.into(), || ());
            return;
        }
        if self.users.contains(&key) {
            return;
        }
        let usual = self.products.contains(&key.1);
        let severity = match cx.known_tier(who) {
            Some(Tier::T0 | Tier::T0i | Tier::T1) => Severity::High,
            _ if class == DeviceClass::ImagingWorkstation => Severity::High,
            Some(Tier::T2 | Tier::T3) => Severity::Medium,
            // The hospital's own tool on one more desk.
            _ if usual => Severity::Low,
            // A visitor's phone, or something else that has long browsed.
            None if cx.is_stranger(who) => Severity::Low,
            None if purpose != Purpose::Help && cx.normal.externals(who).0 > BROWSES => {
                Severity::Low
            }
            _ => Severity::Medium,
        };
        let what = match purpose {
            Purpose::Help => "a tool for remote help",
            Purpose::Files => "a place to drop files",
            Purpose::Tunnel => "a way in past the firewall",
        };
        let habit = if usual { "used here, but never by it" } else { "which nobody here used" };
        let title =
            words::sentence(&format!("{} calls {product} ({what}), {habit}.", cx.subject(o)));
        out.claim(cx, o, severity, title)
            .alone()
            .because(Reason::new(what, product, if usual { "others only" } else { "none" }))
            .attack(match purpose {
                Purpose::Help => &["T1219"],
                Purpose::Files => &["T1567.002"],
                Purpose::Tunnel => &["T1572"],
            })
            .key(product)
            .p_value(1.0 / (cx.normal.learned_seconds() / 60.0 + 2.0))
            .score(0.85)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;

    use crate::fixture::{DESK, DESK_B, Host, MONITORS, OUTSIDE, SERVER, Ward, nth, word};

    fn asks(ward: &mut Ward, from: Host, name: &str) {
        let fields = [("name", word(name)), ("type", word("A"))];
        ward.over(&protocols::dns::QUERY, from, SERVER, 53, &fields);
    }

    #[test]
    fn remote_help_on_a_desk_and_on_a_monitor_is_found() {
        for host in [DESK, MONITORS[0]] {
            let mut ward = Ward::peopled();
            ward.watch();
            asks(&mut ward, host, "relay-9.net.anydesk.com");
            ward.alerts("remote_tools", host);
        }
    }

    #[test]
    fn a_visitor_s_phone_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        asks(&mut ward, nth(80), "g.api.mega.co.nz");
        assert!(ward.worst("remote_tools") <= Some(Severity::Low));
    }

    #[test]
    fn files_dropped_are_found_by_the_name_in_tls() {
        let mut ward = Ward::peopled();
        ward.watch();
        let fields = [("sni", word("g.api.mega.co.nz"))];
        ward.over(&protocols::tls::CLIENT_HELLO, DESK, OUTSIDE, 443, &fields);
        ward.alerts("remote_tools", DESK);
    }

    #[test]
    fn the_hospital_s_own_tool_is_none_on_desks_and_still_one_on_monitors() {
        let mut ward = Ward::peopled();
        asks(&mut ward, DESK, "router7.teamviewer.com");
        ward.watch();
        asks(&mut ward, DESK, "router1.teamviewer.com");
        asks(&mut ward, DESK_B, "router1.teamviewer.com");
        asks(&mut ward, DESK_B, "www.example.org");
        assert!(ward.worst("remote_tools") <= Some(Severity::Low));
        asks(&mut ward, MONITORS[0], "router1.teamviewer.com");
        ward.alerts("remote_tools", MONITORS[0]);
    }
}
