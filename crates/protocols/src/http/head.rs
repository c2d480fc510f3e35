//! Heads of requests and responses: where they end, and what of their headers matters.

use httparse::{EMPTY_HEADER, Header, ParserConfig, Request, Response, Status};

use super::body::Framing;

/// Longest head that is read, in bytes.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// Most headers in a head.
pub(super) const MAX_HEADERS: usize = 128;

/// Where a head ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// After so many bytes, its blank line included.
    Whole(usize),
    /// Its end is not there yet.
    More,
    /// It is longer than [`MAX_HEAD`].
    TooLong,
}

/// Looks for the blank line that ends a head. `scanned` says how far an earlier look got, so that
/// a head that comes byte by byte is not read again from its start each time.
pub(super) fn extent(bytes: &[u8], scanned: &mut usize) -> Extent {
    let mut at = *scanned;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(found) = rest.iter().position(|&b| b == b'\n') else {
            *scanned = bytes.len();
            break;
        };
        let newline = at.saturating_add(found);
        at = newline.saturating_add(1);
        let end = match bytes.get(at..).unwrap_or_default() {
            [b'\n', ..] => at.saturating_add(1),
            [b'\r', b'\n', ..] => at.saturating_add(2),
            [] | [b'\r'] => {
                *scanned = newline;
                break;
            }
            _ => continue,
        };
        return if end > MAX_HEAD { Extent::TooLong } else { Extent::Whole(end) };
    }
    if bytes.len() > MAX_HEAD { Extent::TooLong } else { Extent::More }
}

/// The headers that matter, as they stood on the wire.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    pub(super) host: &'a [u8],
    pub(super) user_agent: &'a [u8],
    pub(super) server: &'a [u8],
    pub(super) content_type: &'a [u8],
    pub(super) accept: &'a [u8],
    pub(super) authorization: &'a [u8],
    pub(super) challenge: &'a [u8],
    pub(super) upgrade: &'a [u8],
    pub(super) content_encoding: &'a [u8],
    pub(super) content_location: &'a [u8],
    pub(super) origin: &'a [u8],
    pub(super) soap_action: &'a [u8],
    /// Subprotocols that a client of WebSocket offers, or the one that its server takes.
    pub(super) subprotocol: &'a [u8],
    /// Extensions of WebSocket, the same way.
    pub(super) extensions: &'a [u8],
    /// What says how long the body is.
    pub(super) framing: Framing,
}

/// A request's head.
#[derive(Debug)]
pub(super) struct RequestHead<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a [u8],
    pub(super) headers: Headers<'a>,
}

/// A response's head.
#[derive(Debug)]
pub(super) struct ResponseHead<'a> {
    pub(super) status: u16,
    pub(super) headers: Headers<'a>,
}

/// A head and what was wrong with it, where it could be read all the same.
pub(super) type Read<T> = Result<(T, Option<&'static str>), &'static str>;

/// Reads the whole head of a request.
pub(super) fn request(bytes: &[u8]) -> Read<RequestHead<'_>> {
    let mut fields = [EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = Request::new(&mut fields);
    let strict = whole(parsed.parse(bytes));
    let mut wrong = None;
    if let Err(what) = strict {
        wrong = Some(what);
        parsed = Request::new(&mut fields);
        let mut lenient = ParserConfig::default();
        lenient
            .allow_multiple_spaces_in_request_line_delimiters(true)
            .allow_space_before_first_header_name(true)
            .ignore_invalid_headers_in_requests(true);
        whole(lenient.parse_request(&mut parsed, bytes)).map_err(|_| what)?;
    }
    let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
        return Err("request line");
    };
    Ok((RequestHead { method, target: target.as_bytes(), headers: headers(parsed.headers) }, wrong))
}

/// Reads the whole head of a response.
pub(super) fn response(bytes: &[u8]) -> Read<ResponseHead<'_>> {
    let mut fields = [EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = Response::new(&mut fields);
    let strict = whole(parsed.parse(bytes));
    let mut wrong = None;
    if let Err(what) = strict {
        wrong = Some(what);
        parsed = Response::new(&mut fields);
        let mut lenient = ParserConfig::default();
        lenient
            .allow_multiple_spaces_in_response_status_delimiters(true)
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_space_before_first_header_name(true)
            .ignore_invalid_headers_in_responses(true);
        whole(lenient.parse_response(&mut parsed, bytes)).map_err(|_| what)?;
    }
    let Some(status) = parsed.code else { return Err("status line") };
    Ok((ResponseHead { status, headers: headers(parsed.headers) }, wrong))
}

/// What is wrong with a head, in a few words. A head that is not whole although its blank line was
/// seen has none of the form of one.
fn whole(result: httparse::Result<usize>) -> Result<(), &'static str> {
    match result {
        Ok(Status::Complete(_)) => Ok(()),
        Ok(Status::Partial) => Err("head"),
        Err(httparse::Error::HeaderName) => Err("header name"),
        Err(httparse::Error::HeaderValue) => Err("header value"),
        Err(httparse::Error::NewLine) => Err("line end in a head"),
        Err(httparse::Error::Status) => Err("status line"),
        Err(httparse::Error::Token) => Err("request line"),
        Err(httparse::Error::TooManyHeaders) => Err("more than 128 headers"),
        Err(httparse::Error::Version) => Err("version in a head"),
    }
}

fn headers<'a>(fields: &[Header<'a>]) -> Headers<'a> {
    let mut found = Headers::default();
    for field in fields {
        field_of(&mut found, field.name, field.value);
    }
    found
}

