//! Where a data connection is to go: PORT and PASV (RFC 959), EPRT and EPSV (RFC 2428).

use std::net::{IpAddr, Ipv4Addr};

/// An agreed data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data {
    /// Whether the server opens it.
    pub(super) active: bool,
    /// Whom it is opened to; nothing where it is the address of the control connection.
    pub(super) ip: Option<IpAddr>,
    pub(super) port: u16,
}

/// The argument of PORT, or what stands in brackets in an answer to PASV: six numbers.
pub(super) fn six(text: &[u8], active: bool) -> Option<Data> {
    let start = text.iter().position(u8::is_ascii_digit)?;
    let mut numbers = [0_u8; 6];
    let mut parts = text.get(start..)?.split(|&byte| byte == b',');
    for number in &mut numbers {
        let part = parts.next()?.trim_ascii();
        let end = part.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(part.len());
        *number = std::str::from_utf8(part.get(..end)?).ok()?.parse().ok()?;
    }
    let [a, b, c, d, high, low] = numbers;
    let ip = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    Some(Data { active, ip: Some(ip), port: u16::from_be_bytes([high, low]) })
}

/// The argument of EPRT, `|2|2001:db8::7|6446|`, or the end of an answer to EPSV, `(|||6446|)`.
pub(super) fn extended(text: &[u8], active: bool) -> Option<Data> {
    let start = text.iter().position(|byte| *byte == b'|')?;
    let mut parts = text.get(start..)?.split(|&byte| byte == b'|').skip(2);
    let text = |part: &[u8]| std::str::from_utf8(part).ok().map(str::to_owned);
    let (address, port) = (text(parts.next()?)?, text(parts.next()?)?);
    Some(Data { active, ip: address.parse().ok(), port: port.parse().ok()? })
}

/// The size in `150 Opening BINARY mode data connection for x (1234 bytes).`
pub(super) fn size(text: &[u8]) -> Option<u64> {
    const UNIT: &[u8] = b" bytes";
    let end = text.windows(UNIT.len()).position(|window| window.eq_ignore_ascii_case(UNIT))?;
    let head = text.get(..end)?;
    let digits = head.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    number(head.get(head.len().saturating_sub(digits)..)?)
}

/// A decimal number.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_of_both_ways_are_read() {
        let is = |active, ip: Option<&str>, port| {
            Some(Data { active, ip: ip.map(|ip| ip.parse().unwrap()), port })
        };
        assert_eq!(six(b"10,0,0,2,100,5", true), is(true, Some("10.0.0.2"), 25_605));
        assert_eq!(
            six(b"Entering Passive Mode (10,0,0,2,100,5).", false),
            is(false, Some("10.0.0.2"), 25_605)
        );
        assert_eq!(extended(b"|2|2001:db8::7|6446|", true), is(true, Some("2001:db8::7"), 6_446));
        assert_eq!(extended(b"Extended (|||6446|)", false), is(false, None, 6_446));
        assert_eq!((six(b"1,2,3", true), six(b"1,2,3,4,5,600", true)), (None, None));
        assert_eq!(extended(b"|||70000|", false), None);
    }

    #[test]
    fn sizes_stand_before_their_unit() {
        assert_eq!(size(b"Opening data connection for 7 (1234 bytes)."), Some(1_234));
        assert_eq!((size(b"Ok to send data."), size(b"( bytes)")), (None, None));
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise: Vec<u8>) {
            let _ = (six(&noise, true), extended(&noise, true), size(&noise));
        }
    }
}
