//! The query of a search (PS3.18 section 8.3.4) and of WADO-URI (chapter 9).

use model::emit::Emit;
use model::privacy::Token;

use super::path::{Form, Level, Resource, Service, is_uid};
use crate::dicom::tags::keyword;
use crate::redact::query::{self, pairs};

/// Most parameters that are read.
const MAX_PARAMETERS: usize = 64;

/// What a query says, without its values.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Keywords of attributes that are matched, each once.
    pub(super) names: Vec<String>,
    pub(super) wildcard: bool,
    /// Whether a value narrows the search.
    pub(super) narrowed: bool,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) study: Option<Vec<u8>>,
    pub(super) patient: Option<Token>,
}

/// Reads it.
pub(super) fn read(text: &[u8], service: Service, out: &Emit<'_>) -> Keys {
    let mut keys = Keys::default();
    let (mut id, mut name) = (None, None);
    for (parameter, value) in pairs(text).take(MAX_PARAMETERS) {
        let value = value.unwrap_or_default();
        let value = value.trim_ascii();
        let number = || std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
        match &*parameter {
            b"limit" => keys.limit = number(),
            b"offset" => keys.offset = number(),
            // What steers a search and matches nothing.
            b"includefield"
            | b"fuzzymatching"
            | b"emptyvaluematching"
            | b"multiplevaluematching"
            | b"orderby"
            | b"accept"
            | b"charset"
            | b"annotation"
            | b"quality"
            | b"viewport"
            | b"window"
            | b"iccprofile"
            | b"_" => {}
            _ if service == Service::RetrieveUri => {
                if &*parameter == b"studyUID" && is_uid(value) {
                    keys.study = Some(value.to_vec());
                }
            }
            attribute => {
                let wild = value.iter().any(|b| matches!(b, b'*' | b'?'));
                keys.wildcard |= wild;
                keys.narrowed |= value.iter().any(|b| !matches!(b, b'*' | b'?'));
                let written = named(attribute, out);
                let single =
                    (!wild && !value.is_empty() && !value.contains(&b'\\')).then(|| value.to_vec());
                match written.as_str() {
                    "PatientID" => id = id.or(single),
                    "PatientName" => name = name.or(single),
                    "StudyInstanceUID" => keys.study = keys.study.or(single),
                    _ => {}
                }
                if keys.names.len() < query::MAX_NAMES && !keys.names.contains(&written) {
                    keys.names.push(written);
                }
            }
        }
    }
    keys.patient = id.or(name).map(|patient| super::patient(&patient, out));
    keys
}

/// The keyword of an attribute given as keyword or as eight digits, the last of a path of several.
fn named(attribute: &[u8], out: &Emit<'_>) -> String {
    let last = attribute.rsplit(|&b| b == b'.').next().unwrap_or_default();
    let tag = (last.len() == 8)
        .then(|| std::str::from_utf8(last).ok())
        .flatten()
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(tag) = tag else { return query::name(out, last) };
    let [a, b, c, d] = tag.to_be_bytes();
    let tag = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    keyword(tag).map_or_else(|| format!("({:04x},{:04x})", tag.0, tag.1), str::to_owned)
}

/// A request of WADO-URI: everything is in the query.
pub(super) fn wado_uri(method: &str, text: &[u8]) -> Option<Resource> {
    if !matches!(method, "GET" | "HEAD") || text.len() < 16 {
        return None;
    }
    let mut found = false;
    let (mut form, mut level, mut study) = (Form::Rendered, Level::Instance, None);
    for (name, value) in pairs(text).take(MAX_PARAMETERS) {
        let value = value.unwrap_or_default();
        match &*name {
            b"requestType" => found = value.eq_ignore_ascii_case(b"WADO"),
            b"contentType" if value.starts_with(b"application/dicom") => form = Form::Full,
            b"frameNumber" => level = Level::Frames,
            b"studyUID" if is_uid(&value) => study = Some(value.to_vec()),
            _ => {}
        }
    }
    found.then_some(Resource {
        service: Service::RetrieveUri,
        action: "retrieve",
        level: Some(level),
        form: Some(form),
        study,
        below: true,
        sure: true,
    })
}
