//! A real Open vSwitch with its datapath in user space, and hosts in network namespaces behind it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::*;
use crate::enforcers::sample;
use crate::enforcers::space::{Network, needs};
use crate::restriction::{Indicator, Pattern, Proto, Restriction, Way};

const PUMP: &str = "10.98.0.5";
const SERVER: &str = "10.98.0.10";
const OTHER: &str = "10.98.0.20";
/// Debian has the daemon here and not in the path.
const DAEMON: &str = "/usr/lib/openvswitch-switch/ovs-vswitchd";

/// A switch of its own: sockets and data in a folder of its own.
struct Switch {
    children: Vec<Child>,
    folder: tempfile::TempDir,
    network: Network,
}

impl Switch {
    fn start() -> Option<Self> {
        if !needs(&[
            "ip",
            "ping",
            "ethtool",
            "ovs-ofctl",
            "ovs-vsctl",
            "ovsdb-server",
            "ovsdb-tool",
        ]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let hosts = [("pump", PUMP), ("server", SERVER), ("other", OTHER)];
        let network = Network::without_bridge(&hosts);
        for (host, _) in hosts {
            // A switch in user space gets packets before their checksums are made.
            network.run_on(host, "ethtool -K eth0 tx off");
        }
        let mut switch = Self { children: Vec::new(), folder, network };
        let at = switch.folder.path().to_owned();
        let socket = at.join("db.sock");
        let database = format!("unix:{}", socket.display());
        let schema = "/usr/share/openvswitch/vswitch.ovsschema";
        switch.tool(&["ovsdb-tool", "create", at.join("conf.db").to_str().unwrap(), schema]);
        switch.start_daemon(&[
            "ovsdb-server",
            at.join("conf.db").to_str().unwrap(),
            &format!("--remote=punix:{}", socket.display()),
            &format!("--unixctl={}", at.join("db.ctl").display()),
        ]);
        wait_for(&socket);
        let vsctl = ["ovs-vsctl", "--timeout=30"];
        let db = format!("--db={database}");
        switch.tool(&[vsctl[0], vsctl[1], &db, "--no-wait", "init"]);
        let daemon = if Path::new(DAEMON).exists() { DAEMON } else { "ovs-vswitchd" };
        let control = format!("--unixctl={}", at.join("vs.ctl").display());
        switch.start_daemon(&[daemon, &database, &control]);
        let mut words =
            vec![vsctl[0], vsctl[1], &db, "add-br", "br0", "--", "set", "bridge", "br0"];
        words.push("datapath_type=netdev");
        for port in ["p-pump", "p-server", "p-other"] {
            words.extend(["--", "add-port", "br0", port]);
        }
        switch.tool(&words);
        wait_for(&at.join("br0.mgmt"));
        let begun = Instant::now();
        while !switch.reaches("pump", SERVER, 0) {
            assert!(begun.elapsed() < Duration::from_secs(20), "the switch does not forward");
        }
        Some(switch)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.network.space("switch")]).args(words);
        for variable in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"] {
            command.env(variable, self.folder.path());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn tool(&self, words: &[&str]) {
        let output = self.command(words).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
    }

    fn start_daemon(&mut self, words: &[&str]) {
        let child = self.command(words).spawn().unwrap();
        self.children.push(child);
    }

    fn enforcer(&self) -> Openvswitch {
        let bridge = format!("unix:{}", self.folder.path().join("br0.mgmt").display());
        let config = OpenvswitchConfig { bridge, ..packets::config() };
        config.check().unwrap();
        Openvswitch::new(config, Outlet::new())
    }

    /// Whether a host reaches another: by TCP, or by ping for port 0.
    fn reaches(&self, from: &str, to: &str, port: u16) -> bool {
        if port == 0 {
            return self.network.asks(from, &format!("ping -n -c 1 -W 1 {to}"));
        }
        let to = format!("{to}:{port}").parse().unwrap();
        let patience = Duration::from_millis(600);
        self.network
            .inside(from, move || std::net::TcpStream::connect_timeout(&to, patience).is_ok())
    }

