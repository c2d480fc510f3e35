//! An allow-list for one device, from its normal life, and what it would have blocked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::Timestamp;
use model::device::{DeviceClass, DeviceId};
use serde::{Deserialize, Serialize};

use super::{Settings, is_established};
use crate::essentials::{Judge, Source};
use crate::history::Record;
use crate::mud::{About, Mud, Other, Rule};
use crate::plan::Intent;
use crate::preflight::Replay;
use crate::range::Range;
use crate::restriction::{Conversation, Pattern, Restriction, Way};
use crate::subject::Subject;

/// Conversations that are listed.
const LISTED: usize = 200;

/// One kind of conversation that a policy allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// Which, seen from the device.
    pub pattern: Pattern,
    /// Why, in plain words.
    pub reason: String,
    /// Where it comes from, where care needs it; absent where it is only established.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// What a device may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whose.
    pub device: DeviceId,
    /// What is allowed; everything else is not.
    pub allow: Vec<Allowed>,
}

/// A conversation that a policy would have blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Which.
    pub conversation: Conversation,
    /// What is spoken.
    pub service: String,
    /// Ten-minute slots in which it would have been blocked.
    pub slots: u32,
    /// Why care needs it, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub essential: Option<String>,
    /// Whether it began after a case of one of its sides did.
    pub suspect: bool,
}

/// What a policy would have blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Kinds of conversation that are allowed.
    pub allowed: u64,
    /// Conversations that were replayed.
    pub conversations: u64,
    /// Ten-minute slots of conversations that were replayed.
    pub slots: u64,
    /// Conversations that would have been blocked.
    pub blocked_conversations: u64,
    /// Ten-minute slots of conversations that would have been blocked.
    pub blocked_slots: u64,
    /// Of the blocked ones, how many care needs.
    pub blocked_essential: u64,
    /// The blocked ones: needed ones first, then those seen in most slots; at most 200.
    pub blocked: Vec<Blocked>,
}

/// What differs between two policies of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDiff {
    /// Allowed by the second only.
    pub added: Vec<Allowed>,
    /// Allowed by the first only.
    pub removed: Vec<Allowed>,
    /// Allowed by both.
    pub same: u64,
}

/// The policy of a device: what care needs, and what is established.
pub fn of(device: &Subject, judge: &Judge<'_>, settings: &Settings) -> Policy {
    let needs = judge.of(device).into_iter().filter_map(|need| {
        Some(Allowed { pattern: need.pattern?, reason: need.reason, source: Some(need.source) })
    });
    let established = own(device, judge)
        .into_iter()
        .filter(|(conversation, record)| is_established(settings, judge, conversation, record))
        .map(|(conversation, record)| established(device, &conversation, record));
    made(device, needs.chain(established), settings)
}

/// The policy of a device as it would have been made at `until`: by what was declared, and by what
/// was established before then.
pub fn of_before(
    device: &Subject,
    judge: &Judge<'_>,
    settings: &Settings,
    until: Timestamp,
) -> Policy {
    let declared = judge.declared(&device.id).iter().cloned().chain(judge.of_others(device));
    let fixed = declared.chain(judge.always(device));
    let fixed = fixed.filter_map(|need| {
        Some(Allowed { pattern: need.pattern?, reason: need.reason, source: Some(need.source) })
    });
    let history = judge.ground().history;
    let before = own(device, judge).into_iter().filter(|(conversation, record)| {
        let normal = record.normal(Some(until));
        normal.slots >= settings.slots
            && normal.days >= settings.days
            && !history.is_suspect(conversation, record)
    });
    let before = before.map(|(conversation, record)| established(device, &conversation, record));
    made(device, fixed.chain(before), settings)
}

/// What at least half of the devices of a class (and two) are allowed: for a profile of the class.
pub fn of_class(class: DeviceClass, judge: &Judge<'_>, settings: &Settings) -> Policy {
    let mut shared: BTreeMap<Pattern, (usize, Allowed)> = BTreeMap::new();
    let mut devices = 0_usize;
    for device in judge.ground().devices.all().filter(|device| device.class == class) {
        devices += 1;
        for allowed in of(device, judge, settings).allow {
            shared.entry(allowed.pattern).or_insert_with(|| (0, allowed)).0 += 1;
        }
    }
    let enough = devices.div_ceil(2);
    let allow = shared.into_values().filter(|(count, _)| *count >= enough.max(2)).map(
        |(count, allowed)| Allowed {
            reason: format!("{count} of {devices} devices of the class: {}", allowed.reason),
            ..allowed
        },
    );
    Policy { device: DeviceId(class.name().to_owned()), allow: allow.collect() }
}

/// The recorded conversations of a device.
fn own<'a>(device: &Subject, judge: &Judge<'a>) -> BTreeMap<Conversation, &'a Record> {
    let history = judge.ground().history;
    let all = device.addresses.iter().flat_map(|address| history.of(*address));
    all.map(|(conversation, record)| (*conversation, record)).collect()
}

