//! Syslog on the wire: RFC 5424, RFC 3164, over UDP and over TCP with octet counting or line ends.
//!
//! Who logs how much of what severity. The text stays behind: it may name patients. Reading it is
//! the work of the log listeners, which are meant to receive it. Deliberately absent: syslog over
//! TLS, which shows nothing, and RELP.

mod header;
mod stream;

use model::emit::{ANOMALY, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;

use crate::seam::{Parser, Protocol, ProtocolSpec};
use header::{Priority, is_bsd_time, is_timestamp, priority};

/// Syslog over UDP and TCP.
#[derive(Debug)]
pub struct Syslog;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "syslog",
    transports: &[Transport::Udp, Transport::Tcp],
    kinds: &[&MESSAGE, &ANOMALY],
    doc: "Log lines of devices on their way to a collector.",
    sources: &["RFC 5424", "RFC 3164", "RFC 5426", "RFC 6587"],
};

impl Protocol for Syslog {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        probe(flow, start)
    }

    fn open(&self, _flow: &FlowContext) -> Box<dyn Parser> {
        Box::new(stream::Messages::new())
    }
}

/// Asks for a priority and a time stamp behind it. A priority alone, as many devices send it, is
/// believed on syslog's own ports only.
fn probe(flow: &FlowContext, start: &[u8]) -> Probe {
    let stream = flow.tuple.transport == Transport::Tcp;
    let counted = start.iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    let message = match start.get(counted..).unwrap_or_default() {
        [] if stream && counted < 8 => return Probe::Unsure,
        [b' ', message @ ..] if stream && (1..8).contains(&counted) => message,
        message if counted == 0 => message,
        _ => return Probe::No,
    };
    let rest = match priority(message) {
        Priority::Value(_, rest) => rest,
        Priority::More if stream => return Probe::Unsure,
        Priority::More | Priority::Wrong => return Probe::No,
    };
    let versioned = rest.strip_prefix(b"1 ");
    let time = versioned.unwrap_or(rest);
    let stamped = time.get(..19).is_some_and(is_timestamp)
        || time.get(..16).is_some_and(is_bsd_time)
        || versioned.is_some_and(|time| time.starts_with(b"- "));
    let readable = rest.iter().take(32).all(|b| *b >= b' ' || matches!(b, b'\t' | b'\r' | b'\n'));
    let own_port = matches!(flow.tuple.responder.port, 514 | 601);
    match (stamped, readable) {
        (true, _) => Probe::Yes,
        (false, true) if own_port && rest.len() >= 8 => Probe::Yes,
        (false, true) if stream && rest.len() < 32 => Probe::Unsure,
        // The next datagram may have a time stamp.
        (false, true) if !stream => Probe::Unsure,
        _ => Probe::No,
    }
}

/// One message, without its text.
pub static MESSAGE: KindSpec = KindSpec {
    name: "syslog.message",
    doc: "A log line was sent. Subject is its sender. The text is not kept: it may name patients.",
    fields: &[
        Field::new("facility", FieldType::Uint, "Facility, 0 to 23."),
        Field::new("severity", FieldType::Uint, "Severity, 0 (emergency) to 7 (debug)."),
        Field::new("host", FieldType::Text, "Host name in the header."),
        Field::new("app", FieldType::Text, "Application name in the header."),
        Field::measure("bytes", FieldType::Uint, "bytes", "Size of the message."),
    ],
};

#[cfg(test)]
mod tests;
