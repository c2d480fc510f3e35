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

use std::collections::{BTreeMap, BTreeSet};

use model::{Device, Finding, Severity};

use crate::evaluation::{Evaluation, Example, Exposure, FalseAlert, Incident, Label};
use crate::hospitals::Watched;
use crate::site::Site;

/// Detectors that speak for models alone.
pub const MODELS: [&str; 2] = ["unusual_behaviour", "changed_behaviour"];

/// An alert up to so long after an attack's end still counts for it.
const GRACE_SECONDS: f64 = 60.0;
/// Below IP, addresses may be false: naming a victim counts.
const BELOW_IP: [&str; 2] = ["T1557.002", "T1557.003"];
/// So many of a class make it common at a site.
const COMMON: usize = 3;
/// A device is new for its first quarter of an hour of activity.
const NEW_WINDOWS: u64 = 90;

/// What is known beforehand of a site and can cut its figures.
#[derive(Clone, Debug, Default)]
pub struct Kind {
    /// Which sort of network: `flat`, `routed`, `tagged`.
    pub layout: Option<String>,
    /// Whether services inside are encrypted, as far as they can be.
    pub encrypted: Option<bool>,
}

/// Holds a site against its truth.
pub fn score(watched: &Watched, kind: &Kind) -> Evaluation {
    let site = &watched.site;
    let vendors = vendors(&watched.seen.devices);
    let counts = classes(&watched.seen.devices);
    let mut out = Evaluation {
        examples: examples(watched, kind, &vendors, &counts),
        exposure: vec![exposure(watched, &counts)],
        ..Evaluation::default()
    };
    let alerts: Vec<Alert<'_>> = watched.seen.findings.iter().map(Alert::new).collect();
    incidents(site, &alerts, kind, &mut out);
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
        put("class", one.class);
        put("tier", behaved.class.tier().name());
        put("volume", behaved.volume.name());
        put("age", if behaved.windows < NEW_WINDOWS { "new" } else { "settled" });
        let many = counts.get(one.class).copied().unwrap_or(0);
        put("rarity", if many >= COMMON { "common" } else { "rare" });
        let ip = one.ip.map(|ip| ip.to_string()).unwrap_or_default();
        put("vendor", vendors.get(&ip).copied().unwrap_or("unknown"));
        put("shift", shift(behaved.end.seconds_f64()));
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
        strata.insert("encryption".to_owned(), value.to_owned());
    }
    strata
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

fn exposure(watched: &Watched, counts: &BTreeMap<&'static str, usize>) -> Exposure {
    let (_, last) = watched.seen.summary.span.unwrap_or_default();
    let by_class = counts.iter().map(|(class, count)| ((*class).to_owned(), *count as u64));
    Exposure {
        site: watched.site.name.clone(),
        seconds: last.seconds_since(watched.site.learn_until).max(0.0),
        devices: watched.seen.devices.len() as u64,
        strata: BTreeMap::from([("class".to_owned(), by_class.collect())]),
    }
}

/// A finding, with everybody whom it names.
struct Alert<'f> {
    at: f64,
    named: BTreeSet<String>,
    finding: &'f Finding,
}

impl<'f> Alert<'f> {
    fn new(finding: &'f Finding) -> Self {
        let mut named = BTreeSet::new();
        let device = &finding.device;
        named.extend(device.ip.map(|ip| ip.to_string()));
        named.extend(device.mac.map(|mac| mac.to_string().to_lowercase()));
        for peer in &finding.peers {
            named.extend(peer.ip.map(|ip| ip.to_string()));
            named.extend(peer.mac.map(|mac| mac.to_string().to_lowercase()));
        }
        Self { at: finding.at.seconds_f64(), named, finding }
    }
}

fn incidents(site: &Site, alerts: &[Alert<'_>], kind: &Kind, out: &mut Evaluation) {
    let mac_of: BTreeMap<&str, String> =
        site.hosts.values().map(|host| (host.ip.as_str(), host.mac.to_lowercase())).collect();
    let both = |ips: &mut dyn Iterator<Item = &String>| -> BTreeSet<String> {
        let with_mac = |ip: &String| [Some(ip.clone()), mac_of.get(ip.as_str()).cloned()];
        ips.flat_map(with_mac).flatten().collect()
    };
    let sides: Vec<[BTreeSet<String>; 2]> = site
        .truth
        .iter()
        .map(|truth| [both(&mut std::iter::once(&truth.actor)), both(&mut truth.victims.iter())])
        .collect();
    let mut hits: Vec<Vec<&Alert<'_>>> = vec![Vec::new(); site.truth.len()];
    for alert in alerts {
        let open = |place: &usize| {
            let truth = &site.truth[*place];
            (truth.start_epoch - 1.0..=truth.end_epoch + GRACE_SECONDS).contains(&alert.at)
        };
        let names = |side: &BTreeSet<String>| !alert.named.is_disjoint(side);
        let open: Vec<usize> = (0..site.truth.len()).filter(open).collect();
        let explained = open
            .iter()
            .any(|place| site.truth[*place].malicious && sides[*place].iter().any(names));
        let loud = alert.finding.severity >= Severity::Medium;
        if loud && !explained && alert.at > site.learn_until.seconds_f64() {
            out.false_alerts.push(FalseAlert {
                site: site.name.clone(),
                detector: alert.finding.detector.clone(),
                title: alert.finding.title.clone(),
                strata: BTreeMap::from([(
                    "class".to_owned(),
                    alert.finding.device.class.name().to_owned(),
                )]),
            });
        }
        let fits = |place: &&usize| {
            let [actor, victims] = &sides[**place];
            let below = BELOW_IP.contains(&site.truth[**place].technique.as_str());
            names(actor) || (below && names(victims))
        };
        let last = |a: &&usize, b: &&usize| {
            site.truth[**a].start_epoch.total_cmp(&site.truth[**b].start_epoch)
        };
        if let Some(place) = open.iter().filter(fits).max_by(last) {
            hits[*place].push(alert);
        }
    }
    for (truth, hits) in site.truth.iter().zip(hits) {
        let loud = || hits.iter().filter(|alert| alert.finding.severity >= Severity::Medium);
        let mut detectors: Vec<String> = Vec::new();
        for alert in &hits {
            let of_models = MODELS.contains(&alert.finding.detector.as_str());
            let counts = of_models || alert.finding.severity >= Severity::Medium;
            if counts && !detectors.contains(&alert.finding.detector) {
                detectors.push(alert.finding.detector.clone());
            }
        }
        let name = if truth.scenario.is_empty() { &truth.label } else { &truth.scenario };
        let who = if truth.who == drill::Who::Known { "known" } else { "stranger" };
        let mut strata = BTreeMap::from([
            ("actor".to_owned(), who.to_owned()),
            ("technique".to_owned(), truth.technique.clone()),
        ]);
        if let Some(encrypted) = kind.encrypted {
            let value = if encrypted { "partly encrypted" } else { "clear" };
            strata.insert("encryption".to_owned(), value.to_owned());
        }
        let first = loud().next();
        out.incidents.push(Incident {
            kind: name.clone(),
            malicious: truth.malicious,
            site: site.name.clone(),
            seconds: first.map(|alert| (alert.at - truth.start_epoch).max(0.0)),
            first: first.map(|alert| alert.finding.detector.clone()),
            detectors,
            strata,
        });
    }
}
