//! A connection: one command, and of a job its files with an acknowledgement each.

use std::collections::VecDeque;

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;

use super::{COMMAND, FILE, SPEC};

/// Most of a line and of a control file that is kept (RFC 1179 has 131 bytes for a line of it).
const LONGEST_LINE: usize = 256;
const LONGEST_CONTROL: usize = 4 << 10;
/// Longest control file that is believed.
const LARGEST_CONTROL: u64 = 1 << 20;
/// What may wait for an acknowledgement at once: clients wait for each.
const MOST_WAITING: usize = 64;

/// What the client is sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sending {
    /// The first line.
    #[default]
    Command,
    /// Lines that announce files.
    Files,
    /// So many bytes of a file, and a zero behind it.
    File(u64),
    /// A data file up to the end of the connection.
    Rest,
    /// After a question or an order.
    Over,
}

#[derive(Debug)]
enum Waiting {
    Command,
    Announced,
    File(Box<File>),
}

#[derive(Debug, Default)]
struct File {
    part: &'static str,
    bytes: u64,
    control: Vec<u8>,
}

/// One connection.
#[derive(Default)]
pub(super) struct Session {
    sending: Sending,
    line: Vec<u8>,
    code: u8,
    queue: Box<[u8]>,
    agent: Box<[u8]>,
    file: Option<Box<File>>,
    waiting: VecDeque<Waiting>,
    /// Bytes of the answer to a question.
    answered: u64,
    said: bool,
    lost: bool,
}

impl Session {
    /// Nothing more can be read.
    pub(super) const fn is_over(&self) -> bool {
        self.lost
    }

    pub(super) fn client(&mut self, bytes: &[u8], out: &mut Emit<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.lost {
            let used = match self.sending {
                Sending::Command | Sending::Files => self.line(rest, out),
                Sending::File(left) => self.file(rest, left),
                Sending::Rest | Sending::Over => rest.len(),
            };
            rest = rest.get(used.max(1)..).unwrap_or_default();
        }
    }

    fn line(&mut self, bytes: &[u8], out: &mut Emit<'_>) -> usize {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
        let room = LONGEST_LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
        let Some(end) = end else { return bytes.len() };
        let line = std::mem::take(&mut self.line);
        if self.sending == Sending::Command {
            self.command(&line, out);
        } else {
            self.announced(&line, out);
        }
        end.saturating_add(1)
    }

    fn command(&mut self, line: &[u8], out: &mut Emit<'_>) {
        let Some((&code @ 1..=5, rest)) = line.split_first() else {
            self.broken(out);
            return;
        };
        let mut words = rest.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        self.code = code;
        self.queue = words.next().unwrap_or_default().into();
        if code == 5 {
            self.agent = words.next().unwrap_or_default().into();
        }
        self.sending = if code == 2 { Sending::Files } else { Sending::Over };
        self.waiting.push_back(Waiting::Command);
    }

    /// A line within a job: 1 gives it up, 2 and 3 announce a file.
    fn announced(&mut self, line: &[u8], out: &mut Emit<'_>) {
        let Some((&code, rest)) = line.split_first() else {
            self.broken(out);
            return;
        };
        let size = rest.split(|&byte| byte == b' ').next().unwrap_or_default();
        let size = std::str::from_utf8(size).ok().and_then(|text| text.parse::<u64>().ok());
        let part = match (code, size) {
            (1, _) => {
                self.waits(Waiting::Announced);
                return;
            }
            (2, Some(size)) if size <= LARGEST_CONTROL => "control",
            (3, Some(_)) => "data",
            _ => {
                self.broken(out);
                return;
            }
        };
        let bytes = size.unwrap_or(0);
        self.waits(Waiting::Announced);
        let file = Box::new(File { part, bytes, control: Vec::new() });
        if bytes == 0 && part == "data" {
            self.sending = Sending::Rest;
            self.waits(Waiting::File(file));
        } else {
            // The zero behind it counts.
            self.sending = Sending::File(bytes.saturating_add(1));
            self.file = Some(file);
        }
    }

