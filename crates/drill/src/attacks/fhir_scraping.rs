//! A token reads the whole population: a bulk export, then page after page.

use crate::app::{fhir, http};
use crate::net::tcp::Side;
use crate::normal::web;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::MS;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let ehr = scene.w.services.fhir?;
    let actor = scene.attacker(&[Role::Cabinet, Role::Analyser, Role::Nurse]);
    let (server, agent) = (scene.w.fqdn(ehr.host), "python-requests/2.31.0");
    let token = [format!("Authorization: Bearer {}", scene.w.rng.hex(40))];
    let mut tcp = web::open(scene.w, scene.now, actor, ehr);
    let ask = http::request("GET", "/fhir/$export?_type=Patient", &server, agent, &token, &[]);
    let place = ["Content-Location: /fhir/job/1".to_owned()];
    let answer = http::response("202 Accepted", "Jetty(9.4.51)", "application/json", &place, b"");
    web::exchange(scene.w, &mut tcp, &ask, &answer);
    for page in 0..scene.count(60) {
        let path = format!("/fhir/Patient?_count=50&_getpagesoffset={}", page * 50);
        let ask = http::request("GET", &path, &server, agent, &token, &[]);
        let resources = (0..20)
            .map(|i| fhir::patient(&scene.w.patients[(page * 20 + i) % scene.w.patients.len()]))
            .collect();
        let next = format!("/fhir/Patient?_count=50&_getpagesoffset={}", (page + 1) * 50);
        let body = fhir::bundle(resources, Some(next)).to_string().into_bytes();
        let answer = http::response("200 OK", "Jetty(9.4.51)", "application/fhir+json", &[], &body);
        web::exchange(scene.w, &mut tcp, &ask, &answer);
        let wait = scene.between(150 * MS);
        tcp.pause(scene.w, wait);
    }
    tcp.close(scene.w, Side::Client);
    Some(scene.story("fhir bulk scraping with a token", actor, vec![ehr.host]))
}
