//! HTTP/1 and FHIR over it.

use model::field::{Field, FieldType, KindSpec};

/// A request's head.
pub static REQUEST: KindSpec = KindSpec {
    name: "http.request",
    doc: "The head of a request came whole. Subject is the client.",
    fields: &[
        Field::new("method", FieldType::Text, "GET, POST, ..."),
        Field::new(
            "path",
            FieldType::Text,
            "Path without query; parts that look like identifiers as tokens.",
        ),
        Field::new("parameters", FieldType::Texts, "Names of the query's parameters, at most 32."),
        Field::new("host", FieldType::Text, "Host header."),
        Field::new("user_agent", FieldType::Text, "User-Agent header."),
        Field::new("content_type", FieldType::Text, "Content-Type header."),
        Field::measure("content_length", FieldType::Uint, "bytes", "Content-Length header."),
        Field::new(
            "auth",
            FieldType::Text,
            "none, basic, digest, bearer, ntlm, negotiate or other.",
        ),
        Field::staff("user", "User name of basic or digest authentication."),
        Field::new(
            "default_credential",
            FieldType::Bool,
            "Whether name and password are a published default.",
        ),
        Field::new(
            "suspicious",
            FieldType::Texts,
            "Published attack shapes in the target or headers: traversal, jndi, shellshock.",
        ),
    ],
};

/// A response's head, with its request.
pub static RESPONSE: KindSpec = KindSpec {
    name: "http.response",
    doc: "The head of a response came whole. Subject is the server.",
    fields: &[
        Field::new("method", FieldType::Text, "Method of the request."),
        Field::new("path", FieldType::Text, "Path of the request, as in http.request."),
        Field::new("status", FieldType::Uint, "Status code."),
        Field::new("server", FieldType::Text, "Server header."),
        Field::new("content_type", FieldType::Text, "Content-Type header."),
        Field::measure("content_length", FieldType::Uint, "bytes", "Content-Length header."),
        Field::new(
            "auth",
            FieldType::Text,
            "Scheme of the request's Authorization header, or none.",
        ),
        Field::staff("user", "User name of the request."),
        Field::new(
            "default_credential",
            FieldType::Bool,
            "Whether the request's credential is a published default.",
        ),
        Field::new("asks_auth", FieldType::Text, "Scheme of the WWW-Authenticate header."),
        Field::measure("seconds", FieldType::Float, "s", "Time since the request."),
    ],
};

/// A FHIR interaction.
pub static FHIR: KindSpec = KindSpec {
    name: "fhir.interaction",
    doc: "A FHIR REST interaction, said when its response begins. Subject is the client.",
    fields: &[
        Field::new(
            "interaction",
            FieldType::Text,
            "read, vread, search, create, update, patch, delete, history, capabilities, batch, operation.",
        ),
        Field::new("resource", FieldType::Text, "Resource type."),
        Field::new("operation", FieldType::Text, "Operation with its $, such as $export."),
        Field::patient(
            "patient",
            "The patient whose record it is: from Patient/[id] or the parameters patient, subject and identifier.",
        ),
        Field::new("parameters", FieldType::Texts, "Names of the search parameters, at most 32."),
        Field::new("status", FieldType::Uint, "Status code."),
        Field::new("user_agent", FieldType::Text, "User-Agent header."),
        Field::staff("user", "User name of basic authentication."),
    ],
};
