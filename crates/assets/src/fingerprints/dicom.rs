//! DICOM: who makes images, who keeps them, who looks at them.
//!
//! One query proves nothing: an intruder's wildcard looks the same. Asking again and again, and
//! fetching what was found, is how a workstation lives; storing session after session is how a
//! scanner lives.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::Tallies;

/// Reads `dicom.association`, `dicom.command` and `dicom.object`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "dicom",
    doc: "Who stores which kind of image, who keeps images and answers queries, who fetches them.",
    reads: &[
        (
            "dicom.association",
            &["outcome", "calling_ae", "called_ae", "implementation_version", "responder_version"],
        ),
        ("dicom.command", &["command", "sop_class", "level", "universal", "status"]),
        ("dicom.object", &["modality"]),
    ],
    learn,
    weigh,
};

/// Modalities as in PS3.3 C.7.3.1.1.1, the tally of each, and the class that makes them.
pub(super) const KINDS: &[(&[&str], Fact, C)] = &[
    (&["CT"], Fact::SentCt, C::Ct),
    (&["MR"], Fact::SentMr, C::Mri),
    (&["US", "IVUS"], Fact::SentUs, C::Ultrasound),
    (&["CR", "DX", "RF", "RG", "IO", "PX"], Fact::SentXr, C::Xray),
    (&["MG"], Fact::SentMg, C::Mammography),
    (&["XA"], Fact::SentXa, C::Angiography),
    (&["NM", "PT"], Fact::SentNm, C::NuclearMedicine),
    (&["RTIMAGE", "RTDOSE", "RTRECORD"], Fact::SentRt, C::Radiotherapy),
    (&["ES"], Fact::SentEs, C::Endoscopy),
    (&["ECG"], Fact::SentEcg, C::EcgCart),
];

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    match o.kind.name {
        "dicom.association" => association(o, learn),
        "dicom.command" => command(o, learn),
        _ => object(o, learn),
    }
}

fn association(o: &Observation, learn: &mut Learn<'_>) {
    if o.str("outcome") != Some("accepted") {
        return;
    }
    learn.subject_did(Fact::OpenedAssociation);
    if let Some(title) = o.str("calling_ae") {
        learn.claim(learn.subject, "ae_title", title, 0.6);
        learn.name(learn.subject, NameRank::AeTitle, title);
    }
    // Many archives answer to any title, so only the first that they are called by names them.
    if let Some(title) = o.str("called_ae")
        && learn.claim(learn.peer, "called_as", title, 0.5)
        && !learn.has_name(learn.peer, NameRank::AeTitle)
    {
        learn.name(learn.peer, NameRank::AeTitle, title);
    }
    let versions = [(learn.subject, "implementation_version"), (learn.peer, "responder_version")];
    for (who, field) in versions {
        if let Some(version) = o.str(field) {
            learn.claim(who, "dicom_implementation", version, 0.7);
        }
    }
}

fn command(o: &Observation, learn: &mut Learn<'_>) {
    let class = o.str("sop_class").unwrap_or_default();
    let worklist = o.str("level") == Some("WORKLIST") || class.contains("Worklist");
    // A refusal (Axxx, Cxxx, 01xx) is no service.
    let served = o.uint("status").is_some_and(|status| matches!(status, 0 | 0xff00 | 0xff01));
    match o.str("command") {
        Some("C-FIND-RQ") if worklist => learn.subject_did(Fact::AskedWorklist),
        Some("C-FIND-RQ") => {
            learn.subject_did(Fact::AskedImages);
            if o.flag("universal") {
                learn.subject_did(Fact::AskedForEverybody);
            }
        }
        Some("C-MOVE-RQ" | "C-GET-RQ") => learn.subject_did(Fact::FetchedImages),
        Some("C-FIND-RSP") if worklist && served => learn.subject_did(Fact::AnsweredWorklist),
        Some("C-FIND-RSP" | "C-MOVE-RSP" | "C-GET-RSP") if served => {
            learn.subject_did(Fact::AnsweredQueries);
        }
        Some("N-CREATE-RQ" | "N-SET-RQ") if class.contains("Performed Procedure Step") => {
            learn.subject_did(Fact::ReportedStep);
        }
        _ => {}
    }
}

fn object(o: &Observation, learn: &mut Learn<'_>) {
    let caller = o.flow.as_ref().is_none_or(|flow| {
        o.subject.ip == Some(flow.tuple.originator.ip)
            && o.subject.port == Some(flow.tuple.originator.port)
    });
    if !caller {
        // The answer to a C-GET on the association that the other side opened.
        learn.subject_did(Fact::ServedImages);
        return;
    }
    let modality = o.str("modality").unwrap_or_default();
    let kind = KINDS.iter().find(|(names, ..)| names.contains(&modality));
    learn.subject_did(kind.map_or(Fact::SentOtherImages, |(_, fact, _)| *fact));
    learn.subject_did(Fact::SentImages);
    learn.peer_did(Fact::TookImages);
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    archive(tallies, out);
    scanner(tallies, out);
    reader(tallies, out);
    worklist(tallies, out);
}

