//! DICOM when the sensor lost bytes, came late, or sees one side only.

use proptest::prelude::*;
use protocols::dicom::Dicom;
use serde_json::json;

use crate::conversation::*;
use crate::dicom::{busy, image, opened, released};
use crate::dicom_bytes::Element::Text;
use crate::dicom_bytes::*;

/// An image in one PDV, of which the bytes `lost` are missing, then an echo.
fn image_with_loss(lost: std::ops::Range<usize>) -> Vec<Turn> {
    let set = image(20_000, EXPLICIT);
    let mut turns = opened(CT, EXPLICIT);
    turns.push(said(THERE, data(1, true, &command(0x0001, CT, 1, true, &[]), 4000)));
    let mut bytes = data(1, false, &set, 1 << 20);
    bytes.extend(data(1, true, &command(0x0030, VERIFICATION, 2, false, &[]), 4000));
    turns.push(said(THERE, &bytes[..lost.start]));
    turns.push(Turn::Lost(THERE, lost.len() as u64));
    turns.push(said(THERE, &bytes[lost.end..]));
    released(turns)
}

#[test]
fn a_loss_within_pixels_does_no_harm() {
    let all = observe(&Dicom, &image_with_loss(10_000..14_000));
    let object = of_kind(&all, "dicom.object")[0];
    assert_eq!(object["bytes"], image(20_000, EXPLICIT).len());
    assert_eq!(object["patient"], token("patient", "ZZTAINT-7"));
    assert_eq!(of_kind(&all, "dicom.command").len(), 2);
}

#[test]
fn a_loss_before_the_patient_costs_only_the_patient() {
    let all = observe(&Dicom, &image_with_loss(60..90));
    let object = of_kind(&all, "dicom.object")[0];
    assert_eq!(object["bytes"], image(20_000, EXPLICIT).len());
    assert!(object["patient"].is_null());
    assert_eq!(of_kind(&all, "dicom.command").len(), 2);
}

#[test]
fn an_object_whose_end_was_lost_came_whole_if_its_sender_went_on() {
    let size = image(20_000, EXPLICIT).len();
    let all = observe(&Dicom, &image_with_loss(size - 100..size + 20));
    assert_eq!(oddities(&all), [""; 0], "a loss is nobody's fault");
    let bytes = of_kind(&all, "dicom.object")[0]["bytes"].as_u64().unwrap();
    let headers = 200;
    assert!((size as u64..size as u64 + headers).contains(&bytes), "{bytes} of {size}");
    let close = of_kind(&all, "dicom.close")[0];
    assert_eq!((&close["how"], &close["objects"]), (&json!("released"), &json!(1)));
}

#[test]
fn an_object_whose_end_was_lost_came_whole_if_it_was_answered() {
    let set = data(1, false, &image(9_000, EXPLICIT), 1_000);
    let answer = command(0x8001, CT, 1, false, &[(0x0900, &[0, 0])]);
    let with = |answered: bool| {
        let mut turns = opened(CT, EXPLICIT);
        turns.push(said(THERE, data(1, true, &command(0x0001, CT, 1, true, &[]), 4000)));
        turns.push(said(THERE, &set[..4_000]));
        turns.push(Turn::Lost(THERE, (set.len() - 4_000) as u64));
        if answered {
            turns.push(said(BACK, data(1, true, &answer, 4000)));
        }
        of_kind(&observe(&Dicom, &turns), "dicom.object").len()
    };
    assert_eq!((with(true), with(false)), (1, 0));
}

#[test]
fn the_rest_of_a_command_whose_beginning_was_lost_is_nobody_s_fault() {
    let announced = command(0x0001, CT, 1, true, &[]);
    let fragments = data(1, true, &announced, 50);
    assert!(announced.len() > 50 && announced.len() <= 100, "two fragments");
    for at in 0..fragments.len() - 1 {
        let mut turns = opened(CT, EXPLICIT);
        turns.push(said(THERE, &fragments[..at]));
        turns.push(Turn::Lost(THERE, 1));
        turns.push(said(THERE, &fragments[at + 1..]));
        turns.push(said(THERE, data(1, true, &command(0x0030, VERIFICATION, 2, false, &[]), 50)));
        let all = observe(&Dicom, &released(turns));
        assert_eq!(oddities(&all), [""; 0], "byte {at}");
        assert_eq!(of_kind(&all, "dicom.command").last().unwrap()["command"], "C-ECHO-RQ");
    }
}

#[test]
fn pixels_that_look_like_headers_do_not_lead_astray() {
    // 16-bit pixels of small numbers: 4, 0, 3, 0, 2, 1 could be a PDU of 768 bytes.
    let pixels = [4_u8, 0, 0, 0, 3, 0, 0, 0, 2, 0, 1, 0].repeat(2_000);
    let mut bytes = data(1, false, &pixels, 8_000);
    bytes.extend(data(1, true, &command(0x0030, VERIFICATION, 2, false, &[]), 4000));
    let mut turns = opened(CT, EXPLICIT);
    turns.push(said(THERE, data(1, true, &command(0x0001, CT, 1, true, &[]), 4000)));
    turns.push(said(THERE, &bytes[..7_000]));
    turns.push(Turn::Lost(THERE, 2_001));
    turns.push(said(THERE, &bytes[9_001..]));
    let all = observe(&Dicom, &turns);
    let names: Vec<_> =
        of_kind(&all, "dicom.command").iter().map(|f| f["command"].clone()).collect();
    assert_eq!(names, ["C-STORE-RQ", "C-ECHO-RQ"]);
    assert_eq!(of_kind(&all, "dicom.object").len(), 1);
}

