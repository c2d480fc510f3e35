//! The line printer daemon's protocol (RFC 1179): who prints where, how much, and who asks for queues.
//!
//! Its port is one to be careful about: a patient monitor is known to send vital signs to it that are
//! no print job (CISA, ICSMA-25-030-01). So the probe asks for a whole command and for what has to
//! come after it; anything else on that port stays unrecognised, which is what gives it away. Of a
//! job, names of files, of the job and of its title leave as tokens. Deliberately absent: what is
//! printed.

mod probe;
mod session;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};
use session::Session;

/// A command.
pub static COMMAND: KindSpec = KindSpec {
    name: "lpd.command",
    doc: "A client gave a print server a command. Subject is the client.",
    fields: &[
        Field::new(
            "command",
            FieldType::Text,
            "print_waiting, receive_job, queue_short, queue_long or remove_jobs.",
        ),
        Field::new("queue", FieldType::Text, "Name of the queue."),
        Field::staff("agent", "Who wants jobs removed."),
        Field::new("outcome", FieldType::Text, "accepted, refused or unanswered."),
        Field::measure(
            "bytes",
            FieldType::Uint,
            "bytes",
            "Size of the answer to a question for a queue.",
        ),
    ],
};

/// A file of a job.
pub static FILE: KindSpec = KindSpec {
    name: "lpd.file",
    doc: "A file of a print job was handed over. Subject is the client.",
    fields: &[
        Field::new("part", FieldType::Text, "control (what to do with the job) or data."),
        Field::new("queue", FieldType::Text, "Name of the queue."),
        Field::measure(
            "bytes",
            FieldType::Uint,
            "bytes",
            "Size that the client announced; 0 where it does not know.",
        ),
        Field::new("host", FieldType::Text, "Where the job comes from, of a control file."),
        Field::staff("user", "Whose job it is, of a control file."),
        Field::patient("job", "Name or title of the job, as a token."),
        Field::patient("file", "Name of the printed file, as a token."),
        Field::new("outcome", FieldType::Text, "accepted, refused or unanswered."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "lpd",
    transports: &[Transport::Tcp],
    kinds: &[&COMMAND, &FILE],
    doc: "Printing: jobs by queue and size.",
    sources: &["RFC 1179", "CISA ICSMA-25-030-01 (what is not a print job)"],
};

/// LPD.
#[derive(Debug)]
pub struct Lpd;

impl Protocol for Lpd {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, dir: Direction, start: &[u8]) -> Probe {
        match dir {
            Direction::Forward => probe::command(start, flow.tuple.responder.port == 515),
            // A server only says one byte, or text.
            Direction::Reverse => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(LpdParser { session: Session::default() })
    }
}

struct LpdParser {
    session: Session,
}

impl Parser for LpdParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        match (chunk, dir) {
            (Chunk::Stream(bytes), Direction::Forward) => self.session.client(bytes, out),
            (Chunk::Stream(bytes), Direction::Reverse) => self.session.server(bytes, out),
            (Chunk::Gap(lost), Direction::Forward) if self.session.passes_over(lost) => {}
            (Chunk::Gap(lost), Direction::Reverse) => self.session.missed(lost),
            (Chunk::Gap(_) | Chunk::Datagram(_), _) => {
                self.session.end(out);
                return Next::Done;
            }
        }
        if self.session.is_over() {
            self.session.end(out);
            return Next::Done;
        }
        Next::More
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.session.end(out);
    }
}

#[cfg(test)]
mod tests;
