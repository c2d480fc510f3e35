//! WebSocket (RFC 6455), once an HTTP connection has changed to it.
//!
//! Who opened it, from which page, for which protocol; how many messages of which kind went which
//! way; how it ended. What messages say is passed over, but for MQTT, which is read as it is over
//! TCP, and HL7 v2 in text. Deliberately absent: compressed messages (RFC 7692) and WebSocket over
//! HTTP/2 (RFC 8441).

mod frame;
mod session;

use model::emit::Emit;
use model::field::{Field, FieldType, KindSpec};
use model::flow::Direction;

use super::head::Headers;

pub(super) use session::Session;

/// A connection changed to WebSocket.
pub static OPEN: KindSpec = KindSpec {
    name: "websocket.open",
    doc: "A server accepted a WebSocket. Subject is the client.",
    fields: &[
        Field::new("path", FieldType::Text, "Path of the request, as in http.request."),
        Field::new("host", FieldType::Text, "Host header."),
        Field::new("origin", FieldType::Text, "Origin header: the page that a browser came from."),
        Field::new("offered", FieldType::Texts, "Subprotocols that the client offered, at most 8."),
        Field::new("subprotocol", FieldType::Text, "Subprotocol that the server took."),
        Field::new("compressed", FieldType::Bool, "Whether messages may be compressed."),
    ],
};

/// A WebSocket ended.
pub static CLOSE: KindSpec = KindSpec {
    name: "websocket.close",
    doc: "A WebSocket ended. Subject is the client.",
    fields: &[
        Field::new("path", FieldType::Text, "Path of the request, as in http.request."),
        Field::new("how", FieldType::Text, "client or server, whose Close came first, or lost."),
        Field::new("code", FieldType::Uint, "Status code of the Close frame."),
        Field::new("sent_text", FieldType::Uint, "Text messages of the client."),
        Field::new("sent_binary", FieldType::Uint, "Binary messages of the client."),
        Field::new("received_text", FieldType::Uint, "Text messages of the server."),
        Field::new("received_binary", FieldType::Uint, "Binary messages of the server."),
        Field::measure("sent_bytes", FieldType::Uint, "bytes", "Size of the client's messages."),
        Field::measure(
            "received_bytes",
            FieldType::Uint,
            "bytes",
            "Size of the server's messages.",
        ),
        Field::measure("largest", FieldType::Uint, "bytes", "Size of the largest message."),
        Field::new("pings", FieldType::Uint, "Ping frames of both."),
    ],
};

/// What a request for an upgrade offers.
#[derive(Debug)]
pub(super) struct Offer {
    host: Box<[u8]>,
    origin: Box<[u8]>,
    subprotocols: Box<[u8]>,
}

impl Offer {
    /// From the request's headers, where they ask for WebSocket.
    pub(super) fn of(headers: &Headers<'_>) -> Option<Box<Self>> {
        let cut = |value: &[u8]| value.get(..value.len().min(256)).unwrap_or_default().into();
        headers.upgrade.eq_ignore_ascii_case(b"websocket").then(|| {
            Box::new(Self {
                host: cut(headers.host),
                origin: cut(headers.origin),
                subprotocols: cut(headers.subprotocol),
            })
        })
    }
}

/// Tells that it was accepted, and reads on; `dir` is the client's.
pub(super) fn accept(
    offer: Option<&Offer>,
    path: &str,
    headers: &Headers<'_>,
    dir: Direction,
    out: &mut Emit<'_>,
) -> Session {
    const DEFLATE: &[u8] = b"permessage-deflate";
    let compressed = headers.extensions.windows(DEFLATE.len()).any(|window| window == DEFLATE);
    let mut draft = out
        .observe(&OPEN, dir)
        .text("path", path.as_bytes())
        .text("subprotocol", headers.subprotocol)
        .flag("compressed", compressed);
    if let Some(offer) = offer {
        draft = draft.text("host", &offer.host).text("origin", &origin(&offer.origin)).texts(
            "offered",
            names(&offer.subprotocols),
            8,
        );
    }
    draft.emit();
    let mqtt = names(headers.subprotocol)
        .any(|name| name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"mqtt")));
    Session::new(dir, path, compressed, mqtt, out)
}

/// Names of subprotocols. What has not the form of one may be a ticket that somebody put there.
fn names(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b':');
    header
        .split(|b| *b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(move |text| (1..=40).contains(&text.len()) && text.iter().all(name))
}

/// Scheme, host and port; a browser sends no more, others might.
fn origin(header: &[u8]) -> Vec<u8> {
    let Some(scheme) = header.windows(3).position(|w| w == b"://") else { return header.to_vec() };
    let from = scheme.saturating_add(3);
    let rest = header.get(from..).unwrap_or_default();
    let end =
        rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#' | b'@')).unwrap_or(rest.len());
    header.get(..from.saturating_add(end)).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests;
