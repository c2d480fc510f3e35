//! What names say: host names, AE titles, client identifiers, applications.
//!
//! Weak evidence: anybody can call anything "mon1", and people do. Whole words only: `ct` is found
//! in `CT1` and in `ct-room2`, not in `director`.

use std::collections::HashMap;
use std::sync::OnceLock;

use model::device::DeviceClass::{self as C};

/// Words and what they speak for. A word that stands for two things ("dr", "fw", "gateway") stands
/// for none.
const WORDS: &[(C, &[&str])] = &[
    (C::Ventilator, &["vent", "vents", "ventilator", "respirator", "cpap", "bipap"]),
    (C::AnesthesiaMachine, &["anes", "anaes", "anesthesia", "anaesthesia", "gasmachine"]),
    (
        C::InfusionPump,
        &["pump", "pumps", "infusion", "infusionpump", "syringe", "ivpump", "pumpfw"],
    ),
    (C::HeartLung, &["ecmo", "heartlung", "bypass", "perfusion"]),
    (C::BalloonPump, &["iabp", "balloonpump"]),
    (C::Dialysis, &["dialysis", "crrt", "haemodialysis", "hemodialysis", "dialyser", "dialyzer"]),
    (C::Defibrillator, &["defib", "defibrillator"]),
    (
        C::PatientMonitor,
        &["mon", "monitor", "bedmon", "bedside", "vitals", "vital", "patientmonitor", "pmon"],
    ),
    (C::CentralStation, &["centralstation", "centralmonitor", "cmon"]),
    (C::Telemetry, &["telem", "telepack"]),
    (C::FetalMonitor, &["ctg", "fetal", "foetal", "fetalmonitor"]),
    (C::Incubator, &["incubator", "isolette"]),
    (C::AlarmServer, &["alarmserver", "alarms"]),
    (C::NurseCall, &["nursecall"]),
    (C::DhcpServer, &["dhcp"]),
    (C::DnsServer, &["dns", "resolver", "nameserver"]),
    (C::NtpServer, &["ntp", "timeserver"]),
    (C::RadiusServer, &["radius", "nac"]),
    (C::WirelessController, &["wlc", "wlanc"]),
    (C::Router, &["router", "rtr", "firewall", "gw", "inet", "wan"]),
    (C::PumpServer, &["pumpserver", "druglib", "pumpsrv"]),
    (C::MqttBroker, &["mqtt", "broker", "mosquitto"]),
    (C::MedicationCabinet, &["pyxis", "omnicell", "adc", "medcabinet"]),
    (C::ColdChain, &["coldchain", "bloodbank", "fridge"]),
    (C::Ct, &["ct", "ctscan", "ctscanner"]),
    (C::Mri, &["mr", "mri", "mrt", "mrscanner"]),
    (C::Angiography, &["xa", "angio", "angiography", "cath", "cathlab"]),
    (C::NuclearMedicine, &["pet", "spect", "petct", "gammacam", "nucmed"]),
    (C::Radiotherapy, &["linac", "radiotherapy", "brachy"]),
    (C::LabAnalyzer, &["lab", "analyzer", "analyser", "chem", "hema", "haema", "coag"]),
    (C::PointOfCare, &["poct", "bga", "abg", "glucometer", "bloodgas"]),
    (C::Lis, &["lis", "labsys"]),
    (C::Pacs, &["pacs", "vna", "orthanc", "dcm4chee"]),
    (C::WorklistServer, &["mwl", "worklist", "ris"]),
    (
        C::InterfaceEngine,
        &["engine", "mirth", "rhapsody", "cloverleaf", "iguana", "corepoint", "interfaceengine"],
    ),
    (C::Ehr, &["ehr", "emr", "his", "kis", "epic", "cerner", "meditech"]),
    (C::TheatreHvac, &["hvac", "ahu"]),
    (C::Ultrasound, &["us", "usg", "ultrasound", "sono", "echo"]),
    (C::Xray, &["xr", "xray", "dx", "cr", "rad", "roentgen", "fluoro"]),
    (C::Mammography, &["mg", "mammo", "mammography"]),
    (C::Endoscopy, &["endo", "endoscopy", "endoscope"]),
    (C::EcgCart, &["ecg", "ekg"]),
    (C::ImagingWorkstation, &["viewer", "radws", "reading", "readingroom", "diagws"]),
    (C::Camera, &["cam", "camera", "ipcam", "cctv", "webcam", "dcs"]),
    (C::Printer, &["prn", "printer", "mfp", "laserjet", "officejet", "jetdirect"]),
    (C::VoicePhone, &["phone", "voip", "ipphone"]),
    (C::BuildingController, &["bms", "bacnet", "chiller"]),
    (
        C::IotDevice,
        &[
            "iot",
            "wemo",
            "hue",
            "plug",
            "smartplug",
            "bulb",
            "thermostat",
            "hs100",
            "hs110",
            "sonos",
        ],
    ),
    (C::FileServer, &["fileserver", "filesrv", "nas", "fileshare", "samba"]),
    (C::SyslogServer, &["siem", "syslog", "splunk", "graylog", "loghost"]),
    (C::MailServer, &["mail", "smtp", "exchange", "imap"]),
    (C::DirectoryServer, &["dc", "ldap", "activedirectory"]),
    (C::WebServer, &["web", "www", "intranet", "nginx"]),
    (C::Workstation, &["ws", "wks", "workstation", "desktop", "pc", "laptop", "nb", "notebook"]),
    (C::Mobile, &["iphone", "ipad", "android", "tablet", "galaxy", "pixel"]),
];

