//! NTP and SNTP, versions 1 to 4.
//!
//! A time server that lies shifts every log and every dose record, so the offset between a server's
//! clock and the sensor's is kept. Control (6) and private (7) packets are how servers are asked for
//! their secrets or used to amplify. Authentication and extension fields are passed over.

use std::net::Ipv4Addr;

use model::emit::{Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use model::time::Timestamp;
use wire::chunk::{Chunk, Next};

use crate::seam::{Parser, Protocol, ProtocolSpec};

mod packet;

use packet::{Clock, Mode, Packet};

/// One packet.
pub static MESSAGE: KindSpec = KindSpec {
    name: "ntp.message",
    doc: "An NTP packet. Subject is its sender.",
    fields: &[
        Field::new(
            "mode",
            FieldType::Text,
            "client, server, symmetric, broadcast, control or private.",
        ),
        Field::new("version", FieldType::Uint, "Version."),
        Field::new("stratum", FieldType::Uint, "Stratum."),
        Field::new("reference", FieldType::Text, "Reference id: four letters or an address."),
        Field::measure(
            "offset",
            FieldType::Float,
            "s",
            "Transmit time minus the sensor's time; only from servers that say they know the time.",
        ),
        Field::new(
            "request",
            FieldType::Uint,
            "Request code of a private-mode packet (42 is monlist).",
        ),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "ntp",
    transports: &[Transport::Udp],
    kinds: &[&MESSAGE],
    doc: "Who sets whose clock, and how far it is off.",
    sources: &[
        "RFC 5905",
        "RFC 4330 (SNTP)",
        "RFC 1059 (version 1)",
        "RFC 9327 (control messages)",
    ],
};

const PORT: u16 = 123;

/// NTP.
pub struct Ntp;

impl Protocol for Ntp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        let ports = [flow.tuple.originator.port, flow.tuple.responder.port];
        match Packet::read(start) {
            // Zeros behind one byte: what an SNTP client sends carries nothing to know it by.
            Ok(_) if ports.contains(&PORT) => Probe::Yes,
            Ok(Packet::Time(clock)) if clock.is_certain() => Probe::Yes,
            Ok(Packet::Time(_)) => Probe::Unsure,
            Ok(_) | Err(_) => Probe::No,
        }
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(NtpParser)
    }
}

struct NtpParser;

impl Parser for NtpParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Chunk::Datagram(datagram) = chunk else { return Next::More };
        let from_server = match out.flow() {
            Some(flow) => match dir {
                Direction::Forward => flow.tuple.originator.port == PORT,
                Direction::Reverse => flow.tuple.responder.port == PORT,
            },
            None => false,
        };
        match Packet::read(datagram) {
            Ok(Packet::Time(clock)) => say_time(&clock, from_server, dir, out),
            Ok(Packet::Control { version }) => {
                let draft = out.observe(&MESSAGE, dir).word("mode", "control");
                draft.uint("version", version).emit();
            }
            Ok(Packet::Private { version, request }) => {
                let draft = out.observe(&MESSAGE, dir).word("mode", "private");
                draft.uint("version", version).uint("request", request).emit();
            }
            Err(what) => out.anomaly(SPEC.name, what, dir),
        }
        Next::More
    }
}

fn say_time(clock: &Clock, from_server: bool, dir: Direction, out: &mut Emit<'_>) {
    let now = out.at();
    let mode = match clock.mode {
        Mode::Symmetric => "symmetric",
        Mode::Client => "client",
        Mode::Server => "server",
        Mode::Broadcast => "broadcast",
        // Version 1 had no mode: the port says it (RFC 1059, 3.3).
        Mode::Unstated if from_server => "server",
        Mode::Unstated => "client",
    };
    let knows = matches!(clock.mode, Mode::Server | Mode::Broadcast) && clock.is_synchronised();
    let offset = if knows { offset(clock, now) } else { None };
    let mut draft = out
        .observe(&MESSAGE, dir)
        .word("mode", mode)
        .uint("version", clock.version)
        .uint("stratum", clock.stratum);
    draft = match (clock.reference, clock.stratum) {
        ([0, 0, 0, 0], _) => draft,
        // A kiss code or a kind of clock, in letters (RFC 5905, 7.3 and 7.4).
        (letters, 0 | 1) => draft.text("reference", &letters),
        (address, _) => draft.text("reference", Ipv4Addr::from(address).to_string().as_bytes()),
    };
    if let Some(seconds) = offset {
        draft = draft.float("offset", seconds);
    }
    draft.emit();
}

/// Seconds from the Unix epoch back to the one of NTP.
const EPOCHS_APART: u32 = 2_208_988_800;

/// Transmit time minus `now`, in seconds. Of the eras that the 32 bits of seconds could mean, the
/// one nearest to `now` (RFC 5905, 6): right while the clocks are less than 68 years apart.
fn offset(clock: &Clock, now: Timestamp) -> Option<f64> {
    let [seconds, fraction] = clock.transmit;
    if seconds == 0 && fraction == 0 {
        return None;
    }
    let here = (now.seconds() as u32).wrapping_add(EPOCHS_APART);
    let apart = seconds.wrapping_sub(here).cast_signed();
    let below = f64::from(fraction) / 4_294_967_296.0;
    let here_below = now.nanos().rem_euclid(1_000_000_000) as f64 / 1e9;
    Some(f64::from(apart) + below - here_below)
}

#[cfg(test)]
mod tests;
