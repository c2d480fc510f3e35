//! Block lists that firewalls fetch: one file of addresses and one of domains, one entry a line, as
//! "external dynamic lists", "threat feeds" and "URL tables" of firewalls have them.
//!
//! Only the perimeter is served so: a list has no directions and no ports. An entry is left out as
//! soon as it has expired, whoever renders the list; but a firewall that cannot fetch any more goes
//! by what it has, and that is said in every plan. Whether somebody fetched the list is the only
//! acknowledgement there is ([`Blocklist::fetched`]).
//!
//! The state is a file beside the lists, locked while it is changed, so that `halt` from another
//! process and without the daemon does the same.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::outlet::Outlet;
use super::{expiry, is_plain};
use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::moment::Moment;
use crate::plan::{Approved, Intent, Plan};
use crate::restriction::{Indicator, Restriction};

/// Its name.
pub const NAME: &str = "blocklist";
/// Most entries that are served: more than the smallest firewalls take is of no use.
const MOST: usize = 10_000;
const STATE: &str = "state.json";

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Addresses and ranges.
    Addresses,
    /// Domains.
    Domains,
}

impl List {
    /// All.
    pub const ALL: [Self; 2] = [Self::Addresses, Self::Domains];

    /// The file's name.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Addresses => "addresses.txt",
            Self::Domains => "domains.txt",
        }
    }

    const fn of(indicator: &Indicator) -> Self {
        match indicator {
            Indicator::Address(_) => Self::Addresses,
            Indicator::Domain(_) => Self::Domains,
        }
    }
}

/// Configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlocklistConfig {
    /// Folder of the lists, below the data folder unless absolute.
    pub folder: PathBuf,
    /// Whether `*.example.org` is listed beside `example.org`, for firewalls that take a line for
    /// that one name only.
    pub wildcards: bool,
    /// File with the token with which firewalls fetch them from Wardwatch itself, below the data
    /// folder unless absolute. Without it they are files, for a web server of the site's own.
    pub token_file: Option<PathBuf>,
}

impl Default for BlocklistConfig {
    fn default() -> Self {
        Self { folder: PathBuf::from("blocklists"), wildcards: true, token_file: None }
    }
}

/// One indicator of one action.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    action: String,
    indicator: Indicator,
    from: Moment,
    ttl: Duration,
    /// Taken back, and kept until the list without it was fetched.
    taken_back: bool,
    /// Whether the list was fetched since this last changed.
    fetched: bool,
}

impl Entry {
    fn left(&self, now: Moment) -> Option<Duration> {
        let left = self.ttl.checked_sub(now.since(self.from)).filter(|left| !left.is_zero());
        left.filter(|_| !self.taken_back)
    }
}

/// The enforcer.
pub struct Blocklist {
    folder: PathBuf,
    wildcards: bool,
    outlet: Outlet,
}

impl Blocklist {
    /// One that writes through `outlet` into a folder.
    pub const fn new(folder: PathBuf, wildcards: bool, outlet: Outlet) -> Self {
        Self { folder, wildcards, outlet }
    }

