//! Messages over UDP, and over TCP with octet counting or line ends (RFC 6587).

use model::emit::Emit;
use model::flow::Direction;
use wire::chunk::{Chunk, Next};

use super::MESSAGE;
use super::header::{MAX_HEADER, header};
use crate::frames::{Frames, Step};
use crate::seam::Parser;

/// Longest message that ends with a line end.
const MAX_LINE: usize = 64 * 1024;

/// Longest message that is counted in octets; longer counts are no counts.
const MAX_COUNTED: u64 = 16 * 1024 * 1024;

/// Parser of one flow.
pub(super) struct Messages {
    forward: Frames,
    reverse: Frames,
    lines: [Lines; 2],
}

/// One direction of a stream.
#[derive(Default)]
struct Lines {
    /// How far the line end was searched for.
    scanned: usize,
    /// A message was seen: a line without priority may be the rest of it.
    began: bool,
    /// Behind a gap: what comes before the next line end is of no use.
    lost: bool,
}

impl Messages {
    pub(super) fn new() -> Self {
        Self {
            forward: Frames::new(MAX_LINE),
            reverse: Frames::new(MAX_LINE),
            lines: [Lines::default(), Lines::default()],
        }
    }
}

impl Parser for Messages {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let [there, back] = &mut self.lines;
        let (frames, lines) = match dir {
            Direction::Forward => (&mut self.forward, there),
            Direction::Reverse => (&mut self.reverse, back),
        };
        match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| lines.take(unread, dir, out)),
            Chunk::Gap(_) => {
                frames.clear();
                *lines = Lines { scanned: 0, lost: true, ..*lines };
                Next::More
            }
            Chunk::Datagram(bytes) => {
                // Some senders end a datagram like a line.
                let message = bytes.trim_ascii_end();
                if !message.is_empty() && !say(message, message.len() as u64, dir, out) {
                    out.anomaly("syslog", "message without priority", dir);
                }
                Next::More
            }
        }
    }
}

impl Lines {
    fn take(&mut self, unread: &[u8], dir: Direction, out: &mut Emit<'_>) -> Step {
        if !self.lost && unread.first().is_some_and(u8::is_ascii_digit) {
            return self.counted(unread, dir, out);
        }
        let searched = unread.get(self.scanned..).unwrap_or_default();
        let Some(found) = searched.iter().position(|b| matches!(b, b'\n' | 0)) else {
            self.scanned = unread.len();
            if unread.len() > MAX_LINE {
                out.anomaly("syslog", "line longer than 64 KiB", dir);
                return Step::Stop;
            }
            return Step::More;
        };
        let end = self.scanned.saturating_add(found);
        self.scanned = 0;
        if end > MAX_LINE {
            out.anomaly("syslog", "line longer than 64 KiB", dir);
            return Step::Stop;
        }
        let line = unread.get(..end).unwrap_or_default().trim_ascii();
        let used = Step::Used(end.saturating_add(1));
        if std::mem::take(&mut self.lost) || line.is_empty() {
            return used;
        }
        if say(line, line.len() as u64, dir, out) {
            self.began = true;
        } else if !self.began {
            out.anomaly("syslog", "message without priority", dir);
            return Step::Stop;
        }
        used
    }

    /// `MSG-LEN SP SYSLOG-MSG`: judged by its first bytes, the rest passed over.
    fn counted(&mut self, unread: &[u8], dir: Direction, out: &mut Emit<'_>) -> Step {
        let digits = unread.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let (number, rest) = unread.split_at_checked(digits).unwrap_or_default();
        if rest.is_empty() && digits < 10 {
            return Step::More;
        }
        let length = std::str::from_utf8(number).ok().and_then(|n| n.parse::<u64>().ok());
        let (Some(b' '), Some(length @ 1..=MAX_COUNTED)) = (rest.first(), length) else {
            return self.uncounted(unread, dir, out);
        };
        let message = rest.get(1..).unwrap_or_default();
        let needed = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_HEADER);
        let Some(start) = message.get(..needed) else {
            // A continuation line may begin with digits: it has no priority behind them.
            return match message.first() {
                Some(first) if *first != b'<' => self.uncounted(unread, dir, out),
                _ => Step::More,
            };
        };
        if !say(start, length, dir, out) {
            return self.uncounted(unread, dir, out);
        }
        self.began = true;
        self.scanned = 0;
        Step::Skip(length.saturating_add(digits as u64).saturating_add(1))
    }

    /// Digits that count nothing: the rest of a message of several lines, or no syslog at all.
    fn uncounted(&mut self, unread: &[u8], dir: Direction, out: &mut Emit<'_>) -> Step {
        if !self.began {
            out.anomaly("syslog", "message without priority", dir);
            return Step::Stop;
        }
        match unread.iter().take(MAX_LINE).position(|b| matches!(b, b'\n' | 0)) {
            Some(end) => {
                self.scanned = 0;
                Step::Used(end.saturating_add(1))
            }
            None if unread.len() >= MAX_LINE => {
                out.anomaly("syslog", "line longer than 64 KiB", dir);
                Step::Stop
            }
            None => Step::More,
        }
    }
}

/// Tells of a message, where its first bytes have a priority. `size` is that of all of it.
fn say(start: &[u8], size: u64, dir: Direction, out: &mut Emit<'_>) -> bool {
    let Some(header) = header(start) else { return false };
    out.observe(&MESSAGE, dir)
        .uint("facility", header.facility)
        .uint("severity", header.severity)
        .text("host", header.host)
        .text("app", header.app)
        .uint("bytes", size)
        .emit();
    true
}
