//! The desk as it is handed on from one segment of the ledger to the next.
//!
//! Written as lists and not as maps with numbers for names, so that it reads back from any JSON.

use std::collections::BTreeMap;

use model::device::{DeviceId, Tier};
use serde::{Deserialize, Serialize};

use super::{Action, Arming, Desk, HalfSigned, Idle, number};
use crate::moment::Moment;
use crate::policy::{Policy, TIERS};

/// Ended actions that are handed on; the segments before have all.
const HANDED_ON: usize = 100;

/// A desk, written down.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    policy: Policy,
    actions: Vec<Action>,
    next: u64,
    armed: Vec<(Tier, Arming)>,
    half_signed: Vec<HalfSigned>,
    decided: Vec<Moment>,
    rolled_back: Vec<Moment>,
    left_alone: Vec<(DeviceId, Moment)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    idle: Vec<(DeviceId, Idle)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
}

impl From<Desk> for Kept {
    fn from(desk: Desk) -> Self {
        let armed = TIERS.into_iter().filter_map(|t| Some((t, *desk.armed.get(t.name())?)));
        Self {
            armed: armed.collect(),
            policy: desk.policy,
            actions: desk.actions.into_values().collect(),
            next: desk.next,
            half_signed: desk.half_signed,
            decided: desk.decided.into(),
            rolled_back: desk.rolled_back.into(),
            left_alone: desk.left_alone.into_iter().collect(),
            idle: desk.idle.into_iter().collect(),
            halted: desk.halted,
        }
    }
}

impl TryFrom<Kept> for Desk {
    type Error = String;

    fn try_from(kept: Kept) -> Result<Self, String> {
        let mut actions = BTreeMap::new();
        for action in kept.actions {
            let place = number(action.id()).ok_or("an action has no name of one")?;
            actions.insert(place, action);
        }
        Ok(Self {
            policy: kept.policy,
            actions,
            next: kept.next,
            armed: kept.armed.into_iter().map(|(tier, arming)| (tier.name(), arming)).collect(),
            half_signed: kept.half_signed,
            decided: kept.decided.into(),
            rolled_back: kept.rolled_back.into(),
            left_alone: kept.left_alone.into_iter().collect(),
            idle: kept.idle.into_iter().collect(),
            halted: kept.halted,
        })
    }
}

impl Desk {
    /// What a new segment of the ledger begins with: everything that can still matter, and the
    /// latest of what is over.
    #[must_use]
    pub fn handed_on(&self) -> Self {
        let mut desk = self.clone();
        desk.forget_but(HANDED_ON);
        desk
    }
}
