//! The maker of the network card.
//!
//! Most makers build many kinds of device, and many devices carry a card of somebody else's, so a
//! maker only hints, and the more kinds it makes the less it says. What each maker makes is public
//! knowledge from its own product pages.

use model::device::DeviceClass::{self as C};
use model::net::Mac;
use model::time::Timestamp;

use super::{Fingerprint, no_weights};
use crate::oui;
use crate::record::Record;

/// Reads no observation: it is told of a card once the card proved to be the device's own.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "mac",
    doc: "Maker of the network card, by the IEEE's listing.",
    reads: &[],
    learn: |_, _| {},
    weigh: no_weights,
};

/// What a maker makes, with weights in nats.
pub(crate) type Makes = &'static [(C, f32)];

/// Makers, by words that their names in the listing begin with (in lower case), and what they make.
const MAKERS: &[(&[&str], Makes)] = &[
    (
        &["draeger medical", "drägerwerk"],
        &[(C::PatientMonitor, 0.9), (C::Ventilator, 0.9), (C::AnesthesiaMachine, 0.9)],
    ),
    (
        &["philips patient monitoring", "philips medical systems - cardiac and monitoring"],
        &[(C::PatientMonitor, 1.3), (C::CentralStation, 0.8)],
    ),
    (
        &["philips healthcare", "philips medical"],
        &[(C::ImagingModality, 0.6), (C::PatientMonitor, 0.6)],
    ),
    (
        &["spacelabs", "mennen medical", "ivy biomedical", "cas medical"],
        &[(C::PatientMonitor, 1.3)],
    ),
    (&["marquette", "datex"], &[(C::PatientMonitor, 1.1), (C::AnesthesiaMachine, 0.6)]),
    (
        &["mindray co", "mindray ds", "edan instruments"],
        &[(C::PatientMonitor, 1.0), (C::Ultrasound, 0.6)],
    ),
    (&["nihon kohden"], &[(C::PatientMonitor, 1.2), (C::EcgCart, 0.5)]),
    (&["masimo", "nonin medical", "suntech medical", "welch allyn"], &[(C::PatientMonitor, 1.2)]),
    (&["contec"], &[(C::PatientMonitor, 0.6)]),
    (&["corometrics", "huntleigh healthcare"], &[(C::FetalMonitor, 1.1)]),
    (&["ge healthcare", "ge medical"], &[(C::ImagingModality, 0.6), (C::PatientMonitor, 0.6)]),
    (&["physio-control", "zoll"], &[(C::Defibrillator, 1.2)]),
    (&["schiller ag", "mortara"], &[(C::EcgCart, 1.2)]),
    (
        &["maquet critical care", "hamilton medical", "breas medical", "viasys"],
        &[(C::Ventilator, 1.3)],
    ),
    (&["maquet cardiopulmonary"], &[(C::HeartLung, 1.3)]),
    (&["maquet cardiovascular"], &[(C::BalloonPump, 0.9), (C::HeartLung, 0.6)]),
    (
        &[
            "b.braun",
            "alaris",
            "carefusion",
            "hospira",
            "icu medical",
            "smiths medical",
            "fresenius-vial",
            "fresenius kabi",
            "baxter",
            "ivenix",
            "q core",
            "qcore",
            "arcomed",
            "codan argus",
            "medcaptain",
            "terumo",
        ],
        &[(C::InfusionPump, 1.2)],
    ),
    (
        &["fresenius medical care", "gambro", "nikkiso", "weigao nikkiso", "nxstage"],
        &[(C::Dialysis, 1.3)],
    ),
    (&["becton", "cardinal health"], &[(C::InfusionPump, 0.6), (C::MedicationCabinet, 0.6)]),
    (&["omnicell"], &[(C::MedicationCabinet, 1.3)]),
    (
        &[
            "sysmex",
            "beckman",
            "abbott diagnostics",
            "roche diagnostics",
            "siemens healthcare diag",
            "bio-rad",
            "biomerieux",
            "ortho clinical",
            "trek diagnostics",
            "euroimmun",
        ],
        &[(C::LabAnalyzer, 1.2)],
    ),
    (&["radiometer", "abbott point of care"], &[(C::PointOfCare, 1.3)]),
    (&["abbott"], &[(C::LabAnalyzer, 0.6)]),
    (
        &["siemens ag, healthcare", "siemens healthineers", "siemens ag healthcare"],
        &[(C::ImagingModality, 1.0)],
    ),
    (&["toshiba medical", "canon medical", "shimadzu"], &[(C::ImagingModality, 0.9)]),
    (
        &[
            "sonosite",
            "esaote",
            "medison co",
            "hitachi aloka",
            "chison",
            "alpinion",
            "samsung medison",
        ],
        &[(C::Ultrasound, 1.3)],
    ),
    (&["hologic", "imaging diagnostics"], &[(C::Mammography, 1.2)]),
    (&["varian medical", "elekta", "accuray"], &[(C::Radiotherapy, 1.3)]),
    (
        &[
            "carestream",
            "agfa corporation",
            "agfa healthcare",
            "agfa-gevaert",
            "fujifilm healthcare",
        ],
        &[(C::Xray, 0.9), (C::Pacs, 0.4)],
    ),
    (&["fuji photo film", "fujifilm corporation"], &[(C::Xray, 0.6)]),
    (&["karl storz", "olympus medical", "fujinon"], &[(C::Endoscopy, 1.1)]),
    (&["hill-rom", "rauland", "ascom"], &[(C::NurseCall, 1.0)]),
    (&["vocera"], &[(C::VoicePhone, 0.9)]),
    (&["zebra technologies"], &[(C::Printer, 0.9), (C::Mobile, 0.6)]),
    (
        &[
            "lexmark",
            "brother industries",
            "ricoh",
            "xerox",
            "konica minolta",
            "kyocera document",
            "seiko epson",
            "oki data",
            "sato ",
            "silex",
        ],
        &[(C::Printer, 1.2)],
    ),
    (
        &[
            "hangzhou hikvision",
            "zhejiang dahua",
            "axis communications",
            "vivotek",
            "mobotix",
            "reolink",
            "foscam",
            "hanwha techwin",
            "flir systems",
            "avigilon",
        ],
        &[(C::Camera, 1.4)],
    ),
    (
        &["polycom", "yealink", "snom ", "grandstream", "mitel", "avaya", "aastra", "gigaset"],
        &[(C::VoicePhone, 1.3)],
    ),
    (
        &[
            "johnson controls",
            "tridium",
            "siemens building",
            "honeywell",
            "automated logic",
            "trane",
        ],
        &[(C::BuildingController, 1.1)],
    ),
    (
        &[
            "philips lighting",
            "signify",
            "belkin",
            "tuya",
            "espressif",
            "sonos",
            "nest labs",
            "ring llc",
            "amazon technologies",
            "withings",
            "ecobee",
            "lifx",
            "roku",
            "shelly",
            "tp-link",
            "edimax",
            "d-link",
            "smart innovation",
            "lumi united",
        ],
        &[(C::IotDevice, 1.4)],
    ),
    (
        &[
            "cisco systems",
            "juniper",
            "arista",
            "extreme networks",
            "fortinet",
            "palo alto",
            "mikrotik",
            "routerboard",
        ],
        &[(C::Router, 0.8)],
    ),
    (&["aruba", "ruckus", "meru networks"], &[(C::WirelessController, 0.6)]),
    (&["vmware", "xensource", "nutanix", "super micro"], &[(C::Server, 0.8)]),
    (
        &["dell inc", "lenovo", "wistron", "fujitsu client"],
        &[(C::Workstation, 0.4), (C::Server, 0.3)],
    ),
    (&["hewlett packard", "hp inc"], &[(C::Workstation, 0.3), (C::Server, 0.3), (C::Printer, 0.3)]),
    (&["apple"], &[(C::Mobile, 0.6), (C::Workstation, 0.5)]),
    (
        &[
            "huawei device",
            "xiaomi comm",
            "oneplus",
            "vivo mobile",
            "guangdong oppo",
            "htc corp",
            "motorola mobility",
        ],
        &[(C::Mobile, 1.3)],
    ),
    (&["samsung electronics"], &[(C::Mobile, 0.7)]),
];