    /// A list as it is now, for whatever serves it: without what has expired.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn render(&self, list: List, now: Moment) -> Result<String, EnforceError> {
        Ok(self.text(list, &self.read()?, now))
    }

    /// Writes the lists anew without what has expired; to be called about once a minute where files
    /// are served.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn refresh(&self, now: Moment) -> Result<(), EnforceError> {
        self.change(now, |_| {})
    }

    /// Notes that a list was fetched in whole by whoever enforces it.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn fetched(&self, list: List, now: Moment) -> Result<(), EnforceError> {
        self.change(now, |entries| {
            for entry in entries.iter_mut().filter(|entry| List::of(&entry.indicator) == list) {
                entry.fetched = true;
            }
        })
    }

    fn text(&self, list: List, entries: &[Entry], now: Moment) -> String {
        let mut lines: Vec<String> = entries
            .iter()
            .filter(|entry| entry.left(now).is_some() && List::of(&entry.indicator) == list)
            .flat_map(|entry| lines(&entry.indicator, self.wildcards))
            .collect();
        lines.sort();
        lines.dedup();
        let kind = match list {
            List::Addresses => "addresses",
            List::Domains => "domains",
        };
        let mut text = format!("# Wardwatch: {kind} to block. Fetch this every minute.\n");
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn read(&self) -> Result<Vec<Entry>, EnforceError> {
        let path = self.folder.join(STATE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreachable(&path, &error.to_string())),
        };
        serde_json::from_slice(&bytes).map_err(|error| unreachable(&path, &error.to_string()))
    }

    /// Changes the state and writes the lists, under a lock.
    fn change(
        &self,
        now: Moment,
        change: impl FnOnce(&mut Vec<Entry>),
    ) -> Result<(), EnforceError> {
        let lock = self.lock()?;
        let mut entries = self.read()?;
        change(&mut entries);
        for entry in &mut entries {
            if entry.left(now).is_none() && !entry.taken_back {
                (entry.taken_back, entry.fetched) = (true, false);
            }
        }
        // Nobody fetches for ever what has gone: some time after its end it is forgotten.
        let waits = |entry: &Entry| now.since(entry.from) < entry.ttl.saturating_mul(2);
        entries.retain(|entry| !entry.taken_back || (!entry.fetched && waits(entry)));
        self.write_all(&entries, now)?;
        drop(lock);
        Ok(())
    }

    fn lock(&self) -> Result<File, EnforceError> {
        self.outlet.out();
        let path = self.folder.join("lock");
        let lock = || {
            std::fs::create_dir_all(&self.folder)?;
            self.share(&self.folder)?;
            // A link could lead anywhere, and this may be root.
            if path.symlink_metadata().is_ok_and(|about| !about.is_file()) {
                return Err(std::io::Error::other("this is no file: remove it"));
            }
            let lock = File::create(&path)?;
            self.share(&path)?;
            lock.lock()?;
            Ok(lock)
        };
        lock().map_err(|error| unreachable(&path, &error.to_string()))
    }

    fn write_all(&self, entries: &[Entry], now: Moment) -> Result<(), EnforceError> {
        let state = serde_json::to_vec(entries).unwrap_or_default();
        self.write(STATE, &state)?;
        for list in List::ALL {
            self.write(list.file(), self.text(list, entries, now).as_bytes())?;
        }
        Ok(())
    }

    /// All of it or nothing: whoever fetches never sees half a list.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), EnforceError> {
        self.outlet.out();
        let (path, temporary) = (self.folder.join(name), self.folder.join(format!(".{name}")));
        let write = || {
            // Left by whoever was killed while writing.
            match std::fs::remove_file(&temporary) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = File::create_new(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            self.share(&temporary)?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(|error| unreachable(&path, &error.to_string()))
    }

    /// Gives a path to whoever owns the folder around: root lists, and the daemon, which has no
    /// rights, notes that somebody fetched.
    fn share(&self, path: &Path) -> std::io::Result<()> {
        let Some(around) = self.folder.parent() else { return Ok(()) };
        let (owner, about) = (std::fs::metadata(around)?, path.symlink_metadata()?);
        if (about.uid(), about.gid()) == (owner.uid(), owner.gid()) {
            return Ok(());
        }
        match lchown(path, Some(owner.uid()), Some(owner.gid())) {
            // Then it belongs to somebody who saw to it.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
            other => other,
        }
    }
}

