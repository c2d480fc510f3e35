//! A TCP conversation: handshake, segments of the path's size, acknowledgements, time stamps, the
//! odd retransmission, and an end.
//!
//! The caller says who sends what; the conversation keeps its own clock (`now`: when its last
//! packet passed the sensor) and moves it on. Congestion control is only as much as a sensor
//! sees: bursts of a growing window, then a pause of one round trip.

use crate::app::tls;
use crate::net::frame::{self, ACK, FIN, Ip, Link, PSH, RST, SYN, Segment};
use crate::rng::Rng;
use crate::time::{MS, Nanos, SEC, US};
use crate::world::{HostId, World};

/// A side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who called.
    Client,
    /// Who was called.
    Server,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// One end, as its own stack sees the conversation.
#[derive(Debug)]
struct End {
    host: HostId,
    port: u16,
    link: Link,
    ip: Ip,
    /// Next sequence number to send.
    next: u32,
    /// Next sequence number expected from the other end, as last acknowledged.
    seen: u32,
    window: u16,
    /// Time from the sensor to this end and back.
    leg: Nanos,
    /// Segments received and not yet acknowledged.
    owed: u8,
    /// Segments it may send before it waits.
    burst: usize,
    /// Offset of its time stamp clock.
    clock: u32,
}

/// A conversation between two hosts.
#[derive(Debug)]
pub(crate) struct Tcp {
    ends: [End; 2],
    /// When the last packet passed the sensor.
    pub(crate) now: Nanos,
    /// Largest payload of a segment.
    mss: usize,
    stamps: bool,
    last: Side,
    /// What is said goes into TLS records.
    pub(crate) sealed: bool,
    rng: Rng,
}

/// A receiver that has nothing to say acknowledges at the latest after this.
const DELAYED_ACK: Nanos = 40 * MS;

/// Between two full segments of a burst: a gigabit a second, and the sender's own work.
const SPACING: Nanos = 14 * US;

impl Tcp {
    /// Opens a conversation from a fresh port.
    pub(crate) fn open(w: &mut World, at: Nanos, client: HostId, server: (HostId, u16)) -> Self {
        let at = w.resolve(at, client, server.0);
        let mut tcp = Self::make(w, at, client, server);
        tcp.handshake(w);
        tcp
    }

    /// A conversation before its first packet.
    fn make(w: &mut World, now: Nanos, client: HostId, server: (HostId, u16)) -> Self {
        let port = w.port(client);
        let mut rng = w.rng.fork("tcp");
        w.rng.next();
        let stamps = [client, server.0].iter().all(|&h| w.hosts[h].role.os().stamps());
        let ends = [(client, port), server].map(|(host, port)| {
            let peer = if host == client { server.0 } else { client };
            let far = w.hosts[host].external;
            let leg = if far { rng.between(8, 35) * MS } else { rng.between(60, 420) * US };
            let (_, window, _) = w.hosts[host].role.os().windows();
            let (link, ip) = (w.link(host, peer), w.ip(host, peer));
            let (next, clock) = (rng.next() as u32, rng.next() as u32);
            End { host, port, link, ip, next, seen: 0, window, leg, owed: 0, burst: 10, clock }
        });
        let mss = if stamps { 1_448 } else { 1_460 };
        Self { ends, now, mss, stamps, last: Side::Client, sealed: false, rng }
    }

    fn handshake(&mut self, w: &mut World) {
        let oses = [0, 1].map(|i| w.hosts[self.ends[i].host].role.os());
        let scaled = oses.iter().all(|os| os.windows().2 > 0);
        for (side, flags) in [(Side::Client, SYN), (Side::Server, SYN | ACK)] {
            let (window, _, scale) = oses[side as usize].windows();
            let scale = if side == Side::Client || scaled { scale } else { 0 };
            let stamps = if side == Side::Client { oses[0].stamps() } else { self.stamps };
            let options = self.syn_options(side, scale, stamps);
            self.emit(w, side, flags, Some(window), &options, &[]);
            self.ends[side as usize].next = self.ends[side as usize].next.wrapping_add(1);
            let (from, to) = (self.ends[side as usize].next, side.other() as usize);
            self.ends[to].seen = from;
            self.now += self.ends[to].leg + self.rng.between(5, 60) * US;
        }
        if !scaled {
            for end in &mut self.ends {
                end.window = end.window.max(16_384);
            }
        }
        self.emit(w, Side::Client, ACK, None, &[], &[]);
    }

