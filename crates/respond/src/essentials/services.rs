//! What a service is for care, by what is spoken.
//!
//! Names are those of observations (`docs/reference/protocols.md`). Where nothing recognises the
//! content (TLS, RADIUS) the port says it: those that IANA assigned.

use crate::restriction::{Conversation, Proto};

/// What a service is for care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Carries care itself: images, orders, results, vital signs, alarms.
    Clinical,
    /// Carries the network that care stands on: addresses, names, time, sign-in.
    Infrastructure,
    /// Neither, or nobody knows.
    Other,
}

/// Services: name, kind, what it carries, whether nobody answers by nature.
const SERVICES: &[(&str, Kind, &str, bool)] = &[
    ("dicom", Kind::Clinical, "images and worklists (DICOM)", false),
    ("dicomweb", Kind::Clinical, "images (DICOMweb)", false),
    ("hl7", Kind::Clinical, "orders, results and alarms (HL7)", false),
    ("fhir", Kind::Clinical, "patient records (FHIR)", false),
    ("astm", Kind::Clinical, "laboratory results (ASTM)", false),
    ("poct1a", Kind::Clinical, "point-of-care results (POCT1-A)", false),
    ("mqtt", Kind::Clinical, "messages of devices (MQTT)", false),
    ("soap", Kind::Clinical, "device connectivity (SDC or web services)", false),
    ("ws-discovery", Kind::Clinical, "devices finding each other (WS-Discovery)", true),
    ("bacnet", Kind::Clinical, "building control (BACnet)", false),
    ("modbus", Kind::Clinical, "control (Modbus)", false),
    ("dns", Kind::Infrastructure, "names (DNS)", false),
    ("dhcp", Kind::Infrastructure, "addresses (DHCP)", true),
    ("ntp", Kind::Infrastructure, "time (NTP)", false),
    ("radius", Kind::Infrastructure, "network access (RADIUS)", false),
    ("kerberos", Kind::Infrastructure, "sign-in (Kerberos)", false),
    ("ldap", Kind::Infrastructure, "directory (LDAP)", false),
    ("syslog", Kind::Infrastructure, "logs (syslog)", true),
];

/// What is behind a port where the content says nothing (IANA service names and port numbers).
const PORTS: &[(Proto, u16, &str)] = &[
    (Proto::Tcp, 104, "dicom"),
    (Proto::Tcp, 2761, "dicom"),
    (Proto::Tcp, 2762, "dicom"),
    (Proto::Tcp, 11_112, "dicom"),
    (Proto::Tcp, 2575, "hl7"),
    (Proto::Tcp, 8883, "mqtt"),
    (Proto::Tcp, 853, "dns"),
    (Proto::Tcp, 636, "ldap"),
    (Proto::Tcp, 3269, "ldap"),
    (Proto::Tcp, 6514, "syslog"),
    (Proto::Tcp, 2083, "radius"),
    (Proto::Udp, 1812, "radius"),
    (Proto::Udp, 1813, "radius"),
    (Proto::Udp, 67, "dhcp"),
    (Proto::Udp, 68, "dhcp"),
    (Proto::Udp, 546, "dhcp"),
    (Proto::Udp, 547, "dhcp"),
];

/// What is known of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    pub(super) kind: Kind,
    /// What it carries, in plain words; empty where nobody knows.
    pub(super) carries: &'static str,
    /// Whether nobody answers by nature.
    pub(super) one_way: bool,
}

/// The service of a conversation, by its recorded name, or by its port where the name says nothing.
pub(super) fn service(name: &str, conversation: &Conversation) -> Service {
    let says_nothing = matches!(name, "" | "unrecognised" | "tcp" | "udp" | "tls");
    let by_port = || {
        let (proto, port) = (conversation.proto, conversation.port);
        PORTS.iter().find(|row| (row.0, row.1) == (proto, port)).map_or("", |row| row.2)
    };
    let name = if says_nothing { by_port() } else { name };
    match SERVICES.iter().find(|row| row.0 == name) {
        Some(&(_, kind, carries, one_way)) => Service { kind, carries, one_way },
        None => Service { kind: Kind::Other, carries: "", one_way: false },
    }
}

/// What a recorded conversation carries, in plain words; empty where nobody knows.
pub(crate) fn carries(name: &str, conversation: &Conversation) -> &'static str {
    service(name, conversation).carries
}

/// Whether a recorded conversation carries the network that care stands on.
pub(crate) fn is_infrastructure(name: &str, conversation: &Conversation) -> bool {
    service(name, conversation).kind == Kind::Infrastructure
}

/// Whether a recorded conversation carries care itself.
pub(crate) fn is_clinical(name: &str, conversation: &Conversation) -> bool {
    service(name, conversation).kind == Kind::Clinical
}
