//! Writes Kitsune's features and scores of a generated hospital, packet by packet, to be held
//! against other programs.
//!
//! ```text
//! cargo run --release -p validate --example kitsune_features -- SEED PACKETS MAPPING TRAINING OUT
//! ```
//!
//! `OUT.csv` has time, addresses, ports and length of each packet, its features, and its score
//! (empty while learning); `OUT.groups` the features of each autoencoder.
#![allow(missing_docs)]

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;

use drill::{Happening, Hospital, Plan};
use validate::kitsune::{Features, Kitsune, Settings, read};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [seed, packets, mapping, training, out] = args.as_slice() else {
        return Err("usage: kitsune_features SEED PACKETS MAPPING TRAINING OUT".into());
    };
    let (mapping, training) = (mapping.parse()?, training.parse()?);
    let plan = Plan { baseline_minutes: 1.0, ..Plan::coverage(seed.parse()?, 0, 6) };
    let mut features = Features::default();
    let mut kitsune = Kitsune::new(&Settings { mapping, training, ..Settings::default() });
    let mut csv = std::io::BufWriter::new(std::fs::File::create(format!("{out}.csv"))?);
    let frames = Hospital::new(&plan)?.filter_map(|happening| match happening {
        Happening::Packet { at, frame, .. } => Some((at, frame)),
        _ => None,
    });
    for (at, frame) in frames.take(packets.parse()?) {
        let Some(headers) = read(&frame) else { continue };
        let (macs, addresses, ports) = (headers.macs, headers.addresses, headers.ports);
        let row = features.packet(at.seconds_f64(), &headers, frame.len());
        let score = kitsune.packet(at, &frame);
        let (at, length) = (at.seconds_f64(), frame.len());
        let mut line = format!("{at:?};{macs:?};{addresses:?};{ports:?};{length};");
        row.iter().try_for_each(|x| write!(line, "{x:?},"))?;
        let score = score.map(|score| format!("{score:?}")).unwrap_or_default();
        writeln!(csv, "{line};{score}")?;
    }
    csv.flush()?;
    let groups = format!("{:?}\n", kitsune.groups().unwrap_or_default());
    std::fs::write(format!("{out}.groups"), groups)?;
    Ok(())
}
