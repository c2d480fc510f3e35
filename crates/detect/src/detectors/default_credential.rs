//! A published default password works.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "default_credential",
    doc: "Somebody logs on with a user name and password that anybody can look up.",
    kind: FindingKind::Rule,
    reads: &["http.response", "remote.login", "mqtt.connect", "ldap.bind", "smtp.login"],
    attack: &["T1078.001", "T0812"],
    next_step: "Have the password of the device changed by its maker or by biomedical engineering; until then restrict who may reach its log-on.",
    sources: &["CISA ICSMA-20-170-04", "CISA ICSMA-21-215-01", "CWE-1392"],
};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct DefaultCredential {
    usual: Bounded<(Entity, Entity), ()>,
}

impl Default for DefaultCredential {
    fn default() -> Self {
        Self { usual: Bounded::new(20_000) }
    }
}

impl Detector for DefaultCredential {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if !o.flag("default_credential") {
            return;
        }
        let by_peer = o.is("http.response");
        let works = if by_peer {
            matches!(o.uint("status"), Some(200..=399))
        } else {
            matches!(o.str("outcome"), Some("success" | "accepted"))
        };
        let (client, server) =
            if by_peer { (cx.who.peer, cx.who.subject) } else { (cx.who.subject, cx.who.peer) };
        if !works {
            return;
        }
        if cx.learning() {
            self.usual.entry((client, server), || ());
        }
        let usual = self.usual.contains(&(client, server));
        let severity = match (usual, cx.known_tier(server)) {
            (true, _) => Severity::Low,
            (false, Some(tier)) if tier.is_clinical() => Severity::High,
            (false, _) => Severity::Medium,
        };
        let (from, to) =
            if by_peer { (cx.peer(o), cx.subject(o)) } else { (cx.subject(o), cx.peer(o)) };
        let habit = if usual { ", as it does every day" } else { "" };
        let title = words::sentence(&format!(
            "{from} logged on to {to} with a published default password{habit}."
        ));
        let claim = out.claim(cx, o, severity, title);
        let claim = if by_peer { claim.about_peer(o) } else { claim };
        claim
            .user(o.str("user"))
            .key(format!("{server:?}"))
            .because(Reason::new("password", "a published default", "one of the site's own"))
            .score(0.95)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, PUMPS, Ward, word, yes};

    fn logs_in(ward: &mut Ward) {
        let fields = [
            ("service", word("telnet")),
            ("outcome", word("success")),
            ("default_credential", yes()),
        ];
        ward.over(&protocols::remote::LOGIN, DESK, PUMPS[0], 23, &fields);
    }

    #[test]
    fn a_published_password_that_works_is_found() {
        let mut ward = Ward::peopled();
        logs_in(ward.watch());
        ward.alerts("default_credential", DESK);
    }

    #[test]
    fn where_it_is_the_habit_it_is_a_note() {
        let mut ward = Ward::peopled();
        logs_in(&mut ward);
        logs_in(ward.watch());
        ward.is_quiet();
    }
}
