//! What is read of bodies in passing, and by whom.
//!
//! Most bodies are nobody's business and are passed over unread. Which are read is decided by their
//! head: parts, JSON of FHIR and DICOMweb, HL7 v2, SOAP, forms for tokens, and the first bytes of
//! whatever is uploaded, because it may be a DICOM file. No reader holds more than a few kilobytes.

use model::emit::Emit;
use model::flow::Direction;

use super::dicomweb::{self, Datasets};
use super::fhir::{self, Summary};
use super::head::Headers;
use super::inflate::Inflate;
use super::multipart::{Parts, Walker};
use super::oauth::{self, Grant};
use crate::hl7::Bare;
use crate::part10::LOOKED_AT;
use crate::soap;
use crate::xml::ENTITY;

/// What a body was found to hold.
#[derive(Debug, Default)]
pub(super) enum Found {
    #[default]
    Nothing,
    Parts(Parts),
    Resource(Summary),
    Datasets(Datasets),
    /// Records of newline-delimited JSON.
    Lines(u64),
    Grant(Grant),
}

/// A body that is over.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Its size as sent.
    pub(super) bytes: u64,
    pub(super) found: Found,
}

#[derive(Debug)]
enum Reader {
    Multipart(Box<Walker>),
    Fhir(Box<fhir::Reader>),
    Dicom(Box<dicomweb::Reader>),
    Lines {
        count: u64,
        open: bool,
    },
    Form(Vec<u8>),
    Hl7(Box<Bare>),
    Soap {
        envelope: Box<soap::Reader>,
        /// Whether the head says that it is SOAP, and not some XML.
        sure: bool,
        action: Box<[u8]>,
        response: bool,
    },
    /// The first bytes of a file.
    File {
        start: Vec<u8>,
        carrier: &'static str,
    },
}

/// What reads the body of one message.
#[derive(Debug, Default)]
pub(super) struct Content {
    reader: Option<Reader>,
    inflate: Option<Box<Inflate>>,
    bytes: u64,
}

/// What is known of a request when a body of its exchange begins.
pub(super) struct Known<'a> {
    pub(super) fhir: bool,
    pub(super) dicomweb: bool,
    pub(super) path: &'a str,
}

impl Content {
    /// For the body of a request.
    pub(super) fn of_request(headers: &Headers<'_>, media: &str, known: &Known<'_>) -> Self {
        let reader = common(headers, media, "request").or_else(|| {
            if known.fhir && media.contains("json") {
                Some(Reader::Fhir(Box::new(fhir::Reader::new())))
            } else if media == "application/x-www-form-urlencoded" && known.path.ends_with("token")
            {
                Some(Reader::Form(Vec::new()))
            } else if media.contains("json") || media.contains("xml") {
                None
            } else {
                Some(Reader::File { start: Vec::new(), carrier: "request" })
            }
        });
        Self::new(reader, headers)
    }

    /// For the body of a response.
    pub(super) fn of_response(headers: &Headers<'_>, media: &str, known: &Known<'_>) -> Self {
        let reader = common(headers, media, "response").or_else(|| {
            let json = media.contains("json");
            if media.contains("ndjson") {
                return known.fhir.then_some(Reader::Lines { count: 0, open: false });
            }
            match media {
                _ if known.dicomweb && json => {
                    Some(Reader::Dicom(Box::new(dicomweb::Reader::new())))
                }
                _ if known.fhir && json => Some(Reader::Fhir(Box::new(fhir::Reader::new()))),
                "application/dicom" | "application/octet-stream" => {
                    Some(Reader::File { start: Vec::new(), carrier: "response" })
                }
                _ => None,
            }
        });
        Self::new(reader, headers)
    }

    fn new(reader: Option<Reader>, headers: &Headers<'_>) -> Self {
        let Some(reader) = reader else { return Self::default() };
        match Inflate::new(headers.content_encoding) {
            Ok(inflate) => Self { reader: Some(reader), inflate, bytes: 0 },
            Err(()) => Self::default(),
        }
    }

    /// Whether it holds what unpacking takes.
    pub(super) fn unpacks(&self) -> bool {
        self.inflate.is_some()
    }

