//! HL7 v2: vital signs, laboratory results, orders and admissions, and who passes them on.
//!
//! A monitor sends one patient's values by the clock; a laboratory sends many patients' as they come.
//! An interface engine acknowledges many senders.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn, text_mark};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::{Tallies, mark};

/// Reads `hl7.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "hl7",
    doc: "Who sends which HL7 messages, in which rhythm and about how many patients; who takes them.",
    reads: &[(
        "hl7.message",
        &["type", "sending_application", "sending_facility", "patient", "obx", "ack_code"],
    )],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    let Some(message) = o.str("type") else { return };
    if message == "ACK" || (o.str("ack_code").is_some() && o.uint("obx").unwrap_or(0) == 0) {
        // A negative acknowledgement is no service either way.
        if matches!(o.str("ack_code"), Some("AA" | "CA")) {
            learn.subject_did(Fact::AckedHl7);
        }
        return;
    }
    if let Some(application) = o.str("sending_application") {
        learn.claim(learn.subject, "hl7_application", application, 0.6);
        learn.name(learn.subject, NameRank::Application, application);
        learn.count(learn.subject, Fact::SentAs, Some(text_mark(application)));
    }
    if let Some(facility) = o.str("sending_facility") {
        learn.claim(learn.subject, "hl7_facility", facility, 0.5);
    }
    match message {
        "ORU" => {
            let patient = o.token("patient").map(|token| mark(token.to_string().as_bytes()));
            learn.count(learn.subject, Fact::SentOru, patient);
            learn.peer_did(Fact::TookOru);
        }
        "OUL" => {
            learn.subject_did(Fact::SentLabOul);
            learn.peer_did(Fact::TookOru);
        }
        "ADT" => {
            learn.subject_did(Fact::SentAdt);
            learn.peer_did(Fact::TookAdt);
        }
        "ORM" | "OMG" | "OML" | "OMI" | "RDE" | "RGV" => {
            learn.subject_did(Fact::SentOrders);
            learn.peer_did(Fact::TookOrders);
        }
        _ => {}
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let takes = tallies.others(Fact::AckedHl7);
    let sent = tallies.times(Fact::SentOru) + tallies.times(Fact::SentLabOul);
    // Somebody can send a monitor a message; that does not make it an engine.
    if sent / 4 >= tallies.times(Fact::AckedHl7) {
        sender(tallies, out);
    }
    if tallies.times(Fact::AckedHl7) >= sent / 4 {
        receiver(tallies, takes, out);
    }
    let adt = tallies.of(Fact::SentAdt);
    if adt.times >= 5 && adt.is_sustained() && takes < 2 {
        out.class(C::Ehr, 3.0);
        out.role("adt_source");
    }
}

/// Sends results and hardly takes any.
fn sender(tallies: &Tallies, out: &mut Evidence) {
    let oru = tallies.of(Fact::SentOru);
    if oru.times + tallies.times(Fact::SentLabOul) > 0 {
        out.role("result_sender");
    }
    if tallies.times(Fact::SentLabOul) >= 3 && tallies.of(Fact::SentLabOul).is_sustained() {
        out.class(C::LabAnalyzer, 4.0);
    }
    if oru.times < 5 {
        return;
    }
    let patients = oru.others();
    let applications = tallies.others(Fact::SentAs);
    // A bed changes its patient now and then; sixteen are as many as are told apart.
    let one_bed = patients <= 2 || (patients <= 4 && oru.times >= 50 * patients as u32);
    if oru.is_regular() && one_bed && applications <= 1 {
        out.class(C::PatientMonitor, if oru.times >= 10 { 4.5 } else { 3.5 });
        out.role("vital_signs");
    } else if oru.is_regular() && patients >= 3 && applications >= 3 {
        out.class(C::CentralStation, 2.0);
        out.role("vital_signs");
    } else if !oru.is_regular() && patients as u32 * 2 > oru.times.min(16) && oru.is_sustained() {
        out.class(C::LabAnalyzer, 2.0);
        out.class(C::Lis, 1.0);
    }
}

/// Acknowledges what others send.
fn receiver(tallies: &Tallies, takes: usize, out: &mut Evidence) {
    match takes {
        0 => return,
        1 => out.class(C::InterfaceEngine, 1.5),
        2 => out.class(C::InterfaceEngine, 3.5),
        _ => out.class(C::InterfaceEngine, 4.5),
    }
    if takes >= 2 {
        out.role("interface_engine");
    }
    let kinds = [Fact::TookOru, Fact::TookAdt, Fact::TookOrders];
    let several = kinds.iter().filter(|fact| tallies.times(**fact) > 0).count() >= 2;
    let sends = [Fact::SentOru, Fact::SentAdt, Fact::SentOrders].iter();
    if several || sends.map(|fact| tallies.times(*fact)).sum::<u32>() > 0 {
        out.class(C::InterfaceEngine, 1.0);
    }
    if tallies.times(Fact::TookOrders) >= 3 && tallies.others(Fact::TookLabResults) > 0 {
        out.class(C::Lis, 1.5);
    }
}
