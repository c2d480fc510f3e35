//! A server's own certificate (RFC 5280), where it is sent in clear text: up to TLS 1.2.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use model::time::Timestamp;
use sha2::{Digest, Sha256};
use wire::cursor::{Cursor, Short};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::CERTIFICATE;

/// Most alternative names kept.
const MAX_NAMES: usize = 16;

/// The first certificate of a Certificate message; none where the list is empty.
///
/// # Errors
/// [`Short`] where a length does not fit.
pub(super) fn leaf(body: &[u8]) -> Result<Option<&[u8]>, Short> {
    let mut cursor = Cursor::new(body);
    let length = cursor.u24()?;
    let mut list = Cursor::new(cursor.take(usize::try_from(length).map_err(|_| Short)?)?);
    if !cursor.is_empty() {
        return Err(Short);
    }
    if list.is_empty() {
        return Ok(None);
    }
    let length = list.u24()?;
    list.take(usize::try_from(length).map_err(|_| Short)?).map(Some)
}

/// Tells of a certificate. One that does not parse is told by its hash alone.
pub(super) fn say(der: &[u8], dir: Direction, out: &mut Emit<'_>) {
    let parsed = X509Certificate::from_der(der).map(|(_, certificate)| certificate);
    if parsed.is_err() {
        out.anomaly("tls", "certificate that does not parse", dir);
    }
    let mut draft = out.observe(&CERTIFICATE, dir).text("sha256", hexadecimal(der).as_bytes());
    if let Ok(certificate) = parsed {
        let names = names(&certificate);
        let validity = certificate.validity();
        let time = |seconds| Some(Value::Time(Timestamp::from_parts(seconds, 0)));
        draft = draft
            .text("subject", certificate.subject().to_string().as_bytes())
            .text("issuer", certificate.issuer().to_string().as_bytes())
            .texts("names", names.iter().map(String::as_bytes), MAX_NAMES)
            .value("not_before", time(validity.not_before.timestamp()))
            .value("not_after", time(validity.not_after.timestamp()))
            .flag("self_signed", certificate.subject().as_raw() == certificate.issuer().as_raw());
    }
    draft.emit();
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let written = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(written).take(MAX_NAMES).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(sixteen).to_string())
}

fn hexadecimal(der: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(der) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
