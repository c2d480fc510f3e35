//! Takes observations in time order and gives findings and cases.

use std::time::Duration;

use assets::{Entity, Inventory, Who};
use learn::behaviour::{Behaved, Behaviour, Seen, Standing, Tolerance};
use learn::{Act, NormalLife};
use model::KindMap;
use model::case::{Case, CaseId};
use model::device::{DeviceClass, DeviceId};
use model::finding::Finding;
use model::observation::Observation;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acts::ActWords;
use crate::correlate::Correlator;
use crate::detectors;
use crate::findings::Findings;
use crate::seam::{Context, Detector, Phase};

/// How the engine learns.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Everything before this time only teaches.
    pub learn_until: Option<Timestamp>,
    /// Where nobody says what is normal: so many seconds from the first observation on count as
    /// normal, and only rules speak in them.
    pub learning_seconds: f64,
    /// What goes on for so many days without a case becomes normal.
    pub settle_days: f64,
    /// Whether models follow how devices behave.
    pub models: bool,
    /// False alerts of the models that people can bear.
    pub tolerance: Tolerance,
    /// A case takes no more findings after so many minutes of quiet.
    pub case_minutes: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learn_until: None,
            learning_seconds: 600.0,
            settle_days: 7.0,
            models: true,
            tolerance: Tolerance::default(),
            case_minutes: 30.0,
        }
    }
}

/// What the engine keeps over a restart.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    inventory: serde_json::Value,
    normal: serde_json::Value,
    /// How devices behave, as it is in memory: too many numbers for a text.
    #[serde(default)]
    behaviour: Option<String>,
    detectors: Vec<(String, serde_json::Value)>,
    taught: bool,
    first: Option<Timestamp>,
    serials: (u64, u64),
}

const SAVED_VERSION: u32 = 1;

/// What was saved does not fit.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It was written by another version.
    #[error(
        "the saved baseline has version {found}, this program reads {SAVED_VERSION}: learn anew"
    )]
    Version {
        /// The version it was written by.
        found: u32,
    },
    /// It is damaged.
    #[error("the saved baseline is damaged ({0}): remove it and learn anew")]
    Damaged(String),
}

/// Inventory, normal life, detectors and cases.
pub struct Engine {
    inventory: Inventory,
    normal: NormalLife,
    behaviour: Behaviour,
    behaved: Vec<Behaved>,
    detectors: Vec<Box<dyn Detector>>,
    /// Places of the detectors that read a kind.
    routes: KindMap<Box<[usize]>>,
    findings: Findings,
    correlator: Correlator,
    words: ActWords,
    settings: Settings,
    taught: bool,
    teaching: bool,
    first: Option<Timestamp>,
    now: Timestamp,
    next_tick: Timestamp,
    next_settle: Timestamp,
}

const TICK: Duration = Duration::from_secs(1);
const SETTLE_EVERY: Duration = Duration::from_secs(600);

impl Engine {
    /// With every detector, nothing learned.
    pub fn new(settings: Settings, inventory: assets::Settings) -> Self {
        let detectors: Vec<_> = detectors::ALL.iter().map(|make| make()).collect();
        Self {
            inventory: Inventory::new(inventory),
            normal: NormalLife::default(),
            behaviour: Behaviour::new(settings.tolerance),
            behaved: Vec::new(),
            detectors,
            routes: KindMap::default(),
            findings: Findings::default(),
            correlator: Correlator::new(settings.case_minutes),
            words: ActWords::default(),
            settings,
            taught: false,
            teaching: false,
            first: None,
            now: Timestamp::MIN,
            next_tick: Timestamp::MIN,
            next_settle: Timestamp::MIN,
        }
    }

    /// From now on (or no more) everything is normal life that only teaches, whatever its time.
    pub fn teach(&mut self, teaching: bool) {
        self.taught |= self.teaching && !teaching;
        self.teaching = teaching;
    }

    /// The devices.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// A person says what a device is, before a test begins.
    #[cfg(test)]
    pub(crate) fn confirm(&mut self, ix: assets::DeviceIx, class: DeviceClass) {
        self.inventory.confirm(ix, class, "test", self.now);
    }

    /// What is normal.
    pub fn normal(&self) -> &NormalLife {
        &self.normal
    }

