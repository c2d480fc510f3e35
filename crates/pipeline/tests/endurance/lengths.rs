//! Every recorded conversation with each of its first words overwritten in turn by a number that
//! cannot be true.
//!
//! Which of the words are lengths is not asked: wherever a protocol has one, it is hit.

use crate::network::{SECOND, START, conversations, packets, payload, recorded};
use crate::sensor::Sensor;

/// What is written over: all ones, the largest that is not negative, and nothing.
const ABSURD: [&[u8]; 4] = [&[0xff; 4], &[0x7f, 0xff, 0xff, 0xff], &[0xff; 2], &[0; 4]];

/// Conversations of a recording, messages of each that are damaged, and how far into them.
const CONVERSATIONS: usize = 6;
const MESSAGES: usize = 8;
const DEPTH: usize = 40;

/// Of this one there is no recording; its messages are those of DNS, by the same parser.
const UNRECORDED: [&str; 1] = ["llmnr"];

/// Packets that are sent after the damaged one.
const AFTER: usize = 6;

#[test]
fn no_length_of_any_protocol_is_believed() {
    let mut sensor = Sensor::new();
    let (mut at, mut damaged) = (START, 0);
    for path in recorded() {
        for talk in conversations(packets(&path)).iter().take(CONVERSATIONS) {
            let carrying: Vec<usize> =
                (0..talk.len()).filter(|i| payload(&talk[*i].bytes).is_some()).collect();
            for &which in carrying.iter().take(MESSAGES) {
                let Some(said) = payload(&talk[which].bytes) else { continue };
                for place in said.step_by(2).take(DEPTH / 2) {
                    let absurd = ABSURD[(place / 2 + damaged) % ABSURD.len()];
                    let last = talk.len().min(which + AFTER);
                    for (number, packet) in talk[..last].iter().enumerate() {
                        let mut bytes = packet.bytes.clone();
                        if number == which {
                            let room = absurd.len().min(bytes.len() - place);
                            bytes[place..place + room].copy_from_slice(&absurd[..room]);
                        }
                        at += 100_000;
                        sensor.packet(at, packet.link, bytes.len() as u32, &bytes);
                    }
                    sensor.next_worker();
                    damaged += 1;
                }
            }
        }
    }
    assert!(damaged > 8_000, "{damaged} conversations");
    sensor.still_finds_an_attack(at + SECOND);
    let all = protocols::ALL.iter().map(|protocol| protocol.spec().name);
    let missed: Vec<&str> = all
        .filter(|name| !sensor.protocols.contains(*name) && !UNRECORDED.contains(name))
        .collect();
    assert!(missed.is_empty(), "not recognised in what is recorded, so not tried: {missed:?}");
}
