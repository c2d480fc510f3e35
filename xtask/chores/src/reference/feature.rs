//! The page on features.

use std::fmt::Write;

use learn::features::{Family, Feature, TABLE, WINDOW};

use super::{cell, names};

/// A table of all features by family, and within it in the order in which models see them.
pub(crate) fn features() -> String {
    let mut out = format!(
        "# Features\n\n\
         What models see: {} numbers about one device in one window of {} seconds. None is an address, a \
         port, an identifier, a TTL or a clock; those give an answer away in one capture and mean \
         nothing in the next. Counts enter as logarithms, so that ten times as much is as far from \
         usual for a busy device as for a quiet one. Who reads them and how is in \
         [validation.md](../validation.md).\n\n\
         *Looks back* is the time that a number is taken from: `10 s` is the window itself, `1 min` \
         and `10 min` are damped over that time, `all` is everything that was learned of the device. \
         *Names* says whom a number could name, as in [observations.md](observations.md). *Floor* is \
         the smallest difference, in the feature's unit, that counts as one standard deviation: what \
         never varied while learning is not infinitely strange when it does.\n\n\
         A model that was trained with another table is not used.\n",
        TABLE.len(),
        WINDOW.as_secs(),
    );
    for family in [Family::Traffic, Family::Flows, Family::Speech, Family::News] {
        let _ = write!(out, "\n## {}\n\n{}\n\n", family.name(), about(family));
        out.push_str("| Feature | Unit | Looks back | Names | Floor | What it is |\n");
        out.push_str("|---|---|---|---|---|---|\n");
        TABLE.iter().filter(|f| f.family == family).for_each(|feature| row(&mut out, feature));
    }
    out
}

fn about(family: Family) -> &'static str {
    match family {
        Family::Traffic => "Packets and bytes, damped over seconds to minutes.",
        Family::Flows => "How many flows, with how many others, and how they went.",
        Family::Speech => "What was said in the protocols that are understood.",
        Family::News => "How much of it was never seen before.",
    }
}

fn row(out: &mut String, feature: &Feature) {
    let Feature { name, unit, family: _, window, phi, floor, doc } = feature;
    let (unit, names, doc) = (cell(unit), names(*phi), cell(doc));
    let _ = writeln!(out, "| `{name}` | {unit} | {window} | {names} | {floor} | {doc} |");
}
