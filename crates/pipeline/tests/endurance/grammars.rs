//! Messages that are right in every part and never end, or ask and ask and are never answered: what
//! the grammar of a protocol allows without bound, and a parser must not keep without bound.

use crate::network::{CLIENT, SECOND, SERVER, START, Talk};
use crate::sensor::{Sensor, resident};

/// Connections at once, and what each says.
const CONNECTIONS: u16 = 4;
const SAID: usize = 640 << 10;

/// Most that all of them may leave behind, of the 2.5 MiB that were said.
const MOST_KEPT: u64 = 1_792 << 10;

/// What a conversation says first, by whom, and the part of a number that is said for ever after.
struct Endless {
    name: &'static str,
    first: Vec<(usize, Vec<u8>)>,
    part: fn(u32) -> Vec<u8>,
}

fn http2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The client's preface, both sides' settings.
fn http2(more: Vec<u8>) -> Vec<(usize, Vec<u8>)> {
    let settings = http2_frame(4, 0, 0, &[]);
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat();
    vec![(CLIENT, preface), (SERVER, settings), (CLIENT, more)]
}

/// A request's fields: GET, http, /, and one of 20 letters that is not indexed.
fn fields() -> Vec<u8> {
    [&[0x82, 0x86, 0x84, 0x00, 1, b'x', 20][..], &[b'y'; 20]].concat()
}

/// POST, http, /; `content-encoding` and `content-type` by their numbers (RFC 7541, appendix A).
fn packed() -> Vec<u8> {
    let coding = [&[0x83, 0x86, 0x84, 0x0f, 26 - 15, 4][..], b"gzip"].concat();
    [&coding[..], &[0x0f, 31 - 15, 8], b"text/xml"].concat()
}

fn mqtt_connect() -> Vec<(usize, Vec<u8>)> {
    let connect = [&[0x10, 14, 0, 4][..], b"MQTT", &[4, 2, 0, 60, 0, 2], b"p1"].concat();
    vec![(CLIENT, connect), (SERVER, vec![0x20, 2, 0, 0])]
}

fn mqtt(kind: u8, number: u32, rest: &[u8]) -> Vec<u8> {
    let number = (number as u16).to_be_bytes();
    let body = match kind {
        0x82 => [&number[..], rest].concat(),
        _ => [rest, &number, b"value"].concat(),
    };
    [&[kind, body.len() as u8][..], &body].concat()
}

