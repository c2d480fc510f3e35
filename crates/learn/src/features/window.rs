//! One device in one window of time: what is counted, and the row that it becomes.

use model::observation::{ObservationId, Party};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::damped::Damped;
use super::distinct::Distinct;
use super::{Column, Row, WIDTH, WINDOW};
use crate::normal::Familiarity;

/// Half-lives of the damped counters, in seconds.
pub(crate) const MINUTE: u32 = 60;
pub(crate) const TEN_MINUTES: u32 = 600;

/// What a device did before this window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// How often it does something new.
    pub(crate) restless: Restlessness,
    /// News inside and outside, in thousandths of a bit, damped over a minute.
    pub(crate) news: Damped<2>,
    /// Windows by hour of the day, and when the first was.
    hours: [u32; 24],
    first: Timestamp,
    /// Bytes out and in, damped over a minute.
    pub(crate) bytes: Damped<2>,
    /// Packets out and in, damped over ten minutes.
    pub(crate) packets: Damped<2>,
}

/// A device's hours say nothing before so long.
const THREE_DAYS: f64 = 3.0 * 86_400.0;

fn hour(at: Timestamp) -> usize {
    (at.nanos().div_euclid(3_600_000_000_000).rem_euclid(24)) as usize
}

impl Past {
    /// Takes a window that is over.
    pub(crate) fn add(&mut self, end: Timestamp, window: &Window) {
        let bits = self.restless.bits();
        let news = [window.inside * bits[0], window.outside * bits[1]];
        self.news.add(end, MINUTE, news.map(|bits| (bits.min(200.0) * 1e3) as u64));
        self.restless.add(window);
        self.bytes.add(end, MINUTE, window.bytes);
        self.packets.add(end, TEN_MINUTES, window.packets);
        if self.hours == [0; 24] {
            self.first = end;
        }
        let count = &mut self.hours[hour(end)];
        *count = count.saturating_add(1);
    }

    fn hour_bits(&self, end: Timestamp) -> f32 {
        if end.seconds_since(self.first) < THREE_DAYS {
            return 0.0;
        }
        let all: f64 = self.hours.iter().map(|count| f64::from(*count)).sum();
        let here = f64::from(self.hours[hour(end)]);
        (((all + 24.0) / 24.0) / (here + 1.0)).log2().max(0.0) as f32
    }
}

/// What is counted of a device in a window.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) packets: [u64; 2],
    pub(crate) bytes: [u64; 2],
    pub(crate) channels: Distinct,
    pub(crate) top_channel: u64,
    pub(crate) channel_burst: f32,
    pub(crate) flows_out: u32,
    pub(crate) flows_in: u32,
    pub(crate) established: u32,
    pub(crate) refused: u32,
    pub(crate) unanswered: u32,
    pub(crate) responders: Distinct,
    pub(crate) services: Distinct,
    pub(crate) externals: Distinct,
    pub(crate) external_bytes: u64,
    pub(crate) callers: Distinct,
    pub(crate) ended: Ended,
    pub(crate) arp_asked: Distinct,
    pub(crate) arp_told: u32,
    pub(crate) arp_conflicts: u32,
    pub(crate) acts: u32,
    pub(crate) verbs: Distinct,
    verb_counts: VerbCounts,
    pub(crate) act_bytes: u64,
    pub(crate) largest_act: u64,
    pub(crate) yes: u64,
    pub(crate) no: u64,
    pub(crate) logins: u32,
    pub(crate) broken: u64,
    pub(crate) patients: Distinct,
    pub(crate) names: Distinct,
    pub(crate) name_entropy: f32,
    pub(crate) name_length: u32,
    /// Letters in different names of one owner, for the first few owners.
    pub(crate) carried: Vec<(u64, u32)>,
    pub(crate) free_records: u32,
    pub(crate) results: u64,
    pub(crate) most_results: u64,
    pub(crate) unlimited: u32,
    pub(crate) wildcards: u32,
    pub(crate) rewrites: u32,
    pub(crate) noise: f32,
    pub(crate) live_flows: Distinct,
    pub(crate) flows_to_one: u32,
    pub(crate) channel_strange: f32,
    pub(crate) unlike: u32,
    pub(crate) answer_bits: f32,
    /// The most patients that one answer told of.
    pub(crate) most_patients: u64,
    pub(crate) acts_in: u32,
    pub(crate) failures_in: u64,
    pub(crate) word_bits: f32,
    pub(crate) word_bits_most: f32,
    pub(crate) words: u32,
    /// Which news were counted already in this window.
    pub(crate) news: Distinct,
    pub(crate) inside: f32,
    pub(crate) outside: f32,
    pub(crate) new_peers: u32,
    pub(crate) new_outside: Distinct,
    pub(crate) new_services: u32,
    pub(crate) new_verbs: u32,
    pub(crate) unheard: u32,
    pub(crate) new_callers: u32,
    pub(crate) new_served: u32,
    pub(crate) new_bits_in: f32,
    pub(crate) answered: u32,
    pub(crate) heard: u32,
    pub(crate) strange_packets: u64,
    pub(crate) strange_bytes: u64,
    pub(crate) regular_news: f32,
    pub(crate) new_names: Distinct,
    pub(crate) borrowed_names: Distinct,
    pub(crate) strange_outside: u64,
    pub(crate) new_answers: Distinct,
    pub(crate) unreadable: u32,
    pub(crate) resets: u32,
    pub(crate) early: f32,
    pub(crate) overdue: f32,
    /// How strange the strangest thing was, and with whom.
    pub(crate) strangest: f32,
    #[serde(skip)]
    pub(crate) with: Option<Party>,
    /// The first observations that show something strange.
    #[serde(skip)]
    pub(crate) evidence: Vec<ObservationId>,
}

