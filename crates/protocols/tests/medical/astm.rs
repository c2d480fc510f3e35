//! ASTM: dialects of analysers, retransmissions, orders the other way, losses.

use model::emit::Probe;
use proptest::prelude::*;
use protocols::astm::Astm;
use serde_json::json;

use crate::conversation::*;

const ENQ: &[u8] = b"\x05";
const ACK: &[u8] = b"\x06";
const NAK: &[u8] = b"\x15";
const EOT: &[u8] = b"\x04";

/// A blood gas analyser's result.
const RECORDS: [&str; 7] = [
    "H|\\^&|||GASMASTER^3.1^SN0042|||||LIS1||P|LIS2-A2|20300101120000",
    "P|1||ZZTAINT-9^X||ZZTAINT^EVE||19800101|F",
    "O|1|S-100^ZZTAINT||^^^GAS|R||20300101115900",
    "R|1|^^^pH^1|7.41|||N||F||ZZTAINT nurse",
    "C|1|I|ZZTAINT comment|G",
    "R|2|^^^pO2|95|mmHg||N||F",
    "L|1|N",
];

fn frame(number: usize, text: &str, end: u8) -> Vec<u8> {
    let mut body = vec![b'0' + (number % 8) as u8];
    body.extend(text.bytes());
    body.push(end);
    let sum = body.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    [&[2], &body[..], format!("{sum:02X}\r\n").as_bytes()].concat()
}

/// A session with a frame a record, each taken by the other side.
fn session(records: &[&str]) -> Vec<Turn> {
    let mut turns = vec![said(THERE, ENQ), said(BACK, ACK)];
    for (at, record) in records.iter().enumerate() {
        turns.push(said(THERE, frame(at + 1, &format!("{record}\r"), 3)));
        turns.push(said(BACK, ACK));
    }
    turns.push(said(THERE, EOT));
    turns
}

fn size(records: &[&str]) -> usize {
    records.iter().map(|record| record.len()).sum()
}

#[test]
fn a_session_is_one_message() {
    let all = observe(&Astm, &session(&RECORDS));
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        all[0]["fields"],
        json!({
            "sender": "GASMASTER^3.1^SN0042", "receiver": "LIS1", "processing_id": "P",
            "version": "LIS2-A2", "records": 7, "patients": 1, "orders": 1, "results": 2,
            "queries": 0, "tests": ["pH", "pO2"], "patient": token("patient", "ZZTAINT-9"),
            "termination": "N", "bytes": size(&RECORDS), "framed": true,
        })
    );
    assert_eq!(all[0]["subject"]["ip"], "10.0.0.1");
}

#[test]
fn every_way_to_wrap_the_records_gives_the_same_message() {
    let text = format!("{}\r", RECORDS.join("\r"));
    let split: Vec<u8> = {
        let pieces: Vec<&str> =
            text.as_bytes().chunks(50).map(|c| std::str::from_utf8(c).unwrap()).collect();
        let last = pieces.len() - 1;
        let frames = pieces
            .iter()
            .enumerate()
            .map(|(at, piece)| frame(at + 1, piece, if at == last { 3 } else { 0x17 }));
        frames.flatten().collect()
    };
    let wrappings: [(Vec<u8>, bool); 6] = [
        (frame(1, &text, 3), true),
        (split, true),
        (format!("\x021{text}\x03").into_bytes(), false),
        (format!("\x02{text}\x03\r\n").into_bytes(), false),
        (text.clone().into_bytes(), false),
        (text.trim_end().replace('\r', "\r\n").into_bytes(), false),
    ];
    for (bytes, framed) in wrappings {
        let all = observe(&Astm, &[said(THERE, &bytes)]);
        let shown = String::from_utf8_lossy(&bytes);
        assert_eq!(all.len(), 1, "{shown:?}: {all:?}");
        let fields = &all[0]["fields"];
        assert_eq!((&fields["records"], &fields["results"]), (&json!(7), &json!(2)), "{shown:?}");
        assert_eq!((&fields["bytes"], &fields["framed"]), (&json!(size(&RECORDS)), &json!(framed)));
        assert_eq!(probe(&Astm, &bytes), Probe::Yes, "{shown:?}");
    }
}

#[test]
fn a_refused_frame_is_counted_once() {
    let mut turns = session(&RECORDS);
    // The fourth frame comes damaged, is refused, and comes again.
    let Turn::Said(_, good) = turns[8].clone() else { unreachable!() };
    let mut bad = good.clone();
    bad[6] ^= 1;
    turns.splice(8..8, [said(THERE, bad), said(BACK, NAK)]);
    let all = observe(&Astm, &turns);
    assert_eq!(oddities(&all), ["wrong checksum"]);
    let fields = of_kind(&all, "astm.message")[0];
    assert_eq!((&fields["results"], &fields["records"]), (&json!(2), &json!(7)));
    assert_eq!(fields["tests"], json!(["pH", "pO2"]));
}

#[test]
fn a_frame_sent_again_since_its_answer_was_late_is_counted_once() {
    let mut turns = session(&RECORDS);
    let again = turns[8].clone();
    turns.splice(10..10, [again.clone(), said(BACK, ACK)]);
    let fields = observe(&Astm, &turns)[0]["fields"].clone();
    assert_eq!(fields["results"], 2);
    // The same where only the analyser's side is seen.
    let one_side: Vec<Turn> = turns
        .into_iter()
        .filter(|turn| matches!(turn, Turn::Said(dir, _) if *dir == THERE))
        .collect();
    assert_eq!(observe(&Astm, &one_side)[0]["fields"], fields);
}

