//! The two directions of a connection: frames, header blocks, bodies.

use model::emit::Emit;
use model::flow::Direction;

use super::floods::{CONTINUATIONS, Floods};
use super::frame::{
    self, ACK, END_HEADERS, END_STREAM, HEAD, Head, Kind, MAX_FRAME, PADDED, PREFACE,
};
use super::hpack::{Decoder, MAX_LIST};
use super::message::{self, Message};
use super::stream::{Stream, Streams};
use crate::frames::Step;
use crate::http::content::Content;
use crate::http::exchange::pending::Pending;
use crate::http::exchange::say;
use crate::http::head::{RequestHead, ResponseHead, media_type};

/// Most bytes held back of a frame.
pub(in crate::http) const MAX_PENDING: usize = MAX_FRAME as usize + HEAD;

/// Parser of one connection, without what cuts its bytes.
#[derive(Debug)]
pub(in crate::http) struct Connection {
    client: Option<Direction>,
    /// Whether the client's preface is still to come.
    before_preface: bool,
    sides: [Side; 2],
    streams: Streams,
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    hpack: Decoder,
    block: Option<Block>,
    body: Option<Body>,
    floods: Floods,
}

/// A header block that CONTINUATION frames go on with.
#[derive(Debug)]
struct Block {
    stream: u32,
    ends_stream: bool,
    promise: bool,
    bytes: Vec<u8>,
    frames: u32,
}

/// A DATA frame under way.
#[derive(Debug)]
struct Body {
    stream: u32,
    /// Content to come, and padding behind it.
    left: u64,
    padding: u64,
    ends_stream: bool,
}

impl Connection {
    /// Before the first byte.
    pub(in crate::http) fn new() -> Self {
        Self {
            client: None,
            before_preface: true,
            sides: Default::default(),
            streams: Streams::default(),
        }
    }

    /// Behind an upgrade: the request that asked for it is stream 1.
    pub(in crate::http) fn upgraded(
        client: Direction,
        request: Option<Pending>,
        out: &mut Emit<'_>,
    ) -> Self {
        let mut connection = Self { client: Some(client), ..Self::new() };
        let first = Stream { request, ..Stream::default() };
        connection.streams.open(1, first, client, out);
        connection
    }

