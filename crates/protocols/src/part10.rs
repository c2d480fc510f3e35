//! The start of a DICOM file (PS3.10 chapter 7), wherever one is carried: STOW-RS, HTTP uploads,
//! file shares.
//!
//! A file begins with a preamble of 128 bytes that anything may use, and that no DICOM program
//! reads. A preamble that begins as a program does makes a file that is an image and a program at
//! once (CVE-2019-11687). Deliberately absent: all of the data set but what says which kind of
//! object it is and whose.

use wire::cursor::Cursor;

/// Bytes from the start of a file that say what its preamble is.
pub const PREAMBLE: usize = 132;

/// Bytes from the start of a file in which [`attributes`] looks.
pub const LOOKED_AT: usize = 4096;

/// What a preamble holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preamble {
    /// Zeros, as the standard has it where nobody uses it.
    Empty,
    /// The header of a TIFF or BigTIFF: whole-slide images that are both.
    Tiff,
    /// A program of Windows or DOS.
    Pe,
    /// A program of Linux and other Unix systems.
    Elf,
    /// A program of macOS.
    MachO,
    /// A script with its interpreter in front.
    Script,
    /// Anything else.
    Other,
}

impl Preamble {
    /// Its name in fields.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Tiff => "tiff",
            Self::Pe => "pe",
            Self::Elf => "elf",
            Self::MachO => "mach-o",
            Self::Script => "script",
            Self::Other => "other",
        }
    }

    /// Whether an operating system would run the file.
    pub const fn runs(self) -> bool {
        matches!(self, Self::Pe | Self::Elf | Self::MachO | Self::Script)
    }
}

/// What the preamble of a DICOM file holds; nothing where the bytes begin no DICOM file, or are
/// fewer than [`PREAMBLE`].
pub fn preamble(start: &[u8]) -> Option<Preamble> {
    let (preamble, rest) = start.split_at_checked(128)?;
    if !rest.starts_with(b"DICM") {
        return None;
    }
    Some(match preamble {
        [b'M', b'Z', ..] => Preamble::Pe,
        [0x7f, b'E', b'L', b'F', ..] => Preamble::Elf,
        // Of 32 and 64 bits, either byte order, and for several processors at once.
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..]
        | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..]
        | [0xca, 0xfe, 0xba, 0xbe, ..] => Preamble::MachO,
        [b'#', b'!', ..] => Preamble::Script,
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Preamble::Tiff,
        _ if preamble.iter().all(|byte| *byte == 0) => Preamble::Empty,
        _ => Preamble::Other,
    })
}

/// What the start of a DICOM file says of its object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// UID of the SOP class, from the file's meta information.
    pub sop_class: &'a [u8],
    /// Modality: CT, MR, ...
    pub modality: &'a [u8],
    /// Identifier of the patient: never leaves but as a token.
    pub patient: &'a [u8],
}

/// Deflated Explicit VR Little Endian, and the one syntax in big endian: not read.
const UNREAD: [&[u8]; 2] = [b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2"];

/// Reads the elements in the first bytes of a DICOM file, as far as they go.
pub fn attributes(start: &[u8]) -> Attributes<'_> {
    let mut found = Attributes::default();
    let mut at = Cursor::new(start.get(PREAMBLE..).unwrap_or_default());
    let mut syntax: &[u8] = &[];
    while at.rest().first_chunk() == Some(&[2, 0]) {
        let Some((tag, value)) = element(&mut at, true) else { return found };
        match tag {
            (2, 0x0002) => found.sop_class = trim(value),
            (2, 0x0010) => syntax = trim(value),
            _ => {}
        }
    }
    if UNREAD.contains(&syntax) {
        return found;
    }
    let explicit = syntax != b"1.2.840.10008.1.2";
    while let Some((tag, value)) = element(&mut at, explicit) {
        match tag {
            (8, 0x0060) => found.modality = trim(value),
            (0x10, 0x0020) => found.patient = trim(value),
            (0x10, 0x0021..) | (0x11.., _) => break,
            _ => {}
        }
    }
    found
}

