//! The conversations of the last 14 days: what pre-flight replays.
//!
//! One record for who called whom for what, however often: a client's own port is not kept, and
//! where a server is called on very many ports they count together, as port 0 (passive FTP, RPC,
//! and what a port scan leaves). A record says how often, in how many ten-minute slots and days, at
//! which interval, and whether there was an answer.
//!
//! **What an attacker does is not normal life.** From the moment a case began, whatever its device
//! does first is *suspect* ([`History::exclude`]): kept, shown, and never a reason to call
//! something essential. Of what it did before, only the time before counts.
//!
//! Bounded: beyond its cap, conversations that were seen in fewest slots go first, and of those the
//! ones not seen for longest. So a flood of made-up conversations pushes out itself and not the
//! ward's. Nothing here reads a clock. Absent: payload, users, and anything of a patient.

mod flows;
mod keep;
mod names;
mod record;
mod slots;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use model::Timestamp;

pub(crate) use flows::conversation;
pub use flows::{BadLine, FlowsRead};
pub use keep::LoadError;
pub use names::Names;
pub(crate) use names::is_below;
pub use record::{Normal, Record};

use crate::restriction::{Conversation, Proto};

/// How far back a history reaches.
pub const REACH: Duration = Duration::from_secs(14 * 86_400);

/// Ports of one server that are kept apart for one client and transport.
const PORTS: usize = 32;
/// Lowest port that servers choose by chance (Linux 32768, IANA 49152): kept apart only while few.
const CHANCE: u16 = 32_768;
/// Devices with cases that are remembered.
const EXCLUDED: usize = 100_000;

/// What was seen of one flow: all of it, or what it did since it was last told.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Who called whom for what.
    pub conversation: Conversation,
    /// Its application protocol as observations name it; empty where nobody knows.
    pub service: &'a str,
    /// First packet told here.
    pub first: Timestamp,
    /// Last packet told here.
    pub last: Timestamp,
    /// Whether the flow began here, and is not a flow told before that goes on.
    pub began: bool,
    /// Whether the called side answered (established, and not refused).
    pub answered: bool,
    /// Packets told here, both ways.
    pub packets: u64,
    /// Bytes told here, both ways.
    pub bytes: u64,
    /// Usual longest silence within the flow, where known.
    pub pause: Option<Duration>,
}

/// The conversations of the last 14 days, bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    cap: usize,
    records: BTreeMap<Conversation, Record>,
    /// Who called each server, so that both sides are found at once.
    callers: BTreeMap<IpAddr, BTreeSet<IpAddr>>,
    /// Since when what a device does is no evidence of normal life.
    excluded: BTreeMap<IpAddr, Timestamp>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    forgotten: u64,
    skipped: u64,
}

impl Default for History {
    fn default() -> Self {
        Self::new(Self::CAP)
    }
}

impl History {
    /// Conversations that are kept unless said otherwise.
    pub const CAP: usize = 200_000;

    /// An empty one that keeps at most `cap` conversations, and at least 16.
    pub fn new(cap: usize) -> Self {
        Self {
            cap: cap.max(16),
            records: BTreeMap::new(),
            callers: BTreeMap::new(),
            excluded: BTreeMap::new(),
            first: None,
            last: None,
            forgotten: 0,
            skipped: 0,
        }
    }

    /// Records what was seen of a flow.
    pub fn record(&mut self, seen: &Seen<'_>) {
        let key = self.key(seen.conversation);
        let is_life = self.excluded_from(&key).is_none_or(|from| seen.first < from);
        let last = seen.last.max(seen.first);
        self.first = Some(self.first.map_or(seen.first, |first| first.min(seen.first)));
        self.last = Some(self.last.map_or(last, |before| before.max(last)));
        match self.records.entry(key) {
            Entry::Occupied(record) => record.into_mut().add(seen, is_life),
            Entry::Vacant(place) => {
                place.insert(Record::new(seen)).add(seen, is_life);
                self.callers.entry(key.server).or_default().insert(key.client);
            }
        }
        if self.records.len() > self.cap {
            self.forget_some();
        }
    }

    /// Counts a flow that no rule could name, such as one of another IP protocol.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// The key a conversation is kept under: its own, or port 0 where a server has too many.
    fn key(&self, conversation: Conversation) -> Conversation {
        let any = Conversation { port: 0, ..conversation };
        if conversation.proto == Proto::Icmp || self.records.contains_key(&conversation) {
            return if conversation.proto == Proto::Icmp { any } else { conversation };
        }
        let all = any..=Conversation { port: u16::MAX, ..any };
        let ports = self.records.range(all).filter(|(key, _)| key.port != 0).count();
        let chance = if conversation.port >= CHANCE { PORTS / 2 } else { PORTS };
        if ports < chance { conversation } else { any }
    }

