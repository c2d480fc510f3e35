//! RDP's connection request (MS-RDPBCGR 2.2.1): who announces himself, how the session is
//! protected, and the channels asked for where that is in clear.
//!
//! A request for the channel MS_T120, which is for the server's own use, is how CVE-2019-0708
//! ("BlueKeep") begins: the server binds it to channel 31 by itself, so that whoever asks for it gets
//! a second one. Once TLS begins, its handshake is read as such: the certificate names the machine.
//! Within TLS neither channels nor NLA's names can be seen, nor the outcome. The same X.224 request
//! opens other protocols (S7, H.323), told apart by what follows in it.

mod conference;

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};
use wire::cursor::{Cursor, Short};

use super::SESSION;
use crate::frames::{Frames, Step};
use crate::seam::{Parser, Protocol, ProtocolSpec};
use crate::tls;
use conference::Conference;
use model::field::{Field, FieldType, KindSpec};
use model::observation::Value;

/// What a client asked for.
pub static CONNECT: KindSpec = KindSpec {
    name: "rdp.connect",
    doc: "What an RDP client asked for at the start of a session. Subject is the client.",
    fields: &[
        Field::new(
            "requested",
            FieldType::Texts,
            "Protection that the client takes: rdp, tls, nla, rdstls, nla_early.",
        ),
        Field::new(
            "refusal",
            FieldType::Text,
            "Why the server refused: tls_required, tls_not_allowed, no_certificate, inconsistent, nla_required, user_certificate_required, other.",
        ),
        Field::new(
            "restricted_admin",
            FieldType::Bool,
            "Whether it asks for restricted administration, which takes a password's hash for the password.",
        ),
        Field::new("routing_token", FieldType::Bool, "Whether it brings a load balancer's token."),
        Field::new("client", FieldType::Text, "Name of the client's machine, where in clear."),
        Field::new("client_build", FieldType::Uint, "Build number of the client, where in clear."),
        Field::new("keyboard", FieldType::Uint, "Keyboard layout of the client, where in clear."),
        Field::new("channels", FieldType::Texts, "Channels asked for, at most 31, where in clear."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "rdp",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION, &CONNECT, &tls::CLIENT_HELLO, &tls::SERVER_HELLO, &tls::CERTIFICATE],
    doc: "Remote desktop: the announced user, the protection and the channels.",
    sources: &["MS-RDPBCGR", "RFC 1006 (TPKT)", "ITU-T X.224", "CVE-2019-0708"],
};

/// A packet's length has 16 bits.
const CAP: usize = 65_535;
/// Headers of TPKT and X.224 up to where a request's own data begins.
const REQUEST: usize = 11;
const CONNECTION_REQUEST: u8 = 0xe0;
const CONNECTION_CONFIRM: u8 = 0xd0;
const NEGOTIATION_REQUEST: u8 = 1;
const NEGOTIATION_RESPONSE: u8 = 2;
const NEGOTIATION_FAILURE: u8 = 3;

/// RDP.
pub struct Rdp;

impl Protocol for Rdp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, dir: Direction, start: &[u8]) -> Probe {
        if flow.tuple.transport != Transport::Tcp {
            return Probe::No;
        }
        let Some(header) = start.first_chunk::<REQUEST>() else {
            return if [3, 0].starts_with(start) || start.starts_with(&[3, 0]) {
                Probe::Unsure
            } else {
                Probe::No
            };
        };
        let [3, 0, high, low, rest, code, 0, 0, _, _, 0] = *header else { return Probe::No };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length != usize::from(rest).saturating_add(5) || code != CONNECTION_REQUEST {
            return Probe::No;
        }
        let known_port = flow.tuple.responder.port == 3389;
        let data = start.get(REQUEST..length.min(start.len())).unwrap_or_default();
        match data {
            // The smallest request says nothing of itself.
            [] if length == REQUEST && known_port => Probe::Yes,
            [] => Probe::Unsure,
            _ if b"Cookie: ms".starts_with(data) => Probe::Unsure,
            _ if data.starts_with(b"Cookie: ms") => Probe::Yes,
            [NEGOTIATION_REQUEST, _, 8, 0, ..] => Probe::Yes,
            [NEGOTIATION_REQUEST, ..] if data.len() < 4 => Probe::Unsure,
            // A load balancer's token of a form of its own.
            _ if known_port && dir == Direction::Forward => Probe::Yes,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(RdpParser {
            frames: [Frames::new(CAP), Frames::new(CAP)],
            known: Known::default(),
            tls: None,
        })
    }
}