fn keeps_images(tallies: &Tallies) -> bool {
    let took = tallies.of(Fact::TookImages);
    // What a workstation is sent, it asked for; it gets it from one archive.
    took.others() >= 2 || (took.times > 0 && tallies.times(Fact::FetchedImages) == 0)
}

fn archive(tallies: &Tallies, out: &mut Evidence) {
    let took = tallies.of(Fact::TookImages);
    if took.times >= 3 && keeps_images(tallies) {
        out.class(C::Pacs, if took.is_sustained() { 3.5 } else { 2.0 });
        if took.others() >= 2 {
            out.class(C::Pacs, 1.5);
        }
    }
    let answered = tallies.of(Fact::AnsweredQueries);
    if answered.times >= 1 {
        out.class(C::Pacs, if answered.others() >= 2 { 2.5 } else { 1.5 });
    }
    if tallies.times(Fact::ServedImages) >= 1 {
        out.class(C::Pacs, 1.5);
    }
    if tallies.times(Fact::ServedDicomWeb) >= 3 {
        out.class(C::Pacs, 2.0);
    }
    if answered.times >= 1 || (took.times >= 3 && keeps_images(tallies)) {
        out.role("pacs");
    }
}

fn scanner(tallies: &Tallies, out: &mut Evidence) {
    let sent = tallies.of(Fact::SentImages);
    // Somebody can send a scanner an image; that does not make it an archive.
    let keeps = tallies.times(Fact::TookImages) > sent.times / 4 && keeps_images(tallies);
    if sent.times > 0 && !keeps {
        out.role("modality");
    }
    let reports = tallies.times(Fact::ReportedStep) > 0;
    if reports {
        out.class(C::ImagingModality, 2.0);
    }
    if tallies.times(Fact::AskedWorklist) > 0 {
        out.class(C::ImagingModality, 1.5);
    }
    if sent.times < 3 || keeps || tallies.times(Fact::AnsweredQueries) > 0 {
        if sent.times > 0 && sent.times < 3 && !keeps {
            out.class(C::ImagingModality, 0.6);
        }
        return;
    }
    if !sent.is_sustained() && !reports {
        // One session: a test, a laptop, a disc read in. Not even a fitting name makes it a scanner.
        out.class(C::ImagingModality, 1.2);
        return;
    }
    out.class(C::ImagingModality, if sent.spells >= 4 { 5.0 } else { 4.0 });
    let told = sent.times.saturating_sub(tallies.times(Fact::SentOtherImages));
    if told == 0 {
        return;
    }
    for (_, fact, class) in KINDS {
        let share = f64::from(tallies.times(*fact)) / f64::from(told);
        match share {
            0.9.. => out.class(*class, 3.0),
            0.7.. => out.class(*class, 1.5),
            0.2.. => out.class(*class, 0.2),
            // It has sent enough to show what it makes, and this is not it.
            _ if told >= 10 => out.class(*class, -2.5),
            _ => {}
        }
    }
}

fn reader(tallies: &Tallies, out: &mut Evidence) {
    let (asked, fetched) = (tallies.of(Fact::AskedImages), tallies.of(Fact::FetchedImages));
    if asked.times == 0 && fetched.times == 0 {
        return;
    }
    // Who keeps images asks other archives too.
    let keeps = tallies.times(Fact::TookImages) > 0 && keeps_images(tallies);
    let makes = tallies.of(Fact::SentImages).is_sustained();
    if keeps || makes {
        return;
    }
    let often = fetched.spells >= 3 && fetched.span() >= 120.0;
    if often {
        out.class(C::ImagingWorkstation, 4.5);
        out.role("image_reader");
        if fetched.spells >= 6 && asked.spells >= 3 {
            out.class(C::ImagingWorkstation, 1.0);
        }
    } else if fetched.spells >= 2 || asked.spells >= 3 {
        out.class(C::ImagingWorkstation, 2.0);
    }
    // Who mostly asks for everybody reads no images.
    let everybody = tallies.times(Fact::AskedForEverybody);
    if everybody > 0 && everybody * 2 > asked.times {
        out.class(C::ImagingWorkstation, -2.5);
    }
}

fn worklist(tallies: &Tallies, out: &mut Evidence) {
    let answered = tallies.of(Fact::AnsweredWorklist);
    if answered.times == 0 {
        return;
    }
    out.role("worklist_server");
    let several = answered.others() >= 2 || answered.is_sustained();
    out.class(C::WorklistServer, if several { 4.5 } else { 2.5 });
}
