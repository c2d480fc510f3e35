//! SNMP versions 1, 2c and 3 over UDP: how networks are asked what is in them, and changed.
//!
//! A community is a password in clear text: it leaves as a token, together with whether it is one
//! that makers ship with. Answers carry what a device says it is (`sysDescr`, `sysName`,
//! `sysObjectID`), which is inventory for nothing. Of a walk through thousands of objects the first
//! request is told, and then ever more rarely. Deliberately absent: values of all other objects,
//! encrypted payloads, SNMP over TCP and TLS.

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::credentials;
use crate::repeats::{Repeats, digest};
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod ber;
mod message;
mod pdu;

use message::{Message, Security};
use pdu::{Bulk, Pdu, PduType, Trap};

/// A request.
pub static REQUEST: KindSpec = KindSpec {
    name: "snmp.request",
    doc: "Somebody asks for objects or sets them. Subject is the asking side. Repeated ones are said at 2, 4, 8, ... of them.",
    fields: &[
        Field::new("version", FieldType::Text, "1, 2c or 3."),
        Field::new(
            "type",
            FieldType::Text,
            "get, get_next, get_bulk, set, inform, report; encrypted where nobody can tell.",
        ),
        Field::patient("community", "Token of the community: it is a password."),
        Field::new(
            "default_credential",
            FieldType::Bool,
            "Whether the community is one that makers ship with.",
        ),
        Field::staff("user", "User of version 3."),
        Field::new("security", FieldType::Text, "Version 3: none, authenticated or encrypted."),
        Field::new("object", FieldType::Text, "Identifier of the first object, in dots."),
        Field::new("objects", FieldType::Uint, "How many objects."),
        Field::new("repetitions", FieldType::Uint, "Rows asked for at once by get_bulk."),
        Field::new("count", FieldType::Uint, "Requests of this type so far in the flow."),
    ],
};

/// An answer.
pub static RESPONSE: KindSpec = KindSpec {
    name: "snmp.response",
    doc: "An agent answers with an error, or says what it is; other answers once a flow. Subject is the agent.",
    fields: &[
        Field::new("version", FieldType::Text, "1, 2c or 3."),
        Field::new(
            "error",
            FieldType::Text,
            "noError, noSuchName, readOnly, noAccess, authorizationError, ...",
        ),
        Field::new("objects", FieldType::Uint, "How many objects."),
        Field::new("object", FieldType::Text, "Identifier of the first object, in dots."),
        Field::new("sys_descr", FieldType::Text, "What the device says it is (sysDescr)."),
        Field::new("sys_name", FieldType::Text, "What the device is called (sysName)."),
        Field::new(
            "sys_object_id",
            FieldType::Text,
            "Its maker's number for its model (sysObjectID), in dots.",
        ),
        Field::new("model", FieldType::Text, "Model of its hardware (entPhysicalModelName)."),
        Field::new("vendor", FieldType::Text, "Maker of its hardware (entPhysicalMfgName)."),
        Field::new(
            "default_credential",
            FieldType::Bool,
            "Whether the community is one that makers ship with.",
        ),
        Field::new("engine", FieldType::Text, "Version 3: engine id, hexadecimal."),
    ],
};

/// A trap.
pub static TRAP: KindSpec = KindSpec {
    name: "snmp.trap",
    doc: "A device reports by itself. Subject is the device. Repeated ones are said at 2, 4, 8, ... of them.",
    fields: &[
        Field::new("version", FieldType::Text, "1, 2c or 3."),
        Field::new(
            "trap",
            FieldType::Text,
            "coldStart, linkDown, authenticationFailure, ..., or the identifier in dots.",
        ),
        Field::new("enterprise", FieldType::Text, "Version 1: what kind of device it is, in dots."),
        Field::new("objects", FieldType::Uint, "How many objects."),
        Field::new(
            "default_credential",
            FieldType::Bool,
            "Whether the community is one that makers ship with.",
        ),
        Field::new("count", FieldType::Uint, "Traps of this kind so far in the flow."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "snmp",
    transports: &[Transport::Udp],
    kinds: &[&REQUEST, &RESPONSE, &TRAP, &ANOMALY],
    doc: "Devices that are asked what they are, and set.",
    sources: &[
        "RFC 1157",
        "RFC 3416",
        "RFC 3412",
        "RFC 3414",
        "RFC 3418",
        "RFC 6933",
        "ITU-T X.690",
    ],
};

/// SNMP.
pub struct Snmp;

impl Protocol for Snmp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        if start.first() == Some(&ber::SEQUENCE) && message::is_snmp(start) {
            Probe::Yes
        } else {
            Probe::No
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(SnmpParser { said: Repeats::new(REMEMBERED) })
    }
}

/// How many sorts of messages of a flow are remembered.
const REMEMBERED: usize = 32;

struct SnmpParser {
    said: Repeats<u64>,
}

impl Parser for SnmpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        match Message::read(datagram) {
            Ok(message) => {
                if message.trailing {
                    out.anomaly(SPEC.name, "bytes after the message", dir);
                }
                self.say(&message, dir, out);
            }
            Err(broken) => out.anomaly(SPEC.name, broken.what(), dir),
        }
        Next::More
    }
}

