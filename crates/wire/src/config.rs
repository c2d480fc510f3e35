//! Limits and times of the engine.

use std::time::Duration;

/// Which part of the traffic an engine looks after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many engines share the traffic.
    pub count: u32,
}

/// How long a flow may be silent before it is over, and how long an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP: a SYN that nobody answered.
    pub tcp_unanswered: Duration,
    /// TCP: a connection.
    pub tcp_established: Duration,
    /// TCP: after both FINs or a RST, so that late packets do not look like a new flow.
    pub tcp_closed: Duration,
    /// UDP that was not answered.
    pub udp_unanswered: Duration,
    /// UDP that was.
    pub udp_answered: Duration,
    /// ICMP.
    pub icmp: Duration,
    /// Any other protocol.
    pub other: Duration,
    /// After which a SYN counts as unanswered.
    pub tcp_answer: Duration,
    /// After which anything else counts as unanswered.
    pub answer: Duration,
    /// At most so long a flow that carries something goes without a report.
    pub report: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp_unanswered: Duration::from_secs(30),
            tcp_established: Duration::from_secs(30 * 60),
            tcp_closed: Duration::from_secs(5),
            udp_unanswered: Duration::from_secs(60),
            udp_answered: Duration::from_secs(180),
            icmp: Duration::from_secs(30),
            other: Duration::from_secs(60),
            tcp_answer: Duration::from_secs(3),
            answer: Duration::from_secs(5),
            report: Duration::from_secs(5),
        }
    }
}

impl Timeouts {
    /// The longest of those that end a flow.
    pub(crate) fn longest(&self) -> Duration {
        [
            self.tcp_unanswered,
            self.tcp_established,
            self.tcp_closed,
            self.udp_unanswered,
            self.udp_answered,
            self.icmp,
            self.other,
        ]
        .into_iter()
        .fold(Duration::ZERO, Duration::max)
    }
}

/// Limits and times of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Key of the flow table. Nothing that leaves the engine depends on it; give a random one where
    /// the traffic is live, so that nobody can make flows collide.
    pub seed: u64,
    /// Which packets to follow; all of them where there is none.
    pub shard: Option<Shard>,
    /// Flows followed at once.
    pub max_flows: usize,
    /// Bytes of memory for flows, without what the layers above keep for each. The smaller of this
    /// and `max_flows` counts.
    pub max_flow_bytes: usize,
    /// Bytes of out-of-order segments, in all flows together.
    pub max_held_bytes: usize,
    /// Bytes of out-of-order segments in one direction of a flow.
    pub max_held_per_direction: usize,
    /// Bytes of fragments that wait for the rest of their packet.
    pub max_fragment_bytes: usize,
    /// How long they wait.
    pub fragment_timeout: Duration,
    /// Times.
    pub timeouts: Timeouts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            shard: None,
            max_flows: 1 << 20,
            max_flow_bytes: 1 << 30,
            max_held_bytes: 64 << 20,
            max_held_per_direction: 256 << 10,
            max_fragment_bytes: 16 << 20,
            fragment_timeout: Duration::from_secs(30),
            timeouts: Timeouts::default(),
        }
    }
}
