//! Makes `data/oui.txt` and `data/vendors.txt` from the IEEE's public listing.
//!
//! `cargo run -p assets --example oui_table -- /usr/share/ieee-data crates/assets/data`
//!
//! The first folder is that of Debian's package `ieee-data`: `oui.csv` (blocks of 24 bits), `mam.csv`
//! (28 bits), `oui36.csv` and `iab.csv` (36 bits). What comes out is read by `src/oui.rs`, which says
//! how it is laid out.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("give the folder of the listing and the folder to write to".into());
    };
    let mut blocks: BTreeMap<(usize, String), String> = BTreeMap::new();
    for file in ["oui.csv", "mam.csv", "oui36.csv", "iab.csv"] {
        let bytes = std::fs::read(Path::new(&from).join(file))?;
        for record in records(&String::from_utf8_lossy(&bytes)).into_iter().skip(1) {
            let [_, prefix, name, ..] = record.as_slice() else { continue };
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let known = matches!(prefix.len(), 6 | 7 | 9) && !name.is_empty() && name != "Private";
            if known && prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
                blocks.entry((prefix.len(), prefix.to_ascii_uppercase())).or_insert(name);
            }
        }
    }
    let names: BTreeSet<&String> = blocks.values().collect();
    let (mut vendors, mut offsets) = (String::new(), BTreeMap::new());
    for name in names {
        offsets.insert(name, vendors.len());
        writeln!(vendors, "{name}")?;
    }
    let mut table = String::new();
    for ((_, prefix), name) in &blocks {
        writeln!(table, "{prefix}{:05X}", offsets.get(name).ok_or("a name without place")?)?;
    }
    std::fs::write(Path::new(&to).join("vendors.txt"), vendors)?;
    std::fs::write(Path::new(&to).join("oui.txt"), table)?;
    Ok(())
}

/// Records of comma-separated values with quoted fields (RFC 4180).
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field).trim_end_matches('\r').to_owned());
                all.push(std::mem::take(&mut record));
            }
            _ => field.push(c),
        }
    }
    all
}
