//! Which addresses a name had, as seen in answers to lookups: for needs and indicators by name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Names that are kept.
const NAMES: usize = 100_000;
/// Addresses of a name that are kept: large services have hundreds, and a name of an attacker any
/// number.
const ADDRESSES: usize = 256;

/// Names with the addresses they had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// By reversed name, so that what lies below a domain lies together.
    known: BTreeMap<String, BTreeSet<IpAddr>>,
}

impl Names {
    /// Remembers that a name had an address. Beyond the bounds, later ones are not kept.
    pub fn see(&mut self, name: &str, address: IpAddr) {
        let key = reversed(name);
        if key.is_empty() || key.len() > 255 {
            return;
        }
        if self.known.len() >= NAMES && !self.known.contains_key(&key) {
            return;
        }
        let addresses = self.known.entry(key).or_default();
        if addresses.len() < ADDRESSES {
            addresses.insert(address);
        }
    }

    /// Whether no lookup was ever seen: then nothing can be said of names.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The addresses that a name had.
    pub fn of(&self, name: &str) -> Vec<IpAddr> {
        self.known.get(&reversed(name)).into_iter().flatten().copied().collect()
    }

    /// The addresses that a domain, and every name below it, had.
    pub fn below(&self, domain: &str) -> BTreeSet<IpAddr> {
        let key = reversed(domain);
        self.known
            .range(key.clone()..)
            .take_while(|(name, _)| name.starts_with(&key))
            .filter(|(name, _)| matches!(name.as_bytes().get(key.len()), None | Some(b'.')))
            .flat_map(|(_, addresses)| addresses.iter().copied())
            .collect()
    }
}

/// Whether a name is a domain or lies below it.
pub(crate) fn is_below(name: &str, domain: &str) -> bool {
    let (name, domain) = (reversed(name), reversed(domain));
    !domain.is_empty()
        && name
            .strip_prefix(domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Labels in reverse, in lower case and without the dot at the end.
fn reversed(name: &str) -> String {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    name.rsplit('.').collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_a_domain_lies_what_ends_with_it_label_by_label() {
        let mut names = Names::default();
        let at = |last| IpAddr::from([203, 0, 113, last]);
        names.see("Update.Vendor.example.", at(1));
        names.see("vendor.example", at(2));
        names.see("notvendor.example", at(3));
        names.see("vendor.example.net", at(4));
        assert_eq!(names.below("vendor.example"), BTreeSet::from([at(1), at(2)]));
        assert_eq!(names.of("update.vendor.example"), [at(1)]);
        assert!(is_below("a.vendor.example", "vendor.example."));
        assert!(!is_below("notvendor.example", "vendor.example") && !is_below("x", ""));
    }
}
