//! Observations to counts: which device's window each one belongs to, and what it adds there.

use std::collections::BTreeMap;
use std::net::IpAddr;

use assets::{DeviceIx, Entity, Who};
use ml::verbs::{self, Verbs};
use model::device::DeviceClass;
use model::flow::FlowId;
use model::net::Mac;
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Channel, Devices};
use crate::bounded::Bounded;
use crate::features::damped::Damped;
use crate::features::distinct::{mark, mix};
use crate::features::{Answer, Readings, Sort, TEN_MINUTES, WINDOW, Window, strangeness};
use crate::normal::{Act, Familiarity, ordered};
use crate::text::{entropy, registered_domain};

/// Most channels followed at once; the ones that were silent for longest are forgotten first.
const MAX_CHANNELS: usize = 50_000;

/// What an observation is, to who counts it.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// What was observed.
    pub o: &'a Observation,
    /// Who takes part.
    pub who: Who,
    /// It as an act, and how well that is known.
    pub act: Option<(&'a Act<'a>, &'a Familiarity)>,
    /// Whether the two have dealt with each other while learning.
    pub known_pair: bool,
    /// Class of who does it.
    pub class: DeviceClass,
    /// Whether what is seen is normal life to learn from.
    pub learning: bool,
}

/// Counts observations into windows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Counter {
    #[serde(skip)]
    readings: Readings,
    channels: Bounded<(Entity, Entity), Channel>,
    /// Who said last that an address is its own.
    claimed: Bounded<IpAddr, Mac>,
    /// Flows that were news when they began.
    strange: Bounded<FlowId, ()>,
    /// Names that devices give themselves: who did first, and who else does.
    names: Bounded<(u64, DeviceIx), ()>,
    named: Bounded<u64, DeviceIx>,
    /// How many devices ever gave an answer of a kind.
    givers: Bounded<u64, u32>,
    /// The order of what devices of a class do.
    verbs: BTreeMap<DeviceClass, Order>,
}

/// What devices of a class do, one after the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order(Verbs);

impl Default for Order {
    fn default() -> Self {
        Self(Verbs::new(&verbs::Settings::default()))
    }
}

/// So many acts of a device in a window tell enough of their order.
const MOST_WORDS: u32 = 64;

impl Default for Counter {
    fn default() -> Self {
        Self {
            readings: Readings::default(),
            channels: Bounded::new(MAX_CHANNELS),
            claimed: Bounded::new(MAX_CHANNELS),
            strange: Bounded::new(MAX_CHANNELS),
            names: Bounded::new(MAX_CHANNELS),
            named: Bounded::new(MAX_CHANNELS),
            givers: Bounded::new(MAX_CHANNELS),
            verbs: BTreeMap::new(),
        }
    }
}

