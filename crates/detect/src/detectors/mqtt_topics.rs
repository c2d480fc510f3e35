//! Publishing to topics that belong to another device, and listening to everything.
//!
//! MQTT brokers in hospitals rarely say who may write where. Who does is learned: which client
//! publishes under which topic, which part of a topic names one device, and which topics a device
//! waits for orders on.

use std::collections::BTreeSet;

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::{Observation, Party};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "mqtt_topics",
    doc: "MQTT messages to another device's topics, wildcard eavesdropping, borrowed client names.",
    kind: FindingKind::Anomaly,
    reads: &["mqtt.publish", "mqtt.subscribe", "mqtt.connect"],
    attack: &["T0855", "T0836", "T1565.002"],
    next_step: "Check the settings of the devices behind these topics beside the patient. Find the sender; have the broker allow each client its own topics only.",
    sources: &["OASIS MQTT 5.0 section 5.4", "spec S02"],
};

/// A client name is disputed when its owner connects within so many seconds of another's use of it.
const DISPUTE_SECONDS: f64 = 120.0;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct MqttTopics {
    /// Who published on a topic while learning.
    topics: Bounded<Box<str>, BTreeSet<Entity>>,
    /// Who published topics with this part: one (it names that client) or several (`None`).
    parts: Bounded<Box<str>, Option<Entity>>,
    /// Topics without the parts that name a client: the shapes that an actor writes.
    shapes: Bounded<(Entity, Box<str>), u64>,
    publishers: Bounded<Entity, u64>,
    subscriptions: Bounded<Box<str>, BTreeSet<Entity>>,
    clients: Bounded<Box<str>, Entity>,
    /// Names of clients that came after learning.
    newcomers: Bounded<Box<str>, Entity>,
    /// Shapes of topics that devices wrote under their own name while learning, and who.
    own: Bounded<Box<str>, BTreeSet<Entity>>,
    /// Whose client name somebody new uses: who, since when, under which name.
    moved: Bounded<Entity, (Entity, Timestamp, Box<str>)>,
}

impl Default for MqttTopics {
    fn default() -> Self {
        Self {
            topics: Bounded::new(50_000),
            parts: Bounded::new(50_000),
            shapes: Bounded::new(50_000),
            publishers: Bounded::new(20_000),
            subscriptions: Bounded::new(20_000),
            clients: Bounded::new(20_000),
            newcomers: Bounded::new(20_000),
            own: Bounded::new(20_000),
            moved: Bounded::new(5_000),
        }
    }
}

impl Detector for MqttTopics {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        match o.kind.name {
            "mqtt.publish" if !o.flag("from_broker") => self.publish(o, cx, out),
            "mqtt.subscribe" => self.subscribe(o, cx, out),
            "mqtt.connect" => self.connect(o, cx, out),
            _ => {}
        }
    }
}

impl MqttTopics {
    fn publish(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(topic) = o.str("topic") else { return };
        let actor = cx.who.subject;
        if cx.learning() {
            self.learn(topic, actor);
            return;
        }
        let publishers = self.topics.get(&Box::from(topic));
        if publishers.is_some_and(|known| known.contains(&actor)) {
            return;
        }
        let owner = self.owner(topic, actor);
        let waiting = self.waiting(topic, actor);
        let writes = self.publishers.contains(&actor);
        let one_more = !writes && owner.is_none() && waiting.is_none() && self.one_more(cx, topic);
        let shape = self.shapes.contains(&(actor, self.shape(topic).into()));
        let severity = match (owner, waiting, writes, shape) {
            // It writes topics of this shape for many: a server that has met one more device.
            (_, _, true, true) if self.publishes_for_many(actor) => Severity::Low,
            (Some(_), ..) | (None, Some(_), ..) => Severity::High,
            (None, None, false, _) if !one_more => Severity::Medium,
            (None, None, false, _) => Severity::Low,
            (None, None, true, _) => Severity::Low,
        };
        let whose = match owner.or(waiting) {
            Some(Entity::Device(ix)) => {
                format!(", which belongs to {}", cx.inventory.label(ix))
            }
            _ => String::new(),
        };
        let title = words::sentence(&format!(
            "{} publishes to the topic '{topic}'{whose}; it never did.",
            cx.subject(o),
        ));
        let mut claim = out
            .claim(cx, o, severity, title)
            .because(Reason::new(
                "topic",
                topic,
                if writes { "its own topics" } else { "none: it never published" },
            ))
            .key(if severity >= Severity::High { "foreign" } else { "new topic" })
            .p_value(cx.familiarity().surprise_rate.min(0.02))
            .score(0.92);
        if let Some(Entity::Device(ix)) = owner.or(waiting) {
            let party = Party { ip: cx.inventory.ip(ix), ..Party::default() };
            claim = claim.with(Entity::Device(ix), &party);
        }
        claim.make();
    }

