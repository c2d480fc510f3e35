//! What changes from the version in use to another, in the words of a change plan.
//!
//! The plan that is asked is that of the version in use (of the program, where none is): a newcomer
//! does not bring the rules that it is judged by, and a plan that was loosened is itself a change.
//! What nobody can see in a package (which thresholds a site sets by itself) is not asked here: that
//! is bounded where it happens.

use std::collections::{BTreeMap, BTreeSet};

use learn::behaviour::Knowledge;

use crate::gates::Verdict;
use crate::package::{Allowed, ChangePlan, Package, PackageError};

/// Usual values that moved by more than this share of themselves have moved.
const MOVED: f32 = 0.1;

/// A version of the models, as far as it is to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// The model; none where this program cannot read it.
    pub knowledge: Option<&'a Knowledge>,
    /// Its package; none where it came with the program.
    pub package: Option<&'a Package>,
}

/// Something that is another than it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What, as a plan names it: `thresholds`, `model`, `features`, ...
    pub what: String,
    /// By how much, as a share of what it was; 1 where that cannot be said.
    pub share: f64,
    /// In words.
    pub says: String,
    /// What the plan says of it.
    pub allowed: Allowed,
}

/// What changes, in the order of what it is called.
///
/// # Errors
/// When the change plan of either cannot be read.
pub fn between(before: Version<'_>, after: Version<'_>) -> Result<Vec<Change>, PackageError> {
    let plan = plan_of(before)?;
    let mut found: BTreeMap<String, (f64, String)> = BTreeMap::new();
    let mut put = |what: &str, share: f64, says: String| {
        if share > 0.0 {
            found.insert(what.to_owned(), (share, says));
        }
    };
    match (before.knowledge, after.knowledge) {
        (Some(before), Some(after)) => of_models(before, after, &mut put),
        _ => put("model", 1.0, "one of the two cannot be read by this program".to_owned()),
    }
    if let Some(new) = after.package {
        for (what, says) in of_packages(before.package, new) {
            put(what, 1.0, says);
        }
        for (what, says) in of_plans(&plan, &new.change_plan()?, new) {
            put(&what, 1.0, says);
        }
    }
    let judged = found.into_iter().map(|(what, (share, says))| {
        let allowed = plan.allows(&what, share);
        Change { what, share, says, allowed }
    });
    Ok(judged.collect())
}

/// The plan that a version is changed by.
fn plan_of(version: Version<'_>) -> Result<ChangePlan, PackageError> {
    version.package.map_or_else(|| Ok(ChangePlan::default()), Package::change_plan)
}

fn of_models(before: &Knowledge, after: &Knowledge, put: &mut dyn FnMut(&str, f64, String)) {
    if before.features != after.features {
        put("features", 1.0, "it reads another table of features".to_owned());
    }
    if before.attack != after.attack || before.family != after.family {
        put("model", 1.0, "its trees are others".to_owned());
    }
    if before.families != after.families {
        put("families", 1.0, "it knows other families of attacks".to_owned());
    }
    let share = thresholds(&before.novelty, &after.novelty);
    put("thresholds", share, format!("the scale of novelty moved by {:.0} %", share * 100.0));
    let share = usual(before.usual.mean(), after.usual.mean());
    let says = format!("{:.0} % of the usual values of a new site are others", share * 100.0);
    put("baseline", share, says);
}

/// The largest move of a point of the scale, as a share of the length of the old one.
fn thresholds(before: &[(f32, f32)], after: &[(f32, f32)]) -> f64 {
    if before == after {
        return 0.0;
    }
    let (Some(first), Some(last)) = (before.first(), before.last()) else { return 1.0 };
    if before.len() != after.len() {
        return 1.0;
    }
    let length = [last.0 - first.0, last.1 - first.1].map(|span| span.max(f32::MIN_POSITIVE));
    let moves = before.iter().zip(after).flat_map(|(old, new)| {
        [(new.0 - old.0).abs() / length[0], (new.1 - old.1).abs() / length[1]]
    });
    f64::from(moves.fold(0.0, f32::max)).min(1.0)
}