    fn listen(&self, host: &str, address: &'static str, port: u16) -> std::net::TcpListener {
        self.network.inside(host, move || std::net::TcpListener::bind((address, port)).unwrap())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn wait_for(file: &Path) {
    let begun = Instant::now();
    while !file.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} is missing", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn tcp(way: Way, peer: &str, port: u16) -> Pattern {
    Pattern { way, peer: peer.parse().unwrap(), proto: Some(Proto::Tcp), port: Some(port) }
}

#[test]
fn a_real_switch_cuts_what_is_meant_lets_go_by_itself_and_halts() {
    let Some(switch) = Switch::start() else { return };
    let enforcer = switch.enforcer();
    let _listeners: Vec<_> = [443, 2_575]
        .into_iter()
        .flat_map(|port| {
            [("server", SERVER), ("other", OTHER), ("pump", PUMP)]
                .map(|(host, address)| switch.listen(host, address, port))
        })
        .collect();
    let make = |id: &str, restriction, seconds| {
        let mut intent = sample::intent(sample::subject(&[PUMP]), restriction);
        id.clone_into(&mut intent.id);
        intent.ttl = Duration::from_secs(seconds);
        enforcer.apply(&sample::approved(enforcer.plan(&intent).unwrap())).unwrap()
    };
    let in_force = |receipt: &Receipt| matches!(enforcer.state(receipt).unwrap(), State::InForce(left) if left <= receipt.ttl);

    let flows = vec![tcp(Way::Out, SERVER, 443)];
    let block = make("A-0001", Restriction::Block { flows }, 600);
    assert!(in_force(&block));
    assert!(!switch.reaches("pump", SERVER, 443));
    assert!(switch.reaches("pump", SERVER, 2_575));
    assert!(switch.reaches("pump", OTHER, 443));
    assert!(switch.reaches("server", PUMP, 443), "the other way is cut");
    switch.network.run_on("pump", "ip neigh flush all");
    assert!(switch.reaches("pump", SERVER, 0), "ARP or ping is cut");
    enforcer.revert(&block).unwrap();
    enforcer.revert(&block).unwrap();
    assert_eq!(enforcer.state(&block).unwrap(), State::Gone);
    assert!(switch.reaches("pump", SERVER, 443));

    let allow = vec![tcp(Way::Out, SERVER, 2_575), tcp(Way::In, OTHER, 443)];
    let essentials = make("A-0002", Restriction::Essentials { allow }, 4);
    assert!(switch.reaches("pump", SERVER, 2_575));
    assert!(switch.reaches("other", PUMP, 443));
    assert!(!switch.reaches("pump", SERVER, 443));
    assert!(!switch.reaches("other", PUMP, 2_575));
    let begun = Instant::now();
    while in_force(&essentials) {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not let go");
        assert!(switch.reaches("pump", SERVER, 2_575), "an essential flow is cut");
        // Nobody accepts: a fast machine would fill the listener's queue, which looks like a cut.
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(switch.reaches("pump", SERVER, 443));

    let management = vec![OTHER.parse().unwrap()];
    let quarantine = make("A-0003", Restriction::Quarantine { management }, 600);
    let bad = Restriction::Perimeter { indicator: Indicator::Address(SERVER.parse().unwrap()) };
    let perimeter = make("A-0004", bad, 600);
    assert!(in_force(&quarantine) && in_force(&perimeter));
    assert!(switch.reaches("pump", OTHER, 443));
    assert!(!switch.reaches("pump", SERVER, 2_575));
    assert!(!switch.reaches("other", SERVER, 443));
    let begun = Instant::now();
    enforcer.revert_all(&[]).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(switch.reaches("pump", SERVER, 2_575));
    assert!(switch.reaches("other", SERVER, 443));
    assert!(!in_force(&quarantine));
}
