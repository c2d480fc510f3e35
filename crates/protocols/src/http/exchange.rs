//! The two directions of a connection, and which response answers which request.

pub(super) mod pending;
mod resync;
pub(super) mod say;

use model::emit::Emit;
use model::flow::Direction;
use wire::chunk::{Chunk, Next};

use super::body::{Body, Reading};
use super::content::{Content, Told};
use super::fhir::Links;
use super::h2;
use super::head::{self, Extent, MAX_HEAD};
use super::websocket;
use crate::frames::{Frames, Step};
use crate::seam::Parser;
use pending::{Pending, Queue};
use say::Answer;

/// Parser of one connection.
pub(super) struct Exchange {
    forward: Frames,
    reverse: Frames,
    state: State,
}

/// What a connection has changed to.
enum After {
    WebSocket(Box<websocket::Session>),
    H2(Box<h2::Connection>),
}

/// What is known apart from the unread bytes.
#[derive(Default)]
struct State {
    after: Option<After>,
    /// The side that sends requests, once a head has shown it.
    client: Option<Direction>,
    sides: [Side; 2],
    queue: Queue,
    /// The exchange whose response is on its way.
    answer: Option<Answer>,
    /// Whether the body of its request is still on its way too.
    early: bool,
    links: Links,
    /// Bytes were lost since the last request: what is in the queue may never be answered.
    lost: bool,
}

#[derive(Default)]
struct Side {
    reading: Reading,
    /// How far the end of the head was searched for.
    scanned: usize,
    /// What reads the body under way.
    content: Option<Content>,
}

impl Exchange {
    pub(super) fn new() -> Self {
        // What take() refuses by itself is one byte longer than what may be kept.
        let frames = || Frames::new(MAX_HEAD);
        Self { forward: frames(), reverse: frames(), state: State::default() }
    }
}

impl Parser for Exchange {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { forward, reverse, state } = self;
        let frames = match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        };
        let next = match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| state.take(dir, unread, out)),
            Chunk::Gap(lost) => {
                let held = !frames.pending().is_empty();
                frames.clear();
                state.gap(dir, lost, held, out)
            }
            Chunk::Datagram(_) => Next::Done,
        };
        if next == Next::Done {
            state.end(out);
        }
        next
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        self.state.end(out);
    }
}

