//! A header list as the head of a request or a response.

use super::hpack::Field;
use crate::http::head::{Headers, field_of};

/// A list whose pseudo-fields say what it is.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Request {
        method: &'a str,
        target: &'a [u8],
        headers: Headers<'a>,
    },
    Response {
        status: u16,
        headers: Headers<'a>,
    },
    /// Trailers have no pseudo-fields.
    Trailers,
}

/// Reads a list.
///
/// # Errors
/// What makes it neither.
pub(super) fn read(list: &[Field]) -> Result<Message<'_>, &'static str> {
    let mut headers = Headers::default();
    let (mut method, mut target, mut status) = (None, None, None);
    let (mut authority, mut plain): (&[u8], bool) = (&[], false);
    for (name, value) in list {
        let Ok(name) = std::str::from_utf8(name) else { return Err("header name") };
        if !name.starts_with(':') {
            field_of(&mut headers, name, value);
            plain = true;
            continue;
        }
        // RFC 9113, section 8.3: pseudo-fields come first.
        if plain {
            return Err("HTTP/2 pseudo-header behind a header");
        }
        match name {
            ":method" => method = std::str::from_utf8(value).ok(),
            ":path" => target = Some(&value[..]),
            ":authority" => authority = value,
            ":status" => status = std::str::from_utf8(value).ok().and_then(|s| s.parse().ok()),
            _ => {}
        }
    }
    if headers.host.is_empty() {
        headers.host = authority;
    }
    match (method, status) {
        (Some(method), None) => {
            Ok(Message::Request { method, target: target.unwrap_or(authority), headers })
        }
        (None, Some(status)) => Ok(Message::Response { status, headers }),
        (None, None) => Ok(Message::Trailers),
        (Some(_), Some(_)) => Err("HTTP/2 header list of request and response"),
    }
}

/// The list as lines, for what looks through whole heads.
pub(super) fn lines(list: &[Field]) -> Vec<u8> {
    list.iter().flat_map(|(name, value)| [&name[..], b": ", value, b"\r\n"].concat()).collect()
}