impl SnmpParser {
    fn say(&mut self, message: &Message<'_>, dir: Direction, out: &mut Emit<'_>) {
        let Some(pdu) = &message.pdu else { return self.encrypted(message, dir, out) };
        if let Some(what) = pdu.broken {
            out.anomaly(SPEC.name, what, dir);
        }
        match pdu.kind {
            PduType::Response | PduType::Report => self.response(message, pdu, dir, out),
            PduType::TrapV1 | PduType::TrapV2 => self.trap(message, pdu, dir, out),
            _ => self.request(message, pdu, dir, out),
        }
    }

    /// Which side asks cannot be told of an encrypted message: said once each way.
    fn encrypted(&mut self, message: &Message<'_>, dir: Direction, out: &mut Emit<'_>) {
        let Security::Users { user, engine, .. } = &message.security else { return };
        let sort = digest(&[b"encrypted", &[dir.index() as u8], user, engine]);
        let Some(count) = self.said.told(sort) else { return };
        out.observe(&REQUEST, dir)
            .word("version", message.version.word())
            .word("type", "encrypted")
            .text("user", user)
            .word("security", message.security.word())
            .uint("count", count)
            .emit();
    }

    fn request(
        &mut self,
        message: &Message<'_>,
        pdu: &Pdu<'_>,
        dir: Direction,
        out: &mut Emit<'_>,
    ) {
        // What is set is told by object, what is asked for by type.
        let object: &[u8] = if pdu.kind == PduType::Set { pdu.first_object } else { &[] };
        let who = message.security.name();
        let Some(count) = self.said.told(digest(&[pdu.kind.word().as_bytes(), who, object])) else {
            return;
        };
        let mut draft = out
            .observe(&REQUEST, dir)
            .word("version", message.version.word())
            .word("type", pdu.kind.word());
        draft = match &message.security {
            Security::Community(community) => draft
                .text("community", community)
                .flag("default_credential", credentials::is_default_community(community)),
            Security::Users { user, .. } => {
                draft.text("user", user).word("security", message.security.word())
            }
        };
        if let Some(Bulk { repetitions }) = pdu.bulk {
            draft = draft.uint("repetitions", repetitions);
        }
        draft
            .text("object", ber::dotted(pdu.first_object).as_bytes())
            .uint("objects", pdu.objects)
            .uint("count", count)
            .emit();
    }

    fn response(
        &mut self,
        message: &Message<'_>,
        pdu: &Pdu<'_>,
        dir: Direction,
        out: &mut Emit<'_>,
    ) {
        let error = pdu.error();
        let system = &pdu.system;
        let texts = [system.descr, system.name, system.object_id, system.model, system.vendor];
        let sort = digest(&[&[b"response", error.as_bytes()][..], &texts].concat());
        if !self.said.is_new(sort) {
            return;
        }
        let mut draft = out
            .observe(&RESPONSE, dir)
            .word("version", message.version.word())
            .word("error", if pdu.kind == PduType::Report { "report" } else { error })
            .uint("objects", pdu.objects)
            .text("object", ber::dotted(pdu.first_object).as_bytes())
            .text("sys_descr", system.descr)
            .text("sys_name", system.name)
            .text("sys_object_id", ber::dotted(system.object_id).as_bytes())
            .text("model", system.model)
            .text("vendor", system.vendor);
        draft = match &message.security {
            Security::Community(community) => {
                draft.flag("default_credential", credentials::is_default_community(community))
            }
            Security::Users { engine, .. } => {
                draft.text("engine", ber::hexadecimal(engine).as_bytes())
            }
        };
        draft.emit();
    }

    fn trap(&mut self, message: &Message<'_>, pdu: &Pdu<'_>, dir: Direction, out: &mut Emit<'_>) {
        let (name, identifier, enterprise) = match &pdu.trap {
            Some(Trap::Generic { name, enterprise }) => (*name, &[][..], *enterprise),
            Some(Trap::Named { identifier }) => (pdu::trap_name(identifier), *identifier, &[][..]),
            None => (None, &[][..], &[][..]),
        };
        let sort = digest(&[b"trap", name.unwrap_or_default().as_bytes(), identifier, enterprise]);
        let Some(count) = self.said.told(sort) else { return };
        let mut draft = out.observe(&TRAP, dir).word("version", message.version.word());
        draft = match name {
            Some(name) => draft.word("trap", name),
            None => draft.text("trap", ber::dotted(identifier).as_bytes()),
        };
        if let Security::Community(community) = &message.security {
            draft = draft.flag("default_credential", credentials::is_default_community(community));
        }
        draft
            .text("enterprise", ber::dotted(enterprise).as_bytes())
            .uint("objects", pdu.objects)
            .uint("count", count)
            .emit();
    }
}

#[cfg(test)]
mod tests;
