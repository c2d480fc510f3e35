//! POCT1-A (CLSI POCT01-A2), the device messaging layer: point-of-care analysers, such as glucose and
//! blood gas meters, and the data manager that collects their results.
//!
//! One XML document after the other over TCP, with nothing between. A device says hello with what it
//! is, sends results, quality controls and events, and takes lists of operators and patients;
//! everything is acknowledged by number. Documents are read as they come and never held. Deliberately
//! absent: results themselves, names, notes, lower layers for infrared and serial lines, and the
//! interface behind the data manager, which is HL7.

mod message;
mod xml;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};
use message::Lane;

/// One message.
pub static MESSAGE: KindSpec = KindSpec {
    name: "poct1a.message",
    doc: "A POCT1-A message. Subject is its sender.",
    fields: &[
        Field::new("type", FieldType::Text, "HEL.R01, ACK.R01, OBS.R01 and so on."),
        Field::new("control_id", FieldType::Text, "HDR.control_id: number of the message."),
        Field::new("version", FieldType::Text, "HDR.version_id."),
        Field::new("device_id", FieldType::Text, "DEV.device_id: often an Ethernet address."),
        Field::new("vendor", FieldType::Text, "DEV.vendor_id."),
        Field::new("manufacturer", FieldType::Text, "DEV.manufacturer_name."),
        Field::new("model", FieldType::Text, "DEV.model_id."),
        Field::new("serial", FieldType::Text, "DEV.serial_id."),
        Field::new("device_name", FieldType::Text, "DEV.device_name."),
        Field::new("hardware", FieldType::Text, "DEV.hw_version."),
        Field::new("software", FieldType::Text, "DEV.sw_version."),
        Field::new(
            "profile",
            FieldType::Text,
            "DSC.connection_profile_cd: how it stays connected.",
        ),
        Field::new("ack_code", FieldType::Text, "ACK.type_cd: AA taken, AE refused."),
        Field::new(
            "ack_control_id",
            FieldType::Text,
            "ACK.ack_control_id: which message it answers.",
        ),
        Field::new("error", FieldType::Text, "ACK.error_detail_cd, ESC.detail_cd."),
        Field::new("request", FieldType::Text, "REQ.request_cd: what is asked for, such as ROBS."),
        Field::new("topic", FieldType::Text, "EOT.topic_cd: what has come to its end."),
        Field::new(
            "directive",
            FieldType::Text,
            "DTV.command_cd, such as START_CONTINUOUS or SET_TIME.",
        ),
        Field::new("condition", FieldType::Text, "DST.condition_cd: how the device is."),
        Field::new("waiting", FieldType::Uint, "DST.new_observations_qty: results not sent yet."),
        Field::new(
            "role",
            FieldType::Text,
            "SVC.role_cd of the first service: OBS a patient's, LQC and others controls.",
        ),
        Field::new("services", FieldType::Uint, "SVC: samples measured."),
        Field::new("results", FieldType::Uint, "OBS: results."),
        Field::new("tests", FieldType::Texts, "OBS.observation_id, each once, at most 32."),
        Field::new("patients", FieldType::Uint, "PT: patients named."),
        Field::patient("patient", "PT.patient_id of the first patient."),
        Field::new("operators", FieldType::Uint, "OPR: operators named."),
        Field::staff("operator", "OPR.operator_id of the first operator."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "poct1a",
    transports: &[Transport::Tcp],
    kinds: &[&MESSAGE],
    doc: "Point-of-care analysers: what they are, results, acknowledgements.",
    sources: &[
        "CLSI POCT01-A2, by public descriptions of it",
        "Roche cobas Liat, Host Interface Manual POCT1-A (DML)",
        "Siemens DCA Vantage, Host Computer Communications Link",
        "Nova Biomedical Prime, POCT1 Protocol",
    ],
};

/// First words of messages.
const TYPES: [&[u8]; 17] = [
    b"HEL", b"ACK", b"DST", b"REQ", b"OBS", b"EVS", b"EOT", b"END", b"OPL", b"PTL", b"ESC", b"KPA",
    b"DTV", b"PVI", b"PVR", b"DVO", b"TRM",
];

/// POCT1-A over TCP.
#[derive(Debug)]
pub struct Poct1A;

impl Protocol for Poct1A {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, _flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        probe(start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(Connection {
            lanes: [Lane::new(Direction::Forward), Lane::new(Direction::Reverse)],
        })
    }
}

/// Asks for the first element, behind an XML declaration where there is one.
fn probe(start: &[u8]) -> Probe {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    const DECLARATION: &[u8] = b"<?xml";
    let mut rest = start.strip_prefix(MARK).unwrap_or(start).trim_ascii_start();
    if !rest.is_empty() && !rest.starts_with(b"<") {
        return if MARK.starts_with(rest) { Probe::Unsure } else { Probe::No };
    }
    if DECLARATION.starts_with(rest) {
        return Probe::Unsure;
    }
    if rest.starts_with(DECLARATION) {
        let head = rest.get(..256).unwrap_or(rest);
        let Some(end) = head.windows(2).position(|two| two == b"?>") else {
            return if head.len() < 256 { Probe::Unsure } else { Probe::No };
        };
        rest = rest.get(end.saturating_add(2)..).unwrap_or_default().trim_ascii_start();
    }
    match rest.split_first() {
        None => Probe::Unsure,
        Some((b'<', name)) => message::probe_name(name),
        Some(_) => Probe::No,
    }
}

struct Connection {
    lanes: [Lane; 2],
}

impl Parser for Connection {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let [forward, reverse] = &mut self.lanes;
        let lane = if dir == Direction::Forward { forward } else { reverse };
        match chunk {
            Chunk::Stream(bytes) => lane.feed(bytes, out),
            Chunk::Gap(_) => lane.gap(),
            Chunk::Datagram(_) => return Next::Done,
        }
        if self.lanes.iter().all(Lane::is_lost) { Next::Done } else { Next::More }
    }
}

#[cfg(test)]
mod tests;