impl Counter {
    pub(super) fn count(&mut self, seen: &Seen<'_>, devices: &mut Devices) {
        let o = seen.o;
        let reading = self.readings.of(o.kind);
        let Who { subject, peer, .. } = seen.who;
        match reading.sort {
            Sort::FlowUpdate => self.grew(o, seen.who, devices),
            Sort::FlowEnd => {
                self.grew(o, seen.who, devices);
                if let Some(window) = devices.window(subject) {
                    ended(o, window);
                }
            }
            Sort::FlowStart => {
                self.called(o.at, seen, devices);
                let channel = self.channels.entry(ordered(subject, peer), Channel::default);
                channel.turn(devices.window_end());
                channel.begun = channel.begun.saturating_add(1);
                let begun = channel.begun;
                if let Some(window) = devices.window(subject) {
                    window.flows_out += 1;
                    window.flows_to_one = window.flows_to_one.max(begun);
                    window.responders.see(of_entity(peer));
                    if matches!(peer, Entity::External(_)) {
                        window.externals.see(of_entity(peer));
                    }
                }
                if let Some(window) = devices.window(peer) {
                    window.flows_in += 1;
                    window.callers.see(of_entity(subject));
                }
            }
            Sort::FlowOutcome => {
                if let Some(window) = devices.window(subject) {
                    match o.str("outcome") {
                        Some("established") => window.established += 1,
                        Some("refused") => window.refused += 1,
                        _ => window.unanswered += 1,
                    }
                    if let Some((act, _)) = seen.act {
                        window.services.see(mark(act.service));
                    }
                }
                if let (Some((_, known)), Some(flow)) = (seen.act, &o.flow)
                    && !known.act
                {
                    self.strange.entry(flow.id, || ());
                }
            }
            Sort::FlowProtocol => {
                if o.str("protocol") == Some("unrecognised")
                    && let Some(window) = devices.window(subject)
                {
                    window.unreadable += 1;
                }
            }
            Sort::Arp => self.arp(o, subject, devices),
            Sort::Broken => {
                if let Some(window) = devices.window(subject) {
                    window.broken = window.broken.saturating_add(o.uint("count").unwrap_or(1));
                    window.strange(0.5, o.peer.as_ref(), o.id);
                }
            }
            Sort::Record => {}
            Sort::Name | Sort::Speech => {
                // What is answered counts for who asked, and for the answerer the other way.
                let answers = reading.answers(o);
                let (asker, asked) = if answers { (peer, subject) } else { (subject, peer) };
                let answer = reading.answer(o);
                if let Entity::Device(ix) = subject
                    && !answers
                {
                    self.name(reading.names(o), ix, seen.learning, devices);
                }
                if let Some(window) = devices.window(asker) {
                    match answer {
                        Some((Answer::No, count)) => {
                            window.no = window.no.saturating_add(count);
                        }
                        Some(_) => window.yes += 1,
                        None => {}
                    }
                    window.logins += u32::from(reading.is_login());
                    if let Some(patient) = reading.patient(o) {
                        window.patients.see(patient);
                    }
                    window.most_patients = window.most_patients.max(reading.patients(o));
                    let results = reading.results(o);
                    window.results = window.results.saturating_add(results);
                    window.most_results = window.most_results.max(results);
                    window.wildcards += u32::from(reading.is_wildcard(o));
                    window.rewrites += u32::from(reading.is_rewrite(o));
                    if let Some(bits) = reading.entropy(o) {
                        window.noise = window.noise.max(bits.clamp(0.0, 8.0) as f32);
                    }
                    window.unlimited += u32::from(reading.is_unlimited(o));
                    if reading.sort == Sort::Name {
                        name(o, window);
                    }
                    if !answers {
                        let bytes = reading.bytes(o);
                        window.act_bytes = window.act_bytes.saturating_add(bytes);
                        window.largest_act = window.largest_act.max(bytes);
                    }
                }
                if answers || seen.act.is_none() {
                    if let Entity::Device(ix) = subject {
                        self.answer(reading.sort_of_message(o), ix, seen.learning, devices);
                    }
                    if let Some(window) = devices.window(subject) {
                        window.answered = window.answered.saturating_add(1);
                    }
                    if let Some(window) = devices.window(peer) {
                        window.heard = window.heard.saturating_add(1);
                    }
                }
                if let (Some((Answer::No, count)), Some(window)) = (answer, devices.window(asked)) {
                    window.failures_in = window.failures_in.saturating_add(count);
                }
            }
        }
        if let Some((act, known)) = seen.act {
            let (verb, contact) = (of_verb(act), reading.sort == Sort::FlowOutcome);
            acted(seen, verb, contact, devices);
            if !contact {
                self.order(seen, act, known, verb, devices);
            }
        }
    }

    /// The order of what a device does, and its rhythm.
    fn order(
        &mut self,
        seen: &Seen<'_>,
        act: &Act<'_>,
        known: &Familiarity,
        verb: u64,
        devices: &mut Devices,
    ) {
        let Entity::Device(me) = act.actor else { return };
        let teaches = seen.learning || known.act;
        let verb = mix(verb);
        let word = (verb >> 32) as u32;
        let Some(life) = devices.life(me) else { return };
        let Some(window) = &mut life.window else { return };
        if window.words >= MOST_WORDS {
            return;
        }
        window.words += 1;
        let peers = self.verbs.entry(seen.class).or_default();
        let bits = peers.0.surprise(&life.history, word, None) as f32;
        window.word_bits += bits;
        window.word_bits_most = window.word_bits_most.max(bits);
        if teaches {
            peers.0.learn(&life.history, word);
        }
        life.history.push(word);
        if life.history.len() > verbs::ORDER {
            life.history.remove(0);
        }
        let beat = verb ^ of_entity(act.target).rotate_left(31);
        let at = seen.o.at.seconds_f64();
        if let Some(early) = life.rhythms.beat(beat, at, teaches) {
            window.early = window.early.max(-early.max(1e-18).log2() as f32);
        }
    }

