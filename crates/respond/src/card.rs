//! The consequence card: what a restriction means at the bedside, for people who know patients and
//! not networks.
//!
//! Made of the intent, its pre-flight and the class of the device. One sentence a line, no jargon,
//! and no more certainty than there is. No patient is named, since nothing here knows of any.

pub mod downtime;

use std::fmt;
use std::time::Duration;

use model::Timestamp;
use model::device::InUse;
use serde::{Deserialize, Serialize};

pub use downtime::{Pack, downtime};

use crate::plan::Intent;
use crate::preflight::{Cut, Outcome, Preflight};
use crate::restriction::{Indicator, Restriction};

/// Lines about what stops that are shown; the others are counted.
const SHOWN: usize = 6;

/// Whom to call, as the hospital says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contacts {
    /// Clinical engineering: name and telephone.
    pub clinical_engineering: String,
    /// Security operations: name and telephone.
    pub security: String,
}

/// What a restriction means at the bedside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// One sentence.
    pub headline: String,
    /// Whether a patient depends on it now, and why we think so.
    pub in_use: String,
    /// What stops.
    pub stops: Vec<String>,
    /// What goes on.
    pub goes_on: Vec<String>,
    /// Until when, at most.
    pub until: Timestamp,
    /// The same in words.
    pub until_words: String,
    /// What to do by hand.
    pub by_hand: String,
    /// How to end it at once.
    pub release: String,
    /// Whom to call.
    pub call: Vec<String>,
    /// What to do where a patient was harmed.
    pub report: String,
    /// What nobody knows, where that matters.
    pub caution: Vec<String>,
}

/// Makes the card. `code` is the bedside code that ends the restriction, where there is one yet.
pub fn card(
    intent: &Intent,
    preflight: &Preflight,
    contacts: &Contacts,
    code: Option<&str>,
    now: Timestamp,
) -> Card {
    let subject = &intent.subject;
    let title = subject.class.title();
    let device = format!("{title} {}", subject.title());
    let pack = downtime(subject.class);
    let (headline, mut stops, mut goes_on) = match &intent.restriction {
        Restriction::Block { .. } => (
            format!("One connection of the {device} is cut. Everything else of it goes on."),
            Vec::new(),
            vec![
                "All other connections of the device.".to_owned(),
                "What the device does at the bedside.".to_owned(),
            ],
        ),
        Restriction::Perimeter { indicator } => {
            let what = match indicator {
                Indicator::Address(_) => "an address",
                Indicator::Domain(_) => "a name",
            };
            (
                format!(
                    "The whole hospital is cut off from {what} that an attack uses: {indicator}."
                ),
                Vec::new(),
                vec!["Every device in the hospital, and what they say to each other.".to_owned()],
            )
        }
        Restriction::Essentials { allow } => (
            format!("The {device} may use only the {} connections that care needs.", allow.len()),
            vec!["Everything that is not listed as needed, remote service among it.".to_owned()],
            vec![
                "The connections that were declared or confirmed as needed.".to_owned(),
                "What the device does at the bedside.".to_owned(),
            ],
        ),
        Restriction::Quarantine { .. } => (
            format!("The {device} is cut off from the network, but for the people who repair it."),
            vec![pack.stops.to_owned()],
            vec![pack.goes_on.to_owned()],
        ),
    };
    let lines = cuts(&preflight.essential, "NEEDED BY CARE: ")
        .chain(preflight.declared.iter().map(|need| format!("NEEDED BY CARE: {need}")))
        .chain(cuts(&preflight.other, ""));
    let mut lines: Vec<String> = lines.collect();
    lines.dedup();
    let hidden = lines.len().saturating_sub(SHOWN) as u64;
    lines.truncate(SHOWN);
    stops.extend(lines);
    if hidden + preflight.more > 0 {
        stops.push(format!("And {} more that care is not known to need.", hidden + preflight.more));
    }
    if stops.is_empty() {
        stops.push("Nothing that was seen in the last 14 days.".to_owned());
    }
    goes_on.dedup();
    let until = now.plus(intent.ttl);
    Card {
        headline,
        in_use: in_use(preflight),
        stops,
        goes_on,
        until,
        until_words: format!("{} at most, then it ends by itself.", words(intent.ttl)),
        by_hand: pack.by_hand.to_owned(),
        release: match code {
            Some(code) => format!("Enter the code {code} at Wardwatch, or ask security by telephone. One person may always do this; nobody has to agree."),
            None => "Ask security by telephone, or enter the code that is given once this is in force. One person may always do this.".to_owned(),
        },
        call: call(contacts),
        report: downtime::REPORT.to_owned(),
        caution: caution(preflight),
    }
}

