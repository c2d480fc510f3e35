//! JA4, the fingerprint of a TLS client: what it can do, in an order that shuffling does not change.
//!
//! Source: FoxIO, "JA4: TLS Client Fingerprinting" (technical_details/JA4.md), for TLS over TCP and in
//! QUIC.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::hello::ClientHello;

const SERVER_NAME: u16 = 0x0000;
const ALPN: u16 = 0x0010;

/// What carries the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Tcp,
    Quic,
}

/// The fingerprint of a ClientHello, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(super) fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> String {
    let first_letter = if carrier == Carrier::Quic { 'q' } else { 't' };
    let ciphers = without_grease(&hello.ciphers);
    let extensions = without_grease(&hello.extensions);
    let algorithms = without_grease(&hello.signature_algorithms);
    let destination = if hello.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let (first, last) = alpn(hello.alpn.first().copied().unwrap_or_default());
    let named: Vec<u16> =
        extensions.iter().copied().filter(|e| !matches!(*e, SERVER_NAME | ALPN)).collect();
    let mut capabilities = sorted(&named);
    if !capabilities.is_empty() && !algorithms.is_empty() {
        capabilities.push('_');
        capabilities.push_str(&joined(&algorithms));
    }
    format!(
        "{first_letter}{}{destination}{:02}{:02}{first}{last}_{}_{}",
        version(hello.offered()),
        ciphers.len().min(99),
        extensions.len().min(99),
        hash(&sorted(&ciphers)),
        hash(&capabilities),
    )
}

/// Whether a value is one that clients send to keep servers tolerant (RFC 8701): 0x0a0a, 0x1a1a...
pub(super) const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|value| !is_grease(*value)).collect()
}

const fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last character of the first protocol; of its hexadecimal form where one of them is no
/// letter or digit.
fn alpn(first: &[u8]) -> (char, char) {
    let (Some(&start), Some(&end)) = (first.first(), first.last()) else { return ('0', '0') };
    if start.is_ascii_alphanumeric() && end.is_ascii_alphanumeric() {
        return (char::from(start), char::from(end));
    }
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    (digit(start >> 4), digit(end & 0x0f))
}

fn sorted(values: &[u16]) -> String {
    let mut values = values.to_vec();
    values.sort_unstable();
    joined(&values)
}

fn joined(values: &[u16]) -> String {
    let mut text = String::new();
    for value in values {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{value:04x}");
    }
    text
}

/// The first twelve digits of the SHA-256; zeros for an empty list.
fn hash(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    let digest = Sha256::digest(text.as_bytes());
    let mut short = String::new();
    for byte in digest.iter().take(6) {
        let _ = write!(short, "{byte:02x}");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, as it comes off the wire of a browser: with GREASE.
    fn example() -> ClientHello<'static> {
        ClientHello {
            legacy_version: 0x0303,
            versions: vec![0x2a2a, 0x0304, 0x0303],
            ciphers: vec![
                0x5a5a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0xbaba, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005,
                0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0x0a0a,
            ],
            signature_algorithms: vec![
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
            alpn: vec![b"h2", b"http/1.1"],
            server_name: b"example.org",
        }
    }

    #[test]
    fn the_example_of_the_specification_comes_out() {
        assert_eq!(ja4(&example(), Carrier::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn the_first_letter_is_the_carrier() {
        assert_eq!(ja4(&example(), Carrier::Quic), "q13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn without_signature_algorithms_there_is_no_underscore() {
        let mut hello = example();
        hello.signature_algorithms.clear();
        assert_eq!(ja4(&hello, Carrier::Tcp), "t13d1516h2_8daaf6152771_6d807ffa2a79");
    }

    #[test]
    fn nothing_offered_is_zeros() {
        let hello = ClientHello { legacy_version: 0x0300, ..ClientHello::default() };
        assert_eq!(ja4(&hello, Carrier::Tcp), "ts3i000000_000000000000_000000000000");
    }

    #[test]
    fn odd_protocol_names_are_shown_in_hexadecimal() {
        let cases: [(&[u8], &str); 8] = [
            (b"\xab", "ab"),
            (b"\xab\xcd", "ad"),
            (b"\x30\xab", "3b"),
            (b"\x30\x31\xab\xcd", "3d"),
            (b"\x30\xab\xcd\x31", "01"),
            (b"h", "hh"),
            (b"http/1.1", "h1"),
            (b"", "00"),
        ];
        for (name, expected) in cases {
            let (first, last) = alpn(name);
            assert_eq!(format!("{first}{last}"), expected);
        }
    }
}
