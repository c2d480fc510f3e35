//! Method and path to service, level and form (PS3.18 chapters 8 to 11).

use crate::redact::encoding::percent_decode;

/// Which of DICOMweb's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Service {
    Search,
    Retrieve,
    RetrieveUri,
    Store,
    Worklist,
    Delete,
}

impl Service {
    /// Its name, as in the field `service`.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Search => "qido-rs",
            Self::Retrieve => "wado-rs",
            Self::RetrieveUri => "wado-uri",
            Self::Store => "stow-rs",
            Self::Worklist => "ups-rs",
            Self::Delete => "delete",
        }
    }
}

/// What of the hierarchy of images is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Level {
    Study,
    Series,
    Instance,
    Frames,
    Workitem,
}

impl Level {
    /// Its name, as in the field `level`.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Study => "study",
            Self::Series => "series",
            Self::Instance => "instance",
            Self::Frames => "frames",
            Self::Workitem => "workitem",
        }
    }
}

/// In which form it is retrieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Form {
    Full,
    Metadata,
    Rendered,
    Thumbnail,
    Bulkdata,
    Pixeldata,
}

impl Form {
    /// Its name, as in the field `form`.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Metadata => "metadata",
            Self::Rendered => "rendered",
            Self::Thumbnail => "thumbnail",
            Self::Bulkdata => "bulkdata",
            Self::Pixeldata => "pixeldata",
        }
    }
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) service: Service,
    pub(super) action: &'static str,
    pub(super) level: Option<Level>,
    pub(super) form: Option<Form>,
    pub(super) study: Option<Vec<u8>>,
    /// Whether it lies below one study, series or work item.
    pub(super) below: bool,
    /// Whether no other interface has such paths.
    pub(super) sure: bool,
}

/// What a method and a path ask for, or nothing where they have not the shape of DICOMweb.
pub(super) fn of(method: &str, path: &[u8]) -> Option<Resource> {
    // Most requests of a hospital end here.
    let words: [&[u8]; 4] = [b"studies", b"series", b"instances", b"workitems"];
    let path = percent_decode(path);
    let segments: Vec<&[u8]> =
        path.split(|&b| b == b'/').filter(|segment| !segment.is_empty()).take(32).collect();
    let start = segments.iter().position(|segment| words.contains(segment))?;
    let base = segments.get(..start).unwrap_or_default();
    let rest = segments.get(start..).unwrap_or_default();
    if rest.first() == Some(&&b"workitems"[..]) {
        return workitems(method, rest.get(1..).unwrap_or_default(), named(base));
    }
    hierarchy(method, rest, named(base))
}

/// Whether the segments before say by themselves that this is DICOMweb.
fn named(base: &[&[u8]]) -> bool {
    base.iter().any(|segment| {
        let has = |word: &[u8]| segment.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
        has(b"dicom") || has(b"wado") || has(b"qido") || has(b"stow") || *segment == b"aets"
    })
}

/// 1 to 64 digits and dots, of which at least one dot (PS3.5 chapter 9).
pub(super) fn is_uid(text: &[u8]) -> bool {
    (3..=64).contains(&text.len())
        && text.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && text.contains(&b'.')
}

fn hierarchy(method: &str, mut rest: &[&[u8]], mut sure: bool) -> Option<Resource> {
    let (mut level, mut one, mut below, mut study) = (None, false, false, None);
    while let [word, tail @ ..] = rest {
        let next = match *word {
            b"studies" => Level::Study,
            b"series" => Level::Series,
            b"instances" => Level::Instance,
            _ => break,
        };
        level = Some(next);
        rest = tail;
        one = false;
        if let [uid, tail @ ..] = rest
            && is_uid(uid)
        {
            if next == Level::Study {
                study = Some(uid.to_vec());
            }
            (one, below, sure) = (true, true, true);
            rest = tail;
        }
    }
    let make = |service, action, level, form| {
        Some(Resource { service, action, level, form, study: study.clone(), below, sure })
    };
    let retrieve = |level, form| make(Service::Retrieve, "retrieve", level, Some(form));
    match (method, rest) {
        ("GET" | "HEAD", []) if one => retrieve(level, Form::Full),
        ("GET" | "HEAD", []) => make(Service::Search, "search", level, None),
        ("POST", []) if level == Some(Level::Study) => make(Service::Store, "store", level, None),
        ("DELETE", []) if one => make(Service::Delete, "delete", level, None),
        ("GET" | "HEAD", [b"frames", _, form @ ..]) if one => retrieve(
            Some(Level::Frames),
            form.first().map_or(Some(Form::Full), |form| shown(form))?,
        ),
        ("GET" | "HEAD", [b"bulkdata" | b"bulk", ..]) if one => retrieve(level, Form::Bulkdata),
        ("GET" | "HEAD", [form]) if one => retrieve(level, shown(form)?),
        _ => None,
    }
}

fn shown(word: &[u8]) -> Option<Form> {
    Some(match word {
        b"metadata" => Form::Metadata,
        b"rendered" => Form::Rendered,
        b"thumbnail" | b"thumbnails" => Form::Thumbnail,
        b"pixeldata" => Form::Pixeldata,
        _ => return None,
    })
}

fn workitems(method: &str, rest: &[&[u8]], named: bool) -> Option<Resource> {
    let action = match (method, rest) {
        ("GET", []) => "search",
        ("POST", []) => "create",
        ("GET", [_]) => "retrieve",
        ("POST", [_]) => "update",
        ("PUT", [_, b"state"]) => "change-state",
        ("POST", [_, b"cancelrequest"]) => "cancel",
        ("POST", [_, b"subscribers", _]) => "subscribe",
        ("DELETE", [_, b"subscribers", _]) => "unsubscribe",
        ("POST", [_, b"subscribers", _, b"suspend"]) => "suspend",
        _ => return None,
    };
    Some(Resource {
        service: Service::Worklist,
        action,
        level: Some(Level::Workitem),
        form: None,
        study: None,
        below: !rest.is_empty(),
        sure: named || rest.first().is_some_and(|uid| is_uid(uid)),
    })
}
