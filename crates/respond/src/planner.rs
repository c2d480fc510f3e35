//! From a case to what could be done about it: the mildest restriction of whoever acts that stops
//! what was seen.
//!
//! One flow is blocked where one flow is the attack; a device that turns to many is held to what
//! care needs of it; what talks to somebody outside is blocked at the perimeter. Nothing grows
//! because nobody answered: only new findings give another draft.
//!
//! What an attacker wants planned is kept in mind: an address that somebody else claims is blamed
//! for nothing, and the consequences of a restriction (a blocked device that tries again and again)
//! are no new evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use model::case::CaseId;
use model::device::DeviceId;
use model::finding::{Finding, FindingId, FindingKind, Severity};
use model::{Case, Timestamp};

use crate::desk::Desk;
use crate::evidence::{Claim, Evidence, Source};
use crate::level::Level;
use crate::range::Range;
use crate::restriction::{Conversation, Indicator, Pattern, Proto, Restriction, Way};
use crate::subject::Subject;

/// Kinds of flow that a block names at most; a device that turns to more is held to its essentials.
const MOST_FLOWS: usize = 6;
/// Cases that are kept in mind.
const MOST_CASES: usize = 256;
/// Findings of a case that are kept in mind.
const MOST_CLAIMS: usize = 128;
/// For how long an address that somebody else claimed is blamed for nothing.
const DOUBT: Duration = Duration::from_secs(3_600);
/// What is in force goes on having consequences for so long after it ends.
const ECHO: Duration = Duration::from_secs(120);

/// Techniques by which somebody takes another's address.
const TAKES_ADDRESSES: [&str; 4] = ["T1557", "T1557.002", "T1557.003", "T0830"];

/// Techniques that are aimed at whoever answers: probing for services and for machines, and going
/// from one machine to the next. To cut the one flow on which it was found stops none of it.
const TURNS_TO_MANY: [&str; 3] = ["T1046", "T1018", "T1210"];

/// What could be done about a case, of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Of whom.
    pub device: DeviceId,
    /// What, from the mildest on: the first that survives its pre-flight is proposed.
    pub restrictions: Vec<Restriction>,
    /// Why.
    pub evidence: Evidence,
}

/// A finding, as far as planning needs it.
#[derive(Clone, Debug)]
struct Known {
    claim: Claim,
    at: Timestamp,
    device: DeviceId,
    severity: Severity,
    ip: Option<IpAddr>,
    peers: Vec<(IpAddr, Option<u16>)>,
    /// Whether more are meant than those who are named.
    many: bool,
}

/// Keeps what was found of open cases, and drafts.
#[derive(Debug, Default)]
pub struct Planner {
    cases: BTreeMap<CaseId, Vec<Known>>,
    /// Addresses that somebody claimed, when, and who.
    doubtful: BTreeMap<IpAddr, (Timestamp, String)>,
    /// What was drafted for a case, so that the same is not drafted again.
    drafted: BTreeMap<(CaseId, DeviceId), BTreeSet<FindingId>>,
}

impl Planner {
    /// Takes in a finding.
    pub fn finding(&mut self, finding: &Finding) {
        if finding.attack.iter().any(|id| TAKES_ADDRESSES.contains(&id.as_str())) {
            let by = finding
                .device
                .ip
                .map_or_else(|| finding.device.id.to_string(), |ip| ip.to_string());
            for ip in finding.peers.iter().filter_map(|peer| peer.ip) {
                self.doubtful.insert(ip, (finding.at, by.clone()));
            }
            self.doubtful.retain(|_, (at, _)| finding.at.since(*at) < DOUBT);
        }
        let Some(case) = &finding.case else { return };
        if finding.severity < Severity::Medium {
            return;
        }
        if !self.cases.contains_key(case) && self.cases.len() >= MOST_CASES {
            // Names rise, so the first is the oldest.
            if let Some((oldest, _)) = self.cases.pop_first() {
                self.drafted.retain(|(case, _), _| *case != oldest);
            }
        }
        let known = self.cases.entry(case.clone()).or_default();
        let new = Known {
            claim: Claim {
                finding: finding.id.clone(),
                detector: finding.detector.clone(),
                kind: finding.kind,
                source: source(finding),
                title: finding.title.clone(),
            },
            at: finding.at,
            device: finding.device.id.clone(),
            severity: finding.severity,
            ip: finding.device.ip,
            peers: finding.peers.iter().filter_map(|p| p.ip.map(|ip| (ip, p.port))).collect(),
            many: finding.attack.iter().any(|id| TURNS_TO_MANY.contains(&id.as_str())),
        };
        // What is told anew has its old name.
        match known.iter().position(|old| old.claim.finding == new.claim.finding) {
            Some(place) => known[place] = new,
            None if known.len() < MOST_CLAIMS => known.push(new),
            None => {}
        }
    }

