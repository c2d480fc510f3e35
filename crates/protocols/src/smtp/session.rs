//! Commands and replies of one connection.
//!
//! What the client sends after DATA is the message until the server says that it does not want it;
//! so a capture of one side alone can be read too.

use std::collections::{BTreeSet, VecDeque};

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use model::privacy::Token;

use super::auth::Auth;
use super::{MAIL, SESSION, SPEC, STARTTLS};

/// Most of a line that is kept: RFC 5321 has 512 bytes, and log-ons have long tokens.
const LONGEST_LINE: usize = 4 << 10;
/// Commands that may wait for their replies at once.
const MOST_WAITING: usize = 128;
const MOST_DOMAINS: usize = 16;
const MOST_MECHANISMS: usize = 8;
const LONGEST_DOMAIN: usize = 128;
const LONGEST_NAME: usize = 256;

/// A command that waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Hello,
    Auth,
    Mail,
    Recipient,
    /// DATA itself.
    Data,
    /// The end of a message, or of its last chunk.
    Message,
    Reset,
    Tls,
    Quit,
    Other,
}

/// What the client is sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sending {
    #[default]
    Commands,
    /// A message up to a line with one dot; how much of `\r\n.\r\n` was just seen.
    Message(Ending),
    /// So many bytes of a chunk.
    Chunk(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Within,
    LineBegins,
    Dot,
    DotReturn,
}

/// A message being handed over.
#[derive(Debug, Default)]
struct Mail {
    sender: Option<Token>,
    sender_domain: Box<[u8]>,
    recipients: u64,
    refused: u64,
    domains: BTreeSet<Box<[u8]>>,
    bytes: u64,
}

/// What the server offers in its answer to a hello.
#[derive(Debug, Default)]
struct Offers {
    tls: bool,
    mechanisms: Vec<Box<[u8]>>,
}

/// One connection.
#[derive(Default)]
pub(super) struct Session {
    lines: [Vec<u8>; 2],
    sending: Sending,
    waiting: VecDeque<Waiting>,
    greeting: Option<Box<[u8]>>,
    greeted: bool,
    client: Box<[u8]>,
    extended: bool,
    offers: Offers,
    said: bool,
    auth: Option<Auth>,
    mail: Option<Mail>,
    over: bool,
}

impl Session {
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn feed(&mut self, dir: Direction, bytes: &[u8], out: &mut Emit<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.over {
            let used = match (dir, self.sending) {
                (Direction::Forward, Sending::Message(ending)) => self.message(rest, ending),
                (Direction::Forward, Sending::Chunk(left)) => self.chunk(rest, left),
                _ => self.line(dir, rest, out),
            };
            rest = rest.get(used.max(1)..).unwrap_or_default();
        }
    }

    /// Takes bytes up to the end of a line.
    fn line(&mut self, dir: Direction, bytes: &[u8], out: &mut Emit<'_>) -> usize {
        let [forward, reverse] = &mut self.lines;
        let held = if dir == Direction::Forward { forward } else { reverse };
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
        let room = LONGEST_LINE.saturating_sub(held.len());
        held.extend_from_slice(part.get(..room).unwrap_or(part));
        let Some(end) = end else { return bytes.len() };
        let line = std::mem::take(held);
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        match dir {
            Direction::Forward => self.command(text, out),
            Direction::Reverse => self.reply(text, out),
        }
        end.saturating_add(1)
    }

    /// Takes bytes of a message, up to the line with one dot.
    fn message(&mut self, bytes: &[u8], mut ending: Ending) -> usize {
        let mut used = 0_usize;
        let mut over = false;
        for &byte in bytes {
            used = used.saturating_add(1);
            ending = match (ending, byte) {
                (Ending::LineBegins, b'.') => Ending::Dot,
                (Ending::Dot, b'\r') => Ending::DotReturn,
                (Ending::Dot | Ending::DotReturn, b'\n') => {
                    over = true;
                    break;
                }
                (_, b'\n') => Ending::LineBegins,
                _ => Ending::Within,
            };
        }
        if let Some(mail) = &mut self.mail {
            mail.bytes = mail.bytes.saturating_add(used as u64);
        }
        if over {
            self.sending = Sending::Commands;
            self.waits(Waiting::Message);
        } else {
            self.sending = Sending::Message(ending);
        }
        used
    }

    fn chunk(&mut self, bytes: &[u8], left: u64) -> usize {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        if let Some(mail) = &mut self.mail {
            mail.bytes = mail.bytes.saturating_add(used as u64);
        }
        let left = left.saturating_sub(used as u64);
        self.sending = if left == 0 { Sending::Commands } else { Sending::Chunk(left) };
        used
    }

    fn waits(&mut self, waiting: Waiting) {
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(waiting);
    }