/// Sums over the flows that ended.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) flows: u32,
    pub(crate) seconds: f64,
    pub(crate) spread: f64,
    pub(crate) gaps: u32,
    pub(crate) gap: f64,
    pub(crate) jitter: f64,
    pub(crate) packets: u64,
    pub(crate) repeated: u64,
}

/// Counts of verbs by their marks, for the entropy of their mix.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct VerbCounts([u16; 32]);

impl VerbCounts {
    /// In bits; at most 5.
    fn entropy(&self) -> f32 {
        let all: f32 = self.0.iter().map(|count| f32::from(*count)).sum();
        let part = |count: &u16| {
            let share = f32::from(*count) / all;
            -share * share.log2()
        };
        self.0.iter().filter(|count| **count > 0).map(part).sum()
    }
}

/// How strange an act is, 0 to 1: nought for what its actor did before, and less for what its kind
/// does.
pub(crate) fn strangeness(known: &Familiarity) -> f32 {
    if known.act {
        0.0
    } else if known.service_of_target && known.verb_of_actor {
        0.25
    } else if known.service_of_target || (known.verb_of_actor && known.others > 0) {
        0.5
    } else if known.peers_of_class || (known.service_of_actor && known.others_on_service > 0) {
        0.6
    } else if known.pair {
        0.8
    } else {
        1.0
    }
}

/// In how many of its windows a device did something new: how improbable it is that it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Restlessness {
    windows: u32,
    inside: u32,
    outside: u32,
}

/// So many windows from a device's first everything about it is new.
const SETTLING_IN: u32 = 12;
/// Windows are counted up to so many; then both counts are halved, so that habits can change.
const REMEMBERED: u32 = 1 << 16;

impl Restlessness {
    /// Bits of something new inside and outside.
    pub(crate) fn bits(&self) -> [f32; 2] {
        let windows = self.windows.saturating_sub(SETTLING_IN);
        [self.inside, self.outside]
            .map(|news| -((news as f32 + 1.0) / (windows as f32 + 2.0)).log2())
    }

    pub(crate) fn add(&mut self, window: &Window) {
        self.windows += 1;
        if self.windows <= SETTLING_IN {
            return;
        }
        self.inside += u32::from(window.inside > 0.0);
        self.outside += u32::from(window.outside > 0.0);
        if self.windows > REMEMBERED {
            self.windows /= 2;
            self.inside /= 2;
            self.outside /= 2;
        }
    }
}

/// Most observations that a window names.
const MAX_EVIDENCE: usize = 8;

