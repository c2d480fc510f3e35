//! Ed25519 keys in files, and who signed what.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PackageError;
use super::manifest::hex;

const SECRET: &str = "wardwatch ed25519 private key";
const PUBLIC: &str = "wardwatch ed25519 public key";

/// Longest file that is read as a key.
const LONGEST: u64 = 4_096;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not a key of this kind.
    #[error("{0}: not a file with a {1}")]
    Malformed(PathBuf, &'static str),
    /// Others than its owner may read a private key.
    #[error("{0}: others may read this private key; make a new one, or `chmod 600` if nobody has")]
    Open(PathBuf),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Chance(String),
}

/// What a public key is called: the first 16 bytes of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// A key that signs. It is not shown, and wiped from memory when it goes.
pub struct SecretKey(SigningKey);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {}", self.public().fingerprint())
    }
}

impl SecretKey {
    /// A new key from the system's random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::Chance(error.to_string()))?;
        Ok(Self::from_seed(seed))
    }

    /// The key of a seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Writes it to a new file that only its owner may read. An existing file is left as it is.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let error = |error| KeyError::File { path: path.to_owned(), error };
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(path).map_err(error)?;
        let text = format!("{SECRET}\n{}\n", hex(self.0.as_bytes()));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(error)
    }

    /// Reads it from a file that only its owner may read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let (bytes, mode) = read(path, SECRET)?;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open(path.to_owned()));
        }
        Ok(Self::from_seed(bytes))
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The `signature` file over a message.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        let written = Written {
            algorithm: ALGORITHM.to_owned(),
            key: hex(self.public().0.as_bytes()),
            signature: hex(&self.0.sign(message).to_bytes()),
        };
        serde_json::to_string_pretty(&written).unwrap_or_default() + "\n"
    }
}

/// A key that checks signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Writes it to a file.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let text = format!("{PUBLIC}\n{}\n", hex(self.0.as_bytes()));
        std::fs::write(path, text).map_err(|error| KeyError::File { path: path.to_owned(), error })
    }

    /// Reads it from a file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let (bytes, _) = read(path, PUBLIC)?;
        let key = VerifyingKey::from_bytes(&bytes);
        key.map(Self).map_err(|_| KeyError::Malformed(path.to_owned(), PUBLIC))
    }

    /// What it is called.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(self.0.as_bytes())
    }
}

fn fingerprint(key: &[u8; 32]) -> Fingerprint {
    let mut short = [0_u8; 16];
    short.copy_from_slice(&Sha256::digest(key)[..16]);
    Fingerprint(short)
}

const ALGORITHM: &str = "ed25519";

/// The `signature` file. The key in it only says whom to look for among the trusted ones.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    algorithm: String,
    key: String,
    signature: String,
}

/// Checks a `signature` file over a message against the trusted keys, and says whose it is.
pub(super) fn verify(
    message: &[u8],
    signature: &[u8],
    trusted: &[PublicKey],
) -> Result<Fingerprint, PackageError> {
    let malformed = || PackageError::Malformed("the signature cannot be read".to_owned());
    let written: Written = serde_json::from_slice(signature).map_err(|_| malformed())?;
    if written.algorithm != ALGORITHM {
        return Err(PackageError::Malformed("the signature is of another kind".to_owned()));
    }
    let key: [u8; 32] = unhex(&written.key).ok_or_else(malformed)?;
    let bytes: [u8; 64] = unhex(&written.signature).ok_or_else(malformed)?;
    let signer = fingerprint(&key);
    let Some(known) = trusted.iter().find(|known| known.0.as_bytes() == &key) else {
        return Err(PackageError::UnknownSigner(signer));
    };
    let signature = Signature::from_bytes(&bytes);
    // Strict: refuses the weak keys and the second forms of a signature that Ed25519 allows.
    known.0.verify_strict(message, &signature).map_err(|_| PackageError::Signature)?;
    Ok(signer)
}

/// The 32 bytes of a key file, and the file's mode.
fn read(path: &Path, heading: &'static str) -> Result<([u8; 32], u32), KeyError> {
    let error = |error| KeyError::File { path: path.to_owned(), error };
    let file = std::fs::File::open(path).map_err(error)?;
    let mode = file.metadata().map_err(error)?.permissions().mode();
    let malformed = || KeyError::Malformed(path.to_owned(), heading);
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|_| malformed())?;
    let mut lines = text.lines();
    let bytes = (lines.next() == Some(heading)).then(|| lines.next().and_then(unhex)).flatten();
    Ok((bytes.ok_or_else(malformed)?, mode))
}

/// Lower-case hexadecimal of exactly `N` bytes: one way to write each.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0_u8; N];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}
