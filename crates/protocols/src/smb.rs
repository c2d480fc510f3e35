//! SMB1, SMB2 and SMB3 over NetBIOS session framing or TCP.
//!
//! The protocol of file shares, and of most worms: who logs on, which shares and pipes are opened,
//! and what is done with files, by name token, extension, size and the entropy of what is written.
//! `frame` cuts the stream and passes over bulk data, `v1` and `v2` read messages,
//! `connection` remembers what answers refer to, `shapes` knows published exploits.
//!
//! Deliberately absent: contents of files, directory listings, oplocks and leases, remote procedure
//! calls on pipes (but for one exploit), and everything inside encrypted sessions.

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::frames::{Frames, Step};
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod connection;
mod files;
mod frame;
mod path;
mod shapes;
mod table;
mod v1;
mod v1_trans;
mod v2;

use connection::Connection;
use frame::{Flavour, Framed};
use shapes::Shape;

pub(crate) use path::extension;

/// Dialect chosen.
pub static NEGOTIATE: KindSpec = KindSpec {
    name: "smb.negotiate",
    doc: "A dialect was chosen. Subject is the client.",
    fields: &[
        Field::new("dialect", FieldType::Text, "NT LM 0.12, 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1."),
        Field::new("version", FieldType::Uint, "1, 2 or 3."),
        Field::new("signing", FieldType::Text, "required, enabled or off, as the server says."),
    ],
};

/// A log-on.
pub static SESSION: KindSpec = KindSpec {
    name: "smb.session",
    doc: "A session was asked for, and the server answered. Subject is the client.",
    fields: &[
        Field::new("outcome", FieldType::Text, "success, failure or guest."),
        Field::new("status", FieldType::Uint, "NT status."),
        Field::staff("user", "User name from NTLMSSP; empty for an anonymous one."),
        crate::ntlm::DOMAIN,
        crate::ntlm::WORKSTATION,
        Field::new("anonymous", FieldType::Bool, "Whether without a user."),
        Field::new(
            "encrypted",
            FieldType::Bool,
            "Whether the server has all of the session encrypted: nothing more is seen of it then.",
        ),
    ],
};

/// A share was connected.
pub static TREE: KindSpec = KindSpec {
    name: "smb.tree",
    doc: "A share was asked for, and the server answered. Subject is the client.",
    fields: &[
        Field::new("share", FieldType::Text, "Share name without the server, upper case."),
        Field::new("outcome", FieldType::Text, "success or failure."),
        Field::new("status", FieldType::Uint, "NT status."),
        Field::new(
            "admin",
            FieldType::Bool,
            "Whether an administrative share: ADMIN$, C$ and the like.",
        ),
    ],
};

/// Something was done with a file.
pub static FILE: KindSpec = KindSpec {
    name: "smb.file",
    doc: "A file was created, read, written, renamed or deleted; said once for each file opened and thing done with it. Subject is the client.",
    fields: &[
        Field::new(
            "action",
            FieldType::Text,
            "create, overwrite, open, read, write, rename, delete.",
        ),
        Field::new("share", FieldType::Text, "Share name, where the tree was seen connected."),
        Field::patient(
            "name",
            "Path within the share, as a token: file names hold patients' names.",
        ),
        Field::patient("folder", "Folder of the path, as a token."),
        Field::new("extension", FieldType::Text, "Extension, lower case, at most 16 letters."),
        Field::new("new_extension", FieldType::Text, "Extension after a rename."),
        Field::new(
            "pipe",
            FieldType::Text,
            "Name of the pipe, where it is one of the known service pipes (svcctl, atsvc, ...).",
        ),
        Field::measure(
            "bytes",
            FieldType::Uint,
            "bytes",
            "Bytes read or written up to the close, on read and write.",
        ),
        Field::measure(
            "entropy",
            FieldType::Float,
            "bits/byte",
            "Entropy of the first bytes written.",
        ),
        Field::new(
            "executable",
            FieldType::Bool,
            "Whether what was written begins as a program (MZ, ELF).",
        ),
        Field::new("status", FieldType::Uint, "NT status, where it failed."),
    ],
};

/// A published exploit's shape.
pub static EXPLOIT: KindSpec = KindSpec {
    name: "smb.exploit_shape",
    doc: "A message with the shape of a published SMB exploit. Subject is its sender.",
    fields: &[Field::new(
        "shape",
        FieldType::Text,
        "Which: trans2_session_setup and peek_named_pipe (MS17-010 probing), doublepulsar_answer, oversized_nttrans (EternalBlue), ms08_067, smbghost.",
    )],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "smb",
    transports: &[Transport::Tcp],
    kinds: &[&NEGOTIATE, &SESSION, &TREE, &FILE, &EXPLOIT, &crate::ntlm::CHALLENGE],
    doc: "File shares and service pipes: log-ons, shares, files and exploits.",
    sources: &["MS-SMB2", "MS-CIFS", "MS-SMB", "MS-FSCC", "MS-NLMP", "RFC 1002 (session service)"],
};

