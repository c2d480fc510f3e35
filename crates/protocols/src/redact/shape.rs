//! What an identifier looks like, and what words stand before one.

use crate::http::fhir::resource_type;

use super::PATIENT;

/// What the segment before says of the one that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// It names a patient: `patient/<x>`.
    Person,
    /// It names a stay or an order of a patient: `visit/<x>`.
    Stay,
    /// It may be the id of a resource: `Observation/<x>`. `sure` where the server speaks FHIR.
    Resource { sure: bool },
}

impl Before {
    /// Whether a segment after this one is an identifier, whatever it looks like.
    pub(super) fn names(self, segment: &[u8]) -> bool {
        let operation = matches!(segment.first(), Some(b'$' | b'_'));
        match self {
            Self::Nothing => false,
            Self::Person | Self::Stay => !operation && !is_vocabulary(segment),
            Self::Resource { sure } => {
                !operation
                    && resource_type(segment).is_none()
                    && (sure || segment.iter().any(u8::is_ascii_digit))
            }
        }
    }

    /// Domain of its token.
    pub(super) fn domain(self) -> &'static str {
        match self {
            Self::Person => PATIENT,
            Self::Nothing | Self::Stay | Self::Resource { .. } => super::OTHER,
        }
    }
}

/// What a segment says of the one that follows it.
pub(super) fn after(segment: &[u8], before: Before, fhir: bool) -> Before {
    let word = normal(segment);
    if PERSON_WORDS.contains(&word.as_slice()) || ends_with_person(segment) {
        Before::Person
    } else if STAY_WORDS.contains(&word.as_slice()) {
        Before::Stay
    } else if matches!(before, Before::Person | Before::Stay)
        && SEARCH_WORDS.contains(&word.as_slice())
    {
        before
    } else if resource_type(segment).is_some() {
        Before::Resource { sure: fhir }
    } else {
        Before::Nothing
    }
}

/// Lower case without separators: `patient_id`, `Patient-Id` and `patientid` are one word. Longer
/// texts are no words.
fn normal(segment: &[u8]) -> Vec<u8> {
    segment
        .iter()
        .take(24)
        .filter(|b| !matches!(b, b'-' | b'_'))
        .map(u8::to_ascii_lowercase)
        .collect()
}

/// Whether the last of several words is one for patients: `icu.patient`, `current-patient`. The
/// first alone is none: `patient-monitor` is a device.
fn ends_with_person(segment: &[u8]) -> bool {
    let last = segment.rsplit(|b| !b.is_ascii_alphanumeric()).next().unwrap_or_default();
    [&b"patient"[..], b"patients", b"mrn", b"ssn"]
        .iter()
        .any(|word| last.eq_ignore_ascii_case(word))
}

/// The segment after one of these names a patient.
const PERSON_WORDS: &[&[u8]] = &[
    b"patient",
    b"patients",
    b"patientid",
    b"patientname",
    b"pat",
    b"person",
    b"persons",
    b"subject",
    b"subjects",
    b"mrn",
    b"pid",
    b"ssn",
    b"nhsnumber",
    b"dob",
    b"birthdate",
];

/// The segment after one of these names a stay, an order or a relative of a patient.
const STAY_WORDS: &[&[u8]] = &[
    b"visit",
    b"visits",
    b"encounter",
    b"encounters",
    b"admission",
    b"admissions",
    b"episode",
    b"accession",
    b"relatedperson",
];

/// Between a word for persons and the name that is asked for.
const SEARCH_WORDS: &[&[u8]] =
    &[b"search", b"find", b"lookup", b"query", b"by", b"byname", b"byid", b"id", b"name", b"show"];

/// Whether a segment is a word of an interface rather than somebody's name.
pub(super) fn is_vocabulary(segment: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"all",
        b"list",
        b"new",
        b"add",
        b"create",
        b"edit",
        b"update",
        b"delete",
        b"count",
        b"export",
        b"import",
        b"index",
        b"vitals",
        b"vitalsigns",
        b"waveform",
        b"waveforms",
        b"alarm",
        b"alarms",
        b"alert",
        b"alerts",
        b"status",
        b"data",
        b"metadata",
        b"monitor",
        b"monitoring",
        b"observations",
        b"events",
        b"summary",
    ];
    let word = normal(segment);
    WORDS.contains(&word.as_slice())
        || SEARCH_WORDS.contains(&word.as_slice())
        || PERSON_WORDS.contains(&word.as_slice())
        || STAY_WORDS.contains(&word.as_slice())
}

