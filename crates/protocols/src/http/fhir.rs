//! FHIR REST interactions, read from the head of a request (FHIR R4 and R5, "RESTful API").
//!
//! FHIR is HTTP with names that mean something: what was asked of which type of resource, and whose
//! record it was. Of bodies in JSON only the shape is read: how many entries, what they do, which
//! page comes next, which error. The subject of a created resource, and searches whose parameters
//! come in a form, stay unknown.

mod interaction;
mod links;
mod patient;
mod resource;
mod types;

use model::emit::Emit;
use model::privacy::Token;

use super::head::RequestHead;
use crate::redact::encoding::percent_decode;
use crate::redact::{path_of, query};

pub(super) use interaction::{Interaction, Scope};
pub(super) use links::{Links, location};
pub(super) use resource::{Reader, Summary};

/// The name of a resource type, where the text is exactly one.
pub(crate) fn resource_type(text: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(text).ok()?;
    types::RESOURCES
        .binary_search(&text)
        .ok()
        .and_then(|place| types::RESOURCES.get(place))
        .copied()
}

/// What a request asks for, if its server speaks FHIR.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) interaction: Interaction,
    pub(super) resource: Option<&'static str>,
    pub(super) operation: Option<String>,
    pub(super) patient: Option<Token>,
    pub(super) parameters: Vec<String>,
    /// What it is about: one resource, a type, everything.
    pub(super) scope: Option<Scope>,
    pub(super) paging: Paging,
    /// Which page of a search it fetches, where the server gave out its address.
    pub(super) page: Option<u64>,
    /// Which step of a bulk export it is.
    pub(super) export: Option<Export>,
    /// How much the request alone says of its being FHIR.
    pub(super) evidence: Evidence,
}

/// A step of a bulk export (FHIR Bulk Data Access, chapter "Request flow").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Export {
    KickOff,
    Status,
    File,
    Cancel,
}

impl Export {
    /// Its name, as in the field `export`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::KickOff => "kick-off",
            Self::Status => "status",
            Self::File => "file",
            Self::Cancel => "cancel",
        }
    }
}

/// What the parameters of a search ask for beyond a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Paging {
    /// `_count`.
    pub(super) count: Option<u64>,
    /// `_offset` and what servers call it.
    pub(super) offset: Option<u64>,
    /// `_include` and `_revinclude`.
    pub(super) includes: u64,
    /// Whether a parameter looks through a reference, or back through one.
    pub(super) chained: bool,
}

/// What speaks for FHIR before the response is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A media type of FHIR, a base that says so, or a resource type with JSON or XML.
    Enough,
    /// A resource type in the path: JSON or XML in the response would do.
    Type,
    /// Only a shape that other interfaces have too: the response has to say FHIR itself.
    Shape,
}

impl Asked {
    /// A request that only its address says to be FHIR: the next page of a search.
    fn unknown() -> Self {
        Self {
            interaction: Interaction::Search,
            resource: None,
            operation: None,
            patient: None,
            parameters: Vec::new(),
            scope: None,
            paging: Paging::default(),
            page: None,
            export: None,
            evidence: Evidence::Shape,
        }
    }

    /// Whether it was FHIR, now that the response's media type is known.
    pub(super) fn holds(&self, content_type: &str) -> bool {
        match self.evidence {
            Evidence::Enough => true,
            Evidence::Type => {
                is_fhir(content_type.as_bytes()) || is_structured(content_type.as_bytes())
            }
            Evidence::Shape => is_fhir(content_type.as_bytes()),
        }
    }
}

/// Whether the request says by itself that its server speaks FHIR: by a media type or by its base.
pub(super) fn speaks(head: &RequestHead<'_>) -> bool {
    is_fhir(head.headers.accept)
        || is_fhir(head.headers.content_type)
        || based(path_of(head.target))
}

/// What a request asks for, where its path has the shape of an interaction.
pub(super) fn asked(emit: &Emit<'_>, head: &RequestHead<'_>) -> Option<Asked> {
    let path = percent_decode(path_of(head.target));
    let query = query::of(head.target);
    let segments: Vec<&[u8]> =
        path.split(|&b| b == b'/').filter(|segment| !segment.is_empty()).take(32).collect();
    let shape = interaction::of(head.method, &segments, !query.is_empty())?;
    let media = is_fhir(head.headers.accept) || is_fhir(head.headers.content_type);
    let structured = is_structured(head.headers.accept) || is_structured(head.headers.content_type);
    let evidence = match shape.resource {
        _ if media || (based(&path) && shape.below_base) => Evidence::Enough,
        Some(_) if structured => Evidence::Enough,
        Some(_) => Evidence::Type,
        None => Evidence::Shape,
    };
    let operation = shape.operation.map(|name| interaction::operation_name(emit, name));
    let export = (operation.as_deref() == Some("$export")).then_some(Export::KickOff);
    Some(Asked {
        interaction: shape.interaction,
        resource: shape.resource,
        operation,
        patient: patient::of(emit, &shape, query),
        parameters: query::names(emit, query),
        scope: shape.scope(),
        paging: paging(query),
        page: None,
        export,
        evidence,
    })
}

/// What a query asks for beyond a match.
fn paging(query: &[u8]) -> Paging {
    let mut paging = Paging::default();
    for (name, value) in query::pairs(query).take(64) {
        let number = || {
            value.as_deref().and_then(|v| std::str::from_utf8(v).ok()).and_then(|v| v.parse().ok())
        };
        match &*name {
            b"_count" => paging.count = number(),
            b"_offset" | b"_getpagesoffset" | b"_skip" => paging.offset = number(),
            name if name.starts_with(b"_include") || name.starts_with(b"_revinclude") => {
                paging.includes = paging.includes.saturating_add(1);
            }
            name => paging.chained |= name.starts_with(b"_has:") || name.contains(&b'.'),
        }
    }
    paging
}

/// Whether a path has a segment that says FHIR, such as `/fhir` or `/hapi-fhir-r4`.
fn based(path: &[u8]) -> bool {
    path.windows(4).any(|window| window.eq_ignore_ascii_case(b"fhir"))
}

/// `application/fhir+json`, `application/fhir+xml`, and `application/json+fhir` of DSTU 2.
fn is_fhir(media: &[u8]) -> bool {
    let has = |word: &[u8]| media.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    has(b"application/fhir") || has(b"json+fhir") || has(b"xml+fhir")
}

fn is_structured(media: &[u8]) -> bool {
    let has = |word: &[u8]| media.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    has(b"/json") || has(b"/xml") || has(b"+json") || has(b"+xml")
}

#[cfg(test)]
mod tests;
