//! What is kept of one conversation, and what it says of normal life.

use std::time::Duration;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::Seen;
use super::slots::{self, Slots};

/// Times at which something began that are kept: the latest.
const BEATS: usize = 64;
/// Gaps between beats below which no interval is told.
const FEW: usize = 8;

/// What was recorded of one conversation.
///
/// Everything here is a sum, a set or an extreme: the order of recording does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What is spoken, such as `dicom` or `hl7`; empty where nobody knows.
    pub service: String,
    /// First packet.
    pub first: Timestamp,
    /// Last packet.
    pub last: Timestamp,
    /// Flows that began.
    pub times: u64,
    /// Records of flows in which the called side answered.
    pub answered: u64,
    /// Records of flows, begun or going on.
    pub told: u64,
    /// Bytes, both ways.
    pub bytes: u64,
    /// Seconds in which flows stood, in sum.
    standing: u64,
    /// Longest usual silences within flows, in milliseconds, each weighted by packets.
    pauses: (u64, u64),
    slots: Slots,
    /// Latest seconds in which a flow began or was told to go on, in order.
    beats: Vec<i64>,
}

/// What a conversation says of normal life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Normal {
    /// Ten-minute slots of the last 14 days in which it was seen.
    pub slots: u32,
    /// Days (UTC) in which it was seen.
    pub days: u32,
    /// What usually passes from one sign of it to the next, where that can be told.
    pub interval: Option<Duration>,
    /// How far that usually varies (median absolute deviation).
    pub spread: Duration,
    /// Longest silence in it, to the slot.
    pub longest: Duration,
    /// Whether it is as regular as a heartbeat.
    pub regular: bool,
    /// Whether the called side usually answered.
    pub answered: bool,
}

impl Record {
    pub(super) fn new(seen: &Seen<'_>) -> Self {
        Self {
            service: String::new(),
            first: seen.first,
            last: seen.last,
            times: 0,
            answered: 0,
            told: 0,
            bytes: 0,
            standing: 0,
            pauses: (0, 0),
            slots: Slots::default(),
            beats: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>, is_life: bool) {
        let last = seen.last.max(seen.first);
        self.first = self.first.min(seen.first);
        self.last = self.last.max(last);
        self.times = self.times.saturating_add(u64::from(seen.began));
        self.answered = self.answered.saturating_add(u64::from(seen.answered));
        self.told = self.told.saturating_add(1);
        self.bytes = self.bytes.saturating_add(seen.bytes);
        self.standing = self.standing.saturating_add(last.since(seen.first).as_secs());
        // The name that says more: a later one of several is kept whatever came first.
        if is_better(seen.service, &self.service) {
            self.service = seen.service.chars().take(40).collect();
        }
        if let Some(pause) = seen.pause {
            let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX).min(86_400_000);
            let weight = seen.packets.clamp(1, 1 << 20);
            self.pauses.0 = self.pauses.0.saturating_add(ms.saturating_mul(weight));
            self.pauses.1 = self.pauses.1.saturating_add(weight);
        }
        let (from, to) = (Slots::of(seen.first.seconds()), Slots::of(last.seconds()));
        // Between its first and its last packet, a flow was seen where it had packets enough for
        // every slot; nobody knows where the few of a silent one lay.
        let between = u64::try_from(to.saturating_sub(from)).unwrap_or(u64::MAX);
        if seen.packets > between {
            self.slots.mark(from, to);
        } else {
            self.slots.mark(from, from);
            self.slots.mark(to, to);
        }
        if is_life {
            self.beat(seen.first.seconds());
        }
    }

    fn beat(&mut self, second: i64) {
        let Err(place) = self.beats.binary_search(&second) else { return };
        if self.beats.len() < BEATS {
            self.beats.insert(place, second);
        } else if place > 0 {
            self.beats.insert(place, second);
            self.beats.remove(0);
        }
    }

    /// How established it is: for choosing what is forgotten first.
    pub(super) fn rank(&self) -> (u32, Timestamp) {
        (self.slots.count().min(6), self.last)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.slots.is_whole()
            && self.beats.len() <= BEATS
            && self.beats.is_sorted_by(|a, b| a < b)
            && self.first <= self.last
            && self.service.len() <= 160
    }

    /// What it says of normal life, of which only what lies before `until` counts.
    pub fn normal(&self, until: Option<Timestamp>) -> Normal {
        let until = until.map_or(i64::MAX, Timestamp::seconds);
        let end = Slots::of(until);
        let mut seen: Vec<i64> = self.slots.latest_first().filter(|slot| *slot < end).collect();
        seen.reverse();
        let beats: Vec<i64> = self.beats.iter().copied().filter(|beat| *beat < until).collect();
        let (beat, spread) = rhythm(&beats);
        let silence = seen.windows(2).map(|two| two[1] - two[0] - 1).max().unwrap_or(0);
        let silence = seconds(silence.saturating_mul(slots::SECONDS));
        let quiet = beats.windows(2).map(|two| two[1] - two[0]).max().unwrap_or(0);
        let interval = match (beat, self.pause(beat)) {
            (Some(beat), Some(pause)) => Some(beat.min(pause)),
            (beat, pause) => beat.or(pause),
        };
        Normal {
            slots: u32::try_from(seen.len()).unwrap_or(u32::MAX),
            days: slots::days(&seen),
            interval,
            spread,
            longest: silence.max(seconds(quiet)),
            regular: beat.is_some_and(|beat| {
                spread <= (beat / 5).max(Duration::from_secs(1)) && is_present(&seen, beat)
            }),
            answered: self.answered.saturating_mul(2) >= self.told,
        }
    }

