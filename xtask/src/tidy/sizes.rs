//! File sizes: a file that grows does two things.

use super::Fault;
use super::source::Source;

/// No file may have more lines.
const MOST: usize = 600;

/// Nine in ten have to be shorter.
const USUAL: usize = 450;

/// Files that are too long, each and together.
pub(crate) fn faults(sources: &[Source]) -> Vec<Fault> {
    let advice = "Split it by topic into submodules";
    let mut out = Vec::new();
    for source in sources.iter().filter(|source| source.lines() > MOST) {
        let what = format!("{} lines, more than {MOST}", source.lines());
        out.push(Fault::new(&*source.path, source.lines(), what, advice));
    }
    let long: Vec<&Source> = sources.iter().filter(|source| source.lines() > USUAL).collect();
    if let Some(first) = long.first()
        && long.len() * 10 > sources.len()
    {
        let what =
            format!("{} of {} files have more than {USUAL} lines", long.len(), sources.len());
        out.push(Fault::new(&*first.path, first.lines(), what, advice));
    }
    out
}

/// The longest files and the middle one, in one line.
pub(crate) fn summary(sources: &[Source]) -> String {
    let mut sizes: Vec<(usize, &str)> = sources.iter().map(|s| (s.lines(), &*s.path)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let middle = sizes.get(sizes.len() / 2).map_or(0, |(lines, _)| *lines);
    let longest: Vec<String> =
        sizes.iter().take(5).map(|(lines, path)| format!("{path} {lines}")).collect();
    format!("sizes: median {middle} lines; longest: {}", longest.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: usize) -> Source {
        Source::new("crates/x/src/a.rs", &"//\n".repeat(lines))
    }

    #[test]
    fn a_file_beyond_the_limit_is_found() {
        assert_eq!(faults(&[file(MOST)]).len(), 1, "one of one is more than one in ten");
        let mut many: Vec<Source> = (0..19).map(|_| file(10)).collect();
        many.push(file(MOST + 1));
        let found = faults(&many);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("601 lines"), "{}", found[0]);
    }

    #[test]
    fn too_many_long_files_are_found_together() {
        let mut many: Vec<Source> = (0..8).map(|_| file(10)).collect();
        many.extend([file(USUAL + 1), file(USUAL + 1)]);
        assert!(faults(&many)[0].to_string().contains("2 of 10 files"));
        many.extend((0..10).map(|_| file(10)));
        assert!(faults(&many).is_empty());
    }
}
