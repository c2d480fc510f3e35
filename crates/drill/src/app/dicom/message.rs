//! Commands (PS3.7, annex E) and data sets in implicit VR little endian (PS3.5, annex A.1).

use crate::people::Patient;
use crate::rng::Rng;
use crate::role::Role;
use crate::time::{Nanos, stamp};

/// Verification SOP class.
pub(crate) const VERIFICATION: &str = "1.2.840.10008.1.1";
/// Study root query, find.
pub(crate) const STUDY_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
/// Study root query, move.
pub(crate) const STUDY_MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
/// Modality worklist, find.
pub(crate) const WORKLIST: &str = "1.2.840.10008.5.1.4.31";

/// A tag and a value: what one element of a data set says.
pub(crate) type Element = ((u16, u16), Vec<u8>);

/// What a message asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Store = 0x0001,
    Find = 0x0020,
    Move = 0x0021,
    Echo = 0x0030,
}

/// Modality code and storage SOP class of the images that a role makes.
pub(crate) const fn images_of(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Ct => ("CT", "1.2.840.10008.5.1.4.1.1.2"),
        Role::Mr => ("MR", "1.2.840.10008.5.1.4.1.1.4"),
        Role::Ultrasound => ("US", "1.2.840.10008.5.1.4.1.1.6.1"),
        Role::Mammography => ("MG", "1.2.840.10008.5.1.4.1.1.1.2"),
        Role::EcgCart => ("ECG", "1.2.840.10008.5.1.4.1.1.9.1.1"),
        _ => ("DX", "1.2.840.10008.5.1.4.1.1.1.1"),
    }
}

/// A text value, padded to an even length.
pub(crate) fn text(tag: (u16, u16), value: &str, pad: u8) -> Element {
    let mut bytes = value.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(pad);
    }
    (tag, bytes)
}

/// A 16-bit number.
pub(crate) fn short(tag: (u16, u16), value: u16) -> Element {
    (tag, value.to_le_bytes().to_vec())
}

/// Elements in implicit VR, sorted by tag.
pub(crate) fn encode(mut elements: Vec<Element>) -> Vec<u8> {
    elements.sort_by_key(|e| e.0);
    let mut out = Vec::with_capacity(elements.iter().map(|e| e.1.len() + 8).sum());
    for ((group, element), value) in elements {
        out.extend_from_slice(&group.to_le_bytes());
        out.extend_from_slice(&element.to_le_bytes());
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        out.extend_from_slice(&value);
    }
    out
}

/// A command: group 0000 with its length in front.
pub(crate) fn command(mut elements: Vec<Element>) -> Vec<u8> {
    elements.retain(|e| !e.1.is_empty());
    let rest = encode(elements);
    let mut out = encode(vec![((0, 0), (rest.len() as u32).to_le_bytes().to_vec())]);
    out.extend(rest);
    out
}

/// A request. `extra` carries what only this verb has.
pub(crate) fn request(
    verb: Verb,
    class: &str,
    id: u16,
    has_data: bool,
    extra: Vec<Element>,
) -> Vec<u8> {
    let mut elements = vec![
        text((0, 0x0002), class, 0),
        short((0, 0x0100), verb as u16),
        short((0, 0x0110), id),
        short((0, 0x0800), if has_data { 1 } else { 0x0101 }),
    ];
    if verb != Verb::Echo {
        elements.push(short((0, 0x0700), 0));
    }
    elements.extend(extra);
    command(elements)
}

/// A response with a status: 0 done, 0xff00 more to come, 0xa801 destination unknown.
pub(crate) fn response(
    verb: Verb,
    class: &str,
    id: u16,
    has_data: bool,
    status: u16,
    extra: Vec<Element>,
) -> Vec<u8> {
    let mut elements = vec![
        text((0, 0x0002), class, 0),
        short((0, 0x0100), verb as u16 | 0x8000),
        short((0, 0x0120), id),
        short((0, 0x0800), if has_data { 1 } else { 0x0101 }),
        short((0, 0x0900), status),
    ];
    elements.extend(extra);
    command(elements)
}

/// A study of a patient.
#[derive(Clone, Debug)]
pub(crate) struct Study {
    pub(crate) uid: String,
    pub(crate) accession: String,
    pub(crate) patient: Patient,
    pub(crate) modality: &'static str,
    pub(crate) class: &'static str,
    pub(crate) at: Nanos,
}

/// A study that has just been made by a device of a role.
pub(crate) fn study(rng: &mut Rng, patient: Patient, role: Role, at: Nanos) -> Study {
    let (modality, class) = images_of(role);
    let uid =
        format!("1.2.826.0.1.3680043.8.{}.{}", rng.between(100, 999), rng.between(1, 1 << 40));
    let accession = format!("A{}", rng.between(100_000, 9_999_999));
    Study { uid, accession, patient, modality, class, at }
}

