//! One device in one window of time: what is counted, and the row that it becomes.

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
    /// Bytes out and in, damped over a minute.
    pub(crate) bytes: Damped<2>,
    /// Packets out and in, damped over ten minutes.
    pub(crate) packets: Damped<2>,
}

/// What is counted of a device in a window.
#[derive(Clone, Debug, Default)]
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
    pub(crate) acts_in: u32,
    pub(crate) failures_in: u64,
    pub(crate) word_bits: f32,
    pub(crate) word_bits_most: f32,
    pub(crate) words: u32,
    /// Which news were counted already in this window.
    pub(crate) news: Distinct,
    pub(crate) new_bits: f32,
    pub(crate) new_peers: u32,
    pub(crate) new_services: u32,
    pub(crate) new_verbs: u32,
    pub(crate) unheard: u32,
    pub(crate) new_callers: u32,
    pub(crate) new_bits_in: f32,
    pub(crate) early: f32,
}

/// Sums over the flows that ended.
#[derive(Clone, Copy, Debug, Default)]
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
#[derive(Clone, Copy, Debug)]
struct VerbCounts([u16; 32]);

impl Default for VerbCounts {
    fn default() -> Self {
        Self([0; 32])
    }
}

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

/// How improbable something is that its actor never did before, in bits: nought for what it does
/// every day, the more the fewer new things it does, and less for what its kind does.
pub(crate) fn novelty_bits(known: &Familiarity) -> f32 {
    let strange = if known.act {
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
    };
    (strange * -known.surprise_rate.clamp(1e-6, 1.0).log2()) as f32
}

impl Window {
    pub(crate) fn is_empty(&self) -> bool {
        self.packets == [0, 0]
            && self.acts + self.acts_in + self.flows_out + self.flows_in + self.arp_told == 0
            && self.yes + self.no + self.failures_in + self.broken == 0
            && self.arp_asked == Distinct::default()
    }

    pub(crate) fn verb(&mut self, mark: u64) {
        self.verbs.see(mark);
        let place = &mut self.verb_counts.0[(mark >> 59) as usize];
        *place = place.saturating_add(1);
    }

    /// The row of the window that ended at a time. `peers` is what a device of its class sends, in
    /// packets a second, where that is known.
    pub(crate) fn row(&self, end: Timestamp, past: &Past, peers: Option<f64>) -> Row {
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
        set(C::PeersAbove, peers.map_or(0.0, |rate| ratio(out, rate, 0.2)));
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
        set(C::Acts, ln(self.acts.into()));
        set(C::Verbs, ln(self.verbs.count()));
        set(C::VerbEntropy, self.verb_counts.entropy());
        set(C::ActBytes, ln(self.act_bytes as f64));
        set(C::LargestAct, ln(self.largest_act as f64));
        set(C::Failures, ln(self.no as f64));
        set(C::FailureShare, share(self.no as f64, self.no.saturating_add(self.yes) as f64));
        set(C::Logins, ln(self.logins.into()));
        set(C::Broken, ln(self.broken as f64));
        set(C::Patients, ln(self.patients.count()));
        set(C::NameEntropy, self.name_entropy);
        set(C::NameLength, ln(self.name_length.into()));
        set(C::Names, ln(self.names.count()));
        set(C::ActsIn, ln(self.acts_in.into()));
        set(C::FailuresIn, ln(self.failures_in as f64));
        set(C::WordBits, if self.words > 0 { self.word_bits / self.words as f32 } else { 0.0 });
        set(C::WordBitsMost, self.word_bits_most);
        set(C::NewBits, self.new_bits.min(200.0));
        set(C::NewPeers, ln(self.new_peers.into()));
        set(C::NewServices, ln(self.new_services.into()));
        set(C::NewVerbs, ln(self.new_verbs.into()));
        set(C::Unheard, ln(self.unheard.into()));
        set(C::NewCallers, ln(self.new_callers.into()));
        set(C::NewBitsIn, self.new_bits_in.min(200.0));
        set(C::Early, self.early.min(60.0));
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_window_is_a_row_of_finite_numbers() {
        let row = Window::default().row(Timestamp::from_nanos(0), &Past::default(), None);
        assert!(row.iter().all(|value| value.is_finite()));
        assert!(Window::default().is_empty());
    }

    #[test]
    fn what_was_done_before_is_no_news_and_what_a_steady_device_never_did_is_the_most() {
        let steady = Familiarity { surprise_rate: 1.0 / 1024.0, ..Familiarity::default() };
        assert!((novelty_bits(&steady) - 10.0).abs() < 1e-3);
        assert_eq!(novelty_bits(&Familiarity { act: true, ..steady }), 0.0);
        let restless = Familiarity { surprise_rate: 0.5, ..steady };
        assert!(novelty_bits(&restless) < novelty_bits(&steady));
        let of_its_kind = Familiarity { peers_of_class: true, ..steady };
        assert!(novelty_bits(&of_its_kind) < novelty_bits(&steady));
    }
}
