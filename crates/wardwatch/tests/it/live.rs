//! The daemon on a network of namespaces with real servers: what goes wrong is in the store, and is
//! told by the API, within seconds. Needs root and the servers' programs, and is skipped without.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::Finding;
use serde_json::Value;
use store::{Options, Query, SqliteStore, Store};

use crate::rig::{self, Desk};

/// Longest time from the start of an attack to its finding. It is about a second on a quiet
/// machine; a busy one needs longer to start the attacker's program alone.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds that count as normal.
const LEARNING: u64 = 12;

const SWITCH: &str = "sw";
const ARCHIVE: u8 = 10;
const CT: u8 = 11;
const WORKSTATION: u8 = 12;
const MONITOR: u8 = 13;
const BROKER: u8 = 14;
const SCANNER: u8 = 66;
const SNOOPER: u8 = 67;

fn address(host: u8) -> String {
    format!("10.99.0.{host}")
}

/// What is missing, where this machine cannot run the test.
fn missing() -> Option<String> {
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return Some("root".to_owned());
    }
    let programs =
        ["ip", "nmap", "dcmqrscp", "storescu", "findscu", "dump2dcm", "mosquitto", "mosquitto_pub"];
    let found = |program: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|folder| folder.join(program).exists())
    };
    programs.into_iter().find(|program| !found(program)).map(str::to_owned)
}

/// Hosts on a switch, each in a namespace of its own; all is gone in the end.
struct Network {
    prefix: String,
    running: Vec<Child>,
}

impl Network {
    fn new(hosts: &[u8]) -> Self {
        let network = Self { prefix: format!("wwl{}", std::process::id()), running: Vec::new() };
        let switch = network.space(SWITCH);
        run(&format!("ip netns add {switch}"));
        run(&format!("ip -n {switch} link set lo up"));
        run(&format!("ip -n {switch} link add bridge type bridge forward_delay 0 stp_state 0"));
        run(&format!("ip -n {switch} link set bridge addrgenmode none up"));
        for host in hosts {
            let space = network.space(&host.to_string());
            run(&format!("ip netns add {space}"));
            let wire = format!("port{host} type veth peer name eth0 netns {space}");
            run(&format!("ip -n {switch} link add {wire}"));
            run(&format!("ip -n {switch} link set port{host} master bridge addrgenmode none up"));
            run(&format!("ip -n {space} link set lo up"));
            run(&format!("ip -n {space} link set eth0 addrgenmode none up"));
            run(&format!("ip -n {space} address add {}/24 dev eth0", address(*host)));
        }
        network
    }

    fn space(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A command on a host.
    fn on(&self, name: &str, words: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(name)]).args(words.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts something that goes on.
    fn start(&mut self, name: &str, words: &str) {
        let child = self.on(name, words).spawn().unwrap();
        self.running.push(child);
    }

    /// Runs something to its end, for at most some seconds; whether it succeeded.
    fn run(&self, host: u8, words: &str) -> bool {
        let words = format!("timeout 20 {words}");
        self.on(&host.to_string(), &words).status().unwrap().success()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
        let spaces = Command::new("ip").args(["netns", "list"]).output().unwrap();
        for line in String::from_utf8_lossy(&spaces.stdout).lines() {
            let name = line.split(' ').next().unwrap_or_default();
            let own = name.strip_prefix(&self.prefix);
            if own.is_some_and(|rest| rest == SWITCH || rest.parse::<u8>().is_ok()) {
                let _ = Command::new("ip").args(["netns", "del", name]).output();
            }
        }
    }
}

fn run(command: &str) {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
}

/// A running daemon.
struct Daemon {
    child: Child,
    data: PathBuf,
    /// What it said until its API was there.
    said: Vec<String>,
}

impl Daemon {
    /// Starts one on the switch, behind `before` (words that end with the program's own start).
    fn start(
        network: &Network,
        before: &str,
        program: &Path,
        config: &Path,
        data: &Path,
        port: u16,
    ) -> Self {
        let words = format!(
            "{before} {} run --interface bridge --config {} --data {} --listen 127.0.0.1:{port}",
            program.display(),
            config.display(),
            data.display()
        );
        let mut command = network.on(SWITCH, &words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            let last = line.starts_with("Administrator token")
                || (line.starts_with("API") && data.join("second").exists());
            said.push(line);
            if last {
                break;
            }
        }
        // Whatever it says from now on is not waited for.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, data: data.to_owned(), said }
    }

