//! HL7 v2: dialects, framing, batches, documents, losses.

use model::emit::Probe;
use proptest::prelude::*;
use protocols::hl7::Hl7;
use serde_json::json;

use crate::conversation::*;

/// Vital signs of a bedside monitor, with an IEEE 11073 flavour.
const MONITOR: &str = "MSH|^~\\&|VENDORX^0012210000000001^EUI-64|ICU^^|GATEWAY|HOSP|20300101120000+0100||ORU^R01^ORU_R01|MSG0001|P|2.6|||NE|AL||UNICODE UTF-8\r\
PID|||ZZTAINT-12^^^HOSP^MR~ZZTAINT-13^^^GOV^NI||ZZTAINT^ANNA^^^^^L||19700101|F\r\
PV1||I|ICU^^BED7\r\
OBR|1|A1^MON|B1^MON|182777000^monitoring of patient^SCT|||20300101115900\r\
OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.147842|81|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R\r\
OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.150456|97|262688^MDC_DIM_PERCENT^MDC|||||R\r\
NTE|1||ZZTAINT slept well\r";

/// Laboratory results of an old system: version 2.1, type without trigger, own separators.
const OLD_LAB: &str = "MSH$%@\\*$LAB$$HIS$$300101$$ORU$42$P$2.1\r\
PID$1$ZZTAINT-77$$$ZZTAINT%BOB\r\
OBR$1$$$GLU\r\
OBX$1$NM$GLU$$5.5\r";

/// An order over LF line ends, in Latin-1.
const ORDER: &[u8] = b"MSH|^~\\&|RIS|K\xf6ln|MOD|CT|203001011200||ORM^O01|77|T|2.3\n\
PID|1||\"\"|ZZTAINT-4|ZZTAINT^M\xfcller\nORC|NW|1\nOBR|1|1\nORC|NW|2\nOBR|2|2\n";

fn block(message: impl AsRef<[u8]>) -> Vec<u8> {
    [b"\x0b", message.as_ref(), b"\x1c\r"].concat()
}

fn ack(id: &str, code: &str) -> String {
    format!(
        "MSH|^~\\&|GATEWAY|HOSP|VENDORX|ICU|20300101120001||ACK^R01^ACK|A{id}|P|2.6\rMSA|{code}|{id}\r"
    )
}

#[test]
fn a_monitors_message_is_summed_up_without_its_patient() {
    let all = observe(&Hl7, &[said(THERE, block(MONITOR))]);
    let content = all[0]["fields"]["content"].clone();
    assert!(content.as_str().unwrap().starts_with("t:"));
    assert_eq!(
        all[0]["fields"],
        json!({
            "type": "ORU", "trigger": "R01", "structure": "ORU_R01", "version": "2.6",
            "sending_application": "VENDORX^0012210000000001^EUI-64", "sending_facility": "ICU^^",
            "receiving_application": "GATEWAY", "receiving_facility": "HOSP", "processing_id": "P",
            "control_id": token("control_id", "MSG0001"), "segments": 7, "obx": 2, "orders": 0,
            "patient": token("patient", "ZZTAINT-12"), "patients": 1, "bytes": MONITOR.len(),
            "content": content, "batch": false,
        })
    );
}

#[test]
fn old_versions_and_own_separators_are_read() {
    let all = observe(&Hl7, &[said(THERE, block(OLD_LAB)), said(THERE, block(ORDER))]);
    let [lab, order] = of_kind(&all, "hl7.message")[..] else { panic!("{all:?}") };
    assert_eq!((&lab["type"], &lab["trigger"]), (&json!("ORU"), &json!(null)));
    assert_eq!(
        (&lab["version"], &lab["patient"]),
        (&json!("2.1"), &json!(token("patient", "ZZTAINT-77")))
    );
    assert_eq!((&order["orders"], &order["segments"]), (&json!(2), &json!(6)));
    assert_eq!(order["sending_facility"], "Köln");
    assert_eq!(order["patient"], token("patient", "ZZTAINT-4"), "PID-4, since PID-3 is null");
}

#[test]
fn an_acknowledgement_has_the_token_of_what_it_acknowledges() {
    let all = observe(
        &Hl7,
        &[
            said(THERE, block(MONITOR)),
            said(BACK, block(ack("MSG0001", "AA"))),
            said(BACK, block(ack("MSG0002", "XX"))),
        ],
    );
    let [sent, good, bad] = of_kind(&all, "hl7.message")[..] else { panic!("{all:?}") };
    assert_eq!((&good["ack_code"], &good["acked_id"]), (&json!("AA"), &sent["control_id"]));
    assert_ne!(bad["acked_id"], sent["control_id"]);
    assert_eq!(oddities(&all), ["unknown acknowledgement code"]);
    let back = all.iter().find(|o| o["fields"]["ack_code"] == "AA").unwrap();
    assert_eq!(back["subject"]["ip"], "10.0.0.2");
}

#[test]
fn the_same_content_sent_again_has_the_same_token() {
    let again =
        MONITOR.replace("20300101120000+0100", "20300101130000").replace("MSG0001", "MSG0002");
    let other = MONITOR.replace("|81|", "|181|");
    let all = observe(
        &Hl7,
        &[MONITOR, &again, &other, &MONITOR.replace('\r', "\r\n")]
            .map(|text| said(THERE, block(text))),
    );
    let tokens: Vec<_> = of_kind(&all, "hl7.message").iter().map(|f| &f["content"]).collect();
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[0], tokens[2]);
    assert_eq!(tokens[0], tokens[3], "line ends are no content");
}