#[test]
fn the_answer_to_an_enquiry_is_not_taken_for_a_frames() {
    // Seen out of step: the first frame before the answer to the enquiry, then its refusal.
    let mut turns = session(&RECORDS);
    let Turn::Said(_, good) = turns[2].clone() else { unreachable!() };
    let mut bad = good.clone();
    bad[6] ^= 1;
    turns.splice(1..2, [said(THERE, bad), said(BACK, ACK), said(BACK, NAK)]);
    let all = observe(&Astm, &turns);
    assert_eq!(oddities(&all), ["wrong checksum"]);
    assert_eq!(of_kind(&all, "astm.message").len(), 1);
}

#[test]
fn a_frame_given_up_is_not_counted() {
    let mut turns = session(&RECORDS[..4]);
    let at = turns.len() - 2;
    turns[at] = said(BACK, NAK);
    let all = observe(&Astm, &turns);
    assert_eq!(all[0]["fields"]["results"], 0);
    assert!(all[0]["fields"]["termination"].is_null());
}

#[test]
fn orders_go_the_other_way() {
    let mut turns = session(&["H|\\^&|||CHEM1", "Q|1|^S-7||ALL", "L|1|I"]);
    turns.push(said(BACK, ENQ));
    turns.push(said(THERE, ACK));
    for (at, record) in ["H|\\^&|||LIS1|||||CHEM1", "P|1|||ZZTAINT-5", "O|1|S-7||^^^GLU", "L|1|F"]
        .iter()
        .enumerate()
    {
        turns.push(said(BACK, frame(at + 1, &format!("{record}\r"), 3)));
        turns.push(said(THERE, ACK));
    }
    turns.push(said(BACK, EOT));
    let all = observe(&Astm, &turns);
    assert_eq!(
        (&all[0]["fields"]["queries"], &all[0]["fields"]["termination"]),
        (&json!(1), &json!("I"))
    );
    assert_eq!(all[1]["subject"]["ip"], "10.0.0.2");
    assert_eq!(
        (&all[1]["fields"]["orders"], &all[1]["fields"]["sender"]),
        (&json!(1), &json!("LIS1"))
    );
    assert_eq!(all[1]["fields"]["patient"], token("patient", "ZZTAINT-5"));
}

#[test]
fn a_message_without_a_terminator_ends_with_the_next() {
    let mut turns = session(&RECORDS[..5]);
    turns.extend(session(&RECORDS));
    let all = observe(&Astm, &turns);
    assert_eq!(oddities(&all), ["message without a terminator record"]);
    let counts: Vec<_> =
        of_kind(&all, "astm.message").iter().map(|f| f["records"].clone()).collect();
    assert_eq!(counts, [5, 7]);
}

#[test]
fn long_records_and_frames_are_counted_without_being_held() {
    let histogram = format!("M|1|HISTOGRAM|{}", "A".repeat(30_000));
    let records = [RECORDS[0], &histogram, RECORDS[3], RECORDS[6]];
    let all = observe(&Astm, &session(&records));
    assert_eq!(
        (&all[0]["fields"]["bytes"], &all[0]["fields"]["results"]),
        (&json!(size(&records)), &json!(1))
    );
    let endless = [b"\x02", &b"1H|\\^&|||X"[..], &vec![b'x'; 200_000]].concat();
    assert_eq!(oddities(&observe(&Astm, &[said(THERE, endless)])), ["frame of more than 64 KiB"]);
}

#[test]
fn after_a_loss_the_next_frame_is_read() {
    let mut turns = session(&RECORDS);
    turns[8] = Turn::Lost(THERE, 40);
    let all = observe(&Astm, &turns);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        (&all[0]["fields"]["results"], &all[0]["fields"]["termination"]),
        (&json!(1), &json!("N"))
    );
}

#[test]
fn enquiries_alone_wait_for_more() {
    assert_eq!(probe(&Astm, ENQ), Probe::Unsure);
    assert_eq!(probe(&Astm, ACK), Probe::Unsure);
    assert_eq!(probe(&Astm, &[ENQ, &frame(1, "H|\\^&|||X\r", 3)].concat()), Probe::Yes);
    assert_eq!(probe(&Astm, &frame(5, "R|1|^^^GLU|5.5\r", 3)), Probe::Yes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cuts_change_nothing(sizes in sizes()) {
        let mut turns = session(&RECORDS);
        turns.splice(8..8, [said(THERE, b"\x024R|1|^^^x\r\x03FF\r\n"), said(BACK, NAK)]);
        turns.extend(session(&RECORDS));
        turns.push(said(THERE, format!("\x02{}\r\x03", RECORDS.join("\r"))));
        turns.push(said(BACK, ACK));
        turns.push(said(THERE, format!("{}\n", RECORDS.join("\n"))));
        turns.push(Turn::Lost(THERE, 9));
        turns.push(said(THERE, format!("lost|1\r{}", RECORDS.join("\r"))));
        let whole = observe(&Astm, &turns);
        prop_assert_eq!(of_kind(&whole, "astm.message").len(), 5);
        prop_assert_eq!(cut_and_observe(&Astm, &turns, &sizes), whole);
    }
}
