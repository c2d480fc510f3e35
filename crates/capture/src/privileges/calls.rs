//! Which system calls are refused (seccomp(2)).
//!
//! A list of what is refused, not of what is allowed. An allow-list is tighter on paper, and
//! breaks in practice: what the C library, the allocator, SQLite and the asynchronous runtime call
//! changes with every update and differs between processors, and a monitor that dies in the
//! night because a library began to use a newer call protects nobody. What an intruder needs to
//! get from this process to the rest of the machine is a short list that hardly changes: run a
//! program, load kernel code, look into other processes, mount, make namespaces, and the large
//! young interfaces in which kernel bugs are found. None of it is ever needed here.
//!
//! A refused call fails with EPERM and does not kill the process: a library that tries a call and
//! lives without it goes on, and a console that runs on tells more than one that is gone. A call
//! in the convention of another processor kills it: no library does that by mistake.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use super::PrivilegeError;

/// Refused with any arguments, on every processor.
const REFUSED: &[libc::c_long] = &[
    // Run programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Look into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Change what is mounted, or leave the namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_by_handle_at,
    libc::SYS_mknodat,
    // Load code into the kernel, or replace it.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_kexec_load,
    // Kernel interfaces where many flaws were found.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_fanotify_init,
    libc::SYS_personality,
    // Run the machine.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] = &[
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_mknod,
    // The same calls as x32 numbers them (arch/x86/entry/syscalls/syscall_64.tbl): execve,
    // ptrace, kexec_load, process_vm_readv, process_vm_writev, execveat.
    X32 | 520,
    X32 | 521,
    X32 | 528,
    X32 | 539,
    X32 | 540,
    X32 | 545,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// On x86-64 most calls can also be made with this bit in their number, where the kernel
/// offers the x32 convention; a filter that forgets so can be walked around.
const X32: libc::c_long = if cfg!(target_arch = "x86_64") { 0x4000_0000 } else { 0 };

/// Families of sockets for which nothing here has a use: packets (those that are open stay open),
/// XDP, kernel keys, kernel cryptography, virtual machines, Bluetooth, TIPC, RDS.
const REFUSED_SOCKETS: &[libc::c_int] = &[
    libc::AF_PACKET,
    libc::AF_XDP,
    libc::AF_KEY,
    libc::AF_ALG,
    libc::AF_VSOCK,
    libc::AF_BLUETOOTH,
    libc::AF_TIPC,
    libc::AF_RDS,
];

/// Flags of clone that make namespaces; within a user namespace a process is root again.
const REFUSED_CLONES: &[libc::c_int] = &[
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Requests of ioctl that type into a terminal as if a person had.
const REFUSED_REQUESTS: &[libc::Ioctl] = &[libc::TIOCSTI, libc::TIOCLINUX];

type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;

/// Refuses the calls in every thread of this process, for good. How many calls are refused whatever
/// their arguments; none where seccomp is not offered for this processor.
pub(super) fn refuse() -> Result<usize, PrivilegeError> {
    let failed = |error: &dyn std::error::Error| PrivilegeError::Calls { why: error.to_string() };
    let Ok(processor) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(0) };
    let filters = filters(processor).map_err(|error| failed(&error))?;
    for filter in &filters {
        seccompiler::apply_filter_all_threads(filter).map_err(|error| failed(&error))?;
    }
    Ok(REFUSED.len() + REFUSED_HERE.len())
}

fn filters(processor: TargetArch) -> Result<[BpfProgram; 2], BackendError> {
    let filter = |rules: Rules, error: libc::c_int| {
        let refuse = SeccompAction::Errno(error.cast_unsigned());
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor)?.try_into()
    };
    // The flags of clone3 lie in memory, where no filter can look. To say that there is no such
    // call makes the C library fall back to clone.
    let clone3 = both_numbers(libc::SYS_clone3, &[]).into_iter().collect();
    Ok([filter(refused()?, libc::EPERM)?, filter(clone3, libc::ENOSYS)?])
}

fn refused() -> Result<Rules, BackendError> {
    let equal = |argument: u8, value: u64| {
        let condition =
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?;
        SeccompRule::new(vec![condition])
    };
    let has_flag = |argument: u8, flag: u64| {
        let operator = SeccompCmpOp::MaskedEq(flag);
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, flag)?;
        SeccompRule::new(vec![condition])
    };
    let number = |n: &libc::c_int| u64::from(n.cast_unsigned());
    let sockets = REFUSED_SOCKETS
        .iter()
        .map(|family| equal(0, number(family)))
        .collect::<Result<Vec<_>, _>>()?;
    let clones = REFUSED_CLONES
        .iter()
        .map(|flag| has_flag(0, number(flag)))
        .collect::<Result<Vec<_>, _>>()?;
    let request = |n: &libc::Ioctl| u64::from(*n as u32);
    let requests =
        REFUSED_REQUESTS.iter().map(|n| equal(1, request(n))).collect::<Result<Vec<_>, _>>()?;

    let whatever = REFUSED.iter().chain(REFUSED_HERE);
    let mut rules: Rules = whatever.flat_map(|call| both_numbers(*call, &[])).collect();
    rules.extend(both_numbers(libc::SYS_socket, &sockets));
    rules.extend(both_numbers(libc::SYS_clone, &clones));
    rules.extend(both_numbers(libc::SYS_ioctl, &requests));
    // x32 numbers ioctl apart.
    if X32 != 0 {
        rules.insert(X32 | 514, requests);
    }
    Ok(rules)
}

/// A call under both the numbers that it can have; they are the same but on x86-64.
fn both_numbers(
    call: libc::c_long,
    rules: &[SeccompRule],
) -> [(libc::c_long, Vec<SeccompRule>); 2] {
    [(call, rules.to_vec()), (call | X32, rules.to_vec())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_fit_into_the_kernel() {
        let processor = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        for filter in filters(processor).unwrap() {
            // BPF_MAXINSNS.
            assert!(filter.len() <= 4096, "{} instructions", filter.len());
        }
    }

    #[test]
    fn no_call_is_listed_twice() {
        let mut calls: Vec<_> = REFUSED.iter().chain(REFUSED_HERE).collect();
        calls.sort_unstable();
        calls.dedup();
        assert_eq!(calls.len(), REFUSED.len() + REFUSED_HERE.len());
    }
}