/// Takes one header field: of a name that matters, the first.
pub(super) fn field_of<'a>(found: &mut Headers<'a>, name: &str, value: &'a [u8]) {
    let first = |place: &mut &'a [u8], value: &'a [u8]| {
        if place.is_empty() {
            *place = value;
        }
    };
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match name.len() {
        4 if is("host") => first(&mut found.host, value),
        6 if is("server") => first(&mut found.server, value),
        6 if is("accept") => first(&mut found.accept, value),
        7 if is("upgrade") => first(&mut found.upgrade, value),
        10 if is("user-agent") => first(&mut found.user_agent, value),
        12 if is("content-type") => first(&mut found.content_type, value),
        13 if is("authorization") => found.authorization = value,
        19 if is("proxy-authorization") => first(&mut found.authorization, value),
        16 if is("www-authenticate") => first(&mut found.challenge, value),
        18 if is("proxy-authenticate") => first(&mut found.challenge, value),
        14 if is("content-length") => found.framing.content_length(value),
        6 if is("origin") => first(&mut found.origin, value),
        10 if is("soapaction") => first(&mut found.soap_action, value),
        16 if is("content-encoding") => first(&mut found.content_encoding, value),
        16 if is("content-location") => first(&mut found.content_location, value),
        22 if is("sec-websocket-protocol") => first(&mut found.subprotocol, value),
        24 if is("sec-websocket-extensions") => first(&mut found.extensions, value),
        17 if is("transfer-encoding") => found.framing.transfer_encoding(value),
        _ => {}
    }
}

/// The media type of a Content-Type header in lower case, with the type of the parts where it is
/// multipart; nothing where it has not the form of one. Other parameters are dropped: they are free
/// text.
pub(super) fn media_type(value: &[u8]) -> String {
    let mut parts = value.split(|&b| b == b';').map(<[u8]>::trim_ascii);
    let essence = parts.next().unwrap_or_default();
    let mut written = match plain(essence) {
        Some(essence) => essence,
        None => return String::new(),
    };
    if written.starts_with("multipart/") {
        let inner = parts.find_map(|part| {
            let (name, value) = part.split_at_checked(5)?;
            name.eq_ignore_ascii_case(b"type=").then_some(value)
        });
        let quoted = inner.unwrap_or_default().trim_ascii();
        let bare = quoted.strip_prefix(b"\"").and_then(|q| q.strip_suffix(b"\"")).unwrap_or(quoted);
        if let Some(inner) = plain(bare) {
            written.push_str("; type=");
            written.push_str(&inner);
        }
    }
    written
}

/// Type and subtype in lower case.
fn plain(essence: &[u8]) -> Option<String> {
    let token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.' | b'_' | b'*');
    let slash = essence.iter().position(|&b| b == b'/')?;
    let (kind, subtype) = essence.split_at(slash);
    let subtype = subtype.get(1..)?;
    let fits = |part: &[u8]| (1..=96).contains(&part.len()) && part.iter().all(token);
    (fits(kind) && fits(subtype)).then(|| String::from_utf8_lossy(essence).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_the_same_however_it_comes() {
        for text in ["GET / HTTP/1.1\r\nA: b\r\n\r\nrest", "GET / HTTP/1.1\nA: b\n\nrest"] {
            let bytes = text.as_bytes();
            let whole = text.len() - 4;
            let mut scanned = 0;
            for end in 0..whole {
                assert_eq!(extent(&bytes[..end], &mut scanned), Extent::More, "{end}");
            }
            assert_eq!(extent(bytes, &mut scanned), Extent::Whole(whole));
            assert_eq!(extent(bytes, &mut 0), Extent::Whole(whole));
        }
    }

    #[test]
    fn a_head_beyond_the_cap_is_refused_with_or_without_an_end() {
        let mut endless = b"GET / HTTP/1.1\r\nA: ".to_vec();
        endless.resize(MAX_HEAD + 1, b'a');
        assert_eq!(extent(&endless, &mut 0), Extent::TooLong);
        endless.extend_from_slice(b"\r\n\r\n");
        assert_eq!(extent(&endless, &mut 0), Extent::TooLong);
    }

    #[test]
    fn a_bad_header_is_noted_and_the_rest_read() {
        let (head, wrong) =
            request(b"GET /x HTTP/1.1\r\nbad header\r\nHost: pacs\r\n\r\n").unwrap();
        assert_eq!((head.target, head.headers.host), (&b"/x"[..], &b"pacs"[..]));
        assert!(wrong.is_some());
        assert!(request(b"NOT A REQUEST\r\n\r\n").is_err());
    }

    #[test]
    fn one_header_too_many_is_refused() {
        let mut head = b"GET / HTTP/1.1\r\n".to_vec();
        head.extend(b"A: b\r\n".repeat(MAX_HEADERS + 1));
        head.extend(b"\r\n");
        assert_eq!(request(&head).unwrap_err(), "more than 128 headers");
    }

    #[test]
    fn a_media_type_loses_its_free_text() {
        assert_eq!(
            media_type(b"Application/FHIR+json; charset=utf-8; x=DOE"),
            "application/fhir+json"
        );
        assert_eq!(
            media_type(b"multipart/related; boundary=DOE; type=\"application/dicom\""),
            "multipart/related; type=application/dicom"
        );
        assert_eq!(media_type(b"DOE^JANE"), "");
    }
}
