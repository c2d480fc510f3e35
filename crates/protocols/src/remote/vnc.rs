//! VNC, by the Remote Framebuffer protocol (RFC 6143): versions, how the session is protected,
//! whether the password was right, and what the desktop calls itself. After that the screen begins,
//! and the flow is left alone.

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use super::{LOGIN, SESSION};
use crate::seam::{Parser, Protocol, ProtocolSpec};

/// A desktop was opened.
pub static DESKTOP: KindSpec = KindSpec {
    name: "vnc.desktop",
    doc: "A desktop was opened over VNC. Subject is the client.",
    fields: &[
        Field::new("name", FieldType::Text, "Name that the desktop gives itself."),
        Field::measure("width", FieldType::Uint, "pixels", "Width of the screen."),
        Field::measure("height", FieldType::Uint, "pixels", "Height of the screen."),
        Field::new("shared", FieldType::Bool, "Whether others may stay connected."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "vnc",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION, &LOGIN, &DESKTOP],
    doc: "Remote framebuffer: protection, log-on and desktop.",
    sources: &["RFC 6143", "IANA RFB security types"],
};

const BANNER: usize = 12;
/// Most bytes that either side can need for a step: a list of 255 security types.
const CAP: usize = 512;
/// What a server says of its desktop, up to the name's length, and most of a name that is kept.
const DESKTOP_HEAD: usize = 24;
const LONGEST_NAME: usize = 256;
/// Kinds of protection that are named.
const MOST_OFFERED: usize = 16;

/// VNC.
pub struct Vnc;

impl Protocol for Vnc {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        if flow.tuple.transport != Transport::Tcp {
            return Probe::No;
        }
        match start.first_chunk::<BANNER>() {
            Some(banner) if version(banner).is_some() => Probe::Yes,
            Some(_) => Probe::No,
            None if b"RFB ".starts_with(start) || start.starts_with(b"RFB ") => Probe::Unsure,
            None => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(VncParser {
            step: Step::ServerVersion,
            pending: [Vec::new(), Vec::new()],
            server: None,
            client: None,
            minor: 0,
            offered: Vec::new(),
            shared: false,
        })
    }
}

/// Minor version of a banner such as `RFB 003.008`; 3 is the only major one.
fn version(banner: &[u8; BANNER]) -> Option<u16> {
    let digits = banner.strip_prefix(b"RFB 003.")?.strip_suffix(b"\n")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What comes next, and from whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    ServerVersion,
    ClientVersion,
    /// From 3.7 on: the types that the server offers.
    Offer,
    /// Before 3.7: the type that the server sets.
    Set,
    /// The type that the client takes.
    Choice,
    Challenge,
    Response,
    Result,
    /// Whether the client wants to share the desktop.
    Share,
    /// What the desktop is.
    Desktop,
    Over,
}

struct VncParser {
    step: Step,
    /// Bytes of each side whose turn has not come, or that are too few.
    pending: [Vec<u8>; 2],
    server: Option<[u8; BANNER]>,
    client: Option<[u8; BANNER]>,
    /// The lower of both minor versions.
    minor: u16,
    /// Names of what the server offers.
    offered: Vec<&'static str>,
    shared: bool,
}

const NONE: u8 = 1;
const PASSWORD: u8 = 2;

impl Parser for VncParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Stream(bytes) = chunk else { return Next::Done };
        if let Some(pending) = self.pending.get_mut(dir.index()) {
            let room = CAP.saturating_sub(pending.len());
            pending.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        while self.advance(out) {}
        if self.step == Step::Over { Next::Done } else { Next::More }
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        match self.step {
            Step::Over | Step::ServerVersion | Step::Share | Step::Desktop => {}
            Step::Challenge | Step::Response | Step::Result => login("unknown", out),
            _ => self.session(None, out),
        }
    }
}

impl VncParser {
    /// Takes one step, where its bytes are there.
    fn advance(&mut self, out: &mut Emit<'_>) -> bool {
        let step = match self.step {
            Step::ServerVersion => self.server_version(out),
            Step::ClientVersion => self.client_version(out),
            Step::Offer => self.offer(),
            Step::Set => self.set(out),
            Step::Choice => self.choice(out),
            Step::Challenge => self.take::<16>(Direction::Reverse).map(|_| Step::Response),
            Step::Response => self.take::<16>(Direction::Forward).map(|_| Step::Result),
            Step::Result => self.take::<4>(Direction::Reverse).map(|result| {
                let right = result == [0; 4];
                login(if right { "success" } else { "failure" }, out);
                if right { Step::Share } else { Step::Over }
            }),
            Step::Share => self.take::<1>(Direction::Forward).map(|[shared]| {
                self.shared = shared != 0;
                Step::Desktop
            }),
            Step::Desktop => self.desktop(out),
            Step::Over => None,
        };
        match step {
            Some(step) => {
                self.step = step;
                true
            }
            None => false,
        }
    }

