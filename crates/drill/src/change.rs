//! Normal life that changes for good, as it does in hospitals: more goes on than before, devices get a
//! new version of their software, a server takes over from another, devices are bought.
//!
//! Nothing of it is an attack and nothing looks like one on purpose. It is what promises about rates
//! have to survive. Only where the plan says so; without it not a byte is different.

use std::collections::BTreeMap;

use crate::activity::Activity;
use crate::hospital;
use crate::net::tcp::Side;
use crate::normal::{housekeeping, web};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::role::Role;
use crate::time::{Nanos, SEC, seconds};
use crate::world::{HostId, Service, World};

/// Kinds of devices whose software is renewed together.
const FAMILIES: [&[Role]; 5] = [
    &[Role::Pump],
    &[Role::Monitor, Role::Ventilator],
    &[Role::Camera],
    &[Role::Ct, Role::Mr, Role::Ultrasound, Role::Xray, Role::Mammography],
    &[Role::Analyser, Role::PointOfCare],
];
/// Of these, so many are.
const RENEWED: usize = 2;
/// Kinds of which more are bought.
const BOUGHT: [Role; 5] =
    [Role::Monitor, Role::Pump, Role::Analyser, Role::Ultrasound, Role::Nurse];
/// The server takes over so long after life has changed, the first device is renewed so long after.
const TAKEOVER: Nanos = 300 * SEC;
const ROLLOUT: Nanos = 600 * SEC;
/// All that is bought has come by then.
const DELIVERY: Nanos = 1_800 * SEC;

/// What has changed so far.
#[derive(Debug)]
pub(crate) struct Changes {
    /// How many times as often things happen that come by chance.
    rush: f64,
    /// Hosts with a new version of their software, and by what their periods are longer.
    renewed: BTreeMap<HostId, f64>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { rush: 1.0, renewed: BTreeMap::new() }
    }
}

impl Changes {
    /// When a habit of a host that would go on at `next` goes on.
    pub(crate) fn next(&self, host: HostId, by_chance: bool, at: Nanos, next: Nanos) -> Nanos {
        let times = match by_chance {
            true => 1.0 / self.rush,
            false => self.renewed.get(&host).copied().unwrap_or(1.0),
        };
        if times == 1.0 { next } else { at + ((next - at) as f64 * times) as Nanos }
    }

    /// Whether a host has a new version of its software, which says more than the one before.
    pub(crate) fn renewed(&self, host: HostId) -> bool {
        self.renewed.contains_key(&host)
    }
}

/// One thing that changes.
enum Step {
    /// More goes on, so many times as much.
    Rush(f64),
    /// Another server takes the interface engine's or the archive's place.
    Takeover { archive: bool },
    /// A device gets a new version, with periods so many times as long.
    Renew(HostId, f64),
    /// A device is bought.
    Buy(Role),
}

/// What makes the changes of a plan, one after the other; none where it has none.
pub(crate) fn of_plan(plan: &Plan, w: &World) -> Option<Activity> {
    let after = seconds(plan.changes_after_minutes?.max(0.0) * 60.0);
    let mut rng = Rng::new(plan.seed).fork("changes");
    let begin = w.start + after;
    let mut steps = vec![
        (begin, Step::Rush(rng.uniform(2.0, 3.0))),
        (begin + TAKEOVER, Step::Takeover { archive: rng.chance(0.5) }),
    ];
    let mut families = FAMILIES.to_vec();
    families.retain(|roles| roles.iter().any(|&role| !w.all(role).is_empty()));
    rng.shuffle(&mut families);
    let mut at = begin + ROLLOUT;
    for roles in families.into_iter().take(RENEWED) {
        let times = if rng.chance(0.5) { rng.uniform(0.5, 0.8) } else { rng.uniform(1.25, 2.0) };
        for device in roles.iter().flat_map(|&role| w.all(role)) {
            steps.push((at, Step::Renew(device, times)));
            at += rng.between(30, 90) * SEC;
        }
    }
    for _ in 0..rng.between(2, 4) {
        let role = *rng.pick(&BOUGHT);
        if !w.all(role).is_empty() {
            steps.push((begin + rng.below(DELIVERY as u64) as Nanos, Step::Buy(role)));
        }
    }
    steps.sort_by_key(|(at, _)| *at);
    let mut steps = steps.into_iter().peekable();
    Some(Activity::planned(after, rng, move |w, now| {
        while let Some((_, step)) = steps.next_if(|(at, _)| *at <= now) {
            make(w, now, step);
        }
        steps.peek().map(|(at, _)| *at)
    }))
}

