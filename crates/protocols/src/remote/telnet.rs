//! Telnet (RFC 854): log-ons, read from what server and user type at each other.
//!
//! There are no messages, only a screen: a prompt is what stands on the server's unfinished line
//! when the user begins to type. So the outcome does not hang on how the stream was cut. It is taken
//! from what the server writes next ("Login incorrect", "Last login"), from the prompt that the user
//! answers then, or from the one that stands at the end. After a success the flow is left alone.

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use super::{LOGIN, SESSION};
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod screen;

use screen::{Prompt, Typed, Verdict};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "telnet",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION, &LOGIN],
    doc: "Terminals in clear text: log-ons.",
    sources: &["RFC 854", "RFC 855", "IANA Telnet options"],
};

/// Telnet.
pub struct Telnet;

impl Protocol for Telnet {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, dir: Direction, start: &[u8]) -> Probe {
        if flow.tuple.transport != Transport::Tcp {
            return Probe::No;
        }
        let known_port = flow.tuple.responder.port == 23;
        match screen::negotiations(start) {
            Some(2..) => Probe::Yes,
            Some(1) if known_port => Probe::Yes,
            Some(_) => Probe::Unsure,
            None if dir == Direction::Reverse => probe_text(start, known_port),
            None => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(TelnetParser {
            server: screen::Stream::default(),
            client: screen::Stream::default(),
            screen: screen::Line::default(),
            typed: Typed::default(),
            login: Login::default(),
            banner: Vec::new(),
            begun: false,
            over: false,
        })
    }
}

/// A server that asks for a name without negotiating first.
fn probe_text(start: &[u8], known_port: bool) -> Probe {
    let text = |b: &u8| matches!(b, b'\t' | b'\r' | b'\n' | 0x1b | 0x20..=0x7e | 0x80..=0xfe);
    if !start.iter().all(text) || start.is_empty() {
        return Probe::No;
    }
    let line = start.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    match screen::prompt(line) {
        Some(Prompt::Name | Prompt::Password) if known_port => Probe::Yes,
        Some(Prompt::Name) if line.to_ascii_lowercase().trim_ascii_end().ends_with(b"login:") => {
            Probe::Yes
        }
        _ => Probe::Unsure,
    }
}

/// How far the log-on in hand is.
#[derive(Default)]
struct Login {
    user: Vec<u8>,
    /// A password was sent and not yet judged; whether it is a published default with this name.
    asked: Option<bool>,
}

struct TelnetParser {
    server: screen::Stream,
    client: screen::Stream,
    screen: screen::Line,
    typed: Typed,
    login: Login,
    banner: Vec<u8>,
    begun: bool,
    over: bool,
}

impl Parser for TelnetParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        match (chunk, dir) {
            (Chunk::Stream(bytes), Direction::Forward) => {
                for &byte in bytes {
                    if let Some(byte) = self.client.text(byte) {
                        self.key(byte, out);
                    }
                }
            }
            (Chunk::Stream(bytes), Direction::Reverse) => {
                for &byte in bytes {
                    if let Some(byte) = self.server.text(byte) {
                        self.shown(byte, out);
                    }
                }
            }
            (Chunk::Gap(_), _) => {
                self.server = screen::Stream::default();
                self.client = screen::Stream::default();
                self.screen = screen::Line::default();
                self.typed = Typed::default();
            }
            (Chunk::Datagram(_), _) => return Next::Done,
        }
        if self.over { Next::Done } else { Next::More }
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.begin(out);
        if self.login.asked.is_some() {
            let outcome = match screen::prompt(self.screen.text()) {
                Some(Prompt::Shell) => "success",
                Some(Prompt::Name | Prompt::Password) => "failure",
                None => "unknown",
            };
            self.judged(outcome, out);
        }
    }
}

impl TelnetParser {
    fn begin(&mut self, out: &mut Emit<'_>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        out.observe(&SESSION, Direction::Forward)
            .word("service", SPEC.name)
            .text("software", &self.banner)
            .emit();
    }

    /// The server shows a character.
    fn shown(&mut self, byte: u8, out: &mut Emit<'_>) {
        if self.over || !self.screen.show(byte) {
            return;
        }
        let line = self.screen.finish();
        if !self.begun && self.banner.is_empty() {
            self.banner = line.trim_ascii().to_vec();
        }
        if self.login.asked.is_some() {
            match screen::verdict(&line) {
                Some(Verdict::In) => self.judged("success", out),
                Some(Verdict::Out) => self.judged("failure", out),
                None => {}
            }
        }
    }

    /// The user presses a key.
    fn key(&mut self, byte: u8, out: &mut Emit<'_>) {
        if self.over {
            return;
        }
        self.begin(out);
        if self.typed.begins(byte) {
            let prompt = screen::prompt(self.screen.text());
            match (self.login.asked, prompt) {
                (Some(_), Some(Prompt::Shell)) => return self.judged("success", out),
                (Some(_), Some(_)) => self.judged("failure", out),
                _ => {}
            }
            self.typed.answers(prompt);
        }
        let Some((prompt, line)) = self.typed.key(byte) else { return };
        match prompt {
            Some(Prompt::Name) => self.login = Login { user: line, asked: None },
            Some(Prompt::Password) => {
                self.login.asked = Some(super::is_default(&self.login.user, &line));
            }
            _ => {}
        }
    }

    fn judged(&mut self, outcome: &'static str, out: &mut Emit<'_>) {
        let Some(default) = self.login.asked.take() else { return };
        out.observe(&LOGIN, Direction::Forward)
            .word("service", SPEC.name)
            .word("outcome", outcome)
            .text("user", &self.login.user)
            .flag("default_credential", default)
            .emit();
        self.over = outcome == "success";
    }
}

#[cfg(test)]
mod tests;
