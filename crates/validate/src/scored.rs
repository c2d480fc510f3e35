//! A watched site held against its truth: which windows were what, which attacks were found when and
//! by whom, which alerts were false.
//!
//! An alert is a finding of severity medium or above. An attack is found by an alert that names its
//! actor (for attacks below IP also its victims) from its start to a minute after its end; an alert
//! counts for the event that began last. An alert is false when nobody whom it names takes part in an
//! attack at that time. A look-alike is flagged by an alert that names its actor while it happens.
//!
//! What only the models said ([`MODELS`]) is looked at on the side whatever its severity, so that one
//! can see what they would add.

mod matched;

use std::collections::BTreeMap;

use learn::features::WINDOW;
use model::{Device, Timestamp};

pub use matched::first_alerts;
use matched::{is_alert, matched};

use crate::evaluation::{Evaluation, Example, Exposure, FalseAlert, Incident, Label};
use crate::hospitals::Watched;
use crate::measures::{ACCUSED, CASE, CHANGED, GUILTY, LIFE, UNCHANGED};
use crate::site::Site;
use crate::watch::Watched as Window;

/// Detectors that speak for models alone.
pub const MODELS: [&str; 2] = ["unusual_behaviour", "changed_behaviour"];

/// So many of a class make it common at a site.
const COMMON: usize = 3;
/// What nothing was recognised of.
const NOT_RECOGNISED: &str = "not recognised";
/// A device is new for its first quarter of an hour of activity.
const NEW_WINDOWS: u64 = 90;

/// What is known beforehand of a site and can cut its figures.
#[derive(Clone, Debug, Default)]
pub struct Kind {
    /// Which sort of network: `flat`, `routed`, `tagged`.
    pub layout: Option<String>,
    /// Whether services inside are encrypted, as far as they can be.
    pub encrypted: Option<bool>,
    /// When life changes on purpose.
    pub changes: Option<Timestamp>,
}

/// Holds a site against its truth.
pub fn score(watched: &Watched, kind: &Kind) -> Evaluation {
    let vendors = vendors(&watched.seen.devices);
    let counts = classes(&watched.seen.devices);
    let mut out = Evaluation {
        examples: examples(watched, kind, &vendors, &counts),
        exposure: vec![exposure(watched, &counts, &vendors)],
        ..Evaluation::default()
    };
    incidents(watched, kind, &vendors, &mut out);
    out
}

fn vendors(devices: &[Device]) -> BTreeMap<String, &str> {
    let mut table = BTreeMap::new();
    for device in devices {
        if let Some(vendor) = device.vendor.as_deref() {
            table.extend(device.ip.iter().map(|ip| (ip.to_string(), vendor)));
        }
    }
    table
}

fn classes(devices: &[Device]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    devices.iter().for_each(|device| *counts.entry(device.class.name()).or_insert(0) += 1);
    counts
}

fn examples(
    watched: &Watched,
    kind: &Kind,
    vendors: &BTreeMap<String, &str>,
    counts: &BTreeMap<&'static str, usize>,
) -> Vec<Example> {
    let mut out = Vec::new();
    for one in &watched.seen.windows {
        let behaved = &one.behaved;
        if behaved.end <= watched.site.learn_until {
            continue;
        }
        let truth = watched.labels.of(one.ip, behaved.end);
        let mut strata = of_site(watched, kind);
        let mut put = |name: &str, value: &str| strata.insert(name.to_owned(), value.to_owned());
        if let Some(changes) = kind.changes {
            put(LIFE, if behaved.end > changes { CHANGED } else { UNCHANGED });
        }
        put(CASE, case(&watched.site, one));
        put("class", one.class);
        put("tier", behaved.class.tier().name());
        put("volume", behaved.volume.name());
        put("age", if behaved.windows < NEW_WINDOWS { "new" } else { "settled" });
        let many = counts.get(one.class).copied().unwrap_or(0);
        put("rarity", if many >= COMMON { "common" } else { "rare" });
        let ip = one.ip.map(|ip| ip.to_string()).unwrap_or_default();
        put("vendor", vendors.get(&ip).copied().unwrap_or("unknown"));
        put("shift", shift(behaved.end.seconds_f64()));
        let speech = one.speech.as_ref();
        put("protocol", speech.map_or(NOT_RECOGNISED, |speech| &speech.protocol));
        put("encryption", speech.map_or(NOT_RECOGNISED, |speech| speech.encryption));
        if matches!(truth, Label::Attack(_) | Label::LookAlike(_)) {
            put(
                "actor",
                if known(&watched.site, &ip, behaved.end.seconds_f64()) {
                    "known"
                } else {
                    "stranger"
                },
            );
        }
        out.push(Example {
            score: f64::from(behaved.score),
            p: Some(behaved.judged.p),
            probability: behaved.attack.map(|odds| 1.0 / (1.0 + f64::from(-odds).exp())),
            truth,
            group: behaved.group.clone(),
            strata,
        });
    }
    out
}

fn of_site(watched: &Watched, kind: &Kind) -> BTreeMap<String, String> {
    let mut strata = BTreeMap::new();
    strata.insert("site".to_owned(), watched.site.name.clone());
    if let Some(layout) = &kind.layout {
        strata.insert("network".to_owned(), layout.clone());
    }
    if let Some(encrypted) = kind.encrypted {
        let value = if encrypted { "partly encrypted" } else { "clear" };
        strata.insert("services".to_owned(), value.to_owned());
    }
    strata
}