    fn side(&mut self, dir: Direction) -> &mut Side {
        let [forward, reverse] = &mut self.sides;
        match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        }
    }

    /// The client's direction. Before its preface came nothing but its peer's SETTINGS can have.
    fn client(&self, dir: Direction) -> Direction {
        self.client.unwrap_or(dir.flipped())
    }

    /// Takes what is next among the unread bytes of a direction.
    pub(in crate::http) fn take(
        &mut self,
        dir: Direction,
        unread: &[u8],
        out: &mut Emit<'_>,
    ) -> Step {
        if self.side(dir).body.is_some() {
            return self.body(dir, unread, out);
        }
        if self.before_preface && unread.first() == Some(&b'P') {
            return match unread.get(..PREFACE.len()) {
                Some(PREFACE) => {
                    self.client = Some(dir);
                    self.before_preface = false;
                    Step::Used(PREFACE.len())
                }
                None if PREFACE.starts_with(unread) => Step::More,
                _ => self.broken("HTTP/2 preface", dir, out),
            };
        }
        let Some(head) = frame::head(unread) else { return Step::More };
        if head.kind == Kind::Data {
            return self.data(dir, head, unread, out);
        }
        let block = self.side(dir).block.is_some();
        if block && head.kind != Kind::Continuation {
            return self.broken("HTTP/2 frame within a header block", dir, out);
        }
        if head.length > MAX_FRAME {
            let matters =
                matches!(head.kind, Kind::Headers | Kind::PushPromise | Kind::Continuation);
            if matters {
                return self.broken("HTTP/2 header frame longer than 48 KiB", dir, out);
            }
            return Step::Skip(u64::from(head.length).saturating_add(HEAD as u64));
        }
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        let whole = HEAD.saturating_add(length);
        let Some(payload) = unread.get(HEAD..whole) else { return Step::More };
        match self.frame(dir, &head, payload, out) {
            Ok(()) => Step::Used(whole),
            Err(what) => self.broken(what, dir, out),
        }
    }

    fn broken(&mut self, what: &'static str, dir: Direction, out: &mut Emit<'_>) -> Step {
        out.anomaly("http2", what, dir);
        Step::Stop
    }

    fn frame(
        &mut self,
        dir: Direction,
        head: &Head,
        payload: &[u8],
        out: &mut Emit<'_>,
    ) -> Result<(), &'static str> {
        let client = self.client(dir);
        if head.flags & ACK == 0 {
            self.side(dir).floods.frame(head.kind, payload.is_empty(), dir, out);
        }
        match head.kind {
            Kind::Headers | Kind::PushPromise => {
                let block = Block {
                    stream: head.stream,
                    ends_stream: head.kind == Kind::Headers && head.flags & END_STREAM != 0,
                    promise: head.kind == Kind::PushPromise,
                    bytes: frame::block(head, payload)?.to_vec(),
                    frames: 0,
                };
                self.block(dir, block, head.flags & END_HEADERS != 0, out)
            }
            Kind::Continuation => {
                let Some(mut block) = self.side(dir).block.take() else {
                    return Err("HTTP/2 CONTINUATION without a header block");
                };
                if block.stream != head.stream {
                    return Err("HTTP/2 CONTINUATION of another stream");
                }
                block.frames = block.frames.saturating_add(1);
                block.bytes.extend_from_slice(payload);
                if block.frames > CONTINUATIONS || block.bytes.len() > MAX_LIST {
                    return Err("flood of HTTP/2 CONTINUATION");
                }
                self.block(dir, block, head.flags & END_HEADERS != 0, out)
            }
            Kind::RstStream => {
                let waits = self.streams.get(head.stream).is_some_and(|s| s.answer.is_none());
                self.streams.close(head.stream, client, out);
                if dir == client && waits {
                    self.side(dir).floods.reset(dir, out);
                }
                Ok(())
            }
            Kind::Settings => {
                if let Some(size) = frame::table_size(payload).filter(|_| head.flags & ACK == 0) {
                    self.side(dir.flipped()).hpack.allow(size);
                }
                Ok(())
            }
            Kind::Data | Kind::Ping | Kind::GoAway | Kind::Other => Ok(()),
        }
    }

    fn block(
        &mut self,
        dir: Direction,
        block: Block,
        whole: bool,
        out: &mut Emit<'_>,
    ) -> Result<(), &'static str> {
        let side = self.side(dir);
        if !whole {
            side.block = Some(block);
            return Ok(());
        }
        let list = side.hpack.decode(&block.bytes)?;
        if block.promise {
            return Ok(());
        }
        let client = self.client(dir);
        match message::read(&list) {
            Ok(Message::Request { method, target, headers }) if dir == client => {
                let head = RequestHead { method, target, headers };
                self.side(dir).floods.opened();
                let lines = message::lines(&list);
                let pending = say::request(&head, &lines, "2", &self.streams.links, dir, out);
                let media = media_type(head.headers.content_type);
                let content = (!block.ends_stream)
                    .then(|| Content::of_request(&head.headers, &media, &pending.known()))
                    .map(|content| self.streams.bounded(content));
                let stream =
                    Stream { request: Some(pending), sending: content, ..Stream::default() };
                self.streams.open(block.stream, stream, client, out);
            }
            Ok(Message::Response { status, headers }) if dir != client => {
                // What comes before the response proper.
                if (100..200).contains(&status) {
                    return Ok(());
                }
                let head = ResponseHead { status, headers };
                let request = self.streams.get(block.stream).and_then(|s| s.request.take());
                let answer = say::response(&head, request, false, dir, out);
                let media = media_type(head.headers.content_type);
                let content = answer.as_ref().map(|answer| {
                    let known = answer.request.known();
                    self.streams.bounded(Content::of_response(&head.headers, &media, &known))
                });
                if let Some(stream) = self.streams.get(block.stream) {
                    stream.receiving = content;
                    stream.answer = answer;
                }
                if block.ends_stream {
                    self.streams.close(block.stream, client, out);
                }
            }
            Ok(Message::Trailers) => {
                if block.ends_stream {
                    self.streams.body_over(block.stream, dir, client, out);
                }
            }
            Ok(_) => out.anomaly(
                "http2",
                "request from the server's side or response from the client's",
                dir,
            ),
            Err(what) => out.anomaly("http2", what, dir),
        }
        Ok(())
    }

    fn data(&mut self, dir: Direction, head: Head, unread: &[u8], out: &mut Emit<'_>) -> Step {
        let (mut padding, mut used) = (0_u32, HEAD);
        if head.flags & PADDED != 0 {
            let Some(length) = unread.get(HEAD) else { return Step::More };
            // The byte that says so counts too.
            padding = u32::from(*length).saturating_add(1);
            used = used.saturating_add(1);
        }
        let Some(left) = head.length.checked_sub(padding) else {
            return self.broken("HTTP/2 frame shorter than its fields", dir, out);
        };
        let empty = left == 0 && head.flags & END_STREAM == 0;
        let side = self.side(dir);
        side.floods.frame(Kind::Data, empty, dir, out);
        side.body = Some(Body {
            stream: head.stream,
            left: left.into(),
            padding: u64::from(padding.saturating_sub(1)),
            ends_stream: head.flags & END_STREAM != 0,
        });
        if head.length == padding && padding <= 1 {
            self.frame_over(dir, out);
        }
        Step::Used(used)
    }

    /// Takes content and padding of a DATA frame.
    fn body(&mut self, dir: Direction, unread: &[u8], out: &mut Emit<'_>) -> Step {
        let client = self.client(dir);
        let [forward, reverse] = &mut self.sides;
        let side = if dir == Direction::Forward { forward } else { reverse };
        let Some(body) = &mut side.body else { return Step::More };
        let stream = self.streams.get(body.stream);
        let content = stream.and_then(|stream| match dir == client {
            true => stream.sending.as_mut(),
            false => stream.receiving.as_mut(),
        });
        let here = usize::try_from(body.left).unwrap_or(usize::MAX).min(unread.len());
        let mut read = 0_u64;
        let mut wants = false;
        if let Some(content) = content {
            if content.wants() {
                content.feed(unread.get(..here).unwrap_or_default(), dir, out);
                read = here as u64;
            }
            wants = content.wants();
            if !wants {
                content.pass(body.left.saturating_sub(read));
            }
        }
        if wants && read < body.left {
            body.left = body.left.saturating_sub(read);
            return Step::Used(here);
        }
        let rest = body.left.saturating_add(body.padding);
        self.frame_over(dir, out);
        Step::Skip(rest)
    }

    fn frame_over(&mut self, dir: Direction, out: &mut Emit<'_>) {
        let client = self.client(dir);
        if let Some(body) = self.side(dir).body.take().filter(|body| body.ends_stream) {
            self.streams.body_over(body.stream, dir, client, out);
        }
    }

    /// Bytes were lost: whether the connection can be read on, because they were content.
    pub(in crate::http) fn gap(&mut self, dir: Direction, lost: u64, out: &mut Emit<'_>) -> bool {
        let client = self.client(dir);
        let Some(mut body) = self.side(dir).body.take() else { return lost == 0 };
        if let Some(stream) = self.streams.get(body.stream) {
            let content = if dir == client { &mut stream.sending } else { &mut stream.receiving };
            if let Some(content) = content {
                content.tear(lost.min(body.left));
            }
        }
        let all = body.left.saturating_add(body.padding);
        if lost > all {
            return false;
        }
        body.padding = body.padding.saturating_sub(lost.saturating_sub(body.left));
        body.left = body.left.saturating_sub(lost);
        self.side(dir).body = Some(body);
        if lost == all {
            self.frame_over(dir, out);
        }
        true
    }

    /// The flow is over.
    pub(in crate::http) fn end(&mut self, out: &mut Emit<'_>) {
        let client = self.client.unwrap_or(Direction::Forward);
        self.streams.end(client, out);
    }
}
