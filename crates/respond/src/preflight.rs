//! Pre-flight: what a restriction would have cut, had it been in force before.
//!
//! Every recorded conversation that [`Restriction::drops`] is told, and whether care needs it.
//! Declared needs are checked as patterns too, so that one nobody has seen yet is not cut
//! (`declared.rs`). What counts as essential is not decided here: see [`crate::essentials`].
//!
//! A flow whose server port is one of very many (port 0 of the history) counts as cut where any of
//! its ports would be. A domain is followed to the addresses it had in answers to lookups.
//!
//! **No data, no automatic action.** Where little was recorded, or nothing lately, the answer is
//! [`Outcome::NoData`]; a known essential conversation is told all the same. Absent: flows of
//! other transports than TCP, UDP and ICMP, which the history only counts.

mod declared;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use model::Timestamp;
use model::device::{DeviceId, InUse, Tier};
use serde::{Deserialize, Serialize};

use crate::essentials::{Ground, Judge};
use crate::history::Record;
use crate::plan::Intent;
use crate::range::Range;
use crate::restriction::{Conversation, Indicator, Pattern, Proto, Restriction};
use crate::subject::Subject;

/// A conversation that would have been cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Who with whom.
    pub conversation: Conversation,
    /// The other side's device, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<DeviceId>,
    /// Name of the other side, for people.
    pub peer_name: String,
    /// How care depends on the other side; T0 where nobody knows.
    pub peer_tier: Tier,
    /// What is spoken, such as `dicom` or `hl7`; empty where nobody knows.
    pub service: String,
    /// When it was last seen.
    pub last: Timestamp,
    /// How often.
    pub times: u64,
    /// Why care needs it, where it does: which declaration, or what was learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub essential: Option<String>,
    /// Whether it was first seen after a case of one of its sides began: what the attack did, as far
    /// as can be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspect: bool,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing that was recorded, and nothing that is declared, would be cut.
    CutsNothing,
    /// Something would be cut, none of it essential.
    CutsOther,
    /// Something essential would be cut: this may not be done.
    CutsEssential,
    /// Nothing was recorded of the device: nobody can tell, so nothing may happen by itself.
    NoData,
}

/// The answer of a pre-flight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// What comes of it.
    pub outcome: Outcome,
    /// Why, in plain words: how much was recorded, and what that says.
    #[serde(default)]
    pub because: String,
    /// From when to when flows were recorded; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<(Timestamp, Timestamp)>,
    /// Essential conversations that would be cut, most recent first, at most [`Preflight::MOST`].
    /// Empty, or the restriction is refused.
    pub essential: Vec<Cut>,
    /// Declared needs that would be cut, seen or not, in plain words.
    pub declared: Vec<String>,
    /// Others that would be cut, most recent first and suspect ones last, at most
    /// [`Preflight::MAX`].
    pub other: Vec<Cut>,
    /// How many more of the others there are.
    pub more: u64,
    /// Whether the device serves a patient now.
    pub in_use: InUse,
    /// Why we think so.
    pub in_use_because: String,
}

impl Preflight {
    /// Conversations that are listed.
    pub const MAX: usize = 200;
    /// Essential ones that are listed; how many there are is said in [`Preflight::because`].
    pub const MOST: usize = 2_000;

    /// Whether a policy may act on it without a person.
    pub const fn allows_automatic(&self) -> bool {
        matches!(self.outcome, Outcome::CutsNothing | Outcome::CutsOther)
    }
}

/// How much must have been recorded before anything may happen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Minimum {
    /// From the first to the last flow of the device; of everybody for a block at the perimeter.
    pub recorded: Duration,
    /// Longest time since any flow was recorded.
    pub silent: Duration,
}

impl Default for Minimum {
    fn default() -> Self {
        Self { recorded: Duration::from_secs(86_400), silent: Duration::from_secs(3_600) }
    }
}

/// Replays an intent against what was recorded and declared.
pub fn check(intent: &Intent, judge: &Judge<'_>, minimum: &Minimum, now: Timestamp) -> Preflight {
    let ground = judge.ground();
    let subject = &intent.subject;
    let replay = Replay::new(&intent.restriction, subject, ground);
    let (mut essential, mut other) = (Vec::new(), Vec::new());
    let mut span: Option<(Timestamp, Timestamp)> = None;
    let mut consider = |conversation: &Conversation, record: &Record| {
        if !ground.history.is_suspect(conversation, record) {
            let (first, last) = span.unwrap_or((record.first, record.last));
            span = Some((first.min(record.first), last.max(record.last)));
        }
        if replay.drops(conversation) {
            let why = judge.why(conversation, record);
            let list = if why.is_some() { &mut essential } else { &mut other };
            list.push(cut(conversation, record, why, subject, ground));
        }
    };
    if matches!(intent.restriction, Restriction::Perimeter { .. }) {
        ground.history.all().for_each(|(key, record)| consider(key, record));
    } else {
        let own = subject.addresses.iter().flat_map(|address| ground.history.of(*address));
        let own: BTreeMap<_, _> = own.collect();
        own.into_iter().for_each(|(key, record)| consider(key, record));
    }
    // What the attack did comes last: a scan must not push normal life out of the list.
    for list in [&mut essential, &mut other] {
        list.sort_by(|a, b| {
            let by_time = b.last.cmp(&a.last).then(a.conversation.cmp(&b.conversation));
            a.suspect.cmp(&b.suspect).then(by_time)
        });
    }
    let declared = declared::would_cut(&replay, judge);
    let (outcome, because) = if essential.is_empty() && declared.is_empty() {
        match too_little(span, subject, &intent.restriction, ground, minimum, now) {
            Some(why) => (Outcome::NoData, why),
            None if other.is_empty() => (Outcome::CutsNothing, told(span, "nothing of it")),
            None => (
                Outcome::CutsOther,
                told(span, &format!("{} of them, none essential,", other.len())),
            ),
        }
    } else {
        let seen = format!(
            "{} essential conversations and {} declared needs would be cut",
            essential.len(),
            declared.len()
        );
        (Outcome::CutsEssential, seen)
    };
    essential.truncate(Preflight::MOST);
    let more = other.len().saturating_sub(Preflight::MAX) as u64;
    other.truncate(Preflight::MAX);
    Preflight {
        outcome,
        because,
        recorded: ground.history.recorded(),
        essential,
        declared,
        other,
        more,
        in_use: subject.in_use,
        in_use_because: subject.in_use_because.clone(),
    }
}

