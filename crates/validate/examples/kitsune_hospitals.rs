//! What Kitsune finds in generated hospitals that together see every attack, and how fast it is.
//!
//! ```text
//! cargo run --release -p validate --example kitsune_hospitals -- SEED PARTS [HOW_MANY] [either]
//! ```
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

/// Makes scores of different hospitals comparable: the share of a hospital's normal units below.
fn compare(told: &mut [Example]) {
    let normal = told.iter().filter(|e| e.truth == Label::Normal);
    let mut normal: Vec<f64> = normal.map(|e| e.score).collect();
    normal.sort_by(f64::total_cmp);
    for example in told {
        let below = normal.partition_point(|&score| score < example.score);
        example.score = below as f64 / normal.len().max(1) as f64;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let either = args.last().is_some_and(|last| last == "either");
    args.truncate(args.len() - usize::from(either));
    let by = if either { By::Either } else { By::Initiator };
    let args: Vec<u64> = args.iter().map(|a| a.parse()).collect::<Result<_, _>>()?;
    let [seed, parts, many @ ..] = args.as_slice() else {
        return Err("usage: kitsune_hospitals SEED PARTS [HOW_MANY] [either]".into());
    };
    let many = many.first().unwrap_or(parts);
    let mut normal = vec![];
    let mut kinds: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for part in 0..(*many).min(*parts) {
        let plan = Plan::coverage(*seed, part as u32, *parts as u32);
        let run = device_windows(&plan, by, 10.0)?;
        println!("hospital {part}: {} packets, {:.0} packets/s", run.packets, run.rate());
        let mut told = examples(&run);
        compare(&mut told);
        for example in told {
            let who = example.strata.get("actor").cloned().unwrap_or_default();
            match example.truth {
                Label::Normal => normal.push(example.score),
                Label::Attack(kind) => {
                    for kind in [kind, "all attacks".to_owned()] {
                        kinds.entry((who.clone(), kind)).or_default().push(example.score);
                    }
                }
                Label::LookAlike(kind) => {
                    kinds.entry(("look-alike".to_owned(), kind)).or_default().push(example.score);
                }
                Label::Neutral => {}
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
