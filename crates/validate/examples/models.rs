//! The models on one table, for `cargo xtask bench models`: quality, and rows a second of processor
//! time.
//!
//!     models LABEL TRAIN TEST FOLDER
//!
//! Writes the encoded rows into FOLDER, so that other programs learn from the very same numbers, and
//! prints one line a model: name, ROC AUC, F1, recall on kinds of attack absent from training at a
//! false positive rate of 3 % of the test's normal rows, rows a second in training and in scoring.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::path::Path;

use ml::metrics::{Confusion, Ranking};
use ml::trees::{Rows, TreeSettings, Trees};
use validate::tables::encode::Encoder;
use validate::tables::ensemble::{Ensemble, EnsembleSettings};
use validate::tables::{Table, TableError, TableOptions, read::read};

/// The false positive rate of the goal.
const FPR: f64 = 0.03;

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [label, train, test, folder] = &arguments[..] else {
        return Err("LABEL TRAIN TEST FOLDER".to_owned());
    };
    let table = read(Path::new(train), Some(Path::new(test)), &TableOptions::new(label));
    let mut table = table.map_err(|error| error.to_string())?;
    table.columns.retain(|column| !column.behind);
    let judged = Judged::of(&table);
    trees(&table, &judged, Path::new(folder)).map_err(|error| error.to_string())?;
    ensemble(&table, &judged).map_err(|error| error.to_string())
}

/// Rows to learn from and to be judged by.
struct Judged {
    learned: Vec<u32>,
    rows: Vec<u32>,
    attack: Vec<bool>,
    absent: Vec<bool>,
}

impl Judged {
    fn of(table: &Table) -> Self {
        let (end, all) = (table.test as u32, table.rows() as u32);
        let known: BTreeSet<u32> = table.labels[..table.test].iter().copied().collect();
        let rows: Vec<u32> = (end..all).collect();
        let attack = rows.iter().map(|row| table.attack(*row)).collect();
        let absent = rows.iter().map(|row| !known.contains(&table.labels[*row as usize]));
        Self { learned: (0..end).collect(), absent: absent.collect(), rows, attack }
    }

    fn line(&self, name: &str, scores: &[f64], alarm: impl Fn(usize) -> bool, rates: [f64; 2]) {
        let ranking = Ranking::of(scores, &self.attack);
        let threshold = ranking.threshold_at_fpr(FPR).unwrap_or(f64::INFINITY);
        let (mut confusion, mut found, mut absent) = (Confusion::default(), 0_u32, 0_u32);
        for (at, attack) in self.attack.iter().enumerate() {
            confusion.count(alarm(at), *attack);
            absent += u32::from(self.absent[at]);
            found += u32::from(self.absent[at] && scores[at] >= threshold);
        }
        println!(
            "{name}\t{:.4}\t{:.4}\t{:.4}\t{:.0}\t{:.0}",
            ranking.roc_auc().unwrap_or(f64::NAN),
            confusion.f1().unwrap_or(f64::NAN),
            f64::from(found) / f64::from(absent.max(1)),
            self.learned.len() as f64 / rates[0],
            scores.len() as f64 / rates[1],
        );
    }
}

/// Trees as large as those that they are held against: 100 of 31 leaves.
fn trees(table: &Table, judged: &Judged, folder: &Path) -> Result<(), TableError> {
    let encoder = Encoder::fit(table, &judged.learned);
    let train = encoder.rows(table, &judged.learned);
    let test = encoder.rows(table, &judged.rows);
    let labels: Vec<u32> = judged.learned.iter().map(|row| table.attack(*row).into()).collect();
    write(folder, "train.f32", train.iter().flat_map(|value| value.to_le_bytes()).collect());
    write(folder, "test.f32", test.iter().flat_map(|value| value.to_le_bytes()).collect());
    write(folder, "train.y", labels.iter().map(|label| *label as u8).collect());
    let truth = judged.attack.iter().zip(&judged.absent);
    let truth = truth.map(|(attack, absent)| u8::from(*attack) + u8::from(*attack && *absent));
    write(folder, "test.y", truth.collect());

    let settings = TreeSettings { row_share: 0.7, column_share: 0.5, ..TreeSettings::default() };
    let (width, mut scores) = (encoder.width(), Vec::new());
    let (trees, training) =
        spent(|| Trees::train(Rows::new(&train, width)?, &labels, None, &settings));
    let (trees, rows) = (trees?, Rows::new(&test, width)?);
    let mut best = f64::INFINITY;
    for _ in 0..15 {
        let (done, seconds) = spent(|| trees.scores(rows, &mut scores));
        done?;
        best = best.min(seconds);
    }
    let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
    judged.line("wardwatch, trees", &scores, |at| scores[at] > 0.0, [training, best]);
    Ok(())
}

fn ensemble(table: &Table, judged: &Judged) -> Result<(), TableError> {
    let settings = EnsembleSettings::default();
    let (ensemble, training) = spent(|| Ensemble::fit(table, &judged.learned, &settings, 1));
    let ensemble = ensemble?;
    let (verdicts, scoring) = spent(|| ensemble.verdicts(table, &judged.rows));
    let verdicts = verdicts?;
    let scores: Vec<f64> = verdicts.iter().map(|verdict| verdict.score).collect();
    let alarm = |at: usize| verdicts[at].p <= FPR;
    judged.line("wardwatch, ensemble", &scores, alarm, [training, scoring]);
    Ok(())
}

/// Seconds of processor time that something takes: other work on the machine does not count.
fn spent<T>(task: impl FnOnce() -> T) -> (T, f64) {
    let nanoseconds = || {
        let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
        text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok())
    };
    let (before, begun) = (nanoseconds(), std::time::Instant::now());
    let done = task();
    let wall = begun.elapsed().as_secs_f64();
    let taken = nanoseconds().zip(before).map(|(after, before)| (after - before) / 1e9);
    (done, taken.filter(|seconds| *seconds > 0.0).unwrap_or(wall))
}

fn write(folder: &Path, name: &str, bytes: Vec<u8>) {
    // Without the file the next program says what is missing.
    let _ = std::fs::write(folder.join(name), bytes);
}
