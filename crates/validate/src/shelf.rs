//! The shelf: versions of a model in a directory, and which of them is in use.
//!
//! ```text
//! versions/00000007.wwmodel   a package, as it was signed
//! state.json                  champion, challenger, champions before
//! history.jsonl               what was done, when, by whom and why; only ever added to
//! lock                        held by whoever is changing something
//! ```
//!
//! The one truth is `state.json`, and it is replaced as a whole (written beside, flushed, renamed):
//! a process that is killed at any moment leaves either the old state or the new one. The history
//! is written after it; if that was interrupted, the next to open the shelf adds a line that says
//! so. Packages are checked when they come and again whenever they are read.
//!
//! Deliberately absent: judging whether a version is good enough to be promoted. That is for
//! [`crate::gates`] and a person; here it is only done and written down.

mod files;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::package::{EVIDENCE, Manifest, Package, PackageError, PublicKey};

const STATE: &str = "state.json";
const HISTORY: &str = "history.jsonl";
const VERSIONS: &str = "versions";
const SUFFIX: &str = "wwmodel";

/// Champions before the present one that a rollback can go back to.
const BEFORE: usize = 32;

/// Lines of history that are read, the latest.
const LINES: usize = 10_000;

/// How often, and how long apart, a lock is asked for that somebody else holds.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(10);

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// `state.json` is not what this program writes.
    #[error("{path}: {why}; restore it from a backup, or remove it and promote a version anew")]
    State {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Somebody else is changing the shelf.
    #[error("{0} is being changed by another process: try again")]
    Busy(PathBuf),
    /// There is no such version.
    #[error("there is no version {0} on the shelf")]
    NoVersion(u64),
    /// There is such a version, and it is another one.
    #[error(
        "version {0} is already on the shelf with other content: give the new one a new version"
    )]
    Taken(u64),
    /// What was to be new evidence of a version is another version.
    #[error("version {0}: new evidence may not come with another model, head or change plan")]
    NotEvidence(u64),
    /// There is no champion to go back to.
    #[error("there is no version before this one to go back to")]
    NothingBefore,
    /// The package is not to be trusted.
    #[error("version {version}: {error}")]
    Package {
        /// Which version; 0 where that cannot be said.
        version: u64,
        /// What is wrong with it.
        error: PackageError,
    },
}

/// Which versions are in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// How often the state was changed.
    pub changes: u64,
    /// The version in use.
    pub champion: Option<u64>,
    /// The version that runs beside it, in shadow.
    pub challenger: Option<u64>,
    /// Champions before, the latest last.
    pub before: Vec<u64>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A version came onto the shelf.
    Added,
    /// A version began to run in shadow, or stopped.
    Challenged,
    /// A version was validated again: its evidence is new, its model is not.
    Validated,
    /// A version became the champion.
    Promoted,
    /// The champion before became the champion again.
    RolledBack,
    /// A change whose line was lost when a process was interrupted.
    Found,
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, in RFC 3339, as the caller said.
    pub at: String,
    /// Who, as the caller said.
    pub by: String,
    /// What.
    pub action: Action,
    /// Which version.
    #[serde(default)]
    pub version: Option<u64>,
    /// Why, as the caller said.
    #[serde(default)]
    pub why: String,
    /// How often the state had been changed then.
    pub changes: u64,
}

/// When, by whom and why something is done. The shelf has no clock.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    /// When, in RFC 3339.
    pub at: &'a str,
    /// Who.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

/// A version on the shelf.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its version.
    pub version: u64,
    /// What it says of itself, or why it is not to be trusted.
    pub manifest: Result<Manifest, String>,
}

/// A directory of versions.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    trusted: Vec<PublicKey>,
}