    /// How far learning has come at a time.
    pub fn phase(&self, at: Timestamp) -> Phase {
        if self.teaching || self.settings.learn_until.is_some_and(|until| at < until) {
            return Phase::Teaching;
        }
        if self.taught || self.settings.learn_until.is_some() {
            return Phase::Watching;
        }
        let first = self.first.unwrap_or(at);
        if at.seconds_since(first) < self.settings.learning_seconds {
            Phase::Settling
        } else {
            Phase::Watching
        }
    }

    /// Takes one observation, and says who takes part in it. Its findings are had with
    /// [`Engine::take_findings`].
    pub fn observe(&mut self, o: &Observation) -> Who {
        // Logs and several sensors are never quite in step: time here only goes forward.
        self.now = self.now.max(o.at);
        let phase = self.phase(o.at);
        if self.first.is_none() {
            self.first = Some(o.at);
        }
        self.pass(phase);
        let who = self.inventory.observe(o);
        let act = self.words.read(o, &who).map(|(actor, target, bytes)| Act {
            actor,
            target,
            service: &self.words.service,
            verb: &self.words.verb,
            bytes,
        });
        let class = match act.as_ref().map(|act| act.actor) {
            Some(Entity::Device(ix)) => self.inventory.class(ix),
            _ => DeviceClass::Unknown,
        };
        let detectors = &mut self.detectors;
        let routes = self.routes.entry(o.kind, |kind| {
            let reads = |place: &usize| detectors[*place].spec().reads.contains(&kind.name);
            (0..detectors.len()).filter(reads).collect()
        });
        let familiar = act.map(|act| (act, self.normal.familiarity(&act, class)));
        let known = familiar.as_ref().map(|(act, known)| (act, known));
        if self.settings.models {
            let known_pair = o.is("flow.start") && self.normal.knows_pair(who.subject, who.peer);
            let learning = phase != Phase::Watching;
            self.behaviour.count(&Seen { o, who, act: known, known_pair, class, learning });
        }
        if !routes.is_empty() {
            let cx = Context {
                inventory: &self.inventory,
                normal: &self.normal,
                phase,
                who,
                act: familiar,
                behaved: &[],
                now: o.at,
            };
            for &index in &**routes {
                let detector = &mut detectors[index];
                let muted = phase == Phase::Teaching;
                self.findings.speaking(detector.spec(), muted, phase == Phase::Settling);
                detector.observe(o, &cx, &mut self.findings);
            }
        }
        if let Some(act) = act {
            self.normal.add(o.at, &act, class, phase != Phase::Watching);
        }
        self.file();
        who
    }

    /// Nothing was observed up to this time: detectors look at what did not happen.
    pub fn idle(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.pass(self.phase(self.now));
    }

    /// Time has passed: windows may be over, and a tick may be due.
    fn pass(&mut self, phase: Phase) {
        if self.settings.models && self.behaviour.is_over(self.now) {
            let (inventory, correlator) = (&self.inventory, &self.correlator);
            let standing = |ix| Standing {
                class: inventory.class(ix),
                frozen: correlator.has(Entity::Device(ix)),
            };
            let closed = self.behaviour.close(self.now, phase != Phase::Watching, standing);
            self.tick(phase, &closed);
            self.behaved.extend(closed);
        } else if self.now >= self.next_tick {
            self.tick(phase, &[]);
        }
    }

    fn tick(&mut self, phase: Phase, behaved: &[Behaved]) {
        self.next_tick = self.now.plus(TICK);
        self.inventory.tick(self.now);
        if self.now >= self.next_settle {
            self.next_settle = self.now.plus(SETTLE_EVERY);
            let age = Duration::from_secs_f64((self.settings.settle_days * 86_400.0).max(0.0));
            let (inventory, correlator) = (&self.inventory, &self.correlator);
            let class_of = |entity| match entity {
                Entity::Device(ix) => inventory.class(ix),
                _ => DeviceClass::Unknown,
            };
            self.normal.settle(self.now.minus(age), class_of, |entity| correlator.has(entity));
        }
        let cx = Context {
            inventory: &self.inventory,
            normal: &self.normal,
            phase,
            who: Who {
                subject: Entity::Nobody,
                peer: Entity::Nobody,
                subject_is_new: false,
                peer_is_new: false,
            },
            act: None,
            behaved,
            now: self.now,
        };
        for detector in &mut self.detectors {
            let muted = phase == Phase::Teaching;
            self.findings.speaking(detector.spec(), muted, phase == Phase::Settling);
            detector.tick(&cx, &mut self.findings);
        }
        self.file();
    }