    /// What could be done about a case that was opened or has changed, of each device that acts in
    /// it and of which something new is known.
    pub fn drafts(
        &mut self,
        case: &Case,
        desk: &Desk,
        is_inside: &dyn Fn(IpAddr) -> bool,
        management: &[Range],
    ) -> Vec<Draft> {
        let Some(known) = self.cases.get(&case.id) else { return Vec::new() };
        let devices: BTreeSet<&DeviceId> = known.iter().map(|one| &one.device).collect();
        let mut out = Vec::new();
        for device in devices {
            let own: Vec<&Known> =
                known.iter().filter(|one| one.device == *device && !is_echo(one, desk)).collect();
            let names: BTreeSet<FindingId> =
                own.iter().map(|one| one.claim.finding.clone()).collect();
            let place = (case.id.clone(), device.clone());
            if own.is_empty() || self.drafted.get(&place) == Some(&names) {
                continue;
            }
            self.drafted.insert(place, names);
            let worst = own.iter().map(|one| one.severity).max().unwrap_or_default();
            let evidence = Evidence {
                case: case.id.clone(),
                severity: worst,
                claims: own.iter().map(|one| one.claim.clone()).collect(),
                doubt: self.doubt(&own),
            };
            let restrictions = restrictions(&own, is_inside, management);
            if !restrictions.is_empty() {
                out.push(Draft { device: device.clone(), restrictions, evidence });
            }
        }
        out
    }

    fn doubt(&self, own: &[&Known]) -> Option<String> {
        own.iter().find_map(|one| {
            let (at, by) = self.doubtful.get(&one.ip?)?;
            (one.at.since(*at) < DOUBT).then(|| {
                format!(
                    "{} claims the address {} as well",
                    by,
                    one.ip.map_or_else(String::new, |ip| ip.to_string())
                )
            })
        })
    }
}

/// What logs tell is about accounts and belongs to no flow. Everything else counts as seen in
/// packets: two detectors that look at the same packets must not pass for two sources.
fn source(finding: &Finding) -> Source {
    let logs = finding.community_id.is_empty() && finding.user.is_some();
    if logs { Source::Logs } else { Source::Network }
}

/// Whether a finding is only what a restriction in force brings about.
fn is_echo(one: &Known, desk: &Desk) -> bool {
    !one.peers.is_empty()
        && desk.actions().any(|action| {
            let intent = &action.proposal.intent;
            let Some(pushed) = action.pushed.map(|at| at.wall) else { return false };
            let over = action.ended.is_some_and(|at| one.at > at.wall.plus(ECHO));
            one.at > pushed
                && !over
                && one.ip.is_some_and(|ip| intent.subject.has(ip))
                && one.peers.iter().all(|(peer, port)| {
                    is_cut(&intent.restriction, &intent.subject, one.ip, *peer, *port)
                })
        })
}

fn is_cut(
    restriction: &Restriction,
    subject: &Subject,
    own: Option<IpAddr>,
    peer: IpAddr,
    port: Option<u16>,
) -> bool {
    let Some(own) = own else { return false };
    [Proto::Tcp, Proto::Udp].into_iter().any(|proto| {
        let called = Conversation { client: own, server: peer, proto, port: port.unwrap_or(0) };
        restriction.drops(subject, &called)
    })
}

/// What would stop it, mildest first.
fn restrictions(
    own: &[&Known],
    is_inside: &dyn Fn(IpAddr) -> bool,
    management: &[Range],
) -> Vec<Restriction> {
    let peers: BTreeSet<(IpAddr, Option<u16>)> =
        own.iter().flat_map(|one| one.peers.iter().copied()).collect();
    let (inside, outside): (Vec<_>, Vec<_>) = peers.into_iter().partition(|(ip, _)| is_inside(*ip));
    let mut out = Vec::new();
    if inside.is_empty()
        && let [(address, _), ..] = outside.as_slice()
    {
        // One indicator an action: each can be released by itself.
        let mut addresses: Vec<IpAddr> = outside.iter().map(|(ip, _)| *ip).collect();
        addresses.dedup();
        if addresses.len() <= MOST_FLOWS {
            out.push(Restriction::Perimeter {
                indicator: Indicator::Address(Range::one(*address)),
            });
        }
    }
    let mut flows: Vec<Pattern> =
        inside.iter().chain(&outside).flat_map(|(peer, port)| pattern(*peer, *port)).collect();
    flows.sort();
    flows.dedup();
    let many = own.iter().any(|one| one.many);
    if !many && !flows.is_empty() && flows.len() <= MOST_FLOWS {
        out.push(Restriction::Block { flows });
    }
    // What care needs is filled in from the pre-flight's own knowledge.
    out.push(Restriction::Essentials { allow: Vec::new() });
    let certain =
        own.iter().any(|one| matches!(one.claim.kind, FindingKind::Rule | FindingKind::Intel));
    if certain && !management.is_empty() {
        out.push(Restriction::Quarantine { management: management.to_vec() });
    }
    out
}

/// The flows between the device and a peer that were seen: those it opens to the port; where no
/// port is known, all between the two.
fn pattern(peer: IpAddr, port: Option<u16>) -> Vec<Pattern> {
    let way = |way| Pattern { way, peer: Range::one(peer), proto: None, port };
    if port.is_some() { vec![way(Way::Out)] } else { vec![way(Way::Out), way(Way::In)] }
}

/// The highest level that a draft offers.
pub fn highest(draft: &Draft) -> Level {
    draft.restrictions.iter().map(Restriction::level).max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