impl Shelf {
    /// Opens a shelf, and makes it where there is none. Packages have to be signed by one of the
    /// trusted keys. `at` is the time to be written down should an interrupted change be found.
    pub fn open(folder: &Path, trusted: &[PublicKey], at: &str) -> Result<Self, ShelfError> {
        let shelf = Self { folder: folder.to_owned(), trusted: trusted.to_vec() };
        let versions = folder.join(VERSIONS);
        std::fs::create_dir_all(&versions).map_err(files::error(&versions))?;
        let _lock = shelf.lock()?;
        let state = shelf.state()?;
        let told = shelf.history()?.last().map_or(0, |line| line.changes);
        if told < state.changes {
            let note = Note { at, by: "wardwatch", why: "an interrupted change was found" };
            shelf.write_down(Action::Found, state.champion, state.changes, note)?;
        }
        Ok(shelf)
    }

    /// All versions, the oldest first.
    pub fn list(&self) -> Result<Vec<Entry>, ShelfError> {
        let folder = self.folder.join(VERSIONS);
        let mut entries = Vec::new();
        for file in std::fs::read_dir(&folder).map_err(files::error(&folder))? {
            let path = file.map_err(files::error(&folder))?.path();
            let version = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            let Some(version) = version.filter(|version| self.path(*version) == path) else {
                continue;
            };
            let read = self.read(version);
            let manifest =
                read.map(|package| package.manifest().clone()).map_err(|e| e.to_string());
            entries.push(Entry { version, manifest });
        }
        entries.sort_by_key(|entry| entry.version);
        Ok(entries)
    }

    /// A package that is not on the shelf, checked as it would be to come there.
    pub fn check(&self, bytes: &[u8]) -> Result<Package, ShelfError> {
        let (package, _) = Package::read(bytes, &self.trusted)
            .map_err(|error| ShelfError::Package { version: 0, error })?;
        Ok(package)
    }

