//! Whether a device serves a patient just now.
//!
//! Only recent activity says yes. Silence says nothing: a pump infuses without a network, a monitor
//! watches on when its cable is pulled, an MR examination can send its images at the end. None of
//! the protocols heard today proves a device idle, so that is never said; a person can.

use std::time::Duration;

use model::device::InUse;
use model::time::Timestamp;

use crate::facts::Fact;
use crate::tally::Tallies;

/// Values from the bedside this recent mean a patient.
const BEDSIDE: Duration = Duration::from_secs(2 * 60);
/// Images, worklists and laboratory results this recent mean a session.
const SESSION: Duration = Duration::from_secs(30 * 60);

const BEDSIDE_FACTS: &[Fact] = &[
    Fact::PublishedPump,
    Fact::PublishedVentilator,
    Fact::PublishedAnesthesia,
    Fact::PublishedMonitor,
    Fact::PublishedDialysis,
];
const SESSION_FACTS: &[Fact] = &[
    Fact::SentImages,
    Fact::AskedWorklist,
    Fact::ReportedStep,
    Fact::SentLabResults,
    Fact::SentLabOul,
];

pub(crate) fn of(tallies: &Tallies, now: Timestamp) -> InUse {
    let within = |fact: Fact, window: Duration| {
        let tally = tallies.of(fact);
        tally.times > 0 && now.since(tally.last) <= window
    };
    let bedside = BEDSIDE_FACTS.iter().any(|fact| within(*fact, BEDSIDE))
        || (tallies.of(Fact::SentOru).is_regular() && within(Fact::SentOru, BEDSIDE));
    if bedside || SESSION_FACTS.iter().any(|fact| within(*fact, SESSION)) {
        InUse::InUse
    } else {
        InUse::Unknown
    }
}
