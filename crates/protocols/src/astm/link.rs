//! E1381 framing of one direction: frames, what became of them, and records without frames.
//!
//! A frame counts once the other side took it or the sender went on; until then it waits, so that
//! a frame that was refused or sent twice is not counted twice. Devices leave out the checksum, the
//! frame number, the link characters or all framing; what is there is used.

use model::emit::Emit;
use model::flow::Direction;

use super::records::Records;

pub(super) const STX: u8 = 0x02;
pub(super) const ETX: u8 = 0x03;
pub(super) const EOT: u8 = 0x04;
pub(super) const ENQ: u8 = 0x05;
pub(super) const ACK: u8 = 0x06;
pub(super) const NAK: u8 = 0x15;
pub(super) const ETB: u8 = 0x17;

/// Most bytes of a frame's text that are held: LIS1-A allows 64,000 characters, E1381 had 240.
const MAX_FRAME: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between frames.
    Idle,
    /// After STX.
    Number,
    /// In the text of a frame.
    Text,
    /// After ETX or ETB, and perhaps the first digit of the checksum.
    Check(Option<u8>),
    /// In a record without frame.
    Bare,
    /// After a loss: up to the next line end or frame.
    Torn,
}

/// What a frame's checksum says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Right,
    Wrong,
    /// The device sends none.
    Absent,
}

#[derive(Debug, PartialEq, Eq)]
struct Frame {
    number: Option<u8>,
    text: Vec<u8>,
    /// Ends with ETX: its last record ends with it.
    last: bool,
    check: Check,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Link {
    dir: Direction,
    place: Place,
    number: Option<u8>,
    text: Vec<u8>,
    last: bool,
    sum: u8,
    /// Whole, and not yet taken or refused.
    waiting: Option<Frame>,
    /// The frame that was taken last in this session.
    taken: Option<Frame>,
    /// Enquiries that were not answered yet: the first answers are theirs, and no frame's.
    enquiries: u8,
    records: Records,
    /// Rules already said to be broken.
    odd: Vec<&'static str>,
}

impl Link {
    /// Before the first byte of direction `dir`.
    pub(super) const fn new(dir: Direction) -> Self {
        Self {
            dir,
            place: Place::Idle,
            number: None,
            text: Vec::new(),
            last: false,
            sum: 0,
            waiting: None,
            taken: None,
            enquiries: 0,
            records: Records::new(dir),
            odd: Vec::new(),
        }
    }

    /// Takes the next bytes. `other` is the link the other way, which is answered in this one.
    pub(super) fn feed(&mut self, bytes: &[u8], other: &mut Self, out: &mut Emit<'_>) {
        for &byte in bytes {
            // A byte may end one place and mean something in the next; never more than twice.
            for _ in 0..3 {
                if self.step(byte, other, out) {
                    break;
                }
            }
        }
    }

    /// Takes a byte; false where it has to be looked at again from the new place.
    fn step(&mut self, byte: u8, other: &mut Self, out: &mut Emit<'_>) -> bool {
        match self.place {
            Place::Idle => self.idle(byte, other, out),
            Place::Number => {
                self.place = Place::Text;
                if !matches!(byte, b'0'..=b'7') {
                    return false;
                }
                self.number = Some(byte);
                self.sum = byte;
                true
            }
            Place::Text => self.text(byte, out),
            Place::Check(first) => match (first, checksum_digit(byte)) {
                (None, Some(digit)) => {
                    self.place = Place::Check(Some(digit));
                    true
                }
                (Some(first), Some(digit)) => {
                    let right = self.sum == (first << 4 | digit);
                    self.frame_end(if right { Check::Right } else { Check::Wrong }, out);
                    true
                }
                (_, None) => {
                    self.frame_end(Check::Absent, out);
                    false
                }
            },
            Place::Bare => match byte {
                b'\r' | b'\n' | ETX | ETB => {
                    self.place = Place::Idle;
                    self.say(|records, out| records.end(out), out);
                    true
                }
                STX | ENQ | EOT | ACK | NAK => {
                    self.place = Place::Idle;
                    self.say(|records, out| records.end(out), out);
                    false
                }
                _ => {
                    self.records.push(byte);
                    true
                }
            },
            Place::Torn => {
                let found = matches!(byte, b'\r' | b'\n' | STX | ENQ | EOT);
                if found {
                    self.place = Place::Idle;
                }
                !found
            }
        }
    }

