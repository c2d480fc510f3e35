//! Pages on protocols, log formats and what is observed in them.

use std::fmt::Write;

use model::field::{Field, KindSpec};

use super::{cell, names};
use crate::kinds;

/// The page on protocols and log formats.
pub(crate) fn protocols() -> String {
    let mut out = String::from(
        "# Protocols and log formats\n\n\
         Protocols are recognised by content, in this order; never by port alone. What each observes \
         is in [observations.md](observations.md).\n",
    );
    for spec in protocols::ALL.iter().map(|p| p.spec()).chain([&protocols::arp::SPEC]) {
        let transports: Vec<&str> = spec.transports.iter().map(|t| t.name()).collect();
        let over =
            if transports.is_empty() { "Ethernet".to_owned() } else { transports.join(", ") };
        let _ = write!(out, "\n## {}\n\n{}\n\n* Over: {over}\n", spec.name, spec.doc);
        links(&mut out, spec.kinds, spec.sources);
    }
    out.push_str("\n# Log formats\n\nThe first format that is sure of a record reads it.\n");
    for spec in logs::formats::ALL.iter().map(|format| format.spec()) {
        let _ = write!(out, "\n## {}\n\n{}\n\n", spec.name, spec.doc);
        links(&mut out, spec.kinds, spec.sources);
    }
    out
}

fn links(out: &mut String, kinds: &[&KindSpec], sources: &[&str]) {
    let links: Vec<String> = kinds
        .iter()
        .map(|kind| format!("[{0}](observations.md#{1})", kind.name, kind.name.replace('.', "")))
        .collect();
    let _ = writeln!(out, "* Observes: {}", links.join(", "));
    if !sources.is_empty() {
        let _ = writeln!(out, "* Written from: {}", sources.join("; "));
    }
}

/// The page on kinds of observation and their fields.
pub(crate) fn observations() -> String {
    let mut out = String::from(
        "# Observations\n\n\
         One fact each, as in `observations.jsonl`: `id`, `at`, `kind`, `flow`, `subject` (who did it), \
         `peer` (to whom) and `fields`, which are listed here. A field that was not seen is left out.\n\n\
         The column *Names* says whom a field could name: nobody, a member of staff or an account, or a \
         patient. What could name a patient is kept as a keyed token (`t:` and 24 hexadecimal digits) \
         and is never readable.\n",
    );
    for kind in kinds::all() {
        let _ = write!(out, "\n## {}\n\n{}\n\n", kind.name, kind.doc);
        out.push_str("| Field | Type | Unit | Names | What it is |\n|---|---|---|---|---|\n");
        for field in kind.fields {
            row(&mut out, field);
        }
    }
    out
}

fn row(out: &mut String, field: &Field) {
    let Field { name, ty, unit, phi, doc } = field;
    let ty = format!("{ty:?}").to_lowercase();
    let names = names(*phi);
    let _ = writeln!(out, "| `{name}` | {ty} | {} | {names} | {} |", cell(unit), cell(doc));
}
