//! Takes identifiers of people out of URL paths and message topics, and keeps their shape.
//!
//! `/Patient/123/report-2024.pdf` has to be the same path in two observations, and must not say who
//! the patient is. So a path is cut into segments; a segment that looks like an identifier leaves as
//! the text of its keyed token, `{t:0123...}`, and all others stay readable. When in doubt a URL
//! segment is replaced; a topic segment is kept, because topics name devices (`pump-12`, `bed4`) and
//! a SOC has to know which.
//!
//! Deliberately absent: any value of a query. Only the names of its parameters leave.

pub(crate) mod encoding;
pub(crate) mod query;
mod shape;

use std::fmt::Write;

use model::emit::Emit;
use model::text::{MAX_TEXT, clean};

use encoding::percent_decode;
use shape::{Before, after, document, identifies, person, split_extension};

/// Domain of tokens that stand for a patient: the same as of every field `patient`, so that a
/// patient is the same in a path, in an HL7 message and in an image.
pub(crate) const PATIENT: &str = "patient";

/// Domain of tokens of other identifiers in paths and topics.
const OTHER: &str = "identifier";

/// The path of a request target without query, fragment, scheme and authority, with tokens for
/// segments that look like identifiers. `fhir` says that the server is known to speak FHIR: then
/// whatever follows a resource type is an id.
pub fn path(emit: &Emit<'_>, target: &[u8], fhir: bool) -> String {
    let mut out = String::new();
    let mut before = Before::Nothing;
    for (place, segment) in path_of(target).split(|&b| b == b'/').enumerate() {
        if place > 0 {
            out.push('/');
        }
        if out.len() >= MAX_TEXT {
            break;
        }
        let mut parts = segment.split(|&b| b == b';');
        let name = percent_decode(parts.next().unwrap_or_default());
        url_segment(emit, &name, before, &mut out);
        // Of matrix parameters (;jsessionid=...) only the names stay, as of a query.
        for parameter in parts.take(4) {
            out.push(';');
            out.push_str(&query::name(emit, parameter.split(|&b| b == b'=').next().unwrap_or(&[])));
        }
        before = after(&name, before, fhir);
    }
    out
}

/// A topic with tokens for segments that look like identifiers of people. Wildcards stay.
pub fn topic(emit: &Emit<'_>, topic: &[u8]) -> String {
    let mut out = String::new();
    let mut before = Before::Nothing;
    // Topics below $SYS are the broker's own.
    let system = topic.starts_with(b"$SYS/");
    for (place, segment) in topic.split(|&b| b == b'/').enumerate() {
        if place > 0 {
            out.push('/');
        }
        if out.len() >= MAX_TEXT {
            break;
        }
        let wildcard = matches!(segment, b"" | b"+" | b"#");
        let named = matches!(before, Before::Person | Before::Stay) && before.names(segment);
        if !system && !wildcard && named {
            token(emit, before.domain(), segment, &mut out);
        } else if !system && person(segment) {
            token(emit, OTHER, segment, &mut out);
        } else {
            out.push_str(&clean(segment));
        }
        before = after(segment, before, false);
    }
    out
}

/// The path part of a request target in origin, absolute or authority form.
pub(crate) fn path_of(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(target.len());
    let target = target.get(..end).unwrap_or_default();
    let Some(scheme) = target.windows(3).position(|w| w == b"://") else { return target };
    if target.iter().position(|&b| b == b'/').is_some_and(|slash| slash < scheme) {
        return target;
    }
    let authority = target.get(scheme.saturating_add(3)..).unwrap_or_default();
    let slash = authority.iter().position(|&b| b == b'/').unwrap_or(authority.len());
    authority.get(slash..).unwrap_or_default()
}

fn url_segment(emit: &Emit<'_>, segment: &[u8], before: Before, out: &mut String) {
    if matches!(segment, b"" | b"." | b"..") {
        out.push_str(&clean(segment));
        return;
    }
    let (stem, extension) = split_extension(segment);
    if before.names(stem) {
        token(emit, before.domain(), stem, out);
        out.push_str(&clean(extension));
    } else if let Some(equals) = segment.iter().position(|&b| b == b'=') {
        let (name, value) = segment.split_at(equals);
        out.push_str(&query::name(emit, name));
        out.push('=');
        token(emit, OTHER, value.get(1..).unwrap_or_default(), out);
    } else if identifies(stem) || document(stem, extension) {
        token(emit, OTHER, stem, out);
        out.push_str(&clean(extension));
    } else {
        out.push_str(&clean(segment));
    }
}

/// Writes the token of a text, as it stands in paths and topics; nothing where it is empty.
pub(crate) fn token(emit: &Emit<'_>, domain: &str, text: &[u8], out: &mut String) {
    if !text.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(out, "{{{}}}", emit.token(domain, text));
    }
}

#[cfg(test)]
mod tests;
