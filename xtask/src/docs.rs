//! `cargo xtask docs`: the reference documentation from the tables in the code.
//!
//! Crate `chores` writes the pages on protocols, observations and detectors, and its tests hold them
//! against the code. The configuration is the program's own: it is asked for it.

use crate::Outcome;
use crate::run::{cargo, output, root, run as run_command};

/// The page on the configuration.
const CONFIGURATION: &str = "docs/reference/configuration.md";

/// Writes `docs/reference/`.
pub(crate) fn run(_: &[String]) -> Outcome {
    run_command(&mut cargo(&["run", "--quiet", "--locked", "-p", "chores", "--", "docs"]))?;
    let page = configuration()?;
    let file = root().join(CONFIGURATION);
    std::fs::write(&file, page).map_err(|error| format!("{CONFIGURATION}: {error}"))?;
    println!("{CONFIGURATION}");
    Ok(())
}

/// Whether the page on the configuration says what the program says.
pub(crate) fn check_configuration() -> Outcome {
    let there = std::fs::read_to_string(root().join(CONFIGURATION)).unwrap_or_default();
    if there == configuration()? {
        println!("{CONFIGURATION} says what the program says");
        return Ok(());
    }
    Err(format!("{CONFIGURATION}:1: says something else than the program. Run 'cargo xtask docs'"))
}

fn configuration() -> Result<String, String> {
    let init = ["run", "--quiet", "--locked", "-p", "wardwatch", "--", "config", "init"];
    Ok(page(&output(&mut cargo(&init))?))
}

fn page(init: &str) -> String {
    format!(
        "<!-- Written by `cargo xtask docs` from the table of keys in the code: change that, not this. -->\n\n\
         # Configuration\n\n\
         `wardwatch config init > wardwatch.toml` writes this file; `wardwatch config check --config \
         wardwatch.toml` says whether it can be used and, where not, which line is wrong. Everything has \
         a default, so that an empty file, or none, will do.\n\n\
         ```toml\n{}\n```\n",
        init.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_all_of_the_file() {
        let page = page("[site]\nname = \"hospital\"\n\n");
        assert!(page.contains("```toml\n[site]\nname = \"hospital\"\n```\n"), "{page}");
    }
}
