//! What is asked of segmentation, by the command line and by the API alike: the policy of a device
//! with what it would have blocked, what has changed in it, its text to paste, its MUD file, and what
//! somebody else's MUD file would have blocked.
//!
//! Nothing here enforces, fetches or keeps anything.

use std::time::Duration;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::policy::{self, Allowed, Evaluation, Policy, PolicyDiff};
use crate::enforcers::acl::{self, Dialect};
use crate::essentials::{Judge, Peer};
use crate::mud::{self, About, MudError, WriteError};
use crate::office::{NoProposal, Office};
use crate::range::Range;
use crate::restriction::Pattern;
use crate::subject::Subject;

/// What a network engineer pastes stays until they take it away; what is in force for a while is
/// planned and approved like any restriction.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// Notes that are told.
const NOTES: usize = 200;
/// Where a MUD file is published, where nobody says.
pub const NOWHERE: &str = "https://profiles.invalid/device.json";

/// A policy, and what it would have blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighed {
    /// The policy.
    pub policy: Policy,
    /// Replayed over what was recorded.
    pub would_have_blocked: Evaluation,
}

/// The policy of a device and what it would have blocked of all that was recorded; with `until`,
/// made of what was known before then and held against the rest.
pub fn policy(
    device: &Subject,
    judge: &Judge<'_>,
    settings: &Settings,
    until: Option<Timestamp>,
) -> Weighed {
    let policy = match until {
        None => policy::of(device, judge, settings),
        Some(until) => policy::of_before(device, judge, settings, until),
    };
    let would_have_blocked = policy.replay_from(device, judge, until);
    Weighed { policy, would_have_blocked }
}

/// What has changed in a device's policy since a time.
pub fn diff(
    device: &Subject,
    judge: &Judge<'_>,
    settings: &Settings,
    since: Timestamp,
) -> PolicyDiff {
    let before = policy::of_before(device, judge, settings, since);
    before.diff(&policy::of(device, judge, settings))
}

/// The MUD file of a device, from its normal life.
///
/// # Errors
/// Where nothing is known that it needs, or the address is none.
pub fn mud(
    device: &Subject,
    judge: &Judge<'_>,
    settings: &Settings,
    url: &str,
) -> Result<String, WriteError> {
    let recorded = judge.ground().history.recorded();
    let about = About {
        url: url.to_owned(),
        last_update: recorded.map(|(_, last)| last).unwrap_or_default(),
        is_supported: true,
        systeminfo: device.class.title().to_owned(),
        ..About::default()
    };
    mud::write(&policy::of(device, judge, settings).mud(about))
}

/// For whom a policy is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The enforcers that are configured.
    Enforcers,
    /// Somebody's firewall.
    Of(Dialect),
}

impl Language {
    /// Names that are known, for people.
    pub const NAMES: &str = "cisco-dacl, cisco-extended, fortigate, paloalto or enforcers";

    /// From its name, with dashes or underscores.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        if name == "enforcers" {
            return Some(Self::Enforcers);
        }
        Dialect::ALL.into_iter().find(|dialect| dialect.name() == name).map(Self::Of)
    }
}

/// Text to paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paste {
    /// For which enforcer or firewall.
    pub name: String,
    /// What restricts, line by line.
    pub change: Vec<String>,
    /// What removes it.
    pub undo: Vec<String>,
}

/// The policy of a device as text to paste.
///
/// # Errors
/// Where no enforcer, or not this firewall, can say it.
pub fn paste(
    office: &Office,
    device: &Subject,
    judge: &Judge<'_>,
    settings: &Settings,
    language: Language,
) -> Result<Vec<Paste>, NoProposal> {
    let intent = policy::of(device, judge, settings).intent("A-0000", device, LONGEST);
    match language {
        Language::Enforcers => {
            let plans = office.plans(&intent)?.into_iter();
            Ok(plans
                .map(|plan| Paste { name: plan.enforcer, change: plan.change, undo: plan.undo })
                .collect())
        }
        Language::Of(dialect) => {
            let text = acl::text(dialect, &intent)
                .map_err(|why| NoProposal::NoEnforcer(why.to_string()))?;
            let name = dialect.name().to_owned();
            Ok(vec![Paste { name, change: text.change, undo: text.undo }])
        }
    }
}

/// What a MUD file means for a device here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What was taken wider than it was written, left out, or has no address here, in plain words.
    pub notes: Vec<String>,
    /// What it allows.
    pub policy: Policy,
    /// What it would have blocked of all that was recorded.
    pub would_have_blocked: Evaluation,
}

/// Reads a MUD file, and says what it would have blocked of a device. Adopts nothing.
///
/// # Errors
/// Where it is none.
pub fn check(bytes: &[u8], device: &Subject, judge: &Judge<'_>) -> Result<Checked, MudError> {
    let read = mud::read(bytes)?;
    // Nobody says as yet who a controller is, or which models there are.
    let (needs, missing) = read.needs(|_| Vec::new());
    let names = judge.ground().names;
    let allow = needs.into_iter().flat_map(|need| {
        let peers = match &need.peer {
            Peer::Addresses(range) => vec![*range],
            Peer::Name(name) => names.of(name).into_iter().map(Range::one).collect(),
            Peer::Class(_) => Vec::new(),
        };
        let reason = need.reason.clone();
        peers.into_iter().map(move |peer| Allowed {
            pattern: Pattern { way: need.way, peer, proto: need.proto, port: need.port },
            reason: reason.clone(),
            source: None,
        })
    });
    let policy = Policy { device: device.id.clone(), allow: allow.collect() };
    let would_have_blocked = policy.replay(device, judge);
    let notes = read.notes.into_iter().chain(missing).take(NOTES).collect();
    Ok(Checked { notes, policy, would_have_blocked })
}
