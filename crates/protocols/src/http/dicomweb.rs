//! DICOMweb (PS3.18): searches, retrievals and stores of images over HTTP.
//!
//! One observation for each exchange: which service, at which level, of whose images, how many.
//! What the query matched by leaves as names of attributes, UIDs and patients as tokens. Sources
//! are the path, the query, and what the two bodies say when they are read in passing: parts, and
//! JSON of results. Deliberately absent: XML of results, and the contents of parts.

mod dataset;
mod path;
mod query;
mod say;

use std::collections::BTreeSet;

use model::emit::Emit;
use model::field::{Field, FieldType, KindSpec};
use model::privacy::Token;

use super::head::RequestHead;
use crate::redact::PATIENT;

pub(super) use dataset::{Datasets, Reader};
pub(super) use path::{Form, Level, Service};
pub(super) use say::{Around, say};

/// One exchange.
pub static TRANSACTION: KindSpec = KindSpec {
    name: "dicomweb.transaction",
    doc: "A DICOMweb request was answered. Said when the answer has gone over. Subject is the client.",
    fields: &[
        Field::new(
            "service",
            FieldType::Text,
            "qido-rs, wado-rs, wado-uri, stow-rs, ups-rs or delete.",
        ),
        Field::new(
            "action",
            FieldType::Text,
            "search, retrieve, store, delete; of work items create, update, change-state, cancel, subscribe, unsubscribe, suspend.",
        ),
        Field::new("level", FieldType::Text, "study, series, instance, frames or workitem."),
        Field::new(
            "form",
            FieldType::Text,
            "What is retrieved: full, metadata, rendered, thumbnail, bulkdata or pixeldata.",
        ),
        Field::new(
            "keys",
            FieldType::Texts,
            "Keywords of a search's matching attributes, with (gggg,eeee) where unknown, at most 32.",
        ),
        Field::new("wildcard", FieldType::Bool, "Whether a matching value holds * or ?."),
        Field::new(
            "universal",
            FieldType::Bool,
            "Whether nothing narrows the search: it asks for everybody.",
        ),
        Field::new("limit", FieldType::Uint, "Most results asked for."),
        Field::new("offset", FieldType::Uint, "Results passed over: paging."),
        Field::patient("study", "Token of the study's UID."),
        Field::patient(
            "patient",
            "The patient asked for, or else the only one in results or files.",
        ),
        Field::new(
            "patients",
            FieldType::Uint,
            "Different patients in results or files, at most 256.",
        ),
        Field::new("results", FieldType::Uint, "Results of a search, at least: some are not read."),
        Field::new("instances", FieldType::Uint, "Parts stored or retrieved."),
        Field::new("failed", FieldType::Uint, "Instances that the server refused to store."),
        Field::new("executable", FieldType::Uint, "Files whose preamble is a program."),
        Field::new("sop_classes", FieldType::Texts, "SOP classes of the files, at most 16."),
        Field::new("modalities", FieldType::Texts, "Modalities of the files, at most 16."),
        Field::measure(
            "bytes",
            FieldType::Uint,
            "bytes",
            "Body of the request and of the response.",
        ),
        Field::new("status", FieldType::Uint, "Status code."),
        Field::new("content_type", FieldType::Text, "Media type of the response."),
        Field::new("user_agent", FieldType::Text, "User-Agent header."),
        Field::staff("user", "User name of basic or digest authentication."),
    ],
};

/// A DICOM file whose preamble is in use.
pub static FILE: KindSpec = KindSpec {
    name: "dicom.file",
    doc: "A DICOM file was carried whose preamble is not empty. Subject is the sender.",
    fields: &[
        Field::new("preamble", FieldType::Text, "tiff, pe, elf, mach-o, script or other."),
        Field::new(
            "executable",
            FieldType::Bool,
            "Whether an operating system would run the file (CVE-2019-11687).",
        ),
        Field::new("carrier", FieldType::Text, "request or response: which body it was in."),
        Field::new("sop_class", FieldType::Text, "SOP class by name (UID where unknown)."),
        Field::new("modality", FieldType::Text, "CT, MR, US, ..."),
        Field::patient("patient", "Patient id, where it stood in the file's first 4 KiB."),
    ],
};

/// Most different patients that are counted.
const MAX_PATIENTS: usize = 256;

/// Different patients.
#[derive(Debug, Default)]
pub(super) struct Patients(BTreeSet<Token>);

impl Patients {
    pub(super) fn add(&mut self, patient: Token) {
        if self.0.len() < MAX_PATIENTS {
            self.0.insert(patient);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The patient, where there is only one.
    pub(super) fn one(&self) -> Option<Token> {
        let first = self.0.first()?;
        (self.0.len() == 1).then_some(*first)
    }
}

/// The token that a patient id has in every observation.
pub(super) fn patient(id: &[u8], out: &Emit<'_>) -> Token {
    out.token(PATIENT, id)
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) service: Service,
    pub(super) action: &'static str,
    pub(super) level: Option<Level>,
    pub(super) form: Option<Form>,
    pub(super) keys: Vec<String>,
    pub(super) wildcard: bool,
    pub(super) universal: bool,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) study: Option<Token>,
    pub(super) patient: Option<Token>,
    /// Whether the request alone shows that it is DICOMweb; otherwise the response has to.
    sure: bool,
}

impl Asked {
    /// Whether it was DICOMweb, now that the response's media type is known.
    pub(super) fn holds(&self, content_type: &str) -> bool {
        self.sure || content_type.contains("dicom")
    }
}

/// Reads a request; nothing where it has not the shape of one.
pub(super) fn asked(out: &Emit<'_>, head: &RequestHead<'_>) -> Option<Asked> {
    let query = crate::redact::query::of(head.target);
    let resource = path::of(head.method, crate::redact::path_of(head.target))
        .or_else(|| query::wado_uri(head.method, query))?;
    let keys = query::read(query, resource.service, out);
    let named = |text: &[u8]| text.windows(5).any(|w| w.eq_ignore_ascii_case(b"dicom"));
    let sure = resource.sure || named(head.headers.accept) || named(head.headers.content_type);
    let search = resource.action == "search";
    Some(Asked {
        service: resource.service,
        action: resource.action,
        level: resource.level,
        form: resource.form,
        wildcard: search && keys.wildcard,
        universal: search && !keys.narrowed && resource.study.is_none() && !resource.below,
        keys: if search { keys.names } else { Vec::new() },
        limit: keys.limit,
        offset: keys.offset,
        study: resource
            .study
            .as_deref()
            .or(keys.study.as_deref())
            .map(|uid| out.token("study", uid)),
        patient: keys.patient,
        sure,
    })
}

#[cfg(test)]
mod tests;
