//! Medication cabinets: they look patients up and report what was taken.

use crate::activity::{Activity, random};
use crate::app::hl7::{self, Route};
use crate::app::{fhir, http};
use crate::net::tcp::{Side, Tcp};
use crate::normal::{bedside, web};
use crate::time::SEC;
use crate::world::{HostId, World};

pub(crate) fn life(w: &mut World, host: HostId) -> Vec<Activity> {
    let mut count = 0;
    vec![
        random(w, 45 * SEC, move |w, now| {
            let Some(ehr) = w.services.fhir else { return };
            let patient = w.patients[w.rng.index(w.patients.len())].clone();
            let mut tcp = web::open(w, now, host, ehr);
            let path = format!("/fhir/MedicationRequest?patient={}", patient.id);
            let (server, agent) = (w.fqdn(ehr.host), web::agent(w, host));
            let ask = http::request("GET", &path, &server, &agent, &[], &[]);
            let body = fhir::bundle(vec![fhir::patient(&patient)], None).to_string().into_bytes();
            let answer =
                http::response("200 OK", "Jetty(9.4.51)", "application/fhir+json", &[], &body);
            web::exchange(w, &mut tcp, &ask, &answer);
            tcp.close(w, Side::Client);
        }),
        random(w, 40 * SEC, move |w, now| {
            let Some(engine) = w.services.hl7 else { return };
            count += 1;
            let patient = w.patients[w.rng.index(w.patients.len())].clone();
            let route = Route::new("CABINET", "WARD", "ENGINE");
            let control = format!("M{host}{count:05}");
            let mut tcp = Tcp::open(w, now, host, engine.at());
            let message = hl7::order(&route, &patient, &control, now, "MED^DISPENSE");
            bedside::send(w, &mut tcp, &route, &control, &message);
            tcp.close(w, Side::Client);
        }),
    ]
}
