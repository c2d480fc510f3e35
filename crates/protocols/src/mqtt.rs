//! MQTT 3.1, 3.1.1 and 5.0.
//!
//! Who connects as whom, what is published under which topic and who listens. Payloads are vital
//! signs and are passed over: only their size counts. Deliberately absent: MQTT over WebSocket and
//! MQTT-SN.

mod connect;
mod packet;
mod probe;
mod session;
mod topics;

use model::emit::{ANOMALY, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;

use crate::seam::{Parser, Protocol, ProtocolSpec};

/// MQTT over TCP.
#[derive(Debug)]
pub struct Mqtt;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "mqtt",
    transports: &[Transport::Tcp],
    kinds: &[&CONNECT, &PUBLISH, &SUBSCRIBE, &CLOSE, &ANOMALY],
    doc: "Publish and subscribe: pumps, monitors and gateways to their broker.",
    sources: &["MQTT 3.1", "OASIS MQTT 3.1.1", "OASIS MQTT 5.0"],
};

impl Protocol for Mqtt {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        probe::probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(session::Session::new())
    }
}

/// Outcome of a CONNECT.
pub static CONNECT: KindSpec = KindSpec {
    name: "mqtt.connect",
    doc: "A client asked to connect, and the broker answered. Subject is the client.",
    fields: &[
        Field::new("outcome", FieldType::Text, "accepted, refused or unanswered."),
        Field::new("reason", FieldType::Uint, "Return or reason code of the CONNACK."),
        Field::new("client_id", FieldType::Text, "Client identifier."),
        Field::staff("user", "User name."),
        Field::new("password", FieldType::Bool, "Whether a password was sent (in clear text)."),
        crate::credentials::DEFAULT,
        Field::new("version", FieldType::Text, "3.1, 3.1.1 or 5.0."),
        Field::measure("keep_alive", FieldType::Uint, "s", "Keep-alive time."),
        Field::new("clean", FieldType::Bool, "Clean session or clean start."),
        Field::new(
            "will_topic",
            FieldType::Text,
            "Topic of the will; parts that look like identifiers of people as tokens.",
        ),
    ],
};

/// One PUBLISH.
pub static PUBLISH: KindSpec = KindSpec {
    name: "mqtt.publish",
    doc: "A PUBLISH. Subject is who sent the packet: a client, or the broker that passes it on.",
    fields: &[
        Field::new("client_id", FieldType::Text, "Client identifier of the connection's client."),
        Field::new(
            "from_broker",
            FieldType::Bool,
            "Whether the broker passes it on to the client.",
        ),
        Field::new(
            "topic",
            FieldType::Text,
            "Topic; parts that look like identifiers of people as tokens.",
        ),
        Field::new("qos", FieldType::Uint, "Quality of service."),
        Field::new("retain", FieldType::Bool, "Whether it is retained."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the payload."),
    ],
};

/// A SUBSCRIBE.
pub static SUBSCRIBE: KindSpec = KindSpec {
    name: "mqtt.subscribe",
    doc: "A SUBSCRIBE. Subject is the client.",
    fields: &[
        Field::new("client_id", FieldType::Text, "Client identifier."),
        Field::new(
            "filters",
            FieldType::Texts,
            "Topic filters, at most 32; parts that look like identifiers of people as tokens.",
        ),
        Field::new("multi_level", FieldType::Bool, "Whether a filter ends in #."),
        Field::new(
            "everything",
            FieldType::Bool,
            "Whether a filter is # or begins with #, +/# or $SYS/#.",
        ),
    ],
};

/// End of a connection.
pub static CLOSE: KindSpec = KindSpec {
    name: "mqtt.close",
    doc: "A client's connection ended. Subject is the client.",
    fields: &[
        Field::new("client_id", FieldType::Text, "Client identifier."),
        Field::new("how", FieldType::Text, "disconnect or lost."),
        Field::new("published", FieldType::Uint, "Messages the client published."),
        Field::new("received", FieldType::Uint, "Messages the broker sent it."),
    ],
};
