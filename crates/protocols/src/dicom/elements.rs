//! Walks the elements of a data set (PS3.5 chapter 7) without building it.
//!
//! Sequences are either entered, so that the elements of their items come as if they stood outside,
//! or passed over. Values are not decoded: no query key that matters here is a binary number.

use wire::cursor::{Cursor, Short};

use super::uid::{Encoding, is_vr};

/// Length of a sequence or item that ends with a delimiter.
const UNDEFINED: u32 = 0xffff_ffff;
const ITEM: (u16, u16) = (0xfffe, 0xe000);
const ITEM_END: (u16, u16) = (0xfffe, 0xe00d);
const SEQUENCE_END: (u16, u16) = (0xfffe, 0xe0dd);

/// One element outside of sequences, or inside where they are entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// Group and element.
    pub(super) tag: (u16, u16),
    /// Its value as it was sent.
    pub(super) value: &'a [u8],
}

/// What to do with sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequences {
    /// Show the elements of their items.
    Enter,
    /// Pass over them.
    Pass,
}

/// The elements of a data set, or of as much of it as there is.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    cursor: Cursor<'a>,
    encoding: Encoding,
    sequences: Sequences,
    /// Open sequences and items of undefined length.
    depth: u32,
    broken: bool,
}

impl<'a> Elements<'a> {
    /// From the first element on; an opaque encoding has none.
    pub(super) fn new(data: &'a [u8], encoding: Encoding, sequences: Sequences) -> Self {
        let broken = encoding == Encoding::Opaque;
        Self { cursor: Cursor::new(data), encoding, sequences, depth: 0, broken }
    }

