//! `unsafe` is in crate `capture` and nowhere else, and every crate root says so to the compiler.

use super::Fault;
use super::source::Source;

/// Where `unsafe` may be.
const UNSAFE: &str = "crates/capture/";

/// The binary of the fuzz targets: libFuzzer's macro expands to an exported symbol, which the
/// compiler counts as unsafe. It holds no code of its own.
const FUZZ_ENTRY: &str = "fuzz/src/main.rs";

/// What is wrong with one file.
pub(crate) fn faults(source: &Source) -> Vec<Fault> {
    if source.path.starts_with(UNSAFE) {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (number, line) in (1..).zip(source.code.lines()) {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.any(|word| word == "unsafe") {
            let advice =
                "Write it without, or move it into crates/capture/src/sys with a proof beside it";
            out.push(Fault::new(&*source.path, number, "unsafe code", advice));
        }
    }
    if source.is_root()
        && source.path != FUZZ_ENTRY
        && !source.code.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]")
    {
        let advice = "Add it below the documentation of the crate";
        out.push(Fault::new(&*source.path, 1, "no #![forbid(unsafe_code)]", advice));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        faults(&Source::new(path, text)).len()
    }

    #[test]
    fn unsafe_outside_capture_is_found_and_words_about_it_are_not() {
        let block = "fn f() {\n    unsafe { g() }\n}\n";
        assert_eq!(count("crates/wire/src/hash.rs", block), 1);
        assert_eq!(count("crates/capture/src/sys/ring.rs", block), 0);
        assert_eq!(count("crates/wire/src/hash.rs", "// unsafe\nlet unsafe_code = \"unsafe\";"), 0);
    }

    #[test]
    fn a_crate_root_that_does_not_forbid_is_found() {
        assert_eq!(count("crates/wire/src/lib.rs", "//! Docs.\n"), 1);
        assert_eq!(count("crates/wire/src/lib.rs", "//! Docs.\n// #![forbid(unsafe_code)]\n"), 1);
        assert_eq!(count("crates/wire/src/lib.rs", "//! Docs.\n#![forbid(unsafe_code)]\n"), 0);
    }
}