#[test]
fn messages_are_told_apart_in_whatever_framing() {
    let two = [MONITOR, OLD_LAB].concat();
    let framings: [Vec<u8>; 6] = [
        [block(MONITOR), block(OLD_LAB)].concat(),
        block(&two),
        two.clone().into_bytes(),
        format!("{MONITOR}\x1c\r{OLD_LAB}\x1c\r").into_bytes(),
        [&b"\r\n\x0b"[..], two.trim_end().as_bytes(), b"\x1c\r"].concat(),
        format!("\x0b\u{feff}{MONITOR}\x1c\x0b\u{feff}{OLD_LAB}\x1c").into_bytes(),
    ];
    for framing in framings {
        let all = observe(&Hl7, &[said(THERE, &framing)]);
        let text = String::from_utf8_lossy(&framing);
        let kinds: Vec<_> =
            of_kind(&all, "hl7.message").iter().map(|f| f["segments"].clone()).collect();
        assert_eq!(kinds, [7, 4], "{text:?}");
        assert_eq!(oddities(&all), [""; 0], "{text:?}");
    }
}

#[test]
fn a_bare_message_is_over_when_it_is_answered() {
    let all = observe(
        &Hl7,
        &[said(THERE, MONITOR), said(BACK, ack("MSG0001", "AA")), said(THERE, OLD_LAB)],
    );
    let types: Vec<_> = of_kind(&all, "hl7.message").iter().map(|f| f["type"].clone()).collect();
    assert_eq!(types, ["ORU", "ACK", "ORU"]);
}

#[test]
fn a_batch_is_marked_until_its_trailer() {
    let batch = format!("FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r{MONITOR}{OLD_LAB}BTS|2\rFTS|1\r{MONITOR}");
    let all = observe(&Hl7, &[said(THERE, block(batch))]);
    let marks: Vec<_> = of_kind(&all, "hl7.message").iter().map(|f| f["batch"].clone()).collect();
    assert_eq!(marks, [true, true, false]);
    assert_eq!(oddities(&all), [""; 0]);
}

#[test]
fn an_embedded_document_is_only_counted() {
    let document = "JVBERi0x".repeat(300_000);
    let report =
        format!("{MONITOR}OBX|3|ED|PDF^Report||^application^pdf^Base64^{document}||||||F\r");
    let all = observe(&Hl7, &[said(THERE, block(&report)), said(THERE, block(&report))]);
    let messages = of_kind(&all, "hl7.message");
    assert_eq!((&messages[0]["bytes"], &messages[0]["obx"]), (&json!(report.len()), &json!(3)));
    assert_eq!(messages[0]["content"], messages[1]["content"]);
}

#[test]
fn a_message_with_a_hole_is_said_without_content() {
    let (start, end) = MONITOR.split_at(MONITOR.len() - 150);
    let all = observe(
        &Hl7,
        &[
            said(THERE, format!("\x0b{start}")),
            Turn::Lost(THERE, 60),
            said(THERE, &end[60..]),
            said(THERE, "\x1c\r"),
            said(THERE, block(OLD_LAB)),
        ],
    );
    let messages = of_kind(&all, "hl7.message");
    assert_eq!((messages.len(), &messages[0]["bytes"]), (2, &json!(MONITOR.len())));
    assert!(messages[0]["content"].is_null() && !messages[1]["content"].is_null());
    assert_eq!(oddities(&all), [""; 0], "a loss is nobody's fault");
}

#[test]
fn a_block_that_never_ends_is_odd() {
    let all = observe(&Hl7, &[said(THERE, format!("\x0b{MONITOR}\x0b{OLD_LAB}\x1c\r"))]);
    assert_eq!(of_kind(&all, "hl7.message").len(), 2);
    assert_eq!(oddities(&all), ["message without an end of block"]);
    let all = observe(&Hl7, &[said(THERE, block(MONITOR)), said(THERE, "PID|1||ZZTAINT\r")]);
    assert_eq!(oddities(&all), ["segment outside a message"]);
}

#[test]
fn both_ends_of_a_connection_are_recognised() {
    assert_eq!(probe(&Hl7, &block(MONITOR)), Probe::Yes);
    assert_eq!(probe(&Hl7, &block(ack("1", "AA"))), Probe::Yes);
    assert_eq!(probe(&Hl7, ORDER), Probe::Yes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cuts_change_nothing(sizes in sizes()) {
        let long = format!("{MONITOR}OBX|3|ED|PDF||{}\rZZZ|1\r", "x".repeat(20_000));
        let turns = [
            said(THERE, block(MONITOR)),
            said(BACK, block(ack("MSG0001", "AA"))),
            said(THERE, long),
            said(BACK, ack("MSG0001", "AE")),
            said(THERE, ORDER),
            Turn::Lost(THERE, 40),
            said(THERE, format!("rest of something\rNTE|1\r\x0bFHS|^~\\&|X\r{OLD_LAB}{MONITOR}FTS|1\r\x1c\r")),
        ];
        let whole = observe(&Hl7, &turns);
        prop_assert_eq!(of_kind(&whole, "hl7.message").len(), 7);
        prop_assert_eq!(cut_and_observe(&Hl7, &turns, &sizes), whole);
    }
}
