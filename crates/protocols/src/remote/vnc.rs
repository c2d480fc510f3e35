//! VNC, by the Remote Framebuffer protocol (RFC 6143): versions, how the session is protected, and
//! whether the password was right. After that the screen begins, and the flow is left alone.

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use super::{LOGIN, SESSION};
use crate::seam::{Parser, Protocol, ProtocolSpec};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "vnc",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION, &LOGIN],
    doc: "Remote framebuffer: protection and log-on.",
    sources: &["RFC 6143", "IANA RFB security types"],
};

const BANNER: usize = 12;
/// Most bytes that either side can need for a step: a list of 255 security types.
const CAP: usize = 512;

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
            Step::Over | Step::ServerVersion => {}
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
                login(if result == [0; 4] { "success" } else { "failure" }, out);
                Step::Over
            }),
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
        pending.drain(..whole);
        Some(Step::Choice)
    }

    fn set(&mut self, out: &mut Emit<'_>) -> Option<Step> {
        let [.., kind] = self.take::<4>(Direction::Reverse)?;
        self.session(Some(kind), out);
        Some(match kind {
            NONE => {
                login("success", out);
                Step::Over
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
                Step::Over
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
            draft = draft.word(
                "security",
                match kind {
                    0 => "refused",
                    NONE => "none",
                    PASSWORD => "vnc",
                    // TLS and VeNCrypt.
                    18 | 19 => "tls",
                    _ => "other",
                },
            );
        }
        draft.emit();
    }
}

fn login(outcome: &'static str, out: &mut Emit<'_>) {
    let draft = out.observe(&LOGIN, Direction::Forward).word("service", SPEC.name);
    draft.word("outcome", outcome).emit();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive;
    use model::observation::Observation;
    use proptest::prelude::*;

    type Piece<'a> = (Direction, &'a [u8]);

    fn run(pieces: &[Piece<'_>], cut: usize) -> Vec<String> {
        let mut cuts = Vec::new();
        for (dir, bytes) in pieces {
            cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
        }
        let said =
            |o: &Observation| format!("{} {:?}", o.kind.name, o.fields().collect::<Vec<_>>());
        drive::run(&Vnc, drive::flow(Transport::Tcp, 5900), &cuts).iter().map(said).collect()
    }

    fn password(result: u8) -> Vec<String> {
        run(
            &[
                (Direction::Reverse, b"RFB 003.008\n"),
                (Direction::Forward, b"RFB 003.008\n"),
                (Direction::Reverse, &[2, 2, 16]),
                (Direction::Forward, &[2]),
                (Direction::Reverse, &[7; 16]),
                (Direction::Forward, &[9; 16]),
                (Direction::Reverse, &[0, 0, 0, result]),
                (Direction::Reverse, b"the screen"),
            ],
            5,
        )
    }

    #[test]
    fn a_password_and_its_outcome_are_said() {
        let seen = password(0);
        assert_eq!(seen.len(), 2);
        assert!(
            seen[0].contains("RFB 003.008") && seen[0].contains(r#"("security", Word("vnc"))"#)
        );
        assert!(seen[1].contains("success"));
        assert!(password(1)[1].contains("failure"));
    }

    #[test]
    fn open_servers_of_old_and_new_versions_let_everybody_in() {
        for (banner, rest) in [
            (b"RFB 003.003\n", vec![(Direction::Reverse, &[0, 0, 0, 1][..])]),
            (
                b"RFB 003.007\n",
                vec![(Direction::Reverse, &[1, 1][..]), (Direction::Forward, &[1][..])],
            ),
            (
                b"RFB 003.008\n",
                vec![
                    (Direction::Reverse, &[1, 1][..]),
                    (Direction::Forward, &[1][..]),
                    (Direction::Reverse, &[0; 4][..]),
                ],
            ),
        ] {
            let mut pieces: Vec<Piece<'_>> =
                vec![(Direction::Reverse, banner), (Direction::Forward, banner)];
            pieces.extend(rest);
            let seen = run(&pieces, 100);
            assert!(seen[0].contains(r#"Word("none")"#) && seen[1].contains("success"), "{seen:?}");
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing_and_noise_never_panics(cut in 1_usize..30, noise: Vec<u8>) {
            let pieces: [Piece<'_>; 4] = [
                (Direction::Reverse, b"RFB 003.008\n"),
                (Direction::Forward, b"RFB 003.008\n"),
                (Direction::Reverse, &[3, 1, 2, 19]),
                (Direction::Forward, &[19]),
            ];
            prop_assert_eq!(run(&pieces, cut), run(&pieces, 100));
            run(&[(Direction::Reverse, b"RFB 003.008\n"), (Direction::Forward, b"RFB 003.008\n"), (Direction::Reverse, &noise), (Direction::Forward, &noise)], cut);
            prop_assert_ne!(Vnc.probe(&drive::flow(Transport::Tcp, 5900), Direction::Reverse, &noise), Probe::Yes);
        }
    }
}
