//! Somebody opens an interactive session into a clinical device who never did.
//!
//! Telnet, FTP, VNC, RDP and SSH are how service engineers get in, and how attackers do. Whoever has
//! such sessions in normal life may have them again. Software of the client that nobody used towards
//! devices of this class is one reason more, and none by itself.

use std::collections::BTreeSet;

use assets::Entity;
use learn::Bounded;
use model::device::{DeviceClass, Tier};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
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

/// Most kinds of client software remembered of one class.
const MOST: usize = 64;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemoteSession {
    /// What clients said they are, by the class of the device that they got into, while learning.
    clients: Bounded<DeviceClass, BTreeSet<Box<str>>>,
}

impl Default for RemoteSession {
    fn default() -> Self {
        Self { clients: Bounded::new(1_000) }
    }
}

impl Detector for RemoteSession {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let known = cx.familiarity();
        let class = cx.class(cx.who.peer);
        if let Some(client) = o.str("client").filter(|_| cx.learning()) {
            let clients = self.clients.entry(class, BTreeSet::new);
            if clients.len() < MOST {
                clients.insert(client.into());
            }
        }
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
        let clients = self.clients.get(&class);
        let software = o
            .str("client")
            .filter(|_| class.tier().is_clinical())
            .filter(|client| clients.is_none_or(|known| !known.contains(*client)));
        let mut claim = out.claim(cx, o, severity, title).because(Reason::new(
            "interactive session",
            service.to_uppercase(),
            "none from here while learning",
        ));
        if let Some(software) = software {
            let usual: Vec<_> = clients.into_iter().flatten().collect();
            let what = "software of the client";
            claim = claim.because(Reason::new(what, software, words::list(&usual, 3)).weight(0.5));
        }
        claim
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
    fn strange_software_of_the_client_is_one_reason_more_and_none_by_itself() {
        let with = |ward: &mut Ward, from, client: &str| {
            let fields = [("service", word("ssh")), ("client", word(client))];
            ward.over(&protocols::remote::SESSION, from, PUMPS[0], 22, &fields);
            let all = ward.findings();
            let own = all.iter().filter(|f| f.detector == "remote_session");
            own.map(|f| f.because.len()).max()
        };
        let mut ward = Ward::peopled();
        with(&mut ward, SERVER, "SSH-2.0-OpenSSH_9.6");
        ward.watch();
        assert_eq!(with(&mut ward, SERVER, "SSH-2.0-libssh2_1.11"), None);
        let usual = with(&mut ward, DESK, "SSH-2.0-OpenSSH_9.6");
        let strange = with(&mut ward, DESK_B, "SSH-2.0-libssh2_1.11");
        assert!(usual.is_some() && strange > usual, "{usual:?} {strange:?}");
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
