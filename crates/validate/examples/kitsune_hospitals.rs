//! What Kitsune finds in generated hospitals that together see every attack, and how fast it is.
//!
//! ```text
//! cargo run --release -p validate --example kitsune_hospitals -- SEED PARTS [HOW_MANY]
//! ```
//!
//! The unit is a device in ten seconds. For each kind of attack by known devices: units, area under
//! the ROC curve, and the share found where one normal unit in a thousand is a false alarm.
#![allow(clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::error::Error;

use drill::Plan;
use ml::metrics::Ranking;
use validate::evaluation::Label;
use validate::kitsune::{By, device_windows, examples};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    let [seed, parts, many @ ..] = args.as_slice() else {
        return Err("usage: kitsune_hospitals SEED PARTS [HOW_MANY]".into());
    };
    let many = many.first().unwrap_or(parts);
    let mut normal = vec![];
    let mut kinds: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for part in 0..(*many).min(*parts) {
        let plan = Plan::coverage(*seed, part as u32, *parts as u32);
        let run = device_windows(&plan, By::Initiator, 10.0)?;
        println!("hospital {part}: {} packets, {:.0} packets/s", run.packets, run.rate());
        for example in examples(&run) {
            let who = example.strata.get("actor").cloned().unwrap_or_default();
            match example.truth {
                Label::Normal => normal.push(example.score),
                Label::Attack(kind) => kinds.entry((who, kind)).or_default().push(example.score),
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
