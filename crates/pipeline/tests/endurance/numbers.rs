//! Sequence numbers, clocks and captured lengths at their ends.

use crate::network::{
    CLIENT, Frame, MILLISECOND, SECOND, SERVER, START, Talk, attack, datagram, packets, recorded,
};
use crate::sensor::Sensor;

fn message(number: usize) -> Vec<u8> {
    let head = "\x0bMSH|^~\\&|MON|ICU|ENGINE|HOSP|20270101120000||ORU^R01|";
    let result = "OBX|1|NM|8867-4^HR^LN||72|/min|60-100|N|||F\r";
    let patient = "PID|1||SYN-7||Synthetic^Ann\r";
    format!("{head}{number}|P|2.5\r{patient}{}\x1c\r", result.repeat(9)).into_bytes()
}

/// What is seen of a monitor that sends messages, its stream beginning at a number.
fn hl7(first: u32, disorder: bool) -> Vec<(String, Option<u64>)> {
    let mut talk = Talk::open([(1, 40_000), (2, 2_575)], [first, first], START);
    for number in 0..40 {
        talk.say(CLIENT, &message(number));
        talk.say(
            SERVER,
            format!("\x0bMSH|^~\\&|E|H|M|I|2027||ACK|{number}|P|2.5\rMSA|AA|{number}\r\x1c\r")
                .as_bytes(),
        );
    }
    if disorder {
        // Every fifth segment comes again, and before that after its successor.
        for at in (10..talk.frames.len() - 1).step_by(5) {
            let (one, other) = (talk.frames[at].bytes.clone(), talk.frames[at + 1].bytes.clone());
            talk.frames[at].bytes = other;
            talk.frames[at + 1].bytes = one;
        }
        let again: Vec<Frame> = talk.frames.iter().skip(10).step_by(5).cloned().collect();
        talk.frames.extend(again);
        talk.frames.sort_by_key(|frame| frame.at);
    }
    let mut sensor = Sensor::keeping(&["hl7.message", "protocol.anomaly"]);
    sensor.frames(&talk.frames);
    sensor.still_finds_an_attack(START + 60 * SECOND);
    let of = |o: &model::Observation| (o.str("type").unwrap_or("").to_owned(), o.uint("bytes"));
    sensor.kept.iter().map(of).collect()
}

#[test]
fn messages_over_the_end_of_sequence_numbers_are_read_as_elsewhere() {
    let elsewhere = hl7(1_000, false);
    assert_eq!(elsewhere.len(), 80);
    // The end comes within the handshake, a message, its frame's last bytes.
    for before_the_end in [0, 1, 2, 5, 300, 4_000, 10_001] {
        assert_eq!(hl7(u32::MAX - before_the_end, false), elsewhere, "{before_the_end}");
        assert_eq!(hl7(u32::MAX - before_the_end, true).len(), 80, "{before_the_end}, disorder");
    }
}

#[test]
fn clocks_that_jump_by_years_lose_no_attack() {
    const YEAR: i64 = 365 * 86_400 * SECOND;
    let recordings: Vec<_> = recorded().iter().step_by(6).map(|path| packets(path)).collect();
    let jumps =
        [0, 20 * YEAR, -YEAR, 0, -START, i64::MAX - START, i64::MIN, 79 * YEAR, 1, -30 * YEAR];
    for period in [7, 40, 1_000] {
        let mut sensor = Sensor::new();
        let mut sent = 0;
        for recording in &recordings {
            let first = recording.first().map_or(0, |packet| packet.at);
            for packet in recording {
                let jump = jumps[(sent / period) % jumps.len()];
                let at = START.saturating_add(packet.at - first).saturating_add(jump);
                sensor.packet(at, packet.link, packet.bytes.len() as u32, &packet.bytes);
                sent += 1;
            }
        }
        sensor.still_finds_an_attack(START + 3_600 * SECOND);
    }
}

#[test]
fn an_attack_is_found_while_the_clock_goes_back_within_it() {
    let mut frames = attack(START);
    for (number, frame) in frames.iter_mut().enumerate() {
        frame.at = START - number as i64 * 86_400 * SECOND;
    }
    let mut sensor = Sensor::new();
    sensor.frames(&frames);
    sensor.finish();
    assert!(sensor.findings.iter().any(|finding| finding.detector.as_str() == "web_attack"));
}

#[test]
fn packets_of_which_little_or_nothing_was_captured_do_no_harm() {
    let mut sensor = Sensor::new();
    let mut at = START;
    for path in recorded().iter().step_by(3) {
        for packet in packets(path).iter().take(40) {
            // As if captured with ever longer snapshots, from none on.
            for length in [0, 1, 13, 14, 15, 33, 34, 42, 54, 55, 66, 90] {
                let length = length.min(packet.bytes.len());
                at += MILLISECOND;
                let claimed = if length % 2 == 0 { u32::MAX } else { packet.bytes.len() as u32 };
                sensor.packet(at, packet.link, claimed, &packet.bytes[..length]);
            }
        }
    }
    for link in [0, 1, 12, 101, 105, 113, 127, 228, 229, 276, u32::MAX] {
        for bytes in [&b""[..], b"\0", b"\x45", b"\x60", b"\xff"] {
            sensor.packet(at, link, 0, bytes);
        }
    }
    let empty = datagram((5, 53), (6, 53), b"");
    (0..5_000).for_each(|n| sensor.packet(at + n, 1, empty.len() as u32, &empty));
    sensor.still_finds_an_attack(at + SECOND);
}