    /// Whether more of the body would say more.
    pub(super) fn wants(&self) -> bool {
        match &self.reader {
            None => false,
            Some(Reader::Multipart(walker)) => walker.wants(),
            Some(Reader::Fhir(reader)) => reader.wants(),
            Some(Reader::Soap { envelope, .. }) => envelope.wants(),
            Some(Reader::File { start, .. }) => start.len() < LOOKED_AT,
            Some(Reader::Form(form)) => form.len() < oauth::MAX_FORM,
            Some(Reader::Hl7(message)) => message.wants(),
            Some(Reader::Dicom(_) | Reader::Lines { .. }) => true,
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], dir: Direction, out: &mut Emit<'_>) {
        self.pass(bytes.len() as u64);
        let Some(reader) = &mut self.reader else { return };
        let result = match &mut self.inflate {
            None => reader.feed(bytes, dir, out),
            Some(inflate) => {
                let mut read = Ok(());
                let unpacked = inflate.feed(bytes, |plain| {
                    if read.is_ok() {
                        read = reader.feed(plain, dir, out);
                    }
                });
                read.and(unpacked)
            }
        };
        let Err(what) = result else { return };
        match self.reader.take() {
            // Pages and feeds may declare their type. Entities are for readers that can be made to
            // expand them: whoever sends them to a server means it.
            Some(Reader::Soap { sure, response, .. }) => {
                if sure || (what == ENTITY && !response) {
                    out.anomaly("soap", what, dir);
                }
            }
            _ => out.anomaly("http", what, dir),
        }
    }

    /// Counts bytes that were not looked at.
    pub(super) fn pass(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// So many bytes were lost: what follows makes no sense to a reader.
    pub(super) fn tear(&mut self, lost: u64) {
        self.pass(lost);
        self.reader = None;
    }

    /// The body is over.
    pub(super) fn end(self, dir: Direction, out: &mut Emit<'_>) -> Told {
        let bytes = self.bytes;
        let found = self.reader.map_or(Found::Nothing, |reader| reader.end(bytes, dir, out));
        Told { bytes, found }
    }
}

/// What is read in either direction.
fn common(headers: &Headers<'_>, media: &str, carrier: &'static str) -> Option<Reader> {
    match media {
        _ if media.starts_with("multipart/") => Walker::new(headers.content_type, carrier)
            .map(|walker| Reader::Multipart(Box::new(walker))),
        "application/soap+xml" | "text/xml" | "application/xml" => Some(Reader::Soap {
            envelope: Box::default(),
            sure: media == "application/soap+xml" || !headers.soap_action.is_empty(),
            action: headers.soap_action.get(..headers.soap_action.len().min(256))?.into(),
            response: carrier == "response",
        }),
        "application/hl7-v2"
        | "application/hl7-v2+er7"
        | "x-application/hl7-v2+er7"
        | "application/edi-hl7v2"
        | "application/edi-hl7"
        | "text/plain" => Some(Reader::Hl7(Box::default())),
        _ => None,
    }
}

impl Reader {
    fn feed(
        &mut self,
        bytes: &[u8],
        dir: Direction,
        out: &mut Emit<'_>,
    ) -> Result<(), &'static str> {
        match self {
            Self::Multipart(walker) => walker.feed(bytes, dir, out),
            Self::Fhir(reader) => return reader.feed(bytes, out),
            Self::Dicom(reader) => return reader.feed(bytes, out),
            Self::Soap { envelope, .. } => return envelope.feed(bytes, out),
            Self::Lines { count, open } => {
                let ends = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
                *count = count.saturating_add(ends);
                if let Some(last) = bytes.last() {
                    *open = *last != b'\n';
                }
            }
            Self::Form(held) => hold(held, bytes, oauth::MAX_FORM),
            Self::Hl7(message) => message.feed(bytes, dir, out),
            Self::File { start, .. } => hold(start, bytes, LOOKED_AT),
        }
        Ok(())
    }

    fn end(self, bytes: u64, dir: Direction, out: &mut Emit<'_>) -> Found {
        match self {
            Self::Soap { envelope, action, response, .. } => {
                if let Some(envelope) = envelope.end() {
                    soap::say(&envelope, &action, response, bytes, dir, out);
                }
                Found::Nothing
            }
            Self::Multipart(walker) => Found::Parts(walker.end(dir, out)),
            Self::Fhir(reader) => Found::Resource(reader.end()),
            Self::Dicom(reader) => Found::Datasets(reader.end()),
            Self::Lines { count, open } => Found::Lines(count.saturating_add(u64::from(open))),
            Self::Form(form) => oauth::grant(&form).map_or(Found::Nothing, Found::Grant),
            Self::Hl7(mut message) => {
                message.end(out);
                Found::Nothing
            }
            Self::File { start, carrier } => {
                let mut parts = Parts { parts: 1, ..Parts::default() };
                parts.file(&start, carrier, dir, out);
                if parts.files > 0 { Found::Parts(parts) } else { Found::Nothing }
            }
        }
    }
}

fn hold(held: &mut Vec<u8>, bytes: &[u8], most: usize) {
    let room = most.saturating_sub(held.len());
    held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
}
