//! Whether a flow begins with a head of HTTP/1.

use model::emit::Probe;

/// Methods by whose name a target too long to see the end of is believed.
const METHODS: &[&[u8]] = &[
    b"GET",
    b"POST",
    b"PUT",
    b"HEAD",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"NOTIFY",
];

/// Longest name of a method that is waited for.
const MAX_METHOD: usize = 24;

/// So much of a target without its end is believed, behind a known method.
const LONG_TARGET: usize = 1024;

/// Asks for a whole request line or the start of a status line.
pub(super) fn probe(start: &[u8]) -> Probe {
    const STATUS: &[u8] = b"HTTP/1.";
    // A few servers and clients send an empty line first (RFC 9112, section 2.2).
    let blank = start.iter().take(4).take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let start = start.get(blank..).unwrap_or_default();
    if STATUS.starts_with(start.get(..start.len().min(STATUS.len())).unwrap_or_default()) {
        return if start.len() < STATUS.len() { Probe::Unsure } else { status(start) };
    }
    request(start)
}

fn status(start: &[u8]) -> Probe {
    let Some(rest) = start.get(7..13) else { return Probe::Unsure };
    match rest {
        [b'0' | b'1', b' ', a, b, c, b' ' | b'\r' | b'\n']
            if [a, b, c].into_iter().all(u8::is_ascii_digit) =>
        {
            Probe::Yes
        }
        _ => Probe::No,
    }
}

fn request(start: &[u8]) -> Probe {
    let name = |b: &u8| b.is_ascii_uppercase() || matches!(b, b'-' | b'_');
    let length = start.iter().take(MAX_METHOD.saturating_add(1)).take_while(|b| name(b)).count();
    let (method, rest) = start.split_at_checked(length).unwrap_or_default();
    let Some((b' ', target)) = rest.split_first() else {
        return if rest.is_empty() && length <= MAX_METHOD { Probe::Unsure } else { Probe::No };
    };
    if length == 0 {
        return Probe::No;
    }
    let graphic = |b: &u8| *b > b' ' && *b != 0x7f;
    let length = target.iter().take_while(|b| graphic(b)).count();
    let (target, rest) = target.split_at_checked(length).unwrap_or_default();
    if rest.is_empty() {
        let known = METHODS.contains(&method) && matches!(target.first(), Some(b'/' | b'h' | b'*'));
        return if known && target.len() >= LONG_TARGET { Probe::Yes } else { Probe::Unsure };
    }
    const VERSION: &[u8] = b" HTTP/1.";
    let seen = rest.get(..rest.len().min(VERSION.len())).unwrap_or_default();
    if target.is_empty() || !VERSION.starts_with(seen) {
        return Probe::No;
    }
    match (rest.get(8), rest.get(9)) {
        (Some(b'0' | b'1'), Some(b'\r' | b'\n')) => Probe::Yes,
        (None, _) | (Some(b'0' | b'1'), None) => Probe::Unsure,
        _ => Probe::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_known_and_prefixes_of_them_waited_for() {
        for line in ["GET / HTTP/1.1\r\n", "PROPFIND /a?b HTTP/1.0\r\n", "HTTP/1.1 200 OK\r\n"] {
            assert_eq!(probe(line.as_bytes()), Probe::Yes, "{line}");
            for end in 0..9 {
                assert_eq!(probe(&line.as_bytes()[..end]), Probe::Unsure, "{line} {end}");
            }
        }
        assert_eq!(probe(format!("GET /{}", "a".repeat(2_000)).as_bytes()), Probe::Yes);
    }

    #[test]
    fn neighbours_are_told_no_early() {
        for other in [
            &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
            b"OPTIONS sip:a@b SIP/2.0\r\n",
            b"DESCRIBE rtsp://x RTSP/1.0\r\n",
            b"EHLO mail\r\n",
            b"USER anonymous\r\n",
            b"SSH-2.0-OpenSSH\r\n",
            b"MSH|^~\\&|A",
            b"\x16\x03\x01\x02\x00\x01",
            b"\x10\x10\x00\x04MQTT",
            b"220 FTP ready\r\n",
            b"<34>1 2003-10-11T22:14:15Z h a - - - x",
            b"HTTP/2.0 200 OK\r\n",
            b"GET /index.html\r\n",
        ] {
            assert_eq!(probe(other), Probe::No, "{}", String::from_utf8_lossy(other));
        }
    }
}