    fn idle(&mut self, byte: u8, other: &mut Self, out: &mut Emit<'_>) -> bool {
        match byte {
            STX => {
                self.place = Place::Number;
                self.number = None;
                self.sum = 0;
                self.text.clear();
            }
            ENQ | EOT => {
                self.take_waiting(out);
                self.taken = None;
                self.enquiries = if byte == ENQ { self.enquiries.saturating_add(1) } else { 0 };
            }
            ACK => other.answered(true, out),
            NAK => other.answered(false, out),
            b'\r' | b'\n' => {}
            _ => {
                self.take_waiting(out);
                self.place = Place::Bare;
                return false;
            }
        }
        true
    }

    fn text(&mut self, byte: u8, out: &mut Emit<'_>) -> bool {
        match byte {
            ETX | ETB => {
                self.sum = self.sum.wrapping_add(byte);
                self.last = byte == ETX;
                self.place = Place::Check(None);
            }
            STX | EOT | ENQ => {
                self.say_odd("frame without an end", out);
                self.place = Place::Idle;
                return false;
            }
            _ => {
                self.sum = self.sum.wrapping_add(byte);
                if self.text.len() < MAX_FRAME {
                    self.text.push(byte);
                } else {
                    self.say_odd("frame of more than 64 KiB", out);
                }
            }
        }
        true
    }

    fn frame_end(&mut self, check: Check, out: &mut Emit<'_>) {
        self.place = Place::Idle;
        if check == Check::Wrong {
            self.say_odd("wrong checksum", out);
        }
        let text = std::mem::take(&mut self.text);
        let frame = Frame { number: self.number, text, last: self.last, check };
        match &self.waiting {
            // Sent again, because the answer was lost or was a refusal that was not seen.
            Some(before) if before.is_again(&frame) || before.gives_way_to(&frame) => {}
            Some(_) => self.take_waiting(out),
            None if self.taken.as_ref().is_some_and(|taken| taken.is_again(&frame)) => return,
            None => {}
        }
        self.waiting = Some(frame);
    }

    /// The other side answered.
    fn answered(&mut self, taken: bool, out: &mut Emit<'_>) {
        if matches!(self.place, Place::Check(_)) {
            self.frame_end(Check::Absent, out);
        }
        if self.enquiries > 0 {
            self.enquiries = self.enquiries.saturating_sub(1);
            return;
        }
        if taken {
            self.take_waiting(out);
        } else {
            self.waiting = None;
        }
    }

    fn take_waiting(&mut self, out: &mut Emit<'_>) {
        let Some(frame) = self.waiting.take() else { return };
        let framed = frame.check != Check::Absent;
        for &byte in &frame.text {
            if matches!(byte, b'\r' | b'\n') {
                self.say(|records, out| records.end(out), out);
            } else {
                self.records.framed(framed);
                self.records.push(byte);
            }
        }
        if frame.last {
            self.say(|records, out| records.end(out), out);
        }
        self.taken = Some(frame);
    }

    fn say<'e>(
        &mut self,
        records: impl FnOnce(&mut Records, &mut Emit<'e>) -> Option<&'static str>,
        out: &mut Emit<'e>,
    ) {
        if let Some(what) = records(&mut self.records, out) {
            self.say_odd(what, out);
        }
    }

    fn say_odd(&mut self, what: &'static str, out: &mut Emit<'_>) {
        if !self.odd.contains(&what) {
            self.odd.push(what);
            out.anomaly("astm", what, self.dir);
        }
    }

    /// Bytes were lost: a frame or record under way with them.
    pub(super) fn gap(&mut self, out: &mut Emit<'_>) {
        self.take_waiting(out);
        self.text.clear();
        self.records.tear();
        self.place = Place::Torn;
    }

    /// The flow is over.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        if matches!(self.place, Place::Check(_)) {
            self.frame_end(Check::Absent, out);
        }
        self.take_waiting(out);
        if self.place == Place::Bare {
            self.say(|records, out| records.end(out), out);
        }
        self.records.finish(out);
    }
}

impl Frame {
    /// Whether `next` is this frame once more.
    fn is_again(&self, next: &Self) -> bool {
        self.number.is_some() && self.number == next.number && self.text == next.text
    }

    /// Whether `next` is this frame, which came damaged, as it should have been.
    fn gives_way_to(&self, next: &Self) -> bool {
        self.number.is_some() && self.number == next.number && self.check == Check::Wrong
    }
}

/// Value of a digit of a checksum; some devices write small letters.
pub(super) fn checksum_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