/// Whether a parameter without a value is a known switch (`?wsdl`) and not a text searched for.
pub(super) fn is_flag(name: &[u8]) -> bool {
    const FLAGS: &[&[u8]] = &[
        b"wsdl",
        b"singlewsdl",
        b"xsd",
        b"disco",
        b"json",
        b"xml",
        b"debug",
        b"pretty",
        b"help",
        b"location",
        b"acl",
        b"versioning",
        b"uploads",
        b"expand",
        b"since",
        b"phpinfo",
    ];
    FLAGS.contains(&name.to_ascii_lowercase().as_slice())
}

/// Whether a URL segment (decoded) looks like an identifier of anything.
pub(super) fn identifies(text: &[u8]) -> bool {
    let plain = |b: &u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'_' | b'.' | b'~' | b'$' | b':' | b'*' | b'!')
    };
    text.len() > 64
        || !text.iter().all(plain)
        || longest(text, u8::is_ascii_digit) >= 4
        || hexadecimal(text, 12)
        || object_identifier(text)
        || random(text)
}

/// Whether a topic's segment looks like an identifier of a person.
///
/// Serial numbers of devices are shorter, have letters, or are worth their loss: equal ones stay
/// equal.
pub(super) fn person(segment: &[u8]) -> bool {
    segment.len() > 64
        || longest(segment, u8::is_ascii_digit) >= 5
        || segment.iter().any(|b| matches!(b, b'@' | b'^' | b',' | b' ' | b'%' | b'='))
        || hexadecimal(segment, 20)
        || date(segment)
        || std::str::from_utf8(segment).is_err()
}

/// Whether a file's stem is free text because its extension is that of a document.
pub(super) fn document(stem: &[u8], extension: &[u8]) -> bool {
    const DOCUMENTS: &[&[u8]] = &[
        b".pdf", b".doc", b".docx", b".xls", b".xlsx", b".ppt", b".pptx", b".csv", b".tsv",
        b".txt", b".rtf", b".odt", b".ods", b".dcm", b".hl7", b".cda", b".ccd", b".tif", b".tiff",
        b".edf", b".scp",
    ];
    DOCUMENTS.contains(&extension.to_ascii_lowercase().as_slice())
        && !matches!(stem, b"robots" | b"security" | b"humans" | b"ads")
}

/// Cuts off an extension of one to five letters or digits, with its dot.
pub(super) fn split_extension(segment: &[u8]) -> (&[u8], &[u8]) {
    let Some(dot) = segment.iter().rposition(|&b| b == b'.').filter(|&dot| dot > 0) else {
        return (segment, &[]);
    };
    let (stem, extension) = segment.split_at(dot);
    let letters = extension.get(1..).unwrap_or_default();
    let known = (1..=5).contains(&letters.len())
        && letters.iter().all(u8::is_ascii_alphanumeric)
        && letters.first().is_some_and(u8::is_ascii_alphabetic)
        && !stem.contains(&b'@');
    if known { (stem, extension) } else { (segment, &[]) }
}

/// Length of the longest run of bytes of a class.
fn longest(text: &[u8], class: impl Fn(&u8) -> bool) -> usize {
    text.split(|b| !class(b)).map(<[u8]>::len).max().unwrap_or(0)
}

/// Hexadecimal digits and dashes only, among them a decimal digit: UUIDs, hashes, Orthanc ids.
fn hexadecimal(text: &[u8], least: usize) -> bool {
    text.len() >= least
        && text.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-')
        && text.iter().any(u8::is_ascii_digit)
}

/// Numbers and dots, as in the UIDs of DICOM: `1.2.840.10008`. Versions are shorter.
fn object_identifier(text: &[u8]) -> bool {
    text.len() >= 10
        && text.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && text.iter().filter(|b| **b == b'.').count() >= 3
}

/// Longer than 20 and mixed as words are not: base64, session ids, keys.
fn random(text: &[u8]) -> bool {
    let word = longest(text, u8::is_ascii_alphanumeric);
    let (upper, lower, digit) = (
        text.iter().any(u8::is_ascii_uppercase),
        text.iter().any(u8::is_ascii_lowercase),
        text.iter().any(u8::is_ascii_digit),
    );
    text.len() > 20 && ((upper && lower && digit) || (word > 20 && digit))
}

/// A date with separators, such as 1960-01-31.
fn date(text: &[u8]) -> bool {
    let mut parts = text.split(|b| matches!(b, b'-' | b'.' | b'_'));
    let mut lengths = [0_usize; 3];
    for length in &mut lengths {
        let Some(part) = parts.next().filter(|p| p.iter().all(u8::is_ascii_digit)) else {
            return false;
        };
        *length = part.len();
    }
    parts.next().is_none() && matches!(lengths, [4, 1 | 2, 1 | 2] | [1 | 2, 1 | 2, 4])
}
