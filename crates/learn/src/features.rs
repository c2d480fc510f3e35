//! What models see: numbers about one device in one window of time.
//!
//! Every number is declared in [`TABLE`] with its unit, its window and its meaning. They come from
//! three families: damped statistics of packets, flows, and what was said in the protocols. None is
//! an address, a port, an identifier, a TTL or a clock: those give an answer away in one capture and
//! mean nothing in the next.
//!
//! Counts enter as logarithms, so that ten times as much is as far from usual for a busy device as
//! for a quiet one.

pub mod damped;
pub mod distinct;
mod reading;
mod window;

use std::time::Duration;

use model::field::Phi;

pub(crate) use reading::{Answer, Readings, Sort};
pub(crate) use window::{Past, TEN_MINUTES, Window, strangeness};

/// Length of the window in which a device is described.
pub const WINDOW: Duration = Duration::from_secs(10);

/// Which part of what is seen a feature stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Packets and bytes, damped over seconds to minutes.
    Traffic,
    /// Flows: how many, to how many, how they went.
    Flows,
    /// What was said in the protocols.
    Speech,
    /// How much of it was never seen before.
    News,
}

impl Family {
    /// What is unusual where one of its features is, in plain words.
    pub const fn unusual(self) -> &'static str {
        match self {
            Self::Traffic => "it sends or is sent other amounts than usual",
            Self::Flows => "it calls others, or is called, in another way than usual",
            Self::Speech => "it asks for other things than usual, or is answered otherwise",
            Self::News => "it does what it never did before",
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Flows => "flows",
            Self::Speech => "speech",
            Self::News => "news",
        }
    }
}

/// One column of what models see.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Lower-case name with underscores.
    pub name: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// Which part of what is seen it stands on.
    pub family: Family,
    /// Time that it looks back.
    pub window: &'static str,
    /// Whether it could name a patient.
    pub phi: Phi,
    /// The smallest difference that counts as one standard deviation, in the feature's unit: what
    /// never varied while learning is not infinitely strange when it does.
    pub floor: f32,
    /// One line that says what it is.
    pub doc: &'static str,
}

macro_rules! features {
    ($($column:ident $name:literal $unit:literal $family:ident $window:literal $floor:literal $doc:literal;)*) => {
        /// A column by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Column {
            $(#[doc = $doc] $column,)*
        }

        /// All columns, in their order.
        pub static TABLE: &[Feature] = &[$(Feature {
            name: $name,
            unit: $unit,
            family: Family::$family,
            window: $window,
            phi: Phi::None,
            floor: $floor,
            doc: $doc,
        },)*];

        /// How many columns there are.
        pub const WIDTH: usize = [$(Column::$column),*].len();
    };
}

