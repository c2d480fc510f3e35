//! A device of the hospital calls an address on the internet that it never called.
//!
//! Office computers do that all day. A clinical device has a maker's service or nothing: for it one
//! new address is enough. Addresses that a known name now points to, and those that others of the
//! hospital have long used, are no news.

use std::net::IpAddr;

use assets::Entity;
use learn::Bounded;
use learn::text::registered_domain;
use model::device::{DeviceClass, Tier};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "new_external",
    doc: "A clinical device calls an address on the internet that it never called.",
    kind: FindingKind::Anomaly,
    reads: &["flow.outcome", "dns.response"],
    attack: &["T1041", "T0882", "T0869"],
    next_step: "Ask the maker whether the address is theirs. If nobody knows it, block it at the perimeter and look at what was sent; the device's care function does not need it.",
    sources: &["CISA ICSMA-25-030-01", "spec S01, S17, S27"],
};

/// A device that called more than so many addresses while learning is used to the internet.
const FEW: u32 = 4;

/// One that others used in so many ways (who, which service) is a server, whatever it was taken for.
const SERVES: u32 = 8;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewExternal {
    /// Owner of the name under which an address was last found.
    names: Bounded<IpAddr, String>,
    /// Owners of names that were asked for while learning.
    usual: Bounded<String, ()>,
    told: Bounded<(Entity, IpAddr), ()>,
}

impl Default for NewExternal {
    fn default() -> Self {
        Self {
            names: Bounded::new(50_000),
            usual: Bounded::new(20_000),
            told: Bounded::new(50_000),
        }
    }
}

impl Detector for NewExternal {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if o.is("dns.response") {
            self.name(o, cx);
            return;
        }
        let (Entity::Device(actor), Entity::External(ip)) = (cx.who.subject, cx.who.peer) else {
            return;
        };
        let known = cx.familiarity();
        if cx.learning() || known.pair {
            return;
        }
        let mut new = false;
        self.told.entry((cx.who.subject, ip), || new = true);
        if !new {
            return;
        }
        let (before, late) = cx.normal.externals(cx.who.subject);
        let domain = self.names.get(&ip);
        let usual = domain.is_some_and(|domain| self.usual.contains(domain));
        let shared = known.others_on_service > 0 || cx.normal.is_target(cx.who.peer);
        let appliance = cx.is_appliance(cx.who.subject);
        // A server that hands out updates fetches them somewhere, by name and encrypted.
        let named = domain.is_some() && responder_port(o) == Some(443);
        let serves = |role: &str| matches!(role, "update_server" | "drug_library");
        let server =
            cx.inventory.roles(actor).any(serves) || cx.normal.uses(cx.who.subject) >= SERVES;
        let fetches = named && !appliance && server;
        // A printer that calls its maker for the first time: `beacon`, `exfiltration` and the models
        // look at what comes of it.
        let office = named && cx.known_tier(cx.who.subject).is_some_and(|tier| !tier.is_clinical());
        let severity = severity(cx.inventory.class(actor), appliance, known.actor, before, late)
            .min(if usual || shared || fetches || office {
                Severity::Low
            } else {
                Severity::Critical
            });
        // Who browses meets new addresses all day.
        if severity == Severity::Low && known.actor && late > 0 && !appliance {
            return;
        }
        let port = responder_port(o).unwrap_or(0);
        let name = domain.map(|d| format!(" ({d})")).unwrap_or_default();
        let habit = match before {
            0 => "has never called the internet before".to_owned(),
            n => format!(
                "has only called {} until now",
                words::count(n.into(), "address there", "addresses there")
            ),
        };
        let title = words::sentence(&format!(
            "{} calls {ip}{name} on the internet, port {port}; it {habit}.",
            cx.subject(o)
        ));
        let p = (f64::from(late) + 1.0) / (f64::from(before) + f64::from(known.breadth) + 2.0);
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "address on the internet",
                format!("{ip}:{port}"),
                "those it called while learning",
            ))
            .because(Reason::new("addresses called while learning", before, before).weight(0.3))
            .key(ip.to_string())
            .p_value(p)
            .make();
    }
}

impl NewExternal {
    fn name(&mut self, o: &Observation, cx: &Context<'_>) {
        let Some(name) = o.str("name") else { return };
        let domain = registered_domain(name);
        if cx.learning() {
            self.usual.entry(domain.to_owned(), || ());
        }
        for ip in o.texts("answers").iter().filter_map(|text| text.parse().ok()) {
            let known = self.names.entry(ip, String::new);
            domain.clone_into(known);
        }
    }
}

fn severity(class: DeviceClass, appliance: bool, known: bool, before: u32, late: u32) -> Severity {
    if !known {
        return Severity::Low;
    }
    // A device that does one job has a maker's service or two, which it calls now and then.
    let habit_broken = before == 0 || (before <= FEW && (late == 0 || appliance));
    match (class, class.tier()) {
        (DeviceClass::Unknown, _) if before == 0 => Severity::Medium,
        (DeviceClass::Unknown, _) => Severity::Low,
        (_, Tier::T0) if habit_broken => Severity::High,
        (_, Tier::T0i | Tier::T1 | Tier::T2) if habit_broken => Severity::Medium,
        (_, Tier::T3) if before == 0 => Severity::Medium,
        _ => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, Host, MONITORS, OUTSIDE, OUTSIDE_B, Ward};

    #[test]
    fn a_monitor_that_calls_the_internet_is_found_at_once() {
        let mut ward = Ward::peopled();
        ward.watch();
        ward.call(MONITORS[0], OUTSIDE, 515);
        ward.alerts("new_external", MONITORS[0]);
    }

    #[test]
    fn a_desk_that_browses_and_a_monitor_at_its_makers_service_are_no_alert() {
        let mut ward = Ward::peopled();
        ward.call(MONITORS[1], OUTSIDE_B, 443);
        (0..5).for_each(|n| {
            drop(ward.call(
                DESK,
                Host {
                    ip: ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"][n],
                    ..OUTSIDE
                },
                443,
            ))
        });
        ward.watch();
        ward.call(MONITORS[0], OUTSIDE_B, 443);
        ward.call(DESK, OUTSIDE, 443);
        ward.is_quiet();
    }
}
