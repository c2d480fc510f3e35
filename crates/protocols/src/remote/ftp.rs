//! FTP's control channel (RFC 959): log-ons and accepted transfers, with where their data connection
//! goes. Data channels are flows of their own, and stay unrecognised; after AUTH TLS the channel is
//! left alone.

mod data;

use std::collections::VecDeque;

use model::emit::{Emit, Probe};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use super::lines::Lines;
use super::{LOGIN, SESSION, TRANSFER};
use crate::seam::{Parser, Protocol, ProtocolSpec};
use data::Data;
use model::observation::Value;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "ftp",
    transports: &[Transport::Tcp],
    kinds: &[&SESSION, &LOGIN, &TRANSFER],
    doc: "File transfer's control channel: log-ons and transfers.",
    sources: &[
        "RFC 959",
        "RFC 2428 (EPRT, EPSV)",
        "RFC 2577 (bounce)",
        "RFC 3659 (MLSD, SIZE)",
        "RFC 4217 (AUTH TLS)",
    ],
};

const LONGEST_LINE: usize = 1024;
/// Commands that may wait for their replies at once.
const MOST_WAITING: usize = 64;

/// FTP.
pub struct Ftp;

impl Protocol for Ftp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, dir: Direction, start: &[u8]) -> Probe {
        if flow.tuple.transport != Transport::Tcp {
            return Probe::No;
        }
        match dir {
            Direction::Forward => probe_command(start),
            Direction::Reverse => probe_reply(start, flow.tuple.responder.port == 21),
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(FtpParser {
            commands: Lines::new(LONGEST_LINE),
            replies: Lines::new(LONGEST_LINE),
            waiting: VecDeque::new(),
            multiline: None,
            greeted: false,
            user: Vec::new(),
            data: None,
            size: None,
            over: false,
        })
    }
}

/// A client's first command alone could be another mail or chat protocol's: replies decide.
fn probe_command(start: &[u8]) -> Probe {
    const FIRST: [&[u8]; 6] = [b"USER ", b"AUTH ", b"FEAT", b"SYST", b"OPTS ", b"HOST "];
    let word = start.get(..5).unwrap_or(start).to_ascii_uppercase();
    let could = FIRST.iter().any(|first| first.starts_with(&word) || word.starts_with(first));
    if could { Probe::Unsure } else { Probe::No }
}

/// A greeting with 220 is also a mail server's. FTP says its name, asks for a password next, or
/// stands on its port.
fn probe_reply(start: &[u8], known_port: bool) -> Probe {
    if !start.starts_with(b"220 ") && !start.starts_with(b"220-") {
        return if b"220 ".starts_with(start) || b"220-".starts_with(start) {
            Probe::Unsure
        } else {
            Probe::No
        };
    }
    let mut lines = start.split_inclusive(|&byte| byte == b'\n').filter(|l| l.ends_with(b"\n"));
    let contains = |line: &[u8], word: &[u8]| {
        line.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
    };
    let mut greeted = false;
    for line in &mut lines {
        if !greeted && (contains(line, b"smtp") || contains(line, b"mail")) {
            return Probe::No;
        }
        if (!greeted && (contains(line, b"ftp") || known_port)) || line.starts_with(b"331") {
            return Probe::Yes;
        }
        // What mail servers answer to their first command.
        if greeted && line.starts_with(b"250") {
            return Probe::No;
        }
        greeted |= line.starts_with(b"220 ");
    }
    Probe::Unsure
}

/// A command that waits for its reply.
enum Waiting {
    User,
    /// Whether name and password are a published default.
    Password(bool),
    Transfer(&'static str, Box<str>),
    AuthTls,
    /// Where the client listens.
    Active(Option<Data>),
    /// Where the server is to listen; whether asked for in the extended way.
    Passive(bool),
    /// How long a file is.
    Size,
    Other,
}

struct FtpParser {
    commands: Lines,
    replies: Lines,
    waiting: VecDeque<Waiting>,
    /// Code of a reply of several lines that is not finished.
    multiline: Option<[u8; 3]>,
    greeted: bool,
    user: Vec<u8>,
    /// Where the next data connection goes.
    data: Option<Data>,
    /// Size of the file that is asked for or announced next.
    size: Option<u64>,
    over: bool,
}

impl Parser for FtpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let bytes = match chunk {
            Chunk::Stream(bytes) => bytes,
            Chunk::Gap(_) => {
                // Which reply belongs to which command is not known any more.
                self.commands.clear();
                self.replies.clear();
                self.waiting.clear();
                self.multiline = None;
                return Next::More;
            }
            Chunk::Datagram(_) => return Next::Done,
        };
        let from_client = dir == Direction::Forward;
        let side = if from_client { &mut self.commands } else { &mut self.replies };
        let mut lines = std::mem::replace(side, Lines::new(LONGEST_LINE));
        lines.feed(bytes, |line| {
            if from_client {
                self.command(line)
            } else {
                self.reply(line, out)
            }
            !self.over
        });
        *(if from_client { &mut self.commands } else { &mut self.replies }) = lines;
        if self.over { Next::Done } else { Next::More }
    }
}