    fn take<const N: usize>(&mut self, dir: Direction) -> Option<[u8; N]> {
        let pending = self.pending.get_mut(dir.index())?;
        let taken = *pending.first_chunk::<N>()?;
        pending.drain(..N);
        Some(taken)
    }

    fn server_version(&mut self, out: &mut Emit<'_>) -> Option<Step> {
        let banner = self.take(Direction::Reverse)?;
        let Some(minor) = version(&banner) else {
            out.anomaly(SPEC.name, "no version banner", Direction::Reverse);
            return Some(Step::Over);
        };
        (self.server, self.minor) = (Some(banner), minor);
        Some(Step::ClientVersion)
    }

    fn client_version(&mut self, out: &mut Emit<'_>) -> Option<Step> {
        let banner = self.take(Direction::Forward)?;
        let Some(minor) = version(&banner) else {
            out.anomaly(SPEC.name, "no version banner", Direction::Forward);
            return Some(Step::Over);
        };
        (self.client, self.minor) = (Some(banner), self.minor.min(minor));
        Some(if self.minor >= 7 { Step::Offer } else { Step::Set })
    }

    /// A count, then so many types; none is a refusal with a reason behind.
    fn offer(&mut self) -> Option<Step> {
        let [_, pending] = &mut self.pending;
        let count = usize::from(*pending.first()?);
        let whole = count.saturating_add(1);
        if pending.len() < whole {
            return None;
        }
        for kind in pending.drain(..whole).skip(1) {
            let name = security(kind);
            if self.offered.len() < MOST_OFFERED && !self.offered.contains(&name) {
                self.offered.push(name);
            }
        }
        Some(Step::Choice)
    }

    /// Size of the screen, its format, and the name behind its length (7.3.2).
    fn desktop(&mut self, out: &mut Emit<'_>) -> Option<Step> {
        let [_, pending] = &self.pending;
        let head = pending.first_chunk::<DESKTOP_HEAD>()?;
        let [w1, w2, h1, h2, .., a, b, c, d] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let end = DESKTOP_HEAD.saturating_add(length.min(LONGEST_NAME));
        let name = pending.get(DESKTOP_HEAD..end)?;
        out.observe(&DESKTOP, Direction::Forward)
            .text("name", name)
            .uint("width", u16::from_be_bytes([w1, w2]))
            .uint("height", u16::from_be_bytes([h1, h2]))
            .flag("shared", self.shared)
            .emit();
        Some(Step::Over)
    }

    fn set(&mut self, out: &mut Emit<'_>) -> Option<Step> {
        let [.., kind] = self.take::<4>(Direction::Reverse)?;
        self.session(Some(kind), out);
        Some(match kind {
            NONE => {
                login("success", out);
                Step::Share
            }
            PASSWORD => Step::Challenge,
            _ => Step::Over,
        })
    }

    fn choice(&mut self, out: &mut Emit<'_>) -> Option<Step> {
        let [kind] = self.take::<1>(Direction::Forward)?;
        self.session(Some(kind), out);
        Some(match kind {
            // Since 3.8 the server says so here too.
            NONE if self.minor >= 8 => Step::Result,
            NONE => {
                login("success", out);
                Step::Share
            }
            PASSWORD => Step::Challenge,
            _ => Step::Over,
        })
    }

    fn session(&self, kind: Option<u8>, out: &mut Emit<'_>) {
        let text = |banner: &Option<[u8; BANNER]>| banner.unwrap_or([0; BANNER]);
        let mut draft = out
            .observe(&SESSION, Direction::Forward)
            .word("service", SPEC.name)
            .text("software", &text(&self.server))
            .text("client", &text(&self.client));
        if let Some(kind) = kind {
            draft = draft.word("security", security(kind));
        }
        let offered = self.offered.iter().map(|name| name.as_bytes());
        draft = draft.texts("offered", offered, MOST_OFFERED);
        draft.emit();
    }
}

/// Name of a security type.
const fn security(kind: u8) -> &'static str {
    match kind {
        0 => "refused",
        NONE => "none",
        PASSWORD => "vnc",
        // TLS and VeNCrypt.
        18 | 19 => "tls",
        _ => "other",
    }
}

fn login(outcome: &'static str, out: &mut Emit<'_>) {
    let draft = out.observe(&LOGIN, Direction::Forward).word("service", SPEC.name);
    draft.word("outcome", outcome).emit();
}

#[cfg(test)]
mod tests;
