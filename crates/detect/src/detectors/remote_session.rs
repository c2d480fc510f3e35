//! Somebody opens an interactive session into a clinical device who never did.
//!
//! Telnet, FTP, VNC, RDP and SSH are how service engineers get in, and how attackers do. Whoever has
//! such sessions in normal life may have them again.

use assets::Entity;
use model::device::Tier;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "remote_session",
    doc: "An interactive session into a clinical device from where none came before.",
    kind: FindingKind::Anomaly,
    reads: &["remote.session"],
    attack: &["T1021", "T0886"],
    next_step: "Ask biomedical engineering whether somebody services the device right now. If nobody does, check the device beside the patient and end the session.",
    sources: &["CISA ICSMA-20-023-01", "CISA ICSMA-20-170-04", "spec S05, S06, S13, S14"],
};

/// See the module.
#[derive(Debug, Default)]
pub struct RemoteSession;

impl Detector for RemoteSession {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let known = cx.familiarity();
        if cx.learning() || known.service_of_target {
            return;
        }
        let Some(service) = o.str("service") else { return };
        let clear = matches!(service, "telnet" | "ftp" | "vnc");
        let tier = cx.known_tier(cx.who.peer);
        let severity = match (cx.who.subject, tier) {
            (Entity::External(_), _) => Severity::High,
            // A machine that services others of the hospital in the same way.
            _ if known.service_of_actor => Severity::Low,
            (actor, Some(tier)) if cx.is_clinical(actor) && tier.is_clinical() => Severity::High,
            (_, Some(Tier::T0 | Tier::T0i)) => Severity::High,
            (_, Some(Tier::T1 | Tier::T2)) => Severity::Medium,
            // Nobody has said what it is: it may be anything (and a newcomer's own services are
            // its setting up).
            (_, None) if clear || !cx.is_stranger(cx.who.peer) => Severity::Medium,
            (actor, _) if cx.is_clinical(actor) => Severity::Medium,
            _ => Severity::Low,
        };
        let title = words::sentence(&format!(
            "{} opened a {} session into {}, which nobody there has done before.",
            cx.subject(o),
            service.to_uppercase(),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "interactive session",
                service.to_uppercase(),
                "none from here while learning",
            ))
            .key(format!("{service} {:?}", cx.who.peer))
            .p_value(known.surprise_rate.min(0.05))
            .score(0.85)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, DESK_B, Host, PUMPS, SERVER, Ward, word};

    fn opens(ward: &mut Ward, from: Host, to: Host, service: &str, port: u16) {
        ward.over(&protocols::remote::SESSION, from, to, port, &[("service", word(service))]);
    }

    #[test]
    fn a_session_into_a_pump_is_found() {
        for service in ["telnet", "ssh", "vnc"] {
            let mut ward = Ward::peopled();
            opens(ward.watch(), DESK, PUMPS[0], service, 23);
            ward.alerts("remote_session", DESK);
        }
    }

    #[test]
    fn the_usual_engineer_and_a_session_between_desks_are_no_alert() {
        let mut ward = Ward::peopled();
        opens(&mut ward, DESK, PUMPS[0], "ssh", 22);
        ward.watch();
        opens(&mut ward, DESK, PUMPS[0], "ssh", 22);
        opens(&mut ward, DESK, PUMPS[1], "ssh", 22);
        opens(&mut ward, DESK_B, SERVER, "ssh", 22);
        ward.is_quiet();
    }
}
