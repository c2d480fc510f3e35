//! For tests: hosts on a switch, each in a network namespace of its own.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Whether this machine can run a test that needs root and programs. Without root it says that the
/// test is skipped; continuous integration is root and has the programs, and fails without.
#[expect(clippy::print_stderr, reason = "whoever runs the tests has to know")]
pub(super) fn needs(programs: &[&str]) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let root = status.lines().any(|line| line.starts_with("Uid:\t0\t0"));
    let found = |program: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .chain(["/usr/sbin".into(), "/sbin".into()])
            .any(|folder: std::path::PathBuf| folder.join(program).exists())
    };
    let missing = programs.iter().find(|program| !found(program));
    let why = match (root, missing) {
        (true, None) => return true,
        (false, _) => "root".to_owned(),
        (true, Some(program)) => format!("the program '{program}'"),
    };
    assert!(
        std::env::var_os("CI").is_none(),
        "this test needs {why}: 'cargo xtask test' installs what tests need"
    );
    eprintln!("skipped: this test needs {why}");
    false
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The hosts. All is gone in the end.
pub(super) struct Network {
    prefix: String,
    names: Vec<String>,
}

impl Network {
    /// Behind a bridge of the kernel.
    pub(super) fn new(hosts: &[(&str, &str)]) -> Self {
        let network = Self::without_bridge(hosts);
        let switch = network.space("switch");
        run(&format!("ip -n {switch} link add bridge type bridge forward_delay 0 stp_state 0"));
        run(&format!("ip -n {switch} link set bridge up"));
        for (host, _) in hosts {
            run(&format!("ip -n {switch} link set p-{host} master bridge"));
        }
        network
    }

    /// Each on a port `p-HOST` in the namespace `switch`, with nothing between.
    pub(super) fn without_bridge(hosts: &[(&str, &str)]) -> Self {
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let prefix = format!("wwe{}x{count}", std::process::id());
        let mut network = Self { prefix, names: vec!["switch".to_owned()] };
        let switch = network.space("switch");
        run(&format!("ip netns add {switch}"));
        run(&format!("ip -n {switch} link set lo up"));
        for (host, address) in hosts {
            let space = network.space(host);
            network.names.push((*host).to_owned());
            run(&format!("ip netns add {space}"));
            let wire = format!("p-{host} type veth peer name eth0 netns {space}");
            run(&format!("ip -n {switch} link add {wire}"));
            run(&format!("ip -n {switch} link set p-{host} up"));
            run(&format!("ip -n {space} link set lo up"));
            run(&format!("ip -n {space} link set eth0 up"));
            run(&format!("ip -n {space} address add {address}/24 dev eth0"));
        }
        network
    }

    /// The name of a host's namespace.
    pub(super) fn space(&self, host: &str) -> String {
        format!("{}{host}", self.prefix)
    }

    fn command(&self, host: &str, words: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(host)]).args(words.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs a part of this program on a host: sockets made there stay there.
    pub(super) fn inside<T: Send>(&self, host: &str, part: impl FnOnce() -> T + Send) -> T {
        let space = std::fs::File::open(Path::new("/run/netns").join(self.space(host))).unwrap();
        std::thread::scope(|scope| {
            let on = scope.spawn(|| {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(space.as_fd(), kind).unwrap();
                part()
            });
            on.join().unwrap()
        })
    }

    /// Runs something on a host, which has to succeed.
    pub(super) fn run_on(&self, host: &str, words: &str) {
        assert!(self.asks(host, words), "{host}: {words}");
    }

    /// Whether something on a host succeeds.
    pub(super) fn asks(&self, host: &str, words: &str) -> bool {
        self.command(host, words).status().unwrap().success()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", &self.space(name)]).output();
        }
    }
}

fn run(command: &str) {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
}
