//! What devices announce to everybody: names and services over mDNS, UPnP and NetBIOS.
//!
//! Anybody can announce anything, and reflectors repeat others' announcements into other networks:
//! a host name counts only beside the address that it is announced from.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn, no_weights};
use crate::record::NameRank;

/// Reads `mdns.host`, `mdns.service`, `ssdp.device`, `nbns.claim` and `nbns.status`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "announced",
    doc: "Names, makers, models and services that devices announce over mDNS, UPnP and NetBIOS.",
    reads: &[
        ("mdns.host", &["name", "addresses", "goodbye"]),
        ("mdns.service", &["service", "model", "vendor", "firmware", "goodbye"]),
        ("ssdp.device", &["server", "target"]),
        ("nbns.claim", &["action", "name", "suffix", "group", "address"]),
        ("nbns.status", &["host"]),
    ],
    learn,
    weigh: no_weights,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    let who = learn.subject;
    let own = |text: &str| o.subject.ip.is_some_and(|ip| text.parse() == Ok(ip));
    match o.kind.name {
        "mdns.host" => {
            let from_own = o.texts("addresses").iter().any(|address| own(address));
            if let Some(name) = o.str("name").filter(|_| from_own && !o.flag("goodbye")) {
                learn.name(who, NameRank::Host, name.trim_end_matches(".local"));
            }
        }
        "mdns.service" if !o.flag("goodbye") => {
            for what in ["model", "vendor", "firmware"] {
                if let Some(text) = o.str(what) {
                    said(learn, what, text);
                }
            }
            if let Some(class) = o.str("service").and_then(offers) {
                learn.hint(who, class, 1.5);
            }
        }
        "ssdp.device" => {
            if let Some(server) = o.str("server") {
                learn.application(who, server);
            }
        }
        "nbns.claim" => {
            let registers = matches!(o.str("action"), Some("register" | "refresh"));
            let workstation = o.uint("suffix") == Some(0) && !o.flag("group");
            let from_own = o.ip("address").is_some() && o.ip("address") == o.subject.ip;
            if let Some(name) = o.str("name").filter(|_| registers && workstation && from_own) {
                learn.name(who, NameRank::Host, name);
            }
        }
        "nbns.status" => {
            if let Some(name) = o.str("host") {
                learn.name(who, NameRank::Host, name);
            }
        }
        _ => {}
    }
}

/// Keeps what a device says of itself, less sure than what its card says; a model's words count.
fn said(learn: &mut Learn<'_>, what: &'static str, text: &str) {
    let news = learn.claim(learn.subject, what, text, 0.6);
    if news && what == "model" {
        learn.application(learn.subject, text);
    }
}

/// Services that only one sort of device offers (IANA service names).
fn offers(service: &str) -> Option<C> {
    match service {
        "_ipp._tcp" | "_ipps._tcp" | "_printer._tcp" | "_pdl-datastream._tcp" => Some(C::Printer),
        "_axis-video._tcp" | "_rtsp._tcp" | "_psia._tcp" => Some(C::Camera),
        "_googlecast._tcp" | "_hap._tcp" | "_matter._tcp" | "_hue._tcp" => Some(C::IotDevice),
        _ => None,
    }
}
