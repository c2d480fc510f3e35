//! Reads `flows.jsonl`, as `wardwatch analyze` writes it: one finished flow a line.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};
use std::net::IpAddr;
use std::time::Duration;

use model::Timestamp;
use serde::Deserialize;

use super::{History, Seen};
use crate::restriction::{Conversation, Proto};

/// Longest line that is read; a flow's is about a kilobyte.
const LONGEST: u64 = 1 << 20;
/// Bad lines that are told.
const TOLD: usize = 20;

/// A line that is no flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadLine {
    /// Which, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// What came of reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowsRead {
    /// Flows recorded.
    pub flows: u64,
    /// Flows of a transport that no rule can name.
    pub skipped: u64,
    /// Lines that are no flow.
    pub refused: u64,
    /// The first of them.
    pub bad: Vec<BadLine>,
}

#[derive(Deserialize)]
struct Side {
    ip: IpAddr,
    #[serde(default)]
    port: u16,
}

#[derive(Deserialize)]
struct Line {
    transport: String,
    originator: Side,
    responder: Side,
    first: Timestamp,
    last: Timestamp,
    #[serde(default)]
    protocol: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    packets_in: u64,
    #[serde(default)]
    packets_out: u64,
    #[serde(default)]
    bytes_in: u64,
    #[serde(default)]
    bytes_out: u64,
    #[serde(default)]
    gap_mean_in: f64,
    #[serde(default)]
    gap_mean_out: f64,
    #[serde(default)]
    gap_std_in: f64,
    #[serde(default)]
    gap_std_out: f64,
    #[serde(default)]
    summary: BTreeMap<String, u64>,
}

/// Who called whom for what, of a finished or ongoing flow; nothing where no rule can name it.
pub(crate) fn conversation(
    transport: &str,
    client: IpAddr,
    server: IpAddr,
    port: u16,
) -> Option<Conversation> {
    let (proto, port) = match transport {
        "tcp" => (Proto::Tcp, port),
        "udp" => (Proto::Udp, port),
        "icmp" | "icmp6" => (Proto::Icmp, 0),
        _ => return None,
    };
    Some(Conversation { client, server, proto, port })
}

/// What is spoken, by the observations a flow gave where its protocol only carries it.
pub(crate) fn service(protocol: &str, has: impl Fn(&str) -> bool) -> &str {
    if !matches!(protocol, "http" | "http2") {
        return protocol;
    }
    const CARRIED: [(&str, &str); 5] = [
        ("hl7.message", "hl7"),
        ("dicomweb.transaction", "dicomweb"),
        ("fhir.interaction", "fhir"),
        ("mqtt.connect", "mqtt"),
        ("soap.message", "soap"),
    ];
    CARRIED.iter().find(|(kind, _)| has(kind)).map_or(protocol, |(_, name)| name)
}

impl Line {
    fn record(&self, history: &mut History) -> bool {
        let (from, to) = (&self.originator, &self.responder);
        let Some(conversation) = conversation(&self.transport, from.ip, to.ip, to.port) else {
            history.skip();
            return false;
        };
        let refused = self.state == "S0" || self.state == "REJ";
        let pause = |mean: f64, spread: f64, packets: u64| {
            let seconds = mean + 2.0 * spread;
            (packets > 8 && seconds.is_finite() && seconds > 0.0)
                .then(|| Duration::from_secs_f64(seconds.min(86_400.0)))
        };
        let out = pause(self.gap_mean_out, self.gap_std_out, self.packets_out);
        let back = pause(self.gap_mean_in, self.gap_std_in, self.packets_in);
        history.record(&Seen {
            conversation,
            service: service(&self.protocol, |kind| self.summary.contains_key(kind)),
            first: self.first,
            last: self.last,
            began: true,
            answered: self.packets_in > 0 && !refused,
            packets: self.packets_in.saturating_add(self.packets_out),
            bytes: self.bytes_in.saturating_add(self.bytes_out),
            pause: match (out, back) {
                (Some(out), Some(back)) => Some(out.min(back)),
                (out, back) => out.or(back),
            },
        });
        true
    }
}

impl History {
    /// Records the flows of a `flows.jsonl`. A line that is no flow is told with its number, and the
    /// others are read: a file that was cut off still holds what it holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_flows(&mut self, mut from: impl BufRead) -> io::Result<FlowsRead> {
        let mut read = FlowsRead::default();
        let mut text = Vec::new();
        for line in 1_u64.. {
            text.clear();
            let count = from.by_ref().take(LONGEST).read_until(b'\n', &mut text)?;
            if count == 0 {
                break;
            }
            let whole = text.ends_with(b"\n") || count < LONGEST as usize;
            if !whole {
                skip_line(&mut from)?;
                read.refuse(line, format!("longer than {LONGEST} bytes"));
            } else if !text.trim_ascii().is_empty() {
                match serde_json::from_slice::<Line>(&text) {
                    Ok(flow) if flow.record(self) => read.flows += 1,
                    Ok(_) => read.skipped += 1,
                    Err(error) => read.refuse(line, error.to_string()),
                }
            }
        }
        Ok(read)
    }
}

impl FlowsRead {
    fn refuse(&mut self, line: u64, why: String) {
        self.refused += 1;
        if self.bad.len() < TOLD {
            self.bad.push(BadLine { line, why });
        }
    }
}

fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let waiting = from.fill_buf()?;
        if waiting.is_empty() {
            return Ok(());
        }
        match waiting.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                from.consume(end + 1);
                return Ok(());
            }
            None => {
                let count = waiting.len();
                from.consume(count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(transport: &str, port: u16, more: &str) -> String {
        format!(
            r#"{{"community_id":"1:x","id":"f0","transport":"{transport}","originator":{{"ip":"10.0.0.7","port":40000}},"responder":{{"ip":"10.0.0.1","port":{port}}},"first":"2026-09-01T08:00:01.078693Z","last":"2026-09-01T08:00:01.117153Z"{more}}}"#
        )
    }

    #[test]
    fn flows_are_recorded_and_bad_lines_are_told_with_their_number() {
        let endless = "x".repeat(3 << 20);
        let text = [
            line("tcp", 104, r#","protocol":"dicom","packets_in":3,"packets_out":4,"state":"SF""#),
            "{".to_owned(),
            line("sctp", 9, ""),
            endless,
            line("tcp", 80, r#","protocol":"http","summary":{"fhir.interaction":2},"new":[1]"#),
            line("tcp", 81, r#","packets_in":1,"state":"REJ""#),
            line("icmp", 3, ""),
        ];
        let mut history = History::default();
        let read = history.read_flows(text.join("\n").as_bytes()).unwrap();
        assert_eq!((read.flows, read.skipped, read.refused), (4, 1, 2));
        assert_eq!(read.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 4]);
        let all: Vec<_> =
            history.all().map(|(key, r)| (key.port, r.service.as_str(), r.answered)).collect();
        assert_eq!(all, [(80, "fhir", 0), (81, "", 0), (104, "dicom", 1), (0, "", 0)]);
    }
}