/// Conversations as lines: with whom, for what. Those with the same words are one line.
fn cuts<'a>(cuts: &'a [Cut], before: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut told = std::collections::BTreeSet::new();
    cuts.iter().filter_map(move |cut| {
        let what = crate::essentials::carries(&cut.service, &cut.conversation);
        let what = if what.is_empty() { "a connection".to_owned() } else { what.to_owned() };
        let why = match (&cut.essential, cut.suspect) {
            (Some(why), _) => format!(" ({why})"),
            (None, true) => " (began with the attack)".to_owned(),
            (None, false) => String::new(),
        };
        let line = format!("{before}{what} with {}{why}.", cut.peer_name);
        told.insert(line.clone()).then_some(line)
    })
}

fn in_use(preflight: &Preflight) -> String {
    let because = match preflight.in_use_because.trim_end_matches('.') {
        "" => ".".to_owned(),
        because => format!(": {because}."),
    };
    match preflight.in_use {
        InUse::InUse => format!("A patient depends on it now{because}"),
        InUse::Idle => {
            format!("No patient seems to depend on it now{because} Look before you rely on this.")
        }
        InUse::Unknown => format!(
            "Nobody can tell whether a patient depends on it now{because} Act as if one did."
        ),
    }
}

fn call(contacts: &Contacts) -> Vec<String> {
    let or = |given: &str, who: &str| {
        if given.is_empty() {
            format!("{who} (no number is configured)")
        } else {
            format!("{who}: {given}")
        }
    };
    vec![
        or(&contacts.clinical_engineering, "Clinical engineering"),
        or(&contacts.security, "Security operations"),
    ]
}

fn caution(preflight: &Preflight) -> Vec<String> {
    let mut caution = Vec::new();
    match preflight.outcome {
        Outcome::CutsEssential => {
            caution.push("This would cut what care needs. It may not be done as it is.".to_owned())
        }
        Outcome::NoData => caution
            .push(format!("Too little is known to say what this cuts: {}.", preflight.because)),
        Outcome::CutsNothing | Outcome::CutsOther => {}
    }
    caution.push("What is needed rarely, such as once a month, may not have been seen.".to_owned());
    caution
}

fn words(ttl: Duration) -> String {
    let minutes = ttl.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, 1) => "1 minute".to_owned(),
        (0, minutes) => format!("{minutes} minutes"),
        (1, 0) => "1 hour".to_owned(),
        (hours, 0) => format!("{hours} hours"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

impl fmt::Display for Card {
    /// The card as text, to print or to read aloud.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.headline)?;
        writeln!(f, "In use?      {}", self.in_use)?;
        let lists = [
            ("Stops", &self.stops),
            ("Goes on", &self.goes_on),
            ("Call", &self.call),
            ("Caution", &self.caution),
        ];
        for (title, lines) in lists {
            for (place, line) in lines.iter().enumerate() {
                writeln!(f, "{:<12} {line}", if place == 0 { title } else { "" })?;
            }
        }
        writeln!(f, "{:<12} {} ({})", "For", self.until_words, self.until)?;
        writeln!(f, "{:<12} {}", "By hand", self.by_hand)?;
        writeln!(f, "{:<12} {}", "End it", self.release)?;
        writeln!(f, "{:<12} {}", "If harmed", self.report)
    }
}

#[cfg(test)]
mod tests;
