//! MQTT: brokers by their clients, and bedside devices by what they publish of themselves.
//!
//! A topic says what the values are of, not who sends them: a pump server, a dashboard and an
//! intruder all name pumps. So only steady publishing of few topics that are no commands counts.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn, text_mark};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::Tallies;
use crate::words;

/// Reads `mqtt.connect` and `mqtt.publish`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "mqtt",
    doc: "Brokers by their clients, devices by what they publish of themselves.",
    reads: &[
        ("mqtt.connect", &["outcome", "client_id"]),
        ("mqtt.publish", &["from_broker", "topic"]),
    ],
    learn,
    weigh,
};

/// Words of topics that tell a device to do something.
const COMMANDS: &[&str] = &[
    "cmd",
    "command",
    "commands",
    "set",
    "config",
    "configure",
    "control",
    "ctl",
    "update",
    "ota",
    "firmware",
    "reboot",
    "restart",
    "program",
    "order",
    "orders",
    "write",
    "request",
    "rpc",
];

const PUBLISHED: &[(C, Fact)] = &[
    (C::InfusionPump, Fact::PublishedPump),
    (C::Ventilator, Fact::PublishedVentilator),
    (C::AnesthesiaMachine, Fact::PublishedAnesthesia),
    (C::PatientMonitor, Fact::PublishedMonitor),
    (C::Dialysis, Fact::PublishedDialysis),
];

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if o.is("mqtt.connect") {
        if o.str("outcome") != Some("accepted") {
            return;
        }
        learn.peer_did(Fact::ServedMqtt);
        if let Some(id) = o.str("client_id") {
            learn.claim(learn.subject, "mqtt_client_id", id, 0.6);
            if !is_made_up(id) {
                learn.name(learn.subject, NameRank::Client, id);
            }
        }
        return;
    }
    if o.flag("from_broker") {
        return;
    }
    let Some(topic) = o.str("topic") else { return };
    let topic_mark = Some(text_mark(topic));
    let mut parts = topic.split(|c: char| !c.is_ascii_alphanumeric());
    if parts.any(|part| COMMANDS.iter().any(|word| part.eq_ignore_ascii_case(word))) {
        learn.count(learn.subject, Fact::PublishedCommands, topic_mark);
        return;
    }
    let classes = words::classes(topic);
    let fact = PUBLISHED.iter().find(|(class, _)| classes.contains(class));
    let fact = fact.map_or(Fact::PublishedOther, |(_, fact)| *fact);
    learn.count(learn.subject, fact, topic_mark);
}

/// Whether a library made the identifier up: a UUID or another long run of hexadecimal digits.
fn is_made_up(id: &str) -> bool {
    let mut run = 0;
    id.bytes().filter(|byte| *byte != b'-').any(|byte| {
        run = if byte.is_ascii_hexdigit() { run + 1 } else { 0 };
        run >= 16
    })
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    broker(tallies, out);
    let commands = tallies.of(Fact::PublishedCommands);
    if commands.is_sustained() {
        out.role("mqtt_commander");
    }
    for (class, fact) in PUBLISHED {
        let published = tallies.of(*fact);
        let itself = published.others() <= 4 && commands.times <= published.times / 4;
        if published.times >= 10 && published.span() >= 30.0 && itself {
            out.class(*class, 4.5);
            out.role("telemetry_sender");
        } else if published.times >= 3 && itself {
            out.class(*class, 1.5);
        }
    }
}

fn broker(tallies: &Tallies, out: &mut Evidence) {
    let served = tallies.of(Fact::ServedMqtt);
    match served.others() {
        0 => return,
        1 if served.is_sustained() => out.class(C::MqttBroker, 3.5),
        1 => out.class(C::MqttBroker, 2.5),
        2 => out.class(C::MqttBroker, 4.5),
        _ => out.class(C::MqttBroker, 5.5),
    }
    out.role("mqtt_broker");
}