/// SMB of all versions.
pub struct Smb;

impl Protocol for Smb {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        if flow.tuple.transport != Transport::Tcp {
            return Probe::No;
        }
        match (frame::header(start), start.get(frame::HEADER..)) {
            (Some(Framed::Message(length)), Some(message)) => {
                match (length >= 32, frame::flavour(message)) {
                    (true, Some(_)) => Probe::Yes,
                    (true, None) if message.len() < 4 => Probe::Unsure,
                    _ => Probe::No,
                }
            }
            (Some(Framed::Service(length)), Some(names)) => probe_service(start, length, names),
            (Some(Framed::Unknown), _) => Probe::No,
            _ if start.first().is_none_or(|kind| matches!(kind, 0x00 | 0x81..=0x85)) => {
                Probe::Unsure
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        let side = || Side { frames: Frames::new(frame::HOLD.saturating_mul(2)), lost: false };
        Box::new(SmbParser { sides: [side(), side()], connection: Connection::new() })
    }
}

/// A NetBIOS session request holds two encoded names of 32 letters; its answers are too short to
/// tell.
fn probe_service(start: &[u8], length: usize, names: &[u8]) -> Probe {
    match start.first() {
        Some(0x81) if length == 68 => match names.first_chunk::<33>() {
            Some([32, letters @ ..]) if letters.iter().all(|b| matches!(b, b'A'..=b'P')) => {
                Probe::Yes
            }
            Some(_) => Probe::No,
            None => Probe::Unsure,
        },
        Some(0x82) if length == 0 => Probe::Unsure,
        _ => Probe::No,
    }
}

struct Side {
    frames: Frames,
    /// Bytes were lost: where the next message begins is not known.
    lost: bool,
}

struct SmbParser {
    sides: [Side; 2],
    connection: Connection,
}

impl Parser for SmbParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let connection = &mut self.connection;
        let [forward, reverse] = &mut self.sides;
        let side = if dir == Direction::Forward { forward } else { reverse };
        match chunk {
            Chunk::Stream(bytes) => {
                let lost = &mut side.lost;
                let next =
                    side.frames.feed(bytes, |unread| take(unread, lost, dir, connection, out));
                if next == Next::Done {
                    connection.end(out);
                }
                next
            }
            Chunk::Gap(_) => {
                side.frames.clear();
                side.lost = true;
                Next::More
            }
            Chunk::Datagram(_) => Next::Done,
        }
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.connection.end(out);
    }
}

fn take(
    unread: &[u8],
    lost: &mut bool,
    dir: Direction,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) -> Step {
    if *lost {
        return find(unread, lost);
    }
    let Some(framed) = frame::header(unread) else { return Step::More };
    let rest = unread.get(frame::HEADER..).unwrap_or_default();
    let length = match framed {
        Framed::Message(length) => length,
        Framed::Service(length) => return Step::Skip(length.saturating_add(frame::HEADER) as u64),
        Framed::Unknown => {
            out.anomaly(SPEC.name, "no NetBIOS session header", dir);
            return Step::Stop;
        }
    };
    let Some(looked_at) = frame::looked_at(rest, length) else { return Step::More };
    let Some(body) = rest.get(..looked_at) else { return Step::More };
    match frame::flavour(body) {
        Some(Flavour::V1) => v1::message(body, looked_at == length, dir, connection, out),
        Some(Flavour::V2) => v2::messages(body, length, dir, connection, out),
        Some(Flavour::Encrypted) if connection.encrypts => return Step::Stop,
        Some(Flavour::Encrypted) => {}
        Some(Flavour::Compressed) => {
            if shapes::is_ghost(body) {
                connection.shapes.say(Shape::Ghost, dir, out);
            }
        }
        None if length == 0 => {}
        None => {
            out.anomaly(SPEC.name, "neither SMB1 nor SMB2 in the frame", dir);
            return Step::Stop;
        }
    }
    Step::Skip(length.saturating_add(frame::HEADER) as u64)
}

/// Finds the next frame after a loss: a zero byte, a length, and a magic word.
fn find(unread: &[u8], lost: &mut bool) -> Step {
    const MARK: usize = 8;
    let begins = |window: &[u8]| {
        window.first() == Some(&0)
            && window.get(frame::HEADER..).is_some_and(|magic| frame::flavour(magic).is_some())
    };
    match unread.windows(MARK).position(begins) {
        Some(0) => {
            *lost = false;
            // Seen again at once, now as a message.
            Step::Skip(0)
        }
        Some(at) => Step::Used(at),
        // All but the bytes that could begin a mark.
        None => match unread.len().saturating_sub(MARK.saturating_sub(1)) {
            0 => Step::More,
            passed => Step::Used(passed),
        },
    }
}

#[cfg(test)]
mod tests;