    fn command(&mut self, line: &[u8], out: &mut Emit<'_>) {
        if let Some(auth) = &mut self.auth {
            if !auth.line(line) {
                self.logged_on(None, out);
            }
            return;
        }
        let line = line.trim_ascii();
        let at = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
        let (verb, argument) = line.split_at_checked(at).unwrap_or_default();
        let waiting = match verb.to_ascii_uppercase().as_slice() {
            b"EHLO" | b"LHLO" => self.hello(argument, true),
            b"HELO" => self.hello(argument, false),
            b"AUTH" => {
                self.auth = Some(Auth::begin(argument));
                Waiting::Auth
            }
            b"MAIL" => {
                self.leave(out);
                let address = address(argument);
                self.mail = Some(Mail {
                    sender: (!address.is_empty()).then(|| out.token("mail", address)),
                    sender_domain: domain(address),
                    ..Mail::default()
                });
                Waiting::Mail
            }
            b"RCPT" => {
                let domain = domain(address(argument));
                if let Some(mail) = &mut self.mail
                    && mail.domains.len() < MOST_DOMAINS
                    && !domain.is_empty()
                {
                    mail.domains.insert(domain);
                }
                Waiting::Recipient
            }
            b"DATA" => {
                self.sending = Sending::Message(Ending::LineBegins);
                Waiting::Data
            }
            b"BDAT" => self.begin_chunk(argument, out),
            b"RSET" => Waiting::Reset,
            b"STARTTLS" => Waiting::Tls,
            b"QUIT" => Waiting::Quit,
            _ => Waiting::Other,
        };
        self.waits(waiting);
    }

    fn hello(&mut self, name: &[u8], extended: bool) -> Waiting {
        let name = name.trim_ascii();
        self.client = name.get(..LONGEST_NAME).unwrap_or(name).into();
        self.extended = extended;
        self.offers = Offers::default();
        Waiting::Hello
    }

    fn begin_chunk(&mut self, argument: &[u8], out: &mut Emit<'_>) -> Waiting {
        let mut words = argument.trim_ascii().split(|&byte| byte == b' ');
        let size =
            words.next().and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
        let last = words.any(|word| word.eq_ignore_ascii_case(b"LAST"));
        match size {
            Some(0) => {}
            Some(size) if size <= 1 << 40 => self.sending = Sending::Chunk(size),
            _ => {
                out.anomaly(SPEC.name, "chunk of an absurd size", Direction::Forward);
                self.over = true;
            }
        }
        if last { Waiting::Message } else { Waiting::Other }
    }

    fn reply(&mut self, line: &[u8], out: &mut Emit<'_>) {
        let code = line.first_chunk::<3>().filter(|code| code.iter().all(u8::is_ascii_digit));
        let code = code.and_then(|code| std::str::from_utf8(code).ok()?.parse::<u16>().ok());
        let Some(code) = code else {
            out.anomaly(SPEC.name, "reply without a code", Direction::Reverse);
            return;
        };
        let goes_on = line.get(3) == Some(&b'-');
        let text = line.get(4..).unwrap_or_default();
        if self.greeting.is_none() {
            self.greeting = Some(text.get(..LONGEST_NAME).unwrap_or(text).into());
        }
        if self.waiting.front() == Some(&Waiting::Hello) && code == 250 {
            self.offers.read(text);
        }
        if code == 334
            && let Some(auth) = &self.auth
        {
            auth.challenged(text, out);
        }
        // The greeting answers no command, also where the client did not wait for it.
        if goes_on || (!std::mem::replace(&mut self.greeted, true) && code == 220) {
            return;
        }
        self.answered(code, out);
    }

    fn answered(&mut self, code: u16, out: &mut Emit<'_>) {
        let good = (200..300).contains(&code);
        // A log-on goes on, or the message may come.
        if (300..400).contains(&code) {
            if self.waiting.front() == Some(&Waiting::Data) {
                self.waiting.pop_front();
            }
            return;
        }
        let Some(waiting) = self.waiting.pop_front() else { return };
        match waiting {
            Waiting::Hello if good => self.say_session(out),
            Waiting::Auth => self.logged_on(Some(code), out),
            Waiting::Mail if !good => self.handed_over("refused", Some(code), out),
            Waiting::Recipient => {
                if let Some(mail) = &mut self.mail {
                    let count = if good { &mut mail.recipients } else { &mut mail.refused };
                    *count = count.saturating_add(1);
                }
            }
            Waiting::Data => {
                self.sending = Sending::Commands;
                self.handed_over("refused", Some(code), out);
            }
            Waiting::Message => {
                let outcome = if good { "accepted" } else { "refused" };
                self.handed_over(outcome, Some(code), out);
            }
            Waiting::Reset | Waiting::Quit => self.leave(out),
            Waiting::Tls => {
                let outcome = if good { "success" } else { "failure" };
                out.observe(&STARTTLS, Direction::Forward).word("outcome", outcome).emit();
                self.over = good;
            }
            Waiting::Hello | Waiting::Mail | Waiting::Other => {}
        }
    }

