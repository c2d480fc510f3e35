//! Tables of fields: what each kind of observation carries.
//!
//! Each protocol and log format declares such a table once. Redaction, storage, exports, features
//! and the reference documentation all read it, so that no field can be added without saying what
//! it means, in which unit, and whether it could name a patient.

use serde::Serialize;

/// Whether and how a field could name a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phi {
    /// Says nothing of a patient: protocol verbs, counts, names of devices and applications.
    None,
    /// Names a member of staff or an account. Kept readable: a SOC has to know which account.
    Staff,
    /// Could name a patient. Leaves its parser only as a keyed [`Token`](crate::Token).
    Patient,
}

/// What type of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// True or false.
    Bool,
    /// A count or a code, not negative.
    Uint,
    /// A number with a sign.
    Int,
    /// A measurement.
    Float,
    /// Text of at most [`MAX_TEXT`](crate::text::MAX_TEXT) bytes.
    Text,
    /// A network address.
    Ip,
    /// An Ethernet address.
    Mac,
    /// A point in time.
    Time,
    /// A keyed token of a text that could name a patient.
    Token,
    /// Several texts.
    Texts,
}

/// One field of a kind of observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Lower-case name with underscores.
    pub name: &'static str,
    /// Type of its value.
    #[serde(rename = "type")]
    pub ty: FieldType,
    /// Unit of a number, empty where it has none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub unit: &'static str,
    /// Whether it could name a patient.
    pub phi: Phi,
    /// One line that says what it is.
    pub doc: &'static str,
}

impl Field {
    /// A field without unit that names nobody.
    pub const fn new(name: &'static str, ty: FieldType, doc: &'static str) -> Self {
        Self { name, ty, unit: "", phi: Phi::None, doc }
    }

    /// A number with a unit.
    pub const fn measure(
        name: &'static str,
        ty: FieldType,
        unit: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, ty, unit, phi: Phi::None, doc }
    }

    /// A text that could name a patient: it is kept as a token.
    pub const fn patient(name: &'static str, doc: &'static str) -> Self {
        Self { name, ty: FieldType::Token, unit: "", phi: Phi::Patient, doc }
    }

    /// An account or a member of staff.
    pub const fn staff(name: &'static str, doc: &'static str) -> Self {
        Self { name, ty: FieldType::Text, unit: "", phi: Phi::Staff, doc }
    }
}

/// One kind of observation: `dicom.association`, `hl7.message`, `flow.end`.
///
/// Kinds are told apart by name; every kind is declared once, as a `static`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct KindSpec {
    /// Source and fact, separated by a dot.
    pub name: &'static str,
    /// One line that says what was observed.
    pub doc: &'static str,
    /// What it carries, in the order in which it is written.
    pub fields: &'static [Field],
}

impl KindSpec {
    /// Where a field stands in the table.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}
