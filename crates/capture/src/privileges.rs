//! Gives away every privilege that is not needed once the capture sockets are open.
//!
//! Wardwatch reads whatever anybody on the network sends. Should a parser have a flaw after all,
//! what is gained by it is a process that may read and write a few directories, and nothing else:
//! no capability, no other file, no program, no raw socket.
//!
//! The order is the caller's: open capture sockets and ports below 1024, call
//! [`Privileges::drop`], then start threads. Most of what is given away is given away by one
//! thread and those that it starts, so with other threads running the call is refused.
//!
//! Deliberately absent: changing the owner of directories. The directories to write must belong
//! to the user before, which is for the installation to do.

mod calls;
mod filesystem;
mod user;

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::sys::credentials;

/// What the process keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// The user to become where the process runs as root: a name, `uid` or `uid:gid`. `nobody`
    /// where none is given.
    pub user: Option<String>,
    /// Directories and files that it may read. What libraries read counts too: certificates,
    /// `/etc/resolv.conf`, time zones.
    pub read: Vec<PathBuf>,
    /// Directories and files that it may read and write.
    pub write: Vec<PathBuf>,
}

/// How files are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLimit {
    /// To the given directories, in every respect that is asked for.
    Full,
    /// To the given directories, as far as this kernel's Landlock goes.
    Partial,
    /// Not at all: this kernel has no Landlock.
    None,
}

/// What was given away. Its text is one sentence for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The user that the process is now.
    pub uid: u32,
    /// Whether it was root before.
    pub was_root: bool,
    /// How files are limited.
    pub files: FileLimit,
    /// Places to read only.
    pub read: usize,
    /// Places to read and write.
    pub write: usize,
    /// System calls that are refused whatever their arguments; 0 where seccomp is not offered.
    pub refused_calls: usize,
}

/// Privileges that could not be given away. The process may have given away some, and should not
/// go on.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// There are threads that would keep what this one gives away.
    #[error(
        "privileges cannot be dropped while {threads} threads run: drop them before any thread \
         is started"
    )]
    Threads {
        /// How many, this one included.
        threads: usize,
    },
    /// The user is not known.
    #[error("there is no user '{user}': create it, or give a number as 'uid:gid'")]
    NoSuchUser {
        /// As it was given.
        user: String,
    },
    /// The user is root under some name.
    #[error("'{user}' is root: choose a user without privileges")]
    UserIsRoot {
        /// As it was given.
        user: String,
    },
    /// Only root can become another user.
    #[error(
        "cannot become '{user}', because this process is user {uid} and not root: start it as \
         '{user}' or as root, or leave the user away"
    )]
    NotRoot {
        /// As it was given.
        user: String,
        /// The user that the process is.
        uid: u32,
    },
    /// A place to read or write cannot be opened.
    #[error("cannot allow {}: {why}; create it, or leave it away", path.display())]
    Path {
        /// The place.
        path: PathBuf,
        /// What the kernel said.
        why: String,
    },
    /// The kernel offers Landlock and refuses these rules.
    #[error("cannot limit which files can be reached: {why}")]
    Files {
        /// What the kernel said.
        why: String,
    },
    /// The kernel refuses the filter of system calls.
    #[error("cannot limit which system calls can be made: {why}")]
    Calls {
        /// What the kernel said.
        why: String,
    },
    /// A system call failed.
    #[error("{doing} failed: {source}; start as root, or with no capability but CAP_NET_RAW")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// After everything the process could still become root.
    #[error("this process could still become root; it will not go on")]
    StillRoot,
}

impl Privileges {
    /// Gives everything else away, for good: in this thread and all that it starts.
    ///
    /// # Errors
    /// Something could not be given away. What the kernel does not offer (Landlock, seccomp) is
    /// no error, and [`Dropped`] says so.
    pub fn drop(&self) -> Result<Dropped, PrivilegeError> {
        refuse_with_threads()?;
        let was_root = credentials::is_root();
        let user = self.user_to_become(was_root)?;
        // Made as root, who can open the directories of others.
        let rules = filesystem::rules(&self.read, &self.write)?;
        // Without CAP_SETPCAP the bounding set stays; it only matters to programs that are
        // executed, and those gain nothing.
        match credentials::empty_bounding_set() {
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
                return Err(failed("emptying the bounding set")(error));
            }
            _ => {}
        }
        credentials::empty_ambient_set().map_err(failed("emptying the ambient set"))?;
        if let Some(user) = user {
            credentials::become_user(user.uid, user.gid)
                .map_err(failed("becoming another user"))?;
        }
        credentials::clear_capabilities().map_err(failed("clearing capabilities"))?;
        credentials::no_new_privileges().map_err(failed("forbidding new privileges"))?;
        if credentials::can_become_root() {
            return Err(PrivilegeError::StillRoot);
        }
        let files = filesystem::apply(rules)?;
        let refused_calls = calls::refuse()?;
        Ok(Dropped {
            uid: credentials::effective_uid(),
            was_root,
            files,
            read: self.read.len(),
            write: self.write.len(),
            refused_calls,
        })
    }

    fn user_to_become(&self, is_root: bool) -> Result<Option<user::User>, PrivilegeError> {
        if is_root {
            return user::find(self.user.as_deref()).map(Some);
        }
        let Some(asked) = &self.user else { return Ok(None) };
        let uid = credentials::effective_uid();
        if user::find(Some(asked))?.uid == uid {
            return Ok(None);
        }
        Err(PrivilegeError::NotRoot { user: asked.clone(), uid })
    }
}

fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> PrivilegeError {
    move |source| PrivilegeError::System { doing, source }
}

fn refuse_with_threads() -> Result<(), PrivilegeError> {
    // Without /proc it cannot be told; then the caller's word stands.
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 { Err(PrivilegeError::Threads { threads }) } else { Ok(()) }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = if self.was_root { "now running" } else { "running" };
        write!(f, "{now} as user {} without capabilities; ", self.uid)?;
        let (read, write) = (self.read, self.write);
        match self.files {
            FileLimit::None => {
                f.write_str("files not limited, as this kernel has no Landlock; ")?
            }
            FileLimit::Full | FileLimit::Partial => {
                write!(f, "files limited to {read} places to read and {write} to write")?;
                let partly = self.files == FileLimit::Partial;
                f.write_str(if partly { " (as far as this kernel can); " } else { "; " })?;
            }
        }
        match self.refused_calls {
            0 => f.write_str("system calls not limited, as there is no seccomp here"),
            calls => write!(f, "{calls} system calls refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_threads_running_nothing_is_given_away() {
        // The test harness runs this in a thread of its own.
        let refused = Privileges::default().drop();
        assert!(matches!(refused, Err(PrivilegeError::Threads { threads: 2.. })), "{refused:?}");
    }

    #[test]
    fn the_log_says_what_the_kernel_could_not_do() {
        let dropped = Dropped {
            uid: 65_534,
            was_root: true,
            files: FileLimit::None,
            read: 1,
            write: 1,
            refused_calls: 0,
        };
        let text = dropped.to_string();
        assert!(text.contains("no Landlock") && text.contains("no seccomp"), "{text}");
        let text = Dropped { files: FileLimit::Full, refused_calls: 60, ..dropped }.to_string();
        assert_eq!(
            text,
            "now running as user 65534 without capabilities; files limited to 1 places to read \
             and 1 to write; 60 system calls refused"
        );
    }
}
