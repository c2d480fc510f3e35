//! Workstations: by the mix of what a person does at one.
//!
//! No single habit makes one. Windows, shares and updates are found on analysers and scanners too,
//! so several habits have to come together, and whatever serves patients is none.

use model::device::DeviceClass::{self as C};

use super::Fingerprint;
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;

/// Reads tallies of other fingerprints only.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "habits",
    doc: "The mix of browsing, names, shares, records and sites that a person at a desk leaves.",
    reads: &[],
    learn: |_, _| {},
    weigh,
};

/// What no desk does.
const CARE: &[Fact] = &[
    Fact::SentOru,
    Fact::SentLabOul,
    Fact::SentLabResults,
    Fact::SentImages,
    Fact::ReportedStep,
    Fact::PublishedPump,
    Fact::PublishedVentilator,
    Fact::PublishedAnesthesia,
    Fact::PublishedMonitor,
    Fact::PublishedDialysis,
];

/// Who serves several is a server.
const SERVES: &[Fact] = &[
    Fact::ServedDns,
    Fact::ServedDhcp,
    Fact::ServedMqtt,
    Fact::ServedFhir,
    Fact::ServedSmb,
    Fact::TookSyslog,
    Fact::TookImages,
    Fact::AckedHl7,
];

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let habits = [
        (tallies.of(Fact::Browsed).is_sustained(), 1.5),
        (tallies.others(Fact::AskedNames) >= 4, 1.0),
        (tallies.others(Fact::AskedNames) >= 10, 0.8),
        (tallies.times(Fact::CalledOutside) >= 5, 0.8),
        (tallies.others(Fact::CalledOutside) >= 5, 1.0),
        (tallies.of(Fact::UsedSmb).is_sustained(), 1.3),
        (tallies.of(Fact::AskedFhir).is_sustained(), 0.8),
        (tallies.of(Fact::FetchedImages).is_sustained(), 0.5),
    ];
    let shown: Vec<f32> = habits.iter().filter(|(has, _)| *has).map(|(_, w)| *w).collect();
    if shown.len() < 3 {
        return;
    }
    let cares = CARE.iter().any(|fact| tallies.of(*fact).is_sustained());
    let serves = SERVES.iter().any(|fact| tallies.others(*fact) >= 2);
    if !cares && !serves {
        out.class(C::Workstation, shown.iter().sum());
    }
}