fn told(span: Option<(Timestamp, Timestamp)>, what: &str) -> String {
    let (first, last) = span.unwrap_or_default();
    format!("conversations recorded over {}: {what} would be cut", words(last.since(first)))
}

/// Why what was recorded is too little to say anything.
fn too_little(
    span: Option<(Timestamp, Timestamp)>,
    subject: &Subject,
    restriction: &Restriction,
    ground: &Ground<'_>,
    minimum: &Minimum,
    now: Timestamp,
) -> Option<String> {
    let (whom, everybody) = match restriction {
        Restriction::Perimeter { .. } => ("the site", true),
        _ => (subject.title(), false),
    };
    if let Restriction::Perimeter { indicator: Indicator::Domain(name) } = restriction
        && ground.names.is_empty()
    {
        return Some(format!("no lookup of names was recorded: nobody can tell who needs {name}"));
    }
    let Some((first, last)) = span else {
        return Some(format!("no conversation of {whom} was recorded before this"));
    };
    let span = last.since(first);
    if span < minimum.recorded {
        return Some(format!(
            "conversations of {whom} were recorded over {} only; {} are needed",
            words(span),
            words(minimum.recorded)
        ));
    }
    let latest = if everybody { last } else { ground.history.recorded()?.1 };
    let silent = now.since(latest);
    (silent > minimum.silent).then(|| {
        format!("nothing was recorded for {}: the sensor may not see the network", words(silent))
    })
}

fn words(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} minutes", seconds / 60),
        7_200..=172_799 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn cut(
    conversation: &Conversation,
    record: &Record,
    essential: Option<String>,
    subject: &Subject,
    ground: &Ground<'_>,
) -> Cut {
    let peer =
        if subject.has(conversation.client) { conversation.server } else { conversation.client };
    let side = ground.devices.at(peer);
    Cut {
        conversation: *conversation,
        peer: side.device().map(|device| device.id.clone()),
        peer_name: side.name(peer),
        peer_tier: side.tier(),
        service: record.service.clone(),
        last: record.last,
        times: record.times,
        essential,
        suspect: ground.history.is_suspect(conversation, record),
    }
}

/// A restriction, ready to be held against what was recorded.
pub(crate) struct Replay<'a> {
    pub(crate) restriction: &'a Restriction,
    pub(crate) subject: &'a Subject,
    /// A block with any port, for conversations that stand for many ports.
    any_port: Option<Restriction>,
    /// The addresses that a domain had.
    pub(crate) named: BTreeSet<IpAddr>,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(
        restriction: &'a Restriction,
        subject: &'a Subject,
        ground: &Ground<'_>,
    ) -> Self {
        let any_port = match restriction {
            Restriction::Block { flows } => {
                let any = |flow: &Pattern| Pattern { port: None, ..*flow };
                Some(Restriction::Block { flows: flows.iter().map(any).collect() })
            }
            _ => None,
        };
        let named = match restriction {
            Restriction::Perimeter { indicator: Indicator::Domain(name) } => {
                ground.names.below(name)
            }
            _ => BTreeSet::new(),
        };
        Self { restriction, subject, any_port, named }
    }

    /// Whether a recorded conversation would be cut, or one of those it stands for.
    pub(crate) fn drops(&self, conversation: &Conversation) -> bool {
        if self.named.contains(&conversation.server) || self.named.contains(&conversation.client) {
            return true;
        }
        let many = conversation.port == 0 && conversation.proto != Proto::Icmp;
        match &self.any_port {
            Some(any) if many => any.drops(self.subject, conversation),
            _ => self.restriction.drops(self.subject, conversation),
        }
    }
}

/// Whether one range lies in another.
pub(crate) fn covers(outer: Range, inner: Range) -> bool {
    outer.prefix() <= inner.prefix() && outer.contains(inner.address())
}

/// Whether two ranges share an address.
pub(crate) fn overlap(one: Range, two: Range) -> bool {
    covers(one, two) || covers(two, one)
}

#[cfg(test)]
mod tests;
