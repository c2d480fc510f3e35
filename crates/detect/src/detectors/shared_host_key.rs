//! One SSH host key on many devices.
//!
//! A maker who ships the same key with every device gives each owner of one the means to pose as all
//! the others, and with the matching user key to get into them (MDhex). Nothing was done by anybody:
//! it is for the record, and for the list of what to ask the maker.
//!
//! Two machines that share a key are a pair for failing over, or one with two addresses: it takes
//! more of them.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "shared_host_key",
    doc: "Several devices prove who they are with the same SSH key: a key of the maker's, not theirs.",
    kind: FindingKind::Rule,
    reads: &["ssh.handshake"],
    attack: &["T1552.004", "T0859"],
    next_step: "Ask the maker for firmware that makes a key of its own on each device. Until then let only the service network reach SSH on these devices.",
    sources: &["CISA ICSMA-20-023-01", "CVE-2020-6961", "CWE-321", "spec S06"],
};

/// Devices that share a key before it is told of.
const DEVICES: usize = 3;
/// Most devices remembered of one key.
const MOST: usize = 1_024;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct SharedHostKey {
    /// Devices that showed a key, and how many they were when it was last told of.
    keys: Bounded<Box<str>, (Vec<Entity>, usize)>,
}

impl Default for SharedHostKey {
    fn default() -> Self {
        Self { keys: Bounded::new(20_000) }
    }
}

impl Detector for SharedHostKey {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (Some(key), Entity::Device(_)) = (o.str("host_key"), cx.who.peer) else { return };
        let (devices, told) = self.keys.entry(key.into(), || (Vec::new(), 0));
        if devices.len() < MOST && !devices.contains(&cx.who.peer) {
            devices.push(cx.who.peer);
        }
        let count = devices.len();
        // Again only when they are twice as many.
        if cx.learning() || count < DEVICES.max(*told * 2) {
            return;
        }
        *told = count;
        let title = words::sentence(&format!(
            "{} and {} prove who they are with the same SSH key, which whoever owns one of them can copy.",
            cx.peer(o),
            words::count(count as u64 - 1, "other device", "other devices"),
        ));
        out.claim(cx, o, Severity::Low, title)
            .about_peer(o)
            .alone()
            .because(Reason::new("devices with this host key", count, 1))
            .key(key)
            .score(0.9)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use protocols::remote::ssh::HANDSHAKE;

    use crate::fixture::{DESK, Host, PUMPS, SERVER, Ward, word};

    fn shows(ward: &mut Ward, device: Host, key: &str) {
        ward.over(&HANDSHAKE, DESK, device, 22, &[("host_key", word(key))]);
    }

    #[test]
    fn a_key_of_three_pumps_is_told_of_once() {
        let mut ward = Ward::peopled();
        PUMPS.into_iter().for_each(|pump| shows(&mut ward, pump, "SHA256:one"));
        ward.watch();
        shows(&mut ward, PUMPS[0], "SHA256:one");
        assert_eq!(ward.worst("shared_host_key"), Some(Severity::Low));
        ward.pass(1_000.0);
        shows(&mut ward, PUMPS[1], "SHA256:one");
        assert_eq!(ward.worst("shared_host_key"), None);
    }

    #[test]
    fn a_pair_of_servers_and_devices_with_their_own_keys_are_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        for (n, pump) in PUMPS.into_iter().enumerate() {
            shows(&mut ward, pump, &format!("SHA256:{n}"));
        }
        shows(&mut ward, SERVER, "SHA256:0");
        assert_eq!(ward.worst("shared_host_key"), None);
    }
}
