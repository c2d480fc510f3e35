//! HTTP: what programs call themselves, and what servers serve.
//!
//! Both are the device's own words and can be made up; what a server serves to several clients,
//! again and again, is behaviour.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::entity::Entity;
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;
use crate::words;

/// Reads `http.request`, `http.response` and `fhir.interaction`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "http",
    doc: "User agents, server headers, and what is served: FHIR, DICOMweb, updates, drug libraries.",
    reads: &[
        ("http.request", &["user_agent", "path"]),
        ("http.response", &["status", "server", "content_type", "content_length", "path"]),
        ("fhir.interaction", &["status"]),
    ],
    learn,
    weigh,
};

/// Words of a User-Agent header, in lower case, and what has them.
const AGENTS: &[(&str, C, f32)] = &[
    ("iphone", C::Mobile, 2.5),
    ("ipad", C::Mobile, 2.5),
    ("android", C::Mobile, 2.2),
    ("dalvik", C::Mobile, 2.2),
    ("onvif", C::Camera, 0.5),
];

/// Words of a Server header, in lower case, and what has them.
const SERVERS: &[(&str, C, f32)] = &[
    ("cups", C::Printer, 0.8),
    ("hp http server", C::Printer, 2.5),
    ("hp-chai", C::Printer, 2.5),
    ("laserjet", C::Printer, 2.8),
    ("virata-emweb", C::Printer, 1.0),
    ("kyocera", C::Printer, 2.5),
    ("lexmark", C::Printer, 2.5),
    ("epson", C::Printer, 2.5),
    ("hipcam", C::Camera, 3.0),
    ("app-webs", C::Camera, 2.0),
    ("dnvrs-webs", C::Camera, 2.5),
    ("dahua", C::Camera, 2.5),
    ("ip webcam", C::Camera, 2.5),
    ("orthanc", C::Pacs, 2.0),
    ("dcm4chee", C::Pacs, 2.0),
    ("mirth", C::InterfaceEngine, 2.0),
    ("philips hue", C::IotDevice, 2.5),
    ("ipbridge", C::IotDevice, 1.5),
];

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    match o.kind.name {
        "http.request" => request(o, learn),
        "http.response" => response(o, learn),
        _ => {
            learn.subject_did(Fact::AskedFhir);
            if o.uint("status").is_some_and(|status| status < 300) {
                learn.peer_did(Fact::ServedFhir);
            }
        }
    }
}

fn request(o: &Observation, learn: &mut Learn<'_>) {
    if o.str("path").is_some_and(is_drug_library) {
        learn.subject_did(Fact::FetchedDrugLibrary);
    }
    let Some(agent) = o.str("user_agent") else { return };
    let desktop = ["Windows NT", "Macintosh", "X11; Linux", "X11; Ubuntu", "CrOS "];
    if agent.starts_with("Mozilla/") && desktop.iter().any(|system| agent.contains(system)) {
        learn.subject_did(Fact::Browsed);
    }
    if !learn.claim(learn.subject, "user_agent", agent, 0.5) {
        return;
    }
    hints(&agent.to_ascii_lowercase(), AGENTS, learn.subject, learn);
    // A product's own name before its version: `PumpFW/5.1`.
    let product = agent.split('/').next().unwrap_or_default();
    if product.len() < agent.len() && !product.contains(' ') {
        for class in words::classes(product) {
            learn.hint(learn.subject, class, 1.5);
        }
    }
}

fn response(o: &Observation, learn: &mut Learn<'_>) {
    let Some(status) = o.uint("status").filter(|status| *status < 400) else { return };
    learn.subject_did(Fact::ServedWeb);
    if let Some(server) = o.str("server")
        && learn.claim(learn.subject, "http_server", server, 0.5)
    {
        hints(&server.to_ascii_lowercase(), SERVERS, learn.subject, learn);
    }
    if status >= 300 {
        return;
    }
    let kind = o.str("content_type").unwrap_or_default().to_ascii_lowercase();
    let path = o.str("path").unwrap_or_default();
    if kind.starts_with("application/dicom") || kind.contains("type=\"application/dicom") {
        learn.subject_did(Fact::ServedDicomWeb);
    }
    if kind.starts_with("application/ipp") {
        learn.subject_did(Fact::ServedIpp);
    }
    if path.contains("/onvif/") {
        learn.subject_did(Fact::ServedOnvif);
    }
    if is_drug_library(path) {
        learn.subject_did(Fact::ServedDrugLibrary);
    }
    if is_drug_library(path) || is_update(path) {
        learn.subject_did(Fact::ServedUpdates);
    }
}

fn hints(text: &str, table: &[(&str, C, f32)], who: Entity, learn: &mut Learn<'_>) {
    for (_, class, weight) in table.iter().filter(|(word, ..)| text.contains(word)) {
        learn.hint(who, *class, *weight);
    }
}

fn path_words(path: &str) -> impl Iterator<Item = String> {
    path.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase)
}

fn is_drug_library(path: &str) -> bool {
    path_words(path).any(|word| matches!(word.as_str(), "druglib" | "druglibrary" | "formulary"))
}

fn is_update(path: &str) -> bool {
    path_words(path).any(|word| {
        matches!(
            word.as_str(),
            "firmware" | "fw" | "update" | "updates" | "upgrade" | "patch" | "ota"
        )
    })
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let fhir = tallies.of(Fact::ServedFhir);
    if fhir.times > 0 {
        out.role("fhir_server");
        let weight = match (fhir.others() >= 2, fhir.is_sustained()) {
            (true, true) => 4.5,
            (true, false) | (false, true) => 3.0,
            (false, false) => 1.5,
        };
        // Whom monitors and laboratories report to, and who also offers FHIR, is an engine first.
        let engine = tallies.others(Fact::AckedHl7) >= 2;
        out.class(C::Ehr, if engine { weight - 1.0 } else { weight });
    }
    let web = tallies.of(Fact::ServedWeb);
    if web.others() >= 2 || (web.times >= 5 && web.is_sustained()) {
        out.role("web_server");
        if web.others() >= 3 && web.is_sustained() {
            out.class(C::WebServer, 3.0);
        }
    }
    if tallies.others(Fact::ServedUpdates) >= 2 {
        out.role("update_server");
    }
    let library = tallies.of(Fact::ServedDrugLibrary);
    if library.times > 0 {
        out.role("drug_library");
        out.class(C::PumpServer, if library.others() >= 2 { 3.5 } else { 1.5 });
    }
    if tallies.of(Fact::FetchedDrugLibrary).is_sustained() {
        out.class(C::InfusionPump, 1.5);
    }
    if tallies.times(Fact::ServedIpp) > 0 {
        out.class(C::Printer, 2.0);
    }
    if tallies.times(Fact::ServedOnvif) > 0 {
        out.class(C::Camera, 3.0);
    }
}
