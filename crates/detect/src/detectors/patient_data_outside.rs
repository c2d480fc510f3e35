//! Medical messages to or from an address outside the hospital.

use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "patient_data_outside",
    doc: "HL7, ASTM, POCT1-A, DICOM or FHIR in clear text with an address outside the hospital.",
    kind: FindingKind::Rule,
    reads: &[
        "hl7.message",
        "astm.message",
        "poct1a.message",
        "dicom.association",
        "dicom.object",
        "dicomweb.transaction",
        "fhir.interaction",
    ],
    attack: &["T1048.003", "T0882"],
    next_step: "Tell the privacy officer. Find out whether the address belongs to a partner; if not, block it at the perimeter. If it does, the connection needs encryption.",
    sources: &["CISA ICSMA-25-030-01", "45 CFR 164.312(e)"],
};

/// See the module.
#[derive(Debug, Default)]
pub struct PatientDataOutside;

impl Detector for PatientDataOutside {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (subject, peer) = (cx.is_external(cx.who.subject), cx.is_external(cx.who.peer));
        if subject == peer || cx.normal.knows_pair(cx.who.subject, cx.who.peer) {
            return;
        }
        let (protocol, _) = o.kind.name.split_once('.').unwrap_or((o.kind.name, ""));
        let protocol = match protocol {
            "hl7" => "HL7 messages",
            "astm" => "laboratory results (ASTM)",
            "poct1a" => "point-of-care results (POCT1-A)",
            "dicom" | "dicomweb" => "medical images (DICOM)",
            _ => "patient records (FHIR)",
        };
        let (title, inward) = if peer {
            (
                format!(
                    "{} exchanges {protocol} in clear text with {}.",
                    cx.subject(o),
                    cx.peer(o)
                ),
                false,
            )
        } else {
            (
                format!(
                    "{} is reached from {} with {protocol} in clear text.",
                    cx.peer(o),
                    cx.subject(o)
                ),
                true,
            )
        };
        let claim = out.claim(cx, o, Severity::High, words::sentence(&title));
        let claim = if inward { claim.about_peer(o) } else { claim };
        claim
            .because(Reason::new(
                "medical messages with the outside",
                protocol,
                "none with this address",
            ))
            .key(o.kind.name)
            .score(0.95)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, OUTSIDE, PACS, Ward, word};

    #[test]
    fn images_to_an_address_outside_are_found_and_inside_are_none() {
        let fields = [("outcome", word("accepted")), ("calling_ae", word("WS"))];
        let mut ward = Ward::peopled();
        ward.over(&protocols::dicom::ASSOCIATION, DESK, PACS, 104, &fields);
        ward.watch();
        ward.over(&protocols::dicom::ASSOCIATION, DESK, PACS, 104, &fields);
        ward.is_quiet();
        ward.over(&protocols::dicom::ASSOCIATION, DESK, OUTSIDE, 104, &fields);
        ward.alerts("patient_data_outside", DESK);
    }

    #[test]
    fn a_partner_that_was_always_there_is_none() {
        let fields = [("outcome", word("accepted")), ("calling_ae", word("WS"))];
        let mut ward = Ward::peopled();
        ward.over(&protocols::dicom::ASSOCIATION, DESK, OUTSIDE, 104, &fields);
        ward.watch();
        ward.over(&protocols::dicom::ASSOCIATION, DESK, OUTSIDE, 104, &fields);
        ward.is_quiet();
    }
}
