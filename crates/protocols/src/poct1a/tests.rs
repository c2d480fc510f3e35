use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece<'a> = (Direction, &'a str);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

const HELLO: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<HEL.R01>
  <HDR><HDR.message_type V="HEL.R01" /><HDR.control_id V="10001"/><HDR.version_id V="POCT1"/>
    <HDR.creation_dttm V="2026-11-01T16:30:00-05:00"/></HDR>
  <DEV><DEV.device_id V="00-02-57-00-00-01"/><DEV.vendor_id V="EXAMPLE"/><DEV.model_id V="Gluco 3"/>
    <DEV.serial_id V="SN-4711"/><DEV.manufacturer_name V="Example Medical"/><DEV.sw_version V="2.0.1"/>
    <DCP><DCP.application_timeout V="60"/></DCP>
    <DSC><DSC.connection_profile_cd V="CS"/></DSC></DEV>
</HEL.R01>"#;

const RESULTS: &str = r#"<OBS.R01><HDR><HDR.control_id V="10003"/></HDR>
<SVC><SVC.role_cd V="OBS"/><PT><PT.patient_id V="PT222-55-7777"/><PT.name V="DOE^JANE"/>
<OBS><OBS.observation_id V="2341-6" DN="Glu" SN="LN"/><OBS.value V="145" U="mg/dL"/></OBS>
<OBS><OBS.observation_id SN="LN" V="718-7"/><OBS.value V="9"/><NTE><NTE.text V="a>b">text</NTE.text></NTE></OBS>
</PT><OPR><OPR.operator_id V="nurse7"/></OPR></SVC></OBS.R01>"#;

const TAKEN: &str = r#"<ACK.R01><HDR><HDR.control_id V="7"/></HDR><ACK><ACK.type_cd V="AE"/><ACK.ack_control_id V="10003"/><ACK.error_detail_cd V="204"/></ACK></ACK.R01>"#;

fn run(pieces: &[Piece<'_>], cut: usize) -> Vec<Observation> {
    let cuts: Vec<_> = pieces
        .iter()
        .flat_map(|(dir, text)| text.as_bytes().chunks(cut).map(|c| (*dir, Chunk::Stream(c))))
        .collect();
    drive::run(&Poct1A, drive::flow(Transport::Tcp, 6000), &cuts)
}

fn said(seen: &[Observation]) -> Vec<String> {
    seen.iter().map(|o| format!("{} {:?}", o.kind.name, o.fields().collect::<Vec<_>>())).collect()
}

fn probe_of(start: &str) -> Probe {
    Poct1A.probe(&drive::flow(Transport::Tcp, 6000), C, start.as_bytes())
}

#[test]
fn a_hello_says_what_the_device_is() {
    let seen = run(&[(C, HELLO)], 1_000);
    let hello = &seen[0];
    let of = |name| hello.str(name).unwrap_or("-");
    assert_eq!((of("type"), of("control_id"), of("version")), ("HEL.R01", "10001", "POCT1"));
    assert_eq!((of("vendor"), of("model"), of("serial")), ("EXAMPLE", "Gluco 3", "SN-4711"));
    assert_eq!(
        (of("device_id"), of("software"), of("profile")),
        ("00-02-57-00-00-01", "2.0.1", "CS")
    );
    assert_eq!((of("manufacturer"), hello.uint("results")), ("Example Medical", None));
}

#[test]
fn results_are_counted_and_patients_are_tokens() {
    let seen = run(&[(C, RESULTS), (S, TAKEN)], 1_000);
    let results = &seen[0];
    assert_eq!(
        (results.uint("results"), results.uint("services"), results.uint("patients")),
        (Some(2), Some(1), Some(1))
    );
    assert_eq!(results.texts("tests"), ["2341-6".into(), "718-7".into()]);
    assert_eq!(results.uint("bytes"), Some(RESULTS.len() as u64));
    assert!(results.token("patient").is_some());
    assert_eq!(results.str("operator"), Some("nurse7"));
    let everything = said(&seen).concat();
    for secret in ["PT222", "DOE", "145", "text"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert_eq!(
        (seen[1].str("ack_code"), seen[1].str("ack_control_id")),
        (Some("AE"), Some("10003"))
    );
    assert_eq!(seen[1].str("error"), Some("204"));
    assert_eq!(seen[1].subject.port, Some(6000));
}

#[test]
fn keep_alives_and_makers_own_messages_follow_each_other() {
    let stream = "<KPA.R01/>\r\n<?xml version='1.0'?><DTV.MAKER.SETUP.R01><DTV><DTV.command_cd V='START_CONTINUOUS'/></DTV></DTV.MAKER.SETUP.R01>\0<KPA.R01 ></KPA.R01>";
    let seen = run(&[(C, stream)], 1_000);
    let types: Vec<_> = seen.iter().filter_map(|o| o.str("type")).collect();
    assert_eq!(types, ["KPA.R01", "DTV.MAKER.SETUP.R01", "KPA.R01"]);
    assert_eq!(seen[1].str("directive"), Some("START_CONTINUOUS"));
}

#[test]
fn a_loss_costs_one_message() {
    let (head, tail) = RESULTS.split_at(200);
    let flow = drive::flow(Transport::Tcp, 6000);
    let seen = drive::run(
        &Poct1A,
        flow,
        &[
            (C, Chunk::Stream(head.as_bytes())),
            (C, Chunk::Gap(10)),
            (C, Chunk::Stream(tail.get(10..).unwrap().as_bytes())),
            (C, Chunk::Stream(TAKEN.as_bytes())),
        ],
    );
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].str("type"), Some("ACK.R01"));
}

#[test]
fn other_xml_is_refused() {
    for start in [
        "<html>",
        "<?xml version=\"1.0\"?><Envelope>",
        "<OBS>",
        "<OBS.R1>",
        "{",
        "<ABC.R01>",
        "GET / HTTP/1.1",
    ] {
        assert_eq!(probe_of(start), Probe::No, "{start}");
    }
    for start in ["", "<", "<?xm", "<?xml version=\"1.0\"?>\n", "<OB", "<OBS.R0", "\u{feff}<HEL"] {
        assert_eq!(probe_of(start), Probe::Unsure, "{start}");
    }
    for start in [HELLO, RESULTS, "<KPA.R01/>", "\u{feff}<ACK.R01>"] {
        assert_eq!(probe_of(start), Probe::Yes, "{start}");
    }
}

#[test]
fn bombs_end_the_lane() {
    let deep = format!("<OBS.R01>{}", "<a>".repeat(100));
    assert_eq!(run(&[(C, &deep)], 1_000)[0].str("what"), Some("too many elements within elements"));
    let seen = run(&[(C, "<OBS.R01></OBS.R01>then something else")], 1_000);
    assert_eq!(seen[1].str("what"), Some("text outside of a message"));
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..120) {
        let pieces = [(C, HELLO), (S, TAKEN), (C, RESULTS), (S, TAKEN)];
        prop_assert_eq!(said(&run(&pieces, cut)), said(&run(&pieces, 10_000)));
    }

    #[test]
    fn noise_never_panics_and_is_not_recognised(noise: String, cut in 1_usize..30) {
        run(&[(C, &format!("<OBS.R01>{noise}")), (S, &noise)], cut);
        prop_assert_ne!(probe_of(&noise), Probe::Yes);
    }
}