    /// Whether a newcomer writes under its own name what several others write under theirs.
    fn one_more(&self, cx: &Context<'_>, topic: &str) -> bool {
        let kin = self.own.get(&self.shape(topic).into());
        let kin: Vec<Entity> = kin.into_iter().flatten().copied().collect();
        kin::one_more(cx, cx.who.subject, &kin)
    }

    fn learn(&mut self, topic: &str, actor: Entity) {
        let publishers = self.topics.entry(topic.into(), BTreeSet::new);
        if publishers.len() < 64 {
            publishers.insert(actor);
        }
        *self.publishers.entry(actor, u64::default) += 1;
        for part in parts(topic) {
            let owner = self.parts.entry(part.into(), || Some(actor));
            if *owner != Some(actor) {
                *owner = None;
            }
        }
        let shape = self.shape(topic);
        if shape != topic {
            let kin = self.own.entry(shape.as_str().into(), BTreeSet::new);
            if kin.len() < 64 {
                kin.insert(actor);
            }
        }
        *self.shapes.entry((actor, shape.into()), u64::default) += 1;
    }

    /// The other device that a part of the topic names.
    fn owner(&self, topic: &str, actor: Entity) -> Option<Entity> {
        parts(topic).find_map(|part| {
            let by_topic = self.parts.get(&Box::from(part)).copied().flatten();
            let by_client = self.clients.get(&Box::from(part)).copied();
            by_topic.or(by_client).filter(|owner| *owner != actor)
        })
    }

    /// The other device that waits for messages on exactly this topic, or under it.
    fn waiting(&self, topic: &str, actor: Entity) -> Option<Entity> {
        let exact = self.subscriptions.get(&Box::from(topic));
        let under = topic
            .rmatch_indices('/')
            .find_map(|(at, _)| self.subscriptions.get(&format!("{}/#", &topic[..at]).into()));
        exact.or(under)?.iter().copied().find(|waiting| *waiting != actor)
    }

    /// The topic with every part that names one client taken out.
    fn shape(&self, topic: &str) -> String {
        let kept: Vec<&str> = topic
            .split('/')
            .map(|part| {
                let named = self.clients.contains(&Box::from(part))
                    || self.newcomers.contains(&Box::from(part))
                    || self.parts.get(&Box::from(part)).is_some_and(Option::is_some);
                let numbered = part.bytes().any(|byte| byte.is_ascii_digit());
                if named || numbered { "+" } else { part }
            })
            .collect();
        kept.join("/")
    }

    fn publishes_for_many(&self, actor: Entity) -> bool {
        // A device writes for itself; what writes under several names is a server.
        self.topics
            .sorted()
            .iter()
            .filter(|(_, publishers)| publishers.contains(&actor))
            .filter(|(topic, _)| self.owner(topic, actor).is_some())
            .take(2)
            .count()
            >= 2
    }

    fn subscribe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let actor = cx.who.subject;
        let filters = o.texts("filters");
        if cx.learning() {
            for filter in filters {
                let waiting = self.subscriptions.entry(filter.clone(), BTreeSet::new);
                if waiting.len() < 64 {
                    waiting.insert(actor);
                }
            }
            return;
        }
        let known = filters.iter().all(|filter| {
            self.subscriptions.get(filter).is_some_and(|waiting| waiting.contains(&actor))
        });
        if known {
            return;
        }
        // Somebody may begin to watch before anything is learned of it: remember who waits.
        let (everything, wide) = (o.flag("everything"), o.flag("multi_level"));
        let actor_known = cx.normal.knows(actor);
        let severity = match (everything, wide, actor_known) {
            (true, _, false) => Severity::High,
            (true, _, true) | (false, true, false) => Severity::Medium,
            _ => Severity::Low,
        };
        let named: Vec<&str> = filters.iter().map(AsRef::as_ref).collect();
        let title = words::sentence(&format!(
            "{} listens to {} at {}{}.",
            cx.subject(o),
            if everything {
                "every message".to_owned()
            } else {
                format!("'{}'", words::list(&named, 3))
            },
            cx.peer(o),
            if actor_known { ", which it never did" } else { "" },
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "topics listened to",
                words::list(&named, 3),
                "those of its own work",
            ))
            .attack(&["T1040", "T0801"])
            .key("listen")
            .p_value(cx.familiarity().surprise_rate.min(0.05))
            .make();
    }

    fn connect(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(client) = o.str("client_id") else { return };
        let actor = cx.who.subject;
        if cx.learning() {
            self.clients.entry(client.into(), || actor);
            return;
        }
        if o.str("outcome") != Some("accepted") {
            return;
        }
        self.dispute(o, cx, out);
        let Some(owner) = self.clients.get(&Box::from(client)).copied() else {
            self.newcomers.entry(client.into(), || actor);
            return;
        };
        let Entity::Device(ix) = owner else { return };
        if owner == actor {
            return;
        }
        // A newcomer under a known name is a device that has moved, until the owner speaks again.
        if !cx.normal.knows(actor) {
            let moved = (actor, o.at, Box::from(client));
            self.moved.remove(&owner);
            self.moved.entry(owner, || moved);
            return;
        }
        borrowed(o, cx, out, (actor, &o.subject), &cx.inventory.label(ix), client);
    }

    /// The owner of a client name connects after somebody else has used it: there are two.
    fn dispute(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let owner = cx.who.subject;
        let Some((claimant, at, name)) = self.moved.remove(&owner) else { return };
        let Entity::Device(ix) = claimant else { return };
        if claimant != owner && o.at.seconds_since(at) <= DISPUTE_SECONDS {
            let party = Party { ip: cx.inventory.ip(ix), ..Party::default() };
            borrowed(o, cx, out, (claimant, &party), &cx.subject(o), &name);
        }
    }
}

