//! Who may depend on whom. The arrows of ARCHITECTURE.md, as a table.
//!
//! Dependencies for tests only are free, except that nothing may need the program itself; they are
//! counted all the same, so that a reader can see them.

use std::path::Path;

use super::Fault;

/// Everything that the program is put together from.
const ALL: &[&str] = &[
    "model",
    "capture",
    "wire",
    "protocols",
    "logs",
    "assets",
    "ml",
    "learn",
    "detect",
    "pipeline",
    "respond",
    "store",
    "server",
    "drill",
    "validate",
];

/// Crate, and the crates of the project that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("wire", &["model"]),
    ("protocols", &["model", "wire"]),
    ("capture", &["model"]),
    ("logs", &["model"]),
    ("assets", &["model"]),
    ("store", &["model"]),
    ("drill", &["model"]),
    ("ml", &[]),
    ("learn", &["model", "assets", "ml"]),
    ("detect", &["model", "assets", "ml", "learn"]),
    (
        "pipeline",
        &["model", "capture", "wire", "protocols", "logs", "assets", "ml", "learn", "detect"],
    ),
    (
        "validate",
        &["model", "capture", "logs", "assets", "ml", "learn", "detect", "pipeline", "drill"],
    ),
    ("respond", &["model"]),
    ("server", &["model", "store", "respond"]),
    ("wardwatch", ALL),
    ("xtask", &[]),
    ("chores", ALL),
    ("wardwatch-fuzz", ALL),
];

const ADVICE: &str = "Turn the arrow round, or change the table in xtask/src/tidy/arrows.rs and ARCHITECTURE.md with the reason";

/// Broken arrows in all manifests.
///
/// # Errors
/// When a manifest cannot be read.
pub(crate) fn faults(root: &Path) -> Result<Vec<Fault>, String> {
    let mut manifests = vec!["xtask/Cargo.toml".to_owned(), "xtask/chores/Cargo.toml".to_owned()];
    manifests.push("fuzz/Cargo.toml".to_owned());
    let crates = root.join("crates");
    let folders = std::fs::read_dir(&crates).map_err(|e| format!("{}: {e}", crates.display()))?;
    for folder in folders.flatten() {
        manifests.push(format!("crates/{}/Cargo.toml", folder.file_name().to_string_lossy()));
    }
    manifests.sort();
    let mut out = Vec::new();
    let mut tests_only = 0;
    for name in manifests {
        let text = std::fs::read_to_string(root.join(&name)).map_err(|e| format!("{name}: {e}"))?;
        let (faults, free) = of_manifest(&name, &text);
        tests_only += free;
        out.extend(faults);
    }
    println!("arrows: {} crates, {tests_only} for tests only", ALLOWED.len());
    Ok(out)
}

/// Broken arrows of one manifest, and how many arrows are for tests only.
fn of_manifest(file: &str, text: &str) -> (Vec<Fault>, usize) {
    let (mut out, mut tests_only) = (Vec::new(), 0);
    let (mut section, mut crate_name) = (String::new(), String::new());
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            if let Some((before, table)) = section.clone().rsplit_once("dependencies.") {
                // [dependencies.wire] is one as well.
                section = format!("{before}dependencies");
                check(file, number, &section, &crate_name, table, &mut out, &mut tests_only);
                section.clear();
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.trim().split('.').next().unwrap_or_default();
        if section == "package" && key == "name" {
            crate_name = value.trim().trim_matches('"').to_owned();
            if !ALLOWED.iter().any(|(name, _)| *name == crate_name) {
                let what = format!("nothing says whom crate '{crate_name}' may depend on");
                out.push(Fault::new(file, number, what, "Add it to the table of arrows"));
            }
        }
        check(file, number, &section, &crate_name, key, &mut out, &mut tests_only);
    }
    (out, tests_only)
}

fn check(
    file: &str,
    line: usize,
    section: &str,
    from: &str,
    to: &str,
    out: &mut Vec<Fault>,
    tests_only: &mut usize,
) {
    let ours = to == "wardwatch" || ALLOWED.iter().any(|(name, _)| *name == to);
    if !section.ends_with("dependencies") || !ours {
        return;
    }
    if section.ends_with("dev-dependencies") && to != "wardwatch" {
        *tests_only += 1;
        return;
    }
    let allowed = ALLOWED.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, to)| to);
    if !allowed.contains(&to) {
        out.push(Fault::new(file, line, format!("'{from}' depends on '{to}'"), ADVICE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(name: &str, rest: &str) -> Vec<String> {
        let text = format!("[package]\nname = \"{name}\"\n{rest}");
        let (faults, _) = of_manifest("Cargo.toml", &text);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_arrow_that_points_back_is_found_with_its_line() {
        let found =
            faults("wire", "[dependencies]\nmodel.workspace = true\nprotocols.workspace = true\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("Cargo.toml:5: 'wire' depends on 'protocols'"), "{found:?}");
        for spelled in [
            "[dependencies]\ndetect = { path = \"../detect\" }\n",
            "[dependencies.detect]\npath = \"../detect\"\n",
            "[build-dependencies]\ndetect.workspace = true\n",
            "[target.'cfg(unix)'.dependencies]\ndetect.workspace = true\n",
        ] {
            assert_eq!(faults("model", spelled).len(), 1, "{spelled}");
        }
    }

    #[test]
    fn tests_may_use_other_crates_but_nothing_needs_the_program() {
        assert!(faults("wire", "[dev-dependencies]\nprotocols.workspace = true\n").is_empty());
        assert_eq!(faults("wire", "[dev-dependencies]\nwardwatch.workspace = true\n").len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_in_the_table_is_found() {
        assert_eq!(faults("extras", "").len(), 1);
    }
}