/// The share of columns whose usual value moved.
fn usual(before: &[f32], after: &[f32]) -> f64 {
    let moved = before.iter().zip(after).filter(|(old, new)| {
        let room = MOVED * old.abs().max(f32::EPSILON);
        (*new - *old).abs() > room
    });
    moved.count() as f64 / before.len().max(1) as f64
}

fn of_packages(before: Option<&Package>, after: &Package) -> Vec<(&'static str, String)> {
    let Some(before) = before else { return Vec::new() };
    let mut found = Vec::new();
    if before.manifest().features() != after.manifest().features() {
        found.push(("features", "it reads another table of features".to_owned()));
    }
    let sort = |package: &Package| -> Option<String> {
        let card: serde_json::Value = serde_json::from_slice(package.file("card.json")?).ok()?;
        let path = "/metadata/component/modelCard/modelParameters/architectureFamily";
        Some(card.pointer(path)?.as_str()?.to_owned())
    };
    if let (Some(old), Some(new)) = (sort(before), sort(after))
        && old != new
    {
        found.push(("model_family", format!("it is made of {new}, and was of {old}")));
    }
    let (old, new) = (bounds(before), bounds(after));
    let lost: Vec<&str> =
        old.keys().filter(|gate| !new.contains_key(*gate)).map(|g| &**g).collect();
    let others: Vec<&str> = old
        .iter()
        .filter(|(gate, bounds)| new.get(*gate).is_some_and(|new| new != *bounds))
        .map(|(gate, _)| &**gate)
        .collect();
    let says = [(lost, "was not asked of it"), (others, "has another bound")];
    let says: Vec<String> = says
        .into_iter()
        .filter(|(gates, _)| !gates.is_empty())
        .map(|(gates, what)| format!("{} {what}", gates.join(", ")))
        .collect();
    if !says.is_empty() {
        found.push(("gates", says.join("; ")));
    }
    found
}

/// Bounds of the gates of a package, by gate. Bits, so that they can be compared.
fn bounds(package: &Package) -> BTreeMap<String, BTreeSet<u64>> {
    let verdicts: Vec<Verdict> = package
        .file("gates.json")
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default();
    let mut all: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    // Gates between two versions are asked of an update only.
    let own = verdicts.into_iter().filter(|verdict| !verdict.gate.starts_with("update."));
    for verdict in own {
        all.entry(verdict.gate).or_default().insert(verdict.bound.to_bits());
    }
    all
}

