//! Normal life: who does what to whom, over which service, how often and how regularly.
//!
//! Its unit is the [`Act`]: an actor does something (a verb) to a target over a service. Acts are
//! kept exactly and, beside that, at the levels at which one generalises: the pair whatever they do,
//! the actor whatever the target, the target whoever the actor, and the class of the actor. So a
//! detector can ask not only "was this seen before" but "how far is this from what was".
//!
//! Only what happens while learning becomes normal, and later what went on for long enough without
//! anybody objecting ([`NormalLife::settle`]).

use std::collections::{HashMap, VecDeque};

use assets::{DeviceIx, Entity};
use foldhash::fast::RandomState;
use model::device::DeviceClass;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bounded::Bounded;

/// Somebody does something to somebody.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Who does it.
    pub actor: Entity,
    /// Whom it is done to.
    pub target: Entity,
    /// Protocol, or transport and port.
    pub service: &'a str,
    /// What is done, in the protocol's own words.
    pub verb: &'a str,
    /// Bytes that went with it, where known.
    pub bytes: u64,
}

/// A word that was seen before, as a number.
type Word = u32;

/// Statistics of one act.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// How often it was done.
    pub count: u64,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
    /// Bytes in all.
    pub bytes: u64,
    /// Mean time between two, in seconds.
    pub interval_mean: f64,
    /// Sum of squared distances from that mean (Welford).
    interval_m2: f64,
    /// Whether it was seen while learning, or has settled since.
    pub normal: bool,
}

impl Relation {
    fn add(&mut self, at: Timestamp, bytes: u64, learning: bool) {
        if self.count == 0 {
            self.first = at;
        } else {
            let interval = at.since(self.last).as_secs_f64();
            let off = interval - self.interval_mean;
            self.interval_mean += off / self.count as f64;
            self.interval_m2 += off * (interval - self.interval_mean);
        }
        self.count += 1;
        self.last = at;
        self.bytes = self.bytes.saturating_add(bytes);
        self.normal |= learning;
    }

    /// Standard deviation of the time between two over its mean: 0 for a clock, 1 for chance.
    pub fn irregularity(&self) -> Option<f64> {
        if self.count < 4 || self.interval_mean <= 0.0 {
            return None;
        }
        let variance = self.interval_m2 / (self.count - 2) as f64;
        Some(variance.max(0.0).sqrt() / self.interval_mean)
    }
}

/// How well an act is known, from what was learned.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Familiarity {
    /// Exactly this was done before.
    pub act: bool,
    /// These two have dealt with each other before, either way, over whatever service.
    pub pair: bool,
    /// This actor has used this service of this target before, with whatever verb.
    pub service_of_target: bool,
    /// This actor has used this service before, with whatever target.
    pub service_of_actor: bool,
    /// This actor has done this before, to whatever target.
    pub verb_of_actor: bool,
    /// How many others have done this to this target.
    pub others: u32,
    /// How many others have used this service of this target.
    pub others_on_service: u32,
    /// A device of the actor's (known) class has done this to this target.
    pub peers_of_class: bool,
    /// The actor was there while learning.
    pub actor: bool,
    /// The target was there while learning.
    pub target: bool,
    /// How many different (target, service) the actor was seen with while learning.
    pub breadth: u32,
    /// How probable something new was for this actor, from how often it did something new while
    /// learning: (new things after its first minute + 1) / (all it did + 2).
    pub surprise_rate: f64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ActorLife {
    first: Timestamp,
    last: Timestamp,
    acts: u64,
    breadth: u32,
    late_news: u32,
    externals: u32,
    late_externals: u32,
}

/// Actor, target, service and verb.
type ActKey = (Entity, Entity, Word, Word);

/// Most acts that wait to become normal; the oldest stay strange when there are more.
const MAX_UNSETTLED: usize = 400_000;

/// Learned acts, at every level.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NormalLife {
    words: Words,
    acts: Bounded<ActKey, Relation>,
    services: Bounded<(Entity, Entity, Word), u64>,
    pairs: Bounded<(Entity, Entity), u64>,
    actor_services: Bounded<(Entity, Word), u64>,
    actor_verbs: Bounded<(Entity, Word, Word), u64>,
    target_verbs: Bounded<(Entity, Word, Word), u32>,
    target_services: Bounded<(Entity, Word), u32>,
    class_acts: Bounded<(DeviceClass, Entity, Word), u32>,
    targets: Bounded<Entity, u32>,
    actors: Bounded<Entity, ActorLife>,
    /// Acts that may become normal, by the time of their first.
    #[serde(default)]
    unsettled: VecDeque<(Timestamp, ActKey)>,
    /// First and last time that was learned from.
    span: Option<(Timestamp, Timestamp)>,
}

