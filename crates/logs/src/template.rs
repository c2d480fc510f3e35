//! The shape of a line: its text without what changes from line to line.
//!
//! Digits, addresses, hexadecimal numbers and quoted parts become one sign each, so that lines of
//! one `printf` have one shape. The shape still holds words, which may name a patient: it leaves
//! this crate only as a token.

/// Longest part of a text that is looked at, in bytes.
const MAX_TEXT: usize = 2_048;

/// The shape of a text.
pub(crate) fn shape(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT);
    let text = text.get(..end).unwrap_or_default();
    let mut shape = String::with_capacity(text.len());
    let mut quoted_until = None;
    for (word_at, word) in words(text) {
        if quoted_until.is_some_and(|until| word_at < until) {
            continue;
        }
        match word.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inside = word_at.saturating_add(1);
                match text.get(inside..).and_then(|rest| rest.find(quote)) {
                    Some(length) => {
                        quoted_until = Some(inside.saturating_add(length).saturating_add(1));
                        shape.push('"');
                    }
                    None => shape.push(quote),
                }
            }
            _ if varies(word) => {
                if !shape.ends_with('#') {
                    shape.push('#');
                }
            }
            _ => shape.push_str(word),
        }
    }
    shape
}

/// Words (letters, digits and what addresses are made of), and every other character by itself.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let first = rest.chars().next()?;
        let length = if in_word(first) {
            rest.find(|c| !in_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let start = at;
        at = at.saturating_add(length);
        Some((start, rest.get(..length)?))
    })
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | ':' | '_' | '-')
}

/// Whether a word holds a digit: numbers, addresses, times, identifiers.
fn varies(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_one_sort_have_one_shape() {
        let one = shape("study sent images=3 dest='PACS one' status=0000 from 10.0.0.1:22");
        let two = shape("study sent images=19 dest='B' status=00ff from fe80::1");
        assert_eq!(one, two);
        assert_eq!(one, r#"study sent images=# dest=" status=# from #"#);
    }

    #[test]
    fn lines_of_two_sorts_have_two_shapes() {
        assert_ne!(shape("alarm limits ok"), shape("alarm limits changed"));
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_rest() {
        assert_eq!(shape("can't read sector 5"), "can't read sector #");
    }

    proptest! {
        #[test]
        fn a_shape_never_holds_a_digit(text in ".{0,300}") {
            prop_assert!(!shape(&text).bytes().any(|b| b.is_ascii_digit()));
        }
    }
}
