//! Somebody writes to a controller of ventilation, pressure or gas who never wrote to one.
//!
//! BACnet and Modbus know no password: who can reach a controller can change the pressure of an
//! operating theatre. In normal life one or two machines write, the building management system, and
//! many read. A reader that begins to write is as odd as a newcomer.
//!
//! The look-alikes: a second server of the same system (told by `kin`), and polling, which writes
//! nothing. Who merely speaks to a controller for the first time is `closed_service`.

use assets::Entity;
use learn::Bounded;
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::kin;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "plant_write",
    doc: "A controller of ventilation, pressure or gas is written to or restarted by a machine that never did.",
    kind: FindingKind::Anomaly,
    reads: &["bacnet.request", "modbus.request"],
    attack: &["T0855", "T0836"],
    next_step: "Check the set-points in the room with whoever runs the building. Ask whether the machine may write to controllers; if not, close its way to them.",
    sources: &[
        "ANSI/ASHRAE 135-2020, clauses 15 and 16",
        "MODBUS Application Protocol Specification V1.1b3",
        "MITRE ATT&CK T0855, T0836",
        "spec S25",
    ],
};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlantWrite {
    /// Who wrote to a controller while learning.
    writers: Bounded<Entity, Vec<Entity>>,
    /// Everybody who wrote to any.
    all: Vec<Entity>,
}

/// Most writers that are remembered, of one controller and of all.
const MOST: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Write,
    Restart,
    Silence,
}

impl Order {
    fn of(o: &Observation) -> Option<Self> {
        if o.is("modbus.request") {
            return match (o.uint("code"), o.uint("sub_function")) {
                (Some(8), Some(1)) => Some(Self::Restart),
                (Some(8), Some(4)) => Some(Self::Silence),
                _ => o.flag("write").then_some(Self::Write),
            };
        }
        match o.str("service")? {
            "write_property"
            | "write_property_multiple"
            | "write_group"
            | "atomic_write_file"
            | "add_list_element"
            | "remove_list_element"
            | "create_object"
            | "delete_object"
            | "life_safety_operation" => Some(Self::Write),
            "reinitialize_device" => Some(Self::Restart),
            "device_communication_control" if o.str("state") != Some("enable") => {
                Some(Self::Silence)
            }
            _ => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Write => "changes settings of",
            Self::Restart => "restarts",
            Self::Silence => "silences",
        }
    }
}

impl Default for PlantWrite {
    fn default() -> Self {
        Self { writers: Bounded::new(20_000), all: Vec::new() }
    }
}

impl Detector for PlantWrite {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(order) = Order::of(o) else { return };
        let (writer, target) = (cx.who.subject, cx.who.peer);
        if cx.learning() {
            let of_target = self.writers.entry(target, Vec::new);
            for list in [of_target, &mut self.all] {
                if list.len() < MOST && !list.contains(&writer) {
                    list.push(writer);
                }
            }
            return;
        }
        let known = self.writers.get(&target).is_some_and(|writers| writers.contains(&writer));
        if known {
            return;
        }
        let elsewhere = self.all.contains(&writer) || kin::one_more(cx, writer, &self.all);
        // Patients depend on the air of a theatre; an order to everybody concerns all plants.
        let grave = cx.is_clinical(target)
            || matches!(target, Entity::Group)
            || order != Order::Write
            || cx.is_external(writer);
        let severity = match (elsewhere, grave) {
            (true, _) => Severity::Low,
            (false, true) => Severity::High,
            (false, false) => Severity::Medium,
        };
        let title = words::sentence(&format!(
            "{} {} {}{}, which it never did.",
            cx.subject(o),
            order.words(),
            cx.peer(o),
            what(o),
        ));
        let others = self.writers.get(&target).map_or(0, Vec::len);
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "who gives it orders",
                cx.subject(o),
                words::count(others as u64, "other machine", "other machines"),
            ))
            .key(order.words())
            .p_value(1.0 / (self.all.len() as f64 + cx.normal.learned_seconds() / 60.0 + 2.0))
            .score(0.85)
            .make();
    }
}

