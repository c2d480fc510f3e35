//! HL7 v2 messages in ER7 encoding, framed by the minimal lower layer protocol (MLLP).

use crate::people::Patient;
use crate::rng::Rng;
use crate::time::{Nanos, stamp};

/// Who sends to whom: MSH-3 to MSH-6.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) application: String,
    pub(crate) facility: String,
    pub(crate) to_application: String,
}

impl Route {
    pub(crate) fn new(application: &str, facility: &str, to: &str) -> Self {
        let own = str::to_owned;
        Self { application: own(application), facility: own(facility), to_application: own(to) }
    }
}

/// Puts a message of segments into its frame.
pub(crate) fn frame(segments: &[String]) -> Vec<u8> {
    let mut out = vec![0x0b];
    for segment in segments {
        out.extend_from_slice(segment.as_bytes());
        out.push(b'\r');
    }
    out.extend_from_slice(&[0x1c, b'\r']);
    out
}

fn header(route: &Route, kind: &str, control: &str, at: Nanos) -> String {
    let (date, time) = stamp(at);
    let Route { application, facility, to_application } = route;
    format!(
        "MSH|^~\\&|{application}|{facility}|{to_application}|HOSP|{date}{time}||{kind}|{control}|P|2.6"
    )
}

fn patient_segments(p: &Patient) -> Vec<String> {
    let Patient { id, family, given, born, sex, ward, bed } = p;
    vec![
        format!("PID|1||{id}^^^HOSP^MR||{family}^{given}||{born}|{sex}"),
        format!("PV1|1|I|{ward}^{bed}^1^HOSP"),
    ]
}

/// What a bedside device reports now (IHE PCD-01): code, text, value, unit.
pub(crate) type Reading = (&'static str, &'static str, f64, &'static str);

/// Vital signs by chance.
pub(crate) fn vitals(rng: &mut Rng) -> Vec<Reading> {
    vec![
        ("147842^MDC_ECG_HEART_RATE^MDC", "1.7.4", rng.normal(78.0, 7.0), "264864^bpm"),
        ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "1.3.1", rng.normal(96.5, 1.0), "262688^%"),
        ("151562^MDC_RESP_RATE^MDC", "1.2.2", rng.normal(15.0, 2.0), "264928^rpm"),
        ("150021^MDC_PRESS_BLD_NONINV_SYS^MDC", "1.1.9", rng.normal(122.0, 9.0), "266016^mmHg"),
        ("150022^MDC_PRESS_BLD_NONINV_DIA^MDC", "1.1.9", rng.normal(76.0, 6.0), "266016^mmHg"),
    ]
}

/// What a ventilator reports.
pub(crate) fn breath(rng: &mut Rng) -> Vec<Reading> {
    vec![
        ("151586^MDC_VENT_RESP_RATE^MDC", "1.1.1", rng.normal(14.0, 1.0), "264928^rpm"),
        ("151868^MDC_VOL_AWAY_TIDAL^MDC", "1.1.2", rng.normal(470.0, 25.0), "263762^mL"),
        ("151976^MDC_PRESS_AWAY_END_EXP_POS^MDC", "1.1.3", rng.normal(6.0, 0.6), "268064^cmH2O"),
    ]
}

/// ORU^R01: observations.
pub(crate) fn observations(
    route: &Route,
    p: &Patient,
    control: &str,
    at: Nanos,
    readings: &[Reading],
) -> Vec<u8> {
    let (date, time) = stamp(at);
    let mut segments = vec![header(route, "ORU^R01^ORU_R01", control, at)];
    segments.extend(patient_segments(p));
    segments.push(format!("OBR|1|||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{date}{time}"));
    for (i, (code, place, value, unit)) in readings.iter().enumerate() {
        segments.push(format!("OBX|{}|NM|{code}|{place}|{value:.1}|{unit}^MDC|||||F", i + 1));
    }
    frame(&segments)
}

/// ADT: `event` is A01 (admit), A02 (transfer), A03 (discharge), A08 (update).
pub(crate) fn admission(
    route: &Route,
    p: &Patient,
    control: &str,
    at: Nanos,
    event: &str,
) -> Vec<u8> {
    let (date, time) = stamp(at);
    let mut segments = vec![
        header(route, &format!("ADT^{event}^ADT_A01"), control, at),
        format!("EVN|{event}|{date}{time}"),
    ];
    segments.extend(patient_segments(p));
    frame(&segments)
}

/// ORM^O01: an order.
pub(crate) fn order(route: &Route, p: &Patient, control: &str, at: Nanos, what: &str) -> Vec<u8> {
    let (date, time) = stamp(at);
    let mut segments = vec![header(route, "ORM^O01^ORM_O01", control, at)];
    segments.extend(patient_segments(p));
    segments.push(format!("ORC|NW|{control}^EHR||||||{date}{time}"));
    segments.push(format!("OBR|1|{control}^EHR||{what}|R|{date}{time}"));
    frame(&segments)
}

/// Laboratory results: ORU^R01 with one value.
pub(crate) fn result(
    route: &Route,
    p: &Patient,
    control: &str,
    at: Nanos,
    test: &str,
    value: f64,
) -> Vec<u8> {
    let (date, time) = stamp(at);
    let mut segments = vec![header(route, "ORU^R01^ORU_R01", control, at)];
    segments.extend(patient_segments(p));
    segments.push(format!("OBR|1|{control}||{test}|||{date}{time}"));
    segments.push(format!("OBX|1|NM|{test}||{value:.2}|mmol/L||||F"));
    frame(&segments)
}

/// The answer to a message: `AA` (taken), `AE` (wrong) or `AR` (refused).
pub(crate) fn acknowledge(route: &Route, control: &str, at: Nanos, code: &str) -> Vec<u8> {
    let back = Route::new(&route.to_application, "HOSP", &route.application);
    let own = format!("K{control}");
    frame(&[header(&back, "ACK^R01^ACK", &own, at), format!("MSA|{code}|{control}")])
}
