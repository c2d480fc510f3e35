//! Walks through the PDUs of one direction without ever holding one.
//!
//! What is asked for of a PDV is handed on as it comes; the rest is skipped, so that a loss inside
//! pixel data is never noticed. After a loss across a boundary, or a length that cannot be, it
//! searches for the next PDU.

use model::emit::Probe;

use super::pdu::{self, ASSOCIATE_FIXED, HEADER, Kind, NoHeader, PDV_HEADER};
use crate::frames::Step;

/// Most bytes of an item of an A-ASSOCIATE that are kept; only identities and lists of SOP classes
/// get longer.
const MAX_ITEM: usize = 1024;
/// Most bytes searched through for a PDU before the flow is given up.
const MAX_SEARCH: u64 = 16 << 20;

/// Most bytes that the walk leaves unread: the longest that it waits for is an item.
pub(super) const MAX_PENDING: usize = 4 * MAX_ITEM;

/// The PDV whose data follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pdv {
    /// Presentation context id.
    pub(super) context: u8,
    /// Whether it is of a command, else of a data set.
    pub(super) command: bool,
    /// Whether it is the last of its command or data set.
    pub(super) last: bool,
    /// Bytes of data.
    pub(super) length: u64,
}

/// Takes what the walk comes by, in order.
pub(super) trait Sink {
    /// An A-ASSOCIATE-RQ or -AC begins; its AE titles as padded.
    fn associate(&mut self, kind: Kind, called: &[u8], calling: &[u8]);
    /// An item or sub-item of it: of a presentation context only its first four bytes, of others
    /// at most [`MAX_ITEM`]; of user information nothing, since its sub-items follow.
    fn item(&mut self, kind: Kind, item: u8, value: &[u8]);
    /// The A-ASSOCIATE is over.
    fn associated(&mut self, kind: Kind);
    /// Any PDU of four bytes.
    fn short(&mut self, kind: Kind, body: [u8; 4]);
    /// A PDV begins. Answers how many bytes of it are wanted.
    fn pdv(&mut self, pdv: Pdv) -> u64;
    /// The next of the bytes wanted.
    fn data(&mut self, bytes: &[u8]);
    /// Bytes wanted were lost within the PDV.
    fn hole(&mut self);
    /// The PDV is over.
    fn pdv_end(&mut self);
    /// So many bytes, between the last PDV and the next, were lost or cannot be told apart.
    fn lost(&mut self, count: u64);
    /// A rule was broken.
    fn odd(&mut self, what: &'static str);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    /// Before the fixed part of an A-ASSOCIATE.
    Associate(Kind),
    /// Among its items.
    Items(Kind),
    /// Before a PDV's header.
    Pdv,
    /// In the data of a PDV, of which so many bytes are left and so many of these wanted.
    Data {
        left: u64,
        wanted: u64,
    },
    /// Before the rest of a PDU that cannot be read.
    Rest,
    /// Anywhere.
    Search,
}

/// Where the walk is in one direction.
#[derive(Debug)]
pub(super) struct Walk {
    place: Place,
    /// Bytes left of the PDU.
    left: u64,
    searched: u64,
    /// Headers yet to be seen before what does not fit is the sender's fault: one at the start,
    /// which may lie amid an association, and two after a search, which may have erred.
    doubt: u8,
}

impl Walk {
    /// Before the first PDU.
    pub(super) const fn new() -> Self {
        Self { place: Place::Header, left: 0, searched: 0, doubt: 1 }
    }

