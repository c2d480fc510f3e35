//! What care needs regularly.

use std::time::Duration;

use model::Timestamp;
use model::device::Tier;
use serde::{Deserialize, Serialize};

use super::Side;
use super::packet::Packet;
use crate::restriction::Conversation;

/// Longest silence of a life-sustaining device.
const LIFE_SUSTAINING: Duration = Duration::from_secs(30);

/// An essential conversation that comes regularly. When it misses two of its intervals after a
/// restriction came into force, the restriction is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Which.
    pub conversation: Conversation,
    /// What it is, in plain words, such as `HL7 results to the interface engine`.
    pub what: String,
    /// Longest usual pause.
    pub interval: Duration,
    /// How care depends on the device.
    pub tier: Tier,
    /// When it was last seen.
    pub last: Timestamp,
    /// Whether nobody answers by nature.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
}

impl Beat {
    /// After how long it counts as missing: two intervals, for life-sustaining devices never more
    /// than half a minute.
    pub fn patience(&self) -> Duration {
        let two = self.interval.saturating_mul(2);
        if self.tier <= Tier::T0i { two.min(LIFE_SUSTAINING.max(self.interval)) } else { two }
    }

    /// A packet was seen. Before the enforcer, that somebody calls is no life: an answer is.
    pub(super) fn packet(&mut self, packet: &Packet, side: Side) {
        let [called, answered] = packet.conversations();
        let is_it = answered == self.conversation
            || (called == self.conversation && (side == Side::Protected || self.one_way));
        if packet.at > self.last && is_it {
            self.last = packet.at;
        }
    }

    /// What is missing, in plain words. What was silent already when the restriction came is not
    /// its doing, and is not told.
    pub(super) fn missing(&mut self, pushed: Timestamp, now: Timestamp) -> Option<String> {
        let patience = self.patience();
        let was_alive = self.last > pushed || pushed.since(self.last) <= patience;
        let since = if self.last > pushed { self.last } else { pushed };
        (was_alive && now.since(since) > patience).then(|| {
            format!(
                "{} is missing for {} s; usually it comes every {} s",
                self.what,
                now.since(self.last).as_secs(),
                self.interval.as_secs().max(1)
            )
        })
    }
}