/// What a package brings that its own plan, or the one in force, has a word on.
fn of_plans(force: &ChangePlan, new: &ChangePlan, package: &Package) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if force != new {
        found.push(("change_plan".to_owned(), "it comes with another change plan".to_owned()));
    }
    for what in force.never.iter().filter(|what| !new.never.contains(what)) {
        found.push((what.clone(), "its change plan no longer says never to it".to_owned()));
    }
    for what in force.never.iter().chain(&new.never) {
        let of = |name: &&str| name.split('.').next() == Some(what);
        if let Some(name) = package.names().find(of) {
            found.push((what.clone(), format!("the package brings {name}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use learn::behaviour::{Moments, TREE_WIDTH};
    use ml::trees::{Rows, TreeSettings, Trees};

    use super::*;
    use crate::package::{Features, Head};

    fn trees(seed: f32, classes: u32) -> Trees {
        let values: Vec<f32> =
            (0..40 * TREE_WIDTH).map(|place| (place as f32 * seed).sin()).collect();
        let labels: Vec<u32> = (0..40).map(|row| row % classes).collect();
        let settings = TreeSettings { classes, rounds: 2, ..TreeSettings::default() };
        Trees::train(Rows::new(&values, TREE_WIDTH).unwrap(), &labels, None, &settings).unwrap()
    }

    fn knowledge() -> Knowledge {
        Knowledge {
            features: learn::features::version(),
            usual: Moments::default(),
            attack: trees(0.3, 2),
            family: trees(0.3, 2),
            families: vec!["discovery".to_owned(), "malware".to_owned()],
            novelty: vec![(0.0, -4.0), (1.0, 0.0), (2.0, 4.0)],
            tail: ml::conformal::Tail::default(),
            likely: 0.0,
        }
    }

    fn package(plan: &ChangePlan, gates: &str, more: &[&str]) -> Package {
        let mut files = BTreeMap::from([
            ("card.json".to_owned(), b"{}".to_vec()),
            ("change-plan.toml".to_owned(), plan.text().into_bytes()),
            ("data-card.json".to_owned(), b"[]".to_vec()),
            ("gates.json".to_owned(), gates.as_bytes().to_vec()),
            ("model.bin".to_owned(), b"model".to_vec()),
        ]);
        files.extend(more.iter().map(|name| ((*name).to_owned(), b"x".to_vec())));
        let head = Head { name: "m".to_owned(), version: 2, ..Head::default() };
        Package::build(Head { features: Features::default(), ..head }, files).unwrap()
    }

    fn asked(before: &Knowledge, after: &Knowledge) -> Vec<(String, Allowed)> {
        let version = |knowledge| Version { knowledge: Some(knowledge), package: None };
        let all = between(version(before), version(after)).unwrap();
        all.into_iter().map(|change| (change.what, change.allowed)).collect()
    }

    #[test]
    fn small_moves_of_thresholds_go_by_themselves_and_larger_ones_and_other_trees_do_not() {
        let before = knowledge();
        assert_eq!(asked(&before, &before), []);
        let mut moved = before.clone();
        moved.novelty[1].1 = 1.0;
        assert_eq!(asked(&before, &moved), [("thresholds".to_owned(), Allowed::Automatic)]);
        moved.novelty[1].1 = 3.0;
        assert_eq!(asked(&before, &moved), [("thresholds".to_owned(), Allowed::Review)]);
        let others = Knowledge { attack: trees(0.7, 2), ..before.clone() };
        assert_eq!(asked(&before, &others), [("model".to_owned(), Allowed::Review)]);
        let mut usual = before.clone();
        usual.usual.learn(&vec![5.0; learn::features::WIDTH], 10.0);
        assert_eq!(asked(&before, &usual), [("baseline".to_owned(), Allowed::Review)]);
    }

    #[test]
    fn a_package_cannot_bring_its_own_rules_nor_what_never_comes_with_one() {
        let model = knowledge();
        let ask = |before: Option<&Package>, after: &Package| -> Vec<(String, Allowed)> {
            let version = |package| Version { knowledge: Some(&model), package };
            let all = between(version(before), version(Some(after))).unwrap();
            all.into_iter().map(|change| (change.what, change.allowed)).collect()
        };
        let plan = ChangePlan::default();
        let plain = package(&plan, "[]", &[]);
        assert_eq!(ask(None, &plain), []);
        assert_eq!(ask(Some(&plain), &plain), []);
        let keys = package(&plan, "[]", &["trusted_keys.pub"]);
        assert_eq!(ask(None, &keys), [("trusted_keys".to_owned(), Allowed::Never)]);
        let lax = ChangePlan { shadow_days: 0, ..ChangePlan::default() };
        let lax = package(&lax, "[]", &[]);
        assert_eq!(ask(None, &lax), [("change_plan".to_owned(), Allowed::Review)]);
        let never = ChangePlan { never: Vec::new(), ..ChangePlan::default() };
        let bold = ask(Some(&plain), &package(&never, "[]", &["device_tiers.toml"]));
        assert!(bold.contains(&("device_tiers".to_owned(), Allowed::Never)), "{bold:?}");
        let gate = |gate: &str, bound: f64| {
            format!(r#"[{{"gate":"{gate}","of":"","outcome":"passed","bound":{bound},"why":""}}]"#)
        };
        let strict = package(&plan, &gate("recall_known", 0.8), &[]);
        let review = [("gates".to_owned(), Allowed::Review)];
        assert_eq!(ask(Some(&strict), &package(&plan, &gate("recall_known", 0.5), &[])), review);
        assert_eq!(ask(Some(&strict), &plain), review);
        let update = package(&plan, &gate("update.roc_auc", 0.1), &[]);
        assert_eq!(ask(Some(&update), &plain), []);
    }
}
