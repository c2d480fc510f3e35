//! Digests, lines and signatures.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::Digest as _;

use super::{Body, Checkpoint, Record};

/// SHA-256 of a line and of all before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What precedes the first line.
    pub const NONE: Self = Self([0; 32]);

    /// Of the next line with this text.
    #[must_use]
    pub fn then(self, text: &[u8]) -> Self {
        let mut sha = sha2::Sha256::new();
        sha.update(self.0);
        sha.update(text);
        Self(sha.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Bytes from lower-case hexadecimal digits; upper case is another text, and so is refused.
pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line as it is written, with its digest.
pub(super) fn line(before: Digest, record: &Record) -> Result<(String, Digest), serde_json::Error> {
    let text = serde_json::to_string(record)?;
    let digest = before.then(text.as_bytes());
    Ok((format!("{digest} {text}\n"), digest))
}

/// A record from its line, without the line's end.
pub(super) fn parse(before: Digest, line: &[u8]) -> Result<(Record, Digest), String> {
    let Some((digest, text)) = line.split_at_checked(64) else {
        return Err("it is shorter than a digest".to_owned());
    };
    let Some(text) = text.strip_prefix(b" ") else {
        return Err("there is no space after the digest".to_owned());
    };
    let expected = before.then(text);
    if digest != expected.to_string().as_bytes() {
        return Err("its text and the lines before it do not give its digest".to_owned());
    }
    let record = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    Ok((record, expected))
}

/// The first record of a segment, which says itself what the lines before it came to: that digest,
/// and its own.
pub(super) fn first(line: &[u8]) -> Result<(Record, Digest, Digest), String> {
    let json = line.get(65..).ok_or("it is shorter than a digest")?;
    let record: Record = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let before = match &record.body {
        Body::Begins { .. } if record.seq == 0 => Digest::NONE,
        Body::Continues(continues) => {
            let digest = from_hex(&continues.after.digest).map(Digest);
            if record.seq != continues.after.seq.saturating_add(1) {
                return Err("its number does not follow the one before".to_owned());
            }
            digest.ok_or("it does not say what the lines before it came to")?
        }
        _ => return Err("it does not begin at the beginning of a segment".to_owned()),
    };
    let (record, digest) = parse(before, line)?;
    Ok((record, before, digest))
}

fn signed_text(seq: u64, digest: &str) -> Vec<u8> {
    format!("wardwatch-ledger {seq} {digest}").into_bytes()
}

pub(super) fn sign(key: &SigningKey, seq: u64, digest: Digest) -> Checkpoint {
    let digest = digest.to_string();
    let signature = key.sign(&signed_text(seq, &digest));
    Checkpoint { seq, digest, signature: to_hex(&signature.to_bytes()) }
}

pub(super) fn is_signed(key: &VerifyingKey, checkpoint: &Checkpoint) -> bool {
    let Some(bytes) = from_hex::<64>(&checkpoint.signature) else { return false };
    let text = signed_text(checkpoint.seq, &checkpoint.digest);
    key.verify_strict(&text, &Signature::from_bytes(&bytes)).is_ok()
}
