//! An image file that is also a program.
//!
//! A DICOM file begins with 128 bytes that no viewer reads. With the head of a program in them, the
//! file is an image for the archive and malware for whoever runs it, and antivirus software is often
//! told to leave images alone. No device has a reason to make one: it is wrong from the first.
//! Preambles that are pictures too (TIFF, in pathology) are what the standard allows them for.

use model::device::DeviceClass;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "executable_image",
    doc: "A medical image file (DICOM) whose unused first bytes make it a program as well.",
    kind: FindingKind::Rule,
    reads: &["dicom.file"],
    attack: &["T1036.008", "T1027.009"],
    next_step: "Do not open the file outside the archive. Have it quarantined where it was stored, look for more from the same sender, and examine the sender for malware.",
    sources: &[
        "CVE-2019-11687",
        "DICOM PS3.10 section 7.1",
        "CISA ICS-ALERT-19-162-01",
        "spec S18",
    ],
};

/// See the module.
#[derive(Debug, Default)]
pub struct ExecutableImage;

impl Detector for ExecutableImage {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if !o.flag("executable") {
            return;
        }
        let receiver = cx.who.peer;
        let archive = cx.class(receiver) == DeviceClass::Pacs;
        // From an archive it goes on to everybody who reads the study.
        let severity =
            if archive || cx.is_clinical(receiver) { Severity::Critical } else { Severity::High };
        let system = match o.str("preamble") {
            Some("pe") => "Windows",
            Some("elf") => "Linux",
            Some("mach-o") => "macOS",
            _ => "a command shell",
        };
        let place = if archive { ", into the archive" } else { "" };
        let title = words::sentence(&format!(
            "{} sends {} an image file that is also a program for {system}{place}.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, severity, title)
            .because(Reason::new("first 128 bytes of the image file", system, "zeros, or a TIFF"))
            .key(format!("{receiver:?}"))
            .score(0.97)
            .make();
    }
}

#[cfg(test)]
mod tests {
    use model::finding::Severity;
    use model::observation::Value;
    use protocols::http::dicomweb::FILE;

    use crate::fixture::{DESK, Host, PACS, SERVER, Ward, word};

    fn carries(ward: &mut Ward, to: Host, preamble: &str, executable: bool) {
        let fields = [
            ("preamble", word(preamble)),
            ("executable", Value::Bool(executable)),
            ("carrier", word("request")),
        ];
        ward.over(&FILE, DESK, to, 8_042, &fields);
    }

    #[test]
    fn a_program_in_an_image_is_found_and_worst_on_its_way_into_the_archive() {
        for (to, severity) in [(PACS, Severity::Critical), (SERVER, Severity::High)] {
            let mut ward = Ward::peopled();
            ward.watch();
            carries(&mut ward, to, "pe", true);
            assert_eq!(ward.worst("executable_image"), Some(severity));
        }
    }

    #[test]
    fn an_image_that_is_a_picture_too_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        carries(&mut ward, PACS, "tiff", false);
        assert_eq!(ward.worst("executable_image"), None);
    }
}