#[test]
fn a_query_whose_identifier_was_lost_is_still_said() {
    let set = data_set(&[Text(0x0010, 0x0010, b"PN", "*")], IMPLICIT);
    let mut turns = opened(FIND, IMPLICIT);
    turns.push(said(THERE, data(1, true, &command(0x0020, FIND, 1, true, &[]), 4000)));
    turns.push(Turn::Lost(THERE, data(1, false, &set, 4000).len() as u64));
    let all = observe(&Dicom, &released(turns));
    let commands = of_kind(&all, "dicom.command");
    assert_eq!(commands.len(), 1);
    assert!(commands[0]["universal"].is_null(), "nothing is known of it");
}

#[test]
fn a_loss_within_a_pdv_leaves_the_next_one_of_its_pdu() {
    let set = data_set(&[Text(0x0010, 0x0010, b"PN", "ZZTAINT^SOMEBODY")], IMPLICIT);
    let echo = command(0x0030, VERIFICATION, 2, false, &[]);
    // The identifier stands before a command in the same PDU.
    let both = together(1, &set, &echo);
    let (identifier, rest) = both.split_at(12 + set.len());
    let mut turns = opened(FIND, IMPLICIT);
    turns.push(said(THERE, data(1, true, &command(0x0020, FIND, 1, true, &[]), 4000)));
    let mut header = identifier[..12].to_vec();
    header[11] = 2;
    let mut second = rest.to_vec();
    second[5] = 3;
    turns.push(said(THERE, header));
    turns.push(Turn::Lost(THERE, set.len() as u64));
    turns.push(said(THERE, second));
    let all = observe(&Dicom, &turns);
    let names: Vec<_> =
        of_kind(&all, "dicom.command").iter().map(|f| f["command"].clone()).collect();
    assert_eq!(names, ["C-FIND-RQ", "C-ECHO-RQ"]);
}

#[test]
fn an_object_cut_off_is_not_said_to_have_come_whole() {
    let bytes = data(1, false, &image(20_000, EXPLICIT), 1 << 20);
    for missing in [1, 5_000, bytes.len() - 100] {
        let mut turns = opened(CT, EXPLICIT);
        turns.push(said(THERE, data(1, true, &command(0x0001, CT, 1, true, &[]), 4000)));
        turns.push(said(THERE, &bytes[..bytes.len() - missing]));
        let all = observe(&Dicom, &turns);
        assert_eq!(of_kind(&all, "dicom.object").len(), 0, "{missing} bytes missing");
        assert_eq!(of_kind(&all, "dicom.close")[0]["how"], "lost");
    }
}

#[test]
fn an_answer_seen_before_its_request_waits_for_it() {
    let mut turns = released(opened(CT, EXPLICIT));
    turns.swap(0, 1);
    let all = observe(&Dicom, &turns);
    let association = of_kind(&all, "dicom.association")[0];
    assert_eq!(
        (&association["outcome"], &association["contexts"]),
        (&json!("accepted"), &json!(1))
    );
    assert_eq!(all[0]["subject"]["ip"], "10.0.0.1");
}

#[test]
fn one_side_alone_is_read() {
    let side = |wanted| -> Vec<Turn> {
        busy()
            .into_iter()
            .filter(|turn| matches!(turn, Turn::Said(dir, _) if *dir == wanted))
            .collect()
    };
    let there = observe(&Dicom, &side(THERE));
    assert_eq!(of_kind(&there, "dicom.object").len(), 2);
    assert_eq!(of_kind(&there, "dicom.command").len(), 4);
    let back = observe(&Dicom, &side(BACK));
    assert_eq!(of_kind(&back, "dicom.association")[0]["outcome"], "accepted");
    assert_eq!(back[0]["subject"]["ip"], "10.0.0.1", "the side that is answered asked");
    assert_eq!(of_kind(&back, "dicom.close")[0]["matches"], 2);
}

#[test]
fn an_association_joined_late_is_read_from_its_next_command() {
    let turns: Vec<Turn> = busy().into_iter().skip(2).collect();
    let Turn::Said(_, start) = &turns[0] else { unreachable!() };
    assert_eq!(probe(&Dicom, start), model::emit::Probe::Yes);
    let all = observe(&Dicom, &turns);
    assert_eq!(of_kind(&all, "dicom.association").len(), 0);
    assert_eq!(of_kind(&all, "dicom.object").len(), 2);
    let query = of_kind(&all, "dicom.command")
        .into_iter()
        .find(|fields| fields["command"] == "C-FIND-RQ")
        .unwrap();
    assert_eq!(query["keys"], json!(["PatientName"]), "the encoding is guessed");
    assert_eq!(oddities(&all), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_loss_anywhere_is_cut_invariant_and_never_loses_the_way_for_long(
        which in 0_usize..12, at in 0_usize..9000, count in 1_usize..3000, sizes in sizes(),
    ) {
        let mut turns = busy();
        let which = which % (turns.len() - 3);
        let Turn::Said(dir, bytes) = turns[which].clone() else { unreachable!() };
        let at = at % bytes.len();
        let end = (at + count).min(bytes.len());
        turns.splice(which..=which, [
            said(dir, &bytes[..at]),
            Turn::Lost(dir, (end - at) as u64),
            said(dir, &bytes[end..]),
        ]);
        let all = observe(&Dicom, &turns);
        prop_assert_eq!(&cut_and_observe(&Dicom, &turns, &sizes), &all);
        prop_assert_eq!(of_kind(&all, "dicom.close").len(), 1, "{:?}", all);
        prop_assert_eq!(oddities(&all), [""; 0]);
    }
}
