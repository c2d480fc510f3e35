//! Files that are whole or not there.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use super::ShelfError;

/// Longest history that is read, from its end.
const HISTORY: u64 = 16 << 20;

pub(super) fn error(path: &Path) -> impl FnOnce(io::Error) -> ShelfError {
    let path = path.to_owned();
    move |error| ShelfError::File { path, error }
}

/// Reads a file of up to `most` bytes.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, ShelfError> {
    let file = File::open(path).map_err(error(path))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(error(path))?;
    if bytes.len() as u64 > most {
        return Err(error(path)(io::Error::other("larger than it may be")));
    }
    Ok(bytes)
}

/// Replaces a file as a whole: whoever looks sees the old bytes or the new ones, also after a crash.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ShelfError> {
    let mut beside = OsString::from(path);
    beside.push(".new");
    let beside = Path::new(&beside);
    let write = || {
        let mut file = File::create(beside)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(error(beside))?;
    std::fs::rename(beside, path).map_err(error(path))?;
    sync_folder(path)
}

/// Adds a line. One that was cut short before is closed first, so that it spoils only itself.
pub(super) fn append(path: &Path, line: &str) -> Result<(), ShelfError> {
    let new = !path.exists();
    let write = || {
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let whole = ends_with_line(&mut file)?;
        let text = if whole { format!("{line}\n") } else { format!("\n{line}\n") };
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(error(path))?;
    if new { sync_folder(path) } else { Ok(()) }
}

fn ends_with_line(file: &mut File) -> io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The lines of the last part of a file; none where there is no file.
pub(super) fn lines(path: &Path) -> Result<Vec<String>, ShelfError> {
    use std::io::{Seek, SeekFrom};
    let mut file = match File::open(path) {
        Err(found) if found.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(error(path))?,
    };
    let mut read = || {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(HISTORY)))?;
        let mut bytes = Vec::new();
        (&mut file).take(HISTORY).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(error(path))?;
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

/// A rename is only safe once the directory is on disk too.
fn sync_folder(path: &Path) -> Result<(), ShelfError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(error(folder))
}