    /// Names that a device gives itself.
    fn name(
        &mut self,
        names: impl Iterator<Item = u64>,
        me: DeviceIx,
        learning: bool,
        devices: &mut Devices,
    ) {
        for name in names {
            let first = *self.named.entry(name, || me);
            if self.names.contains(&(name, me)) {
                continue;
            }
            if learning {
                self.names.entry((name, me), || ());
            }
            if let Some(window) = devices.window(Entity::Device(me)) {
                window.new_names.see(mix(name));
                if first != me {
                    window.borrowed_names.see(mix(name));
                }
            }
        }
    }

    /// A device answers, offers or reports something.
    fn answer(&mut self, sort: u64, me: DeviceIx, learning: bool, devices: &mut Devices) {
        if self.names.contains(&(sort, me)) {
            return;
        }
        let givers = self.givers.entry(sort, u32::default);
        let before = *givers;
        if learning {
            *givers = givers.saturating_add(1);
            self.names.entry((sort, me), || ());
        }
        let all = devices.lives.len();
        if let Some(window) = devices.window(Entity::Device(me)) {
            window.new_answers.see(sort);
            let share = (all as f64 + 1.0) / (f64::from(before) + 1.0);
            window.answer_bits = window.answer_bits.max(share.log2().max(0.0) as f32);
        }
    }

    /// Somebody calls somebody: how regularly, where the two are news to each other.
    fn called(&mut self, at: Timestamp, seen: &Seen<'_>, devices: &mut Devices) {
        let Who { subject, peer, .. } = seen.who;
        if seen.known_pair || matches!(peer, Entity::Group | Entity::Nobody) {
            return;
        }
        let channel = self.channels.entry(ordered(subject, peer), Channel::default);
        if let Some(regular) = channel.called(at)
            && let Some(window) = devices.window(subject)
        {
            window.regular_news = window.regular_news.max(regular);
        }
    }

    fn arp(&mut self, o: &Observation, subject: Entity, devices: &mut Devices) {
        let (sender, ip) = (o.mac("sender_mac"), o.ip("sender_ip"));
        let conflict = match (sender, ip) {
            (Some(mac), Some(ip)) => {
                let last = self.claimed.entry(ip, || mac);
                std::mem::replace(last, mac) != mac
            }
            _ => false,
        };
        let Some(window) = devices.window(subject) else { return };
        if o.str("operation") == Some("request") && !o.flag("gratuitous") {
            if let Some(ip) = o.ip("target_ip") {
                window.arp_asked.see(of_entity(Entity::External(ip)));
            }
        } else {
            window.arp_told = window.arp_told.saturating_add(1);
        }
        window.arp_conflicts += u32::from(conflict);
    }

    /// Bytes and packets that went since a flow was last told of.
    fn grew(&mut self, o: &Observation, who: Who, devices: &mut Devices) {
        let number = |name| o.uint(name).unwrap_or(0);
        let packets = [number("delta_packets_out"), number("delta_packets_in")];
        let bytes = [number("delta_bytes_out"), number("delta_bytes_in")];
        if packets == [0, 0] {
            return;
        }
        let both = packets[0].saturating_add(packets[1]);
        let key = ordered(who.subject, who.peer);
        let strange = o.flow.as_ref().is_some_and(|flow| self.strange.contains(&flow.id));
        let channel = self.channels.entry(key, Channel::default);
        channel.turn(devices.window_end());
        channel.packets = channel.packets.saturating_add(both);
        channel.bytes = channel.bytes.saturating_add(bytes[0].saturating_add(bytes[1]));
        let (busiest, burst) = (channel.packets, channel.burst(devices.window_end()));
        let unusual = channel.strange();
        let live = o.flow.as_ref().map(|flow| mark_of_flow(flow.id));
        for (me, other, turn) in [(who.subject, who.peer, false), (who.peer, who.subject, true)] {
            let Some(window) = devices.window(me) else { continue };
            let [out, back] = if turn { [1, 0] } else { [0, 1] };
            for (sum, more) in window.packets.iter_mut().zip([packets[out], packets[back]]) {
                *sum = sum.saturating_add(more);
            }
            for (sum, more) in window.bytes.iter_mut().zip([bytes[out], bytes[back]]) {
                *sum = sum.saturating_add(more);
            }
            if strange && matches!(other, Entity::External(_)) {
                window.strange_outside = window.strange_outside.saturating_add(bytes[out]);
            } else if strange {
                window.strange_packets = window.strange_packets.saturating_add(both);
                window.strange_bytes = window.strange_bytes.saturating_add(bytes[out]);
            }
            window.channels.see(of_entity(other));
            window.top_channel = window.top_channel.max(busiest);
            window.channel_burst = window.channel_burst.max(burst);
            window.channel_strange = window.channel_strange.max(unusual);
            if let Some(flow) = live {
                window.live_flows.see(flow);
            }
            if matches!(other, Entity::External(_)) {
                window.external_bytes = window.external_bytes.saturating_add(bytes[out]);
            }
        }
    }
}

