//! `docs/reference/`: what the tables say, for people. Written by a program, and checked by a test,
//! so that it is never older than the program.

mod detection;
mod feature;
mod observation;

use std::path::Path;

use model::field::Phi;

use crate::fault::Fault;

/// The first line of each page.
const NOTE: &str = "<!-- Written by `cargo xtask docs` from the tables in the code: change those, not this. -->\n\n";

/// Path below the root, and what has to be in it.
fn pages() -> [(&'static str, String); 4] {
    [
        ("docs/reference/protocols.md", observation::protocols()),
        ("docs/reference/observations.md", observation::observations()),
        ("docs/reference/detectors.md", detection::detectors()),
        ("docs/reference/features.md", feature::features()),
    ]
    .map(|(path, text)| (path, format!("{NOTE}{text}")))
}

/// Writes all pages.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    for (path, text) in pages() {
        let file = root.join(path);
        let folder = file.parent().unwrap_or(root);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&file, text))
            .map_err(|error| format!("{path}: {error}"))?;
        println!("{path}");
    }
    Ok(())
}

/// Pages that say something else than the tables.
pub(crate) fn faults(root: &Path) -> Vec<Fault> {
    let mut out = Vec::new();
    for (path, text) in pages() {
        if std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(&text) {
            out.push(Fault::file(
                path,
                "says something else than the tables",
                "Run 'cargo xtask docs'",
            ));
        }
    }
    out
}

/// Whom a field or a feature could name.
fn names(phi: Phi) -> &'static str {
    match phi {
        Phi::None => "nobody",
        Phi::Staff => "staff",
        Phi::Patient => "**patient**",
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_changed_by_hand_is_found() {
        let root = std::env::temp_dir().join(format!("chores-reference-{}", std::process::id()));
        write(&root).unwrap();
        assert_eq!(faults(&root), []);
        std::fs::write(root.join("docs/reference/detectors.md"), "mine").unwrap();
        assert_eq!(faults(&root).len(), 1);
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn every_feature_is_a_row_of_its_page() {
        let page = feature::features();
        for feature in learn::features::TABLE {
            assert!(page.contains(&format!("\n| `{}` | ", feature.name)), "{}", feature.name);
        }
        let families = page.lines().filter(|line| line.starts_with("## ")).count();
        assert_eq!(families, 4);
    }

    #[test]
    fn every_kind_protocol_and_detector_has_its_heading() {
        let all: String = pages().into_iter().map(|(_, text)| text).collect();
        let kinds = crate::kinds::all().into_iter().map(|kind| kind.name);
        let protocols = protocols::ALL.iter().map(|protocol| protocol.spec().name);
        let detectors = crate::detectors::all().into_iter().map(|spec| spec.name);
        for name in kinds.chain(protocols).chain(detectors) {
            assert!(all.contains(&format!("## {name}\n")), "{name}");
        }
    }
}
