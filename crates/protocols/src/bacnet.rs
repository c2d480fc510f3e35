//! BACnet/IP: heating, ventilation, theatre pressure, doors and lights (ASHRAE 135, annex J).
//!
//! Nothing is authenticated: whoever can send a datagram can write a set-point. What is written, to
//! which object and with which priority is told; what is read only once a sort, since a building is
//! polled all day. Devices say who they are in I-Am and in a few text properties. Deliberately
//! absent: values of trends and alarms, segments after the first, BACnet/SC and MS/TP.

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use model::observation::Value;
use wire::chunk::{Chunk, Next};

use crate::repeats::{Repeats, digest};
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod apdu;
mod names;
mod network;
mod outcome;
mod request;
mod tags;

use apdu::Apdu;
use network::{Frame, Payload};
use request::Service;

/// A request.
pub static REQUEST: KindSpec = KindSpec {
    name: "bacnet.request",
    doc: "A request or notification, one for each property that is written. Subject asks. Repeated ones are said at 2, 4, 8, ... of them.",
    fields: &[
        Field::new(
            "service",
            FieldType::Text,
            "read_property, write_property, who_is, reinitialize_device, ...",
        ),
        Field::new("object", FieldType::Text, "Type of the object: analog_value, device, ..."),
        Field::new("instance", FieldType::Uint, "Number of the object."),
        Field::new("property", FieldType::Text, "present_value, object_name, ..."),
        Field::new("priority", FieldType::Uint, "Priority of a write: 1 life safety to 16 lowest."),
        Field::new(
            "value_type",
            FieldType::Text,
            "Type of what is written: real, unsigned, enumerated, null, ...",
        ),
        Field::new("value", FieldType::Float, "Number that is written."),
        Field::new(
            "state",
            FieldType::Text,
            "What a device is told to be: enable, disable, coldstart, warmstart, ...",
        ),
        Field::new("password", FieldType::Bool, "Whether a password is sent with it."),
        Field::new("segmented", FieldType::Bool, "Whether it comes in segments."),
        Field::new("broadcast", FieldType::Bool, "Whether everybody is asked."),
        Field::new("network", FieldType::Uint, "Number of the network it is for, behind a router."),
        Field::new(
            "from_network",
            FieldType::Uint,
            "Number of the network it comes from, behind a router.",
        ),
        Field::new("low", FieldType::Uint, "Lowest device asked for by Who-Is."),
        Field::new("high", FieldType::Uint, "Highest device asked for by Who-Is."),
        Field::new("count", FieldType::Uint, "Requests of this sort so far in the flow."),
    ],
};

/// A device.
pub static DEVICE: KindSpec = KindSpec {
    name: "bacnet.device",
    doc: "A device says who it is. Subject sends it; behind a router it speaks for another. Said once a flow.",
    fields: &[
        Field::new("instance", FieldType::Uint, "Number of the device."),
        Field::new("vendor_id", FieldType::Uint, "Maker's number, given out by ASHRAE."),
        Field::measure("max_apdu", FieldType::Uint, "bytes", "Longest message it takes."),
        Field::new("segmentation", FieldType::Text, "both, transmit, receive or none."),
        Field::new("vendor", FieldType::Text, "Maker's name (vendor-name)."),
        Field::new("model", FieldType::Text, "Model (model-name)."),
        Field::new("name", FieldType::Text, "Name of the device (object-name)."),
        Field::new("firmware", FieldType::Text, "Firmware (firmware-revision)."),
        Field::new("software", FieldType::Text, "Application (application-software-version)."),
        Field::new("from_network", FieldType::Uint, "Number of its network, behind a router."),
    ],
};

/// A request that failed.
pub static FAILURE: KindSpec = KindSpec {
    name: "bacnet.failure",
    doc: "A request was answered with an error, a reject or an abort. Subject answers. Repeated ones are said at 2, 4, 8, ... of them.",
    fields: &[
        Field::new("outcome", FieldType::Text, "error, reject or abort."),
        Field::new("service", FieldType::Text, "What was asked, where it is said."),
        Field::new(
            "class",
            FieldType::Text,
            "Class of an error: device, object, property, security, ...",
        ),
        Field::new("reason", FieldType::Text, "Error code or reason, by name or as CODEn."),
        Field::new("count", FieldType::Uint, "Failures of this sort so far in the flow."),
    ],
};