impl State {
    fn side(&mut self, dir: Direction) -> &mut Side {
        let [forward, reverse] = &mut self.sides;
        match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        }
    }

    /// Bytes of a body may be lost; behind any other loss the next head has to be found.
    fn gap(&mut self, dir: Direction, lost: u64, held: bool, out: &mut Emit<'_>) -> Next {
        let readable = match &mut self.after {
            Some(After::WebSocket(session)) => Some(!held && session.gap(dir, lost, out)),
            Some(After::H2(connection)) => Some(!held && connection.gap(dir, lost, out)),
            None => None,
        };
        if let Some(readable) = readable {
            return if readable { Next::More } else { Next::Done };
        }
        self.lost = true;
        let side = self.side(dir);
        side.scanned = 0;
        if let Some(content) = side.content.as_mut().filter(|_| lost > 0) {
            content.tear(lost);
        }
        if lost <= side.reading.left() {
            side.reading.past(lost);
            if side.reading == Reading::Head {
                self.body_over(dir, out);
            }
            return Next::More;
        }
        side.reading = Reading::Lost(resync::MAX_SEARCH);
        self.body_over(dir, out);
        Next::More
    }

    /// Takes content of a body, or passes over it.
    fn content(&mut self, dir: Direction, unread: &[u8], here: usize, out: &mut Emit<'_>) -> Step {
        let counts = self.answer.as_ref().is_some_and(Answer::tells_of_bytes);
        let side = self.side(dir);
        let left = side.reading.left();
        let mut read = 0_u64;
        if let Some(content) = side.content.as_mut().filter(|content| content.wants()) {
            content.feed(unread.get(..here).unwrap_or_default(), dir, out);
            read = here as u64;
        }
        let step = match side.content.as_mut() {
            Some(content) if content.wants() => {
                side.reading.past(read);
                Step::Used(here)
            }
            // Only the end of the connection says how long it was.
            Some(content) if left == u64::MAX && counts => {
                content.pass((here as u64).saturating_sub(read));
                Step::Used(here)
            }
            content => {
                // Nothing of the rest is looked at.
                if let Some(content) = content.filter(|_| left != u64::MAX) {
                    content.pass(left.saturating_sub(read));
                }
                side.reading.past(left);
                Step::Skip(left)
            }
        };
        if matches!(side.reading, Reading::Head) || step == Step::Skip(u64::MAX) {
            self.body_over(dir, out);
        }
        step
    }

    /// The body under way is over, whole or not: what it was part of is told.
    fn body_over(&mut self, dir: Direction, out: &mut Emit<'_>) {
        let Some(content) = self.side(dir).content.take() else { return };
        let told = content.end(dir, out);
        if self.client != Some(dir) {
            return self.exchange_over(&told, dir.flipped(), out);
        }
        let early = std::mem::take(&mut self.early);
        let request = match &mut self.answer {
            Some(answer) if early => Some(&mut answer.request),
            _ => self.queue.last(),
        };
        if let Some(request) = request {
            request.sent = told;
        }
    }

    /// `dir` is the client's.
    fn exchange_over(&mut self, received: &Told, dir: Direction, out: &mut Emit<'_>) {
        self.early = false;
        if let Some(answer) = self.answer.take() {
            say::exchange(&answer, received, &mut self.links, dir, out);
        }
    }

    /// Enters the body behind a head.
    fn enter(
        &mut self,
        dir: Direction,
        head: usize,
        body: Body,
        content: Content,
        out: &mut Emit<'_>,
    ) -> Step {
        let side = self.side(dir);
        side.reading.enter(body);
        side.content = Some(content);
        if body == Body::None {
            self.body_over(dir, out);
        }
        Step::Used(head)
    }

    /// The flow is over, or not read on.
    fn end(&mut self, out: &mut Emit<'_>) {
        Direction::BOTH.into_iter().for_each(|dir| self.body_over(dir, out));
        match &mut self.after {
            Some(After::WebSocket(session)) => session.end(out),
            Some(After::H2(connection)) => connection.end(out),
            None => {}
        }
    }

    fn take(&mut self, dir: Direction, unread: &[u8], out: &mut Emit<'_>) -> Step {
        match &mut self.after {
            Some(After::WebSocket(session)) => return session.take(dir, unread, out),
            Some(After::H2(connection)) => return connection.take(dir, unread, out),
            None => {}
        }
        let side = self.side(dir);
        if let Some(here) = side.reading.content(unread) {
            return self.content(dir, unread, here, out);
        }
        let step = match side.reading {
            Reading::Head => return self.head(dir, unread, out),
            Reading::Lost(left) => match resync::find(unread) {
                resync::Found::Here => {
                    side.reading = Reading::Head;
                    return self.head(dir, unread, out);
                }
                resync::Found::Nothing(0) => Ok(Step::More),
                resync::Found::Nothing(passed) => {
                    let passed_here = u32::try_from(passed).unwrap_or(u32::MAX);
                    match left.checked_sub(passed_here) {
                        Some(left) => {
                            side.reading = Reading::Lost(left);
                            Ok(Step::Used(passed))
                        }
                        None => Ok(self.give_up(dir, out)),
                    }
                }
            },
            _ => {
                let step = side.reading.body(unread);
                if side.reading == Reading::Head {
                    self.body_over(dir, out);
                }
                step
            }
        };
        step.unwrap_or_else(|what| self.broken(dir, what, out))
    }

    /// A side that broke a rule so that its next head cannot be found is not read on; what the other
    /// side says to it is.
    fn broken(&mut self, dir: Direction, what: &'static str, out: &mut Emit<'_>) -> Step {
        out.anomaly("http", what, dir);
        self.give_up(dir, out)
    }

    fn give_up(&mut self, dir: Direction, out: &mut Emit<'_>) -> Step {
        self.body_over(dir, out);
        self.side(dir).reading = Reading::UntilClose;
        if self.side(dir.flipped()).reading == Reading::UntilClose {
            return Step::Stop;
        }
        Step::Skip(u64::MAX)
    }

    fn head(&mut self, dir: Direction, unread: &[u8], out: &mut Emit<'_>) -> Step {
        // Empty lines before a head are passed over (RFC 9112, section 2.2).
        if matches!(unread.first(), Some(b'\r' | b'\n')) {
            return Step::Used(1);
        }
        let side = self.side(dir);
        let whole = match head::extent(unread, &mut side.scanned) {
            Extent::Whole(whole) => whole,
            Extent::More if begins_a_head(unread) => return Step::More,
            Extent::More => return self.junk(dir, out),
            Extent::TooLong => return self.broken(dir, "head longer than 64 KiB", out),
        };
        side.scanned = 0;
        let bytes = unread.get(..whole).unwrap_or_default();
        if !begins_a_head(bytes) {
            return self.junk(dir, out);
        }
        let is_response = bytes.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/"));
        let client = *self.client.get_or_insert(if is_response { dir.flipped() } else { dir });
        match (client == dir, is_response) {
            (true, false) => self.request(dir, bytes, out),
            (false, true) => self.response(dir, bytes, out),
            (true, true) => self.broken(dir, "response from the client's side", out),
            (false, false) => self.broken(dir, "request from the server's side", out),
        }
    }

    /// Bytes that begin no head. Behind a CONNECT or an Upgrade they belong to the protocol that
    /// was asked for.
    fn junk(&mut self, dir: Direction, out: &mut Emit<'_>) -> Step {
        if self.queue.waits_for_a_change() {
            return self.give_up(dir, out);
        }
        self.broken(dir, "bytes that begin no head", out)
    }

    fn request(&mut self, dir: Direction, bytes: &[u8], out: &mut Emit<'_>) -> Step {
        let (head, wrong) = match head::request(bytes) {
            Ok(read) => read,
            Err(what) => return self.broken(dir, what, out),
        };
        if let Some(what) = wrong {
            out.anomaly("http", what, dir);
        }
        if head.headers.framing.contradicts() {
            out.anomaly("http", "both Content-Length and Transfer-Encoding", dir);
        }
        if std::mem::take(&mut self.lost) {
            self.queue.clear();
        }
        let pending = say::request(&head, bytes, "", &self.links, dir, out);
        let body = head.headers.framing.of_request();
        let media = head::media_type(head.headers.content_type);
        let content = match body {
            Ok(Body::None) | Err(_) => Content::default(),
            Ok(_) => Content::of_request(&head.headers, &media, &pending.known()),
        };
        self.queue.push(pending);
        match body {
            Ok(body) => self.enter(dir, bytes.len(), body, content, out),
            Err(what) => self.broken(dir, what, out),
        }
    }

    fn response(&mut self, dir: Direction, bytes: &[u8], out: &mut Emit<'_>) -> Step {
        let (head, wrong) = match head::response(bytes) {
            Ok(read) => read,
            Err(what) => return self.broken(dir, what, out),
        };
        if let Some(what) = wrong {
            out.anomaly("http", what, dir);
        }
        // 100 Continue and its like come before the response proper and have no body.
        if (100..=199).contains(&head.status) && head.status != 101 {
            return Step::Used(bytes.len());
        }
        if head.headers.framing.contradicts() {
            out.anomaly("http", "both Content-Length and Transfer-Encoding", dir);
        }
        let request = self.queue.pop();
        let method = request.as_ref().map_or("", |request: &Pending| &request.method);
        let tunnel = method == "CONNECT" && (200..=299).contains(&head.status);
        let body = match method {
            "HEAD" => Ok(Body::None),
            _ => head.headers.framing.of_response(head.status),
        };
        // Only the body of the last request can be under way.
        self.early = self.queue.is_empty() && self.side(dir.flipped()).content.is_some();
        self.answer = say::response(&head, request, tunnel, dir, out);
        if tunnel || head.status == 101 {
            return self.change(dir.flipped(), &head.headers, bytes.len(), out);
        }
        let media = head::media_type(head.headers.content_type);
        let content = match (&self.answer, body) {
            (_, Ok(Body::None) | Err(_)) | (None, _) => Content::default(),
            (Some(answer), Ok(_)) => {
                Content::of_response(&head.headers, &media, &answer.request.known())
            }
        };
        match body {
            Ok(body) => self.enter(dir, bytes.len(), body, content, out),
            Err(what) => self.broken(dir, what, out),
        }
    }
}

