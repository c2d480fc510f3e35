//! Every detector, one file each.

use crate::seam::Detector;

pub mod analyser_identity;
pub mod arp_spoofing;
pub mod arp_sweep;
pub mod beacon;
pub mod changed_behaviour;
pub mod closed_service;
pub mod crafted_packets;
pub mod default_credential;
pub mod device_mail;
pub mod device_orders;
pub mod dicom_query;
pub mod dicom_stranger;
pub mod directory_abuse;
pub mod dns_tunnel;
pub mod executable_image;
pub mod exfiltration;
pub mod first_contact;
pub mod flood;
pub mod injection;
pub mod malformed;
pub mod message_flood;
pub mod mqtt_topics;
pub mod name_poisoning;
pub mod new_external;
pub mod nfs_stranger;
pub mod packet_shapes;
pub mod password_guessing;
pub mod patient_data_outside;
pub mod plant_write;
pub mod record_access;
pub mod remote_session;
pub mod remote_tools;
pub mod rogue_dhcp;
pub mod rogue_service;
pub mod scan;
pub mod sensor_loss;
pub mod shared_host_key;
pub mod slow_requests;
pub mod smb_rewrite;
pub mod smb_worm;
pub mod snmp_control;
pub mod system_token;
pub mod ticket_theft;
pub mod unusual_behaviour;
pub mod vendor_backend;
pub mod web_attack;

/// Makes one detector.
pub type Make = fn() -> Box<dyn Detector>;

/// Makers of all detectors, in the order in which they are asked.
pub static ALL: &[Make] = &[
    || Box::<scan::Scan>::default(),
    || Box::<arp_sweep::ArpSweep>::default(),
    || Box::<first_contact::FirstContact>::default(),
    || Box::<closed_service::ClosedService>::default(),
    || Box::<new_external::NewExternal>::default(),
    || Box::<beacon::Beacon>::default(),
    || Box::<exfiltration::Exfiltration>::default(),
    || Box::<patient_data_outside::PatientDataOutside>::default(),
    || Box::<password_guessing::PasswordGuessing>::default(),
    || Box::<default_credential::DefaultCredential>::default(),
    || Box::<remote_session::RemoteSession>::default(),
    || Box::<web_attack::WebAttack>::default(),
    || Box::<flood::Flood>::default(),
    || Box::<message_flood::MessageFlood>::default(),
    || Box::<slow_requests::SlowRequests>::default(),
    || Box::<arp_spoofing::ArpSpoofing>::default(),
    || Box::<rogue_dhcp::RogueDhcp>::default(),
    || Box::<rogue_service::RogueService>::default(),
    || Box::<dns_tunnel::DnsTunnel>::default(),
    || Box::<dicom_query::DicomQuery>::default(),
    || Box::<dicom_stranger::DicomStranger>::default(),
    || Box::<injection::Injection>::default(),
    || Box::<mqtt_topics::MqttTopics>::default(),
    || Box::<record_access::RecordAccess>::default(),
    || Box::<smb_worm::SmbWorm>::default(),
    || Box::<smb_rewrite::SmbRewrite>::default(),
    || Box::<malformed::Malformed>::default(),
    || Box::<packet_shapes::PacketShapes>::default(),
    || Box::<crafted_packets::CraftedPackets>::default(),
    || Box::<vendor_backend::VendorBackend>::default(),
    || Box::<plant_write::PlantWrite>::default(),
    || Box::<snmp_control::SnmpControl>::default(),
    || Box::<name_poisoning::NamePoisoning>::default(),
    || Box::<executable_image::ExecutableImage>::default(),
    || Box::<device_orders::DeviceOrders>::default(),
    || Box::<analyser_identity::AnalyserIdentity>::default(),
    || Box::<system_token::SystemToken>::default(),
    || Box::<directory_abuse::DirectoryAbuse>::default(),
    || Box::<ticket_theft::TicketTheft>::default(),
    || Box::<nfs_stranger::NfsStranger>::default(),
    || Box::<device_mail::DeviceMail>::default(),
    || Box::<remote_tools::RemoteTools>::default(),
    || Box::<shared_host_key::SharedHostKey>::default(),
    || Box::<sensor_loss::SensorLoss>::default(),
    || Box::<unusual_behaviour::UnusualBehaviour>::default(),
    || Box::<changed_behaviour::ChangedBehaviour>::default(),
];

/// What a person should do next about the findings of a detector.
pub fn next_step(detector: &str) -> &'static str {
    ALL.iter()
        .map(|make| make().spec())
        .find(|spec| spec.name == detector)
        .map_or("Read the story and ask the owner of the device.", |spec| spec.next_step)
}
