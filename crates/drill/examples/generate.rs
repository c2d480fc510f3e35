//! Generates a hospital into a directory.
//!
//! ```text
//! cargo run --example generate -- SEED DIR            a hospital by chance
//! cargo run --example generate -- demo DIR            the demonstration
//! cargo run --example generate -- SEED DIR PLAN.json  fields of a plan, the others as usual
//! cargo run --example generate -- coverage:SEED:PART:PARTS DIR   part of a set that sees everything
//! cargo run --example generate -- known:SEED:PART:PARTS:TIMES DIR  attacks by known devices only
//! cargo run --example generate -- quiet:SEED:HOURS DIR           normal life only
//! cargo run --example generate -- changing:SEED:HOURS DIR        the same, changing after half of it
//! cargo run --example generate -- list                the scenarios
//! ```
#![allow(clippy::print_stdout, missing_docs)]

use std::error::Error;
use std::path::Path;

use drill::{Plan, catalogue, demo_plan, generate};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|a| a == "list") {
        for entry in catalogue() {
            println!("{:26} {:10} {}", entry.name, entry.technique, entry.line);
        }
        return Ok(());
    }
    let [which, out, rest @ ..] = args.as_slice() else {
        return Err("usage: generate (SEED | demo) DIR [PLAN.json] | list".into());
    };
    let plan = match (which.as_str(), rest.first()) {
        ("demo", _) => demo_plan(),
        (named, _) if named.contains(':') => named_plan(named)?,
        (seed, None) => Plan::sample(seed.parse()?),
        (seed, Some(path)) => {
            let plan: Plan = serde_json::from_str(&std::fs::read_to_string(path)?)?;
            Plan { seed: seed.parse()?, ..plan }
        }
    };
    let summary = generate(&plan, Path::new(out))?;
    println!("{} packets, {} bytes, {} hosts", summary.packets, summary.bytes, summary.hosts);
    for truth in &summary.truth {
        let length = truth.end_epoch - truth.start_epoch;
        println!("{:.1} {length:7.1} s  {:15} {}", truth.start_epoch, truth.actor, truth.label);
    }
    for name in &summary.skipped {
        println!("skipped: {name}");
    }
    Ok(())
}

/// The plan that such a name stands for.
fn named_plan(name: &str) -> Result<Plan, Box<dyn Error>> {
    match name.split(':').collect::<Vec<_>>().as_slice() {
        ["coverage", seed, part, parts] => {
            Ok(Plan::coverage(seed.parse()?, part.parse()?, parts.parse()?))
        }
        ["known", seed, part, parts, times] => {
            Ok(Plan::by_known(seed.parse()?, part.parse()?, parts.parse()?, times.parse()?))
        }
        ["quiet", seed, hours] => Ok(Plan::quiet(seed.parse()?, hours.parse()?)),
        ["changing", seed, hours] => Ok(Plan::changing(seed.parse()?, hours.parse()?)),
        _ => Err(format!("'{name}' is none of coverage:, known:, quiet:, changing:").into()),
    }
}