    /// Usual silence within a flow, where flows stand nearly all of the time and outlast what
    /// `beat`s: then nothing begins, and what tells of life is inside. Between flows that stand for
    /// a part of it, or of which one follows the other, a device is silent for as long as until the
    /// next begins.
    fn pause(&self, beat: Option<Duration>) -> Option<Duration> {
        let span = self.last.since(self.first).as_secs();
        let two = beat.map_or(0, |beat| beat.as_secs().saturating_mul(2));
        let stands = span > 0
            && self.standing.saturating_mul(10) >= span.saturating_mul(9)
            && self.standing >= self.times.saturating_mul(two);
        let ms = self.pauses.0.checked_div(self.pauses.1)?;
        stands.then(|| Duration::from_millis(ms.max(1_000)))
    }
}

/// Whether one name of a service says more than another.
fn is_better(new: &str, old: &str) -> bool {
    const CARRIERS: [&str; 7] = ["", "unrecognised", "tcp", "udp", "http", "http2", "tls"];
    let rank = |name: &str| CARRIERS.iter().position(|one| *one == name).unwrap_or(CARRIERS.len());
    // Of two that say as much, one is kept whatever the order.
    (rank(new), new) > (rank(old), old)
}

/// Median gap between beats, and how far gaps lie from it (median). Several within two seconds are
/// one beat: a device often opens more than one connection at once.
fn rhythm(beats: &[i64]) -> (Option<Duration>, Duration) {
    let mut apart: Vec<i64> = Vec::with_capacity(beats.len());
    for beat in beats {
        if apart.last().is_none_or(|last| beat.saturating_sub(*last) >= 2) {
            apart.push(*beat);
        }
    }
    let beats = apart;
    let mut gaps: Vec<i64> = beats.windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
    if gaps.len() < FEW {
        return (None, Duration::ZERO);
    }
    let middle = gaps.len() / 2;
    let median = *gaps.select_nth_unstable(middle).1;
    let mut off: Vec<i64> = gaps.iter().map(|gap| gap.saturating_sub(median).abs()).collect();
    let spread = *off.select_nth_unstable(middle).1;
    (Some(seconds(median)), seconds(spread))
}

/// Whether what beats this often was there in half of the slots where it should have been.
fn is_present(seen: &[i64], beat: Duration) -> bool {
    let (Some(first), Some(last)) = (seen.first(), seen.last()) else { return false };
    let span = last.saturating_sub(*first).saturating_add(1);
    let every = i64::try_from(beat.as_secs()).unwrap_or(i64::MAX).max(slots::SECONDS);
    let expected = span.saturating_mul(slots::SECONDS) / every;
    2 * i64::try_from(seen.len()).unwrap_or(i64::MAX) >= expected
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    fn record(begins: impl Iterator<Item = i64>) -> Record {
        let mut all = begins.map(|second| seen(second, 1)).peekable();
        let mut record = Record::new(all.peek().unwrap());
        all.for_each(|one| record.add(&one, true));
        record
    }

    #[test]
    fn a_heartbeat_of_a_minute_is_one_even_when_each_beat_opens_three_connections() {
        let beats = (0..2_000).flat_map(|minute| [0, 0, 1].map(|late| minute * 60 + late));
        let normal = record(beats).normal(None);
        assert!(normal.regular, "{normal:?}");
        assert_eq!(normal.interval, Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_comes_at_any_time_or_in_one_burst_is_no_heartbeat() {
        let mut at = 0;
        let wild = record((0..500).map(|turn| {
            at += 20 + (turn * 7_919) % 900;
            at
        }));
        assert!(!wild.normal(None).regular);
        // Sixty regular beats, and days of silence before.
        let rare = record(std::iter::once(0).chain((0..60).map(|beat| 500_000 + beat * 10)));
        assert!(!rare.normal(None).regular);
        assert!(rare.normal(None).longest > Duration::from_secs(400_000));
    }

    #[test]
    fn a_standing_connection_tells_its_rhythm_by_its_silences() {
        let mut one = seen(0, 200_000);
        one.packets = 12_000;
        one.pause = Some(Duration::from_secs(67));
        let mut record = Record::new(&one);
        record.add(&one, true);
        let normal = record.normal(None);
        assert_eq!(normal.interval, Some(Duration::from_secs(67)));
        assert_eq!((normal.slots, normal.days), (334, 3));
    }

    #[test]
    fn connections_one_after_the_other_beat_as_often_as_they_begin() {
        for standing in [3, 4] {
            let mut all = (0..100).map(|turn| {
                let mut one = seen(turn * 4, standing);
                one.pause = Some(Duration::from_millis(200));
                one
            });
            let mut record = Record::new(&all.next().unwrap());
            all.for_each(|one| record.add(&one, true));
            let normal = record.normal(None);
            assert!(normal.regular, "{normal:?}");
            assert_eq!(normal.interval, Some(Duration::from_secs(4)), "{normal:?}");
        }
    }

    #[test]
    fn what_came_after_a_case_opened_is_not_normal_life() {
        let record = record((0..300).map(|minute| minute * 600));
        let until = Timestamp::from_parts(6_000, 0);
        assert_eq!(record.normal(Some(until)).slots, 10);
        assert_eq!(record.normal(None).slots, 300);
        assert!(!record.normal(Some(until)).regular, "its latest beats are all after that");
    }

    #[test]
    fn the_name_of_a_service_does_not_depend_on_which_flow_came_first() {
        for order in [["http", "fhir", ""], ["fhir", "", "http"], ["", "http", "fhir"]] {
            let mut one = seen(0, 1);
            let mut record = Record::new(&one);
            for name in order {
                one.service = name;
                record.add(&one, true);
            }
            assert_eq!(record.service, "fhir");
        }
    }
}