/// Which sort of case there is on the device of a window. One that has attacked is guilty from then on,
/// found or not: its own conversations go on being odd after the attack is over.
fn case(site: &Site, one: &Window) -> &'static str {
    let ip = one.ip.map(|ip| ip.to_string()).unwrap_or_default();
    let end = one.behaved.end.seconds_f64();
    let attacked =
        |truth: &drill::Truth| truth.malicious && truth.actor == ip && truth.start_epoch < end;
    match (site.truth.iter().any(attacked), one.accused) {
        (true, _) => GUILTY,
        (false, true) => ACCUSED,
        (false, false) => "none",
    }
}

/// Whether whoever acts there and then was there from the first day.
fn known(site: &Site, ip: &str, at: f64) -> bool {
    site.truth
        .iter()
        .filter(|truth| truth.actor == ip && truth.start_epoch <= at + 10.0)
        .max_by(|a, b| a.start_epoch.total_cmp(&b.start_epoch))
        .is_some_and(|truth| truth.who == drill::Who::Known)
}

/// The shift of a time, in UTC: day from 6, late from 14, night from 22.
fn shift(at: f64) -> &'static str {
    match (at.rem_euclid(86_400.0) / 3_600.0) as u32 {
        6..14 => "day",
        14..22 => "late",
        _ => "night",
    }
}

fn exposure(
    watched: &Watched,
    counts: &BTreeMap<&'static str, usize>,
    vendors: &BTreeMap<String, &str>,
) -> Exposure {
    let (_, last) = watched.seen.summary.span.unwrap_or_default();
    let by_class = counts.iter().map(|(class, count)| ((*class).to_owned(), *count as u64));
    let mut by_vendor: BTreeMap<String, u64> = BTreeMap::new();
    for device in &watched.seen.devices {
        *by_vendor.entry(vendor(device, vendors).to_owned()).or_default() += 1;
    }
    Exposure {
        site: watched.site.name.clone(),
        seconds: last.seconds_since(watched.site.learn_until).max(0.0),
        devices: watched.seen.devices.len() as u64,
        strata: BTreeMap::from([
            ("class".to_owned(), by_class.collect()),
            ("vendor".to_owned(), by_vendor),
        ]),
    }
}

fn vendor<'v>(device: &Device, vendors: &BTreeMap<String, &'v str>) -> &'v str {
    let of = |ip: &std::net::IpAddr| vendors.get(&ip.to_string()).copied();
    device.ip.iter().find_map(of).unwrap_or("unknown")
}

/// What the windows of an event's actor were like while it went on: the most common class, protocol
/// and encryption.
fn of_actor(watched: &Watched, truth: &drill::Truth) -> BTreeMap<String, String> {
    let actor = truth.actor.parse().ok();
    let (from, to) = (truth.start_epoch, truth.end_epoch + WINDOW.as_secs_f64());
    let during = watched.seen.windows.iter().filter(|one| {
        let end = one.behaved.end.seconds_f64();
        actor.is_some() && one.ip == actor && end > from && end <= to
    });
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for one in during {
        *counts.entry(("class", one.class)).or_default() += 1;
        *counts.entry(("volume", one.behaved.volume.name())).or_default() += 1;
        if let Some(speech) = &one.speech {
            *counts.entry(("protocol", &speech.protocol)).or_default() += 1;
            *counts.entry(("encryption", speech.encryption)).or_default() += 1;
        }
    }
    let mut most: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for ((stratum, value), count) in counts {
        let best = most.entry(stratum.to_owned()).or_default();
        if count > best.0 {
            *best = (count, value.to_owned());
        }
    }
    most.into_iter().map(|(stratum, (_, value))| (stratum, value)).collect()
}

fn incidents(
    watched: &Watched,
    kind: &Kind,
    vendors: &BTreeMap<String, &str>,
    out: &mut Evaluation,
) {
    let site = &watched.site;
    let matched = matched(site, &watched.seen.findings);
    for finding in matched.false_ones {
        let ip = finding.device.ip.map(|ip| ip.to_string());
        let vendor = ip.and_then(|ip| vendors.get(&ip).copied()).unwrap_or("unknown");
        out.false_alerts.push(FalseAlert {
            site: site.name.clone(),
            detector: finding.detector.clone(),
            title: finding.title.clone(),
            strata: BTreeMap::from([
                ("class".to_owned(), finding.device.class.name().to_owned()),
                ("vendor".to_owned(), vendor.to_owned()),
            ]),
        });
    }
    for (truth, hits) in site.truth.iter().zip(matched.hits) {
        let mut detectors: Vec<String> = Vec::new();
        for finding in &hits {
            let of_models = MODELS.contains(&finding.detector.as_str());
            if (of_models || is_alert(finding)) && !detectors.contains(&finding.detector) {
                detectors.push(finding.detector.clone());
            }
        }
        let name = if truth.scenario.is_empty() { &truth.label } else { &truth.scenario };
        let who = if truth.who == drill::Who::Known { "known" } else { "stranger" };
        let mut strata = of_site(watched, kind);
        // The site is a stratum of every incident anyway.
        strata.remove(crate::strata::SITE);
        strata.extend(of_actor(watched, truth));
        strata.extend([
            ("actor".to_owned(), who.to_owned()),
            ("technique".to_owned(), truth.technique.clone()),
            ("shift".to_owned(), shift(truth.start_epoch).to_owned()),
            (
                "vendor".to_owned(),
                vendors.get(&truth.actor).copied().unwrap_or("unknown").to_owned(),
            ),
        ]);
        let first = hits.iter().find(|finding| is_alert(finding));
        out.incidents.push(Incident {
            kind: name.clone(),
            malicious: truth.malicious,
            site: site.name.clone(),
            seconds: first.map(|first| (first.at.seconds_f64() - truth.start_epoch).max(0.0)),
            first: first.map(|first| first.detector.clone()),
            detectors,
            strata,
        });
    }
}