    /// Puts a package on the shelf, after checking it, and says which version it is. The very same
    /// package may come again.
    pub fn add(&self, bytes: &[u8], note: Note<'_>) -> Result<u64, ShelfError> {
        let package = self.check(bytes)?;
        let version = package.manifest().head.version;
        let _lock = self.lock()?;
        let path = self.path(version);
        match std::fs::read(&path) {
            Ok(there) if there == bytes => return Ok(version),
            Ok(_) => return Err(ShelfError::Taken(version)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(files::error(&path)(error)),
        }
        files::replace(&path, bytes)?;
        self.write_down(Action::Added, Some(version), self.state()?.changes, note)?;
        Ok(version)
    }

    /// Puts new evidence of a version in the place of the old: the same head, model, change plan and
    /// other files, but for those of [`EVIDENCE`].
    pub fn revalidated(&self, bytes: &[u8], note: Note<'_>) -> Result<u64, ShelfError> {
        let new = self.check(bytes)?;
        let version = new.manifest().head.version;
        let _lock = self.lock()?;
        let old = self.read(version)?;
        let (mut before, mut after) = (old.manifest().clone(), new.manifest().clone());
        for name in EVIDENCE {
            before.files.remove(name);
            after.files.remove(name);
        }
        if before != after {
            return Err(ShelfError::NotEvidence(version));
        }
        files::replace(&self.path(version), bytes)?;
        self.write_down(Action::Validated, Some(version), self.state()?.changes, note)?;
        Ok(version)
    }

    /// A version, checked anew.
    pub fn read(&self, version: u64) -> Result<Package, ShelfError> {
        let bytes = self.bytes(version)?;
        let (package, _) = Package::read(&bytes, &self.trusted)
            .map_err(|error| ShelfError::Package { version, error })?;
        if package.manifest().head.version != version {
            let error = PackageError::Malformed("it is another version".to_owned());
            return Err(ShelfError::Package { version, error });
        }
        Ok(package)
    }

    /// The bytes of a version as they were signed, for export.
    pub fn bytes(&self, version: u64) -> Result<Vec<u8>, ShelfError> {
        let path = self.path(version);
        match files::read(&path, crate::package::MOST) {
            Err(ShelfError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Err(ShelfError::NoVersion(version))
            }
            other => other,
        }
    }

    /// Which versions are in use.
    pub fn state(&self) -> Result<State, ShelfError> {
        let path = self.folder.join(STATE);
        let bytes = match files::read(&path, 1 << 20) {
            Err(ShelfError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(State::default());
            }
            other => other?,
        };
        let broken = |error: serde_json::Error| ShelfError::State { path, why: error.to_string() };
        serde_json::from_slice(&bytes).map_err(broken)
    }

    /// Lets a version run in shadow beside the champion; `None` ends that.
    pub fn challenge(&self, version: Option<u64>, note: Note<'_>) -> Result<(), ShelfError> {
        self.change(Action::Challenged, note, |state, shelf| {
            if let Some(version) = version {
                shelf.read(version)?;
            }
            state.challenger = version;
            Ok(version)
        })
    }

    /// Makes a version the champion. If it was the challenger, there is none afterwards.
    pub fn promote(&self, version: u64, note: Note<'_>) -> Result<(), ShelfError> {
        self.change(Action::Promoted, note, |state, shelf| {
            shelf.read(version)?;
            if state.champion != Some(version) {
                state.before.extend(state.champion);
                let over = state.before.len().saturating_sub(BEFORE);
                state.before.drain(..over);
            }
            state.champion = Some(version);
            state.challenger = state.challenger.filter(|challenger| *challenger != version);
            Ok(Some(version))
        })
    }

    /// Makes the champion before the champion again, and says which that is: 0 where there was none on
    /// the shelf. Versions that are gone
    /// or no longer to be trusted are passed over.
    pub fn rollback(&self, note: Note<'_>) -> Result<u64, ShelfError> {
        let mut back = 0;
        self.change(Action::RolledBack, note, |state, shelf| {
            while let Some(version) = state.before.pop() {
                if shelf.read(version).is_ok() {
                    back = version;
                    state.champion = Some(version);
                    return Ok(Some(version));
                }
            }
            // Before the first one on the shelf there was what came with the program.
            if state.champion.take().is_some() {
                return Ok(None);
            }
            Err(ShelfError::NothingBefore)
        })?;
        Ok(back)
    }

    /// What was done, the oldest first. A last line that was cut short is left out.
    pub fn history(&self) -> Result<Vec<Line>, ShelfError> {
        let path = self.folder.join(HISTORY);
        let mut lines: Vec<Line> = files::lines(&path)?
            .iter()
            .rev()
            .take(LINES)
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        lines.reverse();
        Ok(lines)
    }

    fn change(
        &self,
        action: Action,
        note: Note<'_>,
        change: impl FnOnce(&mut State, &Self) -> Result<Option<u64>, ShelfError>,
    ) -> Result<(), ShelfError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        let version = change(&mut state, self)?;
        state.changes += 1;
        let text = serde_json::to_string_pretty(&state).unwrap_or_default() + "\n";
        files::replace(&self.folder.join(STATE), text.as_bytes())?;
        self.write_down(action, version, state.changes, note)
    }

    fn write_down(
        &self,
        action: Action,
        version: Option<u64>,
        changes: u64,
        note: Note<'_>,
    ) -> Result<(), ShelfError> {
        let owned = |text: &str| text.to_owned();
        let (at, by, why) = (owned(note.at), owned(note.by), owned(note.why));
        let line = Line { at, by, action, version, why, changes };
        let text = serde_json::to_string(&line).unwrap_or_default();
        files::append(&self.folder.join(HISTORY), &text)
    }

    /// Held until it goes; the system lets it go too when the process dies.
    fn lock(&self) -> Result<File, ShelfError> {
        let path = self.folder.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(files::error(&path))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                // A change takes milliseconds: it is soon over, or it hangs.
                Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(std::fs::TryLockError::Error(error)) => return Err(files::error(&path)(error)),
            }
        }
        Err(ShelfError::Busy(self.folder.clone()))
    }

    fn path(&self, version: u64) -> PathBuf {
        self.folder.join(VERSIONS).join(format!("{version:08}.{SUFFIX}"))
    }
}

#[cfg(test)]
mod tests;
