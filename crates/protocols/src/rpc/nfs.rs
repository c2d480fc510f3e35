//! What is done with files over NFS 2 and 3 (RFC 1094, RFC 1813), counted.

use std::collections::BTreeSet;
use std::time::Duration;

use model::emit::Emit;
use model::flow::Direction;
use model::time::Timestamp;
use wire::cursor::{Cursor, Short};

use super::ACTIVITY;
use super::header::opaque;
use super::nfs4;

/// At most one report in so long a time.
const EVERY: Duration = Duration::from_secs(60);
/// Names of operations and numbers of users that are listed.
const MOST_NAMES: usize = 32;
const MOST_USERS: usize = 8;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    Write,
    Create,
    Remove,
    Rename,
    Lookup,
    Other,
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(super) struct Waiting {
    version: u32,
    act: Act,
    /// Bytes to be written.
    bytes: u64,
}

/// Name and meaning of a procedure.
fn procedure(version: u32, number: u32) -> Option<(&'static str, Act)> {
    use Act::{Create, Lookup, Other, Read, Remove, Rename, Write};
    const SECOND: [(&str, Act); 18] = [
        ("NULL", Other),
        ("GETATTR", Other),
        ("SETATTR", Other),
        ("ROOT", Other),
        ("LOOKUP", Lookup),
        ("READLINK", Other),
        ("READ", Read),
        ("WRITECACHE", Other),
        ("WRITE", Write),
        ("CREATE", Create),
        ("REMOVE", Remove),
        ("RENAME", Rename),
        ("LINK", Create),
        ("SYMLINK", Create),
        ("MKDIR", Create),
        ("RMDIR", Remove),
        ("READDIR", Lookup),
        ("STATFS", Other),
    ];
    const THIRD: [(&str, Act); 22] = [
        ("NULL", Other),
        ("GETATTR", Other),
        ("SETATTR", Other),
        ("LOOKUP", Lookup),
        ("ACCESS", Other),
        ("READLINK", Other),
        ("READ", Read),
        ("WRITE", Write),
        ("CREATE", Create),
        ("MKDIR", Create),
        ("SYMLINK", Create),
        ("MKNOD", Create),
        ("REMOVE", Remove),
        ("RMDIR", Remove),
        ("RENAME", Rename),
        ("LINK", Create),
        ("READDIR", Lookup),
        ("READDIRPLUS", Lookup),
        ("FSSTAT", Other),
        ("FSINFO", Other),
        ("PATHCONF", Other),
        ("COMMIT", Other),
    ];
    let table: &[_] = match version {
        2 => &SECOND,
        3 => &THIRD,
        _ => return None,
    };
    table.get(usize::try_from(number).ok()?).copied()
}

/// Counts since the last report.
#[derive(Debug, Default)]
pub(super) struct Activity {
    since: Option<Timestamp>,
    version: u32,
    calls: u64,
    pub(super) acts: Acts,
    failures: u64,
    denied: u64,
    operations: BTreeSet<&'static str>,
    users: BTreeSet<u32>,
}

/// Counts by what was done.
#[derive(Debug, Default)]
pub(super) struct Acts {
    reads: u64,
    read_bytes: u64,
    writes: u64,
    written_bytes: u64,
    creates: u64,
    removes: u64,
    renames: u64,
    lookups: u64,
}

impl Acts {
    fn count(&mut self, act: Act) {
        let counted = match act {
            Act::Read => &mut self.reads,
            Act::Write => &mut self.writes,
            Act::Create => &mut self.creates,
            Act::Remove => &mut self.removes,
            Act::Rename => &mut self.renames,
            Act::Lookup => &mut self.lookups,
            Act::Other => return,
        };
        *counted = counted.saturating_add(1);
    }
}

