//! Conversations of each protocol, to be cut, broken and marked.

use model::flow::Direction;
use protocols::Protocol;

use Direction::{Forward, Reverse};

/// A protocol and one conversation in it.
pub(crate) struct Sample {
    pub(crate) protocol: &'static dyn Protocol,
    pub(crate) turns: Vec<(Direction, Vec<u8>)>,
}

pub(crate) fn all() -> Vec<Sample> {
    vec![http(), bodies(), websocket(), http2(), upgraded(), mqtt(), mqtt_5(), tls(), syslog()]
}

fn http() -> Sample {
    let turn = |dir, text: &str| (dir, text.as_bytes().to_vec());
    let body = "b".repeat(700);
    Sample {
        protocol: &protocols::http::Http,
        turns: vec![
            turn(
                Forward,
                "\r\nGET /fhir/Patient/77?_format=json HTTP/1.1\r\nHost: ehr\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\nAccept: application/fhir+json\r\n\r\nHEAD /a HTTP/1.1\r\nHost: ehr\r\n\r\n",
            ),
            turn(
                Reverse,
                "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1f;x=y\r\n0123456789012345678901234567890\r\n0\r\nTrailer: x\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n",
            ),
            turn(
                Forward,
                &format!(
                    "POST /fhir/Observation HTTP/1.1\r\nExpect: 100-continue\r\nContent-Type: application/fhir+json\r\nContent-Length: 700\r\n\r\n{body}"
                ),
            ),
            turn(
                Reverse,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
            ),
            turn(
                Forward,
                "POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /../../etc/passwd HTTP/1.0\r\nX: ${jndi:ldap://x}\r\n\r\n",
            ),
            turn(
                Reverse,
                "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=x\r\nContent-Length: 2\r\n\r\nnoHTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil close",
            ),
        ],
    }
}

/// Every kind of body that is read, in pieces and packed.
fn bodies() -> Sample {
    use crate::exchanges::{SET, STOW, image, stow};
    let mut turns = Vec::new();
    let mut exchange = |line: &str, headers: &str, body: &[u8], answer: &str, said: &str| {
        let head = format!("{line} HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        turns.push((Forward, [head.as_bytes(), body].concat()));
        let half = said.len() / 2;
        let (a, b) = said.split_at(half);
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {answer}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{a}\r\n{:x}\r\n{b}\r\n0\r\n\r\n",
            a.len(),
            b.len()
        );
        turns.push((Reverse, text.into_bytes()));
    };
    let files = stow(&[image(b"\x7fELF", "P-1 "), image(b"", "P-2 ")]);
    let json = r#"[{"00100020":{"vr":"LO","Value":["P-1"]}},{"00100020":{"Value":["P\u002d2"]}}]"#;
    exchange("POST /dicom-web/studies", STOW, &files, "application/dicom+json", "{}");
    exchange("GET /dicom-web/studies?PatientName=*", "", b"", "application/dicom+json", json);
    let bundle =
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"PUT"}}]}"#;
    let fhir = "Content-Type: application/fhir+json\r\n";
    exchange("POST /fhir", fhir, bundle.as_bytes(), "application/fhir+json", bundle);
    let hl7 = "MSH|^~\\&|MON|ICU|EHR|H|20260101||ORU^R01|7|P|2.5\rPID|||P-1^^^H\rOBX|1|NM|x\r";
    let plain = "Content-Type: application/hl7-v2\r\n";
    exchange("POST /hl7", plain, hl7.as_bytes(), "text/plain", hl7);
    let soap = "Content-Type: text/xml\r\nSOAPAction: \"x\"\r\n";
    exchange("POST /sdc", soap, SET.as_bytes(), "application/soap+xml", SET);
    exchange("POST /sdc", soap, b"<!DOCTYPE a><a/>", "text/xml", "<a></a></a>");
    let form = b"grant_type=password&scope=openid&client_id=a";
    let coded = "Content-Type: application/x-www-form-urlencoded\r\n";
    exchange("POST /token", coded, form, "application/json", "{}");
    exchange("POST /instances", "", &image(b"#!", "P-3 "), "application/dicom", "short");
    Sample { protocol: &protocols::http::Http, turns }
}

/// MQTT in a WebSocket, messages in several frames, a ping between, and the end.
fn websocket() -> Sample {
    let ask = "GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    let yes = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    let frame = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, 0x80 | 126, 0, u8::try_from(payload.len()).unwrap()];
        frame.extend([1, 2, 3, 4]);
        frame.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(b, k)| b ^ k));
        frame
    };
    let connect = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05pump1";
    let publish = [&b"\x30\x80\x01\x00\x06icu/hr"[..], &[b'x'; 120]].concat();
    Sample {
        protocol: &protocols::http::Http,
        turns: vec![
            (Forward, ask.into()),
            (Reverse, yes.into()),
            (
                Forward,
                [frame(2, &connect[..9]), frame(0x89, b"hi"), frame(0x80, &connect[9..])].concat(),
            ),
            (Reverse, b"\x82\x04\x20\x02\x00\x00\x81\x05hello".to_vec()),
            (
                Forward,
                [frame(0x82, &publish), frame(0x81, b"MSH|^~\\&|A|B|C|D|1||ACK|1|P|2.5\r")]
                    .concat(),
            ),
            (Reverse, b"\x88\x02\x03\xe8".to_vec()),
        ],
    }
}

