//! SOP classes and transfer syntaxes by their UIDs.

use model::observation::Value;

use super::sop_classes::SOP_CLASSES;

/// The root of all UIDs that the standard itself gives out (PS3.5 chapter 9).
const ROOT: &str = "1.2.840.10008.";

/// Longest UID (PS3.5 9.1); what is longer is cut.
const MAX_UID: usize = 64;

/// A SOP class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SopClass {
    /// One of the standard's, as an index into the table.
    Known(&'static (&'static str, &'static str, &'static str)),
    /// Somebody's own, or newer than the table.
    Unknown(Box<str>),
}

impl SopClass {
    /// From the padded text of a UID; nothing where it does not begin with one.
    pub(crate) fn from_uid(bytes: &[u8]) -> Option<Self> {
        let uid = uid(bytes);
        if uid.is_empty() {
            return None;
        }
        let known = std::str::from_utf8(uid)
            .ok()
            .and_then(|uid| uid.strip_prefix(ROOT))
            .and_then(|rest| SOP_CLASSES.binary_search_by(|row| row.0.cmp(rest)).ok())
            .and_then(|at| SOP_CLASSES.get(at));
        Some(known.map_or_else(|| Self::Unknown(model::text::clean(uid).into()), Self::Known))
    }

    /// Its name in PS3.6, or the UID.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known((_, name, _)) => name,
            Self::Unknown(uid) => uid,
        }
    }

    /// The same, for a field.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Known((_, name, _)) => Value::Word(name),
            Self::Unknown(uid) => Value::Text(uid.clone()),
        }
    }

    /// Modality of the objects of a storage class, where it has one.
    pub(super) fn modality(&self) -> Option<&'static str> {
        match self {
            Self::Known((_, _, modality)) if !modality.is_empty() => Some(modality),
            _ => None,
        }
    }

    /// Whether queries of this class ask for a worklist: modality, general purpose, unified
    /// procedure steps (PS3.4 annexes K and CC).
    pub(super) fn is_worklist(&self) -> bool {
        match self {
            Self::Known((uid, _, _)) => {
                matches!(*uid, "5.1.4.31" | "5.1.4.32.1") || uid.starts_with("5.1.4.34.")
            }
            Self::Unknown(_) => false,
        }
    }
}

/// How the elements of a data set are written (PS3.5 chapter 10 and annex A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Implicit VR, little endian.
    ImplicitLittle,
    /// Explicit VR, little endian; also every compressed image.
    ExplicitLittle,
    /// Explicit VR, big endian (retired).
    ExplicitBig,
    /// Deflated, or a vendor's own: not looked into.
    Opaque,
}

impl Encoding {
    /// From the padded text of a transfer syntax UID.
    pub(crate) fn from_uid(bytes: &[u8]) -> Self {
        match trim(bytes) {
            b"1.2.840.10008.1.2" => Self::ImplicitLittle,
            b"1.2.840.10008.1.2.2" => Self::ExplicitBig,
            // Deflated explicit VR little endian; JPIP referenced deflate (twice).
            b"1.2.840.10008.1.2.1.99" | b"1.2.840.10008.1.2.4.95" | b"1.2.840.10008.1.2.4.205" => {
                Self::Opaque
            }
            uid if uid.starts_with(b"1.2.840.10008.1.2.") => Self::ExplicitLittle,
            _ => Self::Opaque,
        }
    }

    /// From the first element of a data set whose association was not seen.
    pub(super) fn guess(data: &[u8]) -> Self {
        match data.get(..6) {
            Some(&[_, 0, _, _, a, b]) if is_vr([a, b]) => Self::ExplicitLittle,
            Some(&[0, _, _, _, a, b]) if is_vr([a, b]) => Self::ExplicitBig,
            _ => Self::ImplicitLittle,
        }
    }
}

/// Whether two bytes are a value representation of PS3.5 6.2.
pub(super) fn is_vr(vr: [u8; 2]) -> bool {
    const ALL: &[u8] = b"AEASATCSDADSDTFLFDISLOLTOBODOFOLOVOWPNSHSLSQSSSTSVTMUCUIULUNURUSUTUV";
    ALL.as_chunks::<2>().0.contains(&vr)
}

/// The UID that a text begins with: digits and dots, at most 64 (PS3.5 9.1). Whatever else stands in
/// its place, in a damaged or hostile item, could name a patient.
pub(super) fn uid(bytes: &[u8]) -> &[u8] {
    let text = trim(bytes);
    let end = text.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.');
    text.get(..end.unwrap_or(text.len()).min(MAX_UID)).unwrap_or_default()
}

/// Drops the padding of UIDs (one NUL) and of the texts of DIMSE and association items.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let padding = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = bytes.iter().position(|byte| !padding(byte)).unwrap_or(bytes.len());
    let rest = bytes.get(start..).unwrap_or_default();
    let end = rest.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last.saturating_add(1));
    rest.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_out_of_order_is_never_found() {
        assert!(SOP_CLASSES.is_sorted_by_key(|row| row.0));
        for row in SOP_CLASSES {
            let uid = format!("{ROOT}{}\0", row.0);
            assert_eq!(SopClass::from_uid(uid.as_bytes()), Some(SopClass::Known(row)));
        }
    }

    #[test]
    fn an_unknown_class_keeps_its_uid() {
        let class = SopClass::from_uid(b"1.2.840.113619.4.26\0").unwrap();
        assert_eq!((class.name(), class.modality()), ("1.2.840.113619.4.26", None));
        assert_eq!(SopClass::from_uid(b"\0"), None);
        let long = SopClass::from_uid(&[b'1'; 500]).unwrap();
        assert_eq!(long.name().len(), MAX_UID);
        assert_eq!(SopClass::from_uid(b"1.2.3\0\x10DOE^JANE").unwrap().name(), "1.2.3");
        assert_eq!(SopClass::from_uid(b"DOE^JANE"), None);
    }

    #[test]
    fn worklists_are_told_from_storage_and_archives() {
        let worklist = |uid: &str| SopClass::from_uid(uid.as_bytes()).unwrap().is_worklist();
        assert!(worklist("1.2.840.10008.5.1.4.31"));
        assert!(worklist("1.2.840.10008.5.1.4.34.6.5"));
        assert!(!worklist("1.2.840.10008.5.1.4.1.2.2.1"));
    }

    #[test]
    fn compressed_images_have_explicit_headers() {
        assert_eq!(Encoding::from_uid(b"1.2.840.10008.1.2.4.50"), Encoding::ExplicitLittle);
        assert_eq!(Encoding::from_uid(b"1.2.840.10008.1.2\0"), Encoding::ImplicitLittle);
        assert_eq!(Encoding::from_uid(b"1.2.840.113619.5.2"), Encoding::Opaque);
        assert_eq!(Encoding::guess(b"\x08\0\x05\0CS\x0a\0"), Encoding::ExplicitLittle);
        assert_eq!(Encoding::guess(b"\0\x08\0\x05CS\0\x0a"), Encoding::ExplicitBig);
        assert_eq!(Encoding::guess(b"\x08\0\x05\0\x0a\0\0\0"), Encoding::ImplicitLittle);
    }
}
