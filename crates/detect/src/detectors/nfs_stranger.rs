//! A device's files or services are asked for by somebody who never did: NFS exports listed or
//! mounted, the port mapper asked for everything.
//!
//! Old imaging stations, analysers and monitors export folders to whoever asks, as whichever user he
//! says he is, and the port mapper tells which of them do. In normal life the same few machines mount
//! the same few paths, hours on end.
//!
//! The look-alikes: one more of the kind that mounts it (`kin`), and a backup server that takes on a
//! device: a machine that mounts others too is a note.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "nfs_stranger",
    doc: "A device's NFS exports are listed or mounted, or its port mapper emptied, by a stranger.",
    kind: FindingKind::Anomaly,
    reads: &["nfs.mount", "rpc.portmap"],
    attack: &["T1135", "T1046", "T1039", "T0846"],
    next_step: "Ask who owns the asking machine. Have the device export its folders to named machines only, by its maker or by biomedical engineering, and look at which files were reached.",
    sources: &["RFC 1833", "RFC 1813, appendix I", "CVE-1999-0554", "CVE-1999-0632", "spec S01"],
};

/// Most machines that are remembered of one device.
const MOST: usize = 64;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct NfsStranger {
    /// Who asked a device while learning.
    askers: Bounded<Entity, Vec<Entity>>,
    /// Who asked any.
    all: Bounded<Entity, ()>,
}

impl Default for NfsStranger {
    fn default() -> Self {
        Self { askers: Bounded::new(20_000), all: Bounded::new(20_000) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Mounted,
    Refused,
    Listed,
    Called,
}

impl Ask {
    fn of(o: &Observation) -> Option<Self> {
        match (o.is("nfs.mount"), o.str("action")?) {
            (true, "mount") if o.str("outcome") == Some("success") => Some(Self::Mounted),
            (true, "mount") => Some(Self::Refused),
            (true, "exports" | "mounts") | (false, "dump") => Some(Self::Listed),
            (false, "callit") => Some(Self::Called),
            _ => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Mounted => "opened a folder of",
            Self::Refused => "tried to open a folder of",
            Self::Listed => "had a list of all that can be reached given out by",
            Self::Called => "reached hidden services of",
        }
    }
}

impl Detector for NfsStranger {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (asker, device) = (cx.who.subject, cx.who.peer);
        let (Some(ask), Entity::Device(_)) = (Ask::of(o), device) else { return };
        if cx.learning() {
            self.all.entry(asker, || ());
            let askers = self.askers.entry(device, Vec::new);
            if askers.len() < MOST && !askers.contains(&asker) {
                askers.push(asker);
            }
            return;
        }
        let askers = self.askers.get(&device).map_or(&[][..], Vec::as_slice);
        if askers.contains(&asker) || kin::one_more(cx, asker, askers) {
            return;
        }
        let clinical = cx.is_clinical(device);
        let severity = match (cx.is_external(asker), clinical, ask) {
            (true, ..) => Severity::High,
            _ if self.all.contains(&asker) => Severity::Low,
            (_, true, Ask::Mounted | Ask::Called) => Severity::High,
            (_, true, _) => Severity::Medium,
            // File servers are there to be mounted.
            (_, false, Ask::Mounted | Ask::Refused) if !askers.is_empty() => Severity::Low,
            _ if cx.is_stranger(asker) => Severity::Medium,
            _ => Severity::Low,
        };
        let title = words::sentence(&format!(
            "{} {} {}, which it never did.",
            cx.subject(o),
            ask.words(),
            cx.peer(o)
        ));
        let mut claim = out.claim(cx, o, severity, title).because(Reason::new(
            "who asks the device for files and services",
            cx.subject(o),
            words::count(askers.len() as u64, "other machine", "other machines"),
        ));
        let mount = o.is("nfs.mount");
        if ask == Ask::Mounted && o.uint("uid") == Some(0) {
            claim =
                claim.because(Reason::new("user that it says it is", "root", "a user").weight(0.6));
        }
        let open = if mount { o.uint("open_exports") } else { None };
        if let Some(open) = open.filter(|open| *open > 0) {
            claim = claim.because(Reason::new("folders open to everybody", open, 0).weight(0.6));
        }
        claim
            .key(format!("{ask:?} {device:?}"))
            .p_value(1.0 / (askers.len() as f64 + cx.normal.learned_seconds() / 60.0 + 2.0))
            .score(0.85)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use protocols::rpc::{MOUNT, PORTMAP};

    use crate::fixture::{DESK, DESK_B, Host, INTRUDER, PACS, PUMPS, SERVER, Ward, num, word};

    fn mounts(ward: &mut Ward, from: Host, to: Host, outcome: &str) {
        let fields = [("action", word("mount")), ("outcome", word(outcome)), ("uid", num(0))];
        ward.over(&MOUNT, from, to, 2_049, &fields);
    }

    fn dumps(ward: &mut Ward, from: Host, to: Host) {
        ward.over(&PORTMAP, from, to, 111, &[("action", word("dump"))]);
    }

    fn archive() -> Ward {
        let mut ward = Ward::peopled();
        (0..5).for_each(|_| mounts(&mut ward, SERVER, PACS, "success"));
        ward.watch();
        ward
    }

    #[test]
    fn a_folder_of_the_archive_mounted_by_a_stranger_is_found() {
        for host in [DESK, INTRUDER] {
            let mut ward = archive();
            mounts(&mut ward, host, PACS, "success");
            ward.alerts("nfs_stranger", host);
        }
    }

    #[test]
    fn a_pump_whose_port_mapper_is_emptied_is_found() {
        let mut ward = archive();
        dumps(&mut ward, DESK, PUMPS[0]);
        ward.alerts("nfs_stranger", DESK);
    }

    #[test]
    fn the_usual_mount_and_a_desk_at_a_file_server_are_none() {
        let mut ward = Ward::peopled();
        mounts(&mut ward, SERVER, PACS, "success");
        mounts(&mut ward, DESK, SERVER, "success");
        ward.watch();
        mounts(&mut ward, SERVER, PACS, "success");
        mounts(&mut ward, DESK_B, SERVER, "success");
        assert!(ward.worst("nfs_stranger") <= Some(Severity::Low));
    }
}
