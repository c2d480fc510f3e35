//! Topic names, topic filters and the aliases of MQTT 5.

use std::collections::BTreeMap;

/// Most aliases that are kept of one direction of a connection.
const MAX_ALIASES: usize = 256;

/// The rule that a topic name breaks (3.1.1, section 4.7).
pub(super) fn wrong_name(topic: &[u8]) -> Option<&'static str> {
    if !super::packet::is_text(topic) {
        Some("text that is not UTF-8")
    } else if topic.iter().any(|b| matches!(b, b'+' | b'#')) {
        Some("wildcard in a topic name")
    } else {
        None
    }
}

/// The rule that a topic filter breaks.
pub(super) fn wrong_filter(filter: &[u8]) -> Option<&'static str> {
    if filter.is_empty() {
        return Some("empty topic filter");
    }
    if !super::packet::is_text(filter) {
        return Some("text that is not UTF-8");
    }
    let mut levels = filter.split(|&b| b == b'/').peekable();
    while let Some(level) = levels.next() {
        let wild = level.iter().any(|b| matches!(b, b'+' | b'#'));
        if wild && (level.len() > 1 || (level == b"#" && levels.peek().is_some())) {
            return Some("misplaced wildcard in a topic filter");
        }
    }
    None
}

/// A filter without the `$share/group/` of a shared subscription (5.0, section 4.8.2).
pub(super) fn unshared(filter: &[u8]) -> &[u8] {
    let Some(rest) = filter.strip_prefix(b"$share/") else { return filter };
    let slash = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
    rest.get(slash.saturating_add(1)..).unwrap_or_default()
}

/// Whether a filter takes in all of a broker: whoever asks for it listens to everybody.
pub(super) fn takes_everything(filter: &[u8]) -> bool {
    let filter = unshared(filter);
    [&b"#"[..], b"+/#", b"$SYS/#"].iter().any(|start| filter.starts_with(start))
}

/// Topics by their aliases, already redacted.
#[derive(Debug, Default)]
pub(super) struct Aliases(BTreeMap<u16, Box<str>>);

impl Aliases {
    /// Remembers a topic, where there is room.
    pub(super) fn set(&mut self, alias: u16, topic: &str) {
        if self.0.len() < MAX_ALIASES || self.0.contains_key(&alias) {
            self.0.insert(alias, topic.into());
        }
    }

    pub(super) fn get(&self, alias: u16) -> Option<&str> {
        self.0.get(&alias).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_follow_section_4_7() {
        for good in ["#", "+", "a/+/b", "a/#", "/", "$share/g/a/#", "+/+"] {
            assert_eq!(wrong_filter(good.as_bytes()), None, "{good}");
        }
        for bad in ["", "a#", "#/a", "a/b+/c", "a/#/b", "++"] {
            assert!(wrong_filter(bad.as_bytes()).is_some(), "{bad}");
        }
    }

    #[test]
    fn everything_is_everything_shared_or_not() {
        for all in ["#", "+/#", "$SYS/#", "$share/spy/#", "$share/spy/+/#"] {
            assert!(takes_everything(all.as_bytes()), "{all}");
        }
        for some in ["a/#", "+/a/#", "+", "$SYS/broker/load", "$share/g/a/#"] {
            assert!(!takes_everything(some.as_bytes()), "{some}");
        }
    }
}
