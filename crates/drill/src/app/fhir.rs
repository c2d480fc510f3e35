//! FHIR R4 resources in JSON, as a record system answers with.

use serde_json::{Value, json};

use crate::people::Patient;
use crate::rng::Rng;
use crate::time::{Nanos, iso};

/// A Patient resource.
pub(crate) fn patient(p: &Patient) -> Value {
    json!({
        "resourceType": "Patient",
        "id": p.id,
        "identifier": [{"system": "urn:hospital:mrn", "value": p.id}],
        "name": [{"family": p.family, "given": [p.given]}],
        "gender": if p.sex == 'F' { "female" } else { "male" },
        "birthDate": format!("{}-{}-{}", &p.born[..4], &p.born[4..6], &p.born[6..]),
    })
}

/// A patient with a number of which nothing else is known here.
pub(crate) fn unknown_patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "active": true})
}

/// A searchset Bundle of resources, with a link to the next page where there is one.
pub(crate) fn bundle(resources: Vec<Value>, next: Option<String>) -> Value {
    let entries: Vec<Value> = resources.into_iter().map(|r| json!({"resource": r})).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
    if let Some(url) = next {
        bundle["link"] = json!([{"relation": "next", "url": url}]);
    }
    bundle
}

/// A few Observation resources of a patient.
pub(crate) fn observations(rng: &mut Rng, patient: &str, count: usize, at: Nanos) -> Vec<Value> {
    (0..count)
        .map(|i| {
            json!({
                "resourceType": "Observation",
                "id": format!("{patient}-{i}"),
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                "subject": {"reference": format!("Patient/{patient}")},
                "effectiveDateTime": iso(at - i as Nanos * 3_600_000_000_000),
                "valueQuantity": {"value": rng.between(55, 110), "unit": "/min"},
            })
        })
        .collect()
}