fn post(head: &str) -> Vec<(usize, Vec<u8>)> {
    vec![(CLIENT, format!("POST /fhir HTTP/1.1\r\nHost: a\r\n{head}").into_bytes())]
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n";

fn smtp(more: &str) -> Vec<(usize, Vec<u8>)> {
    let turns = [
        "220 mail ESMTP\r\n",
        "EHLO a\r\n",
        "250 mail\r\n",
        "MAIL FROM:<a@b.example>\r\n",
        "250 ok\r\n",
        more,
    ];
    let side = |turn: usize| if turn.is_multiple_of(2) { SERVER } else { CLIENT };
    let said = turns.iter().enumerate();
    said.map(|(turn, text)| (side(turn), text.as_bytes().to_vec())).collect()
}

fn ldap_search(number: u32) -> Vec<u8> {
    let [_, a, b, c] = number.to_be_bytes();
    let filter = [&[0x87, 11][..], b"objectClass"].concat();
    let mut search = vec![4, 0, 10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
    search.extend([&filter[..], &[0x30, 0]].concat());
    let mut message = vec![2, 3, a & 0x7f, b, c, 0x63, search.len() as u8];
    message.extend(search);
    [&[0x30, message.len() as u8][..], &message].concat()
}

/// A segment of an HL7 message that goes on.
fn hl7() -> Vec<(usize, Vec<u8>)> {
    let head = b"\x0bMSH|^~\\&|MON|ICU|ENGINE|HOSP|20270101120000||ORU^R01|1|P|2.5\r";
    vec![(CLIENT, head.to_vec())]
}

/// A call of NFS's null procedure.
fn rpc(number: u32) -> Vec<u8> {
    let words = [0x8000_0028, number, 0, 2, 100_003, 3, 0, 0, 0, 0, 0];
    words.map(u32::to_be_bytes).concat()
}

fn all() -> Vec<Endless> {
    let endless = |name, first, part| Endless { name, first, part };
    vec![
        endless("http", post(CHUNKED), |_| b"1\r\nx\r\n".to_vec()),
        endless("http", post(&format!("{CHUNKED}1;")), |n| format!("a{n}=b;").into_bytes()),
        endless("http", post(&format!("{CHUNKED}0\r\n")), |n| format!("X-{n}: y\r\n").into_bytes()),
        endless("http", post(""), |n| format!("X-{n}: y\r\n").into_bytes()),
        // Requests without an answer. Of a few things only: what was asked for is learned, up to a
        // bound that is that of what is learned.
        endless("http", post("Content-Length: 0\r\n\r\n"), |n| {
            format!("GET /a/{} HTTP/1.1\r\nHost: a\r\n\r\n", n % 100).into_bytes()
        }),
        // A header that continues without end, streams opened and reset, and opened and left.
        endless("http2", http2(http2_frame(1, 0, 1, &fields())), |_| {
            http2_frame(9, 0, 1, &fields())
        }),
        endless("http2", http2(http2_frame(6, 0, 0, &[0; 8])), |n| {
            let headers = http2_frame(1, 5, n * 2 + 1, &fields());
            [headers, http2_frame(3, 0, n * 2 + 1, &[0, 0, 0, 8])].concat()
        }),
        endless("http2", http2(http2_frame(6, 0, 0, &[0; 8])), |n| {
            http2_frame(1, 4, n * 2 + 1, &fields())
        }),
        // Bodies that are packed, begun and left: unpacking one takes memory from its first byte on.
        endless("http2", http2(http2_frame(6, 0, 0, &[0; 8])), |n| {
            let headers = http2_frame(1, 4, n * 2 + 1, &packed());
            let data = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xab, 0xae];
            [headers, http2_frame(0, 0, n * 2 + 1, &data)].concat()
        }),
        endless("hl7", hl7(), |n| format!("OBX|{n}|NM|8867-4||72\r").into_bytes()),
        endless("hl7", hl7(), |_| b"PID|~^&|".to_vec()),
        endless("smtp", smtp("DATA\r\n"), |n| format!("line {n}\r\n").into_bytes()),
        endless("smtp", smtp("RCPT TO:<a@b.example>\r\n"), |n| {
            format!("RCPT TO:<p{n}@b.example>\r\n").into_bytes()
        }),
        endless("mqtt", mqtt_connect(), |n| {
            let topic = [b'a', b'a' + (n % 26) as u8, b'a' + (n / 26 % 26) as u8];
            mqtt(0x82, n, &[&[0, 3][..], &topic, &[1]].concat())
        }),
        endless("mqtt", mqtt_connect(), |n| mqtt(0x34, n, &[0, 3, b'i', b'c', b'u'])),
        endless("ldap", vec![(CLIENT, ldap_search(1))], ldap_search),
        endless("rpc", vec![(CLIENT, rpc(1))], rpc),
    ]
}

#[test]
fn what_a_grammar_allows_without_end_is_not_kept_without_end() {
    // What is made once stays.
    Sensor::new().still_finds_an_attack(START);
    for Endless { name, first, part } in all() {
        let mut sensor = Sensor::new();
        let mut said = Vec::new();
        let mut number = 2;
        while said.len() < SAID {
            said.extend(part(number));
            number += 1;
        }
        let before = resident();
        for connection in 0..CONNECTIONS {
            let mut talk = Talk::open([(1, 30_000 + connection), (2, 900)], [1, 1], START);
            for (who, bytes) in &first {
                talk.say(*who, bytes);
            }
            sensor.frames(&talk.frames);
            for piece in said.chunks(128 << 10) {
                talk.frames.clear();
                sensor.frames(&talk.say(CLIENT, piece).frames);
            }
        }
        // All of them are open still.
        let kept = resident().saturating_sub(before);
        let opening = String::from_utf8_lossy(&said[..40]).into_owned();
        assert!(kept < MOST_KEPT, "{name}, {opening:?}: {kept} bytes are kept");
        sensor.still_finds_an_attack(START + 600 * SECOND);
        assert!(sensor.protocols.contains(name), "{name}, {opening:?}: {:?}", sensor.protocols);
    }
}
