//! Conversations that begin as recorded ones do and then never come to the end of what they say.

use crate::network::{
    CLIENT, Recorded, SECOND, SERVER, START, Talk, conversations, ends, packets, payload, recorded,
};
use crate::sensor::Sensor;

/// Bytes without end, each for another kind of grammar: text without a line's end, lines without a
/// header's end, lengths of nothing, lengths of all, filters and sequences in one another.
const FILLERS: [&[u8]; 6] =
    [b"A", b"X-A: b\r\n", b"\0", b"\xff", b"(&(|", b"\xa0\x84\x7f\xff\xff\xff"];

/// Bytes of filler in one conversation.
const ENDLESS: usize = 200 << 10;

/// What is said in the first conversation over TCP of a recording, and whether by the client.
fn opening(recording: Vec<Recorded>) -> Option<Vec<(bool, Vec<u8>)>> {
    let is_tcp = |talk: &Vec<Recorded>| talk[0].bytes.get(23) == Some(&6);
    let talk = conversations(recording).into_iter().find(is_tcp)?;
    let [client, _] = ends(&talk[0].bytes)?;
    let said = |packet: &Recorded| {
        let by_client = ends(&packet.bytes)?[0] == client;
        Some((by_client, packet.bytes[payload(&packet.bytes)?].to_vec()))
    };
    Some(talk.iter().filter_map(said).collect())
}

#[test]
fn messages_without_end_are_let_go_in_every_protocol() {
    let mut sensor = Sensor::new();
    let (mut port, mut at, mut number) = (10_000_u16, START, 0);
    for path in recorded() {
        let Some(talk) = opening(packets(&path)) else { continue };
        for filler in FILLERS {
            let endless = filler.repeat(ENDLESS / filler.len());
            // After so many whole messages, and in the middle of the next.
            for whole in [0, 1, 3] {
                let Some((_, cut)) = talk.get(whole) else { continue };
                port = if port > 60_000 { 10_000 } else { port + 1 };
                let server = 1_000 + (number % 7) as u16;
                let mut fake = Talk::open([(3, port), (4, server)], [1, 1], at);
                let side = |client: bool| if client { CLIENT } else { SERVER };
                for (client, said) in &talk[..whole] {
                    fake.say(side(*client), said);
                }
                fake.say(side(talk[whole].0), &cut[..cut.len() / 2]);
                // Both sides, by turns.
                for (turn, piece) in endless.chunks(48 << 10).enumerate() {
                    let speaker = if turn % 3 == 2 { !talk[whole].0 } else { talk[whole].0 };
                    fake.say(side(speaker), piece);
                }
                sensor.frames(&fake.frames);
                at += SECOND;
                number += 1;
            }
        }
    }
    assert!(number > 400, "{number} conversations");
    sensor.still_finds_an_attack(at + SECOND);
    for protocol in ["hl7", "dicom", "http", "smtp", "ldap", "astm", "mqtt", "smb", "ftp", "rpc"] {
        assert!(sensor.protocols.contains(protocol), "{protocol} was not recognised");
    }
}
