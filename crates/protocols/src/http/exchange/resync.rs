//! Finds the next head behind lost bytes.

/// So many bytes are searched before the flow is given up.
pub(super) const MAX_SEARCH: u32 = 1024 * 1024;

/// How heads begin that a search may trust.
const STARTS: &[&[u8]] = &[
    b"HTTP/1.1 ",
    b"HTTP/1.0 ",
    b"GET /",
    b"POST /",
    b"PUT /",
    b"HEAD /",
    b"DELETE /",
    b"PATCH /",
    b"OPTIONS /",
    b"PROPFIND /",
];

/// Longest of them, less one: so much is kept back while searching.
const KEEP: usize = 9;

/// Longest first line that a search reads.
const MAX_LINE: usize = 4096;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A head begins with the first byte.
    Here,
    /// None begins in so many bytes.
    Nothing(usize),
}

/// Searches for the first line of a head.
pub(super) fn find(bytes: &[u8]) -> Found {
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() > KEEP) {
        let Some(start) = STARTS.iter().find(|start| rest.starts_with(start)) else {
            at = at.saturating_add(1);
            continue;
        };
        let line = rest.get(..rest.len().min(MAX_LINE)).unwrap_or_default();
        let verdict = match line.iter().position(|&b| b == b'\n') {
            Some(end) => Some(is_first_line(line.get(..end).unwrap_or_default())),
            None if line.len() < MAX_LINE => None,
            None => Some(false),
        };
        match verdict {
            Some(true) if at == 0 => return Found::Here,
            Some(false) => at = at.saturating_add(start.len()),
            // Shown again with this place in front, or with more bytes.
            Some(true) | None => return Found::Nothing(at),
        }
    }
    Found::Nothing(at.min(bytes.len()))
}

fn is_first_line(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.strip_prefix(b"HTTP/1.") {
        Some(status) => {
            let code = status.get(2..5).unwrap_or_default();
            code.len() == 3 && code.iter().all(u8::is_ascii_digit)
        }
        None => line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_found_in_the_middle_of_a_body() {
        let bytes = b"GET /not a head\nbinary\0POST /x HTTP/1.1\r\nHost: a\r\n\r\n";
        let Found::Nothing(at) = find(bytes) else { panic!("found at the start") };
        assert!(bytes[at..].starts_with(b"POST"));
        assert_eq!(find(&bytes[at..]), Found::Here);
        assert_eq!(find(b"HTTP/1.1 200"), Found::Nothing(0));
        assert_eq!(find(b"HTTP/1.1 200 OK\r\n"), Found::Here);
    }
}
