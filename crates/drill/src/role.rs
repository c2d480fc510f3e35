//! What the hosts of a hospital are for, and what follows from that alone: where they are plugged
//! in, who makes them, which stack they run.

use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($variant:ident, $name:literal, $zone:ident, $os:ident, $doc:literal, [$($oui:literal),*];)*) => {
        /// What a host is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Role {
            $(#[doc = $doc] $variant,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Short lower-case name, of which host names are made.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Where such hosts are plugged in.
            pub(crate) const fn zone(self) -> Zone {
                match self { $(Self::$variant => Zone::$zone,)* }
            }

            /// The usual network stack.
            pub(crate) const fn os(self) -> Os {
                match self { $(Self::$variant => Os::$os,)* }
            }

            /// Address prefixes of makers of such hosts (IEEE MA-L registry), three bytes each.
            pub(crate) const fn makers(self) -> &'static [u32] {
                match self { $(Self::$variant => &[$($oui),*],)* }
            }
        }
    };
}

roles! {
    Ct, "ct", Imaging, Windows, "CT scanner.", [0x884b39, 0x444b5d, 0xa0f217];
    Mr, "mr", Imaging, Windows, "MR scanner.", [0x444b5d, 0xa0f217, 0x884b39, 0x00095c];
    Ultrasound, "us", Imaging, Windows, "Ultrasound scanner.", [0x444b5d, 0x00095c, 0x00e0a4, 0x000f14];
    Xray, "xr", Imaging, Windows, "X-ray system.", [0x001d4a, 0x080066, 0x00c02d, 0x00e096];
    Mammography, "mg", Imaging, Windows, "Mammography system.", [0x00c02d, 0x88b436, 0x884b39];
    Reading, "read", Office, Windows, "Reading workstation of a radiologist or physician.", [0xc8f750, 0x98e743, 0x040e3c, 0x10c595];
    Nurse, "nurse", Office, Windows, "Workstation on a ward.", [0xf80dac, 0x6c2b59, 0x10c595, 0x508140];
    Biomed, "biomed", Office, Windows, "Laptop of the engineers who maintain the devices.", [0x10c595, 0x6c2b59];
    Pacs, "pacs", Servers, Linux, "Image archive, with the modality worklist.", [0x4caea3, 0xc8f750, 0x005056];
    Engine, "engine", Servers, Linux, "HL7 interface engine.", [0x005056, 0x001c14, 0x4caea3];
    Lis, "lis", Servers, Windows, "Laboratory information system.", [0x005056, 0xc8f750];
    Ehr, "ehr", Servers, Linux, "Electronic health record server.", [0x005056, 0x000c29];
    Dns, "dns", Servers, Windows, "Name server.", [0x005056, 0x6c2b59];
    Dhcp, "dhcp", Servers, Linux, "DHCP server.", [0x000c29, 0x005056];
    Ntp, "ntp", Servers, Linux, "Time server.", [0xf4bd9e, 0x005056];
    Broker, "broker", Servers, Linux, "MQTT broker of the pumps.", [0x005056, 0x000c29];
    Update, "update", Servers, Windows, "Server of drug libraries and firmware.", [0x005056, 0xc8f750];
    Files, "files", Servers, Windows, "File server.", [0xc8f750, 0x4caea3];
    Logs, "logs", Servers, Linux, "Collector of device logs.", [0x005056, 0x4caea3];
    Central, "central", Monitoring, Windows, "Central station of the patient monitors.", [0x0009fb, 0x0030e6, 0x00a0aa];
    Monitor, "mon", Monitoring, Embedded, "Bedside patient monitor.", [0x0009fb, 0x0030e6, 0x00a037, 0x00a09a, 0x00a0aa];
    Ventilator, "vent", Monitoring, Embedded, "Ventilator.", [0x00105d, 0x002541, 0x00236d];
    Pump, "pump", Pumps, Small, "Infusion pump.", [0x001221, 0x5846e1, 0x0003b1, 0xf8c678, 0x001338, 0x001a01];
    Cabinet, "cabinet", Pumps, Windows, "Medication cabinet.", [0x9cc8ae, 0x74fe48];
    Analyser, "lab", Lab, Embedded, "Laboratory analyser.", [0x000e2f, 0x0013dd, 0x00066b, 0x00e090, 0x001865];
    PointOfCare, "poct", Lab, Small, "Point-of-care analyser.", [0xc0a26d, 0xb87879, 0x20e791];
    EcgCart, "ecg", Monitoring, Embedded, "ECG cart.", [0x000f82, 0x000db8, 0x001afa];
    Printer, "print", Office, Small, "Printer.", [0x0021b7, 0x008077, 0x94fb29];
    Camera, "cam", Building, Small, "Camera.", [0xb8a44f, 0x00408c, 0x4447cc];
    Controller, "bas", Building, Small, "Controller of ventilation and heating.", [0x00108d, 0x00203d, 0x0080a3];
    Bms, "bms", Building, Windows, "Building management server.", [0x00c0e4, 0xc8f750];
    Gateway, "gateway", Servers, Linux, "Router and way to the Internet.", [0xf4bd9e, 0x084fa9, 0x883a30];
    Internet, "inet", Outside, Linux, "A host on the Internet.", [0xf4bd9e];
    Stranger, "stranger", Office, Linux, "A host that does not belong.", [0xdca632, 0x00e04c, 0xd03745, 0x049226];
}