impl Activity {
    /// A call; what to remember of it until its answer comes.
    pub(super) fn call(
        &mut self,
        version: u32,
        number: u32,
        user: Option<u32>,
        arguments: &mut Cursor<'_>,
        out: &mut Emit<'_>,
    ) -> Waiting {
        if self.since.is_some_and(|since| out.at().since(since) >= EVERY) {
            self.say(out);
        }
        self.since.get_or_insert(out.at());
        self.version = version;
        self.calls = self.calls.saturating_add(1);
        if let Some(user) = user
            && self.users.len() < MOST_USERS
        {
            self.users.insert(user);
        }
        let mut waiting = Waiting { version, act: Act::Other, bytes: 0 };
        if version >= 4 {
            let walked = nfs4::walk(number, arguments);
            for (name, act) in walked.operations {
                self.count(name, act);
                if act == Act::Read {
                    waiting.act = act;
                }
            }
            waiting.bytes = walked.bytes;
        } else if let Some((name, act)) = procedure(version, number) {
            self.count(name, act);
            waiting.act = act;
            if act == Act::Write {
                waiting.bytes = written(version, arguments).unwrap_or(0);
            }
        }
        waiting
    }

    fn count(&mut self, name: &'static str, act: Act) {
        self.acts.count(act);
        if self.operations.len() < MOST_NAMES {
            self.operations.insert(name);
        }
    }

    /// The answer to a call that was accepted.
    pub(super) fn answer(&mut self, waiting: &Waiting, results: &mut Cursor<'_>) {
        const NOT_OWNER: u32 = 1;
        const ACCESS: u32 = 13;
        // Nothing comes back of procedure 0, and every other answer begins with its status.
        let Ok(status) = results.u32() else { return };
        if status != 0 {
            self.failures = self.failures.saturating_add(1);
            if matches!(status, NOT_OWNER | ACCESS) {
                self.denied = self.denied.saturating_add(1);
            }
            return;
        }
        self.acts.written_bytes = self.acts.written_bytes.saturating_add(waiting.bytes);
        if waiting.act == Act::Read {
            let read = match waiting.version {
                4.. => nfs4::read_bytes(results),
                version => read_bytes(version, results),
            };
            self.acts.read_bytes = self.acts.read_bytes.saturating_add(read.unwrap_or(0));
        }
    }

    /// The report, where there is something to report.
    pub(super) fn say(&mut self, out: &mut Emit<'_>) {
        let counts = std::mem::take(self);
        if counts.calls == 0 {
            return;
        }
        let acts = counts.acts;
        let users: Vec<String> = counts.users.iter().map(u32::to_string).collect();
        out.observe(&ACTIVITY, Direction::Forward)
            .uint("version", counts.version)
            .uint("calls", counts.calls)
            .uint("reads", acts.reads)
            .uint("read_bytes", acts.read_bytes)
            .uint("writes", acts.writes)
            .uint("written_bytes", acts.written_bytes)
            .uint("creates", acts.creates)
            .uint("removes", acts.removes)
            .uint("renames", acts.renames)
            .uint("lookups", acts.lookups)
            .uint("failures", counts.failures)
            .uint("denied", counts.denied)
            .texts("operations", counts.operations.iter().map(|name| name.as_bytes()), MOST_NAMES)
            .texts("uids", users.iter().map(String::as_bytes), MOST_USERS)
            .emit();
    }
}

/// Bytes to be written by a call.
fn written(version: u32, arguments: &mut Cursor<'_>) -> Result<u64, Short> {
    if version == 2 {
        // Handle, two offsets of which one is unused, and an unused count.
        arguments.skip(44)?;
    } else {
        opaque(arguments)?;
        arguments.skip(8)?;
    }
    arguments.u32().map(u64::from)
}

/// Bytes that an answer brings, behind the file's attributes.
fn read_bytes(version: u32, results: &mut Cursor<'_>) -> Result<u64, Short> {
    if version == 2 {
        results.skip(68)?;
    } else if results.u32()? == 1 {
        results.skip(84)?;
    }
    results.u32().map(u64::from)
}
