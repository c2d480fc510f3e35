//! DICOM upper layer and DIMSE: who stores, asks for and fetches images.
//!
//! Nothing of an object is kept but a token of its patient's id, and of a query only which keys it
//! has. Association negotiation of roles and of asynchronous operations is passed over: nothing
//! that is observed depends on it. DICOM over TLS is TLS, DICOMweb is HTTP.

mod association;
mod command;
mod elements;
mod identifier;
mod lane;
mod pdu;
mod session;
mod sop_classes;
pub(crate) mod tags;
pub(crate) mod uid;
mod walk;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::frames::Frames;
use crate::seam::{Parser, Protocol, ProtocolSpec};
use session::Session;
use walk::Walk;

/// Outcome of an association request.
pub static ASSOCIATION: KindSpec = KindSpec {
    name: "dicom.association",
    doc: "An association was asked for and accepted, rejected or aborted before an answer. Subject is the requestor.",
    fields: &[
        Field::new("outcome", FieldType::Text, "accepted, rejected, aborted or unanswered."),
        Field::new("calling_ae", FieldType::Text, "AE title of the requestor."),
        Field::new("called_ae", FieldType::Text, "AE title that was asked for."),
        Field::new("contexts", FieldType::Uint, "Presentation contexts proposed."),
        Field::new("accepted_contexts", FieldType::Uint, "Presentation contexts accepted."),
        Field::new(
            "abstract_syntaxes",
            FieldType::Texts,
            "Names of the SOP classes proposed (UID where unknown), each once, at most 32.",
        ),
        Field::new(
            "implementation_uid",
            FieldType::Text,
            "Implementation class UID of the requestor.",
        ),
        Field::new(
            "implementation_version",
            FieldType::Text,
            "Implementation version name of the requestor.",
        ),
        Field::new(
            "responder_version",
            FieldType::Text,
            "Implementation version name of the acceptor.",
        ),
        Field::measure(
            "max_pdu",
            FieldType::Uint,
            "bytes",
            "Largest PDU that the requestor takes.",
        ),
        Field::new("reject_result", FieldType::Text, "permanent or transient."),
        Field::new("reject_source", FieldType::Text, "user, acse or presentation."),
        Field::new("reject_reason", FieldType::Text, "Reason in the words of PS3.8 table 9-21."),
        Field::staff("user", "User identity negotiated, where it is a name."),
    ],
};

/// One DIMSE command.
pub static COMMAND: KindSpec = KindSpec {
    name: "dicom.command",
    doc: "A DIMSE request or response.",
    fields: &[
        Field::new("command", FieldType::Text, "C-STORE-RQ, C-FIND-RSP, ..."),
        Field::new("calling_ae", FieldType::Text, "AE title of the association's requestor."),
        Field::new("called_ae", FieldType::Text, "AE title of the association's acceptor."),
        Field::new("message_id", FieldType::Uint, "Message id, or the id responded to."),
        Field::new("sop_class", FieldType::Text, "SOP class by name (UID where unknown)."),
        Field::new(
            "modality",
            FieldType::Text,
            "CT, MR, US, ...: from the SOP class of a stored object.",
        ),
        Field::new("status", FieldType::Uint, "Status of a response."),
        Field::new(
            "level",
            FieldType::Text,
            "Query level: PATIENT, STUDY, SERIES, IMAGE; WORKLIST for a worklist query.",
        ),
        Field::new(
            "keys",
            FieldType::Texts,
            "Keywords of the query's matching keys that are not empty, with (gggg,eeee) where unknown, at most 32.",
        ),
        Field::new("wildcard", FieldType::Bool, "Whether a matching key holds * or ?."),
        Field::new(
            "universal",
            FieldType::Bool,
            "Whether no key narrows the query: it asks for everybody.",
        ),
        Field::patient(
            "patient",
            "Patient id asked for, or else the name, where it is one patient's.",
        ),
        Field::new("move_destination", FieldType::Text, "AE title that a C-MOVE sends to."),
        Field::new(
            "remaining",
            FieldType::Uint,
            "Sub-operations remaining, of a C-MOVE or C-GET response.",
        ),
        Field::new("completed", FieldType::Uint, "Sub-operations completed."),
        Field::new("failed", FieldType::Uint, "Sub-operations failed."),
    ],
};

/// An object went over whole.
pub static OBJECT: KindSpec = KindSpec {
    name: "dicom.object",
    doc: "A C-STORE data set was sent whole. Subject is the sender.",
    fields: &[
        Field::new("calling_ae", FieldType::Text, "AE title of the association's requestor."),
        Field::new("called_ae", FieldType::Text, "AE title of the association's acceptor."),
        Field::new("sop_class", FieldType::Text, "SOP class by name (UID where unknown)."),
        Field::new("modality", FieldType::Text, "CT, MR, US, ...: from the SOP class."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the data set."),
        Field::patient("patient", "Patient id of the object, where it stood in its first 4 KiB."),
    ],
};

/// End of an association.
pub static CLOSE: KindSpec = KindSpec {
    name: "dicom.close",
    doc: "An association ended. Subject is its requestor.",
    fields: &[
        Field::new("how", FieldType::Text, "released, aborted or lost."),
        Field::new("calling_ae", FieldType::Text, "AE title of the requestor."),
        Field::new("called_ae", FieldType::Text, "AE title of the acceptor."),
        Field::new("commands", FieldType::Uint, "DIMSE commands either way."),
        Field::new("objects", FieldType::Uint, "Objects stored either way."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Bytes of those objects."),
        Field::new("matches", FieldType::Uint, "Pending C-FIND responses: what the queries found."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "dicom",
    transports: &[Transport::Tcp],
    kinds: &[&ASSOCIATION, &COMMAND, &OBJECT, &CLOSE],
    doc: "Images and worklists: associations, queries, retrievals, stored objects.",
    sources: &["DICOM PS3.4", "DICOM PS3.5", "DICOM PS3.6", "DICOM PS3.7", "DICOM PS3.8"],
};

/// DICOM over TCP.
#[derive(Debug)]
pub struct Dicom;

impl Protocol for Dicom {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        pdu::probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        let side = || (Frames::new(walk::MAX_PENDING), Walk::new());
        Box::new(Connection { sides: [side(), side()], session: Session::default() })
    }
}

/// A connection: the walk through each direction, and what both add up to.
struct Connection {
    sides: [(Frames, Walk); 2],
    session: Session,
}

impl Parser for Connection {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Some((frames, walk)) = self.sides.get_mut(dir.index()) else { return Next::Done };
        let mut hand = self.session.hand(dir, out);
        let next = match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| walk.step(unread, &mut hand)),
            Chunk::Gap(lost) => {
                let missing = lost.saturating_add(frames.pending().len() as u64);
                frames.clear();
                walk.gap(missing, &mut hand);
                Next::More
            }
            Chunk::Datagram(_) => Next::Done,
        };
        if next == Next::Done {
            self.session.end(out);
        }
        next
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.session.end(out);
    }
}
