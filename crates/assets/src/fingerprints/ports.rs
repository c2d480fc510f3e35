//! Ports that a device answers on, for what nothing here parses: printing, video, telephony,
//! building automation, directories, mail, databases.
//!
//! A port alone says little: it adds to what else is known, and makes no class.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;

/// Reads `flow.outcome`; only answered flows reach it.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "port",
    doc: "Well-known ports that a device answers on.",
    reads: &[("flow.outcome", &["outcome"])],
    learn,
    weigh,
};

/// What answering on a port means, for the ports that mean something here (IANA's registry).
pub(crate) fn fact(port: u16) -> Option<Fact> {
    Some(match port {
        9100 | 631 | 515 => Fact::ListensPrinter,
        554 | 8554 => Fact::ListensRtsp,
        5060 | 5061 => Fact::ListensSip,
        47808 => Fact::ListensBacnet,
        88 | 389 | 636 | 3268 => Fact::ListensDirectory,
        1812 | 1813 => Fact::ListensRadius,
        25 | 143 | 465 | 587 | 993 => Fact::ListensMail,
        1433 | 1521 | 3306 | 5432 => Fact::ListensDatabase,
        _ => return None,
    })
}

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    let Some(flow) = &o.flow else { return };
    let Some(fact) = fact(flow.tuple.responder.port) else { return };
    if fact == Fact::ListensSip {
        learn.subject_did(Fact::UsesSip);
    }
    learn.peer_did(fact);
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    if tallies.times(Fact::ListensPrinter) > 0 {
        let several = tallies.others(Fact::ListensPrinter) >= 2;
        out.class(C::Printer, if several { 2.5 } else { 1.5 });
        out.role("print_server");
    }
    if tallies.times(Fact::ListensRtsp) > 0 {
        out.class(C::Camera, 2.5);
    }
    if tallies.of(Fact::UsesSip).is_sustained() {
        out.class(C::VoicePhone, 1.5);
    }
    if tallies.others(Fact::ListensSip) >= 3 {
        out.class(C::Server, 2.0);
    }
    if tallies.times(Fact::ListensBacnet) > 0 {
        out.class(C::BuildingController, 2.5);
    }
    if tallies.others(Fact::ListensDirectory) >= 2 {
        out.class(C::DirectoryServer, 3.0);
        out.role("directory_server");
    }
    if tallies.others(Fact::ListensRadius) >= 2 {
        out.class(C::RadiusServer, 3.6);
        out.role("radius_server");
    }
    if tallies.others(Fact::ListensMail) >= 2 {
        out.class(C::MailServer, 3.6);
        out.role("mail_server");
    }
    if tallies.others(Fact::ListensDatabase) >= 2 {
        out.class(C::Server, 3.0);
        out.role("database");
    }
}
