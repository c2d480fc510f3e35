//! How devices behave: what each does in ten seconds, how strange that is for it, and how sure.
//!
//! Observations are counted into the window of the device (`count`); the window that is over
//! becomes a row of features, is put in units of what is usual for the device (`standard`), scored
//! by models of normal life and by trees that know attacks (`models`, `knowledge`), and judged
//! among its like (`judge`). Only then is it learned, and only where nobody objects: a device with
//! an open case teaches nothing.
//!
//! Deliberately absent: what to say of it. That is for detectors.

mod count;
mod drifting;
mod feedback;
mod judge;
mod knowledge;
mod models;
mod rhythm;
mod saved;
mod shadow;
mod standard;
mod why;

use std::sync::Arc;

use assets::{DeviceIx, Entity};
use ml::conformal::{Keep, Scores as OwnScores};
use ml::drift::Adwin;
use ml::sequential::Evidence;
use model::device::DeviceClass;
use model::observation::{ObservationId, Party};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use count::Seen;
use count::{Counter, PastOfChannel};
use drifting::Drifting;
pub use drifting::Group as Drifted;
use feedback::Feedback;
pub use feedback::{COVERS_SECONDS, Lost, PastWindow, Preview, Verdict, Word, near};
pub use judge::{FAR_LEVELS, Judged, LEVELS, Tolerance, Volume};
use judge::{Judge, NEW, Own};
pub use knowledge::{Knowledge, TREE_WIDTH, Unfit, feature_of, tree_row};
use models::Models;
pub use models::{Scores, Which};
pub use shadow::Compared;
use shadow::Shadow;
pub use standard::Moments;
use standard::{OF_DEVICE, OF_MANY, Usual, settled};
pub use why::{Reason, Why};

use rhythm::Rhythms;

use crate::features::{Column, Past, Row, WINDOW, Window};

/// What went between two.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Channel {
    end: Timestamp,
    packets: u64,
    bytes: u64,
    past: PastOfChannel,
    calls: u32,
    last_call: Timestamp,
    pause_mean: f64,
    pause_m2: f64,
    /// Flows begun in this window.
    begun: u32,
    /// Mean and variance of ln(1 + bytes) in the windows in which anything went, and how many.
    usual: f32,
    spread: f32,
    windows: u16,
}

/// The devices that do something in this window, and what they did before.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Devices {
    end: Timestamp,
    lives: Vec<Option<Box<Life>>>,
    active: Vec<DeviceIx>,
}

/// Most devices whose windows are kept.
const MAX_DEVICES: usize = 50_000;
/// A change that is none is said of one device in so many looks at most.
const CHANGE: f64 = 1e-7;
/// Scores that are kept of a device: 40 minutes of activity.
const OWN: usize = 256;
/// Windows of what a device did lately, to say what changed.
const LATELY: f32 = 60.0;
/// A window as strange as this is not learned by the models: one in a hundred of normal life is lost,
/// and most of an attack that nobody has seen yet.
const NOT_LEARNED: f64 = 0.01;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Life {
    window: Option<Window>,
    past: Past,
    windows: u64,
    /// The last words of what it did.
    history: Vec<u32>,
    rhythms: Rhythms,
    usual: Moments,
    lately: Moments,
    /// Its latest scores.
    own: Option<OwnScores>,
    evidence: Option<Evidence>,
    change: Option<Adwin>,
}

impl Devices {
    fn window_end(&self) -> Timestamp {
        self.end
    }

    fn life(&mut self, device: DeviceIx) -> Option<&mut Life> {
        self.lives.get_mut(device.0 as usize)?.as_deref_mut()
    }

    fn window(&mut self, entity: Entity) -> Option<&mut Window> {
        let ix = entity.device()?;
        let place = ix.0 as usize;
        if place >= MAX_DEVICES {
            return None;
        }
        if self.lives.len() <= place {
            self.lives.resize_with(place + 1, || None);
        }
        let life = self.lives[place].get_or_insert_default();
        if life.window.is_none() {
            self.active.push(ix);
        }
        Some(life.window.get_or_insert_default())
    }
}

