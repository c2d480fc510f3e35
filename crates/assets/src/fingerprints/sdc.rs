//! IEEE 11073 SDC and WS-Discovery: bedside devices that offer what they measure to others, and
//! what cameras, printers and computers announce of themselves the same way.
//!
//! That a device speaks SDC says that it is at a bedside, and not whether it is a monitor, a pump
//! or a ventilator: there is a role for it and no class.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;

/// Reads `wsd.message` and `soap.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "sdc",
    doc: "Who offers and who uses IEEE 11073 SDC; what WS-Discovery announces.",
    reads: &[
        ("wsd.message", &["message", "types", "endpoint"]),
        ("soap.message", &["standard", "role", "changes"]),
    ],
    learn,
    weigh,
};

/// Types of WS-Discovery, and what announces them.
const TYPES: &[(&str, C, f32)] = &[
    ("NetworkVideoTransmitter", C::Camera, 3.0),
    ("PrintDeviceType", C::Printer, 2.5),
    ("ScanDeviceType", C::Printer, 1.0),
    ("Computer", C::Workstation, 0.5),
];

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if o.is("soap.message") {
        return service(o, learn);
    }
    // Probes say what is looked for, not what somebody is.
    if !matches!(o.str("message"), Some("Hello" | "ProbeMatches" | "ResolveMatches")) {
        return;
    }
    let types = o.texts("types");
    if types.iter().any(|name| &**name == "MedicalDevice") {
        learn.count(learn.subject, Fact::AnnouncedSdc, None);
    }
    if let Some(endpoint) = o.str("endpoint") {
        learn.claim(learn.subject, "endpoint", endpoint, 0.5);
    }
    for name in types {
        let known = TYPES.iter().find(|(of, ..)| **of == **name);
        if let Some((_, class, weight)) = known
            && learn.claim(learn.subject, "wsd_type", name, 0.5)
        {
            learn.hint(learn.subject, *class, *weight);
        }
    }
}

fn service(o: &Observation, learn: &mut Learn<'_>) {
    if o.str("standard") != Some("sdc") {
        return;
    }
    match o.str("role") {
        // Reports go from the provider, over a connection that it opened, to whoever subscribed.
        Some("report" | "response") => {
            learn.subject_did(Fact::ServedSdc);
            learn.peer_did(Fact::UsedSdc);
        }
        Some("request") if o.flag("changes") => learn.subject_did(Fact::SteeredSdc),
        _ => {}
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    if tallies.times(Fact::ServedSdc) > 0 || tallies.times(Fact::AnnouncedSdc) > 0 {
        out.role("sdc_provider");
    }
    if tallies.times(Fact::UsedSdc) > 0 {
        out.role("sdc_consumer");
    }
}
