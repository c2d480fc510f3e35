//! A medical device sends mail that never did.
//!
//! Where devices mail at all (a monitor of cold chains, a scanner that reports to its maker) they do
//! so from their first day and to one relay. Mail from an infusion pump or a workstation at a scanner
//! is how data leaves, or how a machine that was taken over is used to send.
//!
//! The look-alikes: another of the class that mails, and one more of a kind (`kin`).

use assets::Entity;
use learn::Bounded;
use model::device::DeviceClass;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "device_mail",
    doc: "A medical device sends mail, which neither it nor its like ever did.",
    kind: FindingKind::Anomaly,
    reads: &["smtp.session", "smtp.mail"],
    attack: &["T1048.003", "T1071.003"],
    next_step: "Ask the owner of the device whether reports by mail were switched on. If not, have the mail relay refuse it, and examine the device.",
    sources: &["RFC 5321", "MITRE ATT&CK T1071.003"],
};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceMail {
    /// Who mailed while learning.
    senders: Vec<Entity>,
    /// Domains that were mailed to while learning.
    domains: Bounded<Box<str>, ()>,
}

/// Most senders that are remembered.
const MOST: usize = 4_096;

impl Default for DeviceMail {
    fn default() -> Self {
        Self { senders: Vec::new(), domains: Bounded::new(5_000) }
    }
}

impl Detector for DeviceMail {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let sender = cx.who.subject;
        let Entity::Device(_) = sender else { return };
        let domains = if o.is("smtp.mail") { o.texts("recipient_domains") } else { &[] };
        if cx.learning() {
            if self.senders.len() < MOST && !self.senders.contains(&sender) {
                self.senders.push(sender);
            }
            for domain in domains {
                self.domains.entry(domain.clone(), || ());
            }
            return;
        }
        let class = cx.class(sender);
        let device = cx.is_appliance(sender) || class == DeviceClass::ImagingWorkstation;
        let likes = self.senders.iter().any(|other| cx.class(*other) == class);
        if !device
            || !cx.is_clinical(sender)
            || likes
            || self.senders.contains(&sender)
            || kin::one_more(cx, sender, &self.senders)
        {
            return;
        }
        let foreign = domains.iter().find(|domain| !self.domains.contains(*domain));
        let severity = if cx.is_external(cx.who.peer) || foreign.is_some() {
            Severity::High
        } else {
            Severity::Medium
        };
        let to = foreign.map_or_else(String::new, |domain| format!(" to {domain}"));
        let title = words::sentence(&format!(
            "{} sends mail{to} through {}, which no {} here ever did.",
            cx.subject(o),
            cx.peer(o),
            class.title(),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "machines that send mail",
                cx.subject(o),
                words::count(self.senders.len() as u64, "other machine", "other machines"),
            ))
            .key("mail")
            .p_value(1.0 / (self.senders.len() as f64 + cx.normal.learned_seconds() / 60.0 + 2.0))
            .score(0.8)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use protocols::smtp::{MAIL, SESSION};

    use crate::fixture::{DESK, Host, OUTSIDE, PUMPS, SERVER, Ward, texts, word};

    fn mails(ward: &mut Ward, from: Host, to: Host, domain: &str) {
        let flow = ward.over(&SESSION, from, to, 25, &[]);
        let fields = [("outcome", word("accepted")), ("recipient_domains", texts(&[domain]))];
        ward.say(&MAIL, Some(&flow), from, Some(to), &fields);
    }

    #[test]
    fn mail_from_a_pump_is_found_and_worst_where_it_leaves() {
        for (to, severity) in [(SERVER, Severity::Medium), (OUTSIDE, Severity::High)] {
            let mut ward = Ward::peopled();
            mails(&mut ward, DESK, SERVER, "hospital.example");
            ward.watch();
            mails(&mut ward, PUMPS[0], to, "hospital.example");
            assert_eq!(ward.worst("device_mail"), Some(severity));
        }
    }

    #[test]
    fn desks_and_pumps_where_pumps_mail_are_none() {
        let mut ward = Ward::peopled();
        mails(&mut ward, PUMPS[1], SERVER, "hospital.example");
        ward.watch();
        mails(&mut ward, PUMPS[0], SERVER, "hospital.example");
        mails(&mut ward, DESK, SERVER, "elsewhere.example");
        assert_eq!(ward.worst("device_mail"), None);
    }
}
