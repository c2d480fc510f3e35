//! Proposing: what somebody wants done, read strictly. A misspelt key of a rule would widen it, and
//! whoever signs goes by the evidence: so no key is passed over, and of findings and cases what the
//! store says counts, not what the caller says of them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::case::CaseId;
use model::device::DeviceId;
use model::finding::{Finding, FindingId, FindingKind, Severity};
use respond::office::Wish;
use respond::{
    Claim, Evidence, Indicator, Level, Office, Pattern, Person, Proto, Restriction, Source,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Store;
use utoipa::ToSchema;

use super::{Decided, person, work};
use crate::api::App;
use crate::api::input::{Body, remark};
use crate::auth::sessions::Session;
use crate::problem::Problem;
use crate::schema::response as schema;

/// Most conversations that one wish names, and most claims.
const MOST: usize = 256;
/// Longest text in a wish, in characters.
const LONGEST: usize = 2_000;
/// Who claims what no detector found.
const SOMEBODY: &str = "person";

/// What somebody wants done: a restriction, or a level that says it (L3 or L4), and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWish {
    /// Id of the device.
    device: String,
    /// What. An allow-list that is empty is filled with what care needs, management that is empty
    /// with the site's.
    #[schema(value_type = Option<schema::Restriction>)]
    restriction: Option<Value>,
    /// In its place: L3 for what care needs and nothing else, L4 for management only.
    #[schema(value_type = Option<String>)]
    level: Option<Level>,
    /// For how long; as long as the policy allows where absent.
    #[schema(value_type = Option<schema::Span>)]
    ttl: Option<Duration>,
    /// The same in minutes.
    minutes: Option<u64>,
    /// Why, in a sentence; whoever has to sign wants this, or a claim in 'evidence'.
    #[serde(default)]
    why: String,
    /// Id of the case that it is about.
    #[serde(default)]
    case: String,
    /// What it stands on. Findings count as the store has them; a claim without one is the caller's.
    #[schema(value_type = Option<schema::Evidence>)]
    evidence: Option<Value>,
    /// Only weigh it: nothing is asked for, and the answer is the proposal.
    #[serde(default)]
    dry: bool,
}

pub(crate) async fn propose(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Body(new): Body<NewWish>,
) -> Result<Response, Problem> {
    let (by, dry) = (person(&session)?, new.dry);
    let mut wish = read(new, by)?;
    let store = Arc::clone(&app.store);
    work(&app, move |office| {
        settle(store.as_ref(), &mut wish.evidence)?;
        if let Restriction::Quarantine { management } = &mut wish.restriction
            && management.is_empty()
        {
            management.clone_from(&office.setting().management);
        }
        if dry { weigh(office, &wish) } else { put(office, &wish) }
    })
    .await
}

/// Weighs it, as the desk stands, and asks for nothing.
fn weigh(office: &Office, wish: &Wish) -> Result<Response, Problem> {
    let proposal = office.look(|desk, now| office.weigh(wish, desk, now))??;
    Ok(Json(proposal).into_response())
}

fn put(office: &Office, wish: &Wish) -> Result<Response, Problem> {
    let done = office.propose(wish)???;
    Ok((StatusCode::CREATED, Json(Decided::from(done))).into_response())
}

fn read(new: NewWish, by: Person) -> Result<Wish, Problem> {
    let restriction = match (new.restriction, new.level) {
        (Some(given), None) => plain(strict("restriction", &given)?)?,
        (None, Some(Level::L3)) => Restriction::Essentials { allow: Vec::new() },
        (None, Some(Level::L4)) => Restriction::Quarantine { management: Vec::new() },
        (None, Some(_)) => {
            return Err(Problem::invalid(
                "'level' alone says what is restricted for L3 and L4; for L2 give 'restriction', which names the flows.",
            ));
        }
        _ => return Err(Problem::invalid("Give either 'restriction' or 'level'.")),
    };
    let ttl = match (new.ttl, new.minutes) {
        (Some(_), Some(_)) => return Err(Problem::invalid("Give 'ttl' or 'minutes', not both.")),
        (ttl, minutes) => {
            ttl.or(minutes.map(|count| Duration::from_secs(count.saturating_mul(60))))
        }
    };
    let mut evidence = match new.evidence {
        Some(given) => strict("evidence", &given)?,
        None => Evidence {
            case: CaseId(String::new()),
            severity: Severity::High,
            claims: Vec::new(),
            doubt: None,
        },
    };
    if !new.case.is_empty() {
        if !evidence.case.0.is_empty() && evidence.case.0 != new.case {
            return Err(Problem::invalid("'case' and 'evidence.case' are two cases."));
        }
        evidence.case = CaseId(new.case);
    }
    let why = remark("why", &new.why)?.replace('\n', " ");
    if !why.is_empty() {
        evidence.claims.push(Claim {
            finding: FindingId(String::new()),
            detector: SOMEBODY.to_owned(),
            kind: FindingKind::Rule,
            source: Source::Network,
            title: why,
        });
    }
    let wish = Wish { device: DeviceId(new.device), restriction, ttl, evidence, by: Some(by) };
    sound(&wish, new.dry)?;
    Ok(wish)
}

