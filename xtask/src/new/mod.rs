//! `cargo xtask new`: a working start for a protocol, a detector or a log format.
//!
//! What is written compiles, passes its own tests and does something small that is easy to replace.
//! The templates are files in `xtask/templates`, with `{{name}}`, `{{Name}}` and `{{NAME}}` where the
//! name goes.

mod capture;
mod list;

use std::path::Path;

use crate::Outcome;
use crate::run::{cargo, root, run as run_command};

/// A file to write, or the new text of one.
#[derive(Debug)]
struct Change {
    path: String,
    bytes: Vec<u8>,
    new: bool,
}

/// Writes the start of what is asked for.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let [what, name] = arguments else {
        return Err("give what and its name: protocol|detector|format NAME".to_owned());
    };
    check_name(name)?;
    let root = root();
    let (changes, package, next) = match what.as_str() {
        "protocol" => (protocol(&root, name)?, "protocols", PROTOCOL_NEXT),
        "detector" => (detector(&root, name)?, "detect", DETECTOR_NEXT),
        "format" => (format(&root, name)?, "logs", FORMAT_NEXT),
        other => return Err(format!("'{other}' is none of: protocol, detector, format")),
    };
    apply(&root, &changes)?;
    run_command(&mut cargo(&["fmt", "-p", package]))?;
    for change in &changes {
        println!("{}{}", change.path, if change.new { " (new)" } else { "" });
    }
    println!("\n{}", filled(next, name));
    Ok(())
}

const PROTOCOL_NEXT: &str = "Next:
 1. cargo test -p protocols {{name}}
 2. Make probe() and take() those of the real protocol; keep the table of fields beside them.
 3. Put a capture of a real client and server into testdata/{{name}}/ and say in its README.md where it is from.
 4. cargo run -p chores -- seeds; cargo xtask docs; cargo xtask fuzz --seconds 60 {{name}}
 5. cargo xtask tidy";

const DETECTOR_NEXT: &str = "Next:
 1. cargo test -p detect {{name}}
 2. Say in SPEC what it finds, what it was written from, and what a person should do next.
 3. cargo xtask docs; cargo xtask tidy";

const FORMAT_NEXT: &str = "Next:
 1. cargo test -p logs {{name}}
 2. Make parse() that of the real format; add records as devices really write them to its tests.
 3. Add some to xtask/chores/src/samples.rs; cargo run -p chores -- seeds; cargo xtask docs
 4. cargo xtask fuzz --seconds 60 log_{{name}}; cargo xtask tidy";

/// Lower-case letters, digits and underscores, and no word of the language.
fn check_name(name: &str) -> Outcome {
    let shaped = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let taken =
        ["mod", "type", "match", "move", "static", "use", "self", "crate", "seam", "frames"];
    if shaped && !taken.contains(&name) {
        return Ok(());
    }
    Err(format!("'{name}' is no name for a module: lower-case letters, digits and underscores"))
}

fn protocol(root: &Path, name: &str) -> Result<Vec<Change>, String> {
    let parser = filled(include_str!("../../templates/protocol.rs.txt"), name);
    let readme = filled(include_str!("../../templates/capture.md.txt"), name);
    let entry = filled("&{{name}}::{{Name}}", name);
    Ok(vec![
        new_file(root, format!("crates/protocols/src/{name}.rs"), parser)?,
        listed(root, "crates/protocols/src/lib.rs", &format!("pub mod {name};"), &entry)?,
        new_file(root, format!("testdata/{name}/README.md"), readme)?,
        new_file(root, format!("testdata/{name}/{name}.pcap"), capture::pcap(name))?,
    ])
}

fn detector(root: &Path, name: &str) -> Result<Vec<Change>, String> {
    let text = filled(include_str!("../../templates/detector.rs.txt"), name);
    let entry = filled("|| Box::<{{name}}::{{Name}}>::default()", name);
    let list = "crates/detect/src/detectors/mod.rs";
    Ok(vec![
        new_file(root, format!("crates/detect/src/detectors/{name}.rs"), text)?,
        listed(root, list, &format!("pub mod {name};"), &entry)?,
    ])
}

fn format(root: &Path, name: &str) -> Result<Vec<Change>, String> {
    let text = filled(include_str!("../../templates/format.rs.txt"), name);
    let entry = filled("&{{name}}::{{Name}}", name);
    let list = "crates/logs/src/formats.rs";
    Ok(vec![
        new_file(root, format!("crates/logs/src/formats/{name}.rs"), text)?,
        listed(root, list, &format!("pub mod {name};"), &entry)?,
    ])
}

/// A template with its name filled in.
fn filled(template: &str, name: &str) -> String {
    let camel: String = name
        .split('_')
        .map(|part| {
            let (first, rest) = part.split_at(part.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect();
    template
        .replace("{{name}}", name)
        .replace("{{Name}}", &camel)
        .replace("{{NAME}}", &name.to_ascii_uppercase())
}

/// A file that must not be there yet.
fn new_file(root: &Path, path: String, text: impl Into<Vec<u8>>) -> Result<Change, String> {
    if root.join(&path).exists() {
        return Err(format!("{path} is there already"));
    }
    Ok(Change { path, bytes: text.into(), new: true })
}

/// A list of modules and of what is in `ALL`, with one more.
fn listed(root: &Path, path: &str, module: &str, entry: &str) -> Result<Change, String> {
    let text =
        std::fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
    let text = list::with(&text, module, entry).map_err(|why| format!("{path}: {why}"))?;
    Ok(Change { path: path.to_owned(), bytes: text.into_bytes(), new: false })
}

fn apply(root: &Path, changes: &[Change]) -> Outcome {
    for change in changes {
        let file = root.join(&change.path);
        let folder = file.parent().unwrap_or(root);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&file, &change.bytes))
            .map_err(|error| format!("{}: {error}", change.path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_modules_are_refused() {
        for bad in ["", "Modbus", "2x", "a-b", "mod", "../x", "type"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name("poct1_a").is_ok());
    }

    #[test]
    fn a_template_is_filled_in_all_spellings() {
        assert_eq!(filled("{{name}} {{Name}} {{NAME}}", "poct1_a"), "poct1_a Poct1A POCT1_A");
    }

    #[test]
    fn a_new_protocol_is_a_file_an_entry_and_a_capture() {
        let changes = protocol(&root(), "zzz_new").unwrap();
        let paths: Vec<&str> = changes.iter().map(|change| &*change.path).collect();
        assert_eq!(paths[0], "crates/protocols/src/zzz_new.rs");
        let list = String::from_utf8(changes[1].bytes.clone()).unwrap();
        assert!(list.contains("pub mod zzz_new;") && list.contains("&zzz_new::ZzzNew,"));
        for change in &changes {
            assert!(!String::from_utf8_lossy(&change.bytes).contains("{{"), "{}", change.path);
        }
        assert!(protocol(&root(), "dns").is_err(), "what is there is not written over");
    }

    #[test]
    fn new_detectors_and_formats_are_listed_too() {
        let detector =
            String::from_utf8(detector(&root(), "zzz").unwrap().remove(1).bytes).unwrap();
        assert!(
            detector.contains("pub mod zzz;") && detector.contains("|| Box::<zzz::Zzz>::default()")
        );
        let format = String::from_utf8(format(&root(), "zzz").unwrap().remove(1).bytes).unwrap();
        assert!(format.contains("pub mod zzz;") && format.contains("&zzz::Zzz,"));
    }
}
