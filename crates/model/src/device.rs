//! Devices: what they are, how care depends on them, and how we know.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::net::Mac;
use crate::time::Timestamp;

/// A device's name in the inventory: `D-` and a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub String);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! classes {
    ($($variant:ident, $name:literal, $tier:ident, $title:literal;)*) => {
        /// What a device is.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DeviceClass {
            /// Nobody knows yet.
            #[default]
            #[serde(rename = "unknown")]
            Unknown,
            $(#[doc = $title] #[serde(rename = $name)] $variant,)*
        }

        impl DeviceClass {
            /// All classes but `Unknown`.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)*];

            /// Lower-case name, as written to files.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Unknown => "unknown",
                    $(Self::$variant => $name,)*
                }
            }

            /// What a person calls it, without an article.
            pub const fn title(self) -> &'static str {
                match self {
                    Self::Unknown => "unknown device",
                    $(Self::$variant => $title,)*
                }
            }

            /// How care depends on devices of this class (`spec/safety`, 4.2). Unknown counts as
            /// life-sustaining until a person says otherwise.
            pub const fn tier(self) -> Tier {
                match self {
                    Self::Unknown => Tier::T0,
                    $(Self::$variant => Tier::$tier,)*
                }
            }
        }
    };
}

classes! {
    Ventilator, "ventilator", T0, "ventilator";
    AnesthesiaMachine, "anesthesia_machine", T0, "anaesthesia machine";
    InfusionPump, "infusion_pump", T0, "infusion pump";
    PumpGateway, "pump_gateway", T0, "infusion pump gateway";
    HeartLung, "heart_lung", T0, "heart-lung or ECMO machine";
    BalloonPump, "balloon_pump", T0, "intra-aortic balloon pump";
    Dialysis, "dialysis", T0, "dialysis machine";
    Defibrillator, "defibrillator", T0, "defibrillator";
    PatientMonitor, "patient_monitor", T0, "patient monitor";
    CentralStation, "central_station", T0, "monitoring central station";
    Telemetry, "telemetry", T0, "telemetry system";
    FetalMonitor, "fetal_monitor", T0, "fetal monitor";
    Incubator, "incubator", T0, "incubator";
    AlarmServer, "alarm_server", T0, "alarm server";
    NurseCall, "nurse_call", T0, "nurse call system";
    DhcpServer, "dhcp_server", T0i, "DHCP server";
    DnsServer, "dns_server", T0i, "DNS server";
    NtpServer, "ntp_server", T0i, "time server";
    RadiusServer, "radius_server", T0i, "RADIUS server";
    WirelessController, "wireless_controller", T0i, "wireless controller";
    Router, "router", T0i, "router";
    PumpServer, "pump_server", T0i, "infusion pump server";
    MqttBroker, "mqtt_broker", T0i, "message broker";
    MedicationCabinet, "medication_cabinet", T0i, "medication cabinet";
    MedicalGasAlarm, "medical_gas_alarm", T0i, "medical gas alarm";
    ColdChain, "cold_chain", T0i, "cold-chain monitor";
    Ct, "ct", T1, "CT scanner";
    Mri, "mri", T1, "MR scanner";
    Angiography, "angiography", T1, "angiography system";
    NuclearMedicine, "nuclear_medicine", T1, "nuclear medicine scanner";
    Radiotherapy, "radiotherapy", T1, "radiotherapy system";
    LabAnalyzer, "lab_analyzer", T1, "laboratory analyser";
    PointOfCare, "point_of_care", T1, "point-of-care analyser";
    Lis, "lis", T1, "laboratory information system";
    Pacs, "pacs", T1, "PACS";
    WorklistServer, "worklist_server", T1, "modality worklist server";
    InterfaceEngine, "interface_engine", T1, "HL7 interface engine";
    Ehr, "ehr", T1, "electronic health record server";
    TheatreHvac, "theatre_hvac", T1, "theatre ventilation";
    Ultrasound, "ultrasound", T2, "ultrasound scanner";
    Xray, "xray", T2, "X-ray system";
    Mammography, "mammography", T2, "mammography system";
    ImagingModality, "imaging_modality", T2, "imaging modality";
    ImagingWorkstation, "imaging_workstation", T2, "imaging workstation";
    Endoscopy, "endoscopy", T2, "endoscopy system";
    EcgCart, "ecg_cart", T2, "ECG cart";
    Camera, "camera", T3, "camera";
    Printer, "printer", T3, "printer";
    VoicePhone, "voice_phone", T3, "telephone";
    BuildingController, "building_controller", T3, "building controller";
    IotDevice, "iot_device", T3, "smart device";
    FileServer, "file_server", T4, "file server";
    SyslogServer, "syslog_server", T4, "log server";
    MailServer, "mail_server", T4, "mail server";
    DirectoryServer, "directory_server", T4, "directory server";
    WebServer, "web_server", T4, "web server";
    Server, "server", T4, "server";
    Workstation, "workstation", T4, "workstation";
    Mobile, "mobile", T4, "mobile device";
}

impl DeviceClass {
    /// From its lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "unknown" {
            return Some(Self::Unknown);
        }
        Self::KNOWN.iter().copied().find(|class| class.name() == name)
    }
}

impl fmt::Display for DeviceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How care depends on a device (`spec/safety`, 4.2).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Tier {
    /// Life-sustaining, or continuous therapy or monitoring.
    #[default]
    T0,
    /// Infrastructure that T0 depends on.
    T0i,
    /// Time-critical diagnostics.
    T1,
    /// Other clinical devices.
    T2,
    /// Things that are not clinical.
    T3,
    /// Office IT and guests.
    T4,
}

impl Tier {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::T0 => "T0",
            Self::T0i => "T0i",
            Self::T1 => "T1",
            Self::T2 => "T2",
            Self::T3 => "T3",
            Self::T4 => "T4",
        }
    }

    /// Whether care depends on it.
    pub const fn is_clinical(self) -> bool {
        matches!(self, Self::T0 | Self::T0i | Self::T1 | Self::T2)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a device serves a patient just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InUse {
    /// It does.
    InUse,
    /// It does not.
    Idle,
    /// Nobody can tell: counts as in use.
    #[default]
    Unknown,
}

/// One thing that was said or seen about a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// What it is about: `class`, `vendor`, `name`, `role`, `model`, `ae_title`, ...
    pub what: String,
    /// What is claimed.
    pub value: String,
    /// Where it comes from: `mac`, `dhcp`, `dicom`, `behaviour`, `person`, ...
    pub source: String,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// When it was last seen.
    pub at: Timestamp,
}

/// A device as the inventory knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Its name in the inventory.
    pub id: DeviceId,
    /// Addresses that it used, the latest last.
    pub ip: Vec<IpAddr>,
    /// Its own Ethernet address, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Maker of the device or of its network card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Names, the best first.
    pub name: Vec<String>,
    /// What it most probably is.
    pub class: DeviceClass,
    /// How care depends on it.
    pub tier: Tier,
    /// Whether it serves a patient just now.
    pub in_use: InUse,
    /// How sure the class is, 0 to 1.
    pub confidence: f64,
    /// What is known, with provenance.
    pub claims: Vec<Claim>,
    /// First packet or log line.
    pub first_seen: Timestamp,
    /// Last packet or log line.
    pub last_seen: Timestamp,
    /// What it does for others: `pacs`, `dns_server`, `mqtt_broker`, ...
    pub roles: Vec<String>,
    /// How many others it talks with.
    pub peers: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
}
