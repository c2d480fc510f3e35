//! What `nft -j list` says of our table.

use std::time::Duration;

use serde_json::Value;

use super::TABLE;
use super::render::{HOLDING, PREFIX};

/// Whether there is a table of ours in a family.
pub(super) fn has_table(answer: &Value, family: &str) -> bool {
    objects(answer, "table").any(|table| table["family"] == family && table["name"] == TABLE)
}

fn objects<'a>(answer: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    answer["nftables"].as_array().into_iter().flatten().filter_map(move |one| one.get(kind))
}

/// Chains and sets of our table.
pub(super) struct Listing {
    /// Name, and whether packets enter it by themselves.
    chains: Vec<(String, bool)>,
    /// Name, and the longest time that one of its elements has left.
    sets: Vec<(String, Option<Duration>)>,
}

impl Listing {
    pub(super) fn read(answer: &Value) -> Self {
        let name = |one: &Value| one["name"].as_str().unwrap_or_default().to_owned();
        Self {
            chains: objects(answer, "chain")
                .map(|chain| (name(chain), chain.get("hook").is_some()))
                .collect(),
            sets: objects(answer, "set").map(|set| (name(set), longest(set))).collect(),
        }
    }

    /// How long an action still holds, at most; nothing where it does not.
    pub(super) fn holds(&self, action: &str) -> Option<Duration> {
        if !self.chains.iter().any(|(name, enters)| *enters && belongs(name, action)) {
            return None;
        }
        let holding = |name: &str| {
            let set = name.rsplit('.').next().unwrap_or_default();
            HOLDING.iter().any(|prefix| set.starts_with(prefix))
        };
        let sets = self.sets.iter().filter(|(name, _)| belongs(name, action) && holding(name));
        sets.filter_map(|(_, left)| *left).max()
    }

    /// Actions of which something is left that does nothing any more.
    pub(super) fn expired(&self) -> Vec<String> {
        let chains = self.chains.iter().map(|(name, _)| name);
        let sets = self.sets.iter().map(|(name, _)| name);
        let mut actions: Vec<String> = chains
            .chain(sets)
            .filter_map(|name| name.strip_prefix(PREFIX)?.split('.').next())
            .map(str::to_owned)
            .filter(|action| self.holds(action).is_none())
            .collect();
        actions.sort();
        actions.dedup();
        actions
    }

    /// The lines that delete everything of an action.
    pub(super) fn removal(&self, family: &str, action: &str) -> Vec<String> {
        let mut chains: Vec<&(String, bool)> =
            self.chains.iter().filter(|(name, _)| belongs(name, action)).collect();
        // Whoever jumps goes before what is jumped to.
        chains.sort_by_key(|(_, enters)| !enters);
        let flush = chains.iter().map(|(name, _)| format!("flush chain {family} {TABLE} {name}"));
        let delete = chains.iter().map(|(name, _)| format!("delete chain {family} {TABLE} {name}"));
        let sets = self.sets.iter().filter(|(name, _)| belongs(name, action));
        let sets = sets.map(|(name, _)| format!("delete set {family} {TABLE} {name}"));
        flush.chain(delete).chain(sets).collect()
    }
}

/// Whether a chain or set is of an action.
fn belongs(name: &str, action: &str) -> bool {
    let of = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(action));
    of.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The longest time that an element of a set has left.
///
/// `nft` cuts to whole seconds; an element that is there has a part of one left.
fn longest(set: &Value) -> Option<Duration> {
    let elements = set["elem"].as_array()?;
    let left = elements.iter().map(|element| {
        let element = &element["elem"];
        match (element["expires"].as_u64(), element["timeout"].as_u64()) {
            (Some(expires), Some(timeout)) => {
                Duration::from_secs(expires.saturating_add(1).min(timeout.max(1)))
            }
            // An element without expiry is not ours; if it is there, it holds for ever.
            _ => Duration::MAX,
        }
    });
    left.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_action_is_not_taken_for_another_whose_name_starts_alike() {
        assert!(belongs("action-A-1", "A-1") && belongs("action-A-1.hold4", "A-1"));
        assert!(!belongs("action-A-10", "A-1") && !belongs("action-A-10.hold4", "A-1"));
        assert!(!belongs("A-1", "A-1"));
    }
}