/// A window of a device that is over.
#[derive(Clone, Debug)]
pub struct Behaved {
    /// Whose.
    pub device: DeviceIx,
    /// Its class, as known then.
    pub class: DeviceClass,
    /// When it ended.
    pub end: Timestamp,
    /// Windows that it had before.
    pub windows: u64,
    /// How busy it is.
    pub volume: Volume,
    /// What it did.
    pub row: Row,
    /// The same in standard deviations from what is usual for it.
    pub standard: Row,
    /// Scores of the models of normal life.
    pub scores: Scores,
    /// What the models of normal life say together.
    pub novelty: f32,
    /// Log-odds of an attack, where there are trees that know attacks, were attacks as frequent as
    /// where they learned.
    pub attack: Option<f32>,
    /// The score that was judged: the larger of the trees' and of novelty on the trees' scale.
    pub score: f32,
    /// The group that it is calibrated in: class and volume, or that it is new.
    pub group: String,
    /// How strange that is among its like.
    pub judged: Judged,
    /// Whether it could teach.
    pub learned: bool,
    /// What an analyst said of windows like it.
    pub word: Option<Word>,
    /// Whom the strangest thing was done to, or who did it, and what shows it.
    pub with: Option<Party>,
    /// Observations that show it.
    pub evidence: Vec<ObservationId>,
    /// Why, where it is an alert.
    pub why: Option<Box<Why>>,
    /// What changed, where the device behaves in another way than it used to.
    pub changed: Vec<Reason>,
}

/// What closing a window has to know of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its class.
    pub class: DeviceClass,
    /// Whether there is an open case on it: then it teaches nothing.
    pub frozen: bool,
}

/// Follows how devices behave.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Behaviour {
    counter: Counter,
    devices: Devices,
    classes: std::collections::BTreeMap<DeviceClass, Moments>,
    site: Moments,
    models: Models,
    judge: Judge,
    #[serde(skip)]
    knowledge: Option<Arc<Knowledge>>,
    shadow: Shadow,
    drift: Drifting,
    #[serde(skip)]
    feedback: Feedback,
}

impl Behaviour {
    /// With what people can bear.
    pub fn new(tolerance: Tolerance) -> Self {
        Self { judge: Judge::new(tolerance), ..Self::default() }
    }

    /// Takes what was learned elsewhere, or lets it go.
    ///
    /// # Errors
    /// When it was made for another table of features, or is not whole.
    pub fn inform(&mut self, knowledge: Option<Arc<Knowledge>>) -> Result<(), Unfit> {
        if let Some(knowledge) = &knowledge {
            knowledge.check()?;
        }
        self.knowledge = knowledge;
        Ok(())
    }

    /// Lets knowledge run beside the one in use: it is asked and judged, and says nothing.
    ///
    /// # Errors
    /// As [`Behaviour::inform`].
    pub fn shadow(&mut self, knowledge: Option<Arc<Knowledge>>) -> Result<(), Unfit> {
        if let Some(knowledge) = &knowledge {
            knowledge.check()?;
        }
        self.shadow.knowledge = knowledge;
        Ok(())
    }

    /// How the one in use and the one beside it compare, where there is one.
    pub fn compared(&self) -> Option<Compared> {
        self.shadow.knowledge.as_ref().map(|_| self.shadow.compared)
    }

    /// Takes the knowledge from elsewhere that another has.
    pub fn keep_knowledge_of(&mut self, other: &Self) {
        self.knowledge.clone_from(&other.knowledge);
        self.shadow.knowledge.clone_from(&other.shadow.knowledge);
    }

    /// What was learned elsewhere.
    pub fn knowledge(&self) -> Option<&Arc<Knowledge>> {
        self.knowledge.as_ref()
    }

    /// Leaves models of normal life out, to see what they are worth.
    pub fn without(&mut self, models: &[Which]) {
        self.models.without(models);
    }

