//! Daily life: what each kind of host does when nothing is wrong. One file a kind.

pub(crate) mod bedside;
pub(crate) mod building;
pub(crate) mod cabinet;
pub(crate) mod desk;
pub(crate) mod housekeeping;
pub(crate) mod lab;
pub(crate) mod modality;
pub(crate) mod newer;
pub(crate) mod pump;
pub(crate) mod servers;
pub(crate) mod web;

use crate::activity::Activity;
use crate::role::Role;
use crate::world::{HostId, World};

/// The habits of a host.
pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    let role = w.hosts[host].role;
    let mut all = match role {
        Role::Ct | Role::Mr | Role::Ultrasound | Role::Xray | Role::Mammography | Role::EcgCart => {
            modality::life(w, host)
        }
        Role::Reading | Role::Nurse => desk::life(w, host),
        Role::Biomed => desk::biomed(w, host),
        Role::Monitor | Role::Ventilator => bedside::life(w, host),
        Role::Pump => pump::life(w, host),
        Role::Update => pump::server(w, host),
        Role::Analyser | Role::PointOfCare => lab::life(w, host),
        Role::Lis => lab::server(w, host),
        Role::Cabinet => cabinet::life(w, host),
        Role::Printer | Role::Camera | Role::Bms => building::life(w, host),
        Role::Ehr | Role::Engine | Role::Dns | Role::Ntp | Role::Files => servers::life(w, host),
        _ => vec![],
    };
    if w.newer {
        all.extend(newer::life(w, host));
    }
    if !matches!(role, Role::Internet | Role::Stranger | Role::Gateway) {
        all.extend(housekeeping::life(w, host));
    }
    all
}
