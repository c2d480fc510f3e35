//! Every module begins by saying what it is. Test modules are told by the names of their tests.

use super::Fault;
use super::source::Source;

/// What is wrong with one file.
pub(crate) fn faults(source: &Source) -> Vec<Fault> {
    let begins = |text: &str| text.strip_prefix("//! ").is_some_and(|doc| !doc.trim().is_empty());
    let first = source.text.lines().next().unwrap_or_default();
    if source.is_test() || begins(first) {
        return Vec::new();
    }
    let advice = "Begin the file with a line that says what is in it and why";
    vec![Fault::new(&*source.path, 1, "the module does not open with //!", advice)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_does_not_say_what_it_is_is_found() {
        let count = |path: &str, text: &str| faults(&Source::new(path, text)).len();
        assert_eq!(count("crates/x/src/a.rs", "use std::fmt;\n"), 1);
        assert_eq!(count("crates/x/src/a.rs", "//!\nuse std::fmt;\n"), 1);
        assert_eq!(count("crates/x/src/a.rs", "//! What it is.\n"), 0);
        assert_eq!(count("crates/x/src/a/tests.rs", "use super::*;\n"), 0);
    }
}