/// Longest name that is looked at, in bytes.
const LONGEST: usize = 96;

/// What the words of a name speak for, each once. Names that speak for more than two things say
/// nothing.
pub fn classes(name: &str) -> Vec<C> {
    let mut found = Vec::new();
    for word in tokens(name) {
        if let Some(class) = table().get(word.as_str())
            && !found.contains(class)
        {
            found.push(*class);
        }
    }
    if found.len() > 2 {
        found.clear();
    }
    found
}

fn table() -> &'static HashMap<&'static str, C> {
    static TABLE: OnceLock<HashMap<&'static str, C>> = OnceLock::new();
    let all = || WORDS.iter().flat_map(|(class, words)| words.iter().map(|word| (*word, *class)));
    TABLE.get_or_init(|| all().collect())
}

/// Words in lower case: cut at everything that is no letter, where digits begin and end, and where
/// small letters turn into capitals. A word with its digits counts too (`hs100`).
fn tokens(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        if part.len() > LONGEST {
            continue;
        }
        out.push(part.to_lowercase());
        let (mut word, mut last) = (String::new(), ' ');
        for c in part.chars() {
            let turns = (last.is_lowercase() && c.is_uppercase()) || !c.is_alphabetic();
            if turns && !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            if c.is_alphabetic() {
                word.extend(c.to_lowercase());
            }
            last = c;
        }
        if !word.is_empty() {
            out.push(word);
        }
    }
    out.truncate(32);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_and_not_within_others() {
        assert_eq!(classes("CT1"), [C::Ct]);
        assert_eq!(classes("ct-room2"), [C::Ct]);
        assert_eq!(classes("icuMon03"), [C::PatientMonitor]);
        for name in ["director", "product", "actuator", "usnew", "household", "summons"] {
            assert!(classes(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_name_of_everything_says_nothing() {
        assert!(classes("ct mr us pump vent").is_empty());
    }

    #[test]
    fn no_word_stands_for_two_things() {
        let mut seen = std::collections::BTreeMap::new();
        for (class, words) in WORDS {
            for word in *words {
                assert_eq!(seen.insert(word, class), None, "{word}");
                assert_eq!(*word, word.to_lowercase());
            }
        }
    }
}