/// What is written, in parentheses.
fn what(o: &Observation) -> String {
    if o.is("modbus.request") {
        return match o.uint("address") {
            Some(address) => format!(" ({} at {address})", o.str("function").unwrap_or("write")),
            None => String::new(),
        };
    }
    match (o.str("object"), o.uint("instance"), o.str("property")) {
        (Some(object), Some(instance), Some(property)) => {
            format!(" ({property} of {object} {instance})").replace('_', " ")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use model::net::Transport;
    use protocols::{bacnet, modbus};

    use super::*;
    use crate::fixture::{DESK, DESK_B, Host, SERVER, Ward, nth, num, word, yes};

    fn bacnet(ward: &mut Ward, from: Host, to: Host, service: &str) {
        let flow = ward.flow_over(Transport::Udp, from, to, 47_808);
        let fields = [
            ("service", word(service)),
            ("object", word("analog_value")),
            ("instance", num(1)),
            ("property", word("present_value")),
        ];
        ward.say(&bacnet::REQUEST, Some(&flow), from, Some(to), &fields);
    }

    fn modbus(ward: &mut Ward, from: Host, to: Host, function: &str, write: bool) {
        let fields = [("function", word(function)), ("address", num(12))];
        let write = write.then(|| ("write", yes()));
        let fields: Vec<_> = fields.into_iter().chain(write).collect();
        ward.over(&modbus::REQUEST, from, to, 502, &fields);
    }

    /// A building whose server writes to two controllers and whose desk reads from one.
    fn building() -> (Ward, [Host; 2]) {
        let mut ward = Ward::peopled();
        let controllers = [nth(1), nth(2)];
        for _ in 0..10 {
            for controller in controllers {
                ward.call(SERVER, controller, 502);
                bacnet(&mut ward, SERVER, controller, "write_property");
                modbus(&mut ward, SERVER, controller, "write_single_register", true);
            }
            bacnet(&mut ward, DESK, controllers[0], "read_property");
            modbus(&mut ward, DESK, controllers[0], "read_holding_registers", false);
            ward.pass(2.0);
        }
        ward.watch();
        (ward, controllers)
    }

    #[test]
    fn a_reader_that_begins_to_write_is_found() {
        let (mut ward, controllers) = building();
        bacnet(&mut ward, DESK, controllers[0], "write_property");
        ward.alerts("plant_write", DESK);
        let (mut ward, controllers) = building();
        modbus(&mut ward, DESK, controllers[0], "write_single_coil", true);
        ward.alerts("plant_write", DESK);
    }

    #[test]
    fn a_restart_by_a_desk_is_worse_than_a_write() {
        let (mut ward, controllers) = building();
        bacnet(&mut ward, DESK_B, controllers[1], "reinitialize_device");
        assert_eq!(ward.worst("plant_write"), Some(Severity::High));
    }

    #[test]
    fn the_building_s_server_and_all_polling_are_none() {
        let (mut ward, controllers) = building();
        for controller in controllers {
            bacnet(&mut ward, SERVER, controller, "write_property_multiple");
            modbus(&mut ward, SERVER, controller, "write_multiple_registers", true);
            modbus(&mut ward, DESK, controllers[0], "read_holding_registers", false);
            bacnet(&mut ward, DESK, controllers[0], "read_property");
        }
        assert_eq!(ward.worst("plant_write"), None);
    }

    #[test]
    fn the_building_s_server_may_take_on_a_new_controller() {
        let (mut ward, _) = building();
        let new = nth(3);
        ward.call(new, SERVER, 8_443);
        bacnet(&mut ward, SERVER, new, "write_property");
        assert!(ward.worst("plant_write") <= Some(Severity::Low));
    }
}