/// One element with a length; nothing where the bytes end or an element has no length.
fn element<'a>(at: &mut Cursor<'a>, explicit: bool) -> Option<((u16, u16), &'a [u8])> {
    let tag = (at.u16_le().ok()?, at.u16_le().ok()?);
    let length = if explicit {
        match &at.array::<2>().ok()? {
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN"
            | b"UR" | b"UT" | b"UV" => {
                at.skip(2).ok()?;
                at.u32_le().ok()?
            }
            _ => u32::from(at.u16_le().ok()?),
        }
    } else {
        at.u32_le().ok()?
    };
    let value = at.take(usize::try_from(length).ok()?).ok()?;
    Some((tag, value))
}

fn trim(value: &[u8]) -> &[u8] {
    let padding = |byte: &u8| matches!(byte, 0 | b' ');
    let end =
        value.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last.saturating_add(1));
    value.get(..end).unwrap_or_default().trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(start: &[u8]) -> Vec<u8> {
        let mut file = start.to_vec();
        file.resize(128, 0);
        file.extend(b"DICM");
        file
    }

    #[test]
    fn a_program_in_the_preamble_is_seen() {
        for (start, expected, runs) in [
            (&b""[..], Preamble::Empty, false),
            (b"MZ\x90\0", Preamble::Pe, true),
            (b"\x7fELF\x02", Preamble::Elf, true),
            (b"\xcf\xfa\xed\xfe", Preamble::MachO, true),
            (b"\xfe\xed\xfa\xce", Preamble::MachO, true),
            (b"#!/bin/sh\n", Preamble::Script, true),
            (b"II\x2a\0", Preamble::Tiff, false),
            (b"MM\0\x2b", Preamble::Tiff, false),
            (b"hello", Preamble::Other, false),
        ] {
            let found = preamble(&file(start)).unwrap();
            assert_eq!((found, found.runs()), (expected, runs), "{start:?}");
        }
    }

    #[test]
    fn what_is_no_dicom_file_has_no_preamble() {
        assert_eq!(preamble(&[0; 132]), None);
        assert_eq!(preamble(&file(b"MZ")[..131]), None);
        assert_eq!(preamble(b"MZ"), None);
    }

    /// An element in explicit little endian with a short length.
    pub(crate) fn short(tag: (u16, u16), vr: &[u8], value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap().to_le_bytes();
        [&tag.0.to_le_bytes()[..], &tag.1.to_le_bytes(), vr, &length, value].concat()
    }

    #[test]
    fn kind_and_patient_are_read_in_both_syntaxes() {
        let meta = |syntax: &[u8]| {
            [
                file(b""),
                short((2, 2), b"UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
                short((2, 0x10), b"UI", syntax),
            ]
            .concat()
        };
        let mut explicit = meta(b"1.2.840.10008.1.2.1\0");
        explicit.extend(short((8, 0x60), b"CS", b"CT"));
        explicit.extend(short((0x10, 0x20), b"LO", b"PAT-1 "));
        let mut implicit = meta(b"1.2.840.10008.1.2\0");
        implicit.extend(b"\x08\0\x60\0\x02\0\0\0CT\x10\0\x20\0\x06\0\0\0PAT-1 ");
        for file in [explicit, implicit] {
            let found = attributes(&file);
            assert_eq!(found.sop_class, b"1.2.840.10008.5.1.4.1.1.2");
            assert_eq!((found.modality, found.patient), (&b"CT"[..], &b"PAT-1"[..]));
            // Cut anywhere, it says less and never something else.
            for end in 0..file.len() {
                let cut = attributes(&file[..end]);
                assert!(cut.patient.is_empty() && cut.modality.len().is_multiple_of(2));
            }
        }
    }
}
