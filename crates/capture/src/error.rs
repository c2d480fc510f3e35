//! What can go wrong where packets come from, told so that a person can act on it: what
//! happened, where (file and byte, or interface), and what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// A capture that cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A capture file that cannot be read from some byte on. Everything before was delivered.
    #[error("{}, byte {offset}: expected {expected}, found {found}; {advice}", path.display())]
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// Where the record begins that could not be read, in the uncompressed stream.
        offset: u64,
        /// What sort of fault it is.
        fault: Fault,
        /// What would have been right.
        expected: String,
        /// What is there.
        found: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The interface does not exist.
    #[error("there is no interface '{interface}'; this machine has {present}: name one of them")]
    NoSuchInterface {
        /// What was asked for.
        interface: String,
        /// The names of those that are there, with commas.
        present: String,
    },
    /// The process may not capture.
    #[error(
        "capturing on '{interface}' needs the capability CAP_NET_RAW: run as root, or give it to \
         the program with 'setcap cap_net_raw+ep {}'", program.display()
    )]
    NoPermission {
        /// What was asked for.
        interface: String,
        /// This program's own path.
        program: PathBuf,
    },
    /// The kernel has no such ring to give.
    #[error(
        "the kernel gives no ring of {bytes} bytes for '{interface}' ({source}): make the ring \
         smaller, capture with fewer members, or raise the limit of locked memory (ulimit -l)"
    )]
    Ring {
        /// What was asked for.
        interface: String,
        /// Bytes of the ring of one member.
        bytes: usize,
        /// What the kernel said.
        source: io::Error,
    },
    /// The interface is there but not up.
    #[error(
        "interface '{interface}' is down, so nothing can be seen there: bring it up with \
         'ip link set {interface} up'; capture goes on as soon as it is"
    )]
    InterfaceDown {
        /// Its name.
        interface: String,
    },
    /// The interface existed when capture began, and no longer does.
    #[error("interface '{interface}' has gone away: plug it in again and start again")]
    InterfaceGone {
        /// The name that it had.
        interface: String,
    },
    /// Settings that make no sense.
    #[error("cannot capture on '{interface}' with {what}: {advice}")]
    Settings {
        /// What was asked for.
        interface: String,
        /// The setting.
        what: String,
        /// What to do next.
        advice: &'static str,
    },
    /// A system call on the capture socket failed for a reason that has no name of its own.
    #[error("capturing on '{interface}': {doing} failed: {source}")]
    System {
        /// What was asked for.
        interface: String,
        /// What was being done.
        doing: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

/// The sorts of fault in a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be opened, or the disk fails.
    Io,
    /// It is something else than a capture.
    NotACapture,
    /// It ends in the middle of a record, or has no byte at all.
    Truncated,
    /// A record contradicts itself or the format.
    Malformed,
    /// A length is beyond what this reader holds.
    TooLong,
    /// The gzip or zstd data are damaged.
    Compression,
}

impl Fault {
    /// What a person can do about it.
    const fn advice(self) -> &'static str {
        match self {
            Self::Io => "check the path, its permissions and the disk",
            Self::NotACapture => {
                "give a pcap or pcapng file, plain or compressed with gzip or zstd"
            }
            Self::Truncated => {
                "the capture was cut short: what came before was read; copy the file again if the \
                 original is longer"
            }
            Self::Malformed | Self::TooLong => {
                "the file is damaged here: what came before was read; copy it again, or repair it \
                 with pcapfix or editcap"
            }
            Self::Compression => {
                "the compressed data are damaged here, or were made with zstd --long above 27: what \
                 came before was read; copy the file again, or decompress it first"
            }
        }
    }
}

/// A fault as a decoder finds it: it knows neither the file's name nor the advice.
#[derive(Debug)]
pub(crate) struct Found {
    /// Of the record, in the uncompressed stream.
    pub(crate) offset: u64,
    pub(crate) fault: Fault,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Found {
    /// A fault of the record at `offset`.
    pub(crate) fn at(
        offset: u64,
        fault: Fault,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { offset, fault, expected: expected.into(), found: found.into() }
    }

    /// The error that people read.
    pub(crate) fn in_file(self, path: &Path) -> CaptureError {
        CaptureError::File {
            path: path.to_path_buf(),
            offset: self.offset,
            fault: self.fault,
            expected: self.expected,
            found: self.found,
            advice: self.fault.advice(),
        }
    }
}