/// Windows after which older ones begin to fade from what is usual between two, and from which on
/// anything is.
const HABIT: u16 = 500;
const KNOWN: u16 = 3;
/// The smallest standard deviation of ln(1 + bytes) between two.
const LEAST_SPREAD: f32 = 0.4;

impl Channel {
    /// Begins a new window where the last one is over.
    fn turn(&mut self, end: Timestamp) {
        if self.end != end {
            let bytes = std::mem::take(&mut self.bytes);
            self.past.add(self.end, TEN_MINUTES, [bytes]);
            if bytes > 0 {
                self.windows = (self.windows + 1).min(HABIT);
                let share = 1.0 / f32::from(self.windows);
                let off = (bytes as f32).ln_1p() - self.usual;
                self.usual += share * off;
                self.spread = (1.0 - share) * (self.spread + share * off * off);
            }
            (self.packets, self.begun) = (0, 0);
            self.end = end;
        }
    }

    /// How much more than ever went between the two, in standard deviations of the logarithm.
    fn strange(&self) -> f32 {
        if self.windows < KNOWN {
            return 0.0;
        }
        let off = (self.bytes as f32).ln_1p() - self.usual;
        (off / (self.spread + LEAST_SPREAD * LEAST_SPREAD).sqrt()).max(0.0)
    }

    /// How much faster than in the last ten minutes, as a logarithm.
    fn burst(&self, end: Timestamp) -> f32 {
        let [rate] = self.past.rates(end.minus(WINDOW), TEN_MINUTES);
        let now = self.bytes as f64 / WINDOW.as_secs_f64();
        ((now + 50.0) / (rate + 50.0)).ln().max(0.0) as f32
    }
}

impl Channel {
    /// A call; how regular the calls are, where there were enough.
    fn called(&mut self, at: Timestamp) -> Option<f32> {
        let pause = at.seconds_since(self.last_call).max(0.0);
        let first = self.calls == 0;
        // Calls in one breath are one.
        if !first && pause < 0.5 {
            return None;
        }
        self.last_call = at;
        self.calls = self.calls.saturating_add(1);
        if first {
            return None;
        }
        let count = f64::from(self.calls - 1);
        let off = pause - self.pause_mean;
        self.pause_mean += off / count;
        self.pause_m2 += off * (pause - self.pause_mean);
        if self.calls < 4 || self.pause_mean <= 0.0 {
            return None;
        }
        let spread = (self.pause_m2 / (count - 1.0)).sqrt() / self.pause_mean;
        Some(-(spread.clamp(0.02, 1.0).ln()) as f32)
    }
}

fn mark_of_flow(flow: FlowId) -> u64 {
    mix(flow.0)
}

/// A mark of what is done, to whomever.
fn of_verb(act: &Act<'_>) -> u64 {
    mark(act.verb) ^ mark(act.service).rotate_left(17)
}