    fn file(&mut self, bytes: &[u8], left: u64) -> usize {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        if let Some(file) = &mut self.file
            && file.part == "control"
        {
            let room = LONGEST_CONTROL.saturating_sub(file.control.len());
            file.control.extend_from_slice(bytes.get(..used.min(room)).unwrap_or_default());
        }
        self.sent(used as u64, left);
        used
    }

    fn sent(&mut self, bytes: u64, left: u64) {
        let left = left.saturating_sub(bytes);
        self.sending = Sending::File(left);
        if left == 0 {
            self.sending = Sending::Files;
            if let Some(file) = self.file.take() {
                self.waits(Waiting::File(file));
            }
        }
    }

    /// Whether lost bytes of the client lie within a file.
    pub(super) fn passes_over(&mut self, lost: u64) -> bool {
        match self.sending {
            Sending::File(left) if lost <= left => {
                self.sent(lost, left);
                true
            }
            Sending::Rest | Sending::Over => true,
            _ => false,
        }
    }

    /// Lost bytes of the server: of a list they count.
    pub(super) fn missed(&mut self, lost: u64) {
        self.answered = self.answered.saturating_add(lost);
    }

    fn waits(&mut self, waiting: Waiting) {
        if self.waiting.len() >= MOST_WAITING {
            self.lost = true;
            return;
        }
        self.waiting.push_back(waiting);
    }

    pub(super) fn server(&mut self, bytes: &[u8], out: &mut Emit<'_>) {
        self.answered = self.answered.saturating_add(bytes.len() as u64);
        // Questions are answered with text, up to the end of the connection.
        if matches!(self.code, 3 | 4) {
            return;
        }
        for &byte in bytes {
            let Some(waiting) = self.waiting.pop_front() else { return };
            let outcome = if byte == 0 { "accepted" } else { "refused" };
            self.say(&waiting, outcome, out);
            // A file that is not wanted does not come.
            if byte != 0 && matches!(waiting, Waiting::Announced) && self.file.take().is_some() {
                self.sending = Sending::Files;
            }
        }
    }

    fn broken(&mut self, out: &mut Emit<'_>) {
        out.anomaly(SPEC.name, "no command", Direction::Forward);
        self.lost = true;
    }

    fn say(&mut self, waiting: &Waiting, outcome: &'static str, out: &mut Emit<'_>) {
        match waiting {
            Waiting::Command => {
                self.said = true;
                let command = match self.code {
                    1 => "print_waiting",
                    2 => "receive_job",
                    3 => "queue_short",
                    4 => "queue_long",
                    _ => "remove_jobs",
                };
                let bytes = matches!(self.code, 3 | 4).then_some(Value::Uint(self.answered));
                out.observe(&COMMAND, Direction::Forward)
                    .word("command", command)
                    .text("queue", &self.queue)
                    .text("agent", &self.agent)
                    .word("outcome", outcome)
                    .value("bytes", bytes)
                    .emit();
            }
            Waiting::Announced => {}
            Waiting::File(file) => {
                let of = |letters: &[u8]| entry(&file.control, letters);
                out.observe(&FILE, Direction::Forward)
                    .word("part", file.part)
                    .text("queue", &self.queue)
                    .uint("bytes", file.bytes)
                    .text("host", of(b"H"))
                    .text("user", of(b"P"))
                    .text("job", of(b"JT"))
                    .text("file", of(b"N"))
                    .word("outcome", outcome)
                    .emit();
            }
        }
    }

    /// The connection is over.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        let question = matches!(self.code, 3 | 4) && self.answered > 0;
        for waiting in std::mem::take(&mut self.waiting) {
            let answered = question && matches!(waiting, Waiting::Command);
            self.say(&waiting, if answered { "accepted" } else { "unanswered" }, out);
        }
    }
}

/// What stands behind one of these letters at the beginning of a line.
fn entry<'a>(control: &'a [u8], letters: &[u8]) -> &'a [u8] {
    let mut lines = control.split(|&byte| byte == b'\n');
    let found =
        lines.find_map(|line| line.split_first().filter(|(first, _)| letters.contains(first)));
    found.map(|(_, text)| text.get(..LONGEST_LINE).unwrap_or(text)).unwrap_or_default()
}
