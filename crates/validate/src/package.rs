//! Model packages: a model, what is known of it, and a signature over both.
//!
//! A package is a tar archive compressed with Zstandard. First comes `manifest.json`: format, name,
//! version, the table of features that the model was made for, and the SHA-256 of every other file.
//! Then `signature`: Ed25519 over the bytes of the manifest. Then the files, in the order of their
//! names: `model.bin` (opaque here), `card.json` (CycloneDX), `data-card.json`, `gates.json` and
//! `change-plan.toml`; more may follow.
//!
//! Nothing of a package is looked at before its signature by a trusted key holds, but for what it
//! takes to find it; no file before its digest does. The same content gives the same bytes (no
//! clock, no owner, no order of a directory). An archive has a bound, compressed and not, names are
//! plain names, and anything that is not exactly as [`Package::sign`] writes it is refused.
//!
//! Deliberately absent: what a model is. Loading `model.bin` is for those who made it; checking that
//! its features are the ones of this program is for the caller ([`Manifest::features`]).

mod archive;
mod keys;
mod manifest;
mod plan;

use std::collections::BTreeMap;

pub use archive::MOST;
pub use keys::{Fingerprint, KeyError, PublicKey, SecretKey};
pub use manifest::{FORMAT, Features, File, Head, Manifest};
pub use plan::{Allowed, Automatic, ChangePlan};

use manifest::digest;

/// Files that every package has.
pub const REQUIRED: [&str; 5] =
    ["card.json", "change-plan.toml", "data-card.json", "gates.json", "model.bin"];

/// Files that say how good a model is: what validating it again makes anew.
pub const EVIDENCE: [&str; 4] = ["card.json", "data-card.json", "gates.json", "report.html"];

const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "signature";

/// Why a package is not one, or not one to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The archive ends before it should.
    #[error("the package is cut short: copy it anew")]
    Truncated,
    /// It is not a package at all, or not written as one.
    #[error("not a model package: {0}")]
    Malformed(String),
    /// It, or what it expands to, is larger than [`MOST`] bytes.
    #[error("the package, or what it expands to, is larger than {} MiB", MOST >> 20)]
    TooLarge,
    /// A name with a path in it, or that is not plain.
    #[error("a file in the package has a name that is not allowed: {0:?}")]
    Name(String),
    /// Two files of one name.
    #[error("the package has two files named {0}")]
    Duplicate(String),
    /// Written by a newer version of this program.
    #[error("the package has format {found}, and this program reads up to {FORMAT}: update it")]
    Newer {
        /// The format of the package.
        found: u32,
    },
    /// Signed by a key that is not trusted here.
    #[error("the package is signed by {0}, which is not among the trusted keys")]
    UnknownSigner(Fingerprint),
    /// The signature is not that of this manifest.
    #[error("the signature does not hold: the package was changed after it was signed")]
    Signature,
    /// A file is not the one that was signed.
    #[error("{0} is not the file that was signed")]
    Digest(String),
    /// A file that the manifest names is not there.
    #[error("{0} is missing from the package")]
    Missing(String),
    /// A file that the manifest does not name.
    #[error("{0} is in the package but not in its manifest")]
    Unexpected(String),
    /// The change plan cannot be read.
    #[error("change-plan.toml: {0}")]
    Plan(String),
}

/// A model with everything that belongs to it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

impl Package {
    /// Puts a package together. `files` are the ones of [`REQUIRED`] and any others, by name.
    pub fn build(head: Head, files: BTreeMap<String, Vec<u8>>) -> Result<Self, PackageError> {
        if let Some(missing) = REQUIRED.iter().find(|name| !files.contains_key(**name)) {
            return Err(PackageError::Missing((*missing).to_owned()));
        }
        if let Some(name) = files.keys().find(|name| !archive::plain(name) || reserved(name)) {
            return Err(PackageError::Name(name.clone()));
        }
        let listed = files.iter().map(|(name, bytes)| {
            (name.clone(), File { sha256: digest(bytes), bytes: bytes.len() as u64 })
        });
        let manifest = Manifest { format: FORMAT, head, files: listed.collect() };
        let package = Self { manifest, files };
        package.change_plan()?;
        Ok(package)
    }

    /// The bytes of the package, signed.
    pub fn sign(&self, key: &SecretKey) -> Result<Vec<u8>, PackageError> {
        let manifest = self.manifest.text();
        let signature = key.sign(&signed(manifest.as_bytes()));
        let mut entries = vec![(MANIFEST, manifest.as_bytes()), (SIGNATURE, signature.as_bytes())];
        entries.extend(self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        archive::write(&entries)
    }

    /// Reads a package and checks all of it: form, signature by one of the trusted keys, the digest
    /// of every file. Says who signed it.
    pub fn read(bytes: &[u8], trusted: &[PublicKey]) -> Result<(Self, Fingerprint), PackageError> {
        let mut entries = archive::read(bytes)?.into_iter();
        let mut next = |name: &str| match entries.next() {
            Some((found, bytes)) if found == name => Ok(bytes),
            _ => Err(PackageError::Malformed(format!("{name} is not where it has to be"))),
        };
        let text = next(MANIFEST)?;
        let signature = next(SIGNATURE)?;
        let signer = keys::verify(&signed(&text), &signature, trusted)?;
        let manifest = Manifest::read(&text)?;
        let mut files = BTreeMap::new();
        for (name, bytes) in entries {
            let Some(listed) = manifest.files.get(&name) else {
                return Err(PackageError::Unexpected(name));
            };
            if listed.bytes != bytes.len() as u64 || listed.sha256 != digest(&bytes) {
                return Err(PackageError::Digest(name));
            }
            files.insert(name, bytes);
        }
        let required = REQUIRED.iter().map(|name| (*name).to_owned());
        for name in manifest.files.keys().cloned().chain(required) {
            if !files.contains_key(&name) {
                return Err(PackageError::Missing(name));
            }
        }
        let package = Self { manifest, files };
        package.change_plan()?;
        Ok((package, signer))
    }

    /// What it says of itself.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A file by its name.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The same version with other evidence.
    ///
    /// # Errors
    /// When one of the files is not of [`EVIDENCE`], or makes no package.
    pub fn with_evidence(&self, evidence: BTreeMap<String, Vec<u8>>) -> Result<Self, PackageError> {
        if let Some(name) = evidence.keys().find(|name| !EVIDENCE.contains(&name.as_str())) {
            return Err(PackageError::Unexpected(name.clone()));
        }
        let mut files = self.files.clone();
        files.extend(evidence);
        Self::build(self.manifest.head.clone(), files)
    }

    /// The files beside the model, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The model's bytes.
    pub fn model(&self) -> &[u8] {
        self.file("model.bin").unwrap_or_default()
    }

    /// What may be changed without asking.
    pub fn change_plan(&self) -> Result<ChangePlan, PackageError> {
        let text = String::from_utf8_lossy(self.file("change-plan.toml").unwrap_or_default());
        ChangePlan::read(&text)
    }
}

fn reserved(name: &str) -> bool {
    name == MANIFEST || name == SIGNATURE
}

/// What is signed: the manifest, set apart from anything else that the same key might ever sign.
fn signed(manifest: &[u8]) -> Vec<u8> {
    [b"wardwatch model package\n".as_slice(), manifest].concat()
}

#[cfg(test)]
pub(crate) mod tests;
