//! Whether a client begins with a command, and goes on as that command asks.

use model::emit::Probe;

/// Longest first line that is waited for.
const LONGEST: usize = 256;
/// Longest line that announces a file.
const LONGEST_FILE: usize = 64;

/// A command is a byte, the name of a queue, perhaps operands, and a line feed. On another port than
/// its own, only a job with its first file is believed.
pub(super) fn command(start: &[u8], known_port: bool) -> Probe {
    let Some((&code, rest)) = start.split_first() else { return Probe::Unsure };
    if !matches!(code, 1..=5) {
        return Probe::No;
    }
    let head = rest.get(..LONGEST).unwrap_or(rest);
    let end = head.iter().position(|&byte| byte == b'\n');
    let line = head.get(..end.unwrap_or(head.len())).unwrap_or_default();
    if !is_line(line, code) {
        return Probe::No;
    }
    let Some(end) = end else {
        return if rest.len() < LONGEST { Probe::Unsure } else { Probe::No };
    };
    if line.is_empty() {
        return Probe::No;
    }
    let after = rest.get(end.saturating_add(1)..).unwrap_or_default();
    match (code, file(after)) {
        (2, Probe::Yes) => Probe::Yes,
        (2, Probe::Unsure) if known_port && after.is_empty() => Probe::Yes,
        (2, other) => other,
        // Nothing follows any other command.
        _ if known_port && after.is_empty() => Probe::Yes,
        _ => Probe::No,
    }
}

/// A queue's name in letters, and blanks only where operands may stand.
fn is_line(line: &[u8], code: u8) -> bool {
    let blanks = matches!(code, 3..=5);
    let first = line.first().is_none_or(u8::is_ascii_alphanumeric);
    first && line.iter().all(|&byte| byte.is_ascii_graphic() || (blanks && byte == b' '))
}

/// The announcement of a job's first file: a byte, its size, a blank, its name.
fn file(bytes: &[u8]) -> Probe {
    let Some((&code, rest)) = bytes.split_first() else { return Probe::Unsure };
    let kind: &[u8] = match code {
        2 => b"cf",
        3 => b"df",
        _ => return Probe::No,
    };
    let head = rest.get(..LONGEST_FILE).unwrap_or(rest);
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let name = head.get(digits..).unwrap_or_default();
    match name {
        [] if rest.len() < LONGEST_FILE => Probe::Unsure,
        [b' ', name @ ..] if digits > 0 && name.starts_with(kind) => Probe::Yes,
        [b' ', name @ ..] if digits > 0 && kind.starts_with(name) => Probe::Unsure,
        _ => Probe::No,
    }
}