/// Management of broadcasts.
pub static LINK: KindSpec = KindSpec {
    name: "bacnet.link",
    doc: "A change to who gets broadcasts, or to routes between networks. Subject asks.",
    fields: &[
        Field::new(
            "action",
            FieldType::Text,
            "register_foreign_device, write_broadcast_table, delete_foreign_device, result, who_is_router, i_am_router, ...",
        ),
        Field::measure(
            "ttl",
            FieldType::Uint,
            "s",
            "How long a foreign device is to be remembered.",
        ),
        Field::new("code", FieldType::Uint, "Result code: 0 is success."),
        Field::new("count", FieldType::Uint, "How many of this sort so far in the flow."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "bacnet",
    transports: &[Transport::Udp],
    kinds: &[&REQUEST, &DEVICE, &FAILURE, &LINK, &ANOMALY],
    doc: "Building automation: what is read, written and restarted.",
    sources: &["ANSI/ASHRAE 135-2020, clauses 6, 12, 13, 15 to 21 and annex J"],
};

/// BACnet/IP.
pub struct Bacnet;

impl Protocol for Bacnet {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        if start.first() == Some(&network::BVLL) && network::is_bacnet(start) {
            Probe::Yes
        } else {
            Probe::No
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(BacnetParser { said: Repeats::new(REMEMBERED) })
    }
}

/// How many sorts of messages of a flow are remembered.
const REMEMBERED: usize = 128;

struct BacnetParser {
    said: Repeats<u64>,
}

impl Parser for BacnetParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        match Frame::read(datagram) {
            Ok(frame) => self.frame(&frame, dir, out),
            Err(what) => out.anomaly(SPEC.name, what, dir),
        }
        Next::More
    }
}

impl BacnetParser {
    fn frame(&mut self, frame: &Frame<'_>, dir: Direction, out: &mut Emit<'_>) {
        match &frame.payload {
            Payload::Link { action, ttl, code } => {
                let told = [u8::from(ttl.is_some()), u8::from(code.is_some_and(|code| code > 0))];
                let sort = digest(&[b"link", action.as_bytes(), &told]);
                let Some(count) = self.said.told(sort) else { return };
                let value = |number: Option<u16>| number.map(|n| Value::Uint(n.into()));
                out.observe(&LINK, dir)
                    .word("action", action)
                    .value("ttl", value(*ttl))
                    .value("code", value(*code))
                    .uint("count", count)
                    .emit();
            }
            Payload::Apdu(bytes) => match Apdu::read(bytes) {
                Ok(apdu) => self.apdu(frame, &apdu, dir, out),
                Err(what) => out.anomaly(SPEC.name, what, dir),
            },
        }
    }

    fn apdu(&mut self, frame: &Frame<'_>, apdu: &Apdu<'_>, dir: Direction, out: &mut Emit<'_>) {
        let said = &mut self.said;
        let sound = match *apdu {
            Apdu::Request { service, segmented, body } => {
                let service = Service::Confirmed { number: service, segmented };
                request::say(frame, service, body, dir, said, out)
            }
            Apdu::Unconfirmed { service: names::I_AM, body } => {
                outcome::i_am(frame, body, dir, said, out)
            }
            Apdu::Unconfirmed { service, body } => {
                request::say(frame, Service::Unconfirmed(service), body, dir, said, out)
            }
            Apdu::Answer {
                service: service @ (names::READ_PROPERTY | names::READ_PROPERTY_MULTIPLE),
                body,
            } => outcome::properties(frame, service, body, dir, said, out),
            Apdu::Failure { outcome, service, body } => {
                outcome::failure(outcome, service, body, dir, said, out)
            }
            Apdu::Answer { .. } | Apdu::Other => Ok(()),
        };
        if sound.is_err() {
            out.anomaly(SPEC.name, "values that do not add up", dir);
        }
    }
}

#[cfg(test)]
mod tests;
