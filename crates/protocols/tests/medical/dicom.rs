//! DICOM: associations, queries, retrievals, objects.

use proptest::prelude::*;
use protocols::dicom::Dicom;
use serde_json::{Value, json};

use crate::conversation::*;
use crate::dicom_bytes::Element::{Sequence, Text};
use crate::dicom_bytes::*;

/// An association with one context in the transfer syntax given.
pub(crate) fn opened(class: &str, syntax: &str) -> Vec<Turn> {
    vec![
        said(THERE, request("CT1", "PACS", &[class], &[])),
        said(BACK, accept("CT1", "PACS", &[Some(syntax)])),
    ]
}

pub(crate) fn released(mut turns: Vec<Turn>) -> Vec<Turn> {
    turns.push(said(THERE, release(5)));
    turns.push(said(BACK, release(6)));
    turns
}

/// A CT image of one patient with so many bytes of pixels.
pub(crate) fn image(pixels: usize, syntax: &str) -> Vec<u8> {
    let noise: String = (0..pixels).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
    data_set(
        &[
            Text(0x0008, 0x0016, b"UI", CT),
            Text(0x0008, 0x0060, b"CS", "CT"),
            Sequence(0x0008, 0x1115, vec![Text(0x0010, 0x0020, b"LO", "ZZTAINT-OTHER")]),
            Text(0x0010, 0x0010, b"PN", "ZZTAINT^NAME"),
            Text(0x0010, 0x0020, b"LO", "ZZTAINT-7"),
            Text(0x7fe0, 0x0010, b"OW", &noise),
        ],
        syntax,
    )
}

