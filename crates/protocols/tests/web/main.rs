//! HTTP, FHIR, MQTT, TLS and syslog from outside: captures of real tools, any cut of a stream,
//! hostile bytes, and marked identifiers that must not come out.

mod captures;
mod exchanges;
mod malformed;
mod pcap;
mod samples;
mod split;
mod taint;

use model::flow::Direction;
use model::net::Transport;
use model::observation::Observation;
use protocols::{Protocol, drive};
use wire::chunk::Chunk;

/// What one parser says of pieces of a stream.
fn run(protocol: &dyn Protocol, pieces: &[(Direction, &[u8])]) -> Vec<Observation> {
    let pieces: Vec<_> = pieces.iter().map(|(d, bytes)| (*d, Chunk::Stream(bytes))).collect();
    drive::run(protocol, drive::flow(Transport::Tcp, 9), &pieces)
}

/// Kind and fields of an observation; not its time, which follows the pieces.
fn line(observation: &Observation) -> String {
    let fields: serde_json::Map<_, _> = observation
        .fields()
        .filter(|(name, _)| *name != "seconds")
        .map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap()))
        .collect();
    format!("{} {}", observation.kind.name, serde_json::Value::Object(fields))
}

fn lines(observations: &[Observation]) -> Vec<String> {
    observations.iter().map(line).collect()
}