/// What is known of the session.
#[derive(Default)]
struct Known {
    user: Vec<u8>,
    /// Bits of what the client takes; nothing from before there was a negotiation.
    requested: Option<u32>,
    restricted_admin: bool,
    routing_token: bool,
    conference: Conference,
    security: Option<&'static str>,
    refusal: Option<&'static str>,
    said: bool,
}

struct RdpParser {
    frames: [Frames; 2],
    known: Known,
    /// Once TLS has begun.
    tls: Option<Box<dyn Parser>>,
}

impl Parser for RdpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        if let Some(tls) = &mut self.tls {
            return tls.data(dir, chunk, out);
        }
        let Chunk::Stream(bytes) = chunk else {
            self.known.say(out);
            return Next::Done;
        };
        let known = &mut self.known;
        let [forward, reverse] = &mut self.frames;
        let frames = if dir == Direction::Forward { forward } else { reverse };
        // What follows the confirmation in the same piece.
        let mut behind = Vec::new();
        let next = frames.feed(bytes, |unread| {
            if known.encrypts() {
                behind.extend_from_slice(unread);
                return Step::Used(unread.len());
            }
            take(unread, dir, known, out)
        });
        if self.known.encrypts() {
            return self.encrypted(&behind, out);
        }
        if next == Next::Done {
            self.known.say(out);
        }
        next
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.known.say(out);
        if let Some(tls) = &mut self.tls {
            tls.end(out);
        }
    }
}

impl RdpParser {
    /// TLS begins: with what the client may have sent already, and with what is behind the server's
    /// confirmation.
    fn encrypted(&mut self, behind: &[u8], out: &mut Emit<'_>) -> Next {
        self.known.say(out);
        let Some(mut tls) = out.flow().map(|flow| tls::Tls.open(flow)) else { return Next::Done };
        let [forward, _] = &self.frames;
        let early = [(Direction::Forward, forward.pending()), (Direction::Reverse, behind)];
        let mut next = Next::More;
        for (dir, bytes) in early {
            if next != Next::Done && !bytes.is_empty() {
                next = tls.data(dir, Chunk::Stream(bytes), out);
            }
        }
        self.tls = Some(tls);
        // What it wants passed over behind bytes of the client cannot be said from here.
        if behind.is_empty() && next != Next::Done { Next::More } else { next }
    }
}

fn take(unread: &[u8], dir: Direction, known: &mut Known, out: &mut Emit<'_>) -> Step {
    let Some(&[version, _, high, low]) = unread.first_chunk() else { return Step::More };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version != 3 || length < 7 {
        out.anomaly(SPEC.name, "no TPKT header", dir);
        return Step::Stop;
    }
    let Some(packet) = unread.get(4..length) else { return Step::More };
    let over = match dir {
        Direction::Forward => known.client_sent(packet, out),
        Direction::Reverse => known.server_sent(packet),
    };
    match over {
        Ok(true) => Step::Stop,
        Ok(false) => Step::Used(length),
        Err(Short) => {
            out.anomaly(SPEC.name, "packet ends too early", dir);
            Step::Stop
        }
    }
}

impl Known {
    /// Whether TLS comes next.
    fn encrypts(&self) -> bool {
        matches!(self.security, Some("tls" | "nla"))
    }

    /// Says whether nothing more is of interest.
    fn client_sent(&mut self, packet: &[u8], out: &mut Emit<'_>) -> Result<bool, Short> {
        let mut cursor = Cursor::new(packet);
        let [_, code] = cursor.array()?;
        if code == CONNECTION_REQUEST {
            cursor.skip(5)?;
            self.requests(cursor.rest());
            return Ok(false);
        }
        // The first data in clear are the conference request with its channels.
        self.conference = Conference::read(packet);
        let channel = |name: &[u8]| name.eq_ignore_ascii_case(b"MS_T120\0");
        if packet.windows(8).any(channel) {
            out.anomaly(SPEC.name, "rdp requests channel MS_T120", Direction::Forward);
        }
        Ok(true)
    }

