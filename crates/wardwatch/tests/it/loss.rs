//! The daemon between two network namespaces: what it loses is counted to the packet and becomes a
//! case, and the packets of a case are kept where that was asked for. Needs root, `ip` and `curl`,
//! and is skipped without.

use std::io::{BufRead, BufReader};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use capture::FileReader;
use model::Finding;
use serde_json::Value;
use store::{CaseRecord, Options, Query, SqliteStore, Store};

use crate::rig::Desk;

/// What the far side of the cable does, when this program is started again as that.
const ROLE: &str = "WARDWATCH_TEST_ROLE";
const PATIENCE: Duration = Duration::from_secs(30);
const FAR: &str = "10.98.0.1";
const NEAR: &str = "10.98.0.2";
const SECRET: &[u8] = b"SECRET^PATIENT";

fn missing() -> Option<String> {
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return Some("root".to_owned());
    }
    let found = |program: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|folder| folder.join(program).exists())
    };
    ["ip", "curl"].into_iter().find(|program| !found(program)).map(str::to_owned)
}

fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Two namespaces on a cable: `out` on the far side, `in` on the near side, where the daemon is.
struct Cable(String);

impl Cable {
    fn new(name: &str) -> Self {
        let cable = Self(format!("wwc{}{name}", std::process::id()));
        let (far, near) = (cable.far(), cable.near());
        run(&format!("ip netns add {far}"));
        run(&format!("ip netns add {near}"));
        run(&format!("ip link add out netns {far} type veth peer name in netns {near}"));
        run(&format!("ip -n {far} link set out addrgenmode none address 02:00:00:00:00:01 up"));
        run(&format!("ip -n {near} link set in addrgenmode none address 02:00:00:00:00:02 up"));
        run(&format!("ip -n {near} link set lo up"));
        run(&format!("ip -n {far} address add {FAR}/24 dev out"));
        // Nobody has to ask for addresses: there are no packets but those that a test sends.
        let known = "lladdr 02:00:00:00:00:02 dev out nud permanent";
        run(&format!("ip -n {far} neighbour replace {NEAR} {known}"));
        cable
    }

    fn far(&self) -> String {
        format!("{}a", self.0)
    }

    fn near(&self) -> String {
        format!("{}b", self.0)
    }

    /// Does something on the far side.
    fn act(&self, role: &str) {
        let this = std::env::current_exe().unwrap();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.far()]).arg(this);
        command.args(["--exact", "loss::far_side", "--ignored"]).env(ROLE, role);
        let done = command.stdout(Stdio::null()).status().unwrap();
        assert!(done.success(), "{role}");
    }

    /// Packets that the cable has brought.
    fn brought(&self) -> u64 {
        let about = run(&format!("ip -n {} -s link show in", self.near()));
        let mut lines = about.lines().skip_while(|line| !line.trim_start().starts_with("RX:"));
        lines.nth(1).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in [self.far(), self.near()] {
            let _ = Command::new("ip").args(["netns", "del", &name]).output();
        }
    }
}

