//! What devices answer to those who manage them: SNMP, BACnet and Modbus identities.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn, no_weights};
use crate::record::NameRank;

/// Reads `snmp.response`, `bacnet.device` and `modbus.device`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "managed",
    doc: "Names, makers and models that devices give over SNMP, BACnet and Modbus.",
    reads: &[
        ("snmp.response", &["sys_descr", "sys_name", "sys_object_id", "model", "vendor"]),
        ("bacnet.device", &["name", "vendor", "model", "firmware", "instance", "from_network"]),
        ("modbus.device", &["vendor", "product", "name", "model", "revision"]),
    ],
    learn,
    weigh: no_weights,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    let who = learn.subject;
    match o.kind.name {
        "snmp.response" => {
            claim(o, learn, &["vendor", "model", "sys_descr", "sys_object_id"]);
            if let Some(name) = o.str("sys_name") {
                learn.name(who, NameRank::Host, name);
            }
            // What it says it is, in its maker's words.
            if let Some(descr) = o.str("sys_descr") {
                learn.application(who, descr);
            }
        }
        // Behind a router it is another device that speaks.
        "bacnet.device" if o.uint("from_network").is_none() => {
            claim(o, learn, &["vendor", "model", "firmware"]);
            if let Some(name) = o.str("name") {
                learn.name(who, NameRank::Application, name);
            }
            learn.hint(who, C::BuildingController, 1.5);
        }
        "modbus.device" => {
            claim(o, learn, &["vendor", "model"]);
            if let Some(product) = o.str("name").or(o.str("product")) {
                learn.application(who, product);
            }
        }
        _ => {}
    }
}

fn claim(o: &Observation, learn: &mut Learn<'_>, fields: &[&'static str]) {
    for field in fields {
        if let Some(text) = o.str(field) {
            learn.claim(learn.subject, field, text, 0.7);
        }
    }
}
