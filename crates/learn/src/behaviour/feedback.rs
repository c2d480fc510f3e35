//! What analysts said of windows, and what that would have changed.
//!
//! "This is normal for us" and "this was an attack" enter as labelled rows, with who said it and when.
//! A normal label keeps the models, and only them, from telling of windows like it; an attack label
//! tells of windows like it at once, and nothing learns from them. Before a label enters, it is held
//! against a bounded ring of past windows that were strange: what would have been told, what would
//! not, and which of that is on windows that something else holds for an attack.
//!
//! How near is "like it": see [`near`]. Deliberately absent: any word to other detectors. They have
//! no access to this, so no label can silence a rule.

use std::collections::VecDeque;

use assets::DeviceIx;
use model::device::DeviceClass;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::judge::Judged;
use super::{Behaved, Behaviour, NOT_LEARNED, Scores};

/// Strange windows that are kept: at one in a hundred, those of 200 000 windows (half a day of fifty
/// busy devices).
const RING: usize = 2_000;
/// Labels that are kept; the oldest goes first.
const LABELS: usize = 1_000;
/// Windows less strange than this among their like are what devices do all day: an attack label on
/// one does not make them alerts, or the alert that matters would drown.
const COMMON: f64 = 0.05;
/// Fewer scores than this cannot tell what is common.
const TELLS: usize = 100;
/// So much larger may the log-odds of an attack be than in the row that was called normal: the odds
/// times 2.7. What the trees hold for an attack beyond that is not what the analyst looked at.
const MARGIN: f32 = 1.0;
/// Seconds before and after a window in which a rule's finding, or an attack label on the same
/// device, is about the same events.
pub const COVERS_SECONDS: f64 = 60.0;

/// Differences of two rows: of any one column, and over all columns (root mean square), in standard
/// deviations.
const ONE_COLUMN: f32 = 3.0;
const ALL_COLUMNS: f32 = 1.0;

/// Whether a row is like another, both in standard deviations from what is usual for their devices.
///
/// It has to differ by at most one deviation over all columns, and by at most three in any single
/// one. Two windows of the same behaviour differ in a column that varies by sqrt(2) deviations (root
/// mean square) and by more than three in about one of thirty; most columns do not vary at all, so
/// over all of them one is room enough. The bound on a single column is what keeps an attack from
/// hiding: seventy columns as usual cannot pay for one that is not.
///
/// The distance to a neighbour in the memory of the class would fit more tightly, and is not used: it
/// grows with what the memory is taught, so that a label would reach further the more was let through
/// because of it, and furthest where little is known. A fixed distance means the same on the day it
/// is previewed and a year later.
pub fn near(a: &[f32], b: &[f32]) -> bool {
    if a.len() != b.len() || a.is_empty() {
        return false;
    }
    let most = ALL_COLUMNS * ALL_COLUMNS * a.len() as f32;
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        let off = (a - b).abs();
        // Not a number is near nothing.
        if off.is_nan() || off > ONE_COLUMN {
            return false;
        }
        sum += off * off;
    }
    sum <= most
}

/// A label: what a person said of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whose window.
    pub device: DeviceIx,
    /// When it ended.
    pub end: Timestamp,
    /// Class of the device, as known then.
    pub class: DeviceClass,
    /// What it did, in standard deviations.
    pub row: Vec<f32>,
    /// Log-odds of an attack, where there were trees.
    pub attack: Option<f32>,
    /// Normal for us, or else an attack.
    pub normal: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// About what, and why: the finding or case, and the person's words.
    pub about: String,
    /// Only windows that end later are judged by it: where it was entered while they were watched, so
    /// that the same traffic with the same labels gives the same answers again. Always, where there
    /// is none.
    #[serde(default)]
    pub from: Option<Timestamp>,
}

/// A past window that was strange, or told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastWindow {
    /// Whose.
    pub device: DeviceIx,
    /// Class of the device, as known then.
    pub class: DeviceClass,
    /// When it ended.
    pub end: Timestamp,
    /// What it did, in standard deviations.
    pub row: Vec<f32>,
    /// Scores of the models of normal life.
    pub scores: Scores,
    /// Log-odds of an attack, where there were trees.
    pub attack: Option<f32>,
    /// The score that was judged.
    pub score: f32,
    /// How strange that was among its like.
    pub p: f64,
    /// Whether the models made it an alert, labels apart.
    pub alert: bool,
    common: bool,
}

impl PastWindow {
    /// A label on it.
    pub fn verdict(&self, normal: bool, by: &str, at: Timestamp, about: &str) -> Verdict {
        Verdict {
            device: self.device,
            end: self.end,
            class: self.class,
            row: self.row.clone(),
            attack: self.attack,
            normal,
            by: by.to_owned(),
            at,
            about: about.to_owned(),
            from: None,
        }
    }
}

/// The label that decides on a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Normal for us, or else an attack.
    pub normal: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// End of the window that it was said of.
    pub end: Timestamp,
}

/// What labels say of a window, before it is known how common it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) normal: Option<Word>,
    attack: Option<Word>,
}

impl Words {
    /// The one that decides: an attack before normal, except of what is common.
    pub(super) fn of(self, common: bool) -> Option<Word> {
        self.attack.filter(|_| !common).or(self.normal)
    }
}

/// Whether it is what devices like this one do all day.
pub(super) fn common(judged: &Judged) -> bool {
    judged.raw.kept >= TELLS && judged.p > COMMON
}

/// Labels, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Labels(VecDeque<Verdict>);

