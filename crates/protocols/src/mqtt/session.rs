//! One connection between a client and a broker.

mod faults;
mod say;

use model::emit::Emit;
use model::flow::Direction;
use wire::chunk::{Chunk, Next};
use wire::cursor::Cursor;

use super::connect::{self, Connect};
use super::packet::{self, Fixed, Kind, Sender, Start, Varint, Version, properties, text};
use super::topics::{Aliases, takes_everything, wrong_filter, wrong_name};
use crate::frames::{Frames, Step};
use crate::redact;
use crate::seam::Parser;
use faults::Faults;

/// Longest packet other than PUBLISH that is read, and longest head of a PUBLISH. Longer ones are
/// passed over.
const MAX_PACKET: u64 = 128 * 1024;

/// Most filters kept of a SUBSCRIBE.
const MAX_FILTERS: usize = 32;

/// Parser of one connection.
pub(super) struct Session {
    forward: Frames,
    reverse: Frames,
    state: State,
}

/// What is known apart from the unread bytes.
struct State {
    client: Direction,
    version: Version,
    client_id: Vec<u8>,
    stage: Stage,
    aliases: [Aliases; 2],
    /// Messages sent by the client, and by the broker.
    messages: [u64; 2],
    /// Packets of the broker, and packets of the client before its CONNECT.
    answers: u64,
    strays: u64,
    faults: Faults,
}

/// How far a connection has come.
enum Stage {
    /// No CONNECT seen: the flow may be older than the capture.
    Unknown,
    Asked(Box<Connect>),
    Accepted,
    Refused,
    Closed,
}

/// What a packet asks of the rest.
enum After {
    /// On to the next packet.
    Next,
    /// The flow says nothing more.
    Over,
}

impl Session {
    pub(super) fn new() -> Self {
        let cap = usize::try_from(MAX_PACKET).unwrap_or(usize::MAX).saturating_add(8);
        Self { forward: Frames::new(cap), reverse: Frames::new(cap), state: State::new() }
    }
}

