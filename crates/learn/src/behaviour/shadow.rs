//! A challenger beside the champion: it judges every window too, and nobody hears of it.
//!
//! What counts is how often each of them would have found a window of normal life strange, and whether
//! they agree: before somebody promotes it, the challenger has to have kept its promise here.

use std::sync::Arc;

use ml::conformal::{Keep, Scores};
use ml::sequential::Evidence;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::judge::{Judge, Own};
use super::knowledge::{Knowledge, TREE_WIDTH};

/// Windows at least as strange as this are counted.
const STRANGE: f64 = 0.001;

/// The one beside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Shadow {
    #[serde(skip)]
    pub(super) knowledge: Option<Arc<Knowledge>>,
    judge: Judge,
    pub(super) compared: Compared,
}

/// How often each found a window strange (one in a thousand).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Windows that both judged.
    pub windows: u64,
    /// Strange to the one in use.
    pub champion: u64,
    /// Strange to the one beside it.
    pub challenger: u64,
    /// Strange to both.
    pub both: u64,
}

impl Shadow {
    /// Judges a window that nobody objects to; `p` is what the one in use says of it.
    pub(super) fn follow(
        &mut self,
        path: &[String; 3],
        row: &[f32; TREE_WIDTH],
        novelty: f32,
        at: Timestamp,
        p: f64,
    ) {
        let Some(knowledge) = &self.knowledge else { return };
        let score = knowledge.score(row, novelty);
        let mut unheard = Evidence::new(f64::MAX);
        let none = Scores::new(0, Keep::Latest, 0);
        let by = Own { scores: &none, evidence: &mut unheard };
        let judged = self.judge.judge(path, score, at, (by, None), false);
        self.judge.learn(path, score, &judged);
        let (mine, other) = (p <= STRANGE, judged.p <= STRANGE);
        self.compared.windows += 1;
        self.compared.champion += u64::from(mine);
        self.compared.challenger += u64::from(other);
        self.compared.both += u64::from(mine && other);
    }
}
