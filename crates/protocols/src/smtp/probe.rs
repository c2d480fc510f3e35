//! Whether a direction begins as mail does. Greetings look like those of FTP: the name of the
//! protocol, the answer to the first command, or as a last resort the port tells.

use model::emit::Probe;

/// Longest greeting line and longest hello that are waited for.
const LONGEST: usize = 1_024;

/// A client's first line: a hello with a name.
pub(super) fn command(start: &[u8]) -> Probe {
    const HELLO: [&[u8]; 3] = [b"EHLO ", b"HELO ", b"LHLO "];
    let head = start.get(..5).unwrap_or(start).to_ascii_uppercase();
    if !HELLO.iter().any(|hello| hello.starts_with(&head)) {
        return Probe::No;
    }
    let line = start.get(..LONGEST).unwrap_or(start);
    match line.iter().position(|&byte| byte == b'\n') {
        Some(end) => {
            let name = line.get(5..end).unwrap_or_default().trim_ascii();
            let graphic = !name.is_empty() && name.iter().all(|byte| *byte >= b' ');
            if graphic { Probe::Yes } else { Probe::No }
        }
        None if line.len() < LONGEST => Probe::Unsure,
        None => Probe::No,
    }
}

pub(super) fn greeting(start: &[u8], port: u16) -> Probe {
    if !start.starts_with(b"220 ") && !start.starts_with(b"220-") {
        let could = b"220 ".starts_with(start) || b"220-".starts_with(start);
        return if could { Probe::Unsure } else { Probe::No };
    }
    let lines = start.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let contains = |line: &[u8], word: &[u8]| {
        line.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
    };
    let mut greeted = false;
    for line in lines {
        if greeted {
            return if line.starts_with(b"250") { Probe::Yes } else { Probe::No };
        }
        // LMTP's greeting is told apart by nothing else.
        if contains(line, b"smtp") || contains(line, b"lmtp") {
            return Probe::Yes;
        }
        if contains(line, b"ftp") && !contains(line, b"mail") {
            return Probe::No;
        }
        if matches!(port, 25 | 587) {
            return Probe::Yes;
        }
        greeted = line.starts_with(b"220 ");
    }
    Probe::Unsure
}
