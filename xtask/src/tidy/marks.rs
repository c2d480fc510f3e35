//! What was left behind: macros that stand for missing code, and notes to oneself without a reason.

use super::Fault;
use super::source::Source;

/// Macros that stand for code that is not there.
const MACROS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

/// Notes that need a colon and the reason why they wait.
const NOTES: [&str; 2] = ["TODO", "FIXME"];

/// What is wrong with one file.
pub(crate) fn faults(source: &Source) -> Vec<Fault> {
    let mut out = Vec::new();
    for (number, line) in (1..).zip(source.code.lines()) {
        for name in MACROS.iter().filter(|name| calls(line, name)) {
            let advice = "Write what is missing, or leave the way to it out";
            out.push(Fault::new(&*source.path, number, format!("{name} in the code"), advice));
        }
    }
    for (number, line) in (1..).zip(source.comments.lines()) {
        for note in NOTES.iter().filter(|note| unreasoned(line, note)) {
            let advice = "Say after a colon what it waits for, or do it";
            out.push(Fault::new(&*source.path, number, format!("{note} without a reason"), advice));
        }
    }
    out
}

fn calls(line: &str, name: &str) -> bool {
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Whether a note is not followed by a colon and some words. `TODO(name): reason` is fine.
fn unreasoned(comment: &str, note: &str) -> bool {
    comment.match_indices(note).any(|(at, _)| {
        let before = comment[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let after = &comment[at + note.len()..];
        if before || after.starts_with(char::is_alphanumeric) {
            return false;
        }
        let after = match after.strip_prefix('(') {
            Some(inside) => inside.split_once(')').map_or("", |(_, after)| after),
            None => after,
        };
        after.strip_prefix(':').is_none_or(|reason| reason.split_whitespace().count() < 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        faults(&Source::new("crates/x/src/a.rs", text)).len()
    }

    #[test]
    fn macros_that_stand_for_missing_code_are_found() {
        assert_eq!(
            count("fn a() { todo!() }\nfn b() { x = dbg!(y); std::unimplemented!(\"z\") }"),
            3
        );
        assert_eq!(count("// todo!() would be wrong\nlet a = \"todo!\"; not_todo!();"), 0);
    }

    #[test]
    fn a_note_needs_a_reason() {
        assert_eq!(count("// TODO\n/* FIXME later */\n// TODO: \n// TODO: soon"), 4);
        assert_eq!(count("// TODO: waits for RFC 9999\n// TODO(#12): needs the new table\n"), 0);
        assert_eq!(count("let mastodon = \"TODO\"; // AUTODOC"), 0);
    }
}
