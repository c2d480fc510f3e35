//! What an analyst said of a case or finding, on its way to the models.
//!
//! The server keeps the word (that is the store's) and hands it on; what models make of it is not its
//! business. Deliberately absent: words of anybody but analysts and administrators. Others may say
//! what they think, and that is kept for people.

use model::time::Timestamp;
use serde::Serialize;
use store::Verdict;
use utoipa::ToSchema;

/// A word, as the models are to learn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Id of the case or finding.
    pub about: String,
    /// What they think.
    pub verdict: Verdict,
    /// Who.
    pub who: String,
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// Why, in the person's words.
    pub note: String,
    /// Only to see what it would change.
    pub preview: bool,
}

/// What the models made of it, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Taught {
    /// Whether it counts from now on.
    pub entered: bool,
    /// In words: what it changes, or why it is no label.
    pub says: String,
    /// Windows of behaviour that it is about.
    pub windows: usize,
    /// Past windows that it was held against.
    pub looked_at: usize,
    /// Of those: told, and would not have been.
    pub would_be_quiet: usize,
    /// Of those: not told, and would have been.
    pub would_alert: usize,
    /// Of those that would be quiet: held for an attack by something else.
    pub lost_attacks: usize,
    /// Windows that end after this time of the traffic are judged by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
}
