//! The model card for machines: a CycloneDX 1.6 machine-learning bill of materials (ML-BOM).
//!
//! One component of type `machine-learning-model` with a model card: what the model is, from which
//! data, how good it is for whom and how sure that is, what it cannot do, and which of the
//! principles of good machine learning practice this run gives evidence for. It is made from the same
//! [`Report`] as the page for people, so the two cannot disagree.
//!
//! The same input gives the same bytes: the serial number is a digest of the content, and the time
//! is the caller's to give. Sources: CycloneDX 1.6 (ECMA-424), `modelCard`; FDA, Health Canada and
//! MHRA, "Good Machine Learning Practice for Medical Device Development: Guiding Principles", 2021;
//! NIST AI 100-1, "AI Risk Management Framework 1.0", 2023.

mod data;
mod mapping;
mod metrics;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use data::DataCard;

use crate::report::{Report, limits};

/// How a model learns, in the words of CycloneDX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approach {
    /// From labelled rows.
    Supervised,
    /// From rows without labels.
    #[default]
    Unsupervised,
    /// From both.
    SemiSupervised,
}

/// A risk and what is done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// What may go wrong.
    pub name: String,
    /// What is done about it.
    pub mitigation: String,
}

/// What a model is: the part of its card that no measurement gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is, in one or two sentences.
    pub description: String,
    /// SPDX identifier of the licence it is given under; empty where none is stated.
    pub licence: String,
    /// SHA-256 of its bytes in hexadecimal; empty where there are none.
    pub sha256: String,
    /// How it learns.
    pub approach: Approach,
    /// What it is for: "anomaly detection", "classification".
    pub task: String,
    /// Family of architectures: "nearest neighbours", "gradient-boosted trees".
    pub architecture_family: String,
    /// The architecture itself, in a sentence.
    pub architecture: String,
    /// What goes in, one format each.
    pub inputs: Vec<String>,
    /// What comes out, one format each.
    pub outputs: Vec<String>,
    /// Who is meant to use it.
    pub users: Vec<String>,
    /// For what it is meant.
    pub use_cases: Vec<String>,
    /// What it cannot do, beyond what measurements show.
    pub limitations: Vec<String>,
    /// What is given up for what.
    pub tradeoffs: Vec<String>,
    /// What may go wrong for people.
    pub ethical: Vec<Risk>,
}

/// The card as CycloneDX 1.6 JSON, pretty-printed, with a line feed at its end. `at` is the time of
/// making in RFC 3339 (`2026-11-23T20:38:50Z`); none is written where it is empty.
pub fn ml_bom(facts: &Facts, report: &Report, at: &str) -> String {
    let mut bom = document(facts, report, at);
    // RFC 9562, version 8: what the bits mean is the maker's business; here, a digest of the rest.
    let digest = Sha256::digest(bom.to_string().as_bytes());
    let mut id = [0_u8; 16];
    id.copy_from_slice(&digest[..16]);
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    bom["serialNumber"] = json!(format!("urn:uuid:{a}-{b}-{c}-{d}-{e}"));
    format!("{bom:#}\n")
}

fn document(facts: &Facts, report: &Report, at: &str) -> Value {
    let mut component = json!({
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": or(&facts.name, "model"),
        "version": or(&facts.version, "0"),
        "description": facts.description,
        "modelCard": model_card(facts, report),
    });
    if !facts.licence.is_empty() {
        component["licenses"] = json!([{ "expression": facts.licence }]);
    }
    if facts.sha256.len() == 64 && facts.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let content = facts.sha256.to_ascii_lowercase();
        component["hashes"] = json!([{ "alg": "SHA-256", "content": content }]);
    }
    let mut metadata = json!({
        "tools": { "components": [{
            "type": "application",
            "name": "wardwatch validate",
            "version": env!("CARGO_PKG_VERSION"),
        }] },
        "component": component,
    });
    if !at.is_empty() {
        metadata["timestamp"] = json!(at);
    }
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
    })
}

fn model_card(facts: &Facts, report: &Report) -> Value {
    let formats = |all: &[String]| -> Vec<Value> {
        all.iter().map(|format| json!({ "format": format })).collect()
    };
    let datasets: Vec<Value> =
        report.data.iter().enumerate().map(|(place, card)| dataset(place, card)).collect();
    let risks: Vec<Value> = facts
        .ethical
        .iter()
        .map(|risk| json!({ "name": risk.name, "mitigationStrategy": risk.mitigation }))
        .collect();
    let mut limitations = facts.limitations.clone();
    limitations.extend(limits::found(report));
    let mut parameters = json!({
        "approach": { "type": facts.approach },
        "datasets": datasets,
        "inputs": formats(&facts.inputs),
        "outputs": formats(&facts.outputs),
    });
    for (key, text) in [
        ("task", &facts.task),
        ("architectureFamily", &facts.architecture_family),
        ("modelArchitecture", &facts.architecture),
    ] {
        if !text.is_empty() {
            parameters[key] = json!(text);
        }
    }
    json!({
        "modelParameters": parameters,
        "quantitativeAnalysis": { "performanceMetrics": metrics::all(&report.measures) },
        "considerations": {
            "users": facts.users,
            "useCases": facts.use_cases,
            "technicalLimitations": limitations,
            "performanceTradeoffs": facts.tradeoffs,
            "ethicalConsiderations": risks,
            "fairnessAssessments": fairness(report),
        },
        "properties": mapping::properties(report),
    })
}

/// A data set with its card as properties.
fn dataset(place: usize, card: &DataCard) -> Value {
    let rows = card.rows();
    let properties: Vec<Value> = rows
        .iter()
        .map(|(name, value)| json!({ "name": format!("wardwatch:data:{name}"), "value": value }))
        .collect();
    let mut data = json!({
        "type": "dataset",
        "bom-ref": format!("data-{place}"),
        "name": card.name,
        "contents": { "properties": properties },
    });
    if !card.privacy.is_empty() {
        data["sensitiveData"] = json!([card.privacy]);
    }
    data
}

/// One assessment for each comparison within a stratum, whether or not it found a difference.
fn fairness(report: &Report) -> Vec<Value> {
    let between =
        [0.01, 0.001].into_iter().filter_map(|level| report.measures.between_groups(level));
    let all = report.measures.bias.iter().cloned().chain(between);
    all.map(|bias| {
        let (value, interval) = (bias.ratio.value(), bias.ratio.interval());
        let (low, high) = interval.unwrap_or((f64::NAN, f64::NAN));
        let word = if low > 1.0 { "The difference is real." } else { "Chance may explain it." };
        json!({
            "groupAtRisk": format!("{}: {}", bias.stratum, bias.largest.value),
            "harms": format!(
                "{}: {:.2} times as many as {} (95 %: {low:.2} to {high:.2}, for as many comparisons). {word}",
                bias.measure.replace('_', " "), value.unwrap_or(f64::NAN), bias.smallest.value,
            ),
            "mitigationStrategy":
                "Calibrated within each group; an update that is worse in any stratum is refused.",
        })
    })
    .collect()
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

#[cfg(test)]
mod tests;