fn acted(seen: &Seen<'_>, verb: u64, contact: bool, devices: &mut Devices) {
    let (Some((act, known)), o) = (seen.act, seen.o) else { return };
    let strange = strangeness(known);
    let (actor, target) = (of_entity(act.actor), of_entity(act.target));
    let deed = mix(verb ^ actor.rotate_left(7) ^ target.rotate_left(31));
    if let Some(window) = devices.window(act.actor) {
        if !contact {
            window.acts = window.acts.saturating_add(1);
            window.verb(mix(verb));
            window.act_bytes = window.act_bytes.saturating_add(act.bytes);
            window.largest_act = window.largest_act.max(act.bytes);
        }
        if strange > 0.0 && window.news.see(deed) {
            window.strange(strange, o.peer.as_ref(), o.id);
            if matches!(act.target, Entity::External(_)) {
                window.outside += strange;
                if !known.pair {
                    window.new_outside.see(target);
                }
            } else {
                window.inside += strange;
                window.new_peers += u32::from(!known.pair);
                window.new_services += u32::from(!known.service_of_actor);
                window.new_verbs += u32::from(!known.verb_of_actor);
                window.unheard += u32::from(known.others == 0);
                let unlike = known.others > 0 && !known.peers_of_class && !known.verb_of_actor;
                window.unlike += u32::from(unlike);
            }
        }
    }
    if let Some(window) = devices.window(act.target) {
        if !contact {
            window.acts_in = window.acts_in.saturating_add(1);
        }
        if strange > 0.0 && window.news.see(deed) {
            window.strange(strange / 2.0, Some(&o.subject), o.id);
            window.new_bits_in += strange * -known.surprise_rate.clamp(1e-6, 1.0).log2() as f32;
            window.new_callers += u32::from(!known.pair);
            let served = known.others_on_service > 0 || known.service_of_target;
            window.new_served += u32::from(!served);
        }
    }
}

fn ended(o: &Observation, window: &mut Window) {
    let number = |name| o.uint(name).unwrap_or(0);
    let reset = o.str("reason") == Some("rst") && o.str("state") != Some("REJ");
    window.resets += u32::from(reset);
    let ended = &mut window.ended;
    ended.flows += 1;
    ended.seconds += o.float("seconds").unwrap_or(0.0);
    ended.spread += o.float("size_std_out").unwrap_or(0.0);
    if let Some(gap) = o.float("gap_mean_out").filter(|gap| *gap > 0.0) {
        ended.gaps += 1;
        ended.gap += gap;
        ended.jitter += (o.float("gap_std_out").unwrap_or(0.0) / gap).min(20.0);
    }
    ended.packets += number("packets_out").saturating_add(number("packets_in"));
    ended.repeated += number("retransmitted_out").saturating_add(number("retransmitted_in"));
}

fn name(o: &Observation, window: &mut Window) {
    let Some(name) = o.str("name") else { return };
    if window.names.see(mark(name)) {
        carried(name, window);
    }
    let free = o.str("type").is_some_and(|kind| {
        matches!(kind, "TXT" | "NULL" | "KEY" | "CNAME" | "MX") || kind.starts_with("TYPE")
    });
    window.free_records += u32::from(free);
    let longest = name.split('.').max_by_key(|label| label.len()).unwrap_or_default();
    window.name_entropy = window.name_entropy.max(entropy(longest.as_bytes()) as f32);
    window.name_length = window.name_length.max(u32::try_from(name.len()).unwrap_or(u32::MAX));
}

/// Owners of names that are counted in a window.
const OWNERS: usize = 8;

/// What a name could carry to its owner: the letters below the owner's own. Reverse look-ups are
/// numbers by nature.
fn carried(name: &str, window: &mut Window) {
    let owner = registered_domain(name);
    let letters = u32::try_from(name.len() - owner.len()).unwrap_or(u32::MAX);
    if letters == 0 || owner.ends_with(".arpa") {
        return;
    }
    let owner = mark(owner);
    if let Some((_, sum)) = window.carried.iter_mut().find(|(one, _)| *one == owner) {
        *sum = sum.saturating_add(letters);
    } else if window.carried.len() < OWNERS {
        window.carried.push((owner, letters));
    }
}

/// A mark of who takes part.
pub(super) fn of_entity(entity: Entity) -> u64 {
    match entity {
        Entity::Device(ix) => mix(u64::from(ix.0)),
        Entity::External(std::net::IpAddr::V4(ip)) => mix(u64::from(ip.to_bits()) | 1 << 40),
        Entity::External(std::net::IpAddr::V6(ip)) => {
            let bits = ip.to_bits();
            mix((bits >> 64) as u64 ^ mix(bits as u64))
        }
        Entity::Group => 1,
        Entity::Nobody => 2,
    }
}

/// What is kept of two that deal with each other.
pub(super) type PastOfChannel = Damped<1>;