    /// A cookie or a token, then what the client takes (2.2.1.1).
    fn requests(&mut self, data: &[u8]) {
        const COOKIE: &[u8] = b"Cookie: mstshash=";
        const TOKEN: &[u8] = b"Cookie: msts=";
        const RESTRICTED_ADMIN: u8 = 1;
        let mut rest = data;
        if data.starts_with(b"Cookie: ") {
            let end = data.iter().position(|&b| matches!(b, b'\r' | b'\n')).unwrap_or(data.len());
            let line = data.get(..end).unwrap_or_default();
            self.user = line.strip_prefix(COOKIE).unwrap_or_default().to_vec();
            self.routing_token = line.starts_with(TOKEN);
            rest = data.get(end.saturating_add(2)..).unwrap_or_default();
        }
        if let Some(&[NEGOTIATION_REQUEST, flags, 8, 0, a, b, c, d]) = rest.first_chunk() {
            self.requested = Some(u32::from_le_bytes([a, b, c, d]));
            self.restricted_admin = flags & RESTRICTED_ADMIN != 0;
        }
    }

    fn server_sent(&mut self, packet: &[u8]) -> Result<bool, Short> {
        let mut cursor = Cursor::new(packet);
        let [_, code] = cursor.array()?;
        if code != CONNECTION_CONFIRM {
            return Ok(false);
        }
        cursor.skip(5)?;
        let chosen = match cursor.array::<4>() {
            Ok([NEGOTIATION_FAILURE, ..]) => {
                self.refusal = Some(refusal(cursor.u32_le().unwrap_or(0)));
                None
            }
            Ok([NEGOTIATION_RESPONSE, ..]) => Some(cursor.u32_le()?),
            // Servers from before the negotiation answer without it.
            _ => Some(0),
        };
        self.security = Some(match chosen {
            None => "refused",
            Some(0) => "rdp",
            Some(1) => "tls",
            // CredSSP, with and without early user authorisation.
            Some(2 | 8) => "nla",
            Some(_) => "other",
        });
        // What follows the confirmation is RDP's own or TLS; of anything else nothing is known.
        Ok(self.security != Some("rdp") && !self.encrypts())
    }

    fn say(&mut self, out: &mut Emit<'_>) {
        if std::mem::replace(&mut self.said, true) {
            return;
        }
        let client = self.conference.client.as_bytes();
        let mut draft = out
            .observe(&SESSION, Direction::Forward)
            .word("service", SPEC.name)
            .text("client", client)
            .text("user", &self.user);
        if let Some(security) = self.security {
            draft = draft.word("security", security);
        }
        draft.emit();
        const NAMES: [(u32, &str); 4] = [(1, "tls"), (2, "nla"), (4, "rdstls"), (8, "nla_early")];
        let bits = self.requested.unwrap_or(0);
        let mut requested: Vec<&[u8]> = NAMES
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, name)| name.as_bytes())
            .collect();
        if requested.is_empty() {
            requested.push(b"rdp");
        }
        let number = |value: Option<u32>| value.map(u64::from).map(Value::Uint);
        out.observe(&CONNECT, Direction::Forward)
            .texts("requested", requested, NAMES.len())
            .value("refusal", self.refusal.map(Value::Word))
            .flag("restricted_admin", self.restricted_admin)
            .flag("routing_token", self.routing_token)
            .text("client", client)
            .value("client_build", number(self.conference.build))
            .value("keyboard", number(self.conference.keyboard))
            .texts(
                "channels",
                self.conference.channels.iter().map(AsRef::as_ref),
                conference::MOST_CHANNELS,
            )
            .emit();
    }
}

/// Why a server refuses (2.2.1.2.2).
const fn refusal(code: u32) -> &'static str {
    match code {
        1 => "tls_required",
        2 => "tls_not_allowed",
        3 => "no_certificate",
        4 => "inconsistent",
        5 => "nla_required",
        6 => "user_certificate_required",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
