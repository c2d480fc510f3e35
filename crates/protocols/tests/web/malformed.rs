//! Hostile bytes: no panic, no endless output, and no change by cuts.

use model::flow::Direction;
use model::net::Transport;
use proptest::prelude::*;
use protocols::drive;
use wire::chunk::Chunk;

use crate::{lines, run, samples};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Bytes of real conversations, some of them changed, dropped or doubled.
    #[test]
    fn broken_conversations_are_borne(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in 1_usize..50,
    ) {
        for sample in samples::all() {
            let mut turns = sample.turns;
            for (place, value) in &changes {
                let turn = place.index(turns.len());
                let bytes = &mut turns[turn].1;
                if bytes.is_empty() { continue }
                let at = place.index(bytes.len());
                match value % 4 {
                    0 => { bytes.remove(at); }
                    1 => bytes.insert(at, *value),
                    _ => bytes[at] = *value,
                }
            }
            let whole: Vec<_> = turns.iter().map(|(d, b)| (*d, &b[..])).collect();
            let expected = lines(&run(sample.protocol, &whole));
            let pieces: Vec<_> =
                whole.iter().flat_map(|(d, b)| b.chunks(cut).map(|piece| (*d, piece))).collect();
            prop_assert_eq!(lines(&run(sample.protocol, &pieces)), expected, "{}", sample.protocol.spec().name);
        }
    }

    #[test]
    fn noise_is_borne(
        pieces in proptest::collection::vec((any::<bool>(), 0_u8..8, proptest::collection::vec(any::<u8>(), 0..80)), 0..20),
    ) {
        for protocol in protocols::ALL {
            let chunks: Vec<_> = pieces.iter().map(|(forward, what, bytes)| {
                let dir = if *forward { Direction::Forward } else { Direction::Reverse };
                let chunk = match what {
                    0 => Chunk::Gap(bytes.len() as u64),
                    1 => Chunk::Datagram(bytes),
                    _ => Chunk::Stream(bytes),
                };
                (dir, chunk)
            }).collect();
            let flow = drive::flow(Transport::Tcp, 514);
            for (dir, chunk) in &chunks {
                if let Chunk::Stream(bytes) = chunk {
                    let _ = drive::probe(*protocol, &flow, *dir, bytes);
                }
            }
            drive::run(*protocol, flow, &chunks);
        }
    }
}

/// What a rule of HTTP that is broken is called.
fn broken(text: &str) -> Vec<String> {
    let seen = run(&protocols::http::Http, &[(Direction::Forward, text.as_bytes())]);
    seen.iter()
        .filter(|o| o.is("protocol.anomaly"))
        .map(|o| o.str("what").unwrap().to_owned())
        .collect()
}

#[test]
fn broken_rules_of_http_are_named() {
    let post =
        |headers: &str, body: &str| broken(&format!("POST / HTTP/1.1\r\n{headers}\r\n{body}"));
    assert_eq!(post("Content-Length: 5, 6\r\n", ""), ["Content-Length"]);
    assert_eq!(post("Content-Length: 99999999999999999999\r\n", ""), ["Content-Length"]);
    assert_eq!(
        post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ["both Content-Length and Transfer-Encoding"]
    );
    assert_eq!(
        post("Transfer-Encoding: gzip\r\n", ""),
        ["request whose last transfer coding is not chunked"]
    );
    assert_eq!(post("Transfer-Encoding: chunked\r\n", "zz\r\n"), ["chunk size"]);
    assert_eq!(
        post("Transfer-Encoding: chunked\r\n", "1\r\nabc"),
        ["chunk longer or shorter than its size"]
    );
    assert_eq!(post("", "\u{1}\u{2}"), ["bytes that begin no head"]);
    assert_eq!(post("X: y\r\n", "GET /two HTTP/1.1\r\n\r\n"), Vec::<String>::new());
    assert_eq!(post(&"A: b\r\n".repeat(129), ""), ["more than 128 headers"]);
    assert_eq!(post(&format!("A: {}\r\n", "b".repeat(70_000)), ""), ["head longer than 64 KiB"]);
    assert_eq!(post("no colon\r\n", "GET / HTTP/1.1\r\n\r\n"), ["header name"]);
}

#[test]
fn a_gap_in_a_body_is_passed_over_and_a_gap_in_a_head_recovered_from() {
    use Direction::{Forward, Reverse};
    let pieces = [
        (Forward, Chunk::Stream(b"PUT /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc")),
        (Forward, Chunk::Gap(900)),
        (Forward, Chunk::Stream(&[b'x'; 97])),
        (Forward, Chunk::Stream(b"GET /b HTTP/1.1\r\nHost: x")),
        (Forward, Chunk::Gap(20)),
        (Forward, Chunk::Stream(b"y\r\n\r\nrest GET /c HTTP/1.1\r\n\r\n")),
        (Reverse, Chunk::Stream(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    ];
    let seen = drive::run(&protocols::http::Http, drive::flow(Transport::Tcp, 80), &pieces);
    let told: Vec<_> = seen.iter().map(|o| (o.kind.name, o.str("path").unwrap_or(""))).collect();
    assert_eq!(told, [("http.request", "/a"), ("http.request", "/c"), ("http.response", "/c")]);
}

#[test]
fn tunnels_end_the_flow_and_upgrades_go_on_without_noise() {
    use Direction::{Forward, Reverse};
    let http = &protocols::http::Http;
    let tunnel = run(
        http,
        &[
            (Forward, b"CONNECT vendor:443 HTTP/1.1\r\nHost: vendor:443\r\n\r\n"),
            (Reverse, b"HTTP/1.1 200 Connection established\r\n\r\n"),
            (Forward, b"\x16\x03\x01\x02\x00"),
        ],
    );
    assert_eq!((tunnel.len(), tunnel[1].str("upgrade")), (2, Some("tunnel")));
    let socket = run(
        http,
        &[
            (Forward, b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
            (Reverse, b"HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\n\r\n\x81\x05hello"),
            (Forward, b"\x81\x85"),
        ],
    );
    assert_eq!((socket.len(), socket[1].str("upgrade")), (4, Some("websocket")));
    assert_eq!((socket[2].kind.name, socket[3].uint("received_text")), ("websocket.open", Some(1)));
}

#[test]
fn responses_find_their_requests_when_many_are_outstanding() {
    use Direction::{Forward, Reverse};
    let requests: String = (0..90).map(|n| format!("GET /r{n} HTTP/1.1\r\n\r\n")).collect();
    let responses = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".repeat(90);
    let late = b"GET /late HTTP/1.1\r\n\r\n";
    let seen = run(
        &protocols::http::Http,
        &[
            (Forward, requests.as_bytes()),
            (Reverse, responses.as_bytes()),
            (Forward, late),
            (Reverse, b"HTTP/1.1 200 OK\r\n\r\n"),
        ],
    );
    let paths: Vec<_> =
        seen.iter().filter(|o| o.is("http.response")).map(|o| o.str("path")).collect();
    assert_eq!(
        (paths.len(), paths[63], paths[64], paths[90]),
        (91, Some("/r63"), None, Some("/late"))
    );
}

#[test]
fn an_answer_to_something_that_is_no_request_is_still_told() {
    use Direction::{Forward, Reverse};
    let seen = run(
        &protocols::http::Http,
        &[
            (Forward, b"PATIENT|DOE^PAT|HR=80\n"),
            (Reverse, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        ],
    );
    let told: Vec<_> = seen.iter().map(|o| o.kind.name).collect();
    assert_eq!(told, ["protocol.anomaly", "http.response"]);
}
