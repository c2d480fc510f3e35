//! The two directions of a connection, and which response answers which request.

mod pending;
mod resync;
mod say;

use model::emit::Emit;
use model::flow::Direction;
use wire::chunk::{Chunk, Next};

use super::body::{Body, Reading, behind_head};
use super::head::{self, Extent, MAX_HEAD};
use crate::frames::{Frames, Step};
use crate::seam::Parser;
use pending::{Pending, Queue};

/// Parser of one connection.
pub(super) struct Exchange {
    forward: Frames,
    reverse: Frames,
    state: State,
}

/// What is known apart from the unread bytes.
#[derive(Default)]
struct State {
    /// The side that sends requests, once a head has shown it.
    client: Option<Direction>,
    sides: [Side; 2],
    queue: Queue,
    /// Bytes were lost since the last request: what is in the queue may never be answered.
    lost: bool,
}

#[derive(Default)]
struct Side {
    reading: Reading,
    /// How far the end of the head was searched for.
    scanned: usize,
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
        match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| state.take(dir, unread, out)),
            Chunk::Gap(lost) => {
                frames.clear();
                state.gap(dir, lost)
            }
            Chunk::Datagram(_) => Next::Done,
        }
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
    fn gap(&mut self, dir: Direction, lost: u64) -> Next {
        self.lost = true;
        let side = self.side(dir);
        side.scanned = 0;
        if side.reading == Reading::UntilClose || lost == 0 {
            return Next::More;
        }
        side.reading = Reading::Lost(resync::MAX_SEARCH);
        Next::More
    }

    fn take(&mut self, dir: Direction, unread: &[u8], out: &mut Emit<'_>) -> Step {
        let side = self.side(dir);
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
                        None => Ok(self.give_up(dir)),
                    }
                }
            },
            _ => side.reading.body(unread),
        };
        step.unwrap_or_else(|what| self.broken(dir, what, out))
    }

    /// A side that broke a rule so that its next head cannot be found is not read on; what the other
    /// side says to it is.
    fn broken(&mut self, dir: Direction, what: &'static str, out: &mut Emit<'_>) -> Step {
        out.anomaly("http", what, dir);
        self.give_up(dir)
    }

    fn give_up(&mut self, dir: Direction) -> Step {
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
            return self.give_up(dir);
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
        self.queue.push(say::request(&head, bytes, dir, out));
        match head.headers.framing.of_request() {
            Ok(body) => behind_head(bytes.len(), self.side(dir).reading.enter(body)),
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
        say::response(&head, request.as_ref(), tunnel, dir, out);
        if tunnel || head.status == 101 {
            return Step::Stop;
        }
        let body = match method {
            "HEAD" => Ok(Body::None),
            _ => head.headers.framing.of_response(head.status),
        };
        match body {
            Ok(body) => behind_head(bytes.len(), self.side(dir).reading.enter(body)),
            Err(what) => self.broken(dir, what, out),
        }
    }
}

/// Whether bytes could begin a head: a method or a version, letters of a token.
fn begins_a_head(bytes: &[u8]) -> bool {
    let token =
        |b: &u8| b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'<' | b'>' | b'{' | b'}');
    let word = bytes.iter().take(64).take_while(|b| token(b)).count();
    word > 0 && matches!(bytes.get(word), None | Some(b' ' | b'\t'))
}