/// Not a test: what the far side of a cable does.
#[test]
#[ignore = "started by the tests on the far side of a cable"]
fn far_side() {
    let role = std::env::var(ROLE).unwrap_or_default();
    let mut words = role.split(' ');
    match words.next() {
        Some("datagrams") => {
            let count: u32 = words.next().unwrap().parse().unwrap();
            let sockets: Vec<UdpSocket> =
                (0..50).map(|_| UdpSocket::bind((FAR, 0)).unwrap()).collect();
            let payload: Vec<u8> = SECRET.iter().copied().cycle().take(1_400).collect();
            for n in 0..count {
                let socket = &sockets[n as usize % sockets.len()];
                socket.send_to(&payload, (NEAR, 9)).unwrap();
                if n % 100 == 0 {
                    // The kernel's own queue between the two sides is short.
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
        Some("scan") => {
            let socket = UdpSocket::bind((FAR, 0)).unwrap();
            for port in 1..200 {
                let address = format!("{NEAR}:{port}").parse().unwrap();
                let refused = TcpStream::connect_timeout(&address, Duration::from_secs(1));
                assert!(refused.is_err());
                socket.send_to(SECRET, (NEAR, 9)).unwrap();
            }
        }
        _ => {}
    }
}

struct Daemon {
    child: Child,
    near: String,
    data: PathBuf,
    port: u16,
    token: String,
}

impl Daemon {
    fn start(cable: &Cable, desk: &Desk, name: &str, config: &str, port: u16) -> Self {
        let open = |path: &Path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        open(&desk.path(""));
        let (near, data) = (cable.near(), desk.path(name));
        let config = desk.file(&format!("{name}.toml"), config);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &near, env!("CARGO_BIN_EXE_wardwatch"), "run"]);
        command.args(["--interface", "in", "--listen", &format!("127.0.0.1:{port}")]);
        command.arg("--config").arg(config).arg("--data").arg(&data);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let token = loop {
            let line = lines.next().expect("it says its token").unwrap();
            if let Some(token) = line.strip_prefix("Administrator token") {
                break token.split(": ").nth(1).unwrap().to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, near, data, port, token }
    }

    fn curl(&self, words: &[&str], path: &str) -> String {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.near, "curl", "-s", "-f"]).args(words);
        command.arg(format!("http://127.0.0.1:{}{path}", self.port));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    fn get(&self, path: &str) -> String {
        let body = serde_json::json!({ "token": self.token }).to_string();
        let json = "Content-Type: application/json";
        let begun = self.curl(&["-H", json, "-d", &body], "/api/v1/session");
        let begun: Value = serde_json::from_str(&begun).unwrap_or_default();
        let session = begun["token"].as_str().unwrap_or_default();
        self.curl(&["-H", &format!("Authorization: Bearer {session}")], path)
    }

    /// What the pipeline counts.
    fn counts(&self) -> Value {
        let stats: Value = serde_json::from_str(&self.get("/api/v1/stats")).unwrap_or_default();
        stats["pipeline"].clone()
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open_read_only(&self.data.join("wardwatch.db"), Options::default()).unwrap()
    }

    fn findings(&self, detector: &str) -> Vec<Finding> {
        let query = Query { limit: Some(1_000), ..Query::default() };
        let all = self.store().findings(&query).unwrap().items;
        all.into_iter().filter(|finding| finding.detector == detector).collect()
    }

    fn cases(&self) -> Vec<CaseRecord> {
        self.store().cases(&Query { limit: Some(100), ..Query::default() }).unwrap().items
    }

    fn signal(&self, name: &str) {
        run(&format!("kill -{name} {}", self.child.id()));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until there is an answer.
fn wait<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_is_lost_is_counted_to_the_packet_and_becomes_one_case() {
    if let Some(missing) = missing() {
        eprintln!("skipped: the test of losses needs {missing}");
        return;
    }
    let desk = Desk::new();
    let cable = Cable::new("l");
    let daemon =
        Daemon::start(&cable, &desk, "data", "[capture]\nring_mib = 1\nthreads = 2\n", 8480);

    // The consumer is paused while more comes than its rings can hold.
    daemon.signal("STOP");
    cable.act("datagrams 6000");
    let brought = cable.brought();
    daemon.signal("CONT");
    assert!(brought <= 6_000 && brought > 4_000, "{brought}");
    let counts = wait("all packets are accounted for", || {
        let counts = daemon.counts();
        (counts["interfaces"][0]["packets"] == brought).then_some(counts)
    });
    let lost = counts["interfaces"][0]["lost"].as_u64().unwrap();
    assert!(lost > 0, "{counts}");
    assert_eq!(counts["packets"].as_u64().unwrap() + lost, brought, "{counts}");
    assert_eq!(counts["drops"]["kernel"], lost);
    let metrics = daemon.get("/metrics");
    let line = format!("wardwatch_interface_lost_packets_total{{interface=\"in\"}} {lost}");
    assert!(metrics.contains(&line), "{metrics}");

    let finding = wait("the loss is told once it is over", || {
        let findings = daemon.findings("sensor_loss");
        assert!(findings.len() <= 1, "{findings:#?}");
        findings.into_iter().find(|finding| finding.title.contains(" from "))
    });
    let share = format!(
        "({},{:03} of {},{:03})",
        lost / 1_000,
        lost % 1_000,
        brought / 1_000,
        brought % 1_000
    );
    assert!(finding.title.starts_with("Blind on in from "), "{}", finding.title);
    assert!(finding.title.contains(&share), "{} {share}", finding.title);

    // The interface goes down, which is the same sensor's case.
    run(&format!("ip -n {} link set in down", cable.near()));
    std::thread::sleep(Duration::from_secs(3));
    run(&format!("ip -n {} link set in up", cable.near()));
    let down = wait("that the interface was down is told", || {
        let findings = daemon.findings("sensor_loss");
        findings.into_iter().find(|finding| finding.title.contains("the interface was down"))
    });
    assert_eq!(down.case, finding.case);
    let cases = daemon.cases();
    assert_eq!(cases.len(), 1, "{cases:#?}");
    assert!(
        wait("it is up again", || {
            let counts = daemon.counts();
            (counts["interfaces"][0]["up"] == true).then_some(counts)
        })["interfaces"][0]["seconds_down"]
            .as_f64()
            .is_some_and(|seconds| (2.0..6.0).contains(&seconds))
    );
}

/// All packets of a capture.
fn packets(file: &Path) -> Vec<Vec<u8>> {
    let mut reader = FileReader::open(file).unwrap();
    let mut out = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        out.extend(block.packets().map(|packet| packet.data.to_vec()));
    }
    out
}

#[test]
fn the_packets_of_a_case_are_kept_where_asked_for_and_without_payload_if_so_wished() {
    if let Some(missing) = missing() {
        eprintln!("skipped: the test of evidence needs {missing}");
        return;
    }
    let desk = Desk::new();
    let cable = Cable::new("e");
    run(&format!("ip -n {} address add {NEAR}/24 dev in", cable.near()));
    let config = |keep: &str| {
        format!("[learning]\nseconds = 0\n[evidence]\nkeep = \"{keep}\"\nafter_seconds = 2\n")
    };
    let daemons = [("off", 8481), ("headers", 8482), ("full", 8483)]
        .map(|(keep, port)| Daemon::start(&cable, &desk, keep, &config(keep), port));
    std::thread::sleep(Duration::from_secs(1));
    cable.act("scan");
    for daemon in &daemons {
        wait("the scan is found", || daemon.findings("scan").pop());
    }
    std::thread::sleep(Duration::from_secs(4));
    let scan = daemons[2].findings("scan").pop().unwrap();
    let file = |daemon: &Daemon| {
        let case = daemon.findings("scan").pop().unwrap().case.unwrap();
        daemon.data.join(format!("evidence/{case}.pcapng"))
    };
    assert!(!file(&daemons[0]).exists() && !daemons[0].data.join("evidence").exists());
    let has_secret = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|window| window == SECRET);
    for (daemon, secret) in [(&daemons[1], false), (&daemons[2], true)] {
        // What was written stays, however the process ends.
        daemon.signal("KILL");
        let file = file(daemon);
        let about = file.metadata().unwrap();
        assert_eq!((about.mode() & 0o777, about.uid()), (0o600, 65_534));
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(has_secret(&bytes), secret, "{}", file.display());
        let comment = format!("{}: ", scan.id);
        assert!(bytes.windows(comment.len()).any(|window| window == comment.as_bytes()));
        let packets = packets(&file);
        // A request and an answer for each of most ports, and the datagrams between them.
        assert!(packets.len() > 400, "{}", packets.len());
        let ends = [[10, 98, 0, 1], [10, 98, 0, 2]];
        for packet in packets.iter().filter(|packet| packet[12..14] == [8, 0]) {
            assert!(ends.contains(&packet[26..30].try_into().unwrap()), "{packet:02x?}");
            assert!(secret || packet.len() <= 74, "{packet:02x?}");
        }
        for oracle in [&["tcpdump", "-n", "-r"][..], &["capinfos", "-c"], &["tshark", "-n", "-r"]] {
            let mut command = Command::new(oracle[0]);
            let Ok(said) = command.args(&oracle[1..]).arg(&file).output() else { continue };
            let out = String::from_utf8_lossy(&said.stdout);
            assert!(said.status.success(), "{oracle:?}: {}", String::from_utf8_lossy(&said.stderr));
            let agrees = match oracle[0] {
                "capinfos" => out.contains(&format!("{}", packets.len())),
                _ => out.lines().count() == packets.len(),
            };
            assert!(agrees, "{oracle:?} sees something else than {} packets", packets.len());
        }
    }
}
