//! HTTP/1, and what clinical systems speak over it: FHIR, DICOMweb, HL7 v2,
//! SOAP.
//!
//! Heads are read: what a device asks for, of whom, as whom, and what it is told. Of a request's
//! target only the path leaves, without identifiers, and the names of its parameters; cookies,
//! values of parameters and passwords never do. Most bodies are passed over; `content.rs` says which
//! are read in passing. Deliberately absent: HTTP/0.9.

mod attack;
mod auth;
mod body;
mod content;
pub mod dicomweb;
mod exchange;
pub(crate) mod fhir;
pub mod h2;
mod head;
mod inflate;
mod json;
mod multipart;
pub mod oauth;
mod probe;
pub mod websocket;

use model::emit::{ANOMALY, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;

use crate::mqtt;
use crate::seam::{Parser, Protocol, ProtocolSpec};

/// HTTP/1.0 and 1.1 over TCP.
#[derive(Debug)]
pub struct Http;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "http",
    transports: &[Transport::Tcp],
    kinds: KINDS,
    doc: "Web interfaces of devices, DICOMweb, FHIR and everything else that speaks HTTP/1.",
    sources: &[
        "RFC 9110",
        "RFC 9112",
        "RFC 7617",
        "RFC 7616",
        "RFC 4559 and MS-NTHT",
        "RFC 6749",
        "RFC 1952",
        "HL7 FHIR R4 and R5, RESTful API",
        "HL7 FHIR Bulk Data Access 2.0",
        "DICOM PS3.18",
        "DICOM PS3.10",
        "HAPI HL7 over HTTP",
        "RFC 6455",
        "SOAP 1.1 and 1.2",
        "IEEE 11073-20702 (MDPWS), IEEE 11073-20701 (SDC), IEEE 11073-10207",
    ],
};

/// What HTTP can observe, whichever its version.
static KINDS: &[&KindSpec] = &[
    &REQUEST,
    &RESPONSE,
    &FHIR,
    &dicomweb::TRANSACTION,
    &dicomweb::FILE,
    &oauth::TOKEN,
    &crate::hl7::MESSAGE,
    &crate::soap::MESSAGE,
    &websocket::OPEN,
    &websocket::CLOSE,
    &mqtt::CONNECT,
    &mqtt::PUBLISH,
    &mqtt::SUBSCRIBE,
    &mqtt::CLOSE,
    &crate::ntlm::CHALLENGE,
    &ANOMALY,
];

impl Protocol for Http {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        probe::probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(exchange::Exchange::new())
    }
}

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
        crate::credentials::DEFAULT,
        Field::new("version", FieldType::Text, "Version of HTTP, where it is not 1: 2."),
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
        Field::new(
            "upgrade",
            FieldType::Text,
            "Protocol that the connection changes to: websocket, h2c, tunnel (CONNECT) or other.",
        ),
        Field::measure("seconds", FieldType::Float, "s", "Time since the request."),
    ],
};

/// A FHIR interaction.
pub static FHIR: KindSpec = KindSpec {
    name: "fhir.interaction",
    doc: "A FHIR REST interaction, said when its response has gone over. Subject is the client.",
    fields: &[
        Field::new(
            "interaction",
            FieldType::Text,
            "read, vread, search, create, update, patch, delete, history, capabilities, batch, operation.",
        ),
        Field::new(
            "scope",
            FieldType::Text,
            "What it is about: instance, type or system (everything).",
        ),
        Field::new("resource", FieldType::Text, "Resource type."),
        Field::new("operation", FieldType::Text, "Operation with its $, such as $export."),
        Field::new(
            "export",
            FieldType::Text,
            "Step of a bulk export: kick-off, status, file or cancel.",
        ),
        Field::patient(
            "patient",
            "The patient whose record it is: from Patient/[id] or the parameters patient, subject and identifier.",
        ),
        Field::new("parameters", FieldType::Texts, "Names of the search parameters, at most 32."),
        Field::new("count", FieldType::Uint, "_count: results a page asked for."),
        Field::new("offset", FieldType::Uint, "_offset: results passed over."),
        Field::new("includes", FieldType::Uint, "_include and _revinclude parameters."),
        Field::new(
            "chained",
            FieldType::Bool,
            "Whether a parameter looks through a reference, or back through one (_has).",
        ),
        Field::new(
            "page",
            FieldType::Uint,
            "Which page of one search, where the address of the page before gave it out: 2, 3, ...",
        ),
        Field::new(
            "bundle",
            FieldType::Text,
            "Type of the bundle sent or received: searchset, transaction, history, ...",
        ),
        Field::new("total", FieldType::Uint, "Matches of the search, as the server counts them."),
        Field::new(
            "entries",
            FieldType::Uint,
            "Entries of the bundle sent, or else received; records of a file of an export.",
        ),
        Field::new("more", FieldType::Bool, "Whether the bundle names a next page."),
        Field::new("reads", FieldType::Uint, "Entries of a batch that read."),
        Field::new("writes", FieldType::Uint, "Entries of a batch that create or change."),
        Field::new("deletes", FieldType::Uint, "Entries of a batch that delete."),
        Field::new("status", FieldType::Uint, "Status code."),
        Field::new("issue", FieldType::Text, "Code of the first issue of an OperationOutcome."),
        Field::measure(
            "bytes",
            FieldType::Uint,
            "bytes",
            "Body of the request and of the response.",
        ),
        Field::new("user_agent", FieldType::Text, "User-Agent header."),
        Field::staff("user", "User name of basic authentication."),
    ],
};
