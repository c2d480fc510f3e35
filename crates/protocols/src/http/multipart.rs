//! Bodies of several parts (RFC 2046, section 5.1), walked part by part without holding one.
//!
//! What is looked at is whether a part is a DICOM file, of what kind and whose; parts are counted,
//! and their own headers passed over: they name files, and files are named after patients.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;

use super::dicomweb::{self, Patients};
use crate::dicom::uid::SopClass;
use crate::part10::{self, LOOKED_AT, Preamble};

/// Longest boundary: RFC 2046 allows 70, some send more.
const MAX_BOUNDARY: usize = 200;

/// Longest headers of a part.
const MAX_HEADERS: usize = 16 * 1024;

/// Most different kinds of objects and modalities that are named.
pub(super) const MAX_NAMED: usize = 16;

/// What the parts were.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) parts: u64,
    /// DICOM files among them.
    pub(super) files: u64,
    /// Files whose preamble is a program.
    pub(super) programs: u64,
    pub(super) sop_classes: Vec<Box<str>>,
    pub(super) modalities: Vec<Box<str>>,
    pub(super) patients: Patients,
}

impl Parts {
    /// Takes the start of something that may be a DICOM file, and tells of a preamble in use.
    pub(super) fn file(
        &mut self,
        start: &[u8],
        carrier: &'static str,
        dir: Direction,
        out: &mut Emit<'_>,
    ) {
        let Some(preamble) = part10::preamble(start) else { return };
        let found = part10::attributes(start);
        let class = SopClass::from_uid(found.sop_class);
        self.files = self.files.saturating_add(1);
        if let Some(class) = &class {
            keep(&mut self.sop_classes, class.name());
        }
        // Code strings are 16 characters; more is no modality.
        let modality = found.modality.get(..found.modality.len().min(16)).unwrap_or_default();
        if !modality.is_empty() {
            keep(&mut self.modalities, &model::text::clean(modality));
        }
        let patient = (!found.patient.is_empty()).then(|| dicomweb::patient(found.patient, out));
        patient.into_iter().for_each(|patient| self.patients.add(patient));
        if preamble == Preamble::Empty {
            return;
        }
        self.programs = self.programs.saturating_add(u64::from(preamble.runs()));
        out.observe(&dicomweb::FILE, dir)
            .word("preamble", preamble.name())
            .flag("executable", preamble.runs())
            .word("carrier", carrier)
            .value("sop_class", class.map(|class| class.value()))
            .text("modality", modality)
            .value("patient", patient.map(Value::Token))
            .emit();
    }
}

fn keep(kept: &mut Vec<Box<str>>, text: &str) {
    if kept.len() < MAX_NAMED && !kept.iter().any(|known| &**known == text) {
        kept.push(text.into());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a part, or before the first.
    Content,
    /// Behind a delimiter.
    Delimiter,
    /// In the headers of a part.
    Headers,
    /// Behind the last part, or lost.
    Over,
}

/// Walks one body.
#[derive(Debug)]
pub(super) struct Walker {
    at: At,
    delimiter: Vec<u8>,
    /// How far the delimiter can be moved when its last byte lies over this one.
    shifts: Box<[u8; 256]>,
    unread: Vec<u8>,
    /// Start of the part under way; absent before the first.
    part: Option<Vec<u8>>,
    pub(super) parts: Parts,
    carrier: &'static str,
}

impl Walker {
    /// For a body of this Content-Type; nothing where it has no boundary.
    pub(super) fn new(content_type: &[u8], carrier: &'static str) -> Option<Self> {
        let boundary = boundary(content_type)?;
        let delimiter = [b"\n--", boundary].concat();
        let last = delimiter.len().saturating_sub(1);
        let mut shifts = Box::new([u8::try_from(delimiter.len()).ok()?; 256]);
        for (place, byte) in delimiter.iter().take(last).enumerate() {
            if let Some(shift) = shifts.get_mut(usize::from(*byte)) {
                *shift = u8::try_from(last.saturating_sub(place)).ok()?;
            }
        }
        Some(Self {
            at: At::Content,
            delimiter,
            shifts,
            // The first delimiter may begin the body.
            unread: b"\n".to_vec(),
            part: None,
            parts: Parts::default(),
            carrier,
        })
    }

    /// Whether more of the body would say more.
    pub(super) fn wants(&self) -> bool {
        self.at != At::Over
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], dir: Direction, out: &mut Emit<'_>) {
        let mut buffer = std::mem::take(&mut self.unread);
        buffer.extend_from_slice(bytes);
        let mut rest = &buffer[..];
        while let Some(used) = self.step(rest, dir, out) {
            rest = rest.get(used..).unwrap_or_default();
        }
        let read = buffer.len().saturating_sub(rest.len());
        buffer.drain(..read);
        self.unread = buffer;
    }

    /// Reads on; nothing where more bytes are needed.
    fn step(&mut self, bytes: &[u8], dir: Direction, out: &mut Emit<'_>) -> Option<usize> {
        match self.at {
            At::Content => {
                if let Some(found) = self.find(bytes) {
                    self.content(bytes.get(..found).unwrap_or_default());
                    self.end_part(dir, out);
                    self.at = At::Delimiter;
                    return Some(found.saturating_add(self.delimiter.len()));
                }
                let keep = self.delimiter.len().saturating_sub(1);
                let sure = bytes.len().checked_sub(keep).filter(|sure| *sure > 0)?;
                self.content(bytes.get(..sure).unwrap_or_default());
                Some(sure)
            }
            At::Delimiter => {
                let after = bytes.get(..2)?;
                self.at = if after == b"--" { At::Over } else { At::Headers };
                Some(0)
            }
            At::Headers => {
                let looked = bytes.get(..bytes.len().min(MAX_HEADERS)).unwrap_or_default();
                let end = looked.iter().enumerate().find_map(|(at, byte)| {
                    let after = looked.get(at.saturating_add(1)..).unwrap_or_default();
                    match (byte, after) {
                        (b'\n', [b'\n', ..]) => Some(at.saturating_add(2)),
                        (b'\n', [b'\r', b'\n', ..]) => Some(at.saturating_add(3)),
                        _ => None,
                    }
                });
                match end {
                    Some(end) => {
                        self.part = Some(Vec::new());
                        self.at = At::Content;
                        // The next delimiter may follow at once: its line end is this one.
                        Some(end.saturating_sub(1))
                    }
                    None if bytes.len() >= MAX_HEADERS => {
                        self.at = At::Over;
                        Some(bytes.len())
                    }
                    None => None,
                }
            }
            At::Over => (!bytes.is_empty()).then_some(bytes.len()),
        }
    }

    /// Where the delimiter begins (Horspool 1980).
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        let last = self.delimiter.len().checked_sub(1)?;
        let mut at = 0_usize;
        loop {
            let window = bytes.get(at..)?.get(..=last)?;
            let end = *window.get(last)?;
            if window == &self.delimiter[..] {
                return Some(at);
            }
            let shift = self.shifts.get(usize::from(end)).copied().unwrap_or(1);
            at = at.saturating_add(usize::from(shift));
        }
    }

    fn content(&mut self, bytes: &[u8]) {
        let Some(start) = &mut self.part else { return };
        // One more for the line end in front of it.
        let room = LOOKED_AT.saturating_add(1).saturating_sub(start.len());
        start.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn end_part(&mut self, dir: Direction, out: &mut Emit<'_>) {
        let Some(start) = self.part.take() else { return };
        self.parts.parts = self.parts.parts.saturating_add(1);
        self.parts.file(start.get(1..).unwrap_or_default(), self.carrier, dir, out);
    }

    /// The body is over, whole or not.
    pub(super) fn end(mut self, dir: Direction, out: &mut Emit<'_>) -> Parts {
        let unread = std::mem::take(&mut self.unread);
        if self.at == At::Content {
            self.content(&unread);
            self.end_part(dir, out);
        }
        self.parts
    }
}