/// Notes the maker of a device's own card.
pub(crate) fn learn_card(record: &mut Record, mac: Mac, at: Timestamp) {
    let Some(vendor) = oui::vendor(mac) else { return };
    record.vendor = Some(vendor.to_owned());
    record.claim("vendor", vendor, FINGERPRINT.name, 0.9, at);
    for (class, weight) in makes(vendor) {
        record.hint(FINGERPRINT.name, *class, *weight);
    }
}

/// What a maker makes.
pub(crate) fn makes(vendor: &str) -> Makes {
    let vendor = vendor.to_lowercase();
    let known = MAKERS.iter().find(|(names, _)| names.iter().any(|name| vendor.starts_with(name)));
    known.map_or(&[], |(_, makes)| makes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_alone_never_makes_a_class() {
        for (_, makes) in MAKERS {
            assert!(makes.iter().all(|(_, weight)| *weight < 1.5));
        }
        let mut record = Record::default();
        learn_card(&mut record, "00:30:e6:00:00:01".parse().unwrap(), Timestamp::MIN);
        let verdict = crate::judge::judge(crate::judge::Evidence::default(), &record.hints);
        assert_eq!(verdict.class, C::Unknown);
        assert_eq!(record.vendor.as_deref(), Some("Draeger Medical Systems, Inc."));
    }

    #[test]
    fn the_special_name_wins_over_the_general_one() {
        assert_eq!(makes("Abbott Point of Care")[0].0, C::PointOfCare);
        assert_eq!(makes("Philips Patient Monitoring")[0].0, C::PatientMonitor);
        assert_eq!(makes("Philips Lighting BV")[0].0, C::IotDevice);
        assert!(makes("Nobody Ltd").is_empty());
    }
}
