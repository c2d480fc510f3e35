//! Writes every window of a site as a row of a table, for research: features, class, truth.
//!
//! ```text
//! cargo run --release -p validate --example windows -- FOLDER... > windows.csv
//! ```
#![allow(clippy::print_stdout, missing_docs)]

use std::path::Path;

use learn::behaviour::{TREE_WIDTH, tree_row};
use validate::evaluation::Label;
use validate::label::Labels;
use validate::site::Site;
use validate::watch;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let names: Vec<_> = (0..TREE_WIDTH).map(validate::train::column_name).collect();
    println!("site,device,class,ip,end,learning,before,label,{}", names.join(","));
    for folder in std::env::args().skip(1) {
        let site = Site::read(Path::new(&folder))?;
        let labels = Labels::read(&site)?;
        let seen = watch::watch(&site, &mut watch::engine(site.learn_until))?;
        for watched in &seen.windows {
            let behaved = &watched.behaved;
            let label = match labels.of(watched.ip, behaved.end) {
                Label::Normal => "normal".to_owned(),
                Label::Neutral => "neutral".to_owned(),
                Label::Attack(kind) => format!("attack:{kind}"),
                Label::LookAlike(kind) => format!("benign:{kind}"),
            };
            let row = tree_row(&behaved.standard, &behaved.scores, &behaved.row);
            let row: Vec<_> = row.iter().map(|value| format!("{value:.4}")).collect();
            println!(
                "{},{},{},{},{},{},{},{label},{}",
                site.name,
                behaved.device.0,
                watched.class,
                watched.ip.map(|ip| ip.to_string()).unwrap_or_default(),
                behaved.end.seconds_f64(),
                u8::from(behaved.end <= site.learn_until),
                behaved.windows,
                row.join(",")
            );
        }
    }
    Ok(())
}