/// The boundary of a multipart media type.
fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let mut parameters = content_type.split(|&b| b == b';').map(<[u8]>::trim_ascii);
    let kind = parameters.next()?;
    if !kind.get(..10)?.eq_ignore_ascii_case(b"multipart/") {
        return None;
    }
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_at_checked(9)?;
        name.eq_ignore_ascii_case(b"boundary=").then_some(value.trim_ascii())
    })?;
    let bare = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
    (1..=MAX_BOUNDARY).contains(&bare.len()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::observation::Observation;
    use model::privacy::SiteKey;
    use model::time::Timestamp;

    fn walk(content_type: &str, pieces: &[&[u8]]) -> (Parts, Vec<Observation>) {
        let (key, mut seen, mut serial) = (SiteKey::new(b"k"), Vec::new(), 0);
        let mut out = Emit::new(&mut seen, &key, None, Timestamp::from_nanos(0), &mut serial);
        let mut walker = Walker::new(content_type.as_bytes(), "stow").unwrap();
        pieces.iter().for_each(|piece| walker.feed(piece, Direction::Forward, &mut out));
        (walker.end(Direction::Forward, &mut out), seen)
    }

    fn body() -> Vec<u8> {
        let file = |start: &[u8]| {
            let mut file = start.to_vec();
            file.resize(128, 0);
            file.extend(b"DICM\x02\0\x02\0UI\x1a\x001.2.840.10008.5.1.4.1.1.2\0\x08\0\x60\0CS\x02\0CT\x10\0\x20\0LO\x06\0PAT-1 ");
            file.resize(9000, 0x0d);
            file
        };
        let mut body = b"ignored".to_vec();
        for start in [&b""[..], b"MZ"] {
            body.extend(b"\r\n--a-b\r\nContent-Type: application/dicom\r\n\r\n");
            body.extend(file(start));
        }
        // No headers; nothing within; something like a boundary.
        body.extend(b"\r\n--a-b\r\n\r\n\r\n--a-\r\n--a-b \t\r\n\r\n\r\n--a-b--\r\n\r\n--a-b\r\n");
        body
    }

    const TYPE: &str = "Multipart/Related; type=\"application/dicom\"; boundary=\"a-b\"";

    #[test]
    fn parts_are_counted_and_programs_among_them_told() {
        let (parts, seen) = walk(TYPE, &[&body()]);
        assert_eq!((parts.parts, parts.files, parts.programs), (4, 2, 1));
        assert_eq!(parts.sop_classes, [Box::from("CT Image Storage")]);
        assert_eq!(parts.modalities, [Box::from("CT")]);
        assert!(parts.patients.one().is_some() && parts.patients.count() == 1);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].flag("executable") && seen[0].str("preamble") == Some("pe"));
    }

    #[test]
    fn a_cut_anywhere_changes_nothing() {
        let body = body();
        let whole = format!("{:?}", walk(TYPE, &[&body]));
        for size in [1, 2, 3, 7, 50, 4097] {
            let pieces: Vec<&[u8]> = body.chunks(size).collect();
            assert_eq!(format!("{:?}", walk(TYPE, &pieces)), whole, "{size}");
        }
    }

    #[test]
    fn a_type_without_a_boundary_is_not_walked() {
        for content_type in
            ["multipart/related", "text/plain; boundary=a", "multipart/x; boundary="]
        {
            assert!(Walker::new(content_type.as_bytes(), "stow").is_none(), "{content_type}");
        }
    }
}
