//! A program is given the right to read everybody's records that never had it.
//!
//! SMART and bulk access know scopes for one patient, for one user, and for the whole system. The
//! last are for a few servers: registries, analytics, the interface engine. Which client asks for
//! them, and from where, does not change from day to day; a device's or a desk's token that does is
//! how a population is read.
//!
//! The look-alikes: the same client after a move to another server, and a new server that was set up
//! for it: notes where the machine is a known server.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, is_server, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "system_token",
    doc: "An access token for the records of everybody is given to a program that never had one.",
    kind: FindingKind::Anomaly,
    reads: &["oauth.token"],
    attack: &["T1550.001", "T1528", "T1213"],
    next_step: "Ask who registered the program and for what. If nobody knows, revoke its access and find out which records it read.",
    sources: &[
        "SMART App Launch 2.2, backend services",
        "RFC 6749",
        "HL7 FHIR Bulk Data Access 2.0",
        "spec S26",
    ],
};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct SystemToken {
    /// Machines that were given such tokens while learning.
    machines: Bounded<Entity, ()>,
    /// Programs that were, by client id.
    programs: Bounded<Box<str>, ()>,
}

impl Default for SystemToken {
    fn default() -> Self {
        Self { machines: Bounded::new(5_000), programs: Bounded::new(5_000) }
    }
}

impl Detector for SystemToken {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let given = matches!(o.uint("status"), Some(200..=299));
        if !o.flag("system") || !given {
            return;
        }
        let (machine, program) = (cx.who.subject, o.str("client").unwrap_or(""));
        if cx.learning() {
            self.machines.entry(machine, || ());
            self.programs.entry(program.into(), || ());
            return;
        }
        let known_machine = self.machines.contains(&machine);
        let known_program = !program.is_empty() && self.programs.contains(&Box::from(program));
        let server = is_server(cx.class(machine));
        let severity = match (known_machine, known_program) {
            // Programs that sign in with an assertion do not name themselves.
            (true, true) => return,
            (true, false) if program.is_empty() => return,
            (true, false) => Severity::Low,
            (false, true) if server => Severity::Low,
            // The program's name, from a machine that it does not run on.
            (false, true) => Severity::High,
            (false, false) if server => Severity::Low,
            (false, false) if cx.is_stranger(machine) || cx.is_clinical(machine) => Severity::High,
            (false, false) => Severity::Medium,
        };
        let title = words::sentence(&format!(
            "{} was given a token by {} to read the records of all patients{}.",
            cx.subject(o),
            cx.peer(o),
            if known_program {
                ", under the name of another program"
            } else {
                ", for the first time"
            },
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "scope of the token",
                o.texts("scopes").iter().find(|s| s.starts_with("system/")).map_or("system", |s| s),
                "one patient or user",
            ))
            .because(
                Reason::new(
                    "machines with such tokens",
                    cx.subject(o),
                    words::count(self.machines.len() as u64, "other machine", "other machines"),
                )
                .weight(0.6),
            )
            .key("token")
            .p_value(1.0 / (self.machines.len() as f64 + cx.normal.learned_seconds() / 60.0 + 2.0))
            .score(0.85)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::observation::Value;
    use protocols::http::oauth::TOKEN;

    use crate::fixture::{DESK, Host, PACS, PUMPS, SERVER, Ward, num, texts, word};

    fn token(ward: &mut Ward, from: Host, program: &str, system: bool) {
        let scope = if system { "system/*.read" } else { "patient/*.read" };
        let fields = [
            ("grant", word("client_credentials")),
            ("client", word(program)),
            ("scopes", texts(&[scope])),
            ("system", Value::Bool(system)),
            ("status", num(200)),
        ];
        ward.over(&TOKEN, from, SERVER, 8_080, &fields);
    }

    fn registry() -> Ward {
        let mut ward = Ward::peopled();
        token(&mut ward, PACS, "registry", true);
        ward.watch();
        ward
    }

    #[test]
    fn a_token_for_everybody_at_a_desk_or_a_device_is_found() {
        for (host, program) in [(DESK, "export"), (PUMPS[0], "export"), (DESK, "registry")] {
            let mut ward = registry();
            token(&mut ward, host, program, true);
            ward.alerts("system_token", host);
        }
    }

    #[test]
    fn the_registry_and_tokens_for_one_patient_are_none() {
        let mut ward = registry();
        token(&mut ward, PACS, "registry", true);
        token(&mut ward, DESK, "viewer", false);
        assert_eq!(ward.worst("system_token"), None);
    }
}