impl Default for NormalLife {
    fn default() -> Self {
        Self {
            words: Words::default(),
            acts: Bounded::new(400_000),
            services: Bounded::new(200_000),
            pairs: Bounded::new(200_000),
            actor_services: Bounded::new(200_000),
            actor_verbs: Bounded::new(200_000),
            target_verbs: Bounded::new(200_000),
            target_services: Bounded::new(100_000),
            class_acts: Bounded::new(100_000),
            targets: Bounded::new(200_000),
            actors: Bounded::new(200_000),
            unsettled: VecDeque::new(),
            span: None,
        }
    }
}

/// After this long from a device's first act, something new counts against its regularity.
const SETTLING_IN_SECONDS: f64 = 60.0;

impl NormalLife {
    /// How well an act is known.
    pub fn familiarity(&self, act: &Act<'_>, class: DeviceClass) -> Familiarity {
        let life = self.actors.get(&act.actor);
        let mut known = Familiarity {
            pair: self.knows_pair(act.actor, act.target),
            actor: life.is_some_and(|life| life.acts > 0),
            target: self.actors.get(&act.target).is_some_and(|life| life.acts > 0)
                || self.is_target(act.target),
            breadth: life.map_or(0, |life| life.breadth),
            surprise_rate: life
                .map_or(1.0, |life| (f64::from(life.late_news) + 1.0) / (life.acts as f64 + 2.0)),
            ..Familiarity::default()
        };
        let Some(service) = self.words.get(act.service) else { return known };
        known.service_of_target = self.services.contains(&(act.actor, act.target, service));
        known.service_of_actor = self.actor_services.contains(&(act.actor, service));
        let own = u32::from(known.service_of_target);
        known.others_on_service = self
            .target_services
            .get(&(act.target, service))
            .map_or(0, |&actors| actors.saturating_sub(own));
        known.peers_of_class = class != DeviceClass::Unknown
            && self.class_acts.contains(&(class, act.target, service));
        let Some(verb) = self.words.get(act.verb) else { return known };
        let exact = self.acts.get(&(act.actor, act.target, service, verb));
        known.act = exact.is_some_and(|relation| relation.normal);
        known.verb_of_actor = self.actor_verbs.contains(&(act.actor, service, verb));
        known.others = self
            .target_verbs
            .get(&(act.target, service, verb))
            .map_or(0, |&actors| actors.saturating_sub(u32::from(known.act)));
        known
    }

    /// Takes an act in. While `learning` it becomes normal at every level at once; afterwards it is
    /// only counted, and becomes normal when it settles.
    pub fn add(&mut self, at: Timestamp, act: &Act<'_>, class: DeviceClass, learning: bool) {
        let service = self.words.intern(act.service);
        let verb = self.words.intern(act.verb);
        let key = (act.actor, act.target, service, verb);
        let relation = self.acts.entry(key, Relation::default);
        let was_normal = relation.normal;
        let unheard_of = relation.count == 0;
        relation.add(at, act.bytes, learning);
        if !learning {
            if unheard_of {
                if self.unsettled.len() >= MAX_UNSETTLED {
                    self.unsettled.pop_front();
                }
                self.unsettled.push_back((at, key));
            }
            return;
        }
        self.span = Some(match self.span {
            None => (at, at),
            Some((first, last)) => (first.min(at), last.max(at)),
        });
        let new = if was_normal { New::default() } else { self.generalise(key, class) };
        let life = self.actors.entry(act.actor, || ActorLife {
            first: at,
            last: at,
            ..ActorLife::default()
        });
        life.acts += 1;
        life.last = at;
        life.breadth += u32::from(new.service);
        let external = new.pair && matches!(act.target, Entity::External(_));
        life.externals += u32::from(external);
        if at.seconds_since(life.first) > SETTLING_IN_SECONDS {
            life.late_news += u32::from(new.service);
            life.late_externals += u32::from(external);
        }
    }

