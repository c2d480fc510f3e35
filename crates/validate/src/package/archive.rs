//! A tar archive that is always written in one way, and read only if it is.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};

use super::PackageError;

/// Bytes of a package at most, compressed and expanded: 256 MiB.
pub const MOST: u64 = 256 << 20;

/// Files at most.
const FILES: usize = 64;

/// Zstandard windows of up to 128 MiB: what its levels need, and no more memory than that.
const WINDOW_LOG: u32 = 27;

/// Whether a name is a plain one: lower-case letters, digits, `.`, `-`, `_`, up to 64, not beginning
/// with a dot. There is no way to say "elsewhere" in it.
pub(super) fn plain(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(letter)
}

/// Writes entries in their order, with no time, no owner, mode 0644.
pub(super) fn write(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, PackageError> {
    let tar = archive(entries)?;
    if tar.len() as u64 > MOST {
        return Err(PackageError::TooLarge);
    }
    let packed = zstd::stream::encode_all(tar.as_slice(), 12)
        .map_err(|error| PackageError::Malformed(error.to_string()))?;
    Ok(packed)
}

fn archive(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, PackageError> {
    let malformed = |error: std::io::Error| PackageError::Malformed(error.to_string());
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        builder.append_data(&mut header, name, *bytes).map_err(malformed)?;
    }
    builder.into_inner().map_err(malformed)
}

/// Reads all entries in their order. No name is used for anything but to compare it.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PackageError> {
    if bytes.len() as u64 > MOST {
        return Err(PackageError::TooLarge);
    }
    let tar = expand(bytes)?;
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut archive = tar::Archive::new(tar.as_slice());
    // Raw: extensions of the format, which could give a file another name, are entries like any
    // other, and not of the type of a file.
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != tar::EntryType::Regular || !plain(&name) {
            return Err(PackageError::Name(name));
        }
        if !seen.insert(name.clone()) {
            return Err(PackageError::Duplicate(name));
        }
        if entries.len() >= FILES {
            return Err(PackageError::Malformed(format!("more than {FILES} files")));
        }
        if entry.size() > tar.len() as u64 {
            return Err(PackageError::Truncated);
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        if content.len() as u64 != entry.size() {
            return Err(PackageError::Truncated);
        }
        entries.push((name, content));
    }
    let again: Vec<(&str, &[u8])> =
        entries.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    // What was read, written again, has to be what was there: no second meaning, nothing between
    // files, nothing behind the last.
    let again = self::archive(&again)?;
    if again.len() > tar.len() && again.starts_with(&tar) {
        return Err(PackageError::Truncated);
    }
    if again != tar {
        return Err(PackageError::Malformed(
            "the archive is not as this program writes it".to_owned(),
        ));
    }
    Ok(entries)
}

fn expand(bytes: &[u8]) -> Result<Vec<u8>, PackageError> {
    let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(broken)?;
    decoder.window_log_max(WINDOW_LOG).map_err(broken)?;
    let mut tar = Vec::new();
    decoder.take(MOST + 1).read_to_end(&mut tar).map_err(broken)?;
    if tar.len() as u64 > MOST {
        return Err(PackageError::TooLarge);
    }
    Ok(tar)
}

fn broken(error: std::io::Error) -> PackageError {
    match error.kind() {
        ErrorKind::UnexpectedEof => PackageError::Truncated,
        _ => PackageError::Malformed(error.to_string()),
    }
}