    fn say_session(&mut self, out: &mut Emit<'_>) {
        if std::mem::replace(&mut self.said, true) {
            return;
        }
        out.observe(&SESSION, Direction::Forward)
            .text("software", self.greeting.as_deref().unwrap_or_default())
            .text("client", &self.client)
            .flag("extended", self.extended)
            .flag("starttls", self.offers.tls)
            .texts("mechanisms", self.offers.mechanisms.iter().map(AsRef::as_ref), MOST_MECHANISMS)
            .emit();
    }

    fn logged_on(&mut self, code: Option<u16>, out: &mut Emit<'_>) {
        if let Some(auth) = self.auth.take() {
            self.say_session(out);
            auth.say(code, out);
        }
    }

    fn handed_over(&mut self, outcome: &'static str, code: Option<u16>, out: &mut Emit<'_>) {
        let Some(mail) = self.mail.take() else { return };
        self.say_session(out);
        out.observe(&MAIL, Direction::Forward)
            .value("sender", mail.sender.map(Value::Token))
            .text("sender_domain", &mail.sender_domain)
            .uint("recipients", mail.recipients)
            .uint("refused_recipients", mail.refused)
            .texts("recipient_domains", mail.domains.iter().map(AsRef::as_ref), MOST_DOMAINS)
            .uint("bytes", mail.bytes)
            .word("outcome", outcome)
            .value("code", code.map(u64::from).map(Value::Uint))
            .emit();
    }

    /// A message that was begun is left.
    fn leave(&mut self, out: &mut Emit<'_>) {
        let sent = self.waiting.contains(&Waiting::Message);
        self.handed_over(if sent { "unknown" } else { "aborted" }, None, out);
    }

    /// Bytes were lost: of a message that costs nothing but certainty, of lines the order.
    pub(super) fn gap(&mut self, dir: Direction, lost: u64, out: &mut Emit<'_>) {
        match (dir, self.sending) {
            (Direction::Forward, Sending::Message(_)) => {
                self.sending = Sending::Message(Ending::Within);
                if let Some(mail) = &mut self.mail {
                    mail.bytes = mail.bytes.saturating_add(lost);
                }
            }
            (Direction::Forward, Sending::Chunk(left)) if lost < left => {
                self.sending = Sending::Chunk(left.saturating_sub(lost));
                if let Some(mail) = &mut self.mail {
                    mail.bytes = mail.bytes.saturating_add(lost);
                }
            }
            _ => {
                self.end(out);
                self.over = true;
            }
        }
    }

    /// The connection is over; whatever was half known is said.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        if self.greeting.is_some() || !self.client.is_empty() {
            self.say_session(out);
        }
        self.logged_on(None, out);
        self.leave(out);
    }
}

impl Offers {
    fn read(&mut self, text: &[u8]) {
        // Old servers write an equals sign behind AUTH.
        let mut words = text.split(|byte| matches!(byte, b' ' | b'=')).filter(|w| !w.is_empty());
        let Some(first) = words.next() else { return };
        self.tls |= first.eq_ignore_ascii_case(b"STARTTLS");
        if first.eq_ignore_ascii_case(b"AUTH") {
            for word in words {
                let word: Box<[u8]> = word.get(..32).unwrap_or(word).to_ascii_uppercase().into();
                if self.mechanisms.len() < MOST_MECHANISMS && !self.mechanisms.contains(&word) {
                    self.mechanisms.push(word);
                }
            }
        }
    }
}

/// The address in `FROM:<a@b> SIZE=1`; some devices leave out the brackets.
fn address(argument: &[u8]) -> &[u8] {
    let at = argument.iter().position(|&byte| byte == b':').map_or(0, |at| at.saturating_add(1));
    let rest = argument.get(at..).unwrap_or_default().trim_ascii();
    match rest.strip_prefix(b"<") {
        Some(inner) => inner.split(|&byte| byte == b'>').next().unwrap_or_default(),
        None => rest.split(|&byte| byte == b' ').next().unwrap_or_default(),
    }
}

fn domain(address: &[u8]) -> Box<[u8]> {
    let at = address.iter().rposition(|&byte| byte == b'@');
    let domain = at.and_then(|at| address.get(at.saturating_add(1)..)).unwrap_or_default();
    domain.get(..LONGEST_DOMAIN).unwrap_or(domain).to_ascii_lowercase().into()
}
