//! Trains on some hospitals, tests on others: true positive rate by kind of attack.
//!
//! ```text
//! cargo run --release -p validate --example kinds -- TRAIN,SEEDS TEST,SEEDS
//! ```
#![allow(clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;

use learn::behaviour::{Knowledge, Moments, TREE_WIDTH};
use ml::metrics::Ranking;
use ml::trees::Rows;
use validate::evaluation::Label;
use validate::hospitals::{Hospital, watch_all};
use validate::lesson::Lesson;
use validate::{train, watch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let seeds = |at: usize| -> Vec<u64> {
        args.get(at).map_or(vec![], |list| list.split(',').filter_map(|s| s.parse().ok()).collect())
    };
    let begun = std::time::Instant::now();
    let cached = args.get(3).filter(|path| std::path::Path::new(path.as_str()).exists());
    let knowledge: Knowledge = if let Some(path) = cached {
        postcard::from_bytes(&std::fs::read(path)?)?
    } else {
        let hospitals = Hospital::coverage(seeds(1), 8);
        let lessons = watch_all(&hospitals, 2, &watch::engine, &|watched| {
            let mut lesson = Lesson::default();
            lesson.add(&watched.site, &watched.seen, &watched.labels, 1);
            (lesson, watched.engine.behaviour().usual().clone())
        })?;
        let mut lesson = Lesson::default();
        let usual: Moments = lessons[0].1.clone();
        lessons.into_iter().for_each(|(one, _)| lesson.examples.extend(one.examples));
        println!("{} examples in {:.1?}", lesson.examples.len(), begun.elapsed());
        let knowledge = train::knowledge(&lesson, usual)?;
        println!("trained after {:.1?}; scale {:?}", begun.elapsed(), knowledge.novelty);
        if let Some(path) = args.get(3) {
            std::fs::write(path, postcard::to_stdvec(&knowledge)?)?;
        }
        knowledge
    };
    let shared = Arc::new(knowledge.clone());
    let engine = |until| {
        let mut engine = watch::engine(until);
        engine.behaviour_mut().inform(Some(shared.clone())).expect("it was just trained");
        engine
    };
    let hospitals = Hospital::coverage(seeds(2), 8);
    let windows = watch_all(&hospitals, 2, &engine, &|watched| {
        let mut out = vec![];
        for one in &watched.seen.windows {
            if one.behaved.end <= watched.site.learn_until || one.behaved.windows < 20 {
                continue;
            }
            let label = watched.labels.of(one.ip, one.behaved.end);
            let mut scores = vec![
                f64::from(one.behaved.score),
                f64::from(one.behaved.attack.unwrap_or(0.0)),
                f64::from(one.behaved.novelty),
            ];
            scores.extend(one.behaved.scores.map(f64::from));
            scores.push(-one.behaved.judged.p.ln());
            if one.behaved.judged.sustained.is_some() && label == Label::Normal {
                let top: Vec<String> = one
                    .behaved
                    .why
                    .as_ref()
                    .map(|why| {
                        why.reasons
                            .iter()
                            .map(|r| {
                                format!(
                                    "{}={:.1}/{:.1}",
                                    learn::features::TABLE[r.column].name,
                                    r.observed,
                                    r.expected
                                )
                            })
                            .collect()
                    })
                    .unwrap_or_default();
                println!(
                    "S {} dev{} {} n{} {} score {:.2} trees {:?} nov {:.2} p {:.4} raw {:.4} kept {} level {} {:?} {}",
                    watched.site.name,
                    one.behaved.device.0,
                    one.class,
                    one.behaved.windows,
                    one.behaved.volume.name(),
                    one.behaved.score,
                    one.behaved.attack,
                    one.behaved.novelty,
                    one.behaved.judged.p,
                    one.behaved.judged.raw.p,
                    one.behaved.judged.raw.kept,
                    one.behaved.judged.raw.level,
                    one.behaved.judged.sustained,
                    top.join(" ")
                );
            }
            out.push((
                label,
                scores,
                one.behaved.judged.p,
                one.behaved.judged.raw.p,
                one.behaved.judged.alert,
                one.behaved.judged.sustained.is_some(),
            ));
        }
        out
    })?;
    let all: Vec<_> = windows.into_iter().flatten().collect();
    println!("{} windows after {:.1?}", all.len(), begun.elapsed());
    for (at, name) in ["score", "trees", "novelty", "memory", "forest", "autoencoders", "-ln p"]
        .iter()
        .enumerate()
    {
        let rows = all.iter().filter_map(|(label, scores, ..)| match label {
            Label::Normal => Some((scores[at], false)),
            Label::Attack(_) => Some((scores[at], true)),
            _ => None,
        });
        let ranking = Ranking::new(rows);
        let bound = ranking.threshold_at_fpr(0.001).unwrap_or(f64::MAX);
        let mut kinds: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for (label, scores, ..) in &all {
            if let Label::Attack(kind) = label {
                let counts = kinds.entry(kind).or_default();
                counts.1 += 1;
                counts.0 += u32::from(scores[at] >= bound);
            }
        }
        let rates: Vec<f64> = kinds.values().map(|c| f64::from(c.0) / f64::from(c.1)).collect();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        let good = rates.iter().filter(|rate| **rate >= 0.8).count();
        println!(
            "{name:14} auc {:.4} tpr {:.3} kinds {mean:.3} good {good}/{}",
            ranking.roc_auc().unwrap_or(0.0),
            ranking.tpr_at_fpr(0.001).unwrap_or(0.0),
            rates.len()
        );
        if at == 0 {
            for (kind, (hit, of)) in &kinds {
                if f64::from(*hit) < 0.8 * f64::from(*of) {
                    println!("    {kind} {hit}/{of}");
                }
            }
        }
    }
    for level in [0.1, 0.01, 0.001] {
        let normal: Vec<_> = all.iter().filter(|one| one.0 == Label::Normal).collect();
        let share = |f: &dyn Fn(&(Label, Vec<f64>, f64, f64, bool, bool)) -> f64| {
            normal.iter().filter(|one| f(one) <= level).count() as f64 / normal.len() as f64 / level
        };
        println!(
            "realised/nominal at {level}: {:.3}, raw {:.3}",
            share(&|one| one.2),
            share(&|one| one.3)
        );
    }
    for (what, label) in [("normal", 0), ("look-alike", 1), ("attack", 2), ("neutral", 3)] {
        let of: Vec<_> = all
            .iter()
            .filter(|one| match one.0 {
                Label::Normal => label == 0,
                Label::LookAlike(_) => label == 1,
                Label::Attack(_) => label == 2,
                Label::Neutral => label == 3,
            })
            .collect();
        println!(
            "{what}: {} windows, {} single alerts, {} sustained",
            of.len(),
            of.iter().filter(|o| o.4).count(),
            of.iter().filter(|o| o.5).count()
        );
    }
    let mut parts = vec![];
    let row = [1.0_f32; TREE_WIDTH];
    let mut out = vec![];
    knowledge.attack.scores(Rows::new(&row, TREE_WIDTH)?, &mut out)?;
    knowledge.attack.explain(&row, 0, &mut parts)?;
    Ok(())
}
