//! A table from file to figures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use ml::metrics::Ranking;

use super::column::{Table, Values};
use super::ensemble::{Ensemble, Verdict};
use super::outcome::{Recall, Summary, TableOutcome, Timing};
use super::split::{Fold, folds};
use super::{Finding, TableError, TableRun, lint, read};
use crate::evaluation::{Evaluation, Example, Label};

/// The false positive rate at which recall is told.
pub(super) const FPR: f64 = 0.03;

/// Nominal rates that are held against what was realised.
const NOMINAL: [f64; 3] = [0.03, 0.01, 0.001];

/// Columns of words that become strata where they are called so.
const STRATA: [(&str, &[&str]); 2] =
    [("protocol", &["protocol", "proto", "protocol_type"]), ("service", &["service"])];

/// Reads a table, lints it, learns, judges, and says how it went. `progress` hears what is being
/// done.
///
/// # Errors
/// When the table cannot be read, the linter refuses it, or there is nothing to tell apart.
pub fn run(task: &TableRun, progress: &mut dyn FnMut(&str)) -> Result<TableOutcome, TableError> {
    let begun = Instant::now();
    progress(&format!("reading {}", task.file.display()));
    let mut table = read::read(&task.file, task.test.as_deref(), &task.options)?;
    progress(&format!("looking over {} rows", table.rows()));
    let mut folds = folds(&table, task.split, task.seed)?;
    let findings = lint::lint(&table, &folds);
    if !task.allow_leaks && findings.iter().any(|finding| finding.refused) {
        let refused = findings.into_iter().filter(|finding| finding.refused).collect();
        return Err(TableError::Leaks(refused));
    }
    table.columns.retain(|column| !column.behind);
    if table.columns.is_empty() {
        return Err(TableError::NoFeatures);
    }
    let mut summary = Summary { split: task.split, guessed: table.guessed, ..Summary::default() };
    summary.normal = table.kinds[table.normal as usize].clone();
    summary.columns = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut timing = Timing { reading: begun.elapsed().as_secs_f64(), ..Timing::default() };

    let (mut examples, mut repeated) = (Vec::new(), Vec::new());
    let count = folds.len();
    for (at, fold) in folds.iter_mut().enumerate() {
        let out = &fold.left_out;
        let turn = if count > 1 {
            format!(" ({} of {count}, without {out})", at + 1)
        } else {
            String::new()
        };
        let seen = clean(&table, fold, &mut summary);
        // A group may be all of one class; then there is nothing to learn without it, or to judge.
        if count > 1 && one_class(&table, &fold.learned) {
            progress(&format!("left out: nothing to tell apart{turn}"));
            continue;
        }
        progress(&format!("learning from {} rows{turn}", fold.learned.len()));
        let begun = Instant::now();
        let ensemble = Ensemble::fit(&table, &fold.learned, &task.settings, task.seed)?;
        timing.training += begun.elapsed().as_secs_f64();
        progress(&format!("judging {} rows{turn}", fold.judged.len()));
        let begun = Instant::now();
        let verdicts = ensemble.verdicts(&table, &fold.judged)?;
        timing.scoring += begun.elapsed().as_secs_f64();
        examples.extend(examples_of(&table, fold, &verdicts, &seen));
        repeated.extend(seen.again);
    }
    tell(&mut summary, &examples, &repeated)?;
    let evaluation = Evaluation { examples, ..Evaluation::default() };
    Ok(TableOutcome { evaluation, summary, findings: sorted(findings), timing })
}

/// What training has, as far as judging asks for it.
struct Seen {
    kinds: BTreeSet<u32>,
    /// Which of the judged rows stand in training too.
    again: Vec<bool>,
}

fn one_class(table: &Table, rows: &[u32]) -> bool {
    let attacks = rows.iter().filter(|row| table.attack(**row)).count();
    attacks == 0 || attacks == rows.len()
}

/// Takes rows out of training that stand there already, and those that stand there with two labels.
fn clean(table: &Table, fold: &mut Fold, summary: &mut Summary) -> Seen {
    let mut first: BTreeMap<u64, (u32, bool)> = BTreeMap::new();
    for row in &fold.learned {
        let kind = table.attack(*row);
        let entry = first.entry(table.exact[*row as usize]).or_insert((*row, false));
        entry.1 |= table.attack(entry.0) != kind;
    }
    let before = fold.learned.len();
    let conflicting =
        fold.learned.iter().filter(|row| first[&table.exact[**row as usize]].1).count();
    fold.learned.retain(|row| first[&table.exact[*row as usize]] == (*row, false));
    summary.conflicting = summary.conflicting.max(conflicting as u64);
    let duplicates = before - conflicting - fold.learned.len();
    summary.duplicates = summary.duplicates.max(duplicates as u64);
    summary.learned = summary.learned.max(fold.learned.len() as u64);
    summary.judged += fold.judged.len() as u64;
    let again = fold.judged.iter().map(|row| first.contains_key(&table.exact[*row as usize]));
    let kinds = fold.learned.iter().map(|row| table.labels[*row as usize]).collect();
    Seen { again: again.collect(), kinds }
}

