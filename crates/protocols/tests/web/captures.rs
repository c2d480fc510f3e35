//! Captures of real tools; the counts are tshark's.

use model::emit::Probe;
use model::flow::Direction;
use model::net::Transport;
use model::observation::Observation;
use protocols::{Protocol, drive};
use wire::chunk::Chunk;

use crate::{lines, pcap};

/// What the first protocol that says yes tells of each flow, as the flow engine would ask.
fn observations(capture: &[u8]) -> Vec<Observation> {
    let mut all = Vec::new();
    for flow in pcap::flows(capture) {
        let context = drive::flow(flow.transport, flow.port);
        let Some(protocol) = recognised(&flow) else { continue };
        let pieces: Vec<_> = flow
            .pieces
            .iter()
            .map(|(dir, bytes)| match flow.transport {
                Transport::Udp => (*dir, Chunk::Datagram(bytes)),
                _ => (*dir, Chunk::Stream(bytes)),
            })
            .collect();
        all.extend(drive::run(protocol, context, &pieces));
    }
    all
}

/// The one protocol that recognises a flow; two would be a mistake.
fn recognised(flow: &pcap::Flow) -> Option<&'static dyn Protocol> {
    let context = drive::flow(flow.transport, flow.port);
    let start = |wanted: Direction| -> Vec<u8> {
        let mut sent = flow.pieces.iter().filter(|(dir, _)| *dir == wanted);
        match flow.transport {
            Transport::Udp => sent.next().map(|(_, bytes)| bytes.clone()).unwrap_or_default(),
            _ => sent.flat_map(|(_, bytes)| bytes.clone()).take(4096).collect(),
        }
    };
    let mut yes = protocols::ALL.iter().copied().filter(|protocol| {
        protocol.spec().transports.contains(&flow.transport)
            && Direction::BOTH
                .iter()
                .any(|dir| protocol.probe(&context, *dir, &start(*dir)) == Probe::Yes)
    });
    let first = yes.next()?;
    let second = yes.next().map(|protocol| protocol.spec().name);
    assert_eq!(second, None, "{} and another say yes", first.spec().name);
    Some(first)
}

fn count(observations: &[Observation], kind: &str) -> usize {
    observations.iter().filter(|o| o.is(kind)).count()
}

#[test]
fn http_and_fhir_of_curl() {
    let seen = observations(include_bytes!("../../../../testdata/http/fhir-console.pcap"));
    // tshark: 24 http.request; 25 http.response, one of them 100 Continue.
    assert_eq!((count(&seen, "http.request"), count(&seen, "http.response")), (24, 24));
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    insta::assert_snapshot!("http", lines(&seen).join("\n"));
}

#[test]
fn dicomweb_of_orthanc() {
    let seen = observations(include_bytes!("../../../../testdata/dicomweb/orthanc.pcap"));
    // tshark: 16 http.request, 16 http.response; in the responses 2 and 1 parts of mime_multipart.
    assert_eq!((count(&seen, "http.request"), count(&seen, "http.response")), (16, 16));
    assert_eq!(count(&seen, "dicomweb.transaction"), 15);
    assert_eq!(count(&seen, "dicom.file"), 2);
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    let told: Vec<_> = seen.into_iter().filter(|o| o.kind.name.starts_with("dicom")).collect();
    insta::assert_snapshot!("dicomweb", lines(&told).join("\n"));
}

#[test]
fn sdc_of_sdc11073() {
    let seen = observations(include_bytes!("../../../../testdata/sdc/monitor.pcap"));
    // tshark: datagrams of port 3702; wsa:Action in what --export-objects http writes.
    assert_eq!(count(&seen, "wsd.message"), 15);
    assert_eq!(count(&seen, "soap.message"), 24);
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    let told: Vec<_> =
        seen.into_iter().filter(|o| o.is("wsd.message") || o.is("soap.message")).collect();
    insta::assert_snapshot!("sdc", lines(&told).join("\n"));
}

#[test]
fn http2_of_nghttp() {
    let seen = observations(include_bytes!("../../../../testdata/http2/nghttp.pcap"));
    // tshark: HEADERS frames with http2.headers.method and with http2.headers.status.
    assert_eq!((count(&seen, "http.request"), count(&seen, "http.response")), (7, 7));
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    insta::assert_snapshot!("http2", lines(&seen).join("\n"));
}

#[test]
fn mqtt_over_websocket_of_paho() {
    let seen = observations(include_bytes!("../../../../testdata/websocket/mqtt.pcap"));
    // tshark: 17 binary frames of websocket.
    let frames: u64 = seen
        .iter()
        .filter(|o| o.is("websocket.close"))
        .filter_map(|o| Some(o.uint("sent_binary")? + o.uint("received_binary")?))
        .sum();
    assert_eq!(frames, 17);
    assert_eq!(count(&seen, "mqtt.publish"), 6);
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    insta::assert_snapshot!("websocket", lines(&seen).join("\n"));
}

#[test]
fn mqtt_of_mosquitto() {
    let seen = observations(include_bytes!("../../../../testdata/mqtt/mosquitto.pcap"));
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    insta::assert_snapshot!("mqtt", lines(&seen).join("\n"));
}

#[test]
fn tls_of_openssl() {
    let seen = observations(include_bytes!("../../../../testdata/tls/openssl.pcap"));
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    insta::assert_snapshot!("tls", lines(&seen).join("\n"));
}

#[test]
fn syslog_of_logger() {
    let seen = observations(include_bytes!("../../../../testdata/syslog/logger.pcap"));
    assert_eq!(count(&seen, "protocol.anomaly"), 0);
    insta::assert_snapshot!("syslog", lines(&seen).join("\n"));
}