    fn generalise(&mut self, (actor, target, service, verb): ActKey, class: DeviceClass) -> New {
        let bump = |count: &mut u64| -> bool {
            *count += 1;
            *count == 1
        };
        let new_service = bump(self.services.entry((actor, target, service), u64::default));
        let new_pair = bump(self.pairs.entry(ordered(actor, target), u64::default));
        self.actor_services.entry((actor, service), u64::default);
        self.actor_verbs.entry((actor, service, verb), u64::default);
        *self.target_verbs.entry((target, service, verb), u32::default) += 1;
        if new_service {
            *self.targets.entry(target, u32::default) += 1;
            *self.target_services.entry((target, service), u32::default) += 1;
            if class != DeviceClass::Unknown {
                *self.class_acts.entry((class, target, service), u32::default) += 1;
            }
        }
        New { service: new_service, pair: new_pair }
    }

    /// Makes normal what was first done before `before` and has been done since: what has gone on
    /// for long enough without an objection. What has not been done since is forgotten and starts
    /// over. `blocked` names those whose acts stay out for now (an open case).
    pub fn settle(
        &mut self,
        before: Timestamp,
        class_of: impl Fn(Entity) -> DeviceClass,
        blocked: impl Fn(Entity) -> bool,
    ) {
        let mut wait = Vec::new();
        while let Some(&(first, key)) = self.unsettled.front()
            && first < before
        {
            self.unsettled.pop_front();
            let Some(relation) = self.acts.get(&key).filter(|known| !known.normal) else {
                continue;
            };
            if relation.last <= before {
                self.acts.remove(&key);
            } else if blocked(key.0) {
                wait.push((first, key));
            } else {
                if let Some(relation) = self.acts.get_mut(&key) {
                    relation.normal = true;
                }
                self.generalise(key, class_of(key.0));
            }
        }
        for entry in wait.into_iter().rev() {
            self.unsettled.push_front(entry);
        }
    }

    /// Whether two have dealt with each other while learning, either way.
    pub fn knows_pair(&self, a: Entity, b: Entity) -> bool {
        self.pairs.contains(&ordered(a, b))
    }

    /// Whether an actor was there while learning.
    pub fn knows(&self, actor: Entity) -> bool {
        self.actors.get(&actor).is_some_and(|life| life.acts > 0)
    }

    /// Whether anybody dealt with it while learning.
    pub fn is_target(&self, entity: Entity) -> bool {
        self.targets.contains(&entity)
    }

    /// In how many ways others used it while learning: pairs of who and which service.
    pub fn uses(&self, target: Entity) -> u32 {
        self.targets.get(&target).copied().unwrap_or(0)
    }

    /// How many external addresses an actor called while learning, and how many of them only after
    /// its first minute.
    pub fn externals(&self, actor: Entity) -> (u32, u32) {
        self.actors.get(&actor).map_or((0, 0), |life| (life.externals, life.late_externals))
    }

    /// How long was learned from, in seconds.
    pub fn learned_seconds(&self) -> f64 {
        self.span.map_or(0.0, |(first, last)| last.seconds_since(first))
    }

    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.span.is_none()
    }

    /// Everything a device does and is done to, as (actor, target, service, verb, relation).
    pub fn of(&self, device: DeviceIx) -> Vec<(Entity, Entity, &str, &str, &Relation)> {
        let me = Entity::Device(device);
        self.acts
            .sorted()
            .into_iter()
            .filter(|((actor, target, ..), _)| *actor == me || *target == me)
            .map(|((actor, target, service, verb), relation)| {
                (*actor, *target, self.words.text(*service), self.words.text(*verb), relation)
            })
            .collect()
    }

    /// How many acts are known.
    pub fn len(&self) -> usize {
        self.acts.len()
    }

    /// Puts everything into a value that can be kept and loaded again.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn save(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// What was saved.
    ///
    /// # Errors
    /// When it was not written by [`NormalLife::save`] of this version.
    pub fn load(saved: &serde_json::Value) -> Result<Self, serde_json::Error> {
        let mut loaded = Self::deserialize(saved)?;
        loaded.words.index();
        Ok(loaded)
    }
}

#[derive(Clone, Copy, Default)]
struct New {
    service: bool,
    pair: bool,
}

/// Two, whichever comes first.
pub(crate) fn ordered(a: Entity, b: Entity) -> (Entity, Entity) {
    if a <= b { (a, b) } else { (b, a) }
}

