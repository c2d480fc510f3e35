//! Observations as acts: who does what to whom, in words that come back.
//!
//! Only what tells habits apart goes into the words: a query's level but not its keys, a topic but
//! not its payload. Responses are not acts; what they change is told by the detectors.

use assets::{Entity, Who};
use learn::text::registered_domain;
use model::observation::Observation;

/// Service and verb of an act, in buffers that are used again.
#[derive(Debug, Default)]
pub struct ActWords {
    /// Protocol, or transport and port.
    pub service: String,
    /// What is done.
    pub verb: String,
}

/// From this port on, responders' ports are handed out for the moment (RFC 6335 says 49152; Linux
/// begins at 32768): which of them it is says nothing.
const FIRST_EPHEMERAL: u16 = 32_768;

impl ActWords {
    /// Fills in the words and gives actor, target and bytes; nothing where the observation is no
    /// act of somebody upon somebody.
    pub fn read(&mut self, o: &Observation, who: &Who) -> Option<(Entity, Entity, u64)> {
        if matches!(who.subject, Entity::Nobody | Entity::Group) {
            return None;
        }
        self.service.clear();
        self.verb.clear();
        let mut bytes = 0;
        let kind = o.kind.name;
        match kind {
            "flow.outcome" => self.contact(o)?,
            "dicom.association" => self.say("dicom", &["associate ", o.str("outcome")?]),
            "dicom.command" => self.dicom(o)?,
            "dicom.object" => {
                self.say("dicom", &["object ", o.str("modality").unwrap_or("other")]);
                bytes = o.uint("bytes").unwrap_or(0);
            }
            "hl7.message" => {
                if o.str("ack_code").is_some() {
                    return None;
                }
                self.say("hl7", &[o.str("type")?, "^", o.str("trigger").unwrap_or("")]);
                bytes = o.uint("bytes").unwrap_or(0);
            }
            "astm.message" => self.say("astm", &[astm_verb(o)]),
            "mqtt.connect" => self.say("mqtt", &["connect ", o.str("outcome")?]),
            "mqtt.publish" => {
                if o.flag("from_broker") {
                    return None;
                }
                self.say("mqtt", &["publish ", o.str("topic")?]);
                bytes = o.uint("bytes").unwrap_or(0);
            }
            "mqtt.subscribe" => {
                self.say("mqtt", &["subscribe ", o.texts("filters").first()?]);
            }
            "http.request" => self.say("http", &[o.str("method")?, " ", o.str("path")?]),
            "fhir.interaction" => {
                let what = o.str("operation").or(o.str("resource")).unwrap_or("");
                self.say("fhir", &[o.str("interaction")?, " ", what]);
            }
            "dns.query" => self.say("dns", &["query"]),
            "tls.client_hello" => {
                self.say("tls", &["to ", registered_domain(o.str("sni").unwrap_or("nameless"))]);
            }
            "smb.tree" => self.say("smb", &["tree ", o.str("share")?]),
            "smb.file" => self.say("smb", &[o.str("action")?, " ", o.str("pipe").unwrap_or("")]),
            "remote.session" => self.say(o.str("service")?, &["session"]),
            "remote.login" => self.say(o.str("service")?, &["login ", o.str("outcome")?]),
            "ntp.message" => {
                if o.str("mode") != Some("client") {
                    return None;
                }
                self.say("ntp", &["ask"]);
            }
            "syslog.message" => self.say("syslog", &["send"]),
            "icmp.message" => {
                if o.str("name") != Some("echo_request") {
                    return None;
                }
                self.say("icmp", &["echo"]);
            }
            _ => return None,
        }
        Some((who.subject, who.peer, bytes))
    }

    fn say(&mut self, service: &str, verb: &[&str]) {
        self.service.push_str(service);
        verb.iter().for_each(|part| self.verb.push_str(part));
    }

    fn contact(&mut self, o: &Observation) -> Option<()> {
        use std::fmt::Write;
        let outcome = o.str("outcome")?;
        let transport = o.str("transport")?;
        let port = o.flow.as_ref()?.tuple.responder.port;
        self.service.push_str(transport);
        if matches!(transport, "tcp" | "udp" | "sctp") {
            if port >= FIRST_EPHEMERAL {
                self.service.push_str("/high");
            } else {
                // Writing to a String cannot fail.
                let _ = write!(self.service, "/{port}");
            }
        }
        self.verb.push_str(outcome);
        Some(())
    }

    fn dicom(&mut self, o: &Observation) -> Option<()> {
        let verb = o.str("command")?.strip_suffix("-RQ")?;
        let level = o.str("level").unwrap_or("");
        let everybody = level != "WORKLIST" && o.flag("universal");
        self.say("dicom", &[verb, " ", level, if everybody { " universal" } else { "" }]);
        if let Some(destination) = o.str("move_destination") {
            self.verb.push_str(" to ");
            self.verb.push_str(destination);
        }
        Some(())
    }
}

fn astm_verb(o: &Observation) -> &'static str {
    let some = |field| o.uint(field).is_some_and(|count| count > 0);
    if some("results") {
        "results"
    } else if some("queries") {
        "query"
    } else if some("orders") {
        "orders"
    } else {
        "header"
    }
}