    /// Files fresh findings into cases.
    fn file(&mut self) {
        for (finding, about) in self.findings.take() {
            self.correlator.add(finding, about, &self.inventory);
        }
    }

    /// A person closed a case: whoever acted in it teaches again, unless another case holds them or
    /// more is found.
    pub fn close_case(&mut self, case: &CaseId) {
        self.correlator.close(case);
    }

    /// A person opened a case again.
    pub fn reopen_case(&mut self, case: &CaseId) {
        self.correlator.reopen(case);
    }

    /// A device acts in a case that nobody has closed, as was known before a restart.
    pub fn hold(&mut self, device: &DeviceId, case: &CaseId) {
        if let Some(ix) = self.inventory.by_id(device) {
            self.correlator.hold(Entity::Device(ix), case);
        }
    }

    /// Whether a device acts in a case that nobody has closed, and therefore teaches nobody.
    pub fn is_held(&self, device: &DeviceId) -> bool {
        self.inventory.by_id(device).is_some_and(|ix| self.correlator.has(Entity::Device(ix)))
    }

    /// How devices behave.
    pub fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// How devices behave, to be given knowledge from elsewhere.
    pub fn behaviour_mut(&mut self) -> &mut Behaviour {
        &mut self.behaviour
    }

    /// Windows that ended since the last time.
    pub fn take_behaved(&mut self) -> Vec<Behaved> {
        std::mem::take(&mut self.behaved)
    }

