//! Flows to observations: one file a protocol.
//!
//! A [`Protocol`] says whether a flow is in it ([`Protocol::probe`]) and opens a [`Parser`], which
//! turns bytes into observations. Parsers recognise by content, never by port; they cannot fail:
//! what breaks the rules is an observation too. They hold at most their cap, never read the clock
//! and never panic.
//!
//! To add one: a file here with its table of fields, one line in [`ALL`], a capture, a golden and a
//! fuzz target (`cargo xtask new protocol NAME` writes the start).
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod arp;
pub mod astm;
pub mod bacnet;
mod ber;
pub mod credentials;
pub mod dhcp;
pub mod dicom;
pub mod dns;
pub mod drive;
pub mod frames;
pub mod hl7;
pub mod http;
pub mod icmp;
pub mod kerberos;
pub mod ldap;
pub mod lpd;
pub mod modbus;
pub mod mqtt;
pub mod nbns;
pub mod ntlm;
pub mod ntp;
pub mod part10;
pub mod poct1a;
pub mod quic;
pub mod redact;
pub mod remote;
pub mod repeats;
pub mod rpc;
pub mod seam;
pub mod smb;
pub mod smtp;
pub mod snmp;
pub mod soap;
pub mod ssdp;
pub mod syslog;
pub mod tls;
pub mod wsdiscovery;
mod xml;

pub use seam::{Parser, Protocol, ProtocolSpec};

/// Every protocol, in the order in which they are asked.
pub static ALL: &[&dyn Protocol] = &[
    &dicom::Dicom,
    &hl7::Hl7,
    &astm::Astm,
    &http::Http,
    &http::h2::Http2,
    &wsdiscovery::WsDiscovery,
    &tls::Tls,
    &mqtt::Mqtt,
    &syslog::Syslog,
    &dns::DNS,
    &dns::MDNS,
    &dns::LLMNR,
    &nbns::Nbns,
    &snmp::Snmp,
    &bacnet::Bacnet,
    &modbus::Modbus,
    &ssdp::Ssdp,
    &quic::Quic,
    &dhcp::Dhcp,
    &ntp::Ntp,
    &icmp::Icmp,
    &smb::Smb,
    &remote::ssh::Ssh,
    &remote::telnet::Telnet,
    &remote::ftp::Ftp,
    &remote::rdp::Rdp,
    &remote::vnc::Vnc,
    &ldap::Ldap,
    &kerberos::Kerberos,
    &poct1a::Poct1A,
    &rpc::Rpc,
    &smtp::Smtp,
    &lpd::Lpd,
];
