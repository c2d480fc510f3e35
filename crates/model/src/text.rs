//! Text from the wire, made safe to keep and to print.

/// Most bytes of a text that an observation keeps.
pub const MAX_TEXT: usize = 256;

/// Text of at most [`MAX_TEXT`] bytes without control characters; bytes that are no UTF-8 are
/// read as Latin-1, which old medical devices send.
pub fn clean(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(MAX_TEXT)];
    // Nearly all texts are plain, and need no look at each character.
    let plain = head.iter().fold(true, |plain, byte| plain & (b' '..=b'~').contains(byte));
    match std::str::from_utf8(head) {
        Ok(text) if plain => text.to_owned(),
        Ok(text) => clean_str(text),
        // A character cut in two by the cap is dropped; anything else is Latin-1.
        Err(error) if error.error_len().is_none() && bytes.len() > MAX_TEXT => {
            clean_str(&String::from_utf8_lossy(&head[..error.valid_up_to()]))
        }
        Err(_) => clean_chars(head.iter().map(|&byte| char::from(byte))),
    }
}

/// Text of at most [`MAX_TEXT`] bytes without control characters.
pub fn clean_str(text: &str) -> String {
    clean_chars(text.chars())
}

fn clean_chars(chars: impl Iterator<Item = char>) -> String {
    let mut kept = String::new();
    for c in chars {
        if kept.len() + c.len_utf8() > MAX_TEXT {
            break;
        }
        // Terminals and log viewers act on control and direction marks: show that one was there.
        kept.push(if c.is_control() || is_direction_mark(c) { '\u{fffd}' } else { c });
    }
    kept
}

const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_cannot_reach_a_terminal() {
        assert_eq!(clean(b"CT\x1b[2J1"), "CT\u{fffd}[2J1");
    }

    #[test]
    fn latin_1_is_read() {
        assert_eq!(clean(b"M\xfcnchen"), "München");
    }

    proptest! {
        #[test]
        fn plain_text_is_kept_as_it_is_up_to_the_cap(text in "[ -~]{0,400}") {
            prop_assert_eq!(clean(text.as_bytes()), &text[..text.len().min(MAX_TEXT)]);
            prop_assert_eq!(clean(text.as_bytes()), clean_str(&text));
        }

        #[test]
        fn never_longer_than_the_cap_and_never_a_control(bytes: Vec<u8>) {
            let text = clean(&bytes);
            prop_assert!(text.len() <= MAX_TEXT);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