fn h2_frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[0], &length[..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// What a client of HTTP/2 sends, its second request in several frames with padding.
fn h2_client() -> Vec<u8> {
    let path =
        |path: &str| [&[0x82, 0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    let store = [
        &[0x83][..],
        &path("/dicom-web/studies")[1..],
        b"\x40\x0ccontent-type\x1fmultipart/related; boundary=cut",
    ]
    .concat();
    let body = crate::exchanges::stow(&[crate::exchanges::image(b"MZ", "P-1 ")]);
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        h2_frame(4, 0, 0, &[0, 1, 0, 0, 1, 0]),
        h2_frame(1, 5, 3, &path("/fhir/Patient/7")),
        h2_frame(1, 0, 5, &store[..9]),
        h2_frame(9, 4, 5, &store[9..]),
        h2_frame(0, 8, 5, &[&[4], &body[..300], &[0; 4]].concat()),
        h2_frame(6, 0, 0, &[0; 8]),
        h2_frame(0, 1, 5, &body[300..]),
        h2_frame(3, 0, 9, &[0, 0, 0, 8]),
    ]
    .concat()
}

fn h2_server() -> Vec<u8> {
    let json = b"{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[{},{}]}";
    let typed = b"\x88\x0f\x10\x15application/fhir+json";
    [
        h2_frame(4, 0, 0, &[]),
        h2_frame(1, 4, 3, typed),
        h2_frame(1, 5, 5, b"\x8d"),
        h2_frame(0, 0, 3, &json[..11]),
        h2_frame(0, 1, 3, &json[11..]),
        h2_frame(7, 0, 0, &[0; 8]),
    ]
    .concat()
}

fn http2() -> Sample {
    Sample {
        protocol: &protocols::http::h2::Http2,
        turns: vec![(Forward, h2_client()), (Reverse, h2_server())],
    }
}

/// The same behind an upgrade of HTTP/1.1.
fn upgraded() -> Sample {
    let ask = "GET /fhir/Patient/9 HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n";
    let yes = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n";
    let first = [
        h2_frame(4, 0, 0, &[]),
        h2_frame(1, 4, 1, b"\x88\x0f\x10\x15application/fhir+json"),
        h2_frame(0, 1, 1, b"{}"),
    ]
    .concat();
    Sample {
        protocol: &protocols::http::Http,
        turns: vec![
            (Forward, ask.into()),
            (Reverse, [&yes[..], &first].concat()),
            (Forward, h2_client()),
            (Reverse, h2_server()),
        ],
    }
}

fn mqtt() -> Sample {
    Sample {
        protocol: &protocols::mqtt::Mqtt,
        turns: vec![
            (
                Forward,
                b"\x10\x1f\x00\x04MQTT\x04\xc2\x00\x3c\x00\x05pump1\x00\x05admin\x00\x05admin"
                    .to_vec(),
            ),
            (Reverse, b"\x20\x02\x00\x00".to_vec()),
            (Forward, b"\x82\x0d\x00\x01\x00\x05icu/#\x01\x00\x00\x00".to_vec()),
            (Forward, [&b"\x30\xac\x02\x00\x06icu/hr"[..], &[b'x'; 292]].concat()),
            (Reverse, b"\x34\x0d\x00\x06icu/hr\x00\x01abc\xd0\x00".to_vec()),
            (Forward, b"\x50\x02\x00\x01\xc1\x00\xc1\x00\xe0\x00".to_vec()),
        ],
    }
}

fn mqtt_5() -> Sample {
    Sample {
        protocol: &protocols::mqtt::Mqtt,
        turns: vec![
            (Forward, b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00".to_vec()),
            (Reverse, b"\x20\x09\x00\x00\x06\x12\x00\x03gen".to_vec()),
            (Forward, b"\x30\x0e\x00\x06icu/hr\x03\x23\x00\x07ok".to_vec()),
            (Forward, b"\x30\x08\x00\x00\x03\x23\x00\x07ok\x36\x03\x00\x01a".to_vec()),
            (Reverse, b"\xe0\x01\x8e".to_vec()),
        ],
    }
}

fn tls() -> Sample {
    let (mut turns, mut capture) =
        (Vec::new(), crate::pcap::flows(include_bytes!("../../../../testdata/tls/openssl.pcap")));
    // The second flow is TLS 1.2, with its certificate in clear text.
    turns.append(&mut capture[1].pieces);
    Sample { protocol: &protocols::tls::Tls, turns }
}

fn syslog() -> Sample {
    Sample {
        protocol: &protocols::syslog::Syslog,
        turns: vec![(
            Forward,
            b"20 <13>1 - h a1 - - - x<13>Oct 11 22:14:15 mon1 app: y\n and more\n<34>1 - h a2 - - -\n20 <13>1 - h a3 - - - z".to_vec(),
        )],
    }
}
