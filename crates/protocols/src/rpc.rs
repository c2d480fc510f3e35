//! ONC remote procedure calls (RFC 5531) over TCP and UDP: the port mapper, mounting, and NFS 2 to 4.
//!
//! Old devices fetch their software and keep their images over NFS, and say who they are in a number
//! that nobody checks. What leaves: which programs are called as whom, what is exported to whom, what
//! is mounted, and how much is read, written and deleted. Deliberately absent: names and contents of
//! files, locks, layouts, callbacks, and what GSS encrypts.

mod header;
mod mount;
mod nfs;
mod nfs4;
mod portmap;
mod session;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::frames::{Frames, Step};
use crate::seam::{Parser, Protocol, ProtocolSpec};
use session::Session;

/// A program was called.
pub static PROGRAM: KindSpec = KindSpec {
    name: "rpc.program",
    doc: "A program was called, for the first time in a flow and flavour of authentication; not said of the calls that nfs.mount and rpc.portmap say. Subject is the client.",
    fields: &[
        Field::new("program", FieldType::Text, "Name of the program, where it is a known one."),
        Field::new("number", FieldType::Uint, "Number of the program."),
        Field::new("version", FieldType::Uint, "Version of the program."),
        Field::new(
            "auth",
            FieldType::Text,
            "Flavour of authentication: none, unix, des, gss, tls, other.",
        ),
        Field::new("uid", FieldType::Uint, "User number that the client claims; 0 is root."),
        Field::new("machine", FieldType::Text, "Name that the client's machine gives itself."),
        Field::new(
            "outcome",
            FieldType::Text,
            "accepted, unavailable, mismatch, denied, error or unanswered.",
        ),
    ],
};

/// The port mapper was asked.
pub static PORTMAP: KindSpec = KindSpec {
    name: "rpc.portmap",
    doc: "The port mapper was asked where a program is, or for all of them. Subject is the client.",
    fields: &[
        Field::new(
            "action",
            FieldType::Text,
            "getport, dump, callit (call through the mapper), set, unset or other.",
        ),
        Field::new("program", FieldType::Text, "Program asked for, by name or number."),
        Field::new("version", FieldType::Uint, "Version asked for."),
        Field::new("port", FieldType::Uint, "Port in the answer; 0 where it is not there."),
        Field::new("programs", FieldType::Texts, "Programs listed, each once, at most 32."),
        Field::new(
            "outcome",
            FieldType::Text,
            "accepted, unavailable, mismatch, denied, error or unanswered.",
        ),
    ],
};

/// Something was mounted, or exports were asked for.
pub static MOUNT: KindSpec = KindSpec {
    name: "nfs.mount",
    doc: "A path was mounted or given back, or exports were listed. Subject is the client.",
    fields: &[
        Field::new(
            "action",
            FieldType::Text,
            "mount, unmount, unmount_all, exports or mounts (who has mounted what).",
        ),
        Field::new("version", FieldType::Uint, "Version of the mount protocol."),
        Field::new("path", FieldType::Text, "Path to mount."),
        Field::new("outcome", FieldType::Text, "success, failure or unanswered."),
        Field::new("status", FieldType::Uint, "Status of a mount: 13 is access denied."),
        Field::new("exports", FieldType::Texts, "Paths exported, at most 32."),
        Field::new(
            "open_exports",
            FieldType::Uint,
            "Exports that name nobody: everybody may mount them.",
        ),
        Field::new("uid", FieldType::Uint, "User number that the client claims."),
        Field::new("machine", FieldType::Text, "Name that the client's machine gives itself."),
    ],
};

