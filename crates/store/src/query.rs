//! What to look for, and a page of what was found.

use model::finding::Severity;
use model::time::Timestamp;
use serde::Serialize;

use crate::cursor::Cursor;
use crate::word::CaseStatus;

/// Most items of a page.
pub const MAX_LIMIT: usize = 1_000;

/// Items of a page where the query does not say.
pub(crate) const DEFAULT_LIMIT: usize = 100;

/// A list that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Facts, the latest first.
    Observations,
    /// Flows, the latest start first.
    Flows,
    /// Findings, the latest first.
    Findings,
    /// Cases, the latest opened first.
    Cases,
    /// Devices, in the order in which they were first stored.
    Devices,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Observations, Self::Flows, Self::Findings, Self::Cases, Self::Devices];

    /// Its name, in the plural.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observations => "observations",
            Self::Flows => "flows",
            Self::Findings => "findings",
            Self::Cases => "cases",
            Self::Devices => "devices",
        }
    }

    pub(crate) const fn letter(self) -> char {
        match self {
            Self::Observations => 'o',
            Self::Flows => 'f',
            Self::Findings => 'n',
            Self::Cases => 'c',
            Self::Devices => 'd',
        }
    }

    pub(crate) fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.letter() == letter)
    }
}

/// What to look for. What is absent does not narrow the search; a filter that a list does not have
/// is refused, never passed over in silence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Kind of an observation, protocol of a flow, kind of a finding (`rule`, `anomaly`, ...),
    /// class of a device. Cases have none.
    pub kind: Option<String>,
    /// Id of a device that takes part.
    pub device: Option<String>,
    /// Not before: the time of an observation or finding, the start of a flow, the opening of a
    /// case, the last sight of a device.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// At least so severe: findings and cases.
    pub severity: Option<Severity>,
    /// Cases: where a person left it.
    pub status: Option<CaseStatus>,
    /// Findings: those of this case.
    pub case: Option<String>,
    /// Letters that its JSON holds, whatever the case of ASCII letters.
    pub text: Option<String>,
    /// Most items of the page; none means 100, at most [`MAX_LIMIT`].
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
}
