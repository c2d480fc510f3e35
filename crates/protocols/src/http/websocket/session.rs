//! One WebSocket: frames to messages, messages to counts.

use model::emit::Emit;
use model::flow::Direction;
use wire::chunk::{Chunk, Next};

use super::CLOSE;
use super::frame::{self, Head, Kind};
use crate::frames::Step;
use crate::hl7::Bare;
use crate::mqtt::Mqtt;
use crate::seam::{Parser, Protocol};

/// Bytes unmasked at once.
const PIECE: usize = 2048;

/// What one side has sent.
#[derive(Debug, Default)]
struct Side {
    /// The frame whose payload is under way, and where in it.
    frame: Option<Frame>,
    /// Kind and size of the message under way.
    message: Option<(Kind, u64)>,
    hl7: Option<Box<Bare>>,
    text: u64,
    binary: u64,
    bytes: u64,
    largest: u64,
    pings: u64,
    /// First bytes of a Close.
    close: Vec<u8>,
    /// Bytes that the reader of MQTT passes over.
    skip: u64,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    head: Head,
    at: u64,
}

/// Parser of one WebSocket.
pub(in crate::http) struct Session {
    client: Direction,
    path: Box<str>,
    compressed: bool,
    sides: [Side; 2],
    mqtt: Option<Box<dyn Parser>>,
    told: Vec<&'static str>,
    closed: bool,
}

impl Session {
    /// Behind the head of the response; `client` is the client's direction.
    pub(super) fn new(
        client: Direction,
        path: &str,
        compressed: bool,
        mqtt: bool,
        out: &Emit<'_>,
    ) -> Self {
        let mqtt = if mqtt { out.flow().map(|flow| Mqtt.open(flow)) } else { None };
        Self {
            client,
            path: path.into(),
            compressed,
            sides: Default::default(),
            mqtt,
            told: Vec::new(),
            closed: false,
        }
    }

