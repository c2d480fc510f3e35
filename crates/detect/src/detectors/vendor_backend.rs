//! A device calls an Internet address that its maker built into its firmware.
//!
//! Contec's CMS8000 patient monitors, which are sold under other names too, mount a share at
//! 202.114.4.119 when they start and run what is in it, and send what they measure to 202.114.4.120:
//! addresses of a university that have nothing to do with the hospital (CISA fact sheet of January
//! 2025; the maker calls it an unchanged default). Nobody needs to be attacked for it to be true.
//!
//! The look-alike: a hospital whose own network uses these addresses, as the maker's manual suggests.
//! Then nothing leaves it, and what is left is a default that should be changed.

use std::net::Ipv4Addr;

use assets::Entity;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, address, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "vendor_backend",
    doc: "A device calls an Internet address that its maker built into its firmware.",
    kind: FindingKind::Rule,
    reads: &["flow.start", "hl7.message"],
    attack: &["T0882", "T0869"],
    next_step: "Block 202.114.4.0/24 at the edge of the network: no clinical traffic goes there. Ask the maker for firmware without the address, and watch the patients by other monitors if it cannot be had.",
    sources: &[
        "CISA ICSMA-25-030-01",
        "CVE-2025-0626",
        "CVE-2025-0683",
        "CISA, Contec CMS8000 Contains a Backdoor (2025)",
        "spec S01",
    ],
};

/// The published network: first three bytes of its addresses.
const NETWORK: [u8; 3] = [202, 114, 4];

/// What a port is published to be for.
const fn purpose(port: u16) -> &'static str {
    match port {
        111 | 2049 => "file sharing, by which it takes new programs",
        515 => "a stream of patient data",
        _ => "medical messages or another service",
    }
}

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct VendorBackend;

impl Detector for VendorBackend {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(ip) = address(o.peer.as_ref()) else { return };
        let std::net::IpAddr::V4(v4) = ip else { return };
        if !is_published(v4) || matches!(cx.who.subject, Entity::External(_)) {
            return;
        }
        let port = responder_port(o).unwrap_or(0);
        let inside = matches!(cx.who.peer, Entity::Device(_));
        // On the way to an outsider that answers as if it were here, or to nobody: it still tried.
        let (severity, title) = if inside {
            let sentence = format!(
                "{} uses {ip}, an address built into its firmware, which a machine of this network has: an insecure default of its maker, not a leak.",
                cx.subject(o),
            );
            (Severity::Low, sentence)
        } else {
            let care = cx.is_clinical(cx.who.subject) || o.is("hl7.message");
            let sentence = format!(
                "{} calls {ip}, an Internet address built into the firmware of a patient monitor (port {port}): what it measures may leave the hospital.",
                cx.subject(o),
            );
            (if care { Severity::High } else { Severity::Medium }, sentence)
        };
        out.claim(cx, o, severity, words::sentence(&title))
            .because(Reason::new("address called", ip.to_string(), "none in 202.114.4.0/24"))
            .because(Reason::new("what the port is for", purpose(port), "nothing").weight(0.5))
            .key(if inside { "inside" } else { "outside" })
            .score(if inside { 0.6 } else { 0.95 })
            .make();
    }
}

fn is_published(ip: Ipv4Addr) -> bool {
    ip.octets().starts_with(&NETWORK)
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;

    use crate::fixture::{DESK, Host, MONITORS, OUTSIDE, Ward};

    const BUILT_IN: Host = Host { ip: "202.114.4.119", mac: "00:1a:a1:00:00:01" };

    #[test]
    fn a_monitor_that_mounts_the_built_in_address_is_found_even_unanswered() {
        let mut ward = Ward::peopled();
        ward.watch();
        ward.knock(MONITORS[0], BUILT_IN, 2_049, "unanswered");
        let all = ward.findings();
        let found = all.iter().find(|f| f.detector == "vendor_backend").unwrap();
        assert_eq!(found.severity, Severity::High);
        assert!(found.title.contains("built into the firmware"), "{}", found.title);
    }

    #[test]
    fn a_desk_that_calls_other_places_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        ward.knock(DESK, OUTSIDE, 2_049, "unanswered");
        assert_eq!(ward.worst("vendor_backend"), None);
    }

    #[test]
    fn a_machine_of_the_network_with_that_address_is_a_default_and_no_leak() {
        let mut ward = Ward::owning("202.114.4.0", 24);
        let here = Host { ip: "202.114.4.119", mac: "00:50:56:00:00:77" };
        for _ in 0..25 {
            ward.call(here, MONITORS[1], 8_443);
            ward.call(MONITORS[0], MONITORS[1], 8_443);
            ward.pass(5.0);
        }
        ward.watch();
        ward.call(MONITORS[0], here, 2_049);
        let all = ward.findings();
        let found = all.iter().find(|f| f.detector == "vendor_backend").unwrap();
        assert_eq!(found.severity, Severity::Low);
        assert!(found.title.contains("not a leak"), "{}", found.title);
    }
}