impl Parser for Session {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { forward, reverse, state } = self;
        let frames = match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        };
        let next = match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| state.take(dir, unread, out)),
            // Packets have no mark to find the next one by.
            Chunk::Gap(_) | Chunk::Datagram(_) => Next::Done,
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
    fn new() -> Self {
        Self {
            client: Direction::Forward,
            version: Version::V311,
            client_id: Vec::new(),
            stage: Stage::Unknown,
            aliases: [Aliases::default(), Aliases::default()],
            messages: [0; 2],
            answers: 0,
            strays: 0,
            faults: Faults::default(),
        }
    }

    fn end(&mut self, out: &mut Emit<'_>) {
        match std::mem::replace(&mut self.stage, Stage::Closed) {
            Stage::Asked(connect) => say::connect(&connect, "unanswered", None, self.client, out),
            Stage::Accepted => self.close("lost", out),
            // A broker hangs up on whoever does not begin with CONNECT; a connection older than the
            // capture goes on.
            Stage::Unknown if self.answers == 0 && (1..=2).contains(&self.strays) => {
                self.faults.note("first packet is not CONNECT", self.client, out);
            }
            Stage::Unknown if self.strays > 0 => self.close("lost", out),
            Stage::Unknown | Stage::Refused | Stage::Closed => {}
        }
        self.faults.end(out);
    }

    fn close(&mut self, how: &'static str, out: &mut Emit<'_>) {
        self.stage = Stage::Closed;
        say::close(&self.client_id, how, self.messages, self.client, out);
    }

    fn take(&mut self, dir: Direction, unread: &[u8], out: &mut Emit<'_>) -> Step {
        let fixed = match packet::fixed(unread) {
            Start::Fixed(fixed) => fixed,
            Start::More => return Step::More,
            Start::Broken(what) => {
                self.faults.note(what, dir, out);
                return Step::Stop;
            }
        };
        if fixed.kind == Kind::Publish {
            return self.publish(dir, &fixed, unread, out);
        }
        if fixed.whole() > MAX_PACKET {
            self.faults.note("packet longer than 128 KiB", dir, out);
            // Without its CONNECT nothing of a connection can be told apart.
            return if fixed.kind == Kind::Connect {
                Step::Stop
            } else {
                Step::Skip(fixed.whole())
            };
        }
        let whole = usize::try_from(fixed.whole()).unwrap_or(usize::MAX);
        let Some(body) = unread.get(fixed.size..whole) else { return Step::More };
        if matches!(self.stage, Stage::Unknown) {
            self.client = match fixed.sender() {
                Sender::Client => dir,
                Sender::Broker => dir.flipped(),
                Sender::Either => self.client,
            };
        }
        self.check(dir, &fixed, out);
        match self.packet(dir, &fixed, body, out) {
            After::Next => Step::Used(whole),
            After::Over => Step::Stop,
        }
    }

    /// Rules that hold for every packet.
    fn check(&mut self, dir: Direction, fixed: &Fixed, out: &mut Emit<'_>) {
        if fixed.breaks_flags() {
            self.faults.note("reserved flags", dir, out);
        }
        let from_client = dir == self.client;
        match (fixed.sender(), from_client) {
            (Sender::Client, false) => {
                self.faults.note("packet of a client from a broker", dir, out)
            }
            (Sender::Broker, true) => {
                self.faults.note("packet of a broker from a client", dir, out)
            }
            _ => {}
        }
        if !from_client {
            self.answers = self.answers.saturating_add(1);
        } else if matches!(self.stage, Stage::Unknown) && fixed.kind != Kind::Connect {
            self.strays = self.strays.saturating_add(1);
        }
    }

    fn packet(&mut self, dir: Direction, fixed: &Fixed, body: &[u8], out: &mut Emit<'_>) -> After {
        let newest = self.version == Version::V5;
        match fixed.kind {
            Kind::Connect => return self.connect(dir, body, out),
            Kind::Connack => return self.connack(dir, body, out),
            Kind::Subscribe => self.subscribe(dir, body, out),
            Kind::Pingreq | Kind::Pingresp if !body.is_empty() => {
                self.faults.note("ping with a body", dir, out);
            }
            Kind::Acknowledge | Kind::Subscribed | Kind::Unsubscribe if body.len() < 2 => {
                self.faults.note("packet without identifier", dir, out);
            }
            Kind::Auth if !newest => {
                self.faults.note("AUTH before MQTT 5.0", dir, out);
                return After::Over;
            }
            Kind::Disconnect => {
                if !newest && (!body.is_empty() || dir != self.client) {
                    self.faults.note("DISCONNECT of another version", dir, out);
                }
                if matches!(self.stage, Stage::Accepted | Stage::Unknown) {
                    self.close(if dir == self.client { "disconnect" } else { "lost" }, out);
                }
                return After::Over;
            }
            Kind::Publish
            | Kind::Acknowledge
            | Kind::Subscribed
            | Kind::Unsubscribe
            | Kind::Pingreq
            | Kind::Pingresp
            | Kind::Auth => {}
        }
        After::Next
    }

    fn connect(&mut self, dir: Direction, body: &[u8], out: &mut Emit<'_>) -> After {
        if !matches!(self.stage, Stage::Unknown) {
            self.faults.note("second CONNECT", dir, out);
            return After::Next;
        }
        let (connect, wrong) = connect::read(body, out);
        if let Some(what) = wrong {
            self.faults.note(what, dir, out);
        }
        self.version = connect.version.unwrap_or(Version::V311);
        self.client_id.clone_from(&connect.client_id);
        self.stage = Stage::Asked(Box::new(connect));
        After::Next
    }

    fn connack(&mut self, dir: Direction, body: &[u8], out: &mut Emit<'_>) -> After {
        let stage = std::mem::replace(&mut self.stage, Stage::Closed);
        let Stage::Asked(mut connect) = stage else {
            self.stage = stage;
            self.faults.note("CONNACK without CONNECT", dir, out);
            return After::Next;
        };
        let mut cursor = Cursor::new(body);
        let (Ok(_), Ok(reason)) = (cursor.u8(), cursor.u8()) else {
            self.stage = Stage::Asked(connect);
            self.faults.note("CONNACK shorter than its fields", dir, out);
            return After::Over;
        };
        if self.version == Version::V5 && !cursor.is_empty() {
            match properties(&mut cursor) {
                Ok(found) if connect.client_id.is_empty() => {
                    self.client_id = found.assigned_client_id.to_vec();
                    connect.client_id.clone_from(&self.client_id);
                }
                Ok(_) => {}
                Err(what) => self.faults.note(what, dir, out),
            }
        }
        if !cursor.is_empty() {
            self.faults.note("CONNACK longer than its fields", dir, out);
        }
        let outcome = if reason == 0 { "accepted" } else { "refused" };
        self.stage = if reason == 0 { Stage::Accepted } else { Stage::Refused };
        say::connect(&connect, outcome, Some(reason), self.client, out);
        // What a client says although it was refused is worth hearing.
        After::Next
    }

    fn subscribe(&mut self, dir: Direction, body: &[u8], out: &mut Emit<'_>) {
        const WRONG: &str = "SUBSCRIBE shorter than its fields";
        let mut cursor = Cursor::new(body);
        if cursor.skip(2).is_err() {
            return self.faults.note("packet without identifier", dir, out);
        }
        if self.version == Version::V5
            && let Err(what) = properties(&mut cursor)
        {
            return self.faults.note(what, dir, out);
        }
        let reserved = if self.version == Version::V5 { 0xc0 } else { 0xfc };
        let (mut filters, mut all, mut deep) = (Vec::new(), false, false);
        while !cursor.is_empty() {
            let (Some(filter), Ok(options)) = (text(&mut cursor), cursor.u8()) else {
                self.faults.note(WRONG, dir, out);
                break;
            };
            if let Some(what) = wrong_filter(filter) {
                self.faults.note(what, dir, out);
            }
            if options & reserved != 0 || options & 0x03 == 0x03 {
                self.faults.note("reserved options of a subscription", dir, out);
            }
            all |= takes_everything(filter);
            deep |= filter.ends_with(b"#");
            if filters.len() < MAX_FILTERS {
                filters.push(redact::topic(out, filter));
            }
        }
        if filters.is_empty() {
            return self.faults.note("SUBSCRIBE without filters", dir, out);
        }
        say::subscribe(&self.client_id, &filters, deep, all, dir, out);
    }

    /// A PUBLISH is told as soon as its head is there; its payload is passed over.
    fn publish(
        &mut self,
        dir: Direction,
        fixed: &Fixed,
        unread: &[u8],
        out: &mut Emit<'_>,
    ) -> Step {
        let remaining = usize::try_from(fixed.remaining).unwrap_or(usize::MAX);
        let here = unread.get(fixed.size..).unwrap_or_default();
        // What is seen beyond the packet or the cap must not change what is said.
        let cap = remaining.min(usize::try_from(MAX_PACKET).unwrap_or(usize::MAX));
        let here = here.get(..here.len().min(cap)).unwrap_or_default();
        let (head, size) = match publish_head(here, remaining, fixed.flags, self.version) {
            Some(Ok(read)) => read,
            None => return Step::More,
            Some(Err(what)) => {
                self.check(dir, fixed, out);
                self.faults.note(what, dir, out);
                return Step::Skip(fixed.whole());
            }
        };
        self.check(dir, fixed, out);
        let payload = remaining.saturating_sub(size) as u64;
        self.published(dir, fixed.flags, &head, payload, out);
        Step::Skip(fixed.whole())
    }

    fn published(
        &mut self,
        dir: Direction,
        flags: u8,
        head: &PublishHead<'_>,
        payload: u64,
        out: &mut Emit<'_>,
    ) {
        let qos = (flags >> 1) & 0x03;
        if qos == 3 {
            self.faults.note("quality of service 3", dir, out);
        } else if qos == 0 && flags & 0x08 != 0 {
            self.faults.note("duplicate without quality of service", dir, out);
        }
        if let Some(what) = wrong_name(head.topic) {
            self.faults.note(what, dir, out);
        }
        let mut topic = redact::topic(out, head.topic);
        let [forward, reverse] = &mut self.aliases;
        let aliases = match dir {
            Direction::Forward => forward,
            Direction::Reverse => reverse,
        };
        let wrong = match (head.alias, topic.is_empty()) {
            (Some(0), _) => Some("topic alias 0"),
            (Some(alias), false) => {
                aliases.set(alias, &topic);
                None
            }
            (Some(alias), true) => match aliases.get(alias) {
                Some(known) => {
                    topic = known.into();
                    None
                }
                None => Some("unknown topic alias"),
            },
            (None, true) => Some("empty topic name"),
            (None, false) => None,
        };
        if let Some(what) = wrong {
            self.faults.note(what, dir, out);
        }
        let [sent, received] = &mut self.messages;
        let counter = if dir == self.client { sent } else { received };
        *counter = counter.saturating_add(1);
        let from_broker = dir != self.client;
        say::publish(&self.client_id, from_broker, &topic, flags, payload, dir, out);
    }
}

