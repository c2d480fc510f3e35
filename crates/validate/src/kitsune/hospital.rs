//! Kitsune in a hospital, packet by packet, told by device and stretch of time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use drill::{DrillError, Happening, Hospital, Plan, Truth, Who};
use foldhash::fast::FixedState;

use super::headers::{Address, Headers, read};
use super::{Kitsune, Settings};
use crate::evaluation::{Example, Label};

/// Whose packet it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Of whoever sent the first packet between these two sockets: the device that acts.
    #[default]
    Initiator,
    /// Of the sender.
    Sender,
    /// Of both ends.
    Either,
}

/// One device in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unit {
    /// The largest score of its packets.
    pub score: f64,
    /// How many packets were scored.
    pub packets: u64,
    /// The event of the hospital's truth that most of its packets of events belong to.
    pub event: Option<u32>,
    /// How many of its packets belong to an event.
    pub of_event: u64,
}

/// What Kitsune said of a hospital.
#[derive(Clone, Debug)]
pub struct Run {
    /// By device and number of the stretch since normal life alone ended.
    pub units: BTreeMap<(Address, u64), Unit>,
    /// What really happened.
    pub truth: Vec<Truth>,
    /// Packets that were learned or scored.
    pub packets: u64,
    /// How long that took, without making the packets.
    pub took: Duration,
}

impl Run {
    /// Packets a second, on one core.
    pub fn rate(&self) -> f64 {
        self.packets as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

/// Lives a hospital and has Kitsune score it: it learns from normal life (which features go
/// together from the first tenth of its packets), and then scores every packet. A device's score in
/// a stretch of so many seconds is the largest of its packets'.
///
/// # Errors
///
/// The plan names a scenario that does not exist.
pub fn device_windows(plan: &Plan, by: By, seconds: f64) -> Result<Run, DrillError> {
    let mut hospital = Hospital::new(plan)?;
    let end = hospital.phases().baseline_end_epoch;
    let normal = Hospital::new(plan)?
        .take_while(|happening| happening.at().seconds_f64() < end)
        .filter(|happening| matches!(happening, Happening::Packet { .. }))
        .count() as u64;
    let mapping = normal / 10;
    // One packet more than that is learned from in any case.
    let training = normal.saturating_sub(mapping + 1);
    let mut kitsune = Kitsune::new(&Settings { mapping, training, ..Settings::default() });
    let mut whose = Whose { by, first: HashMap::default() };
    let mut units: BTreeMap<(Address, u64), (Unit, BTreeMap<u32, u64>)> = BTreeMap::new();
    let (mut packets, mut took) = (0, Duration::ZERO);
    for happening in &mut hospital {
        let Happening::Packet { at, frame, event } = happening else { continue };
        let Some(headers) = read(&frame) else { continue };
        let clock = Instant::now();
        let score = kitsune.known(at, &headers, frame.len());
        took += clock.elapsed();
        packets += 1;
        let devices = whose.packet(&headers);
        let Some(score) = score else { continue };
        let window = ((at.seconds_f64() - end).max(0.0) / seconds.max(1e-3)) as u64;
        for device in devices.into_iter().flatten() {
            let (unit, events) = units.entry((device, window)).or_default();
            unit.score = unit.score.max(score);
            unit.packets += 1;
            if let Some(event) = event {
                unit.of_event += 1;
                *events.entry(event).or_insert(0) += 1;
            }
        }
    }
    let most = |events: BTreeMap<u32, u64>| {
        events.into_iter().max_by_key(|&(event, count)| (count, std::cmp::Reverse(event)))
    };
    let told = |(unit, events)| Unit { event: most(events).map(|(event, _)| event), ..unit };
    let units = units.into_iter().map(|(key, unit)| (key, told(unit))).collect();
    Ok(Run { units, truth: hospital.truth().to_vec(), packets, took })
}

/// Remembers who spoke first.
struct Whose {
    by: By,
    first: HashMap<[(Address, super::Port); 2], Address, FixedState>,
}

impl Whose {
    fn packet(&mut self, headers: &Headers) -> [Option<Address>; 2] {
        let [from, to] = headers.addresses;
        match self.by {
            By::Sender => [Some(from), None],
            By::Either => [Some(from), Some(to).filter(|&to| to != from)],
            By::Initiator => {
                let mut ends = [(from, headers.ports[0]), (to, headers.ports[1])];
                ends.sort_unstable();
                [Some(*self.first.entry(ends).or_insert(from)), None]
            }
        }
    }
}

/// The units of a run with what they really were, for the same measures as our own.
///
/// A device that does something in a stretch with at least one packet of that event is an example
/// of it; a device that has a packet of an event of another is neither that nor normal.
pub fn examples(run: &Run) -> Vec<Example> {
    let actors: Vec<Option<Address>> = run.truth.iter().map(actor).collect();
    run.units
        .iter()
        .map(|((device, _), unit)| {
            let mut strata = BTreeMap::new();
            let event = unit.event.and_then(|event| run.truth.get(event as usize).zip(Some(event)));
            let truth = match event {
                None => Label::Normal,
                Some((truth, event)) if actors[event as usize] == Some(*device) => {
                    let who = if truth.who == Who::Known { "known" } else { "stranger" };
                    strata.insert("actor".to_owned(), who.to_owned());
                    let kind = truth.scenario.clone();
                    if truth.malicious { Label::Attack(kind) } else { Label::LookAlike(kind) }
                }
                Some(_) => Label::Neutral,
            };
            Example { score: unit.score, truth, strata, ..Example::default() }
        })
        .collect()
}

fn actor(truth: &Truth) -> Option<Address> {
    truth.actor.parse().ok().map(|ip: std::net::Ipv4Addr| Address::V4(ip.to_bits()))
}