features! {
    PacketsOut "packets_out" "ln(1 + packets)" Traffic "10 s" 0.3 "Packets that the device sent.";
    PacketsIn "packets_in" "ln(1 + packets)" Traffic "10 s" 0.3 "Packets that it received.";
    BytesOut "bytes_out" "ln(1 + bytes)" Traffic "10 s" 0.4 "Bytes that it sent.";
    BytesIn "bytes_in" "ln(1 + bytes)" Traffic "10 s" 0.4 "Bytes that it received.";
    SizeOut "size_out" "ln(1 + bytes)" Traffic "10 s" 0.1 "Mean size of a packet sent.";
    SizeIn "size_in" "ln(1 + bytes)" Traffic "10 s" 0.1 "Mean size of a packet received.";
    Balance "balance" "share" Traffic "10 s" 0.05 "Bytes sent, of all bytes.";
    BurstOut "burst_out" "ln(ratio)" Traffic "1 min" 0.3 "Bytes sent now, over their rate of the last minute (damped).";
    BurstIn "burst_in" "ln(ratio)" Traffic "1 min" 0.3 "Bytes received now, over their rate of the last minute (damped).";
    TrendOut "trend_out" "ln(ratio)" Traffic "10 min" 0.3 "Packets sent now, over their rate of the last ten minutes (damped).";
    TrendIn "trend_in" "ln(ratio)" Traffic "10 min" 0.3 "Packets received now, over their rate of the last ten minutes (damped).";
    Channels "channels" "ln(1 + devices)" Traffic "10 s" 0.3 "Different others with which packets went either way.";
    TopChannel "top_channel" "share" Traffic "10 s" 0.1 "Packets of its busiest channel, of all its packets.";
    ChannelBurst "channel_burst" "ln(ratio)" Traffic "10 min" 0.4 "The largest growth of a channel: its bytes now, over their rate of the last ten minutes (damped).";
    FlowsOut "flows_out" "ln(1 + flows)" Flows "10 s" 0.3 "Flows that it began.";
    FlowsIn "flows_in" "ln(1 + flows)" Flows "10 s" 0.3 "Flows that others began with it.";
    Refused "refused" "ln(1 + flows)" Flows "10 s" 0.3 "Its flows that were refused.";
    Unanswered "unanswered" "ln(1 + flows)" Flows "10 s" 0.3 "Its flows that nobody answered.";
    FailedShare "failed_share" "share" Flows "10 s" 0.2 "Its flows that were refused or not answered, of all that were decided.";
    Responders "responders" "ln(1 + devices)" Flows "10 s" 0.3 "Different others that it called.";
    Services "services" "ln(1 + services)" Flows "10 s" 0.3 "Different services of them.";
    Externals "externals" "ln(1 + addresses)" Flows "10 s" 0.3 "Different addresses outside the site that it called.";
    ExternalBytes "external_bytes" "ln(1 + bytes)" Flows "10 s" 0.5 "Bytes that it sent outside the site.";
    Callers "callers" "ln(1 + devices)" Flows "10 s" 0.3 "Different others that called it.";
    FlowSeconds "flow_seconds" "ln(1 + s)" Flows "10 s" 1.5 "Mean duration of its flows that ended.";
    FlowSpread "flow_spread" "ln(1 + bytes)" Flows "10 s" 0.3 "Mean of their standard deviations of packet size.";
    FlowGap "flow_gap" "ln(1 + ms)" Flows "10 s" 2.0 "Mean of their times between packets.";
    FlowJitter "flow_jitter" "ratio" Flows "10 s" 1.0 "Mean of the standard deviations of these times over their means.";
    Retransmitted "retransmitted" "share" Flows "10 s" 0.05 "Packets of these flows that were sent again or lost.";
    Unreadable "unreadable" "ln(1 + flows)" Flows "10 s" 0.2 "Its flows whose protocol nobody recognises.";
    Resets "resets" "ln(1 + flows)" Flows "10 s" 0.3 "Its flows that were answered and then reset.";
    ArpAsked "arp_asked" "ln(1 + addresses)" Flows "10 s" 0.3 "Different addresses that it asked for by ARP.";
    ArpTold "arp_told" "ln(1 + packets)" Flows "10 s" 0.4 "ARP packets in which it told others an address.";
    ArpConflicts "arp_conflicts" "ln(1 + packets)" Flows "10 s" 0.2 "Of these, those with an address that another had last.";
    LiveFlows "live_flows" "ln(1 + flows)" Flows "10 s" 0.3 "Different flows, its own and others' with it, that carried something.";
    FlowsToOne "flows_to_one" "ln(1 + flows)" Flows "10 s" 0.3 "Flows that it began with one other, of the other with the most.";
    ChannelStrange "channel_strange" "standard deviations" Traffic "all" 0.5 "How much more than ever went between it and one other, of the other where that is most; none for one that it hardly knows.";
    Acts "acts" "ln(1 + acts)" Speech "10 s" 0.3 "What it asked of others in protocols that are understood.";
    Verbs "verbs" "ln(1 + verbs)" Speech "10 s" 0.3 "Different such acts.";
    VerbEntropy "verb_entropy" "bits" Speech "10 s" 0.3 "How evenly they are mixed.";
    ActBytes "act_bytes" "ln(1 + bytes)" Speech "10 s" 0.4 "Size of what it sent or asked for in them.";
    LargestAct "largest_act" "ln(1 + bytes)" Speech "10 s" 0.4 "Size of the largest.";
    Failures "failures" "ln(1 + failures)" Speech "10 s" 0.25 "Answers that say no: log-ons, queries, messages, names.";
    FailureShare "failure_share" "share" Speech "10 s" 0.1 "Such answers, of all that say yes or no.";
    Logins "logins" "ln(1 + log-ons)" Speech "10 s" 0.3 "Log-ons that it tried.";
    Broken "broken" "ln(1 + messages)" Speech "10 s" 0.2 "Its messages that break the rules of their protocol.";
    Patients "patients" "ln(1 + patients)" Speech "10 s" 0.4 "Different patients that it read or wrote of (counted by their tokens).";
    NameEntropy "name_entropy" "bits" Speech "10 s" 0.3 "Largest entropy of the letters in a name that it asked DNS for.";
    NameLength "name_length" "ln(1 + letters)" Speech "10 s" 0.2 "Length of the longest such name.";
    Names "names" "ln(1 + names)" Speech "10 s" 0.3 "Different such names.";
    NamesCarry "names_carry" "ln(1 + letters)" Speech "10 s" 1.0 "Letters below the owner's name in different names of one owner, of the owner with the most.";
    FreeRecords "free_records" "ln(1 + questions)" Speech "10 s" 0.3 "Questions to DNS for records that carry any text, not addresses.";
    Results "results" "ln(1 + results)" Speech "10 s" 0.5 "Results that its searches gave: studies, entries, resources.";
    MostResults "most_results" "ln(1 + results)" Speech "10 s" 0.5 "The most that one search gave.";
    Wildcards "wildcards" "ln(1 + questions)" Speech "10 s" 0.3 "Its questions with a wildcard.";
    Rewrites "rewrites" "ln(1 + files)" Speech "10 s" 0.4 "Files that it overwrote, renamed or deleted.";
    Noise "noise" "bits/byte" Speech "10 s" 0.3 "Largest entropy of what it wrote into a file.";
    Unlimited "unlimited" "ln(1 + questions)" Speech "10 s" 0.3 "Its questions that nothing narrows: for every patient, every topic.";
    ActsIn "acts_in" "ln(1 + acts)" Speech "10 s" 0.3 "What others asked of it.";
    Answered "answered" "ln(1 + messages)" Speech "10 s" 0.3 "Messages that it sent and that ask for nothing: answers, reports, offers.";
    Heard "heard" "ln(1 + messages)" Speech "10 s" 0.3 "Such messages that it was sent.";
    FailuresIn "failures_in" "ln(1 + failures)" Speech "10 s" 0.25 "What it answered with no.";
    WordBits "word_bits" "bits" News "all" 0.5 "How unexpected its acts are, each after the one before, on the mean.";
    WordBitsMost "word_bits_most" "bits" News "all" 0.7 "The most unexpected of them.";
    NewBits "new_bits" "bits" News "all" 1.0 "How improbable what it never did before inside the site is, from how often it does something new there.";
    NewBitsOut "new_bits_out" "bits" News "all" 1.0 "The same of what it does outside the site.";
    NewPeers "new_peers" "ln(1 + devices)" News "all" 0.2 "Devices of the site that it never dealt with before.";
    NewOutside "new_outside" "ln(1 + addresses)" News "all" 0.3 "Addresses outside that it never dealt with before.";
    NewServices "new_services" "ln(1 + services)" News "all" 0.2 "Services inside that it never used before, with anybody.";
    NewVerbs "new_verbs" "ln(1 + verbs)" News "all" 0.2 "Acts inside that it never did before, to anybody.";
    Unheard "unheard" "ln(1 + acts)" News "all" 0.2 "Acts inside that nobody ever did to that target before.";
    Unlike "unlike" "ln(1 + acts)" News "all" 0.2 "Acts inside that others do to that target, but nobody of its kind ever did.";
    NewCallers "new_callers" "ln(1 + devices)" News "all" 0.8 "Others that never dealt with it before, and call now.";
    NewServed "new_served" "ln(1 + services)" News "all" 0.8 "Services that nobody ever asked of it before.";
    NewBitsIn "new_bits_in" "bits" News "all" 5.0 "How improbable what is done to it is, for those who do it.";
    StrangePackets "strange_packets" "ln(1 + packets)" News "all" 0.4 "Packets either way of its flows inside that were news when they began.";
    StrangeBytes "strange_bytes" "ln(1 + bytes)" News "all" 0.7 "Bytes that it sent in them.";
    StrangeOutside "strange_outside" "ln(1 + bytes)" News "all" 0.7 "Bytes that it sent in flows to the outside that were news when they began.";
    NewsLately "news_lately" "bits" News "1 min" 1.0 "New bits inside of the last minute (damped).";
    NewsOutLately "news_out_lately" "bits" News "1 min" 1.0 "New bits outside of the last minute (damped).";
    NewAnswers "new_answers" "ln(1 + kinds)" News "all" 0.2 "Kinds of answers, offers and reports that it never gave before.";
    AnswerBits "answer_bits" "bits" News "all" 0.5 "How few devices here ever gave the rarest of them.";
    RegularNews "regular_news" "-ln(spread/mean)" News "10 min" 0.3 "How regularly it calls an address that it never called before, of at least four calls.";
    NewNames "new_names" "ln(1 + names)" News "all" 0.2 "Names that it gave itself (titles, applications, clients, accounts) and never before.";
    BorrowedNames "borrowed_names" "ln(1 + names)" News "all" 0.2 "Of these, those that another device gave itself before.";
    Early "early" "bits" News "all" 2.0 "How much too soon the most untimely of its regular acts came.";
    Overdue "overdue" "bits" News "all" 2.0 "How improbable the longest silence of its regular acts is.";
    Hour "hour" "bits" News "all" 1.0 "How rare it is that it does anything at this hour of the day (UTC); nought in its first three days.";
}

/// What models see of one device in one window.
pub type Row = [f32; WIDTH];

/// Where a name stands in the table.
pub fn column(name: &str) -> Option<usize> {
    TABLE.iter().position(|feature| feature.name == name)
}

/// A digest of the table: models that were trained with another cannot be used.
pub fn version() -> u64 {
    TABLE.iter().fold(u64::from(WINDOW.subsec_nanos()) ^ WINDOW.as_secs(), |sum, feature| {
        distinct::mix(sum ^ distinct::mark(feature.name) ^ distinct::mark(feature.unit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_every_floor_is_positive() {
        let mut names: Vec<_> = TABLE.iter().map(|feature| feature.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WIDTH);
        assert!(TABLE.iter().all(|feature| feature.floor > 0.0 && !feature.doc.is_empty()));
    }

    #[test]
    fn nothing_in_the_table_names_a_patient_or_gives_the_label_away() {
        assert!(TABLE.iter().all(|feature| feature.phi == Phi::None));
        let forbidden = ["address", "port", "ttl", "clock", "id"];
        for feature in TABLE {
            assert!(
                feature.name.split('_').all(|word| !forbidden.contains(&word)),
                "{}",
                feature.name
            );
        }
    }
}