impl Enforcer for Blocklist {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can(&self, _: Level, intent: &Intent) -> bool {
        check(intent).is_ok()
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        let indicator =
            check(intent).map_err(|why| EnforceError::Inexpressible { enforcer: NAME, why })?;
        let file = List::of(indicator).file();
        let lines = lines(indicator, self.wildcards);
        let of = |verb| lines.iter().map(move |line| format!("{file}: {verb} {line}")).collect();
        Ok(Plan {
            intent: intent.clone(),
            enforcer: NAME.to_owned(),
            change: of("add"),
            undo: of("remove"),
            dead_man: format!(
                "left out of the list after at most {} s; a firewall that cannot fetch the list \
                 keeps what it fetched last",
                intent.ttl.as_secs()
            ),
        })
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let plan = approved.plan();
        if plan.enforcer != NAME || self.plan(&plan.intent)? != *plan {
            return Err(refused("the plan was made for another configuration: plan again"));
        }
        let indicator = check(&plan.intent).map_err(|why| refused(&why))?.clone();
        let ttl = expiry(NAME, approved)?;
        let action = plan.intent.id.clone();
        let from = now();
        let mut full = false;
        self.change(from, |entries| {
            entries.retain(|entry| entry.action != action);
            full = entries.len() >= MOST;
            if !full {
                let (taken_back, fetched) = (false, false);
                let action = action.clone();
                entries.push(Entry { action, indicator, from, ttl, taken_back, fetched });
            }
        })?;
        if full {
            return Err(refused(&format!("there are {MOST} entries already")));
        }
        Ok(Receipt {
            handle: action.clone(),
            action,
            enforcer: NAME.to_owned(),
            undo: plan.undo.clone(),
            ttl,
            acknowledged: false,
        })
    }

    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError> {
        let now = now();
        let entries = self.read()?;
        let Some(entry) = entries.iter().find(|entry| entry.action == receipt.handle) else {
            return Ok(State::Gone);
        };
        Ok(match (entry.left(now), entry.fetched) {
            (Some(left), true) => State::InForce(left),
            (None, true) if entry.taken_back => State::Gone,
            // Listed or unlisted, and nobody came to see.
            _ => State::Unknown,
        })
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        self.change(now(), |entries| {
            // One that was never fetched is in force nowhere.
            entries.retain(|entry| {
                entry.action != receipt.handle || entry.fetched || entry.taken_back
            });
            for entry in entries.iter_mut().filter(|entry| entry.action == receipt.handle) {
                if !entry.taken_back {
                    (entry.taken_back, entry.fetched) = (true, false);
                }
            }
        })
    }

    fn revert_all(&self, _: &[Receipt]) -> Result<(), EnforceError> {
        let lock = self.lock()?;
        // A state that cannot be read is no reason to go on listing anything.
        self.write_all(&[], now())?;
        drop(lock);
        Ok(())
    }
}

/// Now, by the kernel. Where it does not say, every entry counts as expired.
fn now() -> Moment {
    let text = |path: &str| std::fs::read_to_string(Path::new("/proc").join(path));
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall = i64::try_from(wall.as_secs()).unwrap_or(i64::MAX);
    let up = text("uptime").unwrap_or_default();
    let up = up.split(' ').next().and_then(|seconds| seconds.parse::<f64>().ok());
    let boot = text("sys/kernel/random/boot_id").unwrap_or_default();
    let boot: String = boot.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    Moment {
        wall: Timestamp::from_parts(wall, 0),
        up: up.map_or(u64::MAX, |seconds| (seconds * 1e9) as u64),
        boot: u64::from_str_radix(&boot, 16).unwrap_or_default(),
    }
}

fn check(intent: &Intent) -> Result<&Indicator, String> {
    if !is_plain(&intent.id) {
        return Err("the name of the action is not plain".to_owned());
    }
    let Restriction::Perimeter { indicator } = &intent.restriction else {
        return Err("a list has no directions and no ports: it is for the perimeter".to_owned());
    };
    match indicator {
        Indicator::Address(range) if range.prefix() == 0 => Err("that is everybody".to_owned()),
        Indicator::Domain(name) if !is_domain(name) => {
            Err("that is no domain in lower case with a dot in it".to_owned())
        }
        _ => Ok(indicator),
    }
}

fn lines(indicator: &Indicator, wildcards: bool) -> Vec<String> {
    match indicator {
        Indicator::Address(range) => vec![range.to_string()],
        Indicator::Domain(name) if wildcards => vec![name.clone(), format!("*.{name}")],
        Indicator::Domain(name) => vec![name.clone()],
    }
}

/// Whether a text is a domain as it is listed: lower case, two labels at least (RFC 1035, 2.3.1,
/// with the underscore that is in use).
pub(super) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(label)
        && text.parse::<std::net::IpAddr>().is_err()
}

fn refused(why: &str) -> EnforceError {
    EnforceError::Refused { enforcer: NAME, why: why.to_owned() }
}

fn unreachable(path: &Path, why: &str) -> EnforceError {
    EnforceError::Unreachable { enforcer: NAME, why: format!("{}: {why}", path.display()) }
}
