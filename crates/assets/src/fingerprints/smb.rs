//! SMB: file servers, domain controllers, and who works with them.
//!
//! Administrative shares do not count: every Windows machine has them, and those who connect them
//! are administrators and worms.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::Tallies;

/// Reads `smb.session` and `smb.tree`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "smb",
    doc: "Who has shares connected, and the names of workstations that log on.",
    reads: &[
        ("smb.session", &["outcome", "workstation"]),
        ("smb.tree", &["share", "outcome", "admin"]),
    ],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if o.str("outcome") == Some("failure") {
        return;
    }
    if o.is("smb.session") {
        if let Some(name) = o.str("workstation") {
            learn.name(learn.subject, NameRank::Host, name);
        }
        return;
    }
    let share = o.str("share").unwrap_or_default();
    if o.flag("admin") || share.is_empty() || share.ends_with('$') {
        return;
    }
    if matches!(share, "SYSVOL" | "NETLOGON") {
        learn.peer_did(Fact::ServedDomain);
    } else {
        learn.subject_did(Fact::UsedSmb);
        learn.peer_did(Fact::ServedSmb);
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let served = tallies.of(Fact::ServedSmb);
    if served.others() >= 2 || served.is_sustained() {
        out.role("file_server");
        let several = served.others() >= 2 && served.is_sustained();
        out.class(C::FileServer, if several { 4.8 } else { 3.0 });
    }
    let domain = tallies.of(Fact::ServedDomain);
    if domain.times > 0 {
        out.role("domain_controller");
        out.class(C::DirectoryServer, if domain.others() >= 2 { 5.0 } else { 3.0 });
    }
}
