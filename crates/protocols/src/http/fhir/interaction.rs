//! Method and path to interaction (FHIR R4, "RESTful API", section 3.1.0.1).

use model::emit::Emit;

use super::resource_type;
use crate::redact::path;

/// A FHIR REST interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Interaction {
    Read,
    VersionRead,
    Search,
    Create,
    Update,
    Patch,
    Delete,
    History,
    Capabilities,
    Batch,
    Operation,
}

impl Interaction {
    /// Its name, as in the field `interaction`.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::VersionRead => "vread",
            Self::Search => "search",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::History => "history",
            Self::Capabilities => "capabilities",
            Self::Batch => "batch",
            Self::Operation => "operation",
        }
    }
}

/// What an interaction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Scope {
    Instance,
    Type,
    System,
}

impl Scope {
    /// Its name, as in the field `scope`.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Type => "type",
            Self::System => "system",
        }
    }
}

/// What a method and a path ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape<'a> {
    pub(super) interaction: Interaction,
    pub(super) resource: Option<&'static str>,
    /// Type and id of the resource that the path goes through.
    pub(super) instance: Option<(&'static str, &'a [u8])>,
    /// With its `$`.
    pub(super) operation: Option<&'a [u8]>,
    /// Whether it fits right below a base; a POST to anything has the shape of a batch otherwise.
    pub(super) below_base: bool,
}

impl Shape<'_> {
    /// What it is about.
    pub(super) const fn scope(&self) -> Option<Scope> {
        match (self.interaction, self.instance, self.resource) {
            (Interaction::Capabilities, ..) => None,
            (_, Some(_), _) => Some(Scope::Instance),
            (_, None, Some(_)) => Some(Scope::Type),
            (_, None, None) => Some(Scope::System),
        }
    }
}

/// The interaction of a decoded path, or nothing where it has the shape of none.
pub(super) fn of<'a>(method: &str, segments: &[&'a [u8]], query: bool) -> Option<Shape<'a>> {
    for (place, segment) in segments.iter().enumerate() {
        let Some(resource) = resource_type(segment) else { continue };
        let rest = segments.get(place.saturating_add(1)..).unwrap_or_default();
        if let Some(shape) = typed(method, resource, rest) {
            return Some(shape);
        }
    }
    whole_system(method, segments, query)
}

fn typed<'a>(method: &str, resource: &'static str, rest: &[&'a [u8]]) -> Option<Shape<'a>> {
    let shape = |interaction| Shape {
        interaction,
        resource: Some(resource),
        instance: None,
        operation: None,
        below_base: true,
    };
    match *rest {
        [] => Some(shape(match method {
            "GET" | "HEAD" => Interaction::Search,
            "POST" => Interaction::Create,
            "PUT" => Interaction::Update,
            "PATCH" => Interaction::Patch,
            "DELETE" => Interaction::Delete,
            _ => return None,
        })),
        [b"_search"] => Some(shape(Interaction::Search)),
        [b"_history"] => Some(shape(Interaction::History)),
        [name] if is_operation(name) => {
            Some(Shape { operation: Some(name), ..shape(Interaction::Operation) })
        }
        [id, ref below @ ..] if is_id(id) => {
            let on = |shape: Shape<'a>| Shape { instance: Some((resource, id)), ..shape };
            instance(method, below, shape).map(on)
        }
        _ => None,
    }
}

fn instance<'a>(
    method: &str,
    below: &[&'a [u8]],
    shape: impl Fn(Interaction) -> Shape<'a>,
) -> Option<Shape<'a>> {
    match *below {
        [] => Some(shape(match method {
            "GET" | "HEAD" => Interaction::Read,
            "PUT" => Interaction::Update,
            "PATCH" => Interaction::Patch,
            "DELETE" => Interaction::Delete,
            _ => return None,
        })),
        [b"_history"] => Some(shape(Interaction::History)),
        [b"_history", version] if is_id(version) => Some(shape(Interaction::VersionRead)),
        [name] | [b"_history", _, name] if is_operation(name) => {
            Some(Shape { operation: Some(name), ..shape(Interaction::Operation) })
        }
        // A search within a compartment, such as Patient/1/Observation.
        [b"*"] | [b"_search"] => Some(shape(Interaction::Search)),
        [kind] | [kind, b"_search"] => {
            Some(Shape { resource: Some(resource_type(kind)?), ..shape(Interaction::Search) })
        }
        _ => None,
    }
}

fn whole_system<'a>(method: &str, segments: &[&'a [u8]], query: bool) -> Option<Shape<'a>> {
    let shape = |interaction, operation| {
        Some(Shape { interaction, resource: None, instance: None, operation, below_base: true })
    };
    match (method, segments.last().copied()) {
        ("GET", Some(b"metadata")) => shape(Interaction::Capabilities, None),
        (_, Some(b"_history")) => shape(Interaction::History, None),
        (_, Some(b"_search")) => shape(Interaction::Search, None),
        (_, Some(name)) if is_operation(name) => shape(Interaction::Operation, Some(name)),
        ("POST", last) => {
            let base = last.is_none_or(super::based);
            Some(Shape { below_base: base, ..shape(Interaction::Batch, None)? })
        }
        ("GET", last) if query && last.is_none_or(super::based) => shape(Interaction::Search, None),
        _ => None,
    }
}

/// A logical id: 1 to 64 letters, digits, dashes and dots.
fn is_id(text: &[u8]) -> bool {
    (1..=64).contains(&text.len())
        && text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        && text.first() != Some(&b'_')
}

fn is_operation(text: &[u8]) -> bool {
    text.len() > 1 && text.first() == Some(&b'$')
}

/// The name of an operation, or its token where it looks like anything but a name.
pub(super) fn operation_name(emit: &Emit<'_>, name: &[u8]) -> String {
    path(emit, name, false)
}