impl Role {
    /// Whether it makes images and sends them to the archive.
    pub(crate) const fn is_modality(self) -> bool {
        matches!(self, Self::Ct | Self::Mr | Self::Ultrasound | Self::Xray | Self::Mammography)
    }

    /// Whether people sit in front of it.
    pub(crate) const fn is_desk(self) -> bool {
        matches!(self, Self::Reading | Self::Nurse | Self::Biomed)
    }

    /// Whether it serves others rather than patients.
    pub(crate) const fn is_server(self) -> bool {
        matches!(self.zone(), Zone::Servers) && !matches!(self, Self::Gateway)
    }
}

/// A part of the network: a VLAN of its own, or only a habit of numbering in a flat network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Zone {
    Servers,
    Imaging,
    Monitoring,
    Pumps,
    Lab,
    Office,
    Building,
    Outside,
}

impl Zone {
    /// The zones inside the hospital.
    pub(crate) const INSIDE: [Self; 7] = [
        Self::Servers,
        Self::Imaging,
        Self::Monitoring,
        Self::Pumps,
        Self::Lab,
        Self::Office,
        Self::Building,
    ];
}

/// A network stack, as far as packets show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Os {
    /// Linux: time stamps, scale 7.
    Linux,
    /// Windows: TTL 128, no time stamps, scale 8.
    Windows,
    /// An embedded Linux or real-time system: small windows.
    Embedded,
    /// A tiny stack: TTL 255 or 64, no options but MSS.
    Small,
}

impl Os {
    pub(crate) const fn ttl(self) -> u8 {
        match self {
            Self::Linux | Self::Embedded => 64,
            Self::Windows => 128,
            Self::Small => 255,
        }
    }

    /// Window of a SYN, window afterwards, and scale (zero: option not offered).
    pub(crate) const fn windows(self) -> (u16, u16, u8) {
        match self {
            Self::Linux => (64_240, 502, 7),
            Self::Windows => (64_240, 1_026, 8),
            Self::Embedded => (29_200, 229, 7),
            Self::Small => (16_384, 16_384, 0),
        }
    }

    /// Whether it sends TCP time stamps.
    pub(crate) const fn stamps(self) -> bool {
        matches!(self, Self::Linux | Self::Embedded)
    }

    /// First port that it calls from, and how many there are.
    pub(crate) const fn ports(self) -> (u16, u16) {
        match self {
            Self::Linux | Self::Embedded => (32_768, 28_232),
            Self::Windows | Self::Small => (49_152, 16_000),
        }
    }
}
