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
                let operation = o.str("operation");
                let what = operation.or(o.str("resource")).unwrap_or("");
                // An operation on everybody is not that on one patient.
                let wide = match o.str("scope").filter(|_| operation.is_some()) {
                    Some("system") => " of everybody",
                    _ if operation.is_some() && o.str("resource") == Some("Group") => " of a group",
                    _ => "",
                };
                self.say("fhir", &[o.str("interaction")?, " ", what, wide]);
            }
            "oauth.token" => {
                let system = if o.flag("system") { " for the system" } else { "" };
                self.say("oauth", &[o.str("grant")?, system]);
            }
            "dicomweb.transaction" => {
                let everybody = o.flag("universal") && o.str("service") != Some("ups-rs");
                let level = o.str("level").unwrap_or("");
                let everybody = if everybody { " universal" } else { "" };
                self.say("dicomweb", &[o.str("action")?, " ", level, everybody]);
                bytes = o.uint("bytes").unwrap_or(0);
            }
            "soap.message" => self.soap(o)?,
            "websocket.open" => self.say("websocket", &["open"]),
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
            _ => bytes = self.service(kind, o)?,
        }
        Some((who.subject, who.peer, bytes))
    }

    fn say(&mut self, service: &str, verb: &[&str]) {
        self.service.push_str(service);
        verb.iter().for_each(|part| self.verb.push_str(part));
    }

    /// Acts of directories, files, mail, plant and management; gives their bytes.
    fn service(&mut self, kind: &str, o: &Observation) -> Option<u64> {
        let number = |field| o.uint(field).unwrap_or(0);
        match kind {
            "ldap.bind" => {
                self.say("ldap", &["bind ", o.str("method")?, " ", o.str("outcome")?]);
            }
            "ldap.search" => {
                let java = if o.texts("java").is_empty() { "" } else { " java" };
                self.say("ldap", &["search ", o.str("scope")?, java]);
                return Some(number("bytes"));
            }
            "ldap.change" => self.say("ldap", &["change ", o.str("action")?]),
            "ldap.extended" => self.say("ldap", &[o.str("operation")?]),
            "kerberos.exchange" => {
                self.say("kerberos", &[o.str("request")?, " ", o.str("outcome")?]);
            }
            "rpc.portmap" => self.say("rpc", &["portmap ", o.str("action")?]),
            "rpc.program" => self.say("rpc", &["program ", o.str("program").unwrap_or("other")]),
            "nfs.mount" => self.say("nfs", &[o.str("action")?, " ", o.str("outcome")?]),
            "nfs.activity" => {
                let changes = ["writes", "creates", "removes", "renames"].map(number);
                let changes = changes.iter().any(|count| *count > 0);
                self.say("nfs", &[if changes { "change files" } else { "read files" }]);
                return Some(number("read_bytes").saturating_add(number("written_bytes")));
            }
            "smtp.session" => self.say("smtp", &["session"]),
            "smtp.login" => self.say("smtp", &["login ", o.str("outcome")?]),
            "smtp.mail" => {
                self.say("smtp", &["mail ", o.str("outcome")?]);
                return Some(number("bytes"));
            }
            "lpd.command" => self.say("lpd", &[o.str("command")?]),
            "remote.transfer" => {
                self.say(o.str("service")?, &[o.str("action")?]);
                return Some(number("bytes"));
            }
            "poct1a.message" => {
                let message = o.str("type").filter(|message| !message.starts_with("ACK"))?;
                self.say("poct1a", &[message]);
                return Some(number("bytes"));
            }
            "modbus.request" => self.say("modbus", &[o.str("function")?]),
            "bacnet.request" => self.say("bacnet", &[o.str("service")?]),
            "snmp.request" => self.say("snmp", &[o.str("type")?]),
            "snmp.trap" => self.say("snmp", &["trap"]),
            _ => return None,
        }
        Some(0)
    }

    /// Requests only: reports and answers follow from them.
    fn soap(&mut self, o: &Observation) -> Option<()> {
        if o.str("role") != Some("request") {
            return None;
        }
        match o.str("standard")? {
            // Names of no standard could be anything.
            "other" => self.say("soap", &["other"]),
            "sdc" => self.say("sdc", &[o.str("operation")?]),
            standard => self.say("soap", &[standard, " ", o.str("operation").unwrap_or("")]),
        }
        Some(())
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

#[cfg(test)]
mod tests {
    use assets::Entity;
    use model::field::KindSpec;
    use model::time::Timestamp;

    use super::*;
    use crate::fixture::{Fields, num, texts, word, yes};

    fn words(kind: &'static KindSpec, fields: Fields<'_>) -> Option<String> {
        let mut o = Observation::new(Timestamp::MIN, kind);
        fields.iter().for_each(|(name, value)| o.set(name, value.clone()));
        let outside = Entity::External([192, 0, 2, 1].into());
        let who =
            Who { subject: outside, peer: outside, subject_is_new: false, peer_is_new: false };
        let mut words = ActWords::default();
        words.read(&o, &who).map(|_| format!("{}: {}", words.service, words.verb))
    }

    #[test]
    fn words_come_back_and_hold_no_name_nor_number() {
        use protocols::{http, kerberos, ldap, poct1a, rpc, soap};
        let of = |kind, fields: Fields<'_>| words(kind, fields).unwrap();
        let search = [("action", word("search")), ("level", word("study")), ("universal", yes())];
        assert_eq!(of(&http::dicomweb::TRANSACTION, &search), "dicomweb: search study universal");
        let export = [
            ("interaction", word("operation")),
            ("operation", word("$export")),
            ("scope", word("system")),
        ];
        assert_eq!(of(&http::FHIR, &export), "fhir: operation $export of everybody");
        let order = [
            ("role", word("request")),
            ("standard", word("sdc")),
            ("operation", word("SetValue")),
            ("handle", word("rate.0815")),
        ];
        assert_eq!(of(&soap::MESSAGE, &order), "sdc: SetValue");
        let bind =
            [("method", word("simple")), ("user", word("cn=nurse")), ("outcome", word("success"))];
        assert_eq!(of(&ldap::BIND, &bind), "ldap: bind simple success");
        let java = [("scope", word("base")), ("java", texts(&["javaFactory"]))];
        assert_eq!(of(&ldap::SEARCH, &java), "ldap: search base java");
        let ticket = [("request", word("tgs")), ("outcome", word("success"))];
        assert_eq!(of(&kerberos::EXCHANGE, &ticket), "kerberos: tgs success");
        let mount = [("action", word("mount")), ("outcome", word("success"))];
        assert_eq!(of(&rpc::MOUNT, &mount), "nfs: mount success");
        let files = [("reads", num(3)), ("writes", num(1))];
        assert_eq!(of(&rpc::ACTIVITY, &files), "nfs: change files");
        assert_eq!(of(&poct1a::MESSAGE, &[("type", word("OBS.R01"))]), "poct1a: OBS.R01");
    }

    #[test]
    fn answers_are_no_acts() {
        use protocols::{poct1a, soap};
        let report = [
            ("role", word("report")),
            ("standard", word("sdc")),
            ("operation", word("EpisodicMetricReport")),
        ];
        assert_eq!(words(&soap::MESSAGE, &report), None);
        assert_eq!(words(&poct1a::MESSAGE, &[("type", word("ACK.R01"))]), None);
    }
}
