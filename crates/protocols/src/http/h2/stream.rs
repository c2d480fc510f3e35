//! Streams: one exchange each.

use std::collections::BTreeMap;

use model::emit::Emit;
use model::flow::Direction;

use crate::http::content::Content;
use crate::http::exchange::pending::Pending;
use crate::http::exchange::say::{self, Answer};
use crate::http::fhir::Links;

/// Most streams that are followed at once. Servers allow a hundred or so.
const MAX_STREAMS: usize = 256;

/// Most bodies of a connection that are unpacked at once: each takes some fifty kilobytes from its
/// first byte on, and a stream that is opened and left costs its client next to nothing.
const MAX_UNPACKED: usize = 8;

/// One exchange.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The request, until its answer begins.
    pub(super) request: Option<Pending>,
    pub(super) answer: Option<Answer>,
    /// Bodies under way, of the request and of the response.
    pub(super) sending: Option<Content>,
    pub(super) receiving: Option<Content>,
}

/// The exchanges of a connection.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<u32, Stream>,
    pub(super) links: Links,
}

impl Streams {
    pub(super) fn get(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.get_mut(&id)
    }

    /// A body as it is read: beyond [`MAX_UNPACKED`] its bytes are only counted.
    pub(super) fn bounded(&self, content: Content) -> Content {
        let bodies = self.open.values().flat_map(|s| s.sending.iter().chain(&s.receiving));
        let full = content.unpacks() && bodies.filter(|b| b.unpacks()).count() >= MAX_UNPACKED;
        if full { Content::default() } else { content }
    }

    /// Follows a new one; where there are too many, the oldest is told of as far as it came.
    pub(super) fn open(&mut self, id: u32, stream: Stream, client: Direction, out: &mut Emit<'_>) {
        if self.open.len() >= MAX_STREAMS
            && let Some(oldest) = self.open.keys().next().copied()
        {
            self.close(oldest, client, out);
        }
        self.open.insert(id, stream);
    }

    /// The body of one side is over.
    pub(super) fn body_over(
        &mut self,
        id: u32,
        dir: Direction,
        client: Direction,
        out: &mut Emit<'_>,
    ) {
        if dir != client {
            return self.close(id, client, out);
        }
        let Some(stream) = self.open.get_mut(&id) else { return };
        let Some(content) = stream.sending.take() else { return };
        let told = content.end(dir, out);
        if let Some(request) =
            stream.request.as_mut().or(stream.answer.as_mut().map(|answer| &mut answer.request))
        {
            request.sent = told;
        }
    }

    /// Tells of an exchange, as far as it came.
    pub(super) fn close(&mut self, id: u32, client: Direction, out: &mut Emit<'_>) {
        self.body_over(id, client, client, out);
        let Some(stream) = self.open.remove(&id) else { return };
        let received =
            stream.receiving.map(|content| content.end(client.flipped(), out)).unwrap_or_default();
        if let Some(answer) = &stream.answer {
            say::exchange(answer, &received, &mut self.links, client, out);
        }
    }

    /// Tells of all.
    pub(super) fn end(&mut self, client: Direction, out: &mut Emit<'_>) {
        while let Some(id) = self.open.keys().next().copied() {
            self.close(id, client, out);
        }
    }
}