/// Most words kept; beyond it all new words are one ("other"), so that whoever makes up words by
/// the million fills nothing.
const MAX_WORDS: usize = 100_000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Words {
    texts: Vec<Box<str>>,
    #[serde(skip)]
    numbers: HashMap<Box<str>, Word, RandomState>,
}

impl Words {
    fn get(&self, text: &str) -> Option<Word> {
        self.numbers.get(text).copied()
    }

    fn intern(&mut self, text: &str) -> Word {
        if let Some(&word) = self.numbers.get(text) {
            return word;
        }
        if self.texts.len() >= MAX_WORDS {
            return 0;
        }
        if self.texts.is_empty() {
            self.texts.push("other".into());
        }
        let word = self.texts.len() as Word;
        self.texts.push(text.into());
        self.numbers.insert(text.into(), word);
        word
    }

    fn text(&self, word: Word) -> &str {
        self.texts.get(word as usize).map_or("other", AsRef::as_ref)
    }

    fn index(&mut self) {
        let numbered = self.texts.iter().enumerate().skip(1);
        self.numbers = numbered.map(|(at, text)| (text.clone(), at as Word)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUMP: Entity = Entity::Device(DeviceIx(1));
    const BROKER: Entity = Entity::Device(DeviceIx(2));
    const OTHER: Entity = Entity::Device(DeviceIx(3));

    fn act(actor: Entity, target: Entity, verb: &str) -> Act<'_> {
        Act { actor, target, service: "mqtt", verb, bytes: 10 }
    }

    fn learned() -> NormalLife {
        let mut life = NormalLife::default();
        for n in 0..20 {
            let at = Timestamp::from_seconds_f64(f64::from(n) * 5.0);
            life.add(at, &act(PUMP, BROKER, "publish a"), DeviceClass::InfusionPump, true);
        }
        life
    }

    #[test]
    fn what_was_learned_is_familiar_at_its_own_level_and_no_further() {
        let life = learned();
        let same = life.familiarity(&act(PUMP, BROKER, "publish a"), DeviceClass::InfusionPump);
        assert!(same.act && same.pair && same.actor);
        let verb = life.familiarity(&act(PUMP, BROKER, "publish b"), DeviceClass::InfusionPump);
        assert!(!verb.act && verb.service_of_target && !verb.verb_of_actor);
        let stranger = life.familiarity(&act(OTHER, BROKER, "publish a"), DeviceClass::Unknown);
        assert!(!stranger.act && !stranger.actor && stranger.others == 1);
        let sibling = life.familiarity(&act(OTHER, BROKER, "publish a"), DeviceClass::InfusionPump);
        assert!(sibling.peers_of_class);
    }

    #[test]
    fn what_happens_after_learning_is_not_normal_until_it_settles() {
        let mut life = learned();
        for at in [200.0, 300.0, 400.0] {
            let at = Timestamp::from_seconds_f64(at);
            life.add(at, &act(OTHER, BROKER, "publish a"), DeviceClass::Unknown, false);
        }
        let asked = act(OTHER, BROKER, "publish a");
        assert!(!life.familiarity(&asked, DeviceClass::Unknown).act);
        let before = Timestamp::from_seconds_f64(350.0);
        life.settle(before, |_| DeviceClass::Unknown, |entity| entity == OTHER);
        assert!(!life.familiarity(&asked, DeviceClass::Unknown).act, "a case is open on it");
        life.settle(before, |_| DeviceClass::Unknown, |_| false);
        assert!(life.familiarity(&asked, DeviceClass::Unknown).act);
    }

    #[test]
    fn saved_and_loaded_it_answers_the_same() {
        let life = learned();
        let again = NormalLife::load(&life.save().unwrap()).unwrap();
        let asked = act(PUMP, BROKER, "publish a");
        let class = DeviceClass::InfusionPump;
        assert_eq!(again.familiarity(&asked, class), life.familiarity(&asked, class));
        assert_eq!(again.of(DeviceIx(1)), life.of(DeviceIx(1)));
        let (_, _, service, verb, relation) = again.of(DeviceIx(1))[0];
        assert_eq!((service, verb, relation.count), ("mqtt", "publish a", 20));
        assert!(relation.irregularity().unwrap() < 0.01);
    }
}
