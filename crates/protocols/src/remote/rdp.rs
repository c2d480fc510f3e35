//! RDP's connection request (MS-RDPBCGR 2.2.1): who announces himself, how the session is
//! protected, and the channels asked for where that is in clear.
//!
//! A request for the channel MS_T120, which is for the server's own use, is how CVE-2019-0708
//! ("BlueKeep") begins. Within TLS the channels cannot be seen. The same X.224 request opens other
//! protocols (S7, H.323), told apart by what follows in it.

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};
use wire::cursor::{Cursor, Short};

use super::SESSION;
use crate::frames::{Frames, Step};
use crate::ntlm::utf16;
use crate::seam::{Parser, Protocol, ProtocolSpec};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "rdp",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION],
    doc: "Remote desktop: the announced user and the protection.",
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
        })
    }
}

/// What is known of the session.
#[derive(Default)]
struct Known {
    user: Vec<u8>,
    client: String,
    security: Option<&'static str>,
    said: bool,
}

struct RdpParser {
    frames: [Frames; 2],
    known: Known,
}

impl Parser for RdpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Stream(bytes) = chunk else {
            self.known.say(out);
            return Next::Done;
        };
        let known = &mut self.known;
        let [forward, reverse] = &mut self.frames;
        let frames = if dir == Direction::Forward { forward } else { reverse };
        let next = frames.feed(bytes, |unread| take(unread, dir, known, out));
        if next == Next::Done {
            self.known.say(out);
        }
        next
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.known.say(out);
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
    /// Says whether nothing more is of interest.
    fn client_sent(&mut self, packet: &[u8], out: &mut Emit<'_>) -> Result<bool, Short> {
        let mut cursor = Cursor::new(packet);
        let [_, code] = cursor.array()?;
        if code == CONNECTION_REQUEST {
            cursor.skip(5)?;
            const COOKIE: &[u8] = b"Cookie: mstshash=";
            if let Some(rest) = cursor.rest().strip_prefix(COOKIE) {
                let end = rest.iter().position(|&b| matches!(b, b'\r' | b'\n'));
                self.user = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().to_vec();
            }
            return Ok(false);
        }
        // The first data in clear are the conference request with its channels.
        let channel = |name: &[u8]| name.eq_ignore_ascii_case(b"MS_T120\0");
        let _ = self.settings(packet);
        if packet.windows(8).any(channel) {
            out.anomaly(SPEC.name, "rdp requests channel MS_T120", Direction::Forward);
        }
        Ok(true)
    }

    /// Name of the client's machine, from the core settings (2.2.1.3.2).
    fn settings(&mut self, packet: &[u8]) -> Result<(), Short> {
        // Type 0xc001, then a length that is one of few.
        let core = |w: &[u8]| matches!(w, [0x01, 0xc0, low, 0] if *low >= 0x80);
        let Some(at) = packet.windows(4).position(core) else { return Ok(()) };
        let mut cursor = Cursor::new(packet);
        cursor.skip(at.saturating_add(24))?;
        self.client = utf16(cursor.take(32)?);
        Ok(())
    }

    fn server_sent(&mut self, packet: &[u8]) -> Result<bool, Short> {
        let mut cursor = Cursor::new(packet);
        let [_, code] = cursor.array()?;
        if code != CONNECTION_CONFIRM {
            return Ok(false);
        }
        cursor.skip(5)?;
        let chosen = match cursor.array::<4>() {
            Ok([NEGOTIATION_FAILURE, ..]) => None,
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
        // What follows the confirmation is in clear only with RDP's own protection.
        Ok(self.security != Some("rdp"))
    }

    fn say(&mut self, out: &mut Emit<'_>) {
        if std::mem::replace(&mut self.said, true) {
            return;
        }
        let mut draft = out
            .observe(&SESSION, Direction::Forward)
            .word("service", SPEC.name)
            .text("client", self.client.as_bytes())
            .text("user", &self.user);
        if let Some(security) = self.security {
            draft = draft.word("security", security);
        }
        draft.emit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive;
    use model::observation::Observation;
    use proptest::prelude::*;

    fn packet(code: u8, data: &[u8]) -> Vec<u8> {
        let length = data.len() + REQUEST;
        let mut out = vec![3, 0, (length >> 8) as u8, length as u8, (length - 5) as u8, code];
        out.extend([0; 5]);
        out.extend(data);
        out
    }

    fn request() -> Vec<u8> {
        packet(CONNECTION_REQUEST, b"Cookie: mstshash=service\r\n\x01\0\x08\0\x03\0\0\0")
    }

    fn conference(channel: &[u8]) -> Vec<u8> {
        let mut core = vec![0x01, 0xc0, 0xd8, 0];
        core.resize(24, 0);
        core.extend("WORKSTATION-7".encode_utf16().flat_map(u16::to_le_bytes));
        core.resize(0xd8, 0);
        core.extend([0x03, 0xc0, 20, 0, 1, 0, 0, 0]);
        core.extend(channel);
        core.resize(core.len() + 4, 0);
        let length = core.len() + 7;
        let mut out = vec![3, 0, (length >> 8) as u8, length as u8, 2, 0xf0, 0x80];
        out.extend(core);
        out
    }

    fn run(pieces: &[(Direction, Vec<u8>)], cut: usize) -> Vec<Observation> {
        let mut cuts = Vec::new();
        for (dir, bytes) in pieces {
            cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
        }
        drive::run(&Rdp, drive::flow(Transport::Tcp, 3389), &cuts)
    }

    #[test]
    fn the_announced_user_and_the_protection_are_said() {
        let confirm = packet(CONNECTION_CONFIRM, &[2, 0, 8, 0, 2, 0, 0, 0]);
        let seen = run(&[(Direction::Forward, request()), (Direction::Reverse, confirm)], 9);
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].str("user"), seen[0].str("security")), (Some("service"), Some("nla")));
    }

    #[test]
    fn asking_for_the_servers_own_channel_is_an_anomaly() {
        for (channel, expected) in [(b"ms_t120\0", 2), (b"rdpdr\0\0\0", 1)] {
            let pieces = [
                (Direction::Forward, request()),
                (Direction::Reverse, packet(CONNECTION_CONFIRM, &[])),
                (Direction::Forward, conference(channel)),
            ];
            let seen = run(&pieces, 50);
            assert_eq!(seen.len(), expected);
            let session = seen.last().unwrap();
            assert_eq!(
                (session.str("client"), session.str("security")),
                (Some("WORKSTATION-7"), Some("rdp"))
            );
            if expected == 2 {
                assert_eq!(seen[0].str("what"), Some("rdp requests channel MS_T120"));
            }
        }
    }

    #[test]
    fn requests_of_programmable_controllers_are_not_rdp() {
        let s7 = packet(CONNECTION_REQUEST, &[0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2]);
        let flow = drive::flow(Transport::Tcp, 102);
        assert_eq!(Rdp.probe(&flow, Direction::Forward, &s7), Probe::No);
        let elsewhere = drive::flow(Transport::Tcp, 33_890);
        assert_eq!(Rdp.probe(&elsewhere, Direction::Forward, &request()), Probe::Yes);
        assert_eq!(Rdp.probe(&elsewhere, Direction::Forward, &request()[..14]), Probe::Unsure);
    }

    proptest! {
        #[test]
        fn cuts_change_nothing_and_noise_never_panics(cut in 1_usize..60, noise: Vec<u8>, at in 0_usize..30, to: u8) {
            let confirm = packet(CONNECTION_CONFIRM, &[2, 0, 8, 0, 1, 0, 0, 0]);
            let pieces = [(Direction::Forward, request()), (Direction::Reverse, confirm)];
            let seen = run(&pieces, cut);
            prop_assert_eq!((seen.len(), seen[0].str("security")), (1, Some("tls")));
            let mut changed = request();
            changed[at] = to;
            run(&[(Direction::Forward, changed), (Direction::Reverse, noise.clone()), (Direction::Forward, noise.clone())], cut);
            prop_assert_ne!(Rdp.probe(&drive::flow(Transport::Tcp, 3389), Direction::Forward, &noise), Probe::Yes);
        }
    }
}
