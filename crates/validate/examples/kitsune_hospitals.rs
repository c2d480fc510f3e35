//! What Kitsune finds in generated hospitals that together see every attack, and how fast it is.
//!
//! ```text
//! cargo run --release -p validate --example kitsune_hospitals -- SEED PARTS [HOW_MANY] [either] [calm]
//! ```
//!
//! With `either`, a packet counts for both ends, not for who began; with `calm`, only normal units
//! count that are no less than a minute after any event, whoever had a part in it.
//!
//! The unit is a device in ten seconds; its score counts as the share of normal units of the same
//! hospital that are below it. For each kind of attack by known devices: units, area under
//! the ROC curve, and the share found where one normal unit in a thousand is a false alarm.
#![allow(clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::error::Error;

use drill::Plan;
use ml::metrics::Ranking;
use validate::evaluation::{Example, Label};
use validate::kitsune::{By, device_windows, examples};

/// Whether nothing happens to anybody.
fn is_calm(example: &Example) -> bool {
    example.strata.get("moment").is_some_and(|moment| moment == "calm")
}

/// Makes scores of different hospitals comparable: the share of a hospital's normal units below.
fn compare(told: &mut [Example], calm: bool) {
    let normal = told.iter().filter(|e| e.truth == Label::Normal && (!calm || is_calm(e)));
    let mut normal: Vec<f64> = normal.map(|e| e.score).collect();
    normal.sort_by(f64::total_cmp);
    for example in told {
        let below = normal.partition_point(|&score| score < example.score);
        example.score = below as f64 / normal.len().max(1) as f64;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut said = |word: &str| {
        let before = args.len();
        args.retain(|arg| arg != word);
        args.len() < before
    };
    let (either, calm) = (said("either"), said("calm"));
    let by = if either { By::Either } else { By::Initiator };
    let args: Vec<u64> = args.iter().map(|a| a.parse()).collect::<Result<_, _>>()?;
    let [seed, parts, many @ ..] = args.as_slice() else {
        return Err("usage: kitsune_hospitals SEED PARTS [HOW_MANY] [either] [calm]".into());
    };
    let many = many.first().unwrap_or(parts);
    let mut normal = vec![];
    let mut kinds: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for part in 0..(*many).min(*parts) {
        let plan = Plan::coverage(*seed, part as u32, *parts as u32);
        let run = device_windows(&plan, by)?;
        println!("hospital {part}: {} packets, {:.0} packets/s", run.packets, run.rate());
        let mut told = examples(&run);
        compare(&mut told, calm);
        for example in told {
            let who = example.strata.get("actor").cloned().unwrap_or_default();
            match example.truth {
                Label::Normal if !calm || is_calm(&example) => normal.push(example.score),
                Label::Attack(kind) => {
                    for kind in [kind, "all attacks".to_owned()] {
                        kinds.entry((who.clone(), kind)).or_default().push(example.score);
                    }
                }
                Label::LookAlike(kind) => {
                    kinds.entry(("look-alike".to_owned(), kind)).or_default().push(example.score);
                }
                _ => {}
            }
        }
    }
    println!("{} normal units", normal.len());
    for ((who, kind), scores) in &kinds {
        let rows = scores.iter().map(|s| (*s, true)).chain(normal.iter().map(|s| (*s, false)));
        let ranking = Ranking::new(rows);
        let (auc, found) = (ranking.roc_auc(), ranking.tpr_at_fpr(0.001));
        let [auc, found] = [auc, found].map(|x| x.map_or("-".into(), |x| format!("{x:.3}")));
        println!("{who:10} {kind:24} {:5} units  AUC {auc}  TPR at 0.1 % {found}", scores.len());
    }
    Ok(())
}