impl Labels {
    /// Who speaks of the same window again has changed their mind: the later word counts.
    fn enter(&mut self, label: Verdict) {
        self.0.retain(|old| (old.device, old.end) != (label.device, label.end));
        if self.0.len() >= LABELS {
            self.0.pop_front();
        }
        self.0.push_back(label);
    }

    /// What all of them say of a window, whenever they are in force.
    fn of(&self, class: DeviceClass, row: &[f32], attack: Option<f32>) -> Words {
        self.in_force(class, row, attack, None)
    }

    /// What those say of a window that are in force at its end.
    fn in_force(
        &self,
        class: DeviceClass,
        row: &[f32],
        attack: Option<f32>,
        end: Option<Timestamp>,
    ) -> Words {
        let mut words = Words::default();
        let like = |label: &&Verdict| {
            let in_force = label.from.zip(end).is_none_or(|(from, end)| end > from);
            in_force && label.class == class && near(&label.row, row)
        };
        for label in self.0.iter().filter(like) {
            let word = || Word {
                normal: label.normal,
                by: label.by.clone(),
                at: label.at,
                end: label.end,
            };
            if !label.normal {
                words.attack = Some(word());
            } else if attack.unwrap_or(0.0) <= label.attack.unwrap_or(0.0) + MARGIN {
                words.normal = Some(word());
            }
        }
        words
    }

    /// Whether a past window is told with these labels, had they been there, and the label that
    /// decides.
    fn told(&self, past: &PastWindow) -> (bool, Option<Word>) {
        let word = self.of(past.class, &past.row, past.attack).of(past.common);
        (word.as_ref().map_or(past.alert, |word| !word.normal), word)
    }
}

/// Labels and past windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Feedback {
    labels: Labels,
    past: VecDeque<PastWindow>,
}

impl Feedback {
    /// What labels say of a window that ended at a time.
    pub(super) fn words(
        &self,
        class: DeviceClass,
        row: &[f32],
        attack: Option<f32>,
        end: Timestamp,
    ) -> Words {
        if self.labels.0.is_empty() {
            return Words::default();
        }
        self.labels.in_force(class, row, attack, Some(end))
    }

    /// Keeps a window in mind, where it was strange or told.
    pub(super) fn remember(&mut self, behaved: &Behaved) {
        let judged = &behaved.judged;
        let alert = judged.alert || judged.sustained.is_some();
        let attack = behaved.word.as_ref().is_some_and(|word| !word.normal);
        if !(alert || attack || judged.p <= NOT_LEARNED) {
            return;
        }
        if self.past.len() >= RING {
            self.past.pop_front();
        }
        self.past.push_back(PastWindow {
            device: behaved.device,
            class: behaved.class,
            end: behaved.end,
            row: behaved.standard.to_vec(),
            scores: behaved.scores,
            attack: behaved.attack,
            score: behaved.score,
            p: judged.p,
            alert,
            common: common(judged),
        });
    }
}

/// A detection that a label would lose.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost<'a> {
    /// The window.
    pub window: &'a PastWindow,
    /// What else holds it for an attack.
    pub because: String,
}

/// What labels would have changed in the past windows that are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview<'a> {
    /// Windows that were looked at.
    pub looked_at: usize,
    /// Windows told now that would not have been.
    pub would_be_quiet: Vec<&'a PastWindow>,
    /// Windows not told now that would have been.
    pub would_alert: Vec<&'a PastWindow>,
    /// Those of `would_be_quiet` that something else holds for an attack.
    pub lost_attacks: Vec<Lost<'a>>,
}

impl Behaviour {
    /// Past windows that were strange or told, the oldest first. At most 2 000.
    pub fn past(&self) -> impl DoubleEndedIterator<Item = &PastWindow> {
        self.feedback.past.iter()
    }

    /// Labels that were given, the oldest first. At most 1 000.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &Verdict> {
        self.feedback.labels.0.iter()
    }

    /// Takes a label. A later one on the same window replaces it.
    pub fn enter(&mut self, label: Verdict) {
        self.feedback.labels.enter(label);
    }

    /// What labels would have changed, beside those that are in. `covered` says what rule held a
    /// device for attacked or attacking about the end of a window, where one did.
    ///
    /// It holds the past windows against the labels as they were judged then. It does not foresee
    /// what the alert budget would have had left for other windows, nor what the models would have
    /// learned from those that are quiet.
    pub fn preview(
        &self,
        labels: &[Verdict],
        covered: impl Fn(DeviceIx, Timestamp) -> Option<String>,
    ) -> Preview<'_> {
        let before = &self.feedback.labels;
        let mut after = before.clone();
        labels.iter().for_each(|label| after.enter(label.clone()));
        let mut preview = Preview { looked_at: self.feedback.past.len(), ..Preview::default() };
        for window in &self.feedback.past {
            match (before.told(window).0, after.told(window).0) {
                (true, false) => {
                    preview.would_be_quiet.push(window);
                    let attack = || before.attack_about(window);
                    if let Some(because) = covered(window.device, window.end).or_else(attack) {
                        preview.lost_attacks.push(Lost { window, because });
                    }
                }
                (false, true) => preview.would_alert.push(window),
                _ => {}
            }
        }
        preview
    }
}

impl Labels {
    /// An attack label on the device about the time of a window, or on windows like it.
    fn attack_about(&self, past: &PastWindow) -> Option<String> {
        let same = |label: &&Verdict| {
            let seconds = past.end.seconds_since(label.end).abs();
            let about = label.device == past.device && seconds <= COVERS_SECONDS;
            !label.normal && (about || (label.class == past.class && near(&label.row, &past.row)))
        };
        let label = self.0.iter().rev().find(same)?;
        Some(format!("{} called it an attack on {}", label.by, label.at))
    }
}

#[cfg(test)]
mod tests;
