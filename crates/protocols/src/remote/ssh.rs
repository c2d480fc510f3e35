//! SSH: the lines in which both sides say what they are (RFC 4253, 4.2). All else is encrypted or
//! about encryption, so the flow is left alone after them.

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use super::SESSION;
use super::lines::Lines;
use crate::seam::{Parser, Protocol, ProtocolSpec};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "ssh",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION],
    doc: "Secure shell: what server and client say they are.",
    sources: &["RFC 4253"],
};

/// Longest line, its end included (RFC 4253, 4.2).
const LONGEST: usize = 255;
/// Lines that a server may send before the one that counts; there is no bound in the RFC.
const MOST_LINES: u8 = 32;

/// SSH.
pub struct Ssh;

impl Protocol for Ssh {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        if flow.tuple.transport != Transport::Tcp {
            return Probe::No;
        }
        match start.strip_prefix(b"SSH-") {
            Some([b'1' | b'2', b'.', b'0'..=b'9', ..]) => Probe::Yes,
            Some(rest) if rest.len() < 3 => Probe::Unsure,
            None if b"SSH-".starts_with(start) => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        let side = || Side { lines: Lines::new(LONGEST), count: 0, banner: None, over: false };
        Box::new(SshParser { sides: [side(), side()], said: false })
    }
}

struct Side {
    lines: Lines,
    count: u8,
    banner: Option<Vec<u8>>,
    /// Nothing more is expected of this side.
    over: bool,
}

struct SshParser {
    sides: [Side; 2],
    said: bool,
}

impl Parser for SshParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let [forward, reverse] = &mut self.sides;
        let side = if dir == Direction::Forward { forward } else { reverse };
        match chunk {
            Chunk::Stream(bytes) if !side.over => side.read(bytes, dir, out),
            Chunk::Stream(_) => {}
            Chunk::Gap(_) | Chunk::Datagram(_) => side.over = true,
        }
        if self.sides.iter().all(|side| side.over) {
            self.end(out);
            return Next::Done;
        }
        Next::More
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        if std::mem::replace(&mut self.said, true) {
            return;
        }
        let [client, server] = &self.sides;
        out.observe(&SESSION, Direction::Forward)
            .word("service", SPEC.name)
            .text("software", server.banner.as_deref().unwrap_or_default())
            .text("client", client.banner.as_deref().unwrap_or_default())
            .emit();
    }
}

impl Side {
    fn read(&mut self, bytes: &[u8], dir: Direction, out: &mut Emit<'_>) {
        let Self { lines, count, banner, over } = self;
        lines.feed(bytes, |line| {
            *count = count.saturating_add(1);
            if let Some(rest) = line.strip_prefix(b"SSH-") {
                let (version, software) = match rest.iter().position(|&byte| byte == b'-') {
                    Some(at) => rest.split_at_checked(at).unwrap_or_default(),
                    None => (rest, &[][..]),
                };
                if !matches!(version, b"2.0" | b"1.99") {
                    out.anomaly(SPEC.name, "version before 2", dir);
                }
                *banner = Some(software.strip_prefix(b"-").unwrap_or_default().to_vec());
                *over = true;
            }
            *over |= *count >= MOST_LINES;
            !*over
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive;
    use proptest::prelude::*;

    fn run(pieces: &[(Direction, Chunk<'_>)]) -> Vec<model::observation::Observation> {
        drive::run(&Ssh, drive::flow(Transport::Tcp, 22), pieces)
    }

    #[test]
    fn both_sides_are_said_once() {
        let seen = run(&[
            (
                Direction::Reverse,
                Chunk::Stream(b"Authorised use only\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\0\0"),
            ),
            (Direction::Forward, Chunk::Stream(b"SSH-2.0-PuTTY_0.78\r\n\0\0\x05")),
            (Direction::Forward, Chunk::Stream(b"SSH-2.0-again\r\n")),
        ]);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].str("software"), Some("OpenSSH_9.2p1 Debian-2"));
        assert_eq!(seen[0].str("client"), Some("PuTTY_0.78"));
    }

    #[test]
    fn a_server_that_is_never_answered_is_said_at_the_end() {
        let seen = run(&[(Direction::Reverse, Chunk::Stream(b"SSH-1.5-Cisco-1.25\n"))]);
        assert_eq!(seen[0].str("what"), Some("version before 2"));
        assert_eq!((seen[1].str("software"), seen[1].str("client")), (Some("Cisco-1.25"), None));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing_and_noise_never_panics(cut in 0_usize..40, noise: Vec<u8>) {
            let banner = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";
            let (a, b) = banner.split_at(cut);
            let seen = run(&[(Direction::Reverse, Chunk::Stream(a)), (Direction::Reverse, Chunk::Stream(b))]);
            prop_assert_eq!(seen[0].str("software"), Some("OpenSSH_9.2p1 Debian-2+deb12u3"));
            run(&[(Direction::Forward, Chunk::Stream(&noise)), (Direction::Reverse, Chunk::Stream(&noise))]);
            prop_assert_ne!(Ssh.probe(&drive::flow(Transport::Tcp, 22), Direction::Forward, &noise), Probe::Yes);
        }
    }
}
