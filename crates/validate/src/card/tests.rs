//! Held against the schema that CycloneDX publishes (`tests/cyclonedx/`), without a network.

use serde_json::Value;

use super::*;
use crate::evaluation::Evaluation;
use crate::measures::{Measures, Settings};
use crate::report::tests::made;

const BOM: &str = include_str!("../../tests/cyclonedx/bom-1.6.SNAPSHOT.schema.json");
const SPDX: &str = include_str!("../../tests/cyclonedx/spdx.SNAPSHOT.schema.json");
const JSF: &str = include_str!("../../tests/cyclonedx/jsf-0.82.SNAPSHOT.schema.json");

fn errors(card: &str) -> Vec<String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let resource = |text: &str| jsonschema::Resource::from_contents(read(text)).expect("a schema");
    let validator = jsonschema::options()
        .with_resource("http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json", resource(SPDX))
        .with_resource("http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json", resource(JSF))
        .build(&read(BOM))
        .expect("a schema");
    validator.iter_errors(&read(card)).map(|e| format!("{}: {e}", e.instance_path)).collect()
}

fn facts() -> Facts {
    Facts {
        name: "wardwatch-models".to_owned(),
        version: "7".to_owned(),
        description: "Says how strange a device behaves.".to_owned(),
        licence: "Apache-2.0".to_owned(),
        sha256: "ab".repeat(32),
        task: "anomaly detection".to_owned(),
        architecture_family: "nearest neighbours".to_owned(),
        inputs: vec!["64 numbers a device and minute".to_owned()],
        outputs: vec!["p-value".to_owned()],
        users: vec!["biomedical engineers".to_owned()],
        ethical: vec![Risk {
            name: "Alarm fatigue".to_owned(),
            mitigation: "A budget.".to_owned(),
        }],
        ..Facts::default()
    }
}

#[test]
fn the_card_is_valid_by_the_official_schema() {
    let card = ml_bom(&facts(), &made(), "2026-11-23T20:38:50Z");
    assert_eq!(errors(&card), Vec::<String>::new());
    // The schema is asked at all: a word that it does not know is an error.
    assert!(!errors(&card.replace("machine-learning-model", "machine-model")).is_empty());
    assert!(!errors(&card.replace("performanceMetrics", "performance")).is_empty());
}

#[test]
fn a_card_of_nothing_is_valid_too() {
    let measures = Measures::of(&Evaluation::default(), &Settings::default());
    let report = Report { measures, data: Vec::new(), verdicts: Vec::new(), ..made() };
    let card = ml_bom(&Facts::default(), &report, "");
    assert_eq!(errors(&card), Vec::<String>::new());
}

#[test]
fn slices_have_their_figures_and_intervals() {
    let card: Value = serde_json::from_str(&ml_bom(&facts(), &made(), "")).expect("JSON");
    let model = &card["metadata"]["component"]["modelCard"];
    let metrics = model["quantitativeAnalysis"]["performanceMetrics"].as_array().expect("metrics");
    let of = |what: &str, slice: &str| {
        metrics.iter().find(|m| m["type"] == what && m["slice"] == slice).expect("a metric")
    };
    assert_eq!(of("recall", "overall")["value"], "0.888889");
    assert_eq!(of("recall", "overall")["confidenceInterval"]["lowerBound"], "0.746852");
    let few = &of("recall of strangers", "attack: scan")["value"];
    assert_eq!(few, "too few to say (4 of 8)");
    let limits = model["considerations"]["technicalLimitations"].as_array().expect("limits");
    assert!(limits.iter().any(|limit| limit == "Only one <site>."));
    let fair = model["considerations"]["fairnessAssessments"].as_array().expect("assessments");
    assert!(fair.iter().any(|f| f["groupAtRisk"] == "class: infusion_pump"));
    let properties = model["properties"].as_array().expect("properties");
    assert!(properties.iter().any(|p| p["name"] == "gmlp:10"));
}

#[test]
fn the_serial_number_comes_from_the_content_and_nothing_else() {
    let serial = |facts: &Facts, at: &str| {
        let card: Value = serde_json::from_str(&ml_bom(facts, &made(), at)).expect("JSON");
        card["serialNumber"].as_str().expect("a text").to_owned()
    };
    assert_eq!(serial(&facts(), ""), serial(&facts(), ""));
    assert_ne!(serial(&facts(), ""), serial(&facts(), "2026-11-23T20:38:50Z"));
    let other = Facts { version: "8".to_owned(), ..facts() };
    assert_ne!(serial(&facts(), ""), serial(&other, ""));
    assert_eq!(&serial(&facts(), "")[23..24], "8", "a UUID of version 8");
}
