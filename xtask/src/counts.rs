//! How many tests passed and failed, out of what the test runners say in the end.

use std::ops::AddAssign;

/// Tests that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Passed.
    pub(crate) passed: u64,
    /// Failed, or ran into their time limit.
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Reads the summaries of `cargo test` (one for each binary) and of `cargo nextest run`.
pub(crate) fn read(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines() {
        let line = without_colours(line);
        let line = line.trim_start();
        // test result: FAILED. 3 passed; 1 failed; 0 ignored; ...
        // Summary [ 1.2s] 8 tests run: 7 passed (1 slow), 1 failed, 0 skipped
        if let Some(rest) = line.strip_prefix("test result:") {
            counts += parts(rest.split([';', '.']));
        } else if line.starts_with("Summary [")
            && let Some((_, rest)) = line.split_once("run:")
        {
            counts += parts(rest.split(','));
        }
    }
    counts
}

fn parts<'a>(parts: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::default();
    for part in parts {
        let mut words = part.split_whitespace();
        let (Some(number), Some(what)) = (words.next(), words.next()) else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match what {
            "passed" => counts.passed += number,
            "failed" | "timed" => counts.failed += number,
            _ => {}
        }
    }
    counts
}

/// Drops the escape sequences that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_cargo_test_add_up() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; finished in 0.1s\n";
        assert_eq!(read(output), Counts { passed: 8, failed: 2 });
    }

    #[test]
    fn the_summary_of_nextest_is_read_with_colours_and_slow_tests() {
        let output = "\u{1b}[32;1m     Summary\u{1b}[0m [   4.1s] \u{1b}[1m9\u{1b}[0m tests run: \
            \u{1b}[1m6\u{1b}[0m passed (1 slow), 2 failed, 1 timed out, 3 skipped\n";
        assert_eq!(read(output), Counts { passed: 6, failed: 3 });
        let cut = "Summary [ 4.1s] 4/9 tests run: 3 passed, 1 failed, 0 skipped";
        assert_eq!(read(cut), Counts { passed: 3, failed: 1 });
    }

    #[test]
    fn a_test_that_prints_numbers_is_no_summary() {
        assert_eq!(read("7 passed the door, 3 failed to"), Counts::default());
    }
}
