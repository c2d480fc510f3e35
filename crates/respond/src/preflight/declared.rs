//! Declared needs as patterns: would any conversation of theirs be cut, seen or not?
//!
//! A need of the device itself counts wherever a block overlaps it. Two are left to what was
//! recorded, unless they would be cut whole, since they name nobody in particular: needs "to
//! anywhere", and needs of the other side that name a range in which the device merely lies.
//!
//! One cut need refuses, so no more are listed than people read.

use std::collections::BTreeSet;

use super::{Preflight, Replay, covers, overlap};
use crate::essentials::{Judge, Need, Source};
use crate::history::is_below;
use crate::range::Range;
use crate::restriction::{Indicator, Pattern, Restriction};
use crate::subject::Subject;

/// The declared needs that would be cut, in plain words.
pub(super) fn would_cut(replay: &Replay<'_>, judge: &Judge<'_>) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut tell = |device: &Subject, need: &Need| {
        let name = device.title();
        let what = match (&need.pattern, &need.name) {
            (Some(pattern), Some(by)) => format!("{pattern} ({by})"),
            (Some(pattern), None) => pattern.to_string(),
            (None, by) => format!("to {}", by.as_deref().unwrap_or("nobody")),
        };
        told.insert(format!("{name}: {}, {what}", need.reason));
    };
    let devices = judge.ground().devices;
    if let Restriction::Perimeter { indicator } = replay.restriction {
        let mut count = 0;
        for device in devices.all() {
            let always = judge.always(device);
            for need in judge.declared(&device.id).iter().chain(&always) {
                if perimeter_cuts(indicator, replay, device, need) {
                    tell(device, need);
                    count += 1;
                }
            }
            if count >= Preflight::MAX {
                break;
            }
        }
        return told.into_iter().collect();
    }
    let subject = replay.subject;
    let always = judge.always(subject);
    for need in judge.declared(&subject.id).iter().chain(&always) {
        if cuts(replay.restriction, need) {
            tell(subject, need);
        }
    }
    for need in judge.of_others(subject) {
        if cuts(replay.restriction, &need) {
            tell(subject, &need);
        }
    }
    told.into_iter().collect()
}

/// Whether a need names nobody in particular, so that only cutting all of it is cutting it.
fn is_general(need: &Need, pattern: &Pattern) -> bool {
    need.source == Source::Always || pattern.peer.prefix() == 0
}

fn cuts(restriction: &Restriction, need: &Need) -> bool {
    let Some(pattern) = &need.pattern else {
        // A name without an address: what allows only some addresses cannot be told to allow it.
        return matches!(
            restriction,
            Restriction::Essentials { .. } | Restriction::Quarantine { .. }
        );
    };
    match restriction {
        Restriction::Block { flows } => flows.iter().any(|flow| blocks(flow, need, pattern)),
        Restriction::Essentials { allow } => !allow.iter().any(|allowed| within(pattern, allowed)),
        Restriction::Quarantine { management } => {
            // Neighbours and broadcasts are no conversation that management could be named in.
            let exempt = need.source == Source::Always
                && !(pattern.peer.is_one() && model::net::is_unicast(pattern.peer.address()));
            !exempt && !management.iter().any(|range| covers(*range, pattern.peer))
        }
        Restriction::Perimeter { .. } => false,
    }
}

fn blocks(flow: &Pattern, need: &Need, pattern: &Pattern) -> bool {
    if flow.way != pattern.way {
        return false;
    }
    if is_general(need, pattern) {
        return covers(flow.peer, pattern.peer) && shares(flow, pattern);
    }
    overlap(flow.peer, pattern.peer) && shares(flow, pattern)
}

/// Whether two patterns share a transport and a port.
fn shares(one: &Pattern, two: &Pattern) -> bool {
    let same = |a: Option<u32>, b: Option<u32>| a.is_none() || b.is_none() || a == b;
    let proto = |pattern: &Pattern| pattern.proto.map(|proto| proto as u32);
    let port = |pattern: &Pattern| pattern.port.map(u32::from);
    same(proto(one), proto(two)) && same(port(one), port(two))
}

/// Whether every conversation of one pattern is one of another.
pub(crate) fn within(inner: &Pattern, outer: &Pattern) -> bool {
    inner.way == outer.way
        && covers(outer.peer, inner.peer)
        && (outer.proto.is_none() || outer.proto == inner.proto)
        && (outer.port.is_none() || outer.port == inner.port)
}

fn perimeter_cuts(
    indicator: &Indicator,
    replay: &Replay<'_>,
    device: &Subject,
    need: &Need,
) -> bool {
    let hit = |range: Range, pattern: &Pattern| {
        if is_general(need, pattern) {
            covers(range, pattern.peer)
        } else {
            overlap(range, pattern.peer)
        }
    };
    match indicator {
        Indicator::Address(range) => {
            let own = device.addresses.iter().any(|address| range.contains(*address));
            own || need.pattern.is_some_and(|pattern| hit(*range, &pattern))
        }
        Indicator::Domain(domain) => {
            let by_name = need.name.as_deref().is_some_and(|name| is_below(name, domain));
            let at = |address| need.pattern.is_some_and(|p| hit(Range::one(address), &p));
            by_name || replay.named.iter().any(|address| at(*address))
        }
    }
}
