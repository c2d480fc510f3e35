//! Floods of frames that cost a server much and a client little.
//!
//! Counted, and never by a clock: what matters is how many come in a row, or how many of all
//! requests were taken back. Each is told once.

use model::emit::Emit;
use model::flow::Direction;

use super::frame::Kind;

/// So many requests taken back before an answer, more than half of all, are a rapid reset
/// (CVE-2023-44487). Viewers take back a few dozen when a reader scrolls on.
const RESETS: u64 = 100;

/// Frames of one kind in a row, without a request or any data between.
const SETTINGS: u32 = 100;
const PINGS: u32 = 1000;
const EMPTY: u32 = 1000;

/// CONTINUATION frames of one header block (CVE-2024-27316). A block of 64 KiB needs four.
pub(super) const CONTINUATIONS: u32 = 64;

/// What one side has sent.
#[derive(Debug, Default)]
pub(super) struct Floods {
    opened: u64,
    resets: u64,
    settings: u32,
    pings: u32,
    empty: u32,
    told: Vec<&'static str>,
}

impl Floods {
    /// A request was made.
    pub(super) fn opened(&mut self) {
        self.opened = self.opened.saturating_add(1);
        (self.settings, self.pings, self.empty) = (0, 0, 0);
    }

    /// A request was taken back before its answer began.
    pub(super) fn reset(&mut self, dir: Direction, out: &mut Emit<'_>) {
        self.resets = self.resets.saturating_add(1);
        if self.resets >= RESETS && self.resets.saturating_mul(2) > self.opened {
            self.tell("rapid reset of HTTP/2 streams", dir, out);
        }
    }

    /// A frame came.
    pub(super) fn frame(&mut self, kind: Kind, empty: bool, dir: Direction, out: &mut Emit<'_>) {
        let (count, most, what) = match kind {
            Kind::Settings => (&mut self.settings, SETTINGS, "flood of HTTP/2 SETTINGS"),
            Kind::Ping => (&mut self.pings, PINGS, "flood of HTTP/2 PING"),
            Kind::Data if empty => (&mut self.empty, EMPTY, "flood of empty HTTP/2 frames"),
            Kind::Data => {
                (self.settings, self.pings, self.empty) = (0, 0, 0);
                return;
            }
            _ => return,
        };
        *count = count.saturating_add(1);
        if *count >= most {
            self.tell(what, dir, out);
        }
    }

    /// Tells of something once.
    pub(super) fn tell(&mut self, what: &'static str, dir: Direction, out: &mut Emit<'_>) {
        if !self.told.contains(&what) {
            self.told.push(what);
            out.anomaly("http2", what, dir);
        }
    }
}
