//! Data carried out in the names that are looked up.
//!
//! A tunnel asks for many different names under one owner, long and without sense. Some services
//! (reputation look-ups, content delivery) do that too: owners asked so while learning are known.

use std::collections::BTreeSet;

use assets::Entity;
use learn::text::{entropy, registered_domain};
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "dns_tunnel",
    doc: "Many long, senseless names under one owner are looked up.",
    kind: FindingKind::Rule,
    reads: &["dns.query"],
    attack: &["T1071.004", "T1048.003", "T1572"],
    next_step: "Block the domain at the resolver, and find the program on the device that asks for these names.",
    sources: &[
        "spec S27",
        "K. Born, D. Gustafson: Detecting DNS Tunnels Using Character Frequency Analysis, 2010",
    ],
};

/// Shortest part below the owner's name that can carry data, in letters, and its entropy in bits.
const LETTERS: usize = 16;
const ENTROPY: f64 = 3.0;
/// Window in seconds; fewest such names in it; letters carried in it.
const WINDOW_SECONDS: f64 = 60.0;
const FEWEST: f64 = 5.0;
const CARRIED: f64 = 200.0;

#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    names: Bucket,
    letters: Bucket,
    lately: BTreeSet<u64>,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct DnsTunnel {
    owners: Bounded<(Entity, Box<str>), Owner>,
    usual: Bounded<Box<str>, f64>,
}

impl Default for DnsTunnel {
    fn default() -> Self {
        Self { owners: Bounded::new(20_000), usual: Bounded::new(10_000) }
    }
}

impl Detector for DnsTunnel {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(name) = o.str("name") else { return };
        let domain = registered_domain(name);
        let below = name.strip_suffix(domain).unwrap_or("").trim_end_matches('.');
        // Reverse look-ups are numbers by nature.
        if below.len() < LETTERS || domain == "in-addr.arpa" || domain == "ip6.arpa" {
            return;
        }
        let letters: Vec<u8> = below.bytes().filter(|byte| *byte != b'.').collect();
        if entropy(&letters) < ENTROPY {
            return;
        }
        let owner = self.owners.entry((cx.who.subject, domain.into()), || Owner {
            names: Bucket::new(WINDOW_SECONDS),
            letters: Bucket::new(WINDOW_SECONDS),
            lately: BTreeSet::new(),
        });
        let mark = fold(below);
        if owner.lately.contains(&mark) {
            return;
        }
        if owner.lately.len() >= 512 {
            owner.lately.pop_first();
        }
        owner.lately.insert(mark);
        let names = owner.names.add(o.at, 1.0, cx.learning());
        let carried = owner.letters.add(o.at, letters.len() as f64, cx.learning());
        if cx.learning() {
            let most = self.usual.entry(domain.into(), f64::default);
            *most = most.max(names);
            return;
        }
        let usual = self.usual.get(&Box::from(domain)).copied().unwrap_or(0.0);
        if names < FEWEST.max(usual * 4.0 + FEWEST * f64::from(u8::from(usual > 0.0)))
            || carried < CARRIED
        {
            return;
        }
        let title = words::sentence(&format!(
            "{} looks up {names:.0} long, senseless names under {domain} within a minute, as when data is carried out through name look-ups.",
            cx.subject(o),
        ));
        out.claim(cx, o, Severity::High, title)
            .because(
                Reason::new(
                    "different long names under one owner",
                    format!("{names:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 60 s"),
            )
            .because(Reason::new("letters carried", format!("{carried:.0}"), "none").weight(0.6))
            .key(domain)
            .score(0.92)
            .make();
    }
}

/// A number for a name, to count different ones (FNV-1a).
fn fold(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, SERVER, Ward, word};

    fn looks_up(ward: &mut Ward, name: &str) {
        let fields = [("name", word(name)), ("type", word("TXT"))];
        ward.over(&protocols::dns::QUERY, DESK, SERVER, 53, &fields);
        ward.pass(0.5);
    }

    fn senseless(n: u64) -> String {
        let text =
            format!("{:016x}{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n * 0x1234_5678_9abc);
        format!("{text}ghjkmnpqrstvwxyz.t.example.net")
    }

    #[test]
    fn many_long_senseless_names_under_one_owner_are_a_tunnel() {
        let mut ward = Ward::peopled();
        ward.watch();
        (1..12).for_each(|n| looks_up(&mut ward, &senseless(n)));
        ward.alerts("dns_tunnel", DESK);
    }

    #[test]
    fn ordinary_names_and_an_owner_that_was_always_asked_so_are_none() {
        let mut ward = Ward::peopled();
        (100..130).for_each(|n| looks_up(&mut ward, &senseless(n)));
        ward.watch();
        for n in 1..40 {
            looks_up(&mut ward, &senseless(n));
            looks_up(&mut ward, &format!("www.shop{n}.example.com"));
        }
        ward.is_quiet();
    }
}