/// What tells whose study it is, as query answers and images carry it.
fn identity(study: &Study) -> Vec<Element> {
    let p = &study.patient;
    let (date, time) = stamp(study.at);
    vec![
        text((0x0008, 0x0020), &date, b' '),
        text((0x0008, 0x0030), &time, b' '),
        text((0x0008, 0x0050), &study.accession, b' '),
        text((0x0010, 0x0010), &format!("{}^{}", p.family, p.given), b' '),
        text((0x0010, 0x0020), &p.id, b' '),
        text((0x0010, 0x0030), &p.born, b' '),
        text((0x0010, 0x0040), &p.sex.to_string(), b' '),
        text((0x0020, 0x000d), &study.uid, 0),
    ]
}

/// An image of a study: its attributes and `bytes` of pixels. Its instance UID comes along.
pub(crate) fn image(
    rng: &mut Rng,
    study: &Study,
    number: usize,
    bytes: usize,
) -> (String, Vec<u8>) {
    let uid = format!("{}.1.{}", study.uid, number + 1);
    let columns = 64 * (1 + (bytes as f64).sqrt() as usize / 90);
    let rows = (bytes / 2 / columns).max(1);
    let mut pixels = rng.bytes(rows * columns * 2);
    // Twelve bits are stored in sixteen.
    pixels.iter_mut().skip(1).step_by(2).for_each(|b| *b &= 0x0f);
    let mut elements = identity(study);
    elements.extend([
        text((0x0008, 0x0016), study.class, 0),
        text((0x0008, 0x0018), &uid, 0),
        text((0x0008, 0x0060), study.modality, b' '),
        text((0x0020, 0x000e), &format!("{}.1", study.uid), 0),
        text((0x0020, 0x0013), &(number + 1).to_string(), b' '),
        short((0x0028, 0x0002), 1),
        text((0x0028, 0x0004), "MONOCHROME2", b' '),
        short((0x0028, 0x0010), rows as u16),
        short((0x0028, 0x0011), columns as u16),
        short((0x0028, 0x0100), 16),
        short((0x0028, 0x0101), 12),
        short((0x0028, 0x0102), 11),
        short((0x0028, 0x0103), 0),
        ((0x7fe0, 0x0010), pixels),
    ]);
    (uid, encode(elements))
}

/// The keys of a query at study level: `wanted` is a name, an identifier, or `*` for all.
pub(crate) fn query(wanted_name: &str, wanted_id: &str, date: &str) -> Vec<u8> {
    encode(vec![
        text((0x0008, 0x0020), date, b' '),
        text((0x0008, 0x0050), "", b' '),
        text((0x0008, 0x0052), "STUDY", b' '),
        text((0x0010, 0x0010), wanted_name, b' '),
        text((0x0010, 0x0020), wanted_id, b' '),
        text((0x0020, 0x000d), "", 0),
    ])
}

/// An answer to a query at study level.
pub(crate) fn answer(study: &Study) -> Vec<u8> {
    let mut elements = identity(study);
    elements.push(text((0x0008, 0x0052), "STUDY", b' '));
    encode(elements)
}

/// One item of a sequence, of defined length.
fn sequence_item(elements: Vec<Element>) -> Vec<u8> {
    let inner = encode(elements);
    let mut item = vec![0xfe, 0xff, 0x00, 0xe0];
    item.extend_from_slice(&(inner.len() as u32).to_le_bytes());
    item.extend(inner);
    item
}

fn scheduled_step(title: &str, modality: &str, date: &str) -> Element {
    let step = sequence_item(vec![
        text((0x0008, 0x0060), modality, b' '),
        text((0x0040, 0x0001), title, b' '),
        text((0x0040, 0x0002), date, b' '),
    ]);
    ((0x0040, 0x0100), step)
}

/// The keys of a worklist query: today's work for one scanner.
pub(crate) fn worklist_query(title: &str, modality: &str, at: Nanos) -> Vec<u8> {
    encode(vec![
        text((0x0008, 0x0050), "", b' '),
        text((0x0010, 0x0010), "", b' '),
        text((0x0010, 0x0020), "", b' '),
        scheduled_step(title, modality, &stamp(at).0),
    ])
}

/// An answer to a worklist query: one patient to come.
pub(crate) fn worklist_answer(study: &Study, title: &str) -> Vec<u8> {
    let mut elements = identity(study);
    elements.push(scheduled_step(title, study.modality, &stamp(study.at).0));
    encode(elements)
}

/// Which study to move.
pub(crate) fn move_keys(study_uid: &str) -> Vec<u8> {
    encode(vec![text((0x0008, 0x0052), "STUDY", b' '), text((0x0020, 0x000d), study_uid, 0)])
}