fn make(w: &mut World, now: Nanos, step: Step) {
    match step {
        Step::Rush(times) => w.changes.rush = times,
        Step::Takeover { archive: true } => {
            let Some(old) = w.services.pacs else { return };
            w.services.pacs = Some(successor(w, now, old));
        }
        Step::Takeover { archive: false } => {
            let Some(old) = w.services.hl7 else { return };
            w.services.hl7 = Some(successor(w, now, old));
            hang_up(w, now, "mllp");
        }
        Step::Renew(device, times) => renew(w, now, device, times),
        Step::Buy(role) => {
            let name = format!("{}-bought{}", role.name(), w.hosts.len());
            let device = hospital::join(w, role, name);
            let now = housekeeping::obtain(w, now, device);
            housekeeping::clock(w, now, device);
            w.newborn.push(device);
        }
    }
}

/// A new host that gives a service where another gave it, at the same port.
fn successor(w: &mut World, now: Nanos, old: Service) -> Service {
    let role = w.hosts[old.host].role;
    let host = hospital::join(w, role, format!("{}-new", role.name()));
    w.hosts[host].open.push(old.port);
    housekeeping::obtain(w, now, host);
    w.newborn.push(host);
    Service { host, ..old }
}

/// Ends the long conversations for a purpose: whoever needs one opens it anew.
fn hang_up(w: &mut World, now: Nanos, purpose: &'static str) {
    let all: Vec<_> = w.sessions.keys().copied().filter(|(_, of)| *of == purpose).collect();
    for (host, _) in all {
        if let Some(mut tcp) = w.resume(host, purpose) {
            tcp.wait_until(w, now);
            tcp.close(w, Side::Client);
        }
    }
}

/// A device fetches its new version where it always asks for one, restarts, and comes back.
fn renew(w: &mut World, now: Nanos, device: HostId, times: f64) {
    let mut now = now;
    if let (Role::Pump, Some(update)) = (w.hosts[device].role, w.services.update) {
        let image = w.rng.bytes(200_000);
        let kind = "application/octet-stream";
        now = web::get(w, now, device, update, "/firmware/v9.bin", (kind, &image));
    }
    w.sessions.retain(|(host, _), _| *host != device);
    let back = now + w.rng.between(20, 60) * SEC;
    w.away.insert(device, back);
    housekeeping::obtain(w, back, device);
    w.changes.renewed.insert(device, times);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::generate::{Happening, Hospital};

    /// Frames in each half of the time watched, and their bytes, by who sent them.
    fn halves(plan: &Plan) -> [BTreeMap<Vec<u8>, (usize, usize)>; 2] {
        let middle =
            plan.start.seconds_f64() + (plan.baseline_minutes + plan.attack_minutes / 2.0) * 60.0;
        let from = plan.start.seconds_f64() + plan.baseline_minutes * 60.0;
        let mut halves = [BTreeMap::new(), BTreeMap::new()];
        for happening in Hospital::new(plan).unwrap() {
            let Happening::Packet { at, frame, event } = happening else { continue };
            assert_eq!(event, None);
            if at.seconds_f64() >= from {
                let half = usize::from(at.seconds_f64() >= middle);
                let of_host: &mut (usize, usize) =
                    halves[half].entry(frame[6..12].to_vec()).or_default();
                *of_host = (of_host.0 + 1, of_host.1 + frame.len());
            }
        }
        halves
    }

    #[test]
    fn life_is_another_after_half_of_the_time_and_as_it_was_before() {
        let quiet = Plan { image_kib: 8, ..Plan::quiet(5, 1.5) };
        let changing = Plan { image_kib: 8, ..Plan::changing(5, 1.5) };
        let ([before, calm], [same, after]) = (halves(&quiet), halves(&changing));
        assert_eq!(before, same, "what comes before knows nothing of it");
        let frames = |half: &BTreeMap<Vec<u8>, (usize, usize)>| -> usize {
            half.values().map(|of_host| of_host.0).sum()
        };
        assert!(frames(&after) as f64 > 1.3 * frames(&calm) as f64);
        let new = after.keys().filter(|host| !before.contains_key(*host)).count();
        let came = calm.keys().filter(|host| !before.contains_key(*host)).count();
        assert!(new >= came + 2, "{new} new hosts, {came} without changes");
        assert_eq!(halves(&changing), [same, after], "the same plan, the same life");
    }

    #[test]
    fn a_plan_without_changes_says_nothing_of_them() {
        let text = serde_json::to_string(&Plan::quiet(5, 1.0)).unwrap();
        assert!(!text.contains("changes"));
    }
}
