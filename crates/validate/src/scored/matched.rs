//! Which finding speaks of which event, and which of none.

use std::collections::{BTreeMap, BTreeSet};

use model::{Finding, Severity};

use crate::site::Site;

/// An alert up to so long after an attack's end still counts for it.
const GRACE_SECONDS: f64 = 60.0;
/// Below IP, addresses may be false: naming a victim counts.
const BELOW_IP: [&str; 2] = ["T1557.002", "T1557.003"];

/// Findings of a site, sorted out.
pub(super) struct Matched<'f> {
    /// By the place of the event in the truth, in order.
    pub(super) hits: Vec<Vec<&'f Finding>>,
    /// Alerts that name nobody who takes part in an attack.
    pub(super) false_ones: Vec<&'f Finding>,
}

/// Whether a finding is an alert.
pub(super) fn is_alert(finding: &Finding) -> bool {
    finding.severity >= Severity::Medium
}

/// Everybody whom a finding names, by address.
fn named(finding: &Finding) -> BTreeSet<String> {
    let device = (&finding.device.ip, &finding.device.mac);
    let peers = finding.peers.iter().map(|peer| (&peer.ip, &peer.mac));
    let addresses = std::iter::once(device).chain(peers).flat_map(|(ip, mac)| {
        [ip.map(|ip| ip.to_string()), mac.map(|mac| mac.to_string().to_lowercase())]
    });
    addresses.flatten().collect()
}

/// Sorts findings out.
pub(super) fn matched<'f>(site: &Site, findings: &'f [Finding]) -> Matched<'f> {
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
    let mut out = Matched { hits: vec![Vec::new(); site.truth.len()], false_ones: Vec::new() };
    for finding in findings {
        let (at, named) = (finding.at.seconds_f64(), named(finding));
        let open = |place: &usize| {
            let truth = &site.truth[*place];
            (truth.start_epoch - 1.0..=truth.end_epoch + GRACE_SECONDS).contains(&at)
        };
        let names = |side: &BTreeSet<String>| !named.is_disjoint(side);
        let open: Vec<usize> = (0..site.truth.len()).filter(open).collect();
        let explained = open
            .iter()
            .any(|place| site.truth[*place].malicious && sides[*place].iter().any(names));
        if is_alert(finding) && !explained && finding.at > site.learn_until {
            out.false_ones.push(finding);
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
            out.hits[*place].push(finding);
        }
    }
    out
}

/// Seconds from the start of each event of a site to the first alert that speaks of it.
pub fn first_alerts(site: &Site, findings: &[Finding]) -> Vec<Option<f64>> {
    let hits = matched(site, findings).hits;
    let first = |(truth, hits): (&drill::Truth, Vec<&Finding>)| {
        let first = hits.into_iter().find(|finding| is_alert(finding))?;
        Some((first.at.seconds_f64() - truth.start_epoch).max(0.0))
    };
    site.truth.iter().zip(hits).map(first).collect()
}
