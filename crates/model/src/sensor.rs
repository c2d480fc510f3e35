//! What the sensor says of itself: what it could not see.
//!
//! A fact about the sensor goes the way of every other fact, so that it is stored, found, put into
//! a case and told. It has no flow and no parties.

use crate::field::{Field, FieldType, KindSpec};

/// The kernel's ring was full: packets are gone.
pub const RING_FULL: &str = "ring_full";
/// The interface was down.
pub const INTERFACE_DOWN: &str = "interface_down";
/// The interface is not there any more.
pub const INTERFACE_GONE: &str = "interface_gone";
/// The flow table was full: flows were let go before their end.
pub const TABLE_FULL: &str = "table_full";
/// Detection could not keep up, and capture waited for it.
pub const DETECTION_BEHIND: &str = "detection_behind";

/// A stretch of time in which something was lost.
pub static LOSS: KindSpec = KindSpec {
    name: "sensor.loss",
    doc: "A stretch of time, up to the time of the observation, in which the sensor lost something. It comes about twice a second while the loss goes on.",
    fields: &[
        Field::new("interface", FieldType::Text, "Interface on which the sensor listens."),
        Field::new(
            "cause",
            FieldType::Text,
            "ring_full (the kernel had no room for packets), interface_down, interface_gone, table_full (flows were let go before their end) or detection_behind (capture waited for detection).",
        ),
        Field::measure("seconds", FieldType::Float, "s", "Length of the stretch."),
        Field::measure(
            "packets",
            FieldType::Uint,
            "packets",
            "Packets that came in the stretch, lost ones included.",
        ),
        Field::measure("lost", FieldType::Uint, "packets", "Packets that were lost of them."),
        Field::measure(
            "waited",
            FieldType::Float,
            "s",
            "How long capture waited for detection in the stretch.",
        ),
        Field::measure(
            "flows_single_packet",
            FieldType::Uint,
            "flows",
            "Flows of one packet that were let go.",
        ),
        Field::measure(
            "flows_idle",
            FieldType::Uint,
            "flows",
            "Flows that were let go because they were silent for longest.",
        ),
        Field::measure(
            "flows_kept",
            FieldType::Uint,
            "flows",
            "Flows of clinical protocols that were let go although they were to be spared.",
        ),
    ],
};

/// Every kind that a sensor gives of itself.
pub static ALL: &[&KindSpec] = &[&LOSS];