    /// MSS, permission of selective acknowledgements, time stamps, window scale: padded to words.
    fn syn_options(&self, side: Side, scale: u8, stamps: bool) -> Vec<u8> {
        let mut options = vec![2, 4, 0x05, 0xb4];
        if stamps {
            options.extend_from_slice(&[4, 2]);
            options.extend_from_slice(&self.stamp(side)[2..]);
            options.extend_from_slice(&[1, 3, 3, scale]);
        } else if scale > 0 {
            options.extend_from_slice(&[1, 3, 3, scale, 1, 1, 4, 2]);
        }
        options
    }

    /// The time stamp option of RFC 7323, in milliseconds.
    fn stamp(&self, side: Side) -> [u8; 12] {
        let tick = |end: &End| end.clock.wrapping_add((self.now / MS) as u32);
        let mut option = [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0];
        option[4..8].copy_from_slice(&tick(&self.ends[side as usize]).to_be_bytes());
        let other = &self.ends[side.other() as usize];
        if self.ends[side as usize].seen != 0 {
            let echo = tick(other).wrapping_sub(((other.leg + self.ends[0].leg) / MS) as u32);
            option[8..12].copy_from_slice(&echo.to_be_bytes());
        }
        option
    }

    /// Sends one packet of a side at `now`.
    fn emit(
        &mut self,
        w: &mut World,
        side: Side,
        flags: u8,
        window: Option<u16>,
        options: &[u8],
        payload: &[u8],
    ) {
        let frame = self.frame(w, side, flags, window, options, payload, 0);
        w.put(self.now, frame);
    }

    /// A packet of a side; `back` bytes before what it would send next.
    #[allow(clippy::too_many_arguments)]
    fn frame(
        &mut self,
        w: &mut World,
        side: Side,
        flags: u8,
        window: Option<u16>,
        options: &[u8],
        payload: &[u8],
        back: u32,
    ) -> Vec<u8> {
        let stamp = self.stamp(side);
        let options = if options.is_empty() && self.stamps { &stamp[..] } else { options };
        let (me, you) = (&self.ends[side as usize], &self.ends[side.other() as usize]);
        let host = &mut w.hosts[me.host];
        host.ip_id = host.ip_id.wrapping_add(1);
        let segment = Segment {
            from: me.port,
            to: you.port,
            seq: me.next.wrapping_sub(back),
            ack: if flags & ACK != 0 { me.seen } else { 0 },
            flags,
            window: window.unwrap_or(me.window),
            options,
            payload,
        };
        frame::tcp(me.link, Ip { id: host.ip_id, ..me.ip }, &segment)
    }

    /// The caller says something.
    pub(crate) fn up(&mut self, w: &mut World, bytes: &[u8]) {
        self.say(w, Side::Client, bytes);
    }

    /// The called side says something.
    pub(crate) fn down(&mut self, w: &mut World, bytes: &[u8]) {
        self.say(w, Side::Server, bytes);
    }

    /// A side says something, in TLS records where the conversation is sealed.
    pub(crate) fn say(&mut self, w: &mut World, side: Side, bytes: &[u8]) {
        if self.sealed {
            let records = tls::records(&mut self.rng, bytes.len());
            self.send(w, side, &records);
        } else {
            self.send(w, side, bytes);
        }
    }

    fn send(&mut self, w: &mut World, side: Side, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.turn(side);
        let count = bytes.len().div_ceil(self.mss);
        let mut in_flight = 0;
        for (i, piece) in bytes.chunks(self.mss).enumerate() {
            let last = i + 1 == count;
            self.settle_debt(side);
            let flags = if last { ACK | PSH } else { ACK };
            let frame = self.frame(w, side, flags, None, &[], piece, 0);
            self.place(w, frame);
            let me = &mut self.ends[side as usize];
            me.next = me.next.wrapping_add(piece.len() as u32);
            in_flight += 1;
            let other = &mut self.ends[side.other() as usize];
            other.owed += 1;
            if other.owed >= 2 {
                self.acknowledge(w, side.other());
            }
            let me = &mut self.ends[side as usize];
            if !last {
                self.now += SPACING + self.rng.between(0, 6) * US;
                if in_flight >= me.burst {
                    self.now += self.ends[0].leg + self.ends[1].leg;
                    in_flight = 0;
                    let me = &mut self.ends[side as usize];
                    me.burst = (me.burst * 2).min(20);
                }
            }
        }
        self.last = side;
    }