    /// Findings since the last time, each with its case.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.correlator.take_findings()
    }

    /// Cases that were opened or changed since the last time.
    pub fn take_cases(&mut self) -> Vec<Case> {
        self.correlator.take_cases()
    }

    /// Claims that were not repeated.
    pub fn repeated(&self) -> u64 {
        self.findings.repeated()
    }

    /// What was learned, to be kept: inventory, normal life and what detectors learned.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn save(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(Saved {
            version: SAVED_VERSION,
            inventory: self.inventory.save(),
            normal: self.normal.save()?,
            behaviour: Some(self.behaviour.save()),
            detectors: self
                .detectors
                .iter()
                .map(|detector| (detector.spec().name.to_owned(), detector.save()))
                .collect(),
            taught: self.taught || self.phase(self.now) == Phase::Watching,
            first: self.first,
            serials: (self.findings.serial(), self.correlator.serial()),
        })
    }

    /// Goes on from what was saved.
    ///
    /// # Errors
    /// [`LoadError`] when it was written by another version or is damaged; nothing is taken then.
    pub fn load(&mut self, saved: &serde_json::Value) -> Result<(), LoadError> {
        let damaged = |error: String| LoadError::Damaged(error);
        let found = saved.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if found != u64::from(SAVED_VERSION) {
            return Err(LoadError::Version { found: u32::try_from(found).unwrap_or(u32::MAX) });
        }
        let saved = Saved::deserialize(saved).map_err(|error| damaged(error.to_string()))?;
        let normal = NormalLife::load(&saved.normal).map_err(|error| damaged(error.to_string()))?;
        self.inventory.load(&saved.inventory).map_err(|error| damaged(format!("{error}")))?;
        // What other features were learned by is learned anew.
        let behaviour = saved.behaviour.as_deref().and_then(|text| Behaviour::load(text).ok());
        if let Some(mut behaviour) = behaviour {
            behaviour.keep_knowledge_of(&self.behaviour);
            self.behaviour = behaviour;
        }
        self.normal = normal;
        for (name, state) in &saved.detectors {
            if let Some(detector) = self.detectors.iter_mut().find(|d| d.spec().name == name) {
                detector.load(state);
            }
        }
        self.taught |= saved.taught;
        self.first = saved.first;
        self.findings.set_serial(saved.serials.0);
        self.correlator.set_serial(saved.serials.1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{
        DESK, INTRUDER, MONITORS, OUTSIDE, PACS, PUMPS, SERVER, Ward, num, patient, word,
    };

    /// One thing that somebody does, by a small number.
    fn act(ward: &mut Ward, what: u8) {
        let from = [DESK, INTRUDER, MONITORS[0], PUMPS[1]][usize::from(what >> 3) % 4];
        match what % 8 {
            0 => drop(ward.call(from, SERVER, 443)),
            1 => drop(ward.knock(from, PACS, u16::from(what) + 1, "refused")),
            2 => drop(ward.call(from, OUTSIDE, 443)),
            3 => {
                let fields = [("command", word("C-FIND-RQ")), ("level", word("STUDY"))];
                ward.over(&protocols::dicom::COMMAND, from, PACS, 104, &fields);
            }
            4 => {
                let topic =
                    [("topic", word(["pump/a/cmd", "pump/b/state"][usize::from(what > 60)]))];
                ward.over(&protocols::mqtt::PUBLISH, from, SERVER, 1_883, &topic);
            }
            5 => {
                let fields = [("type", word("ORU")), ("sending_application", word("LAB"))];
                ward.over(&protocols::hl7::MESSAGE, from, SERVER, 2_575, &fields);
            }
            6 => {
                let fields = [("action", word("R")), ("patient", patient(u64::from(what)))];
                ward.say(&logs::kinds::RECORD_ACCESS, None, from, Some(SERVER), &fields);
            }
            _ => {
                let fields = [("service", word("ftp")), ("outcome", word("failure"))];
                ward.over(&protocols::remote::LOGIN, from, PUMPS[0], 21, &fields);
                let flow = ward.call(from, OUTSIDE, 80);
                ward.grows(&flow, (from, OUTSIDE), "tcp", [900, 9, 2_000_000, 900]);
                let fields = [("transport", word("tcp")), ("payload_out", num(9))];
                ward.say(&wire::kinds::END, Some(&flow), from, Some(OUTSIDE), &fields);
            }
        }
    }

    /// A life of ten minutes and an hour of acts.
    fn life(acts: &[(u8, u16)]) -> Ward {
        let mut ward = Ward::peopled();
        for (what, _) in acts.iter().step_by(3) {
            act(&mut ward, *what);
        }
        ward.watch();
        for (what, tenths) in acts {
            ward.pass(f64::from(*tenths) / 10.0);
            act(&mut ward, *what);
        }
        ward
    }

    fn said(engine: &mut Engine, observations: &[Observation]) -> String {
        for o in observations {
            engine.observe(o);
        }
        serde_json::to_string(&(engine.take_findings(), engine.take_cases())).unwrap()
    }

    fn fresh(ward: &Ward) -> Engine {
        Engine::new(ward.engine.settings.clone(), assets::Settings::default())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_same_observations_give_the_same_findings_and_cases(
            acts in proptest::collection::vec((0..128_u8, 0..300_u16), 1..80),
        ) {
            let ward = life(&acts);
            let once = said(&mut fresh(&ward), ward.seen());
            prop_assert_eq!(once, said(&mut fresh(&ward), ward.seen()));
        }

        #[test]
        fn saved_after_learning_and_loaded_it_says_the_same(
            acts in proptest::collection::vec((0..128_u8, 0..300_u16), 1..80),
        ) {
            let ward = life(&acts);
            let until = ward.engine.settings.learn_until.unwrap();
            let cut = ward.seen().partition_point(|o| o.at < until);
            let (learned, watched) = ward.seen().split_at(cut);
            let mut whole = fresh(&ward);
            said(&mut whole, learned);
            let saved = whole.save().unwrap();
            let mut again = fresh(&ward);
            again.load(&saved).unwrap();
            prop_assert_eq!(said(&mut whole, watched), said(&mut again, watched));
        }
    }

    #[test]
    fn what_was_saved_by_another_version_or_is_damaged_is_refused_and_nothing_is_taken() {
        let mut ward = Ward::peopled();
        let mut saved = ward.engine.save().unwrap();
        assert!(ward.engine.load(&serde_json::json!({"version": 1})).is_err());
        saved["version"] = 99.into();
        assert!(matches!(ward.engine.load(&saved), Err(LoadError::Version { found: 99 })));
        assert!(!ward.engine.normal().is_empty());
    }

    #[test]
    fn nothing_is_said_of_what_only_teaches() {
        let mut ward = Ward::peopled();
        (1..200).for_each(|port| drop(ward.knock(INTRUDER, PUMPS[0], port, "refused")));
        assert!(ward.findings().is_empty());
    }
}
