//! What a process can still do once it has given its privileges away. Needs root, and is skipped
//! without.
//!
//! Each test runs this program again as a child, because what is given away is gone for good, and
//! because it can only be given away before there are threads, which the usual harness has.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test program speaks")]

mod network;

use std::fs;
use std::io::ErrorKind::PermissionDenied;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use capture::{Batch, CaptureError, FileLimit, LiveConfig, LiveSource, PrivilegeError, Privileges};
use network::*;

const CHILD: &str = "CAPTURE_TEST_CHILD";
const FOLDER: &str = "CAPTURE_TEST_FOLDER";

type Test = (&'static str, fn());

/// In the child: the test itself.
const TESTS: &[Test] = &[
    ("an_open_source_goes_on_and_no_other_can_be_opened", capture_goes_on),
    ("files_outside_the_given_directories_are_out_of_reach", files_are_limited),
    ("no_program_can_be_run_and_no_namespace_made", programs_are_refused),
    ("nothing_is_left_of_root", nothing_is_left_of_root),
    ("threads_and_connections_still_work", threads_and_connections_work),
    ("directories_that_are_not_there_are_told", missing_directories_are_told),
    ("one_who_is_not_root_cannot_become_another", others_cannot_become_another),
];

fn main() -> ExitCode {
    if let Ok(child) = std::env::var(CHILD) {
        let (_, test) = TESTS.iter().find(|(name, _)| *name == child).unwrap();
        test();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
        }
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let mut failed = false;
    for (name, _) in TESTS {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let passed = !can_run(name) || run_child(name);
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed |= !passed;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs a test in a child, in a network of its own, with a folder that everybody may write.
fn run_child(name: &str) -> bool {
    let cable = Cable::new();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for place in ["read", "write", "other"] {
        let place = folder.path().join(place);
        fs::create_dir(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(place.join("file"), "text").unwrap();
        fs::set_permissions(place.join("file"), fs::Permissions::from_mode(0o666)).unwrap();
    }
    let sender = Sender::new(&cable);
    let mut child = Command::new("ip")
        .args(["netns", "exec", &cable.far])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, name)
        .env(FOLDER, folder.path())
        .spawn()
        .unwrap();
    loop {
        sender.send(&udp((1, 5_000), (2, 6_000), b"once more"));
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn place(name: &str) -> PathBuf {
    Path::new(&std::env::var_os(FOLDER).unwrap()).join(name)
}

fn usual() -> Privileges {
    Privileges { user: None, read: vec![place("read")], write: vec![place("write")] }
}

fn capture_goes_on() {
    let mut source = LiveSource::open(&LiveConfig::on("in")).unwrap().remove(0);
    let dropped = usual().drop().unwrap();
    assert!(dropped.was_root && dropped.uid != 0 && dropped.refused_calls > 50);
    let mut seen = 0;
    for _ in 0..100 {
        if source.poll_batch(Duration::from_millis(100), &mut |_| seen += 1).unwrap() != Batch::Idle
            && seen > 20
        {
            break;
        }
    }
    assert!(seen > 20, "{seen} packets");
    assert!(source.stats().packets > 20);
    let refused = LiveSource::open(&LiveConfig::on("in")).unwrap_err();
    assert!(matches!(refused, CaptureError::NoPermission { .. }), "{refused}");
    assert!(refused.to_string().contains("setcap cap_net_raw+ep"), "{refused}");
}

fn files_are_limited() {
    let dropped = usual().drop().unwrap();
    if dropped.files == FileLimit::None {
        println!("skipped: {dropped}");
        return;
    }
    let refused = |result: std::io::Result<()>| {
        assert_eq!(result.unwrap_err().kind(), PermissionDenied);
    };
    assert_eq!(fs::read_to_string(place("read/file")).unwrap(), "text");
    refused(fs::write(place("read/file"), "changed"));
    refused(fs::write(place("read/new"), "new"));
    refused(fs::remove_file(place("read/file")));

    assert_eq!(fs::read_to_string(place("write/file")).unwrap(), "text");
    fs::write(place("write/new"), "new").unwrap();
    fs::create_dir(place("write/below")).unwrap();
    fs::rename(place("write/new"), place("write/below/new")).unwrap();
    fs::remove_file(place("write/below/new")).unwrap();

    // All users could read and write these.
    refused(fs::read(place("other/file")).map(drop));
    refused(fs::write(place("other/file"), "changed"));
    refused(fs::read("/etc/passwd").map(drop));
    refused(fs::read_dir("/").map(drop));
    refused(fs::rename(place("write/file"), place("other/moved")));
}

fn programs_are_refused() {
    // The whole disk may be read, so that only the refusal of the call is in the way.
    let privileges = Privileges { read: vec!["/".into()], ..usual() };
    privileges.drop().unwrap();
    assert_eq!(Command::new("/bin/true").spawn().unwrap_err().kind(), PermissionDenied);
    // SAFETY: takes only numbers.
    let unshared = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
    assert_eq!((unshared, errno()), (-1, libc::EPERM));
    // SAFETY: a child with a copy of this process, which ends at once should there be one.
    let cloned = unsafe {
        let child = libc::syscall(libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0);
        if child == 0 {
            libc::_exit(0);
        }
        child
    };
    assert_eq!((cloned, errno()), (-1, libc::EPERM));
    // SAFETY: takes only numbers, and the call is refused before it looks at them.
    let traced = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    assert_eq!((traced, errno()), (-1, libc::EPERM));
    for family in [libc::AF_PACKET, libc::AF_ALG, libc::AF_VSOCK] {
        // SAFETY: takes only numbers.
        let socket = unsafe { libc::socket(family, libc::SOCK_DGRAM, 0) };
        assert_eq!((socket, errno()), (-1, libc::EPERM), "family {family}");
    }
    // SAFETY: takes only numbers.
    let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP) };
    assert_eq!((raw, errno()), (-1, libc::EPERM));
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

fn nothing_is_left_of_root() {
    let myself = format!("/proc/{}/status", std::process::id());
    let privileges = Privileges { read: vec![myself.clone().into()], ..usual() };
    let said = privileges.drop().unwrap().to_string();
    assert!(said.contains("without capabilities"), "{said}");
    let status = fs::read_to_string(myself).unwrap();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(line(set), ["0000000000000000"], "{set}");
    }
    for ids in ["Uid:", "Gid:"] {
        assert!(line(ids).iter().all(|id| id != "0"), "{status}");
    }
    assert!(line("Groups:").is_empty(), "{status}");
    assert_eq!(line("NoNewPrivs:"), ["1"]);
    assert_eq!(line("Seccomp:"), ["2"]);
}

fn threads_and_connections_work() {
    usual().drop().unwrap();
    let thread = std::thread::spawn(|| 6 * 7);
    assert_eq!(thread.join().unwrap(), 42);
    // The network of the child has only this address.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    drop((listener.accept().unwrap(), stream));
}

fn missing_directories_are_told() {
    let refused = Privileges { write: vec![place("nowhere")], ..usual() }.drop().unwrap_err();
    assert!(matches!(refused, PrivilegeError::Path { .. }), "{refused}");
    assert!(refused.to_string().contains("nowhere"), "{refused}");
    // Nothing was given away yet.
    fs::read("/etc/shadow").unwrap();
}

fn others_cannot_become_another() {
    let chosen = Privileges { user: Some("12345:12346".into()), ..usual() };
    assert_eq!(chosen.drop().unwrap().uid, 12_345);
    // The same again is no error, as the process is that user.
    assert!(!chosen.drop().unwrap().was_root);
    let refused = Privileges { user: Some("4321".into()), ..usual() }.drop().unwrap_err();
    assert!(matches!(refused, PrivilegeError::NotRoot { uid: 12_345, .. }), "{refused}");
}