fn examples_of(table: &Table, fold: &Fold, verdicts: &[Verdict], seen: &Seen) -> Vec<Example> {
    let strata: Vec<(&str, usize)> =
        STRATA.iter().filter_map(|(name, called)| Some((*name, stratum(table, called)?))).collect();
    let example = |((row, verdict), again): ((&u32, &Verdict), &bool)| {
        let attack = table.attack(*row);
        let mut own = BTreeMap::new();
        let mut put = |name: &str, value: &str| own.insert(name.to_owned(), value.to_owned());
        if attack {
            let known = seen.kinds.contains(&table.labels[*row as usize]);
            put("seen", if known { "in training" } else { "absent from training" });
        }
        put("row", if *again { "also in training" } else { "new" });
        for (name, column) in &strata {
            put(name, table.word(*column, *row).unwrap_or("other"));
        }
        if let Some(group) = table.groups.get(*row as usize) {
            put("group", table.group_names.get(*group as usize).map_or("other", String::as_str));
        }
        let kind = table.kind(*row).to_owned();
        let truth = if attack { Label::Attack(kind) } else { Label::Normal };
        let group = String::new();
        Example {
            score: verdict.score,
            p: Some(verdict.p),
            probability: None,
            truth,
            group,
            strata: own,
        }
    };
    fold.judged.iter().zip(verdicts).zip(&seen.again).map(example).collect()
}

/// The column of words that is called so; in a table without names that of the fewest words, from 2
/// to 8, is taken for the protocol.
fn stratum(table: &Table, called: &[&str]) -> Option<usize> {
    let words = |at: &usize| match &table.columns[*at].values {
        Values::Words { names, .. } => Some(names.len()),
        Values::Numbers(_) => None,
    };
    let mut all = (0..table.columns.len()).filter(|at| words(at).is_some());
    if table.columns.iter().any(|column| column.named) {
        let is = |at: &usize| {
            called.iter().any(|name| table.columns[*at].name.eq_ignore_ascii_case(name))
        };
        return all.find(is);
    }
    let transport = |at: &usize| match &table.columns[*at].values {
        Values::Words { names, .. } => names.iter().any(|name| name.eq_ignore_ascii_case("tcp")),
        Values::Numbers(_) => false,
    };
    let applications = |at: &usize| match &table.columns[*at].values {
        Values::Words { names, .. } => names.iter().any(|name| name.eq_ignore_ascii_case("http")),
        Values::Numbers(_) => false,
    };
    if called.contains(&"proto") { all.find(transport) } else { all.find(applications) }
}

fn tell(summary: &mut Summary, examples: &[Example], repeated: &[bool]) -> Result<(), TableError> {
    let attack = |example: &Example| matches!(example.truth, Label::Attack(_));
    let ranked = |example: &Example| (example.score, attack(example));
    let ranking = Ranking::new(examples.iter().map(ranked));
    let lacks = |what| Err(TableError::OneClass { place: "the rows to be judged by".into(), what });
    match (ranking.positives(), ranking.negatives()) {
        (0, _) => return lacks("no row is an attack"),
        (_, 0) => return lacks("no row is normal"),
        _ => {}
    }
    let new = examples.iter().zip(repeated).filter(|(_, again)| !**again);
    summary.roc_auc = ranking.roc_auc();
    summary.roc_auc_unrepeated = Ranking::new(new.map(|(example, _)| ranked(example))).roc_auc();
    summary.average_precision = ranking.average_precision();
    let threshold = ranking.threshold_at_fpr(FPR).unwrap_or(f64::INFINITY);
    let alarm = |example: &Example, nominal: f64| example.p.is_some_and(|p| p <= nominal);
    let normal: Vec<&Example> = examples.iter().filter(|example| !attack(example)).collect();
    summary.realised = NOMINAL
        .iter()
        .map(|nominal| {
            let alarms = normal.iter().filter(|example| alarm(example, *nominal)).count();
            (*nominal, alarms as f64 / normal.len() as f64)
        })
        .collect();
    let mut confusion = ml::metrics::Confusion::default();
    for example in examples {
        confusion.count(alarm(example, FPR), attack(example));
        let Label::Attack(kind) = &example.truth else { continue };
        let known = example.strata.get("seen").is_some_and(|seen| seen == "in training");
        let known = if known { "seen" } else { "absent" };
        let kind = summary.kinds.entry(kind.clone()).or_default();
        kind.count(example.score >= threshold, alarm(example, FPR));
        for name in ["all", known] {
            let recall = summary.recall.entry(name.to_owned()).or_default();
            recall.count(example.score >= threshold, alarm(example, FPR));
        }
    }
    summary.f1 = confusion.f1();
    summary.kinds.values_mut().chain(summary.recall.values_mut()).for_each(Recall::share);
    Ok(())
}

impl Recall {
    fn count(&mut self, above: bool, alarm: bool) {
        self.rows += 1;
        self.at_test_fpr += f64::from(u8::from(above));
        self.calibrated += f64::from(u8::from(alarm));
    }

    /// From counts to shares.
    fn share(&mut self) {
        self.at_test_fpr /= self.rows.max(1) as f64;
        self.calibrated /= self.rows.max(1) as f64;
    }
}

/// What is refused first.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| !finding.refused);
    findings
}
