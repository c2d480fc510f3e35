//! Two machines on a cable: network namespaces joined by a veth pair, and a way to send frames
//! byte by byte.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Whether the test can run; says so where not.
pub(crate) fn can_run(test: &str) -> bool {
    // SAFETY: takes nothing and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        eprintln!("skipped: {test} makes network namespaces, for which it must run as root");
    }
    root
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The two ends of a cable. `near` sends from its interface `out`, `far` captures on `in`.
pub(crate) struct Cable {
    pub(crate) near: String,
    pub(crate) far: String,
}

impl Cable {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ww{}n{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let (near, far) = (format!("{name}a"), format!("{name}b"));
        let cable = Self { near, far };
        let (near, far) = (&cable.near, &cable.far);
        run(&format!("ip netns add {near}"));
        run(&format!("ip netns add {far}"));
        run(&format!("ip link add out netns {near} type veth peer name in netns {far}"));
        // Without IPv6 addresses there is no neighbour discovery: only what the test sends.
        run(&format!("ip -n {near} link set out addrgenmode none up"));
        run(&format!("ip -n {far} link set in addrgenmode none up"));
        run(&format!("ip -n {far} link set lo addrgenmode none up"));
        cable
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // Also after a failure half-way, so that one of them may not be there.
        for name in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

/// Runs something in a thread of its own inside a network namespace.
pub(crate) fn inside<T: Send>(namespace: &str, what: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let file = std::fs::File::open(format!("/run/netns/{namespace}")).unwrap();
            // SAFETY: takes only numbers.
            let entered = unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) };
            assert_eq!(entered, 0, "{}", std::io::Error::last_os_error());
            what()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Sends frames on the near end of a cable.
pub(crate) struct Sender {
    socket: OwnedFd,
}

impl Sender {
    pub(crate) fn new(cable: &Cable) -> Self {
        inside(&cable.near, || {
            // SAFETY: takes only numbers.
            let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0) };
            assert!(fd >= 0, "{}", std::io::Error::last_os_error());
            // SAFETY: the descriptor is new and belongs to nobody else.
            let socket = unsafe { OwnedFd::from_raw_fd(fd) };
            // SAFETY: the name ends with a zero.
            let index = unsafe { libc::if_nametoindex(c"out".as_ptr()) };
            assert_ne!(index, 0);
            // SAFETY: all zeros are a valid address.
            let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
            address.sll_family = libc::AF_PACKET as u16;
            address.sll_ifindex = index as i32;
            let len = size_of_val(&address) as libc::socklen_t;
            // SAFETY: the pointer is to `len` bytes that outlive the call.
            let bound = unsafe { libc::bind(fd, (&raw const address).cast(), len) };
            assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
            Self { socket }
        })
    }

    pub(crate) fn send(&self, frame: &[u8]) {
        loop {
            // SAFETY: the pointer is to as many bytes as are given.
            let sent = unsafe {
                libc::send(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0)
            };
            if sent == frame.len() as isize {
                return;
            }
            let error = std::io::Error::last_os_error();
            assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS), "{error}");
            std::thread::yield_now();
        }
    }
}

/// An Ethernet frame with a UDP packet in it, from `10.0.0.a` to `10.0.0.b`.
pub(crate) fn udp((a, a_port): (u8, u16), (b, b_port): (u8, u16), payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, b, 2, 0, 0, 0, 0, a, 8, 0];
    let len = (28 + payload.len()) as u16;
    let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, a, 10, 0, 0, b];
    ip[2..4].copy_from_slice(&len.to_be_bytes());
    let sum: u32 = ip.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    frame.extend(ip);
    frame.extend(a_port.to_be_bytes());
    frame.extend(b_port.to_be_bytes());
    frame.extend((len - 20).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}
