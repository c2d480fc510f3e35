//! Rules for the tables of fields.
//!
//! Redaction, storage, queries and documentation trust these tables: a name that stands for two
//! things or a patient's field that is kept readable is found here and not by a user.

use std::collections::BTreeMap;

use model::field::{Field, FieldType, KindSpec, Phi};

use crate::fault::Fault;

/// Every kind of observation, each once, by name.
pub(crate) fn all() -> Vec<&'static KindSpec> {
    let of_protocols = protocols::ALL.iter().map(|protocol| protocol.spec().kinds);
    let mut out: Vec<&'static KindSpec> = of_protocols
        .chain([protocols::arp::SPEC.kinds, wire::kinds::ALL, logs::kinds::ALL, model::sensor::ALL])
        .chain(logs::formats::ALL.iter().map(|format| format.spec().kinds))
        .flatten()
        .copied()
        .chain([&model::ANOMALY])
        .collect();
    out.sort_by_key(|kind| (kind.name, std::ptr::from_ref::<KindSpec>(kind) as usize));
    // One table in the lists of several protocols is no fault; two tables of one name are.
    out.dedup_by(|a, b| std::ptr::eq(*a, *b));
    out
}

/// What is wrong with the tables.
pub(crate) fn faults(kinds: &[&'static KindSpec]) -> Vec<Fault> {
    let mut out = Vec::new();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in kinds {
        *names.entry(kind.name).or_default() += 1;
        out.extend(of_kind(kind));
    }
    for (name, _) in names.into_iter().filter(|(_, count)| *count > 1) {
        let advice = "Give each kind its own name, or share the one table";
        out.push(Fault::named(name, format!("two tables are called '{name}'"), advice));
    }
    out
}

fn of_kind(kind: &KindSpec) -> Vec<Fault> {
    let name = kind.name;
    let mut out = Vec::new();
    if !name.split_once('.').is_some_and(|(source, fact)| is_word(source) && is_word(fact)) {
        let advice = "Write it as source.fact in lower case, such as dicom.association";
        out.push(Fault::named(name, format!("kind '{name}' is misnamed"), advice));
    }
    if kind.doc.trim().is_empty() {
        let advice = "Say in one line what was observed";
        out.push(Fault::named(name, format!("kind '{name}' has no documentation"), advice));
    }
    // The place of a field in its table is kept in eight bits.
    if kind.fields.len() > 255 {
        let advice = "Make two kinds of it";
        out.push(Fault::named(name, format!("kind '{name}' has more than 255 fields"), advice));
    }
    for (place, field) in kind.fields.iter().enumerate() {
        out.extend(of_field(name, field));
        if kind.fields.iter().take(place).any(|other| other.name == field.name) {
            let what = format!("'{name}' has two fields called '{}'", field.name);
            out.push(Fault::named(name, what, "Rename one of them"));
        }
    }
    out
}

fn of_field(kind: &str, field: &Field) -> Vec<Fault> {
    let name = format!("{kind}.{}", field.name);
    let mut out = Vec::new();
    let mut fault = |what: String, advice| out.push(Fault::named(kind, what, advice));
    if !is_word(field.name) {
        fault(format!("field '{name}' is misnamed"), "Write it in lower case with underscores");
    }
    if field.doc.trim().is_empty() {
        fault(format!("field '{name}' has no documentation"), "Say in one line what it is");
    }
    if (field.phi == Phi::Patient) != (field.ty == FieldType::Token) {
        let what = format!("field '{name}' has class {:?} and type {:?}", field.phi, field.ty);
        fault(what, "Declare it with Field::patient, so that it leaves its parser as a token only");
    }
    out
}

/// Lower-case letters, digits and underscores, a letter first.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(kinds: &[&'static KindSpec]) -> Vec<String> {
        faults(kinds).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn a_readable_field_of_a_patient_is_found() {
        static BAD: KindSpec = KindSpec {
            name: "x.y",
            doc: "Bad.",
            fields: &[Field {
                name: "patient_name",
                ty: FieldType::Text,
                unit: "",
                phi: Phi::Patient,
                doc: "A name that anybody can read.",
            }],
        };
        assert_eq!(whats(&[&BAD]), ["field 'x.y.patient_name' has class Patient and type Text"]);
    }

    #[test]
    fn misnamed_undocumented_and_double_are_found() {
        static BAD: KindSpec = KindSpec {
            name: "Dicom",
            doc: " ",
            fields: &[
                Field::new("calledAE", FieldType::Text, "Not snake case."),
                Field::new("port", FieldType::Uint, ""),
                Field::new("port", FieldType::Uint, "Again."),
            ],
        };
        static TWIN: KindSpec = KindSpec { name: "a.b", doc: "One.", fields: &[] };
        static OTHER: KindSpec = KindSpec { name: "a.b", doc: "Other.", fields: &[] };
        assert_eq!(whats(&[&BAD]).len(), 5, "{:?}", whats(&[&BAD]));
        assert_eq!(whats(&[&TWIN, &OTHER]), ["two tables are called 'a.b'"]);
    }

    #[test]
    fn a_table_that_two_protocols_share_is_there_once() {
        let all = all();
        for (place, kind) in all.iter().enumerate() {
            assert!(
                !all.iter().take(place).any(|other| std::ptr::eq(*other, *kind)),
                "{}",
                kind.name
            );
        }
        assert!(all.iter().any(|kind| kind.name == "flow.end"));
    }
}