fn query(elements: &[Element<'_>], class: &str, syntax: &str) -> Value {
    let mut turns = opened(class, syntax);
    let set = data_set(elements, syntax);
    turns.push(said(THERE, data(1, true, &command(0x0020, class, 1, true, &[]), 4000)));
    turns.push(said(THERE, data(1, false, &set, 4000)));
    let all = observe(&Dicom, &turns);
    assert_eq!(oddities(&all), [""; 0]);
    of_kind(&all, "dicom.command")[0].clone()
}

#[test]
fn an_association_says_who_asked_whom_for_what() {
    let turns = [
        said(
            THERE,
            request("CT1", "PACS", &[CT, FIND, "1.2.3.4.99", CT], &[identity("radiographer", PHI)]),
        ),
        said(BACK, accept("CT1", "PACS", &[Some(EXPLICIT), None, None, Some(IMPLICIT)])),
        said(THERE, release(5)),
        said(BACK, release(6)),
    ];
    let all = observe(&Dicom, &turns);
    assert_eq!(
        *of_kind(&all, "dicom.association")[0],
        json!({
            "outcome": "accepted", "calling_ae": "CT1", "called_ae": "PACS",
            "contexts": 4, "accepted_contexts": 2,
            "abstract_syntaxes": [
                "CT Image Storage",
                "Study Root Query/Retrieve Information Model - FIND",
                "1.2.3.4.99"
            ],
            "implementation_uid": "1.2.3.4.5", "implementation_version": "MODALITY_7",
            "responder_version": "ARCHIVE_2", "max_pdu": 16384, "user": "radiographer",
        })
    );
    assert_eq!(of_kind(&all, "dicom.close")[0]["how"], "released");
    assert_eq!(all[0]["subject"]["ip"], "10.0.0.1");
}

#[test]
fn a_rejection_says_why_in_the_standards_words() {
    let ask = said(THERE, request("SCANNER", "ANY-SCP", &[VERIFICATION], &[]));
    let cases = [
        ((1, 1, 7), ["permanent", "user", "called-AE-title-not-recognized"]),
        ((1, 1, 3), ["permanent", "user", "calling-AE-title-not-recognized"]),
        ((2, 3, 1), ["transient", "presentation", "temporary-congestion"]),
        ((1, 2, 2), ["permanent", "acse", "protocol-version-not-supported"]),
    ];
    for ((result, source, reason), [how, who, why]) in cases {
        let all = observe(&Dicom, &[ask.clone(), said(BACK, reject(result, source, reason))]);
        assert_eq!(all.len(), 1, "{all:?}");
        let fields = &all[0]["fields"];
        assert_eq!(fields["outcome"], "rejected");
        assert_eq!(fields["reject_result"], how);
        assert_eq!(fields["reject_source"], who);
        assert_eq!(fields["reject_reason"], why);
    }
}

#[test]
fn no_answer_and_an_abort_instead_are_told_apart() {
    let ask = said(THERE, request("CT1", "PACS", &[CT], &[]));
    let outcome = |turns: &[Turn]| {
        let all = observe(&Dicom, turns);
        assert_eq!(all.len(), 1);
        all[0]["fields"]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome(std::slice::from_ref(&ask)), "unanswered");
    assert_eq!(outcome(&[ask.clone(), said(BACK, abort())]), "aborted");
    assert_eq!(outcome(&[ask, said(THERE, abort())]), "aborted");
}

#[test]
fn a_query_for_everybody_is_told_in_every_transfer_syntax() {
    for syntax in [IMPLICIT, EXPLICIT, BIG] {
        let elements = [
            Text(0x0008, 0x0005, b"CS", "ISO_IR 100"),
            Text(0x0008, 0x0020, b"DA", ""),
            Text(0x0008, 0x0052, b"CS", "STUDY"),
            Text(0x0010, 0x0010, b"PN", "*"),
            Text(0x0010, 0x0020, b"LO", ""),
            Text(0x0020, 0x000d, b"UI", ""),
        ];
        let fields = query(&elements, FIND, syntax);
        assert_eq!(
            fields,
            json!({
                "command": "C-FIND-RQ", "calling_ae": "CT1", "called_ae": "PACS", "message_id": 1,
                "sop_class": "Study Root Query/Retrieve Information Model - FIND",
                "level": "STUDY", "keys": ["PatientName"], "wildcard": true, "universal": true,
            }),
            "{syntax}"
        );
    }
}

#[test]
fn a_worklist_query_is_narrowed_by_keys_inside_its_sequence() {
    for syntax in [IMPLICIT, EXPLICIT, BIG] {
        let step = |title| {
            vec![
                Text(0x0008, 0x0060, b"CS", "CT"),
                Text(0x0040, 0x0001, b"AE", title),
                Text(0x0040, 0x0002, b"DA", "20300101-20300102"),
            ]
        };
        let elements = [
            Text(0x0010, 0x0010, b"PN", ""),
            Sequence(0x0040, 0x0100, step("CT1")),
            Text(0x0040, 0x1001, b"SH", ""),
        ];
        let fields = query(&elements, WORKLIST, syntax);
        assert_eq!(fields["level"], "WORKLIST");
        assert_eq!(fields["universal"], false);
        assert_eq!(
            fields["keys"],
            json!(["Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate"])
        );
    }
}

#[test]
fn one_patient_asked_for_leaves_as_a_token() {
    let by_id = [
        Text(0x0008, 0x0052, b"CS", "PATIENT"),
        Text(0x0010, 0x0010, b"PN", "ZZTAINT^A"),
        Text(0x0010, 0x0020, b"LO", "ZZTAINT-7"),
    ];
    let fields = query(&by_id, FIND, EXPLICIT);
    assert_eq!(fields["patient"], token("patient", "ZZTAINT-7"));
    assert_eq!((&fields["wildcard"], &fields["universal"]), (&json!(false), &json!(false)));
    let many = [Text(0x0010, 0x0020, b"LO", "ZZTAINT-7\\ZZTAINT-8")];
    assert!(query(&many, FIND, IMPLICIT)["patient"].is_null());
    let some = [Text(0x0010, 0x0010, b"PN", "ZZTAINT*")];
    let fields = query(&some, FIND, IMPLICIT);
    assert!(fields["patient"].is_null());
    assert_eq!((&fields["wildcard"], &fields["universal"]), (&json!(true), &json!(false)));
}

#[test]
fn a_move_says_where_to_and_how_far() {
    let mut turns = opened(MOVE, IMPLICIT);
    let ask = command(0x0021, MOVE, 5, true, &[(0x0600, b"ROGUE   ")]);
    let which = data_set(
        &[Text(0x0008, 0x0052, b"CS", "STUDY"), Text(0x0020, 0x000d, b"UI", "1.2.3")],
        IMPLICIT,
    );
    turns.push(said(THERE, together(1, &ask, &which)));
    let counts: [(u16, &[u8]); 4] =
        [(0x0900, &[0, 0xff]), (0x1020, &[3, 0]), (0x1021, &[1, 0]), (0x1022, &[0, 0])];
    turns.push(said(BACK, data(1, true, &command(0x8021, "", 5, false, &counts), 4000)));
    turns.push(said(THERE, data(1, true, &command(0x0fff, "", 5, false, &[]), 4000)));
    let all = observe(&Dicom, &released(turns));
    let commands = of_kind(&all, "dicom.command");
    assert_eq!(commands[0]["move_destination"], "ROGUE");
    assert_eq!(commands[0]["keys"], json!(["StudyInstanceUID"]));
    assert_eq!(
        (&commands[1]["remaining"], &commands[1]["completed"], &commands[1]["failed"]),
        (&json!(3), &json!(1), &json!(0))
    );
    assert_eq!(commands[1]["sop_class"], "Study Root Query/Retrieve Information Model - MOVE");
    assert_eq!(commands[2]["command"], "C-CANCEL-RQ");
}

/// Two images, one whole in a PDU and one in fragments, a query with two matches, an echo.
pub(crate) fn busy() -> Vec<Turn> {
    let mut turns = vec![
        said(THERE, request("CT1", "PACS", &[CT, FIND, VERIFICATION], &[])),
        said(BACK, accept("CT1", "PACS", &[Some(EXPLICIT), Some(IMPLICIT), Some(IMPLICIT)])),
        said(THERE, together(1, &command(0x0001, CT, 1, true, &[]), &image(300, EXPLICIT))),
        said(BACK, data(1, true, &command(0x8001, CT, 1, false, &[(0x0900, &[0, 0])]), 4000)),
        said(THERE, data(1, true, &command(0x0001, CT, 2, true, &[]), 50)),
        said(THERE, data(1, false, &image(9000, EXPLICIT), 1000)),
        said(BACK, data(1, true, &command(0x8001, CT, 2, false, &[(0x0900, &[0, 0])]), 4000)),
    ];
    let who = data_set(&[Text(0x0010, 0x0010, b"PN", "ZZTAINT*")], IMPLICIT);
    turns.push(said(THERE, together(3, &command(0x0020, FIND, 3, true, &[]), &who)));
    for status in [0xff00_u16, 0xff01, 0] {
        let answer = command(0x8020, FIND, 3, status != 0, &[(0x0900, &status.to_le_bytes())]);
        turns.push(said(BACK, data(3, true, &answer, 4000)));
        if status != 0 {
            turns.push(said(BACK, data(3, false, &image(10, IMPLICIT), 4000)));
        }
    }
    turns.push(said(THERE, data(5, true, &command(0x0030, VERIFICATION, 4, false, &[]), 4000)));
    released(turns)
}

#[test]
fn objects_and_totals_are_counted() {
    let all = observe(&Dicom, &busy());
    assert_eq!(oddities(&all), [""; 0]);
    let objects = of_kind(&all, "dicom.object");
    let sizes = [image(300, EXPLICIT).len(), image(9000, EXPLICIT).len()];
    for (object, size) in objects.iter().zip(sizes) {
        assert_eq!(
            **object,
            json!({
                "calling_ae": "CT1", "called_ae": "PACS", "sop_class": "CT Image Storage",
                "modality": "CT", "bytes": size, "patient": token("patient", "ZZTAINT-7"),
            })
        );
    }
    assert_eq!(
        *of_kind(&all, "dicom.close")[0],
        json!({
            "how": "released", "calling_ae": "CT1", "called_ae": "PACS", "commands": 9,
            "objects": 2, "bytes": sizes[0] + sizes[1], "matches": 2,
        })
    );
}

#[test]
fn lengths_that_lie_are_odd_and_what_follows_is_read() {
    let echo = data(1, true, &command(0x0030, VERIFICATION, 9, false, &[]), 4000);
    let lies: [(&[u8], &str); 4] = [
        (b"\x04\0\xff\xff\xff\xff\0\0\0\x04", "PDU of an impossible length"),
        (b"\x09\0\0\0\0\x04\0\0\0\0", "PDU of an unknown type"),
        (b"\x04\0\0\0\0\x20\0\0\xff\xff\x01\x03", "PDV of an impossible length"),
        (b"\x05\0\0\0\0\x05\0\0\0\0\0", "PDU of an impossible length"),
    ];
    for (lie, what) in lies {
        let mut turns = opened(VERIFICATION, IMPLICIT);
        turns.push(said(THERE, [&echo[..], lie, &echo].concat()));
        let all = observe(&Dicom, &turns);
        assert_eq!(oddities(&all), [what]);
        assert_eq!(of_kind(&all, "dicom.command").len(), 2, "{what}");
    }
}

#[test]
fn broken_commands_are_odd_and_the_association_goes_on() {
    let mut turns = opened(FIND, IMPLICIT);
    turns.push(said(THERE, data(1, true, b"\0\0\0\0\x04\0\0\0\xff\xff", 4000)));
    turns.push(said(THERE, data(1, true, &command(0x0777, FIND, 1, false, &[]), 4000)));
    turns.push(said(THERE, data(1, true, &command(0x0020, FIND, 2, true, &[]), 4000)));
    turns.push(said(THERE, data(1, true, &command(0x0020, FIND, 3, true, &[]), 4000)));
    turns.push(said(THERE, data(1, false, b"\x10\0\x20\0\xff\xff\xff\x00P", 4000)));
    let all = observe(&Dicom, &turns);
    assert_eq!(
        oddities(&all),
        [
            "command set that cannot be read",
            "unknown command",
            "command amid a data set",
            "identifier that cannot be read",
        ]
    );
    let commands = of_kind(&all, "dicom.command");
    assert_eq!(commands.len(), 2, "queries without a readable identifier are queries too");
    assert!(commands.iter().all(|fields| fields["universal"].is_null()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cuts_change_nothing(sizes in sizes()) {
        let turns = busy();
        prop_assert_eq!(cut_and_observe(&Dicom, &turns, &sizes), observe(&Dicom, &turns));
    }
}
