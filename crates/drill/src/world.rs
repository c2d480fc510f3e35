//! The hospital while it lives: its hosts, its network, its servers, and the queue of what is to
//! come. Everything that happens is said through this.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use model::Mac;

use crate::change::Changes;
use crate::net::queue::{Item, Queue};
use crate::net::tcp::Tcp;
use crate::people::Patient;
use crate::rng::Rng;
use crate::role::Role;
use crate::time::{Nanos, iso};

/// A host's place in [`World::hosts`].
pub(crate) type HostId = usize;

/// A host, as the network and its neighbours know it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) ip: Ipv4Addr,
    pub(crate) mac: Mac,
    /// Its place in [`World::subnets`].
    pub(crate) subnet: usize,
    pub(crate) external: bool,
    pub(crate) ttl: u8,
    pub(crate) ip_id: u16,
    pub(crate) next_port: u16,
    /// TCP ports where a service answers.
    pub(crate) open: Vec<u16>,
    /// Says that a port is closed, rather than nothing.
    pub(crate) refuses: bool,
    pub(crate) pings: bool,
    /// DICOM application entity title.
    pub(crate) title: String,
    /// Who usually works at it, where it is a desk.
    pub(crate) user: String,
    pub(crate) model: String,
    pub(crate) serial: String,
}

/// One network of hosts that reach each other without a router.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    pub(crate) base: Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) gateway: Ipv4Addr,
    /// 802.1Q tag that the sensor sees.
    pub(crate) tag: Option<u16>,
}

/// A service: the host, its port, and whether it speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) host: HostId,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl Service {
    /// The host and the port.
    pub(crate) const fn at(self) -> (HostId, u16) {
        (self.host, self.port)
    }
}

/// The servers that a hospital has; a small one lets one host do several things.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services {
    /// DICOM storage, query and retrieve.
    pub(crate) pacs: Option<Service>,
    /// HL7 v2 over MLLP.
    pub(crate) hl7: Option<Service>,
    /// ASTM E1394 of the analysers.
    pub(crate) lis: Option<Service>,
    /// FHIR over HTTP.
    pub(crate) fhir: Option<Service>,
    /// MQTT of the pumps.
    pub(crate) broker: Option<Service>,
    /// Drug libraries and firmware over HTTP.
    pub(crate) update: Option<Service>,
    /// SMB shares.
    pub(crate) files: Option<Service>,
    pub(crate) dns: Option<HostId>,
    pub(crate) dhcp: Option<HostId>,
    pub(crate) ntp: Option<HostId>,
    pub(crate) logs: Option<HostId>,
    pub(crate) bms: Option<HostId>,
}

/// The hospital.
pub(crate) struct World {
    pub(crate) hosts: Vec<Host>,
    /// How many of these, the first ones, have been there from the first day.
    pub(crate) founders: usize,
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) gateway: HostId,
    pub(crate) services: Services,
    /// DNS domain of the site.
    pub(crate) domain: String,
    pub(crate) patients: Vec<Patient>,
    pub(crate) queue: Queue,
    /// Who knows whose link address, until when.
    pub(crate) arp: BTreeMap<(HostId, HostId), Nanos>,
    /// Conversations that stay open for hours, by caller and purpose.
    pub(crate) sessions: BTreeMap<(HostId, &'static str), Tcp>,
    /// Chance of whoever acts now.
    pub(crate) rng: Rng,
    /// Share of data segments sent again.
    pub(crate) retransmit: f64,
    /// Share of data segments that the sensor misses or sees out of order.
    pub(crate) loss: f64,
    /// Mean size of an image's pixels, in bytes.
    pub(crate) image_bytes: usize,
    /// How much more than usual goes on (1: as usual).
    pub(crate) pace: f64,
    /// What newer hospitals have besides.
    pub(crate) newer: bool,
    /// When life begins and when attacks may.
    pub(crate) start: Nanos,
    /// Hosts that are off the network until a time: unplugged, on the move, between access points.
    pub(crate) away: BTreeMap<HostId, Nanos>,
    /// Hosts that have come and have no habits yet.
    pub(crate) newborn: Vec<HostId>,
    /// Addresses that hosts had before they moved.
    pub(crate) former: Vec<(String, Ipv4Addr, Mac)>,
    /// What has changed in normal life since the beginning.
    pub(crate) changes: Changes,
}

impl World {
    /// Hosts of a role, in the order they were made.
    pub(crate) fn all(&self, role: Role) -> Vec<HostId> {
        (0..self.hosts.len()).filter(|&h| self.hosts[h].role == role).collect()
    }

    /// One host of a role, by chance.
    pub(crate) fn any(&mut self, role: Role) -> Option<HostId> {
        let all = self.all(role);
        if all.is_empty() { None } else { Some(*self.rng.pick(&all)) }
    }

    /// One host of any of these roles, by chance.
    pub(crate) fn any_of(&mut self, roles: &[Role]) -> Option<HostId> {
        let all: Vec<HostId> = roles.iter().flat_map(|&r| self.all(r)).collect();
        if all.is_empty() { None } else { Some(*self.rng.pick(&all)) }
    }

    /// Devices at patients and in departments: everything inside but servers, desks and strangers.
    pub(crate) fn devices(&self) -> Vec<HostId> {
        (0..self.hosts.len())
            .filter(|&h| {
                let role = self.hosts[h].role;
                !self.hosts[h].external
                    && !role.is_server()
                    && !role.is_desk()
                    && !matches!(role, Role::Gateway | Role::Stranger)
            })
            .collect()
    }

    /// The full DNS name of a host.
    pub(crate) fn fqdn(&self, host: HostId) -> String {
        let host = &self.hosts[host];
        if host.external { host.name.clone() } else { format!("{}.{}", host.name, self.domain) }
    }

    /// Takes an open conversation up again; none where there is none, or where the caller's
    /// address has changed since.
    pub(crate) fn resume(&mut self, host: HostId, purpose: &'static str) -> Option<Tcp> {
        let tcp = self.sessions.remove(&(host, purpose))?;
        (tcp.caller().2 == self.hosts[host].ip).then_some(tcp)
    }

    /// Leaves a conversation open for later.
    pub(crate) fn keep(&mut self, purpose: &'static str, tcp: Tcp) {
        self.sessions.insert((tcp.caller().0, purpose), tcp);
    }

    /// The log collector writes what a device reports.
    pub(crate) fn log(&mut self, at: Nanos, host: HostId, app: &str, severity: u8, text: &str) {
        let name = &self.hosts[host].name;
        let process = 900 + host * 7;
        let priority = 16 * 8 + severity;
        let line = format!("<{priority}>1 {} {name} {app} {process} - - {text}", iso(at));
        self.queue.push(at, Item::Syslog(line));
    }

    /// The record system writes that a user read a patient's record.
    pub(crate) fn audit(&mut self, at: Nanos, user: &str, from: HostId, patient: &str) {
        let record = serde_json::json!({
            "resourceType": "AuditEvent",
            "type": {
                "system": "http://dicom.nema.org/resources/ontology/DCM",
                "code": "110110", "display": "Patient Record",
            },
            "action": "R",
            "recorded": iso(at),
            "outcome": "0",
            "agent": [{
                "who": {"identifier": {"value": user}},
                "requestor": true,
                "network": {"address": self.hosts[from].ip.to_string(), "type": "2"},
            }],
            "source": {"observer": {"display": "ehr"}},
            "entity": [{"what": {"reference": format!("Patient/{patient}")}}],
        });
        self.queue.push(at, Item::Audit(record.to_string()));
    }
}
