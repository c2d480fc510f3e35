//! What a query asks for (PS3.4 annex C.2.2.2 and annex K): its level, its keys, and whether they
//! narrow it.

use std::borrow::Cow;

use super::elements::{Elements, Sequences};
use super::tags::keyword;
use super::uid::{Encoding, trim};

/// Most keys that are named.
const MAX_KEYS: usize = 32;

const LEVEL: (u16, u16) = (0x0008, 0x0052);
const PATIENT_NAME: (u16, u16) = (0x0010, 0x0010);
const PATIENT_ID: (u16, u16) = (0x0010, 0x0020);

/// The identifier of a C-FIND, C-MOVE or C-GET request, without its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identifier<'a> {
    /// Query/retrieve level, where it is one of the standard's.
    pub(super) level: Option<&'static str>,
    /// Keywords of the keys that are not empty, each once.
    pub(super) keys: Vec<Cow<'static, str>>,
    /// Whether one of them holds a wildcard.
    pub(super) wildcard: bool,
    /// Whether one of them narrows the query.
    pub(super) narrowed: bool,
    /// The one patient asked for.
    pub(super) patient: Option<&'a [u8]>,
    /// Whether it could be read to its end.
    pub(super) whole: bool,
}

impl<'a> Identifier<'a> {
    /// Reads it.
    pub(super) fn parse(data: &'a [u8], encoding: Encoding) -> Self {
        let mut found = Self::default();
        let (mut id, mut name) = (None, None);
        let mut elements = Elements::new(data, encoding, Sequences::Enter);
        for element in elements.by_ref() {
            let value = trim(element.value);
            if element.tag == LEVEL {
                found.level = level(value);
            }
            if value.is_empty() || !is_key(element.tag) {
                continue;
            }
            let wild = value.iter().any(|byte| matches!(byte, b'*' | b'?'));
            found.wildcard |= wild;
            found.narrowed |= !matches_all(value);
            let single = (!wild && !value.contains(&b'\\')).then_some(value);
            match element.tag {
                PATIENT_ID => id = id.or(single),
                PATIENT_NAME => name = name.or(single),
                _ => {}
            }
            found.name_key(element.tag);
        }
        found.patient = id.or(name);
        found.whole = !elements.is_broken();
        found
    }

    fn name_key(&mut self, tag: (u16, u16)) {
        let key = keyword(tag)
            .map_or_else(|| format!("({:04x},{:04x})", tag.0, tag.1).into(), Cow::Borrowed);
        if self.keys.len() < MAX_KEYS && !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }
}

fn level(value: &[u8]) -> Option<&'static str> {
    ["PATIENT", "STUDY", "SERIES", "IMAGE", "FRAME"]
        .into_iter()
        .find(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether an attribute is matched, and does not only steer the query: group lengths, character
/// set, level and view, where to retrieve from, time zone, and who reserved a private block.
fn is_key((group, element): (u16, u16)) -> bool {
    let steers = group == 0x0008 && matches!(element, 0x0005 | 0x0052..=0x0056 | 0x0201);
    let reserves = group & 1 == 1 && (0x0010..=0x00ff).contains(&element);
    element != 0 && !steers && !reserves
}

/// Whether a value matches whatever there is: stars alone or between the separators of a name.
fn matches_all(value: &[u8]) -> bool {
    value.contains(&b'*')
        && value.iter().all(|byte| matches!(byte, b'*' | b'?' | b'^' | b'=' | b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(elements: &[((u16, u16), &str)]) -> Vec<u8> {
        let mut data = Vec::new();
        for &((group, element), value) in elements {
            data.extend(group.to_le_bytes());
            data.extend(element.to_le_bytes());
            data.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
            data.extend(value.as_bytes());
        }
        data
    }

    fn read(data: &[u8]) -> Identifier<'_> {
        Identifier::parse(data, Encoding::ImplicitLittle)
    }

    #[test]
    fn empty_keys_and_stars_ask_for_everybody() {
        for name in ["", "*", "**", "*^*", "* ", "?*"] {
            let data = query(&[
                ((8, 5), "ISO_IR 100"),
                ((8, 0x52), "STUDY "),
                (PATIENT_NAME, name),
                ((0x20, 0xd), ""),
            ]);
            let found = read(&data);
            assert!(!found.narrowed && found.whole, "{name}");
            assert_eq!(found.wildcard, name.contains('*'), "{name}");
            assert_eq!((found.level, found.patient), (Some("STUDY"), None));
        }
    }

    #[test]
    fn one_patient_is_told_from_many() {
        let ask = |id: &str, name: &str| {
            let data = query(&[(PATIENT_NAME, name), (PATIENT_ID, id)]);
            read(&data).patient.map(<[u8]>::to_vec)
        };
        assert_eq!(ask("P1 ", "DOE^JANE"), Some(b"P1".to_vec()));
        assert_eq!(ask("", "DOE^JANE"), Some(b"DOE^JANE".to_vec()));
        assert_eq!(ask("P1\\P2", ""), None);
        assert_eq!(ask("P*", "DOE^J?NE"), None);
    }

    #[test]
    fn keys_are_named_once_and_without_values() {
        let data = query(&[
            ((8, 0x52), "SERIES"),
            ((8, 0x60), "CT"),
            ((9, 0x10), "VENDOR"),
            ((9, 0x1001), "x"),
            ((0x40, 0x100), "\u{0}"),
            ((8, 0x60), "MR"),
        ]);
        let found = read(&data);
        assert_eq!(found.keys, ["Modality", "(0009,1001)"]);
        assert!(found.narrowed && !found.wildcard);
    }

    #[test]
    fn more_keys_than_the_cap_are_not_kept() {
        let many: Vec<_> = (0..100_u16).map(|n| ((0x0011, 0x1000 + n), "x")).collect();
        assert_eq!(read(&query(&many)).keys.len(), MAX_KEYS);
    }

    #[test]
    fn a_cut_identifier_says_so() {
        let mut data = query(&[(PATIENT_ID, "P1")]);
        data.truncate(9);
        assert!(!read(&data).whole);
    }
}
