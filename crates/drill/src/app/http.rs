//! HTTP/1.1 messages with the header fields that real clients and servers send.

/// A request. `fields` are further header lines without their line ends.
pub(crate) fn request(
    method: &str,
    path: &str,
    host: &str,
    agent: &str,
    fields: &[String],
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n");
    head.push_str("Accept: */*\r\n");
    for field in fields {
        head.push_str(field);
        head.push_str("\r\n");
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut out = head.into_bytes();
    out.extend_from_slice(body);
    out
}

/// A response with a status such as `200 OK`.
pub(crate) fn response(
    status: &str,
    server: &str,
    kind: &str,
    fields: &[String],
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nServer: {server}\r\nContent-Type: {kind}\r\n");
    for field in fields {
        head.push_str(field);
        head.push_str("\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let mut out = head.into_bytes();
    out.extend_from_slice(body);
    out
}

/// The field that carries a user and a password (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// Base64 with padding (RFC 4648).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// A page of about `length` bytes.
pub(crate) fn page(title: &str, length: usize) -> Vec<u8> {
    let mut page = format!("<!doctype html><html><head><title>{title}</title></head><body>");
    let mut line = 0;
    while page.len() + 14 < length {
        line += 1;
        page.push_str(&format!("<p>{line:05}</p>\n"));
    }
    page.push_str("</body></html>");
    page.into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_that_of_the_standard() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, coded) in cases {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
