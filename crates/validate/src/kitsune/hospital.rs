//! Kitsune in a hospital, packet by packet, told by device and stretch of time.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use drill::{DrillError, Happening, Hospital, Plan, Truth, Who};
use foldhash::fast::FixedState;

use super::headers::{Address, Headers, Port, read};
use super::{Kitsune, Settings};
use crate::evaluation::{Example, Label};
use crate::label::{Labels, end_of, window_of};

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

/// A device, by its address, and a window of ten seconds, by its number.
pub type Place = (IpAddr, i64);

/// One device in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unit {
    /// The largest score of its packets.
    pub score: f64,
    /// How many packets were scored.
    pub packets: u64,
}

/// What Kitsune said of a hospital.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it said, by device and stretch of time, after it had learned.
    pub units: BTreeMap<Place, Unit>,
    /// What each window really was.
    pub labels: Labels,
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
/// a window is the largest of its packets'. Frames without an address of their
/// own, and ARP, where addresses may be false, are of the device whose link address they have.
///
/// # Errors
///
/// The plan names a scenario that does not exist.
pub fn device_windows(plan: &Plan, by: By) -> Result<Run, DrillError> {
    let mut hospital = Hospital::new(plan)?;
    let end = hospital.phases().baseline_end_epoch;
    // Who is there and how much is normal has to be known before the first packet is learned.
    let (mut packets, mut normal) = (Vec::new(), 0_u64);
    for happening in &mut hospital {
        let Happening::Packet { at, frame, event } = happening else { continue };
        normal += u64::from(at.seconds_f64() < end);
        if let Some(headers) = read(&frame) {
            packets.push((at, headers, frame.len(), event));
        }
    }
    let mapping = normal / 10;
    // One packet more than that is learned from in any case.
    let training = normal.saturating_sub(mapping + 1);
    let mut kitsune = Kitsune::new(&Settings { mapping, training, ..Settings::default() });
    let mut whose = Whose { by, links: links(&hospital), first: HashMap::default() };
    let clock = Instant::now();
    let scores: Vec<Option<f64>> = packets
        .iter()
        .map(|(at, headers, length, _)| kitsune.known(*at, headers, *length))
        .collect();
    let took = clock.elapsed();
    let mut run = Run {
        units: BTreeMap::new(),
        labels: Labels::of_truth(hospital.truth(), true),
        truth: hospital.truth().to_vec(),
        packets: packets.len() as u64,
        took,
    };
    for ((at, headers, _, event), score) in packets.into_iter().zip(scores) {
        let devices = whose.packet(&headers);
        let window = window_of(at);
        if let Some(score) = score {
            for device in devices.into_iter().flatten() {
                let unit = run.units.entry((device, window)).or_default();
                unit.score = unit.score.max(score);
                unit.packets += 1;
            }
        }
        if let Some(event) = event {
            run.labels.packet(at, Some(&headers), event);
        }
    }
    Ok(run)
}

/// Whose link address is whose.
fn links(hospital: &Hospital) -> BTreeMap<u64, IpAddr> {
    let link = |mac: &str| u64::from_str_radix(&mac.replace(':', ""), 16).ok();
    let hosts = hospital.hosts();
    hosts.values().filter_map(|host| Some((link(&host.mac)?, host.ip.parse().ok()?))).collect()
}

/// Knows whose a packet is.
struct Whose {
    by: By,
    links: BTreeMap<u64, IpAddr>,
    /// Who spoke first between two sockets.
    first: HashMap<[(IpAddr, Port); 2], IpAddr, FixedState>,
}

impl Whose {
    fn packet(&mut self, headers: &Headers) -> [Option<IpAddr>; 2] {
        let device = |end: usize| match headers.addresses[end] {
            Address::V4(0) | Address::Mac(_) => self.links.get(&headers.macs[end]).copied(),
            _ if headers.ports[end] == Port::Arp => self.links.get(&headers.macs[end]).copied(),
            address => address.ip(),
        };
        let Some(from) = device(0) else { return [None; 2] };
        let to = device(1).filter(|&to| to != from);
        match (self.by, to) {
            (By::Either, _) => [Some(from), to],
            (By::Initiator, Some(to)) if headers.ports[0] != Port::Arp => {
                let mut ends = [(from, headers.ports[0]), (to, headers.ports[1])];
                ends.sort_unstable();
                [Some(*self.first.entry(ends).or_insert(from)), None]
            }
            _ => [Some(from), None],
        }
    }
}

/// Makes scores of different hospitals comparable: puts each as the share of a hospital's normal
/// units that lie below it.
pub fn rank(examples: &mut [Example]) {
    let normal = examples.iter().filter(|example| example.truth == Label::Normal);
    let mut normal: Vec<f64> = normal.map(|example| example.score).collect();
    normal.sort_unstable_by(f64::total_cmp);
    for example in examples {
        let below = normal.partition_point(|score| *score < example.score);
        example.score = below as f64 / normal.len().max(1) as f64;
    }
}

/// The units of a run with what they really were, for the same measures as our own: an attack's
/// where the device acts in it; neither normal nor an attack's where it is only touched by one, or
/// took part in one up to a minute before. What acts without having been scored has score 0. The
/// stratum `moment` is `event` while anybody does anything and a minute after, or else `calm`.
pub fn examples(run: &Run) -> Vec<Example> {
    let mut places: BTreeMap<Place, f64> =
        run.units.iter().map(|(place, unit)| (*place, unit.score)).collect();
    for (window, ip) in run.labels.acting() {
        places.entry((ip, window)).or_insert(0.0);
    }
    let told = places.into_iter().map(|((ip, window), score)| {
        let end = end_of(window);
        let truth = run.labels.of(Some(ip), end);
        let mut strata = BTreeMap::new();
        let event = run.labels.event(ip, window);
        if let Some(event) = event.and_then(|event| run.truth.get(event as usize)) {
            let who = if event.who == Who::Known { "known" } else { "stranger" };
            strata.insert("actor".to_owned(), who.to_owned());
        }
        let moment = if run.labels.during_event(end) { "event" } else { "calm" };
        strata.insert("moment".to_owned(), moment.to_owned());
        Example { score, truth, strata, ..Example::default() }
    });
    told.collect()
}
