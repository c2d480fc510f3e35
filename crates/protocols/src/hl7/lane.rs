//! Cuts one direction into segments and messages, whatever of MLLP's framing is there.
//!
//! A block begins with VT and ends with FS CR (HL7 2.5.1 appendix C.4). Senders leave out either,
//! end segments with LF or CR LF, or put several messages into one block: a header segment begins a
//! message wherever it stands. Of a segment the start is held; what goes on for longer (documents
//! in OBX-5) is counted and hashed as it passes.

use model::emit::Emit;
use model::flow::Direction;

use super::message::Message;
use super::separators::{is_header, unmarked};

const BLOCK_START: u8 = 0x0b;
const BLOCK_END: u8 = 0x1c;

/// Most bytes of a segment that are held.
const MAX_SEGMENT: usize = 8 << 10;

/// One direction.
#[derive(Debug)]
pub(super) struct Lane {
    dir: Direction,
    /// Start of the segment under way.
    segment: Vec<u8>,
    /// Whether more of it came than is held.
    spilled: bool,
    /// After a loss: what comes up to the next line end is the rest of something.
    torn: bool,
    message: Option<Message>,
    /// Whether a block began that has not ended.
    in_block: bool,
    /// Whether segments without a header may be the rest of a message that was lost.
    adrift: bool,
    in_file: bool,
    in_batch: bool,
    /// Rules already said to be broken.
    odd: Vec<&'static str>,
}

impl Lane {
    /// Before the first byte of direction `dir`.
    pub(super) const fn new(dir: Direction) -> Self {
        Self {
            dir,
            segment: Vec::new(),
            spilled: false,
            torn: false,
            message: None,
            in_block: false,
            adrift: true,
            in_file: false,
            in_batch: false,
            odd: Vec::new(),
        }
    }

    /// Takes the next bytes. `other` is the lane the other way.
    pub(super) fn feed(&mut self, mut bytes: &[u8], other: &mut Self, out: &mut Emit<'_>) {
        let is_end = |byte: &u8| matches!(*byte, BLOCK_START | BLOCK_END | b'\r' | b'\n');
        while let Some(at) = bytes.iter().position(is_end) {
            let (stretch, rest) = bytes.split_at(at);
            self.stretch(stretch);
            self.end_segment(other, out);
            let Some((&end, rest)) = rest.split_first() else { return };
            match end {
                BLOCK_START => {
                    self.finish(out);
                    self.in_block = true;
                }
                BLOCK_END => {
                    self.in_block = false;
                    self.finish(out);
                }
                _ => {
                    if let Some(message) = &mut self.message {
                        message.count(1);
                    }
                }
            }
            bytes = rest;
        }
        self.stretch(bytes);
    }

    /// Takes bytes of a segment.
    fn stretch(&mut self, bytes: &[u8]) {
        if self.torn {
            if let Some(message) = &mut self.message {
                message.count(bytes.len() as u64);
            }
            return;
        }
        let room = MAX_SEGMENT.saturating_sub(self.segment.len());
        let (held, spilled) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.segment.extend_from_slice(held);
        if spilled.is_empty() {
            return;
        }
        let header = is_header(unmarked(&self.segment));
        if let Some(message) = self.message.as_mut().filter(|_| !header) {
            if !self.spilled {
                message.content(&self.segment);
            }
            message.content(spilled);
            message.count(spilled.len() as u64);
        }
        self.spilled = true;
    }

    fn end_segment(&mut self, other: &mut Self, out: &mut Emit<'_>) {
        let mut segment = std::mem::take(&mut self.segment);
        let spilled = std::mem::take(&mut self.spilled);
        if !std::mem::take(&mut self.torn) && !segment.is_empty() {
            self.segment_of(unmarked(&segment), spilled, other, out);
        }
        segment.clear();
        self.segment = segment;
    }

    fn segment_of(&mut self, segment: &[u8], spilled: bool, other: &mut Self, out: &mut Emit<'_>) {
        match segment.get(..3).unwrap_or_default() {
            b"MSH" if is_header(segment) => {
                other.answered(out);
                self.emit(out);
                let batch = self.in_file || self.in_batch;
                self.message = Some(Message::begin(segment, batch, out));
            }
            b"FHS" if is_header(segment) => {
                self.emit(out);
                self.in_file = true;
            }
            b"BHS" if is_header(segment) => {
                self.emit(out);
                self.in_batch = true;
            }
            b"BTS" => {
                self.emit(out);
                self.in_batch = false;
            }
            b"FTS" => {
                self.emit(out);
                self.in_file = false;
                self.in_batch = false;
            }
            _ => self.body(segment, spilled, out),
        }
    }

    fn body(&mut self, segment: &[u8], spilled: bool, out: &mut Emit<'_>) {
        let Some(message) = &mut self.message else {
            if !self.adrift {
                self.say_odd("segment outside a message", out);
            }
            return;
        };
        message.count(segment.len() as u64);
        if !spilled {
            message.content(segment);
        }
        message.content(b"\r");
        if let Some(what) = message.segment(segment, out) {
            self.say_odd(what, out);
        }
    }

    /// The other side began an answer: a message without a block around it is over.
    fn answered(&mut self, out: &mut Emit<'_>) {
        if !self.in_block && self.segment.is_empty() {
            self.emit(out);
        }
    }

    /// The message under way is over, be it that its block ended or that something else begins.
    fn finish(&mut self, out: &mut Emit<'_>) {
        let unended = self.in_block && self.message.as_ref().is_some_and(|m| !m.is_torn());
        if unended {
            self.say_odd("message without an end of block", out);
        }
        self.emit(out);
    }

    fn emit(&mut self, out: &mut Emit<'_>) {
        if let Some(message) = self.message.take() {
            message.emit(self.dir, out);
            self.adrift = false;
        }
    }

    fn say_odd(&mut self, what: &'static str, out: &mut Emit<'_>) {
        if !self.odd.contains(&what) {
            self.odd.push(what);
            out.anomaly("hl7", what, self.dir);
        }
    }

    /// So many bytes were lost.
    pub(super) fn gap(&mut self, lost: u64) {
        if let Some(message) = &mut self.message {
            message.tear(lost.saturating_add(self.segment.len() as u64));
        }
        self.segment.clear();
        self.spilled = false;
        self.torn = true;
        self.adrift = true;
    }

    /// The flow is over.
    pub(super) fn end(&mut self, other: &mut Self, out: &mut Emit<'_>) {
        self.end_segment(other, out);
        self.finish(out);
    }
}
