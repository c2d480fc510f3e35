//! The key of the site, under which patients become tokens.
//!
//! It is made once and kept in a file that only its owner can read. Who loses it loses the link
//! between older and newer tokens, and nothing else.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use model::SiteKey;

/// Bytes of a key.
const LENGTH: usize = 32;

/// The key in `file`, made if it is not there.
pub(crate) fn load_or_make(file: &Path) -> Result<SiteKey> {
    match fs::read(file) {
        Ok(secret) => {
            if secret.len() < LENGTH {
                bail!(
                    "{}: has {} bytes, a key has {LENGTH}. Restore it, or remove it to have a new one made (older tokens cannot be joined with new ones then)",
                    file.display(),
                    secret.len()
                );
            }
            let mode = fs::metadata(file).map(|about| about.permissions().mode()).unwrap_or(0);
            if mode & 0o077 != 0 {
                tracing::warn!(file = %file.display(), "others can read the site key: chmod 600 it");
            }
            Ok(SiteKey::new(&secret))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(file),
        Err(error) => Err(error).with_context(|| format!("{}: cannot be read", file.display())),
    }
}

fn make(file: &Path) -> Result<SiteKey> {
    let mut secret = [0; LENGTH];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut secret))
        .context("/dev/urandom: cannot be read")?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{}: cannot be made", folder.display()))?;
    }
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("{}: the site key cannot be made there", file.display()))?;
    new.write_all(&secret).and_then(|()| new.sync_all())?;
    Ok(SiteKey::new(&secret))
}

/// Where the key is kept when nobody says: in the data folder of the user.
pub(crate) fn default_file() -> PathBuf {
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_else(|| PathBuf::from(".")).join("wardwatch/site.key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/site.key");
        let first = load_or_make(&file).unwrap().token("patient", b"1");
        assert_eq!(load_or_make(&file).unwrap().token("patient", b"1"), first);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, b"short").unwrap();
        let error = load_or_make(&file).unwrap_err().to_string();
        assert!(error.contains("site.key") && error.contains("5 bytes"), "{error}");
    }
}