/// What was done with files.
pub static ACTIVITY: KindSpec = KindSpec {
    name: "nfs.activity",
    doc: "What a client did with files since the last such report, at most one a minute and flow. Subject is the client.",
    fields: &[
        Field::new("version", FieldType::Uint, "2, 3 or 4."),
        Field::new(
            "calls",
            FieldType::Uint,
            "Calls; of version 4 each counts once, whatever is in it.",
        ),
        Field::new("reads", FieldType::Uint, "Reads."),
        Field::measure("read_bytes", FieldType::Uint, "bytes", "Bytes that came of them."),
        Field::new("writes", FieldType::Uint, "Writes."),
        Field::measure("written_bytes", FieldType::Uint, "bytes", "Bytes in those that succeeded."),
        Field::new("creates", FieldType::Uint, "Files, folders and links made."),
        Field::new("removes", FieldType::Uint, "Files and folders removed."),
        Field::new("renames", FieldType::Uint, "Renames."),
        Field::new("lookups", FieldType::Uint, "Names looked up and folders listed."),
        Field::new("failures", FieldType::Uint, "Answers with a status other than success."),
        Field::new(
            "denied",
            FieldType::Uint,
            "Of these, those that say access denied or not owner.",
        ),
        Field::new(
            "operations",
            FieldType::Texts,
            "Names of the operations, each once, at most 32.",
        ),
        Field::new("uids", FieldType::Texts, "User numbers claimed, at most 8."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "rpc",
    transports: &[Transport::Tcp, Transport::Udp],
    kinds: &[&PROGRAM, &PORTMAP, &MOUNT, &ACTIVITY],
    doc: "Remote procedure calls: port mapper, mounting, NFS.",
    sources: &[
        "RFC 5531 (RPC)",
        "RFC 1833 (port mapper)",
        "RFC 1094 (NFS 2)",
        "RFC 1813 (NFS 3, MOUNT 3)",
        "RFC 7530, RFC 7531 (NFS 4.0)",
        "RFC 8881, RFC 5662 (NFS 4.1)",
        "IANA RPC program numbers",
    ],
};

/// What is looked at of a record: what calls bring lies behind, and is only counted.
const HEAD: usize = 4 << 10;
/// Longest fragment that is believed: no NFS server takes more at once.
const LONGEST: usize = 64 << 20;
/// The mark in front of a fragment (RFC 5531, 11).
const MARK: usize = 4;
const LAST: u8 = 0x80;

/// Remote procedure calls.
#[derive(Debug)]
pub struct Rpc;

impl Protocol for Rpc {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    /// Only by calls: an answer is little more than zeros.
    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        match flow.tuple.transport {
            Transport::Udp => match header::probe(start) {
                Probe::Unsure => Probe::No,
                sure => sure,
            },
            Transport::Tcp => {
                let Some((&mark, rest)) = start.split_first() else { return Probe::Unsure };
                if mark != LAST {
                    return Probe::No;
                }
                let Some(&[high, middle, low]) = rest.first_chunk() else { return Probe::Unsure };
                let length = u32::from_be_bytes([0, high, middle, low]);
                if !(header::SHORTEST_CALL..=LONGEST).contains(&(length as usize))
                    || !length.is_multiple_of(4)
                {
                    return Probe::No;
                }
                header::probe(start.get(MARK..).unwrap_or_default())
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        let lane = || Lane { frames: Frames::new(HEAD.saturating_add(MARK)), within: false };
        Box::new(RpcParser { lanes: [lane(), lane()], session: Session::default() })
    }
}

struct Lane {
    frames: Frames,
    /// A record goes on in another fragment, which is passed over.
    within: bool,
}

struct RpcParser {
    lanes: [Lane; 2],
    session: Session,
}

impl Parser for RpcParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { lanes: [forward, reverse], session } = self;
        let Lane { frames, within } = if dir == Direction::Forward { forward } else { reverse };
        let next = match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| {
                let Some(&[mark, high, middle, low]) = unread.first_chunk() else {
                    return Step::More;
                };
                let length = u32::from_be_bytes([mark & !LAST, high, middle, low]) as usize;
                if length > LONGEST {
                    out.anomaly(SPEC.name, "no record", dir);
                    return Step::Stop;
                }
                if !*within {
                    let end = length.min(HEAD).saturating_add(MARK);
                    let Some(head) = unread.get(MARK..end) else { return Step::More };
                    session.record(dir, head, out);
                }
                *within = mark & LAST == 0;
                Step::Skip(length.saturating_add(MARK) as u64)
            }),
            Chunk::Datagram(bytes) => {
                session.record(dir, bytes.get(..HEAD).unwrap_or(bytes), out);
                Next::More
            }
            Chunk::Gap(_) => Next::Done,
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

#[cfg(test)]
mod tests;