impl State {
    /// The connection changes to another protocol; `dir` is the client's. A tunnel is left alone.
    fn change(
        &mut self,
        dir: Direction,
        headers: &head::Headers<'_>,
        used: usize,
        out: &mut Emit<'_>,
    ) -> Step {
        let request = self.answer.take().map(|answer| answer.request);
        let is = |name: &[u8]| headers.upgrade.eq_ignore_ascii_case(name);
        self.after = Some(if is(b"websocket") {
            let offer = request.as_ref().and_then(|request| request.offer.as_deref());
            let path = request.as_ref().map_or("", |request| &request.path);
            let session = websocket::accept(offer, path, headers, dir, out);
            After::WebSocket(Box::new(session))
        } else if is(b"h2c") {
            After::H2(Box::new(h2::Connection::upgraded(dir, request, out)))
        } else {
            return Step::Stop;
        });
        Step::Used(used)
    }
}

/// Whether bytes could begin a head: a method or a version, letters of a token.
fn begins_a_head(bytes: &[u8]) -> bool {
    let token =
        |b: &u8| b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'<' | b'>' | b'{' | b'}');
    let word = bytes.iter().take(64).take_while(|b| token(b)).count();
    word > 0 && matches!(bytes.get(word), None | Some(b' ' | b'\t'))
}
