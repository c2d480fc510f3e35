//! How well each kind of attack is told from normal life, for research: windows of many hospitals are
//! written down once, then trees are trained on one file and judged on another.
//!
//! ```text
//! cargo run --release -p validate --example kinds -- dump FILE SEED SETS QUIET HOURS THIN
//! cargo run --release -p validate --example kinds -- judge TRAIN TEST [KIND]...
//! ```
//!
//! `dump` takes SETS sets of eight hospitals from SEED on, and QUIET hospitals of HOURS of normal life;
//! one of THIN normal windows is kept. `judge` prints for each kind by known devices: windows, and the
//! share above what one in a thousand normal windows passes (behind the bar 1 in 100, 10^4, 10^5); with a KIND its windows that are missed,
//! with their strangest features, and with `normal` the normal windows that are above.
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};

use learn::behaviour::{Moments, TREE_WIDTH, tree_row};
use learn::features::distinct::mark;
use learn::features::{TABLE, WIDTH};
use ml::Chance;
use ml::metrics::Ranking;
use serde::{Deserialize, Serialize};
use validate::evaluation::Label;
use validate::hospitals::{Hospital, Watched, watch_all};
use validate::lesson::{Example, Lesson, family, technique};
use validate::{train, watch};

type Done = Result<(), Box<dyn Error>>;

#[derive(Serialize, Deserialize)]
struct Line {
    what: String,
    known: bool,
    family: Option<usize>,
    group: String,
    of: String,
    novelty: f32,
    seen: Vec<f32>,
}

fn lines(watched: &Watched, thin: usize) -> Vec<Line> {
    let site = &watched.site;
    let mut chance = Chance::new(7);
    let mut out = Vec::new();
    for one in &watched.seen.windows {
        let behaved = &one.behaved;
        if behaved.end <= site.learn_until {
            continue;
        }
        let label = watched.labels.of(one.ip, behaved.end);
        let (what, kind) = match &label {
            Label::Neutral => continue,
            Label::Normal if thin > 1 && chance.below(thin) > 0 => continue,
            Label::Normal => ("normal".to_owned(), None),
            Label::Attack(kind) => (kind.clone(), technique(site, kind).and_then(family)),
            Label::LookAlike(kind) => (format!("like:{kind}"), None),
        };
        let ip = one.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let at = behaved.end.seconds_f64();
        let doing = site.truth.iter().filter(|t| t.actor == ip && t.start_epoch <= at + 10.0);
        let last = doing.max_by(|a, b| a.start_epoch.total_cmp(&b.start_epoch));
        out.push(Line {
            known: last.is_some_and(|truth| truth.who == drill::Who::Known),
            family: kind,
            what,
            group: behaved.group.clone(),
            of: format!("{} {ip} {} {at:.0} window {}", site.name, one.class, behaved.windows),
            novelty: behaved.novelty,
            seen: tree_row(&behaved.standard, &behaved.scores, &behaved.row).to_vec(),
        });
    }
    out
}

fn dump(file: &str, numbers: &[u64]) -> Done {
    let [seed, sets, quiet, hours, thin] = numbers else {
        return Err("SEED SETS QUIET HOURS THIN".into());
    };
    let mut all = Hospital::coverage(*seed..seed + sets, 8);
    all.extend(Hospital::quiet(seed + 500..seed + 500 + quiet, *hours as f64));
    let engine = |until| watch::engine(until);
    let each = |watched: Watched| {
        let scored = validate::scored::score(&watched, &Default::default());
        for one in scored.incidents.iter().filter(|one| one.malicious == one.first.is_none()) {
            let what = if one.malicious { "missed" } else { "flagged" };
            println!("{what} {} {} {:?} {:?}", one.site, one.kind, one.strata, one.detectors);
        }
        for one in &scored.false_alerts {
            println!("false {} {} {}", one.site, one.detector, one.title);
        }
        eprintln!("{}", watched.site.name);
        lines(&watched, *thin as usize)
    };
    let told = watch_all(&all, 2, &engine, &each)?;
    let mut out = BufWriter::new(File::create(file)?);
    for line in told.into_iter().flatten() {
        let bytes = postcard::to_stdvec(&line)?;
        out.write_all(&(bytes.len() as u32).to_le_bytes())?;
        out.write_all(&bytes)?;
    }
    Ok(out.flush()?)
}

