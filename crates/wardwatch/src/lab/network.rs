//! The lab's network: a bridge in a namespace, hosts in namespaces of their own.
//!
//! The sensor has what a mirror port gives: a copy of every packet as it comes into the switch,
//! before anything is cut there. Everything of a lab is in namespaces that begin with its prefix, and
//! a process of the lab is a process in one of them: ending both is the whole of cleaning up.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// What names of namespaces of all labs begin with; a process number follows, and a dash.
const PREFIX: &str = "wwlab";
/// The switch.
pub(super) const SWITCH: &str = "switch";
/// The bridge in it.
const BRIDGE: &str = "ward0";
/// The mirror port, and where it is plugged in.
pub(super) const MIRROR: &str = "span0";
const MIRRORED: &str = "span1";
/// Length of the network.
const BITS: u8 = 16;

/// A host to be.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) ip: Ipv4Addr,
    /// First half of its hardware address: whose make it is.
    pub(super) maker: [u8; 3],
}

/// A network that stands.
pub(super) struct Network {
    own: String,
    hosts: BTreeMap<String, Host>,
    logs: PathBuf,
}

/// A process on a host, ended with its value.
pub(super) struct Running(Child);

impl Running {
    pub(super) const fn new(child: Child) -> Self {
        Self(child)
    }

    pub(super) const fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Network {
    /// Builds it. `logs` is where what processes say goes.
    pub(super) fn build(hosts: Vec<Host>, logs: &Path) -> Result<Self> {
        let own = format!("{PREFIX}{}-", std::process::id());
        let hosts: BTreeMap<String, Host> =
            hosts.into_iter().map(|host| (host.name.clone(), host)).collect();
        let network = Self { own, hosts, logs: logs.to_owned() };
        let switch = network.space(SWITCH);
        let names = network.hosts.keys().map(|name| network.space(name));
        let mut spaces = format!("netns add {switch}\n");
        names.for_each(|space| spaces.push_str(&format!("netns add {space}\n")));
        batch(&[], &spaces)?;
        let mut links = format!(
            "link set lo up\n\
             link add {BRIDGE} type bridge forward_delay 0 stp_state 0 mcast_snooping 0\n\
             link set {BRIDGE} addrgenmode none up\n\
             link add {MIRRORED} type veth peer name {MIRROR}\n\
             link set {MIRRORED} addrgenmode none up\nlink set {MIRROR} addrgenmode none up\n"
        );
        for (place, name) in network.hosts.keys().enumerate() {
            let space = network.space(name);
            links.push_str(&format!(
                "link add p{place} type veth peer name eth0 netns {space}\n\
                 link set p{place} master {BRIDGE} addrgenmode none up\n"
            ));
        }
        batch(&["-n", &switch], &links)?;
        for host in network.hosts.values() {
            let ([a, b, c], [.., x, y]) = (host.maker, host.ip.octets());
            let [_, w, ..] = host.ip.octets();
            let card = format!(
                "link set lo up\n\
                 link set eth0 address {a:02x}:{b:02x}:{c:02x}:{w:02x}:{x:02x}:{y:02x}\n\
                 link set eth0 addrgenmode none up\naddress add {}/{BITS} dev eth0\n",
                host.ip
            );
            batch(&["-n", &network.space(&host.name)], &card)?;
        }
        network.mirror()?;
        Ok(network)
    }

    /// Copies what comes in at any port to the mirror port.
    fn mirror(&self) -> Result<()> {
        let ports: Vec<String> = (0..self.hosts.len()).map(|place| format!("p{place}")).collect();
        let rules = format!(
            "table netdev lab {{ chain mirror {{\n\
             type filter hook ingress devices = {{ {} }} priority -500; policy accept;\n\
             dup to \"{MIRRORED}\"\n}}\n}}\n",
            ports.join(", ")
        );
        let mut nft = self.on(SWITCH, &["nft", "-f", "-"])?;
        feed(nft.stdin(Stdio::piped()).stderr(Stdio::piped()), &rules).context("the mirror port")
    }

    /// Name of the namespace of a host.
    pub(super) fn space(&self, name: &str) -> String {
        format!("{}{name}", self.own)
    }

    /// Where a host is.
    pub(super) fn ip(&self, name: &str) -> Result<Ipv4Addr> {
        let host = self.hosts.get(name);
        host.map(|host| host.ip).with_context(|| format!("there is no host '{name}'"))
    }

    /// A command on a host, silent. It ends with the thread that starts it.
    pub(super) fn on(&self, name: &str, words: &[&str]) -> Result<Command> {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.space(name), "setpriv", "--pdeathsig", "KILL"])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(command)
    }

    /// Starts something that goes on. What it says goes to `HOST.log`.
    pub(super) fn start(&self, name: &str, words: &[&str]) -> Result<Running> {
        let log = self.logs.join(format!("{name}.log"));
        let log = File::options().create(true).append(true).open(&log)?;
        let mut command = self.on(name, words)?;
        command.stdout(log.try_clone()?).stderr(log);
        Ok(Running(command.spawn().with_context(|| words.join(" "))?))
    }

    /// Runs something to its end; whether it succeeded.
    pub(super) fn does(&self, name: &str, words: &[&str]) -> Result<bool> {
        let status = self.on(name, words)?.status().with_context(|| words.join(" "))?;
        Ok(status.success())
    }

    /// What something says.
    pub(super) fn says(&self, name: &str, words: &[&str]) -> Result<String> {
        let mut command = self.on(name, words)?;
        let output = command.stdout(Stdio::piped()).output().with_context(|| words.join(" "))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        remove(&self.own);
    }
}

/// Removes what labs left whose process is gone.
pub(super) fn sweep() -> usize {
    let left: Vec<String> = spaces()
        .into_iter()
        .filter(|name| {
            let number = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
            number.is_some_and(|(number, _)| {
                number.parse::<u32>().is_ok() && !Path::new("/proc").join(number).exists()
            })
        })
        .collect();
    left.iter().for_each(|space| end(space));
    left.len()
}

/// Removes what this process built.
pub(super) fn remove_own() {
    remove(&format!("{PREFIX}{}-", std::process::id()));
}

fn remove(own: &str) {
    spaces().iter().filter(|name| name.starts_with(own)).for_each(|space| end(space));
}

fn spaces() -> Vec<String> {
    let listed = Command::new("ip").args(["netns", "list"]).output();
    let text = listed.map(|output| output.stdout).unwrap_or_default();
    let lines = String::from_utf8_lossy(&text);
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Ends all processes in a namespace, and it.
fn end(space: &str) {
    let pids = Command::new("ip").args(["netns", "pids", space]).output();
    let pids = pids.map(|output| output.stdout).unwrap_or_default();
    for pid in String::from_utf8_lossy(&pids).split_whitespace() {
        if pid.parse::<u32>().is_ok_and(|pid| pid != std::process::id()) {
            let _ = Command::new("kill").args(["-KILL", pid]).output();
        }
    }
    let _ = Command::new("ip").args(["netns", "del", space]).output();
}

/// Many lines of `ip` at once.
fn batch(before: &[&str], lines: &str) -> Result<()> {
    let mut command = Command::new("ip");
    command.args(before).args(["-batch", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    feed(&mut command, lines).context("the network cannot be built")
}

fn feed(command: &mut Command, text: &str) -> Result<()> {
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