/// Somebody connects under the client name of another device.
fn borrowed(
    o: &Observation,
    cx: &Context<'_>,
    out: &mut Findings,
    (claimant, party): (Entity, &Party),
    owner: &str,
    client: &str,
) {
    let who = cx.name(claimant, party);
    let title = words::sentence(&format!(
        "{who} connects under the name '{client}' of {owner}: the real device is cut off.",
    ));
    out.claim(cx, o, Severity::High, title)
        .about(claimant, party)
        .because(Reason::new("device behind the client name", who.as_str(), owner))
        .attack(&["T0856", "T1557"])
        .key(client)
        .p_value(0.01)
        .make();
}

/// Parts of a topic that could name a device: short words of everyday use name none.
fn parts(topic: &str) -> impl Iterator<Item = &str> {
    topic.split('/').filter(|part| part.len() >= 2)
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, Host, INTRUDER, NEW_PUMP, PUMPS, SERVER, Ward, texts, word, yes};

    fn publishes(ward: &mut Ward, from: Host, topic: &str) {
        ward.over(&protocols::mqtt::PUBLISH, from, SERVER, 1_883, &[("topic", word(topic))]);
    }

    fn connects(ward: &mut Ward, from: Host, client: &str) {
        let fields = [("outcome", word("accepted")), ("client_id", word(client))];
        ward.over(&protocols::mqtt::CONNECT, from, SERVER, 1_883, &fields);
    }

    fn fleet() -> Ward {
        let mut ward = Ward::peopled();
        for (n, pump) in PUMPS.into_iter().enumerate() {
            connects(&mut ward, pump, &format!("pump{n}"));
            let filters = [("filters", texts(&[&format!("pump/pump{n}/cmd")]))];
            ward.over(&protocols::mqtt::SUBSCRIBE, pump, SERVER, 1_883, &filters);
            (0..5).for_each(|_| publishes(&mut ward, pump, &format!("pump/pump{n}/state")));
        }
        ward.watch();
        ward
    }

    #[test]
    fn orders_to_a_pump_are_found_whoever_gives_them() {
        for host in [INTRUDER, DESK, PUMPS[1]] {
            let mut ward = fleet();
            publishes(&mut ward, host, "pump/pump0/cmd");
            ward.alerts("mqtt_topics", host);
        }
    }

    #[test]
    fn listening_to_everything_is_found() {
        for host in [INTRUDER, DESK, PUMPS[1]] {
            let mut ward = fleet();
            let fields =
                [("filters", texts(&["#"])), ("everything", yes()), ("multi_level", yes())];
            ward.over(&protocols::mqtt::SUBSCRIBE, host, SERVER, 1_883, &fields);
            ward.alerts("mqtt_topics", host);
        }
    }

    #[test]
    fn one_more_pump_and_one_that_moved_are_no_alert() {
        let mut ward = fleet();
        connects(&mut ward, NEW_PUMP, "pump7");
        publishes(&mut ward, NEW_PUMP, "pump/pump7/state");
        publishes(&mut ward, PUMPS[0], "pump/pump0/state");
        ward.is_quiet();
        let mut ward = fleet();
        connects(&mut ward, NEW_PUMP, "pump0");
        ward.is_quiet();
    }

    #[test]
    fn a_borrowed_client_name_is_found_once_its_owner_comes_back() {
        let mut ward = fleet();
        connects(&mut ward, INTRUDER, "pump0");
        ward.pass(2.0);
        connects(&mut ward, PUMPS[0], "pump0");
        ward.alerts("mqtt_topics", INTRUDER);
    }

    #[test]
    fn a_flood_of_new_topics_is_one_finding() {
        let mut ward = fleet();
        (0..300).for_each(|n| publishes(&mut ward, INTRUDER, &format!("noise/{n}x")));
        let topics = ward.findings().into_iter().filter(|f| f.detector == "mqtt_topics");
        assert_eq!(topics.count(), 1);
    }
}