impl Window {
    /// Something strange, by how much, with whom, and what shows it.
    pub(crate) fn strange(&mut self, by: f32, with: Option<&Party>, shown: ObservationId) {
        if self.evidence.len() < MAX_EVIDENCE && !self.evidence.contains(&shown) {
            self.evidence.push(shown);
        }
        if by > self.strangest {
            self.strangest = by;
            self.with = with.cloned();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets == [0, 0]
            && self.acts + self.acts_in + self.flows_out + self.flows_in + self.arp_told == 0
            && self.answered + self.heard == 0
            && self.yes + self.no + self.failures_in + self.broken == 0
            && self.arp_asked == Distinct::default()
    }

    pub(crate) fn verb(&mut self, mark: u64) {
        self.verbs.see(mark);
        let place = &mut self.verb_counts.0[(mark >> 59) as usize];
        *place = place.saturating_add(1);
    }

    /// The row of the window that ended at a time.
    pub(crate) fn row(&self, end: Timestamp, past: &Past) -> Row {
        use Column as C;
        let ln = |count: f64| count.max(0.0).ln_1p() as f32;
        let share = |part: f64, all: f64| if all > 0.0 { (part / all) as f32 } else { 0.0 };
        let seconds = WINDOW.as_secs_f64();
        let begin = end.minus(WINDOW);
        let ratio = |now: u64, rate: f64, least: f64| {
            ((now as f64 / seconds + least) / (rate + least)).ln() as f32
        };
        let mut row = [0.0; WIDTH];
        let mut set = |column: C, value: f32| row[column as usize] = value;
        let [out, back] = self.packets;
        let [bytes_out, bytes_in] = self.bytes;
        set(C::PacketsOut, ln(out as f64));
        set(C::PacketsIn, ln(back as f64));
        set(C::BytesOut, ln(bytes_out as f64));
        set(C::BytesIn, ln(bytes_in as f64));
        set(C::SizeOut, ln(bytes_out as f64 / out.max(1) as f64));
        set(C::SizeIn, ln(bytes_in as f64 / back.max(1) as f64));
        let both = bytes_out.saturating_add(bytes_in);
        set(C::Balance, if both > 0 { share(bytes_out as f64, both as f64) } else { 0.5 });
        let rates = past.bytes.rates(begin, MINUTE);
        set(C::BurstOut, ratio(bytes_out, rates[0], 50.0));
        set(C::BurstIn, ratio(bytes_in, rates[1], 50.0));
        let rates = past.packets.rates(begin, TEN_MINUTES);
        set(C::TrendOut, ratio(out, rates[0], 0.2));
        set(C::TrendIn, ratio(back, rates[1], 0.2));
        set(C::Channels, ln(self.channels.count()));
        set(C::TopChannel, share(self.top_channel as f64, out.saturating_add(back) as f64));
        set(C::ChannelBurst, self.channel_burst);
        set(C::FlowsOut, ln(self.flows_out.into()));
        set(C::FlowsIn, ln(self.flows_in.into()));
        set(C::Refused, ln(self.refused.into()));
        set(C::Unanswered, ln(self.unanswered.into()));
        let failed = f64::from(self.refused) + f64::from(self.unanswered);
        set(C::FailedShare, share(failed, failed + f64::from(self.established)));
        set(C::Responders, ln(self.responders.count()));
        set(C::Services, ln(self.services.count()));
        set(C::Externals, ln(self.externals.count()));
        set(C::ExternalBytes, ln(self.external_bytes as f64));
        set(C::Callers, ln(self.callers.count()));
        let ended = &self.ended;
        let mean = |sum: f64, count: u32| if count > 0 { sum / f64::from(count) } else { 0.0 };
        set(C::FlowSeconds, ln(mean(ended.seconds, ended.flows)));
        set(C::FlowSpread, ln(mean(ended.spread, ended.flows)));
        set(C::FlowGap, ln(mean(ended.gap, ended.gaps) * 1e3));
        set(C::FlowJitter, mean(ended.jitter, ended.gaps) as f32);
        set(C::Retransmitted, share(ended.repeated as f64, ended.packets as f64));
        set(C::ArpAsked, ln(self.arp_asked.count()));
        set(C::ArpTold, ln(self.arp_told.into()));
        set(C::ArpConflicts, ln(self.arp_conflicts.into()));
        set(C::Acts, ln(self.acts.into()));
        set(C::Verbs, ln(self.verbs.count()));
        set(C::VerbEntropy, self.verb_counts.entropy());
        set(C::ActBytes, ln(self.act_bytes as f64));
        set(C::LargestAct, ln(self.largest_act as f64));
        set(C::Failures, ln(self.no as f64));
        set(C::FailureShare, share(self.no as f64, self.no.saturating_add(self.yes) as f64));
        set(C::Logins, ln(self.logins.into()));
        set(C::Broken, ln(self.broken as f64));
        set(C::Patients, ln(self.patients.count().max(self.most_patients as f64)));
        set(C::NameEntropy, self.name_entropy);
        set(C::NameLength, ln(self.name_length.into()));
        set(C::Names, ln(self.names.count()));
        let carried = self.carried.iter().map(|(_, letters)| *letters).max();
        set(C::NamesCarry, ln(carried.unwrap_or(0).into()));
        set(C::FreeRecords, ln(self.free_records.into()));
        set(C::Results, ln(self.results as f64));
        set(C::MostResults, ln(self.most_results as f64));
        set(C::Wildcards, ln(self.wildcards.into()));
        set(C::Rewrites, ln(self.rewrites.into()));
        set(C::Noise, self.noise);
        set(C::LiveFlows, ln(self.live_flows.count()));
        set(C::FlowsToOne, ln(self.flows_to_one.into()));
        set(C::ChannelStrange, self.channel_strange.min(60.0));
        set(C::Unlike, ln(self.unlike.into()));
        set(C::AnswerBits, self.answer_bits);
        set(C::Unlimited, ln(self.unlimited.into()));
        set(C::ActsIn, ln(self.acts_in.into()));
        set(C::Answered, ln(self.answered.into()));
        set(C::Heard, ln(self.heard.into()));
        set(C::FailuresIn, ln(self.failures_in as f64));
        set(C::WordBits, if self.words > 0 { self.word_bits / self.words as f32 } else { 0.0 });
        set(C::WordBitsMost, self.word_bits_most);
        let [inside, outside] = past.restless.bits();
        set(C::NewBits, (self.inside * inside).min(200.0));
        set(C::NewBitsOut, (self.outside * outside).min(200.0));
        set(C::NewPeers, ln(self.new_peers.into()));
        set(C::NewOutside, ln(self.new_outside.count()));
        set(C::NewServices, ln(self.new_services.into()));
        set(C::NewVerbs, ln(self.new_verbs.into()));
        set(C::Unheard, ln(self.unheard.into()));
        set(C::NewCallers, ln(self.new_callers.into()));
        set(C::NewServed, ln(self.new_served.into()));
        set(C::NewBitsIn, self.new_bits_in.min(200.0));
        set(C::StrangePackets, ln(self.strange_packets as f64));
        set(C::StrangeBytes, ln(self.strange_bytes as f64));
        set(C::RegularNews, self.regular_news);
        set(C::NewNames, ln(self.new_names.count()));
        set(C::BorrowedNames, ln(self.borrowed_names.count()));
        set(C::StrangeOutside, ln(self.strange_outside as f64));
        let lately = past.news.rates(begin, MINUTE).map(|rate| (rate * 60.0 / 1e3) as f32);
        set(C::NewsLately, (lately[0] + self.inside * inside).min(200.0));
        set(C::NewsOutLately, (lately[1] + self.outside * outside).min(200.0));
        set(C::NewAnswers, ln(self.new_answers.count()));
        set(C::Unreadable, ln(self.unreadable.into()));
        set(C::Resets, ln(self.resets.into()));
        set(C::Hour, past.hour_bits(end));
        set(C::Overdue, self.overdue.min(60.0));
        set(C::Early, self.early.min(60.0));
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_window_is_a_row_of_finite_numbers() {
        let row = Window::default().row(Timestamp::from_nanos(0), &Past::default());
        assert!(row.iter().all(|value| value.is_finite()));
        assert!(Window::default().is_empty());
    }

    #[test]
    fn what_was_done_before_is_not_strange_and_what_its_kind_does_less_than_the_rest() {
        let never = Familiarity::default();
        assert_eq!(strangeness(&Familiarity { act: true, ..never }), 0.0);
        let of_its_kind = Familiarity { peers_of_class: true, ..never };
        assert!(strangeness(&of_its_kind) < strangeness(&never));
    }

    #[test]
    fn something_new_is_improbable_for_who_never_does_anything_new() {
        let (mut steady, mut restless) = (Restlessness::default(), Restlessness::default());
        let mut new = Window { inside: 1.0, ..Window::default() };
        for _ in 0..200 {
            steady.add(&Window::default());
            restless.add(&new);
        }
        assert!(steady.bits()[0] > 7.0 && restless.bits()[0] < 0.1);
        new.inside = 0.0;
        (0..1_000_000).for_each(|_| restless.add(&new));
        assert!(restless.bits()[0] > 7.0, "habits change");
    }
}