    /// Puts a data segment on the wire: now and then it is sent again although it had arrived, comes
    /// after its successor, or passes a sensor that is too busy to see it.
    fn place(&mut self, w: &mut World, frame: Vec<u8>) {
        if w.loss > 0.0 && self.rng.chance(w.loss) {
            if self.rng.chance(0.5) {
                w.put(self.now + 2 * SPACING, frame);
            }
            return;
        }
        if self.rng.chance(w.retransmit) {
            let rtt = self.ends[0].leg + self.ends[1].leg;
            let later = rtt + 4 * MS + self.rng.between(0, 2_000) * US;
            w.put(self.now + later, frame.clone());
        }
        w.put(self.now, frame);
    }

    /// A side acknowledges what it has received so far, as soon as it can.
    fn acknowledge(&mut self, w: &mut World, side: Side) {
        let now = self.now;
        self.ends[side as usize].seen = self.ends[side.other() as usize].next;
        self.ends[side as usize].owed = 0;
        self.now += self.ends[side as usize].leg + self.rng.between(0, 8) * US;
        self.emit(w, side, ACK, None, &[], &[]);
        self.now = now;
    }

    /// What a side sends carries the acknowledgement of all it has received.
    fn settle_debt(&mut self, side: Side) {
        let next = self.ends[side.other() as usize].next;
        let me = &mut self.ends[side as usize];
        me.seen = next;
        me.owed = 0;
    }

    /// Time passes between what one side said and what this one says.
    fn turn(&mut self, side: Side) {
        let leg = self.ends[side as usize].leg;
        self.now += if side == self.last { 30 * US } else { leg + self.rng.between(40, 300) * US };
    }

    /// Time passes: late acknowledgements go out.
    pub(crate) fn pause(&mut self, w: &mut World, length: Nanos) {
        let until = self.now + length.max(0);
        for side in [Side::Client, Side::Server] {
            if self.ends[side as usize].owed > 0 && length > DELAYED_ACK {
                let now = self.now;
                self.now += DELAYED_ACK - self.ends[side as usize].leg.min(20 * MS);
                self.acknowledge(w, side);
                self.now = now;
            }
        }
        self.now = until;
    }

    /// Time passes until `at`, if that is still to come.
    pub(crate) fn wait_until(&mut self, w: &mut World, at: Nanos) {
        self.pause(w, at - self.now);
    }

    /// A side asks whether the other is still there (RFC 9293, 3.8.4).
    pub(crate) fn keep_alive(&mut self, w: &mut World, side: Side) {
        self.settle_debt(side);
        let probe = self.frame(w, side, ACK, None, &[], &[], 1);
        w.put(self.now, probe);
        self.now += self.ends[side.other() as usize].leg;
        self.emit(w, side.other(), ACK, None, &[], &[]);
    }

    /// An orderly end, begun by a side.
    pub(crate) fn close(mut self, w: &mut World, side: Side) -> Nanos {
        self.turn(side);
        for who in [side, side.other()] {
            self.settle_debt(who);
            self.emit(w, who, FIN | ACK, None, &[], &[]);
            self.ends[who as usize].next = self.ends[who as usize].next.wrapping_add(1);
            self.now += self.ends[who.other() as usize].leg + self.rng.between(10, 90) * US;
        }
        self.settle_debt(side);
        self.emit(w, side, ACK, None, &[], &[]);
        self.now
    }

    /// A sudden end.
    pub(crate) fn abort(mut self, w: &mut World, side: Side) -> Nanos {
        self.turn(side);
        self.settle_debt(side);
        self.emit(w, side, RST | ACK, None, &[], &[]);
        self.now
    }

    /// The caller's host, port and address when the conversation was opened.
    pub(crate) fn caller(&self) -> (HostId, u16, std::net::Ipv4Addr) {
        let end = &self.ends[0];
        (end.host, end.port, end.ip.from)
    }

    /// Whether nobody has touched it for longer than a stack would wait with a keep-alive.
    pub(crate) fn is_idle(&self, at: Nanos) -> bool {
        at - self.now > 75 * SEC
    }
}