/// What stands in front of a PUBLISH's payload.
struct PublishHead<'a> {
    topic: &'a [u8],
    alias: Option<u16>,
}

/// Reads topic, identifier and properties from as much of the packet as is there; nothing where it
/// is not yet enough. With it comes the size of what stands before the payload.
fn publish_head(
    here: &[u8],
    remaining: usize,
    flags: u8,
    version: Version,
) -> Option<Result<(PublishHead<'_>, usize), &'static str>> {
    let short = if here.len() >= remaining {
        Some("PUBLISH shorter than its fields")
    } else if here.len() as u64 >= MAX_PACKET {
        Some("head of a PUBLISH longer than 128 KiB")
    } else {
        None
    };
    match read_publish(here, remaining, flags, version) {
        Ok(read) => Some(Ok(read)),
        Err(Some(what)) => Some(Err(what)),
        Err(None) => short.map(Err),
    }
}

/// As [`publish_head`], with an error without words where bytes are missing.
fn read_publish(
    here: &[u8],
    remaining: usize,
    flags: u8,
    version: Version,
) -> Result<(PublishHead<'_>, usize), Option<&'static str>> {
    const WRONG: Option<&str> = Some("properties shorter or longer than their length");
    let mut cursor = Cursor::new(here);
    let topic = text(&mut cursor).ok_or(None)?;
    if flags & 0x06 != 0 {
        cursor.skip(2).map_err(|_| None)?;
    }
    if version != Version::V5 {
        return Ok((PublishHead { topic, alias: None }, cursor.position()));
    }
    // Judged before they are read: a length that cannot be right must not wait for bytes.
    let (length, used) = match packet::varint(cursor.rest()) {
        Varint::Value(length, used) => (usize::try_from(length).unwrap_or(usize::MAX), used),
        Varint::More => return Err(None),
        Varint::Broken => return Err(WRONG),
    };
    let end = cursor.position().saturating_add(used).saturating_add(length);
    if end > remaining {
        return Err(WRONG);
    }
    if end > here.len() {
        return Err(None);
    }
    let alias = properties(&mut cursor).map_err(Some)?.topic_alias;
    Ok((PublishHead { topic, alias }, cursor.position()))
}

#[cfg(test)]
mod tests;
