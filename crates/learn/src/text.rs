//! What the letters of a text give away.

use std::collections::BTreeMap;

/// Shannon entropy in bits per byte, 0 for an empty text.
pub fn entropy(text: &[u8]) -> f64 {
    let mut counts = BTreeMap::new();
    for byte in text {
        *counts.entry(*byte).or_insert(0_u32) += 1;
    }
    let total = text.len() as f64;
    counts.values().map(|&n| f64::from(n) / total).map(|share| -share * share.log2()).sum()
}

/// The part of a host name under which names are sold or handed out: the last two labels, or three
/// where the last but one is a short generic one (`co.uk`, `com.au`). An approximation without the
/// public suffix list, good enough to group names by owner.
pub fn registered_domain(name: &str) -> &str {
    let labels: Vec<&str> = name.rsplit('.').take(3).collect();
    let keep = match labels.as_slice() {
        [top, second, _] if top.len() == 2 && second.len() <= 3 => 3,
        _ => 2,
    };
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    match dots.nth(keep - 1) {
        Some(at) => name.get(at + 1..).unwrap_or(name),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_name_is_found() {
        for (name, owner) in [
            ("a.b.example.com", "example.com"),
            ("www.trust.nhs.uk", "trust.nhs.uk"),
            ("example.com", "example.com"),
            ("pacs", "pacs"),
        ] {
            assert_eq!(registered_domain(name), owner);
        }
    }

    #[test]
    fn random_letters_have_more_entropy_than_words() {
        assert!(entropy(b"qx7f9zk2mwp4") > 3.4);
        assert!(entropy(b"aaaaaaaa") < 0.01);
    }
}
