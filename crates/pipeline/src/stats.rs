//! What went in, what was lost and why: `stats.json`.

use std::collections::BTreeMap;

use learn::behaviour::{Behaviour, Compared};
use learn::features::TABLE;
use ml::drift::Stability;
use model::KindMap;
use serde::{Deserialize, Serialize};
use wire::EngineStats;

use crate::worker::MalformedCounts;

/// Counts of one run. Nothing that is lost is left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// Packets read.
    pub packets: u64,
    /// Bytes of them on the wire.
    pub bytes: u64,
    /// From the first packet to the last, in seconds.
    pub capture_seconds: f64,
    /// Packets and flows that were lost, by cause.
    pub drops: BTreeMap<String, u64>,
    /// Broken packets by layer, and broken messages by protocol.
    pub malformed: BTreeMap<String, u64>,
    /// Packets that are understood by nobody, by reason.
    pub not_understood: BTreeMap<String, u64>,
    /// Flows opened.
    pub flows: u64,
    /// Most flows open at once.
    pub flows_peak: u64,
    /// Flows by recognised protocol.
    pub protocols: BTreeMap<String, u64>,
    /// Observations by kind.
    pub observations: BTreeMap<String, u64>,
    /// Findings by severity.
    pub findings: BTreeMap<String, u64>,
    /// Claims that were not repeated.
    pub findings_repeated: u64,
    /// Log records read, and those that could not be.
    pub log_records: u64,
    /// Log records that could not be read.
    pub log_errors: u64,
    /// What the models promised and what came of it.
    #[serde(skip_serializing_if = "Models::is_empty")]
    pub models: Models,
    /// Most memory that the process held, in bytes.
    pub memory_peak: u64,
    /// Seconds spent by stage.
    pub seconds: BTreeMap<String, f64>,
    /// Threads that read packets.
    pub threads: usize,
}

/// What the models promised and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Models {
    /// Realised over nominal rate of false positives, by nominal level, by group of devices; groups with
    /// too little to say are left out.
    pub realised_over_nominal: BTreeMap<String, BTreeMap<String, f64>>,
    /// How a model that runs in shadow compares with the one in use, in windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Compared>,
    /// How far life has moved from what it was, by group of devices, and at the whole site (`site`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drift: BTreeMap<String, Drifted>,
    /// Labels of analysts that are in force.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub labels: usize,
}

/// How far a group has moved from what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drifted {
    /// Population stability index of the scores, over the last full stretch of windows.
    pub psi: f64,
    /// What the rule of thumb says of it.
    pub stability: Stability,
    /// The feature that moved most, and its index, where one has moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<(String, f64)>,
    /// Devices of which a change was told (ADWIN).
    pub changes: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_nought(number: &usize) -> bool {
    *number == 0
}

impl Models {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What an engine's models did.
    pub fn of(behaviour: &Behaviour) -> Self {
        let [corrected, _] = behaviour.realised();
        let mut realised: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for group in corrected.groups() {
            for level in corrected.levels() {
                let ratio = corrected.ratio(group, *level).and_then(|ratio| ratio.value());
                if let Some(ratio) = ratio {
                    let of_level = realised.entry(level.to_string()).or_default();
                    of_level.insert(group.to_owned(), round(ratio));
                }
            }
        }
        let drift = behaviour.drift().groups().map(|(name, group)| {
            let most =
                group.most().map(|(column, index)| (TABLE[column].name.to_owned(), round(index)));
            let (psi, stability) = (round(group.index()), group.stability());
            (name.to_owned(), Drifted { psi, stability, most, changes: group.changes() })
        });
        Self {
            realised_over_nominal: realised,
            shadow: behaviour.compared(),
            drift: drift.collect(),
            labels: behaviour.labels().count(),
        }
    }
}

fn round(ratio: f64) -> f64 {
    (ratio * 1e3).round() / 1e3
}

impl Stats {
    /// Adds what a worker's engine counted.
    pub fn add_engine(&mut self, engine: &EngineStats, malformed: &MalformedCounts) {
        self.flows += engine.opened;
        self.flows_peak += engine.peak_flows;
        let drops = [
            ("flows_evicted_single_packet", engine.evicted.single_packet),
            ("flows_evicted_idle", engine.evicted.idle),
            ("flows_evicted_kept", engine.evicted.kept),
            ("fragments_timed_out", engine.fragments.timed_out),
            ("fragments_evicted", engine.fragments.evicted),
            ("fragments_invalid", engine.fragments.invalid),
            ("tcp_bytes_missed", engine.streams.missed_bytes),
            ("tcp_segments_out_of_window", engine.streams.out_of_window),
            ("tcp_holes_given_up", engine.streams.overflows),
        ];
        for (cause, count) in drops {
            *self.drops.entry(cause.to_owned()).or_insert(0) += count;
        }
        for (name, count) in malformed {
            *self.malformed.entry((*name).to_owned()).or_insert(0) += count;
        }
        for (ethertype, count) in engine.non_ip.sorted() {
            let name = format!("ethertype_0x{ethertype:04x}");
            *self.not_understood.entry(name).or_insert(0) += count;
        }
        for (link, count) in engine.unknown_link.sorted() {
            *self.not_understood.entry(format!("link_type_{link}")).or_insert(0) += count;
        }
    }

    /// Adds what the machine that captured says it lost.
    pub fn lost_before_capture(&mut self, packets: u64) {
        *self.drops.entry("packets_lost_before_capture".to_owned()).or_insert(0) += packets;
    }

    /// Takes over what was counted of observations.
    pub fn add_observations(&mut self, seen: &KindMap<u64>) {
        for (kind, count) in seen.sorted() {
            *self.observations.entry(kind.name.to_owned()).or_insert(0) += count;
        }
    }

    /// Counts a flow whose protocol was recognised.
    pub fn count_protocol(&mut self, o: &model::Observation) {
        if std::ptr::eq(o.kind, &wire::kinds::PROTOCOL)
            && let Some(protocol) = o.str("protocol")
        {
            match self.protocols.get_mut(protocol) {
                Some(count) => *count += 1,
                None => {
                    self.protocols.insert(protocol.to_owned(), 1);
                }
            }
        }
    }
}

/// Most memory that this process has held, in bytes; zero where the system does not tell.
pub fn memory_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}