    /// What was promised and what came of it, by group: after correction for change, and before.
    pub fn realised(&self) -> [&ml::conformal::Realised; 2] {
        self.judge.realised()
    }

    /// What came of p-values that borrow the tail of other sites, at [`FAR_LEVELS`].
    pub fn borrowed(&self) -> &ml::conformal::Realised {
        self.judge.borrowed()
    }

    /// How far life has moved from what it was, by group.
    pub const fn drift(&self) -> &Drifting {
        &self.drift
    }

    /// What is usual at this site.
    pub fn usual(&self) -> &Moments {
        &self.site
    }

    /// Whether the window is over at a time: then [`Behaviour::close`] comes first.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.devices.end
    }

    /// Counts an observation into the windows of those who take part.
    pub fn count(&mut self, seen: &Seen<'_>) {
        self.counter.count(seen, &mut self.devices);
    }

    /// Ends the window and begins the one of `now`. `learning` says that what was seen is normal life
    /// to learn from whatever it looks like, and that nothing is to be said of it.
    pub fn close(
        &mut self,
        now: Timestamp,
        learning: bool,
        standing: impl Fn(DeviceIx) -> Standing,
    ) -> Vec<Behaved> {
        let end = self.devices.end;
        let length = i64::try_from(WINDOW.as_nanos()).unwrap_or(i64::MAX);
        let next = now.nanos().div_euclid(length).saturating_add(1);
        self.devices.end = Timestamp::from_nanos(next.saturating_mul(length));
        let mut active = std::mem::take(&mut self.devices.active);
        active.sort_unstable();
        let mut over = Vec::with_capacity(active.len());
        for device in active {
            let place = device.0 as usize;
            let life = self.devices.lives.get_mut(place).and_then(Option::as_mut);
            let Some(window) = life.and_then(|life| life.window.take()) else { continue };
            if !window.is_empty() {
                over.extend(self.scored(device, window, end, standing(device)));
            }
        }
        self.ask_trees(&mut over);
        over.into_iter().map(|scored| self.judged(scored, learning)).collect()
    }

    /// A window that is over, as its device's models see it. Nothing is learned yet.
    fn scored(
        &mut self,
        device: DeviceIx,
        mut window: Window,
        end: Timestamp,
        standing: Standing,
    ) -> Option<Scored> {
        let life = self.devices.life(device)?;
        if let Some(silence) = life.rhythms.overdue(end.seconds_f64()) {
            window.overdue = -silence.max(1e-18).log2() as f32;
        }
        let row = window.row(end, &life.past);
        life.past.add(end, &window);
        let of_class = self.classes.entry(standing.class).or_default();
        let elsewhere = self.knowledge.as_deref().map(|knowledge| &knowledge.usual);
        let usual = Usual::new(&life.usual, of_class, &self.site, elsewhere);
        let standard = usual.standardise(&row);
        let scores = self.models.scores(standing.class, &standard);
        let trees = tree_row(&standard, &scores, &row);
        let Window { with, evidence, .. } = window;
        Some(Scored {
            device,
            end,
            standing,
            row,
            standard,
            scores,
            trees,
            usual,
            attack: None,
            with,
            evidence,
        })
    }

    /// Asks the trees about all windows at once, which is many times quicker than one by one.
    fn ask_trees(&self, over: &mut [Scored]) {
        let Some(knowledge) = &self.knowledge else { return };
        let rows: Vec<f32> = over.iter().flat_map(|scored| scored.trees).collect();
        for (scored, attack) in over.iter_mut().zip(knowledge.attacks(&rows)) {
            scored.attack = Some(attack);
        }
    }

    /// Judges a window, and learns from it.
    fn judged(&mut self, scored: Scored, learning: bool) -> Behaved {
        let Scored {
            device,
            end,
            standing,
            row,
            standard,
            scores,
            trees,
            usual,
            attack,
            with,
            evidence,
        } = scored;
        let Standing { class, frozen } = standing;
        let devices = self.devices.lives.len();
        let life = &mut **self.devices.lives[device.0 as usize].get_or_insert_default();
        let knowledge = self.knowledge.clone();
        let novelty = novelty(&scores);
        let score = match (attack, knowledge.as_deref()) {
            (Some(attack), Some(knowledge)) => attack.max(knowledge.on_scale(novelty)),
            _ => novelty,
        };
        let volume = Volume::of(
            usual.mean(Column::PacketsOut as usize).max(usual.mean(Column::PacketsIn as usize)),
        );
        let path = judge::path(class, volume, life.windows);
        let weighed = life.evidence.get_or_insert_with(|| self.judge.evidence(devices));
        let attack = attack.map(|attack| attack - knowledge.as_ref().map_or(0.0, |it| it.likely));
        let words = self.feedback.words(class, &standard, attack, end);
        let quiet = words.normal.is_some();
        let speak = !learning && life.windows >= NEW && !quiet;
        let own = life.own.get_or_insert_with(|| OwnScores::new(OWN, Keep::Latest, 0));
        let by = Own { scores: own, evidence: weighed };
        let tail = knowledge.as_deref().map(|knowledge| &knowledge.tail);
        let judged = self.judge.judge(&path, score, end, (by, tail), speak);
        let word = words.of(feedback::common(&judged));
        let attacks = word.as_ref().is_some_and(|word| !word.normal);
        let normal = learning || (!frozen && (quiet || judged.p.max(judged.raw.p) > NOT_LEARNED));
        let learned = normal && !attacks;
        let mut behaved = Behaved {
            device,
            class,
            end,
            windows: life.windows,
            volume,
            row,
            standard,
            scores,
            novelty,
            attack,
            score,
            group: path[0].clone(),
            judged,
            learned,
            word,
            with,
            evidence,
            why: None,
            changed: Vec::new(),
        };
        if judged.alert || judged.sustained.is_some() || (attacks && !learning) {
            let why = why::why(&behaved, &usual, &self.models, knowledge.as_deref());
            behaved.why = Some(Box::new(why));
        }
        behaved.changed = changed(life, &behaved);
        if !learning {
            self.feedback.remember(&behaved);
        }
        if !frozen && !attacks {
            self.judge.learn(&path, score, &judged);
            if !learning && life.windows >= NEW {
                self.drift.take(&path[0], &row, score, !behaved.changed.is_empty());
            }
            self.shadow.follow(&path, &trees, novelty, end, judged.p);
            if life.windows >= NEW
                && let Some(own) = &mut life.own
            {
                own.learn(score);
            }
        }
        if learned {
            let plain = settled(&row, life.windows < NEW);
            life.usual.learn(&plain, OF_DEVICE);
            self.classes.entry(class).or_default().learn(&plain, OF_MANY);
            self.site.learn(&plain, OF_MANY);
            self.models.learn(class, &standard, why::tag(device, end));
        }
        life.windows += 1;
        behaved
    }
}

/// A window that is over and was scored, before it is judged.
struct Scored {
    device: DeviceIx,
    end: Timestamp,
    standing: Standing,
    row: Row,
    standard: Row,
    scores: Scores,
    trees: [f32; TREE_WIDTH],
    usual: Usual,
    attack: Option<f32>,
    with: Option<Party>,
    evidence: Vec<ObservationId>,
}

/// How strange a row is to the models of normal life together: the mean of their scores.
fn novelty(scores: &Scores) -> f32 {
    scores.iter().sum::<f32>() / scores.len() as f32
}

/// What changed, where the p-values of a device are others than they used to be.
fn changed(life: &mut Life, behaved: &Behaved) -> Vec<Reason> {
    life.lately.learn(&behaved.row, LATELY);
    if behaved.windows < NEW || behaved.judged.raw.kept == 0 {
        return Vec::new();
    }
    let change = life.change.get_or_insert_with(|| Adwin::new(CHANGE));
    match change.take(1.0 - behaved.judged.raw.p) {
        Some(change) if change.after > change.before => why::change(&life.usual, &life.lately),
        _ => Vec::new(),
    }
}