    fn side(&mut self, dir: Direction) -> &mut Side {
        let [forward, reverse] = &mut self.sides;
        match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        }
    }

    /// Takes what is next among the unread bytes of a direction.
    pub(in crate::http) fn take(
        &mut self,
        dir: Direction,
        unread: &[u8],
        out: &mut Emit<'_>,
    ) -> Step {
        if let Some(frame) = self.side(dir).frame {
            return self.payload(dir, frame, unread, out);
        }
        let Ok(head) = frame::head(unread) else { return Step::More };
        if head.length > u64::MAX / 2 {
            self.odd("WebSocket frame longer than any may be", dir, out);
            self.close("lost", None, out);
            return Step::Stop;
        }
        self.begin(dir, &head, out);
        if head.length == 0 {
            self.frame_over(dir, &head, out);
            return if self.closed { Step::Stop } else { Step::Used(head.size) };
        }
        self.side(dir).frame = Some(Frame { head, at: 0 });
        Step::Used(head.size)
    }

    /// A frame begins: what rules it breaks, and which message it belongs to.
    fn begin(&mut self, dir: Direction, head: &Head, out: &mut Emit<'_>) {
        let control = head.kind.is_control();
        let compressed = self.compressed && head.reserved == 4 && !control;
        let within = self.side(dir).message.is_some();
        let rules = [
            (dir == self.client && head.mask.is_none(), "unmasked WebSocket frame of a client"),
            (dir != self.client && head.mask.is_some(), "masked WebSocket frame of a server"),
            (head.reserved != 0 && !compressed, "reserved bits of a WebSocket frame"),
            (head.kind == Kind::Unknown, "unknown kind of WebSocket frame"),
            (
                control && (head.length > 125 || !head.last),
                "long or cut control frame of WebSocket",
            ),
            (head.kind == Kind::Continuation && !within, "WebSocket frame that continues nothing"),
            (
                matches!(head.kind, Kind::Text | Kind::Binary) && within,
                "WebSocket message within another",
            ),
        ];
        for (_, what) in rules.into_iter().filter(|(broken, _)| *broken) {
            self.odd(what, dir, out);
        }
        if compressed {
            // What is compressed is none of the readers' business.
            self.mqtt = None;
        }
        let side = self.side(dir);
        match head.kind {
            Kind::Text | Kind::Binary => {
                side.message = Some((head.kind, 0));
                let readable = head.kind == Kind::Text && !compressed;
                side.hl7 = readable.then(Box::default);
            }
            Kind::Ping => side.pings = side.pings.saturating_add(1),
            Kind::Close => side.close.clear(),
            Kind::Continuation | Kind::Pong | Kind::Unknown => {}
        }
        if let Some((_, size)) = side.message.as_mut().filter(|_| !control) {
            *size = size.saturating_add(head.length);
        }
    }

    fn payload(&mut self, dir: Direction, frame: Frame, unread: &[u8], out: &mut Emit<'_>) -> Step {
        let Frame { head, mut at } = frame;
        let left = head.length.saturating_sub(at);
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(unread.len());
        if self.wants(dir, head.kind) {
            let mask = head.mask.unwrap_or_default();
            for piece in unread.get(..here).unwrap_or_default().chunks(PIECE) {
                let offset = usize::try_from(at % 4).unwrap_or(0);
                let key = mask.iter().cycle().skip(offset);
                let plain: Vec<u8> = piece.iter().zip(key).map(|(byte, key)| byte ^ key).collect();
                self.content(dir, head.kind, &plain, out);
                at = at.saturating_add(piece.len() as u64);
            }
        }
        if self.wants(dir, head.kind) && at < head.length {
            self.side(dir).frame = Some(Frame { head, at });
            return Step::Used(here);
        }
        self.frame_over(dir, &head, out);
        if self.closed { Step::Stop } else { Step::Skip(left) }
    }

    /// Whether more of a payload would say more.
    fn wants(&mut self, dir: Direction, kind: Kind) -> bool {
        let mqtt = self.mqtt.is_some();
        let side = self.side(dir);
        match kind {
            Kind::Close => side.close.len() < 2,
            Kind::Ping | Kind::Pong | Kind::Unknown => false,
            Kind::Text | Kind::Binary | Kind::Continuation => match side.message {
                Some((Kind::Binary, _)) => mqtt,
                _ => side.hl7.as_ref().is_some_and(|hl7| hl7.wants()),
            },
        }
    }

    /// Hands on unmasked bytes of a payload.
    fn content(&mut self, dir: Direction, kind: Kind, plain: &[u8], out: &mut Emit<'_>) {
        let [forward, reverse] = &mut self.sides;
        let side = if dir == Direction::Forward { forward } else { reverse };
        if kind == Kind::Close {
            let room = 2_usize.saturating_sub(side.close.len());
            side.close.extend_from_slice(plain.get(..room).unwrap_or(plain));
            return;
        }
        if let Some(hl7) = &mut side.hl7 {
            hl7.feed(plain, dir, out);
        }
        let binary = matches!(side.message, Some((Kind::Binary, _)));
        let Some(mqtt) = self.mqtt.as_mut().filter(|_| binary) else { return };
        let pass = usize::try_from(side.skip).unwrap_or(usize::MAX).min(plain.len());
        side.skip = side.skip.saturating_sub(pass as u64);
        let rest = plain.get(pass..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        match mqtt.data(dir, Chunk::Stream(rest), out) {
            Next::More => {}
            Next::Skip(count) => side.skip = count,
            Next::Done => self.mqtt = None,
        }
    }

    fn frame_over(&mut self, dir: Direction, head: &Head, out: &mut Emit<'_>) {
        let client = self.client;
        let side = self.side(dir);
        side.frame = None;
        if head.kind == Kind::Close {
            let code = side.close.as_slice().try_into().ok().map(u16::from_be_bytes);
            let how = if dir == client { "client" } else { "server" };
            return self.close(how, code, out);
        }
        if head.kind.is_control() || !head.last {
            return;
        }
        let Some((kind, size)) = side.message.take() else { return };
        let count = if kind == Kind::Text { &mut side.text } else { &mut side.binary };
        *count = count.saturating_add(1);
        side.bytes = side.bytes.saturating_add(size);
        side.largest = side.largest.max(size);
        if let Some(mut hl7) = side.hl7.take() {
            hl7.end(out);
        }
    }

    fn odd(&mut self, what: &'static str, dir: Direction, out: &mut Emit<'_>) {
        if !self.told.contains(&what) {
            self.told.push(what);
            out.anomaly("websocket", what, dir);
        }
    }

    fn close(&mut self, how: &'static str, code: Option<u16>, out: &mut Emit<'_>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        if let Some(mut mqtt) = self.mqtt.take() {
            mqtt.end(out);
        }
        let client = self.client;
        let [forward, reverse] = &self.sides;
        let (sent, received) = match client {
            Direction::Forward => (forward, reverse),
            Direction::Reverse => (reverse, forward),
        };
        let mut draft = out
            .observe(&CLOSE, client)
            .text("path", self.path.as_bytes())
            .word("how", how)
            .uint("sent_text", sent.text)
            .uint("sent_binary", sent.binary)
            .uint("received_text", received.text)
            .uint("received_binary", received.binary)
            .uint("sent_bytes", sent.bytes)
            .uint("received_bytes", received.bytes)
            .uint("largest", sent.largest.max(received.largest))
            .uint("pings", sent.pings.saturating_add(received.pings));
        if let Some(code) = code {
            draft = draft.uint("code", code);
        }
        draft.emit();
    }

    /// Bytes were lost: whether it can be read on, because they were payload.
    pub(in crate::http) fn gap(&mut self, dir: Direction, lost: u64, out: &mut Emit<'_>) -> bool {
        if lost == 0 {
            return true;
        }
        if let Some(mut mqtt) = self.mqtt.take() {
            mqtt.end(out);
        }
        let side = self.side(dir);
        side.hl7 = None;
        let Some(Frame { head, at }) = side.frame else { return false };
        let at = at.saturating_add(lost);
        if at > head.length {
            return false;
        }
        side.frame = Some(Frame { head, at });
        if at == head.length {
            self.frame_over(dir, &head, out);
        }
        !self.closed
    }

    /// The flow is over.
    pub(in crate::http) fn end(&mut self, out: &mut Emit<'_>) {
        self.close("lost", None, out);
    }
}
