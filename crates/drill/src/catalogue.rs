//! The list of all scenarios: one line each.

use crate::attacks;
use crate::lookalikes;
use crate::scenario::{Kind, Scenario, Scene, Story};

/// An entry of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name, as a plan gives it.
    pub name: &'static str,
    /// Whether it does harm.
    pub malicious: bool,
    /// Technique of MITRE ATT&CK, Enterprise or ICS; `-` where it does no harm.
    pub technique: &'static str,
    /// One line for people.
    pub line: &'static str,
}

/// Every scenario, attacks first.
pub fn catalogue() -> Vec<Entry> {
    let entry = |s: &Scenario| Entry {
        name: s.name,
        malicious: s.kind == Kind::Attack,
        technique: s.technique,
        line: s.line,
    };
    ALL.iter().map(entry).collect()
}

const fn attack(
    name: &'static str,
    technique: &'static str,
    play: fn(&mut Scene<'_>) -> Option<Story>,
    line: &'static str,
) -> Scenario {
    Scenario { name, kind: Kind::Attack, technique, line, play, clear: false }
}

const fn benign(
    name: &'static str,
    play: fn(&mut Scene<'_>) -> Option<Story>,
    line: &'static str,
) -> Scenario {
    Scenario { name, kind: Kind::LookAlike, technique: "-", line, play, clear: false }
}

/// Every scenario.
pub(crate) const ALL: &[Scenario] = &[
    attack("ping_sweep", "T1018", attacks::sweep::ping, "Echo requests to a whole device network."),
    attack(
        "arp_sweep",
        "T1018",
        attacks::sweep::arp,
        "ARP requests for every address of a network.",
    ),
    attack("syn_sweep", "T1046", attacks::sweep::syn, "One TCP port tried on every device."),
    attack(
        "port_scan",
        "T1046",
        attacks::port_scan::play,
        "Hundreds of TCP ports tried on a few devices.",
    ),
    attack(
        "dicom_wildcard_query",
        "T1213",
        attacks::dicom_wildcard_query::play,
        "The archive is asked for all patients.",
    ),
    attack(
        "dicom_bulk_retrieve",
        "T1213",
        attacks::dicom_bulk_retrieve::play,
        "Study after study is fetched from the archive.",
    ),
    attack(
        "dicom_title_scan",
        "T1046",
        attacks::dicom_title_scan::play,
        "Application entity titles are guessed at the archive.",
    )
    .in_clear(),
    attack(
        "dicom_store_outside",
        "T1048",
        attacks::dicom_store_outside::play,
        "Studies are stored to a host on the Internet.",
    ),
    attack(
        "password_guessing_http",
        "T1110",
        attacks::password_guessing::http,
        "Passwords are guessed on a device's web console.",
    ),
    attack(
        "password_guessing_ssh",
        "T1110",
        attacks::password_guessing::ssh,
        "Passwords are guessed on a server's SSH.",
    ),
    attack(
        "password_guessing_telnet",
        "T1110",
        attacks::password_guessing::telnet,
        "Passwords are guessed on a bedside device's Telnet.",
    ),
    attack(
        "password_guessing_ftp",
        "T1110",
        attacks::password_guessing::ftp,
        "Passwords are guessed on an analyser's FTP.",
    ),
    attack(
        "default_login",
        "T1078.001",
        attacks::default_login::play,
        "The maker's built-in account is used on devices.",
    ),
    attack("syn_flood", "T0814", attacks::flood::syn, "A clinical server is flooded with SYN."),
    attack("udp_flood", "T0814", attacks::flood::udp, "A device is flooded with datagrams."),
    attack("icmp_flood", "T0814", attacks::flood::icmp, "A device is flooded with echo requests."),
    attack(
        "http_flood",
        "T1499.002",
        attacks::flood::http,
        "A clinical server is flooded with requests.",
    )
    .in_clear(),
    attack(
        "mqtt_flood",
        "T1499.002",
        attacks::flood::mqtt,
        "The broker is flooded with connections and messages.",
    )
    .in_clear(),
    attack(
        "slowloris",
        "T1499.002",
        attacks::slowloris::play,
        "Half-sent requests hold a server's connections.",
    )
    .in_clear(),
    attack(
        "arp_spoofing",
        "T1557.002",
        attacks::arp_spoofing::play,
        "A host poses as a device's server or router, and back.",
    ),
    attack(
        "rogue_dhcp",
        "T1557.003",
        attacks::rogue_dhcp::play,
        "A second DHCP server names itself as router.",
    ),
    attack(
        "rogue_dns",
        "T1557",
        attacks::rogue_dns::play,
        "A name server that nobody set up sends devices outside.",
    ),
    attack(
        "rogue_time",
        "T0830",
        attacks::rogue_time::play,
        "A time server that nobody set up is hours wrong.",
    ),
    attack(
        "beacon_http",
        "T1071.001",
        attacks::beacon::http,
        "Malware calls home over HTTP, with jitter.",
    ),
    attack(
        "beacon_tls",
        "T1071.001",
        attacks::beacon::tls,
        "Malware calls home over TLS, with jitter.",
    ),
    attack(
        "dns_tunnel",
        "T1071.004",
        attacks::dns_tunnel::play,
        "Data leaves in the names that are asked for.",
    ),
    attack(
        "vitals_spoofing",
        "T0856",
        attacks::vitals_spoofing::play,
        "A host poses as a bedside monitor.",
    ),
    attack(
        "odd_packets",
        "T0866",
        attacks::odd_packets::play,
        "Packets of shapes that break network stacks.",
    ),
    attack(
        "vitals_to_internet",
        "T1041",
        attacks::vitals_to_internet::play,
        "A monitor sends vital signs to the Internet.",
    ),
    attack(
        "cloud_upload",
        "T1567",
        attacks::upload::cloud,
        "Much is uploaded to a new cloud over TLS.",
    ),
    attack(
        "ftp_upload",
        "T1048.003",
        attacks::upload::ftp,
        "Archives are uploaded to an external FTP server.",
    ),
    attack(
        "hl7_injection",
        "T0856",
        attacks::hl7_injection::play,
        "Results reach the engine from a host that is no interface.",
    ),
    attack(
        "astm_injection",
        "T0856",
        attacks::astm_injection::play,
        "Results reach the laboratory from a host that is no analyser.",
    ),
    attack(
        "mqtt_command",
        "T0855",
        attacks::mqtt_command::play,
        "Commands are published to other pumps' topics.",
    )
    .in_clear(),
    attack(
        "mqtt_eavesdropping",
        "T0801",
        attacks::mqtt_eavesdropping::play,
        "A host subscribes to every topic of the pumps.",
    )
    .in_clear(),
    attack(
        "malformed_mqtt",
        "T1499.004",
        attacks::malformed::mqtt,
        "Packets that break MQTT are thrown at the broker.",
    )
    .in_clear(),
    attack(
        "malformed_dicom",
        "T1499.004",
        attacks::malformed::dicom,
        "Units that break DICOM are thrown at the archive.",
    )
    .in_clear(),
    attack(
        "malformed_hl7",
        "T1499.004",
        attacks::malformed::hl7,
        "Messages that break HL7 are thrown at the engine.",
    ),
    attack(
        "smb_worm",
        "T1210",
        attacks::smb_worm::play,
        "A worm tries every host and copies itself to ADMIN$.",
    ),
    attack(
        "ransomware",
        "T1486",
        attacks::ransomware::play,
        "The file share is read, overwritten with noise and renamed.",
    ),
    attack(
        "telnet_session",
        "T0886",
        attacks::remote_session::telnet,
        "Somebody changes alarm limits of a device over Telnet.",
    ),
    attack(
        "ssh_session",
        "T1021.004",
        attacks::remote_session::ssh,
        "Somebody works on a medical device over SSH.",
    ),
    attack(
        "vnc_session",
        "T1021.005",
        attacks::remote_session::vnc,
        "Somebody clicks on a monitoring station over VNC.",
    ),
    attack(
        "rdp_session",
        "T1021.001",
        attacks::remote_session::rdp,
        "Somebody works on a scanner over RDP.",
    ),
    attack(
        "fhir_scraping",
        "T1213",
        attacks::fhir_scraping::play,
        "A token reads the whole population page by page.",
    ),
    attack(
        "record_snooping",
        "T1213",
        attacks::record_snooping::play,
        "One user opens the records of a hundred patients.",
    ),
    attack(
        "ventilation_write",
        "T0836",
        attacks::ventilation_write::play,
        "A desk changes the set points of ventilation.",
    ),
    attack(
        "lateral_to_pumps",
        "T0867",
        attacks::lateral_to_pumps::play,
        "From a scanner, a tool is copied to the pumps.",
    ),
    attack(
        "firmware_push",
        "T0857",
        attacks::firmware_push::play,
        "Firmware is pushed from a host that is not the server.",
    ),
    benign(
        "pacs_migration",
        lookalikes::pacs_migration::play,
        "B01: the archive is migrated to its successor.",
    ),
    benign(
        "firmware_rollout",
        lookalikes::firmware_rollout::play,
        "B02: all pumps fetch firmware from their usual server.",
    ),
    benign(
        "maintenance_day",
        lookalikes::maintenance_day::play,
        "B03: the engineers' laptop visits devices.",
    ),
    benign("ward_move", lookalikes::ward_move::play, "B05: monitors get new addresses."),
    benign("new_modality", lookalikes::new_modality::play, "B06: a new scanner is commissioned."),
    benign("clock_step", lookalikes::clock_step::play, "B07: the time server steps."),
    benign("roam_storm", lookalikes::roam_storm::play, "B08: an access point restarts."),
    benign("busy_night", lookalikes::busy_night::play, "B09: a surge of studies."),
    benign(
        "vendor_service",
        lookalikes::vendor_service::play,
        "B10: remote service from the usual address.",
    ),
    benign(
        "interface_replay",
        lookalikes::interface_replay::play,
        "B11: a known sender empties its queue.",
    ),
    benign(
        "switch_replacement",
        lookalikes::switch_replacement::play,
        "B12: hosts announce themselves after a switch is replaced.",
    ),
    benign(
        "conference",
        lookalikes::conference::play,
        "A known workstation reads many studies one by one.",
    ),
    benign("backup", lookalikes::backup::play, "The file server copies its documents."),
    benign("new_device", lookalikes::new_device::play, "One more device of a known kind joins."),
];
