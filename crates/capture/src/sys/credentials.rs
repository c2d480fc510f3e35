//! System calls that give privileges away (capabilities(7), prctl(2), setresuid(2)).

use std::io;

use super::check;

/// `_LINUX_CAPABILITY_VERSION_3`: two words of 32 capabilities.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// Whether this process has the user id of root in effect.
pub(crate) fn is_root() -> bool {
    effective_uid() == 0
}

/// The effective user id.
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Becomes another user and group for good, in every thread, and leaves all other groups.
pub(crate) fn become_user(uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: of a list of length 0 nothing is read.
    check(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: takes only numbers.
    check(unsafe { libc::setresgid(gid, gid, gid) })?;
    // SAFETY: takes only numbers.
    check(unsafe { libc::setresuid(uid, uid, uid) }).map(drop)
}

/// Whether this process could become root again.
pub(crate) fn can_become_root() -> bool {
    // SAFETY: takes only numbers.
    unsafe { libc::setresuid(0, 0, 0) == 0 }
}

/// Takes every capability out of the bounding set: no program that is ever executed can have one.
/// Needs `CAP_SETPCAP`.
pub(crate) fn empty_bounding_set() -> io::Result<()> {
    for capability in 0..64_u64 {
        if let Err(error) = control(libc::PR_CAPBSET_DROP, capability) {
            // The kernel knows no capability of this number, nor any above.
            let past_the_last = capability > 0 && error.raw_os_error() == Some(libc::EINVAL);
            return if past_the_last { Ok(()) } else { Err(error) };
        }
    }
    Ok(())
}

/// Empties the ambient set of this thread.
pub(crate) fn empty_ambient_set() -> io::Result<()> {
    control(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u64)
}

/// No program that this thread or its children execute gains privileges (setuid, file
/// capabilities).
pub(crate) fn no_new_privileges() -> io::Result<()> {
    control(libc::PR_SET_NO_NEW_PRIVS, 1)
}

fn control(option: libc::c_int, argument: u64) -> io::Result<()> {
    // SAFETY: the options used here take numbers only, and the unused arguments are 0.
    check(unsafe { libc::prctl(option, argument, 0_u64, 0_u64, 0_u64) }).map(drop)
}

/// Empties the effective, permitted and inheritable sets of this thread.
pub(crate) fn clear_capabilities() -> io::Result<()> {
    let header = [CAPABILITY_VERSION, 0];
    let sets = [[0_u32; 3]; 2];
    // SAFETY: both arrays have the layout of the kernel's structures and outlive the call, which
    // only reads them.
    let returned = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