/// Reads a value of which no key may be left over.
fn strict<T: DeserializeOwned + Serialize>(name: &str, given: &Value) -> Result<T, Problem> {
    let refuse =
        |what: &str| Problem::invalid(format!("'{name}' {what} (see /api/v1/openapi.json)."));
    let read: T = serde_json::from_value(given.clone())
        .map_err(|_| refuse("has not the fields that this takes"))?;
    let kept = serde_json::to_value(&read).map_err(|error| Problem::internal(&error))?;
    if is_left_over(given, &kept) {
        return Err(refuse("has a field that this does not take"));
    }
    Ok(read)
}

/// Whether a key that was given, with a value, is not among those that were read. No deeper than
/// what was read.
fn is_left_over(given: &Value, kept: &Value) -> bool {
    match (given, kept) {
        (Value::Object(given), Value::Object(kept)) => given
            .iter()
            .filter(|(_, value)| !value.is_null())
            .any(|(key, value)| kept.get(key).is_none_or(|kept| is_left_over(value, kept))),
        (Value::Array(given), Value::Array(kept)) => {
            given.iter().zip(kept).any(|(given, kept)| is_left_over(given, kept))
        }
        _ => false,
    }
}

/// A domain as enforcers write it: lower case, without a dot at its end; and no port where the
/// transport has none.
fn plain(mut restriction: Restriction) -> Result<Restriction, Problem> {
    if let Restriction::Perimeter { indicator: Indicator::Domain(name) } = &mut restriction {
        *name = name.trim_end_matches('.').to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if name.len() > 253 || !name.contains('.') || !name.split('.').all(label) {
            return Err(Problem::invalid("'restriction.indicator.domain' is no domain."));
        }
    }
    let patterns: &[Pattern] = match &restriction {
        Restriction::Block { flows } => flows,
        Restriction::Essentials { allow } => allow,
        _ => &[],
    };
    if patterns.iter().any(|one| one.proto == Some(Proto::Icmp) && one.port.is_some()) {
        return Err(Problem::invalid("ICMP has no ports: leave 'port' out."));
    }
    Ok(restriction)
}

/// What goes into the ledger, and before people who have to sign, is bounded and readable.
fn sound(wish: &Wish, dry: bool) -> Result<(), Problem> {
    let evidence = &wish.evidence;
    let named = match &wish.restriction {
        Restriction::Block { flows } => flows.len(),
        Restriction::Essentials { allow } => allow.len(),
        Restriction::Quarantine { management } => management.len(),
        Restriction::Perimeter { .. } => 1,
    };
    if named > MOST || evidence.claims.len() > MOST {
        let detail = format!("A wish names at most {MOST} conversations and {MOST} claims.");
        return Err(Problem::invalid(detail));
    }
    let of_claims = evidence.claims.iter().flat_map(|c| [&c.finding.0, &c.detector, &c.title]);
    let mut texts = of_claims.chain([&wish.device.0, &evidence.case.0]).chain(&evidence.doubt);
    if texts.any(|text| text.chars().count() > LONGEST || text.chars().any(char::is_control)) {
        let detail = format!("Texts have at most {LONGEST} characters, and no control characters.");
        return Err(Problem::invalid(detail));
    }
    if !dry && evidence.claims.is_empty() {
        let detail =
            "Whoever has to sign wants to know why: give 'why', or 'evidence' with a claim.";
        return Err(Problem::invalid(detail));
    }
    Ok(())
}

/// Holds evidence against the store: nobody signs what no detector said.
fn settle(store: &dyn Store, evidence: &mut Evidence) -> Result<(), Problem> {
    if !evidence.case.0.is_empty() {
        let found = store.case(&evidence.case)?;
        let found = found.ok_or_else(|| Problem::invalid("There is no such case."))?;
        evidence.severity = found.case.severity;
    }
    for claim in &mut evidence.claims {
        if claim.finding.0.is_empty() {
            SOMEBODY.clone_into(&mut claim.detector);
            continue;
        }
        let found = store.finding(&claim.finding)?;
        *claim = claim_of(&found.ok_or_else(|| {
            Problem::invalid(
                "A claim names a finding that there is not; without 'finding' it is yours.",
            )
        })?);
    }
    Ok(())
}

/// What a finding claims. Logs tell about accounts and belong to no flow, as the planner has it.
fn claim_of(finding: &Finding) -> Claim {
    let logs = finding.community_id.is_empty() && finding.user.is_some();
    Claim {
        finding: finding.id.clone(),
        detector: finding.detector.clone(),
        kind: finding.kind,
        source: if logs { Source::Logs } else { Source::Network },
        title: finding.title.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misspelt_key_of_a_flow_never_passes_as_a_wider_rule() {
        let flow = |key: &str| json!({ "kind": "block", "flows": [{ "way": "out", "peer": "10.0.0.5", "proto": "tcp", key: 445 }] });
        assert!(strict::<Restriction>("restriction", &flow("port")).is_ok());
        for wrong in ["prot", "Port", "ports"] {
            assert!(strict::<Restriction>("restriction", &flow(wrong)).is_err(), "{wrong}");
        }
        let absent = json!({ "kind": "essentials", "allow": [{ "way": "in", "peer": "::/0", "port": null }] });
        assert!(strict::<Restriction>("restriction", &absent).is_ok());
    }
}