fn read(file: &str) -> Result<Vec<Line>, Box<dyn Error>> {
    use std::io::Read;
    let mut input = BufReader::new(File::open(file)?);
    let (mut size, mut out, mut bytes) = ([0; 4], Vec::new(), Vec::new());
    while input.read_exact(&mut size).is_ok() {
        bytes.resize(u32::from_le_bytes(size) as usize, 0);
        input.read_exact(&mut bytes)?;
        out.push(postcard::from_bytes(&bytes)?);
    }
    Ok(out)
}

fn row(line: &Line) -> [f32; TREE_WIDTH] {
    let mut row = [0.0; TREE_WIDTH];
    row.copy_from_slice(&line.seen);
    row
}

fn example(line: &Line) -> Example {
    let label = match line.what.strip_prefix("like:") {
        Some(kind) => Label::LookAlike(kind.to_owned()),
        None if line.what == "normal" => Label::Normal,
        None => Label::Attack(line.what.clone()),
    };
    Example {
        row: row(line),
        label,
        family: line.family,
        novelty: line.novelty,
        site: mark(line.of.split(' ').next().unwrap_or_default()),
    }
}

fn told(line: &Line, score: f32) {
    let mut order: Vec<usize> = (0..WIDTH).collect();
    order.sort_by(|a, b| line.seen[*b].abs().total_cmp(&line.seen[*a].abs()));
    let plain = &line.seen[TREE_WIDTH - WIDTH..];
    let say = |at: &usize| format!("{}={:.1}({:.1})", TABLE[*at].name, line.seen[*at], plain[*at]);
    let said: Vec<String> = order.iter().take(16).map(say).collect();
    println!("  {score:6.2} nov {:.2} {} | {}", line.novelty, line.of, said.join(" "));
}

fn judge(train: &str, test: &str, shown: &[String]) -> Done {
    let lesson = Lesson { examples: read(train)?.iter().map(example).collect() };
    eprintln!("{} to learn from", lesson.examples.len());
    let knowledge = train::trees(&lesson, Moments::default())?;
    drop(lesson);
    let lines = read(test)?;
    let scored: Vec<(f32, &Line)> =
        lines.iter().map(|line| (knowledge.score(&row(line), line.novelty), line)).collect();
    let normal = scored.iter().filter(|(_, line)| line.what == "normal");
    let ranking = Ranking::new(normal.clone().map(|(score, _)| (f64::from(*score), false)));
    let at = |rate| ranking.threshold_at_fpr(rate).unwrap_or(f64::INFINITY) as f32;
    let (strict, others) = (at(0.001), [at(0.01), at(1e-4), at(1e-5)]);
    println!("{} normal; thresholds {strict:.2} {others:.2?}", normal.clone().count());
    let mut kinds: BTreeMap<(bool, &str), Vec<f32>> = BTreeMap::new();
    for (score, line) in scored.iter().filter(|(_, line)| line.what != "normal") {
        kinds.entry((line.known, &line.what)).or_default().push(*score);
        kinds.entry((line.known, "~ all")).or_default().push(*score);
    }
    for ((known, what), scores) in &kinds {
        let above = |bound: f32| scores.iter().filter(|score| **score >= bound).count();
        let share = |bound| above(bound) as f64 / scores.len() as f64;
        println!(
            "{} {what:26} {:5} {:.3} | {:.3} {:.3} {:.3}",
            if *known { "known   " } else { "stranger" },
            scores.len(),
            share(strict),
            share(others[0]),
            share(others[1]),
            share(others[2]),
        );
    }
    for kind in shown {
        println!("{kind}");
        for (score, line) in scored.iter().filter(|(_, line)| line.what == *kind) {
            let normal = kind == "normal";
            if (normal || line.known) && normal == (*score >= strict) {
                told(line, *score);
            }
        }
    }
    Ok(())
}

fn main() -> Done {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["dump", file, ref numbers @ ..] => {
            let numbers: Result<Vec<u64>, _> = numbers.iter().map(|n| n.parse()).collect();
            dump(file, &numbers?)
        }
        ["judge", train, test, ..] => judge(train, test, &args[3..]),
        _ => Err("dump FILE SEED SETS QUIET HOURS THIN, or judge TRAIN TEST [KIND]...".into()),
    }
}