fn established(device: &Subject, conversation: &Conversation, record: &Record) -> Allowed {
    let (way, peer) = if device.has(conversation.client) {
        (Way::Out, conversation.server)
    } else {
        (Way::In, conversation.client)
    };
    let port = Some(conversation.port).filter(|port| *port > 0);
    let pattern = Pattern { way, peer: Range::one(peer), proto: Some(conversation.proto), port };
    let service = if record.service.is_empty() { "unrecognised" } else { &record.service };
    Allowed { pattern, reason: format!("established ({service})"), source: None }
}

/// One entry a pattern, those of many peers in one segment together, in order.
fn made(device: &Subject, all: impl Iterator<Item = Allowed>, settings: &Settings) -> Policy {
    let mut kept: BTreeMap<Pattern, Allowed> = BTreeMap::new();
    for allowed in all {
        kept.entry(allowed.pattern).or_insert(allowed);
    }
    let mut together: BTreeMap<Pattern, BTreeSet<Pattern>> = BTreeMap::new();
    for pattern in kept.keys().filter(|pattern| pattern.peer.is_one()) {
        let segment = settings.segment(pattern.peer.address());
        together.entry(Pattern { peer: segment, ..*pattern }).or_default().insert(*pattern);
    }
    for (whole, parts) in together {
        if parts.len() < settings.together.max(2) {
            continue;
        }
        let first = parts.iter().find_map(|part| kept.get(part)).cloned();
        let source = parts.iter().filter_map(|part| kept.get(part)?.source).min();
        parts.iter().for_each(|part| drop(kept.remove(part)));
        let reason = first.map_or_else(String::new, |first| first.reason);
        let reason = format!("{} in one segment: {reason}", parts.len());
        kept.insert(whole, Allowed { pattern: whole, reason, source });
    }
    Policy { device: device.id.clone(), allow: kept.into_values().collect() }
}

impl Policy {
    /// What it is for enforcers.
    pub fn restriction(&self) -> Restriction {
        Restriction::Essentials { allow: self.allow.iter().map(|one| one.pattern).collect() }
    }

    /// An intent that goes through pre-flight and approvals like any other, or is exported by an
    /// enforcer for the network team to paste.
    pub fn intent(&self, id: &str, subject: &Subject, ttl: Duration) -> Intent {
        let restriction = self.restriction();
        Intent { id: id.to_owned(), subject: subject.clone(), restriction, ttl }
    }

    /// What it would have blocked of everything that was recorded.
    pub fn replay(&self, device: &Subject, judge: &Judge<'_>) -> Evaluation {
        self.replay_from(device, judge, None)
    }

    /// What it would have blocked from `from` on: held against what it was not made of.
    pub fn replay_from(
        &self,
        device: &Subject,
        judge: &Judge<'_>,
        from: Option<Timestamp>,
    ) -> Evaluation {
        let ground = judge.ground();
        let restriction = self.restriction();
        let replay = Replay::new(&restriction, device, ground);
        let mut told = Evaluation { allowed: self.allow.len() as u64, ..Evaluation::default() };
        for (conversation, record) in own(device, judge) {
            let before = from.map_or(0, |from| record.normal(Some(from)).slots);
            let slots = record.normal(None).slots - before;
            if slots == 0 {
                continue;
            }
            told.conversations += 1;
            told.slots += u64::from(slots);
            if !replay.drops(&conversation) {
                continue;
            }
            let essential = judge.why(&conversation, record);
            told.blocked_conversations += 1;
            told.blocked_slots += u64::from(slots);
            told.blocked_essential += u64::from(essential.is_some());
            let suspect = ground.history.is_suspect(&conversation, record);
            let service = record.service.clone();
            told.blocked.push(Blocked { conversation, service, slots, essential, suspect });
        }
        told.blocked.sort_by(|a, b| {
            let key = |one: &Blocked| (one.essential.is_none(), std::cmp::Reverse(one.slots));
            key(a).cmp(&key(b)).then(a.conversation.cmp(&b.conversation))
        });
        told.blocked.truncate(LISTED);
        told
    }

    /// What differs between this policy and another.
    pub fn diff(&self, other: &Self) -> PolicyDiff {
        let only = |one: &Self, two: &Self| -> Vec<Allowed> {
            let known: BTreeSet<Pattern> = two.allow.iter().map(|a| a.pattern).collect();
            one.allow.iter().filter(|a| !known.contains(&a.pattern)).cloned().collect()
        };
        let removed = only(self, other);
        let same = (self.allow.len() - removed.len()) as u64;
        PolicyDiff { added: only(other, self), removed, same }
    }

    /// The policy as a MUD profile.
    pub fn mud(&self, about: About) -> Mud {
        let rules: BTreeSet<Rule> = self
            .allow
            .iter()
            .map(|Allowed { pattern, .. }| Rule {
                way: pattern.way,
                other: Other::Addresses(pattern.peer),
                proto: pattern.proto,
                port: pattern.port,
            })
            .collect();
        Mud { about, rules: rules.into_iter().collect(), notes: Vec::new() }
    }
}