    /// Takes one step through the unread bytes.
    pub(super) fn step(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Step {
        match self.place {
            Place::Header => self.header(bytes, sink),
            Place::Associate(kind) => self.associate(kind, bytes, sink),
            Place::Items(kind) => self.item(kind, bytes, sink),
            Place::Pdv => self.pdv(bytes, sink),
            Place::Data { left, wanted } => self.data(left, wanted, bytes, sink),
            Place::Rest => {
                self.place = Place::Header;
                Step::Skip(std::mem::take(&mut self.left))
            }
            Place::Search => self.search(bytes, sink),
        }
    }

    fn header(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Step {
        let (kind, length) = match pdu::header(bytes) {
            Ok(header) => header,
            Err(NoHeader::Short) => return Step::More,
            Err(NoHeader::UnknownType) => return self.astray("PDU of an unknown type", sink),
            Err(NoHeader::ImpossibleLength) => {
                return self.astray("PDU of an impossible length", sink);
            }
        };
        let doubt = self.doubt.saturating_sub(1);
        match kind {
            Kind::Request | Kind::Accept => self.place = Place::Associate(kind),
            Kind::Data => self.place = Place::Pdv,
            _ => {
                let Some(&body) = bytes.get(HEADER..).and_then(<[u8]>::first_chunk::<4>) else {
                    return Step::More;
                };
                self.doubt = doubt;
                sink.short(kind, body);
                return Step::Used(HEADER.saturating_add(4));
            }
        }
        self.doubt = doubt;
        self.left = length.into();
        Step::Used(HEADER)
    }

    fn associate(&mut self, kind: Kind, bytes: &[u8], sink: &mut impl Sink) -> Step {
        let Some(fixed) = bytes.get(..ASSOCIATE_FIXED) else { return Step::More };
        let (called, calling) = (fixed.get(4..20), fixed.get(20..36));
        sink.associate(kind, called.unwrap_or_default(), calling.unwrap_or_default());
        self.place = Place::Items(kind);
        self.pass(ASSOCIATE_FIXED as u64, sink);
        Step::Used(ASSOCIATE_FIXED)
    }

    /// Items and sub-items in one row: of those that hold others, only the head is taken.
    fn item(&mut self, kind: Kind, bytes: &[u8], sink: &mut impl Sink) -> Step {
        debug_assert!(matches!(self.place, Place::Items(k) if k == kind));
        if self.left < 4 {
            return self.drop_rest("A-ASSOCIATE that ends within an item", sink);
        }
        let Some(&[item, _, high, low]) = bytes.first_chunk::<4>() else { return Step::More };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (kept, used) = match item {
            // Presentation context: id and result, before its sub-items.
            0x20 | 0x21 => (4, 8),
            // User information.
            0x50 => (0, 4),
            // User identity: the name stands before the pass code.
            _ if length <= MAX_ITEM || item == 0x58 => {
                (length.min(MAX_ITEM), length.saturating_add(4))
            }
            _ => (0, length.saturating_add(4)),
        };
        if length as u64 > self.left.saturating_sub(4) || used as u64 > self.left {
            return self.drop_rest("item longer than its A-ASSOCIATE", sink);
        }
        let Some(value) = bytes.get(4..).and_then(|rest| rest.get(..kept)) else {
            return Step::More;
        };
        if kept > 0 {
            sink.item(kind, item, value);
        }
        self.pass(used as u64, sink);
        Step::Skip(used as u64)
    }

    fn drop_rest(&mut self, what: &'static str, sink: &mut impl Sink) -> Step {
        sink.odd(what);
        let rest = self.left;
        self.pass(rest, sink);
        Step::Skip(rest)
    }

    /// So many bytes of the PDU are done with.
    fn pass(&mut self, count: u64, sink: &mut impl Sink) {
        self.left = self.left.saturating_sub(count);
        if self.left > 0 {
            return;
        }
        if let Place::Items(kind) | Place::Associate(kind) = self.place {
            sink.associated(kind);
        }
        self.place = Place::Header;
    }

    fn pdv(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Step {
        let header = bytes.first_chunk::<PDV_HEADER>();
        if self.left < PDV_HEADER as u64 {
            return self.astray("P-DATA-TF that ends within a PDV", sink);
        }
        let Some(&[a, b, c, d, context, control]) = header else { return Step::More };
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        if length < 2 || length > self.left.saturating_sub(4) {
            return self.astray("PDV of an impossible length", sink);
        }
        let length = length.saturating_sub(2);
        let (command, last) = (control & 1 == 1, control & 2 == 2);
        let wanted = sink.pdv(Pdv { context, command, last, length }).min(length);
        self.place = Place::Data { left: length, wanted };
        self.left = self.left.saturating_sub(PDV_HEADER as u64);
        if length == 0 {
            self.end_pdv(sink);
        }
        Step::Used(PDV_HEADER)
    }

    fn data(&mut self, left: u64, wanted: u64, bytes: &[u8], sink: &mut impl Sink) -> Step {
        let (used, seen) = if wanted > 0 {
            let here = usize::try_from(wanted).unwrap_or(usize::MAX).min(bytes.len());
            sink.data(bytes.get(..here).unwrap_or_default());
            (here as u64, here as u64)
        } else {
            // The last byte is waited for: only then did the PDV come whole.
            (left.saturating_sub(1).max(1), 0)
        };
        self.advance(left, wanted, used, seen, sink);
        Step::Skip(used)
    }

    fn advance(&mut self, left: u64, wanted: u64, used: u64, seen: u64, sink: &mut impl Sink) {
        let (left, wanted) = (left.saturating_sub(used), wanted.saturating_sub(seen));
        self.place = Place::Data { left, wanted };
        self.left = self.left.saturating_sub(used);
        if left == 0 {
            self.end_pdv(sink);
        }
    }

    fn end_pdv(&mut self, sink: &mut impl Sink) {
        sink.pdv_end();
        self.place = if self.left == 0 { Place::Header } else { Place::Pdv };
    }

    /// What is here cannot be: look for what can.
    fn astray(&mut self, what: &'static str, sink: &mut impl Sink) -> Step {
        if self.doubt == 0 {
            sink.odd(what);
        }
        self.place = Place::Search;
        self.doubt = 2;
        self.searched = self.searched.saturating_add(1);
        sink.lost(1);
        Step::Used(1)
    }

    fn search(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Step {
        let reach = usize::try_from(MAX_SEARCH.saturating_sub(self.searched)).unwrap_or(usize::MAX);
        let mut passed = 0_usize;
        let found = loop {
            if passed >= reach {
                return Step::Stop;
            }
            match pdu::begins(bytes.get(passed..).unwrap_or_default()) {
                Probe::No => passed = passed.saturating_add(1),
                Probe::Yes => break true,
                Probe::Unsure => break false,
            }
        };
        self.searched = self.searched.saturating_add(passed as u64);
        if passed > 0 {
            sink.lost(passed as u64);
        }
        if found {
            self.place = Place::Header;
        }
        match (passed, found) {
            (0, false) => Step::More,
            (0, true) => Step::Skip(0),
            _ => Step::Used(passed),
        }
    }

    /// So many bytes are missing, those that were left unread among them.
    pub(super) fn gap(&mut self, missing: u64, sink: &mut impl Sink) {
        let mut beyond = missing;
        match self.place {
            Place::Data { left, wanted } => {
                if wanted > 0 {
                    sink.hole();
                }
                if missing <= left {
                    return self.advance(left, wanted, missing, missing, sink);
                }
                beyond = missing.saturating_sub(left);
                sink.pdv_end();
            }
            Place::Items(kind) | Place::Associate(kind) => sink.associated(kind),
            _ => {}
        }
        // Where the PDU ends is known as long as the loss ends within it.
        let rest = self.left.checked_sub(missing).filter(|_| self.place != Place::Search);
        let rest = rest.unwrap_or_default();
        self.place = if rest > 0 { Place::Rest } else { Place::Search };
        self.left = rest;
        self.doubt = 2;
        sink.lost(beyond.saturating_add(rest));
    }
}