    /// Forgets an eighth: what is least established, and of that the longest unseen.
    fn forget_some(&mut self) {
        let mut all: Vec<_> = self.records.iter().map(|(key, r)| (r.rank(), *key)).collect();
        all.sort_unstable();
        let count = (self.cap / 8).max(self.records.len().saturating_sub(self.cap));
        for (_, key) in all.into_iter().take(count) {
            self.forget(&key);
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }

    fn forget(&mut self, key: &Conversation) {
        self.records.remove(key);
        if self.between(key.client, key.server).next().is_some() {
            return;
        }
        if let Some(callers) = self.callers.get_mut(&key.server) {
            callers.remove(&key.client);
            if callers.is_empty() {
                self.callers.remove(&key.server);
            }
        }
    }

    /// Forgets what was not seen for 14 days. A clock that ran ahead forgets nothing: time is never
    /// taken for later than the last recorded packet.
    pub fn expire(&mut self, now: Timestamp) {
        let Some(last) = self.last else { return };
        let edge = now.min(last).minus(REACH);
        let old: Vec<_> =
            self.records.iter().filter(|(_, r)| r.last < edge).map(|(key, _)| *key).collect();
        old.iter().for_each(|key| self.forget(key));
        self.first = self.first.map(|first| first.max(edge));
    }

    /// From `from` on, what these addresses do is no evidence of normal life: a case is open.
    /// `from` is when the first evidence of the case was seen, not when somebody noticed.
    pub fn exclude(&mut self, addresses: &[IpAddr], from: Timestamp) {
        for address in addresses {
            let since = self.excluded.entry(*address).or_insert(from);
            *since = from.min(*since);
        }
        while self.excluded.len() > EXCLUDED {
            let oldest = self.excluded.iter().min_by_key(|(address, from)| (**from, **address));
            let Some(oldest) = oldest.map(|(address, _)| *address) else { return };
            self.excluded.remove(&oldest);
        }
    }

    /// The case was a false alarm: what these addresses did counts again.
    pub fn readmit(&mut self, addresses: &[IpAddr]) {
        for address in addresses {
            self.excluded.remove(address);
        }
    }

    /// Whether a case of an address is open.
    pub fn is_excluded(&self, address: IpAddr) -> bool {
        self.excluded.contains_key(&address)
    }

    /// Since when a conversation is no evidence of normal life.
    fn excluded_from(&self, key: &Conversation) -> Option<Timestamp> {
        let of = |address| self.excluded.get(address).copied();
        match (of(&key.client), of(&key.server)) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
    }

    /// What was recorded of a conversation.
    pub fn get(&self, conversation: &Conversation) -> Option<&Record> {
        self.records.get(&self.key(*conversation))
    }

    /// Whether a conversation was first seen after a case of one of its sides began.
    pub fn is_suspect(&self, conversation: &Conversation, record: &Record) -> bool {
        self.excluded_from(conversation).is_some_and(|from| record.first >= from)
    }

    /// What a conversation says of normal life; nothing where it is suspect.
    pub fn normal(&self, conversation: &Conversation, record: &Record) -> Option<Normal> {
        let until = self.excluded_from(conversation);
        if until.is_some_and(|from| record.first >= from) {
            return None;
        }
        Some(record.normal(until))
    }

    /// All conversations, in order of client, server, transport and port.
    pub fn all(&self) -> impl Iterator<Item = (&Conversation, &Record)> {
        self.records.iter()
    }

    /// The conversations that an address has, as client or as server.
    pub fn of(&self, address: IpAddr) -> impl Iterator<Item = (&Conversation, &Record)> {
        let callers = self.callers.get(&address).into_iter().flatten();
        let called = callers
            .filter(move |client| **client != address)
            .flat_map(move |client| self.between(*client, address));
        self.called_by(address).chain(called)
    }

    /// The conversations in which an address is the client.
    pub fn called_by(&self, address: IpAddr) -> impl Iterator<Item = (&Conversation, &Record)> {
        self.records.range(ends(address, LOWEST, HIGHEST))
    }

    /// The conversations in which one address calls another.
    pub fn between(
        &self,
        client: IpAddr,
        server: IpAddr,
    ) -> impl Iterator<Item = (&Conversation, &Record)> {
        self.records.range(ends(client, server, server))
    }

    /// From when to when flows were recorded.
    pub fn recorded(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.first?, self.last?))
    }

    /// How many conversations there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many conversations were forgotten since there were too many.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// How many flows were of a transport that no rule can name.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// All conversations of a client, from one server to another.
const fn ends(client: IpAddr, from: IpAddr, to: IpAddr) -> RangeInclusive<Conversation> {
    let first = Conversation { client, server: from, proto: Proto::Tcp, port: 0 };
    let last = Conversation { client, server: to, proto: Proto::Icmp, port: u16::MAX };
    first..=last
}

/// IPv4 sorts before IPv6.
const LOWEST: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const HIGHEST: IpAddr = IpAddr::V6(Ipv6Addr::from_bits(u128::MAX));

#[cfg(test)]
mod tests;
