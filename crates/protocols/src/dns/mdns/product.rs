//! Which product a TXT record says it describes.
//!
//! Keys are those of printers and scanners (Apple's Bonjour Printing Specification: `ty`, `usb_MFG`,
//! `usb_MDL`, `product`), of device information, AirPlay and Cast records (`model`, `am`, `md`), and
//! the plain words that makers use where no specification gives any.

/// Most keys that are kept.
pub(super) const MOST_KEYS: usize = 32;
/// Most bytes of a key: RFC 6763, 6.4 asks for nine.
const LONGEST_KEY: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Product {
    pub(super) vendor: Vec<u8>,
    pub(super) model: Vec<u8>,
    pub(super) firmware: Vec<u8>,
    pub(super) keys: Vec<Vec<u8>>,
}

/// Keys that name a maker, a model or a version, the more telling first.
const VENDOR: &[&[u8]] = &[b"manufacturer", b"usb_mfg", b"mfg", b"vendor"];
const MODEL: &[&[u8]] =
    &[b"usb_mdl", b"ty", b"model", b"modelname", b"md", b"am", b"product", b"mdl", b"productname"];
const FIRMWARE: &[&[u8]] = &[b"firmware", b"fw", b"fv", b"srcvers", b"osvers", b"version", b"ver"];

impl Product {
    /// From the strings of a record, each `key=value`.
    pub(super) fn read<'s>(strings: impl Iterator<Item = &'s [u8]>) -> Self {
        let mut product = Self::default();
        let mut best = [usize::MAX; 3];
        for text in strings {
            let end = text.iter().position(|byte| *byte == b'=').unwrap_or(text.len());
            let (key, value) = text.split_at_checked(end).unwrap_or((text, &[]));
            if key.is_empty() || key.len() > LONGEST_KEY {
                continue;
            }
            let key = key.to_ascii_lowercase();
            let value = bare(value.get(1..).unwrap_or_default());
            let fields = [&mut product.vendor, &mut product.model, &mut product.firmware];
            for ((keys, field), best) in
                [VENDOR, MODEL, FIRMWARE].into_iter().zip(fields).zip(&mut best)
            {
                let rank = keys.iter().position(|known| *known == key.as_slice());
                if let Some(rank) = rank.filter(|rank| rank < best && !value.is_empty()) {
                    (*best, *field) = (rank, value.to_vec());
                }
            }
            if product.keys.len() < MOST_KEYS {
                product.keys.push(key);
            }
        }
        product
    }
}

/// PostScript products stand in parentheses.
fn bare(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or(value)
}
