//! A broken rule, and the place in the sources that it is about.

use std::path::Path;

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Text that stands where the fault is: a name in a table.
    pub(crate) near: String,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) advice: &'static str,
}

impl Fault {
    /// Near a name in a table.
    pub(crate) fn named(name: &str, what: impl Into<String>, advice: &'static str) -> Self {
        Self { near: format!("\"{name}\""), what: what.into(), advice }
    }

    /// About a file or a folder.
    pub(crate) fn file(path: &str, what: impl Into<String>, advice: &'static str) -> Self {
        Self { near: path.to_owned(), what: what.into(), advice }
    }

    /// With file and line, where the sources have its place.
    pub(crate) fn placed(&self, root: &Path) -> String {
        let near = &self.near;
        let place = if near.starts_with('"') {
            find(&root.join("crates"), &format!("name: {near}"))
                .or_else(|| find(&root.join("crates"), near))
        } else {
            Some(format!("{near}:1"))
        };
        let place = place.unwrap_or_else(|| near.clone());
        let place = place.trim_start_matches(&*root.to_string_lossy()).trim_start_matches('/');
        format!("{place}: {}. {}.", self.what, self.advice)
    }
}

/// The first line of a source file below `folder` that holds a text, as `file:line`.
fn find(folder: &Path, text: &str) -> Option<String> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).collect();
    entries.sort();
    entries.into_iter().find_map(|path| {
        if path.is_dir() {
            return find(&path, text);
        }
        let source = std::fs::read_to_string(&path).ok().filter(|_| is_source(&path))?;
        let line = source.lines().position(|line| line.contains(text))?;
        Some(format!("{}:{}", path.display(), line + 1))
    })
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "rs")
}
