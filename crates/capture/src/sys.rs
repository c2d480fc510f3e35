//! Everything that the compiler cannot check: system calls with pointers, and the memory that a
//! capture ring shares with the kernel.
//!
//! Each function here is safe to call with any arguments; what it needs to be so is checked or
//! made inside it. Nothing here decides anything: what is opened, in which order, and what an
//! error means is in the safe modules around.
#![allow(unsafe_code)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

pub(crate) mod credentials;
pub(crate) mod ring;
pub(crate) mod socket;

use std::io;

/// The result of a system call that returns a negative number on failure.
fn check(returned: libc::c_int) -> io::Result<libc::c_int> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}
