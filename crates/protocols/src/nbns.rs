//! NetBIOS name service over UDP (RFC 1001, RFC 1002), as Windows and Samba still speak it.
//!
//! Names are asked for by broadcast and anybody may answer: who answers for names that are not its
//! own is taken for a server by those who asked. Registrations and node status answers tell what a
//! computer calls itself. Deliberately absent: the datagram and session services (138, 139), and
//! scopes, which nobody uses.

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use model::observation::Value;
use wire::chunk::{Chunk, Next};

use crate::repeats::{Repeats, digest};
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod message;
mod name;

use message::{Message, Operation, Record};

/// A question for a name.
pub static QUERY: KindSpec = KindSpec {
    name: "nbns.query",
    doc: "Somebody asks who has a NetBIOS name, or which names a computer has. Subject asks.",
    fields: &[
        Field::new("name", FieldType::Text, "Name asked for; * for any."),
        Field::new(
            "suffix",
            FieldType::Uint,
            "Its sixteenth byte: 0 workstation, 32 file server, 28 domain controllers.",
        ),
        Field::new("type", FieldType::Text, "name or status."),
        Field::new("broadcast", FieldType::Bool, "Whether everybody is asked."),
    ],
};

/// A claim to a name.
pub static CLAIM: KindSpec = KindSpec {
    name: "nbns.claim",
    doc: "A computer registers, refreshes or releases a NetBIOS name. Subject is the computer. Said once a flow.",
    fields: &[
        Field::new("action", FieldType::Text, "register, refresh or release."),
        Field::new("name", FieldType::Text, "The name."),
        Field::new("suffix", FieldType::Uint, "Its sixteenth byte."),
        Field::new("group", FieldType::Bool, "Whether it is shared by many, as a workgroup's."),
        Field::new("address", FieldType::Ip, "Address given for it."),
        Field::new("broadcast", FieldType::Bool, "Whether everybody is told."),
    ],
};

/// An answer to a question or a claim.
pub static RESPONSE: KindSpec = KindSpec {
    name: "nbns.response",
    doc: "An answer to a question for a name or to a claim. Subject answers.",
    fields: &[
        Field::new("to", FieldType::Text, "query, register, refresh, release or wait."),
        Field::new("name", FieldType::Text, "The name."),
        Field::new("suffix", FieldType::Uint, "Its sixteenth byte."),
        Field::new(
            "rcode",
            FieldType::Text,
            "NOERROR, NXDOMAIN, ACTIVE (somebody else has it), CONFLICT, ...",
        ),
        Field::new("group", FieldType::Bool, "Whether it is shared by many."),
        Field::new("answers", FieldType::Texts, "Addresses given, at most 16."),
    ],
};

/// All names of a computer.
pub static STATUS: KindSpec = KindSpec {
    name: "nbns.status",
    doc: "A computer lists its names. Subject is the computer.",
    fields: &[
        Field::new(
            "names",
            FieldType::Texts,
            "Names with their suffix in hexadecimal: WARD3<20>; at most 32.",
        ),
        Field::new("host", FieldType::Text, "The workstation's own name."),
        Field::new("workgroup", FieldType::Text, "Its domain or workgroup."),
        Field::new("unit", FieldType::Mac, "Ethernet address that it says it has."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "nbns",
    transports: &[Transport::Udp],
    kinds: &[&QUERY, &CLAIM, &RESPONSE, &STATUS, &ANOMALY],
    doc: "NetBIOS names: who asks, who answers, who claims.",
    sources: &["RFC 1001", "RFC 1002", "Microsoft MS-NBTE"],
};

/// NetBIOS name service.
pub struct Nbns;

impl Protocol for Nbns {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    /// Every message carries an encoded name of 32 letters right behind its header: enough by itself.
    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        if start.get(12) == Some(&32) && message::has_sound_header(start) && name::is_encoded(start)
        {
            Probe::Yes
        } else {
            Probe::No
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(NbnsParser { claimed: Repeats::new(REMEMBERED) })
    }
}

/// Claims are repeated until nobody has objected: so many of a flow are remembered.
const REMEMBERED: usize = 32;

struct NbnsParser {
    claimed: Repeats<u64>,
}

impl Parser for NbnsParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        match Message::read(datagram) {
            Ok(message) => say(&message, dir, &mut self.claimed, out),
            Err(what) => out.anomaly(SPEC.name, what, dir),
        }
        Next::More
    }
}

fn say(message: &Message<'_>, dir: Direction, claimed: &mut Repeats<u64>, out: &mut Emit<'_>) {
    if let Some(what) = message.broken {
        out.anomaly(SPEC.name, what, dir);
    }
    let (name, suffix) = (&message.name, u64::from(message.suffix));
    if let Record::Status(status) = &message.record {
        let named = status.names.iter().map(|entry| entry.label());
        let names: Vec<String> = named.collect();
        let own = |group| status.names.iter().find(|n| n.suffix == 0 && n.group == group);
        return out
            .observe(&STATUS, dir)
            .texts("names", names.iter().map(String::as_bytes), message::MOST_NAMES)
            .text("host", own(false).map_or(&[][..], |n| &n.text))
            .text("workgroup", own(true).map_or(&[][..], |n| &n.text))
            .value("unit", status.unit.map(Value::Mac))
            .emit();
    }
    let (group, addresses) = match &message.record {
        Record::Addresses { group, addresses } => (*group, addresses.as_slice()),
        _ => (false, &[][..]),
    };
    match (message.is_response, message.operation) {
        (false, Operation::Query) => out
            .observe(&QUERY, dir)
            .text("name", name)
            .uint("suffix", suffix)
            .word("type", if message.asks_status { "status" } else { "name" })
            .flag("broadcast", message.broadcast)
            .emit(),
        // Only servers tell others to wait.
        (false, Operation::Wait) => {}
        (false, operation)
            if !claimed.is_new(digest(&[
                operation.word().as_bytes(),
                name,
                &[message.suffix, dir.index() as u8],
            ])) => {}
        (false, operation) => out
            .observe(&CLAIM, dir)
            .word("action", operation.word())
            .text("name", name)
            .uint("suffix", suffix)
            .flag("group", group)
            .value("address", addresses.first().map(|ip| Value::Ip((*ip).into())))
            .flag("broadcast", message.broadcast)
            .emit(),
        (true, operation) => {
            let answers: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            out.observe(&RESPONSE, dir)
                .word("to", operation.word())
                .text("name", name)
                .uint("suffix", suffix)
                .word("rcode", message.rcode())
                .flag("group", group)
                .texts("answers", answers.iter().map(String::as_bytes), message::MOST_ADDRESSES)
                .emit();
        }
    }
}

#[cfg(test)]
mod tests;