    /// Whether it ended before the end, or could not begin.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    fn u16(&mut self) -> Result<u16, Short> {
        if self.encoding == Encoding::ExplicitBig {
            self.cursor.u16()
        } else {
            self.cursor.u16_le()
        }
    }

    fn u32(&mut self) -> Result<u32, Short> {
        if self.encoding == Encoding::ExplicitBig {
            self.cursor.u32()
        } else {
            self.cursor.u32_le()
        }
    }

    /// Length of the element whose tag was just read, and whether it is a sequence.
    fn length(&mut self) -> Result<(u32, bool), Short> {
        if self.encoding == Encoding::ImplicitLittle {
            let length = self.u32()?;
            // Nothing says which element is a sequence, but that its value begins with an item.
            let sequence = length == UNDEFINED
                || (length >= 8 && self.cursor.rest().starts_with(b"\xfe\xff\x00\xe0"));
            return Ok((length, sequence));
        }
        let vr = self.cursor.array::<2>()?;
        if !is_vr(vr) {
            return Err(Short);
        }
        match &vr {
            b"SQ" => {
                self.cursor.skip(2)?;
                Ok((self.u32()?, true))
            }
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SV" | b"UC" | b"UN" | b"UR"
            | b"UT" | b"UV" => {
                self.cursor.skip(2)?;
                let length = self.u32()?;
                Ok((length, length == UNDEFINED))
            }
            _ => Ok((self.u16()?.into(), false)),
        }
    }

    /// Goes past structure up to the next element that is to be shown.
    fn advance(&mut self) -> Result<Option<Element<'a>>, Short> {
        while !self.cursor.is_empty() {
            let tag = (self.u16()?, self.u16()?);
            if matches!(tag, ITEM | ITEM_END | SEQUENCE_END) {
                let length = self.u32()?;
                match (tag, length) {
                    (ITEM, UNDEFINED) => self.depth = self.depth.saturating_add(1),
                    (ITEM, _) if self.sequences == Sequences::Pass => self.pass(length)?,
                    (ITEM, _) => {}
                    _ => self.depth = self.depth.saturating_sub(1),
                }
                continue;
            }
            let (length, sequence) = self.length()?;
            match (sequence, length) {
                (true, UNDEFINED) => self.depth = self.depth.saturating_add(1),
                (true, _) if self.sequences == Sequences::Enter => {}
                (true, _) => self.pass(length)?,
                (false, _) => {
                    let length = usize::try_from(length).map_err(|_| Short)?;
                    let value = self.cursor.take(length)?;
                    if self.depth == 0 || self.sequences == Sequences::Enter {
                        return Ok(Some(Element { tag, value }));
                    }
                }
            }
        }
        Ok(None)
    }

    fn pass(&mut self, length: u32) -> Result<(), Short> {
        self.cursor.skip(usize::try_from(length).map_err(|_| Short)?)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        if self.broken {
            return None;
        }
        let next = self.advance();
        self.broken = next.is_err();
        next.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(data: &[u8], encoding: Encoding, sequences: Sequences) -> (Vec<(u16, u16)>, bool) {
        let mut elements = Elements::new(data, encoding, sequences);
        let tags = elements.by_ref().map(|element| element.tag).collect();
        (tags, elements.is_broken())
    }

    /// (0008,0052), a sequence with one item that holds (0008,0060), then (0010,0020).
    fn implicit(sequence_undefined: bool, item_undefined: bool) -> Vec<u8> {
        let inner = b"\x08\0\x60\0\x02\0\0\0CT";
        let mut item = b"\xfe\xff\0\xe0".to_vec();
        item.extend(if item_undefined { [0xff; 4] } else { 10_u32.to_le_bytes() });
        item.extend(inner);
        if item_undefined {
            item.extend(b"\xfe\xff\x0d\xe0\0\0\0\0");
        }
        let mut data = b"\x08\0\x52\0\x06\0\0\0STUDY \x40\0\0\x01".to_vec();
        let length = u32::try_from(item.len()).unwrap();
        data.extend(if sequence_undefined { [0xff; 4] } else { length.to_le_bytes() });
        data.extend(item);
        if sequence_undefined {
            data.extend(b"\xfe\xff\xdd\xe0\0\0\0\0");
        }
        data.extend(b"\x10\0\x20\0\x02\0\0\0P1");
        data
    }

    #[test]
    fn a_sequence_is_entered_or_passed_in_all_four_notations() {
        for (sequence, item) in [(false, false), (false, true), (true, false), (true, true)] {
            let data = implicit(sequence, item);
            let (entered, broken) = tags(&data, Encoding::ImplicitLittle, Sequences::Enter);
            assert_eq!((entered, broken), (vec![(8, 0x52), (8, 0x60), (16, 0x20)], false));
            let (passed, broken) = tags(&data, Encoding::ImplicitLittle, Sequences::Pass);
            assert_eq!((passed, broken), (vec![(8, 0x52), (16, 0x20)], false), "{sequence} {item}");
        }
    }

    #[test]
    fn both_explicit_encodings_read_the_same() {
        let little =
            b"\x08\0\x52\0CS\x06\0STUDY \x08\0\x40\x11SQ\0\0\0\0\0\0\x10\0\x20\0LO\x02\0P1";
        let big = b"\0\x08\0\x52CS\0\x06STUDY \0\x08\x11\x40SQ\0\0\0\0\0\0\0\x10\0\x20LO\0\x02P1";
        let want = (vec![(8, 0x52), (16, 0x20)], false);
        assert_eq!(tags(little, Encoding::ExplicitLittle, Sequences::Enter), want);
        assert_eq!(tags(big, Encoding::ExplicitBig, Sequences::Enter), want);
    }

    #[test]
    fn a_cut_value_ends_the_walk() {
        let data = b"\x08\0\x52\0\x06\0\0\0STUDY \x10\0\x20\0\xff\xff\0\0P1";
        assert_eq!(tags(data, Encoding::ImplicitLittle, Sequences::Pass), (vec![(8, 0x52)], true));
    }

    proptest! {
        #[test]
        fn noise_ends(data: Vec<u8>, which in 0_usize..4, enter: bool) {
            let encoding = [
                Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig, Encoding::Opaque,
            ][which];
            let sequences = if enter { Sequences::Enter } else { Sequences::Pass };
            prop_assert!(Elements::new(&data, encoding, sequences).count() <= data.len() / 8);
        }
    }
}
