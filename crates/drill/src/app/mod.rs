//! Encoders of application protocols, one file each: from what is meant to the bytes that real
//! stacks send. Nothing here knows hosts or time beyond what a message carries.

pub(crate) mod astm;
pub(crate) mod der;
pub(crate) mod dhcp;
pub(crate) mod dicom;
pub(crate) mod dicomweb;
pub(crate) mod dns;
pub(crate) mod fhir;
pub(crate) mod hl7;
pub(crate) mod http;
pub(crate) mod industrial;
pub(crate) mod kerberos;
pub(crate) mod ldap;
pub(crate) mod mqtt;
pub(crate) mod ntp;
pub(crate) mod remote;
pub(crate) mod sdc;
pub(crate) mod smb;
pub(crate) mod ssh;
pub(crate) mod syslog;
pub(crate) mod tls;