impl FtpParser {
    fn command(&mut self, line: &[u8]) {
        // Interrupts may stand before ABOR.
        let line = line.trim_ascii();
        let at = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
        let (verb, argument) = line.split_at_checked(at).unwrap_or_default();
        let argument = argument.trim_ascii_start();
        let waiting = match verb.to_ascii_uppercase().as_slice() {
            b"USER" => {
                self.user = argument.to_vec();
                Waiting::User
            }
            b"PASS" => Waiting::Password(super::is_default(&self.user, argument)),
            b"STOR" | b"STOU" | b"APPE" => Waiting::Transfer("upload", extension(argument)),
            b"RETR" => Waiting::Transfer("download", extension(argument)),
            b"DELE" => Waiting::Transfer("delete", extension(argument)),
            b"LIST" | b"NLST" | b"MLSD" => Waiting::Transfer("list", "".into()),
            b"RNTO" => Waiting::Transfer("rename", extension(argument)),
            b"MKD" | b"XMKD" => Waiting::Transfer("make_folder", "".into()),
            b"RMD" | b"XRMD" => Waiting::Transfer("remove_folder", "".into()),
            b"AUTH" => Waiting::AuthTls,
            b"PORT" => Waiting::Active(data::six(argument, true)),
            b"EPRT" => Waiting::Active(data::extended(argument, true)),
            b"PASV" => Waiting::Passive(false),
            b"EPSV" => Waiting::Passive(true),
            b"SIZE" => Waiting::Size,
            b"ALLO" => {
                self.size = argument.split(|&byte| byte == b' ').next().and_then(data::number);
                Waiting::Other
            }
            _ => Waiting::Other,
        };
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(waiting);
    }

    fn reply(&mut self, line: &[u8], out: &mut Emit<'_>) {
        let code = line.first_chunk::<3>().filter(|code| code.iter().all(u8::is_ascii_digit));
        let goes_on = line.get(3) == Some(&b'-');
        if !self.greeted {
            let text = line.get(4..).unwrap_or_default();
            if code.is_some() {
                self.greeted = true;
                out.observe(&SESSION, Direction::Forward)
                    .word("service", SPEC.name)
                    .text("software", text)
                    .emit();
            }
            self.multiline = code.copied().filter(|_| goes_on);
            return;
        }
        let Some(&code) = code else {
            if self.multiline.is_none() {
                out.anomaly(SPEC.name, "reply without a code", Direction::Reverse);
            }
            return;
        };
        if let Some(open) = self.multiline {
            if code != open || goes_on {
                return;
            }
            self.multiline = None;
            // The end of the greeting answers no command.
            if code == *b"220" && self.waiting.is_empty() {
                return;
            }
        } else if goes_on {
            self.multiline = Some(code);
            return;
        }
        self.answered(code, line.get(4..).unwrap_or_default(), out);
    }

    fn answered(&mut self, code: [u8; 3], text: &[u8], out: &mut Emit<'_>) {
        let [class, ..] = code;
        // 1xx says that it has begun; another reply follows.
        if class == b'1' {
            if let Some(first) = self.waiting.front_mut() {
                let begun = std::mem::replace(first, Waiting::Other);
                self.size = data::size(text).or(self.size);
                self.said(begun, true, out);
            }
            return;
        }
        let Some(waiting) = self.waiting.pop_front() else { return };
        match waiting {
            Waiting::AuthTls => self.over = code == *b"234" || code == *b"334",
            // A user who needs no password, or is refused by name.
            Waiting::User if class == b'3' => {}
            Waiting::User => login(class == b'2', false, &self.user, out),
            Waiting::Password(_) if class == b'3' => {}
            Waiting::Active(data) => self.data = data.filter(|_| class == b'2'),
            Waiting::Passive(true) if code == *b"229" => self.data = data::extended(text, false),
            Waiting::Passive(false) if code == *b"227" => self.data = data::six(text, false),
            Waiting::Size => self.size = data::number(text).filter(|_| code == *b"213"),
            other => self.said(other, class == b'2', out),
        }
    }

    fn said(&mut self, waiting: Waiting, accepted: bool, out: &mut Emit<'_>) {
        match waiting {
            Waiting::Password(default) => login(accepted, default, &self.user, out),
            Waiting::Transfer(action, extension) if accepted => {
                self.transfer(action, &extension, out);
            }
            // A refusal takes what was agreed on for it along.
            Waiting::Transfer(..) => (self.data, self.size) = (None, None),
            _ => {}
        }
    }

    fn transfer(&mut self, action: &'static str, extension: &str, out: &mut Emit<'_>) {
        let carries = matches!(action, "upload" | "download" | "list");
        let data = if carries { self.data.take() } else { None };
        let size = if carries { self.size.take() } else { None };
        // Whoever has a server connect to a third machine hides behind it (RFC 2577).
        let client = out.flow().map(|flow| flow.tuple.originator.ip.to_canonical());
        let elsewhere = |data: Data| data.active && data.ip.is_some() && data.ip != client;
        out.observe(&TRANSFER, Direction::Forward)
            .word("service", SPEC.name)
            .word("action", action)
            .text("extension", extension.as_bytes())
            .value("bytes", size.map(Value::Uint))
            .value(
                "mode",
                data.map(|data| Value::Word(if data.active { "active" } else { "passive" })),
            )
            .value("data_ip", data.and_then(|data| data.ip).map(Value::Ip))
            .value("data_port", data.map(|data| Value::Uint(u64::from(data.port))))
            .value("elsewhere", data.map(|data| Value::Bool(elsewhere(data))))
            .emit();
    }
}

fn login(accepted: bool, default: bool, user: &[u8], out: &mut Emit<'_>) {
    out.observe(&LOGIN, Direction::Forward)
        .word("service", SPEC.name)
        .word("outcome", if accepted { "success" } else { "failure" })
        .text("user", user)
        .flag("default_credential", default)
        .emit();
}

fn extension(path: &[u8]) -> Box<str> {
    let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    crate::smb::extension(&String::from_utf8_lossy(file)).into()
}

#[cfg(test)]
mod tests;
