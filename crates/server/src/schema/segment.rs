//! The shapes of segmentation: reach, zones and conduits, allow-lists, MUD files.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::Anything;
use super::response::{Conversation, Pattern};

/// Somebody within reach.
#[derive(ToSchema)]
pub(crate) struct Reached {
    device: Option<String>,
    name: String,
    class: String,
    tier: String,
    hops: u8,
    /// observed or could.
    how: String,
    via: String,
}

/// How many are within reach.
#[derive(ToSchema)]
pub(crate) struct Reach {
    devices: Vec<Reached>,
    /// By tier, along recorded conversations.
    observed: BTreeMap<String, u64>,
    /// By tier, more through segments.
    could: BTreeMap<String, u64>,
}

/// A blast radius.
#[derive(ToSchema)]
pub(crate) struct Blast {
    of: String,
    reaches: Reach,
    reached_by: Reach,
    /// Which care is within reach, in plain words.
    care: Vec<String>,
    /// Conduits to cut, the one that protects most first.
    cuts: Vec<Anything>,
}

/// Devices of one class in one network.
#[derive(ToSchema)]
pub(crate) struct Zone {
    /// outside, groups, or an object with of: class and network.
    #[schema(value_type = Object)]
    id: String,
    name: String,
    /// The strictest of its members.
    tier: String,
    /// Ids of its devices.
    devices: Vec<String>,
    /// Addresses in it that no device has.
    strangers: Vec<String>,
}

/// Part of the zones.
#[derive(ToSchema)]
pub(crate) struct ZonePage {
    items: Vec<Zone>,
    /// How many there are in all.
    total: usize,
    /// Give this as `cursor` to get the next page; not there on the last page.
    next: Option<String>,
}

/// What two zones say to each other over one service.
#[derive(ToSchema)]
pub(crate) struct Conduit {
    /// Zone that calls.
    #[schema(value_type = Object)]
    from: String,
    /// Zone that is called.
    #[schema(value_type = Object)]
    to: String,
    proto: String,
    /// 0 for ICMP, and for any of many ports.
    port: u16,
    service: String,
    /// Conversations that are established or needed.
    conversations: u64,
    /// Why care needs it, where it does.
    essential: Option<String>,
    /// How many of them care needs.
    essentials: u64,
}

/// Part of the conduits.
#[derive(ToSchema)]
pub(crate) struct ConduitPage {
    items: Vec<Conduit>,
    /// How many there are in all.
    total: usize,
    /// Conversations that were too rare for a conduit.
    rare: u64,
    /// Conversations that began in the middle of a case.
    suspect: u64,
    /// Give this as `cursor` to get the next page; not there on the last page.
    next: Option<String>,
}

/// One kind of conversation that a policy allows.
#[derive(ToSchema)]
pub(crate) struct Allowed {
    pattern: Pattern,
    reason: String,
    /// Where it comes from, where care needs it; absent where it is only established.
    source: Option<String>,
}

/// What a device may do; everything else it may not.
#[derive(ToSchema)]
pub(crate) struct AllowList {
    /// Id of the device.
    device: String,
    allow: Vec<Allowed>,
}

/// A conversation that a policy would have blocked.
#[derive(ToSchema)]
pub(crate) struct BlockedConversation {
    conversation: Conversation,
    service: String,
    /// Ten-minute slots in which it would have been blocked.
    slots: u32,
    /// Why care needs it, where it does.
    essential: Option<String>,
    /// Whether it began in the middle of a case.
    suspect: bool,
}

/// What a policy would have blocked of what was recorded.
#[derive(ToSchema)]
pub(crate) struct WouldHaveBlocked {
    /// Kinds of conversation that are allowed.
    allowed: u64,
    conversations: u64,
    slots: u64,
    blocked_conversations: u64,
    blocked_slots: u64,
    /// Of the blocked ones, how many care needs: has to be none.
    blocked_essential: u64,
    /// Needed ones first, then those seen most; at most 200.
    blocked: Vec<BlockedConversation>,
}

/// A policy, and what it would have blocked.
#[derive(ToSchema)]
pub(crate) struct WeighedPolicy {
    policy: AllowList,
    would_have_blocked: WouldHaveBlocked,
}

/// What differs between two policies.
#[derive(ToSchema)]
pub(crate) struct PolicyDiff {
    added: Vec<Allowed>,
    removed: Vec<Allowed>,
    /// How many are in both.
    same: u64,
}

/// Text to paste.
#[derive(ToSchema)]
pub(crate) struct Paste {
    /// For which enforcer or firewall.
    name: String,
    change: Vec<String>,
    undo: Vec<String>,
}

/// Texts to paste.
#[derive(ToSchema)]
pub(crate) struct Pastes {
    items: Vec<Paste>,
}

/// What a MUD file means for a device here.
#[derive(ToSchema)]
pub(crate) struct CheckedMud {
    /// What was taken wider than it was written, left out, or has no address here.
    notes: Vec<String>,
    policy: AllowList,
    would_have_blocked: WouldHaveBlocked,
}
