//! Source files, with code and comments told apart.
//!
//! Not a parser: it knows comments, strings and characters, and nothing else of Rust.

use std::io;
use std::path::Path;

/// A Rust file.
pub(crate) struct Source {
    /// Path from the root of the project, with slashes.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
    /// The code: comments and what is in quotes are blanks. Lines are where they were.
    pub(crate) code: String,
    /// The comments: everything else is blanks.
    pub(crate) comments: String,
}

impl Source {
    /// From a path and a text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let (code, comments) = split(text);
        Self { path: path.to_owned(), text: text.to_owned(), code, comments }
    }

    /// Whether it is only compiled for tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// Whether it is where a crate begins.
    pub(crate) fn is_root(&self) -> bool {
        self.path.ends_with("/src/lib.rs") || self.path.ends_with("/src/main.rs")
    }

    /// Number of lines.
    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

/// Where sources are.
const FOLDERS: [&str; 3] = ["crates", "fuzz", "xtask"];

/// All Rust files of the project, by path.
pub(crate) fn all(root: &Path) -> io::Result<Vec<Source>> {
    let mut out = Vec::new();
    let folders = FOLDERS.iter().map(|folder| root.join(folder));
    let mut open: Vec<_> = folders.filter(|folder| folder.is_dir()).collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                out.push(Source::new(&name, &std::fs::read_to_string(&path)?));
            }
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// What a stretch of text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Code,
    Comment,
    Quoted,
}

/// Code and comments, each with blanks in place of the rest.
fn split(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let mut sorts = vec![Sort::Code; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        let (end, sort) = stretch(&chars, at);
        let end = end.clamp(at + 1, chars.len());
        sorts[at..end].fill(sort);
        at = end;
    }
    let only = |wanted: Sort| {
        let keep = |(c, sort): (&char, &Sort)| if *sort == wanted || *c == '\n' { *c } else { ' ' };
        chars.iter().zip(&sorts).map(keep).collect()
    };
    (only(Sort::Code), only(Sort::Comment))
}

/// The end and the sort of what begins at `at`.
fn stretch(chars: &[char], at: usize) -> (usize, Sort) {
    let next = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\n');
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next(1) == '/' => (find(chars, at, |c| c == '\n'), Sort::Comment),
        '/' if next(1) == '*' => (block(chars, at), Sort::Comment),
        '"' => (string(chars, at), Sort::Quoted),
        'r' if matches!(next(1), '"' | '#') && (!after_word || is_byte_raw(chars, at)) => {
            (raw(chars, at), Sort::Quoted)
        }
        '\'' if next(1) == '\\' => (find(chars, at + 3, |c| c == '\'') + 1, Sort::Quoted),
        '\'' if next(2) == '\'' => (at + 3, Sort::Quoted),
        _ => (at + 1, Sort::Code),
    }
}

/// Whether this `r` is that of `br"..."`.
fn is_byte_raw(chars: &[char], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or(' ', |place| chars[place]);
    before(1) == 'b' && !before(2).is_alphanumeric() && before(2) != '_'
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|&at| wanted(chars[at])).unwrap_or(chars.len())
}

/// The end of a block comment; they nest.
fn block(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_u32);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (at, depth) = (at + 2, depth + 1),
            ('*', Some('/')) if depth == 1 => return at + 2,
            ('*', Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    at
}

/// The end of a string with escapes.
fn string(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The end of `r#"..."#`; of a raw identifier such as `r#type`, its beginning.
fn raw(chars: &[char], from: usize) -> usize {
    let quote = find(chars, from + 1, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return quote;
    }
    let hashes = quote - from - 1;
    let closes = |at: usize| {
        chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    (quote + 1..chars.len()).find(|&at| closes(at)).map_or(chars.len(), |at| at + 1 + hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::new("crates/x/src/lib.rs", text).code
    }

    #[test]
    fn words_in_comments_and_quotes_are_no_code() {
        for text in [
            "// bad",
            "/* /* nested */ bad */",
            r#"let a = "bad \" bad";"#,
            "r#\"bad \" bad\"#;",
            "br\"bad\"",
            "let c = 'b'; // bad",
            r"let c = '\''; /* bad */",
        ] {
            assert!(!code(text).contains("bad"), "{text}");
        }
    }

    #[test]
    fn code_after_quotes_and_lifetimes_stays() {
        for text in [
            r#"let a = "x"; good"#,
            "fn f<'a>(x: &'a str) { good }",
            "r#type; good",
            r"'\u{41}'; good",
        ] {
            assert!(code(text).contains("good"), "{text}");
        }
    }

    #[test]
    fn lines_stay_where_they_are() {
        let text = "a\n/* b\nc */ d\n\"e\nf\" g\n";
        assert_eq!(code(text).lines().count(), text.lines().count());
        assert!(code(text).lines().nth(2).unwrap().ends_with('d'));
    }
}