    fn token(&self) -> &str {
        let line = self.said.iter().find(|line| line.starts_with("Administrator token"));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or_else(|| panic!("{:?}", self.said))
    }

    fn findings(&self) -> Vec<Finding> {
        let file = self.data.join("wardwatch.db");
        let store = SqliteStore::open_read_only(&file, Options::default()).unwrap();
        store.findings(&Query { limit: Some(1_000), ..Query::default() }).unwrap().items
    }

    /// A line of `/proc/PID/status`.
    fn status(&self, name: &str) -> Vec<u64> {
        let file = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(file).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
        line.split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    /// Asks it to end, and waits.
    fn end(&mut self) -> Option<i32> {
        run(&format!("kill -TERM {}", self.child.id()));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs an attack, and waits until each daemon has found it. The time each took.
fn attack(
    network: &Network,
    daemons: &[Daemon],
    host: u8,
    words: &str,
    detectors: &[&str],
) -> Vec<Duration> {
    let attacker = address(host);
    let begun = Instant::now();
    let mut running = network.on(&host.to_string(), words).spawn().unwrap();
    let is_it = |finding: &Finding| {
        finding.device.ip.is_some_and(|ip| ip.to_string() == attacker)
            && detectors.contains(&finding.detector.as_str())
    };
    let mut times = vec![None; daemons.len()];
    while times.contains(&None) && begun.elapsed() < Duration::from_secs(30) {
        for (daemon, time) in daemons.iter().zip(&mut times) {
            if time.is_none()
                && let Some(finding) = daemon.findings().iter().find(|finding| is_it(finding))
            {
                *time = Some(begun.elapsed());
                assert!(finding.case.is_some(), "{} has no case", finding.title);
                eprintln!("{:?}: {} {}", begun.elapsed(), finding.severity, finding.title);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = running.kill();
    let _ = running.wait();
    let found: Vec<Duration> = times.into_iter().flatten().collect();
    let all: Vec<Vec<Finding>> = daemons.iter().map(Daemon::findings).collect();
    assert_eq!(found.len(), daemons.len(), "{words} was not found by all: {all:#?}");
    found
}

const OBJECT: &str = "(0008,0016) UI [1.2.840.10008.5.1.4.1.1.7]\n\
    (0008,0018) UI [1.2.826.0.1.3680043.10.99.3]\n(0008,0060) CS [CT]\n\
    (0010,0010) PN [Synthetic^Patient]\n(0010,0020) LO [SYN-0001]\n\
    (0020,000d) UI [1.2.826.0.1.3680043.10.99.1]\n(0020,000e) UI [1.2.826.0.1.3680043.10.99.2]\n";

/// Files that everybody on the network uses.
fn prepare(desk: &Desk) -> PathBuf {
    let open = |path: &Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    open(&desk.path(""));
    let dump = desk.file("object.dump", OBJECT);
    let object = desk.path("object.dcm");
    run(&format!("dump2dcm {} {}", dump.display(), object.display()));
    std::fs::create_dir(desk.path("archive")).unwrap();
    desk.file(
        "archive.cfg",
        format!(
            "NetworkTCPPort = 4242\nMaxPDUSize = 16384\nMaxAssociations = 16\n\
             HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n\
             AETable BEGIN\nARCHIVE {} RW (10, 1024mb) ANY\nAETable END\n",
            desk.path("archive").display()
        ),
    );
    desk.file("mosquitto.conf", "listener 1883\nallow_anonymous true\nuser root\n");
    desk.file("w.toml", format!("[learning]\nseconds = {LEARNING}\n"));
    // Where a user without privileges can start it.
    let program = desk.path("wardwatch");
    std::fs::copy(env!("CARGO_BIN_EXE_wardwatch"), &program).unwrap();
    open(&program);
    program
}

/// One round of what goes on every day.
fn live(network: &Network, desk: &Desk) {
    let archive = address(ARCHIVE);
    let object = desk.path("object.dcm");
    let stored = format!("storescu -aet CT1 -aec ARCHIVE {archive} 4242 {}", object.display());
    assert!(network.run(CT, &stored), "the archive takes no image");
    let patient = "-k 0008,0052=STUDY -k 0010,0020=SYN-0001 -k 0020,000d";
    let asked = format!("findscu -S -aet WS1 -aec ARCHIVE {patient} {archive} 4242");
    assert!(network.run(WORKSTATION, &asked), "the archive answers no query");
    let said = format!("mosquitto_pub -h {} -i monitor1 -t ward/bed1/hr -m 72", address(BROKER));
    assert!(network.run(MONITOR, &said), "the broker takes no message");
}

#[test]
fn attacks_on_a_live_network_are_found_within_seconds_without_privileges() {
    if let Some(missing) = missing() {
        eprintln!("skipped: the live test needs {missing}");
        return;
    }
    let _alone = rig::alone();
    let desk = Desk::new();
    let program = prepare(&desk);
    let hosts = [ARCHIVE, CT, WORKSTATION, MONITOR, BROKER, SCANNER, SNOOPER];
    let mut network = Network::new(&hosts);
    let archive_config = desk.path("archive.cfg").display().to_string();
    network.start(&ARCHIVE.to_string(), &format!("dcmqrscp -c {archive_config}"));
    let broker_config = desk.path("mosquitto.conf").display().to_string();
    network.start(&BROKER.to_string(), &format!("mosquitto -c {broker_config}"));

    // One is started as root and gives that away; one was never root and may only capture.
    let unprivileged = "setpriv --reuid=65534 --regid=65534 --clear-groups \
        --inh-caps=+net_raw --ambient-caps=+net_raw";
    let (first, second) = (desk.path("first"), desk.path("second"));
    std::fs::create_dir(&second).unwrap();
    std::os::unix::fs::chown(&second, Some(65_534), Some(65_534)).unwrap();
    let config = desk.path("w.toml");
    let mut daemons = [
        Daemon::start(&network, "", &program, &config, &first, 8470),
        Daemon::start(&network, unprivileged, &program, &config, &second, 8471),
    ];
    for daemon in &daemons {
        assert!(daemon.status("Uid").iter().all(|uid| *uid != 0), "still root");
        assert!(daemon.status("Gid").iter().all(|gid| *gid != 0), "still in the group of root");
        assert_eq!(daemon.status("NoNewPrivs"), [1]);
        assert_eq!(daemon.status("Seccomp"), [2], "system calls are not filtered");
    }

    let begun = Instant::now();
    network.start(
        &WORKSTATION.to_string(),
        &format!("mosquitto_sub -h {} -i station1 -t ward/#", address(BROKER)),
    );
    while begun.elapsed() < Duration::from_secs(LEARNING + 2) {
        live(&network, &desk);
    }
    live(&network, &desk);
    std::thread::sleep(Duration::from_secs(1));
    for daemon in &daemons {
        let findings = daemon.findings();
        assert!(findings.is_empty(), "normal life is no attack: {findings:#?}");
    }

    let archive = address(ARCHIVE);
    let scan =
        attack(&network, &daemons, SCANNER, &format!("nmap -sS -n -Pn {archive}"), &["scan"]);
    let everybody = "-k 0008,0052=PATIENT -k 0010,0010=* -k 0010,0020";
    let snoop = attack(
        &network,
        &daemons,
        SNOOPER,
        &format!("findscu -P -aet SNOOP -aec ARCHIVE {everybody} {archive} 4242"),
        &["dicom_query"],
    );
    eprintln!("from start of attack to stored finding: scan {scan:?}, query {snoop:?}");
    for time in scan.iter().chain(&snoop) {
        assert!(*time < PATIENCE, "found after {time:?}");
    }

    // The API tells the same to who has the token, and nothing to who has not.
    let ask = |token: &str| {
        let words = format!("{} cases --json --url http://127.0.0.1:8470", program.display());
        let mut command = network.on(SWITCH, &words);
        command.stdout(Stdio::piped()).env("WARDWATCH_TOKEN", token).output().unwrap()
    };
    let told = ask(daemons[0].token());
    assert!(told.status.success());
    let cases: Vec<Value> = String::from_utf8(told.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(cases.len() >= 2, "{cases:?}");
    let refused = ask("guessed");
    assert!(!refused.status.success() && refused.stdout.is_empty());

    // Told to end, it stores what it learned, and goes on from there.
    let before = daemons[0].findings().len();
    for daemon in &mut daemons {
        assert_eq!(daemon.end(), Some(0));
    }
    desk.file("first/second", "");
    let again = Daemon::start(&network, "", &program, &config, &first, 8470);
    assert!(again.said.iter().any(|line| line.contains("learned before")), "{:?}", again.said);
    live(&network, &desk);
    std::thread::sleep(Duration::from_secs(2));
    let findings = again.findings();
    assert_eq!(findings.len(), before, "normal life is news after a restart: {findings:#?}");
}
