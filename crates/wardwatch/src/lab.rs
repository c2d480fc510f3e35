//! `wardwatch lab`: a small hospital on this machine with a real bridge, real clinical traffic, real
//! attack tools and a real firewall, in which Wardwatch responds by itself; and what it measures.
//!
//! Everything is in network namespaces and is gone in the end, also when it was killed: the next
//! start removes what an earlier one left. Nothing of the machine's own network is touched.
//!
//! What is loosened for the lab is in `shield::POLICY`, adopted and signed by two people like any
//! policy, and is said in the output.

mod attack;
mod clinic;
mod clock;
mod host;
mod ledger;
mod mllp;
mod network;
mod report;
mod run;
mod shield;
mod trials;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use store::{Options, Query, SqliteStore, Store};

pub(crate) use host::host;

use self::attack::{Attack, Who};
use self::clinic::{ARCHIVE, Clinic, ENGINE, WEB};
use self::network::{Host, Network, Running};
use self::report::Report;
use self::shield::Shield;
use crate::cli::LabArgs;
use crate::instance::STORE;
use crate::tables::say;

/// Programs that the lab needs, and the packages of Debian that bring them.
const NEEDS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("setpriv", "util-linux"),
    ("dcmqrscp", "dcmtk"),
    ("storescu", "dcmtk"),
    ("findscu", "dcmtk"),
    ("dump2dcm", "dcmtk"),
    ("nmap", "nmap"),
    ("hydra", "hydra"),
];
/// Seconds between the two times at which an ultrasound scanner works: one of them is a test, two
/// are its work.
const APART: Duration = Duration::from_secs(22);
/// Somebody in the office who attacks nobody, and whoever looks at cameras.
const BYSTANDER: &str = "desk";
const RECORDER: &str = "nvr";

/// A running lab.
struct Lab {
    exe: PathBuf,
    folder: PathBuf,
    bystander: String,
    ledger: ledger::Reader,
    /// Up to when essential messages were counted, in nanoseconds.
    counted: i64,
    // In the order in which they end.
    _things: Vec<Running>,
    clinic: Clinic,
    shield: Shield,
    network: Network,
}

/// `wardwatch lab`.
pub(crate) fn lab(args: &LabArgs) -> Result<ExitCode> {
    if let Some(missing) = missing() {
        bail!(crate::exit::Usage::from_error(missing));
    }
    let swept = network::sweep();
    end_with_signal()?;
    let tell = |text: &str| {
        if !args.json {
            say(text);
        }
    };
    if swept > 0 {
        tell(&format!("Removed {swept} namespaces that an earlier lab left."));
    }
    let (folder, temporary) = folder(args.out.as_deref())?;
    let attacks = attack::draw(args.seed, args.runs);
    let report = work(args, &folder, &attacks, &tell);
    // Whatever happened, nothing of it stays on the network.
    network::remove_own();
    if !args.keep {
        let _ = fs::remove_dir_all(folder.join("instance"));
    }
    let report = report.with_context(|| format!("the logs are in {}", folder.display()))?;
    let text = serde_json::to_string_pretty(&report)?;
    fs::write(folder.join("report.json"), &text)?;
    if args.json {
        say(&text);
    } else {
        report.show();
    }
    if temporary && !args.keep {
        let _ = fs::remove_dir_all(&folder);
    } else {
        tell(&format!("Report and logs: {}", folder.display()));
    }
    Ok(if report.safe { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn work(args: &LabArgs, folder: &Path, attacks: &[Attack], tell: &dyn Fn(&str)) -> Result<Report> {
    let begun = Instant::now();
    let mut lab = Lab::start(folder, attacks, tell)?;
    tell(&format!("Ready after {} s. {} attacks begin.", begun.elapsed().as_secs(), attacks.len()));
    let from = clock::nanos();
    lab.counted = from;
    let mut runs = Vec::new();
    let mut left = attacks.iter();
    let mut number = 0;
    while let Some(attack) = left.next() {
        number += 1;
        let mut going = vec![run::begin(&lab, attack)?];
        // Every seventh is two attacks at once.
        if number % 7 == 0
            && let Some(second) = left.next()
        {
            going.push(run::begin(&lab, second)?);
        }
        for outcome in run::finish(&mut lab, going, number)? {
            let verified = outcome.steps.verified;
            tell(&format!(
                "{number:>4}  {} from {}: {}; {} essential messages, {} lost",
                outcome.attack,
                outcome.attacker,
                match verified {
                    Some(seconds) if outcome.automatic =>
                        format!("{}, verified after {seconds:.2} s", outcome.what),
                    _ if outcome.automatic => format!("{}, NOT VERIFIED", outcome.what),
                    _ => "left to people".to_owned(),
                },
                outcome.essential.sent,
                outcome.essential.lost
            ));
            runs.push(outcome);
        }
    }
    let trials = if args.only_attacks { Vec::new() } else { trials::all(&mut lab, tell)? };
    std::thread::sleep(Duration::from_secs(1));
    let essential = lab.clinic.count(from, clock::nanos() - 900_000_000)?;
    let images = lab.clinic.images();
    Ok(Report::new(args.seed, runs, trials, essential, images))
}

impl Lab {
    /// Builds the network, starts Wardwatch and the hospital, and lets it learn.
    fn start(folder: &Path, attacks: &[Attack], tell: &dyn Fn(&str)) -> Result<Self> {
        let exe = std::env::current_exe().context("where this program is")?;
        let extra = trials::attackers();
        let everybody: Vec<&Attack> = attacks.iter().chain(&extra).collect();
        let mut hosts = clinic::hosts();
        let office = |name: &str, number| Host {
            name: name.to_owned(),
            ip: Ipv4Addr::new(10, 99, 2, number),
            maker: clinic::makers::DELL,
        };
        hosts.extend([office(BYSTANDER, 20), office(RECORDER, 21)]);
        hosts.extend(everybody.iter().map(|attack| attack.place()));
        tell(&format!("Builds a network of {} hosts and a bridge.", hosts.len()));
        let network = Network::build(hosts, folder)?;
        // Introductions take some processes each, on a machine that may be slow.
        let learning = APART + Duration::from_secs(10 + everybody.len() as u64);
        let mut shield = Shield::start(&network, &exe, folder, learning)?;
        let begun = Instant::now();
        let mqtt = found("mosquitto") && found("mosquitto_pub");
        let clinic = Clinic::start(&network, &exe, folder, mqtt)?;
        tell(&format!(
            "The hospital works{}. Wardwatch listens on the mirror port and learns for {} s.",
            if mqtt { "" } else { " (without MQTT: mosquitto is not installed)" },
            learning.as_secs()
        ));
        shield.adopt(shield::POLICY)?;
        shield.arm()?;
        tell(
            "Adopted by two people, for the lab only: minutes of recording are enough (usually 24 hours), restrictions end after a minute, breakers are wide, cases of medium severity count. T2 is armed up to L3, T3 and T4 up to L4.",
        );
        let things = introduce(&network, &exe, folder, &everybody)?;
        shield.start_hand(&network)?;
        std::thread::sleep((learning + Duration::from_secs(2)).saturating_sub(begun.elapsed()));
        let ledger = ledger::Reader::new(&shield.response());
        Ok(Self {
            exe,
            folder: folder.to_owned(),
            bystander: BYSTANDER.to_owned(),
            ledger,
            counted: clock::nanos(),
            _things: things,
            clinic,
            shield,
            network,
        })
    }

    /// When something of at least medium severity was found about an address, from a time on.
    fn found(&self, ip: IpAddr, from: i64) -> Result<Option<i64>> {
        let file = self.shield.data.join(STORE);
        let store = SqliteStore::open_read_only(&file, Options::default())?;
        let query =
            Query { limit: Some(500), severity: Some(model::Severity::Medium), ..Query::default() };
        let findings = store.findings(&query)?.items;
        let own = findings.iter().filter(|finding| finding.device.ip == Some(ip));
        Ok(own.map(|finding| finding.at.nanos()).filter(|at| *at >= from).min())
    }
}

/// What everybody does while Wardwatch learns, so that it knows them.
fn introduce(
    network: &Network,
    exe: &Path,
    folder: &Path,
    everybody: &[&Attack],
) -> Result<Vec<Running>> {
    let exe = exe.display().to_string();
    let archive = network.ip(ARCHIVE)?.to_string();
    let web = format!("{}:80", network.ip(WEB)?);
    let image = clinic::image(folder, "US")?;
    let fetch = |host: &str, from: &str, path: &str| {
        network.does(host, &[&exe, "lab-host", "fetch", "--from", from, "--path", path])
    };
    let knock = |host: &str, at: &str| network.does(host, &[&exe, "lab-host", "knock", "--at", at]);
    let store = |attack: &Attack| {
        let title = attack.host.to_uppercase();
        for _ in 0..3 {
            let words =
                ["storescu", "+II", "-aet", &title, "-aec", "ARCHIVE", &archive, "4242", &image];
            if !network.does(&attack.host, &words)? {
                bail!("the archive takes no image of {title}");
            }
        }
        Ok(())
    };
    let of = |who: Who| everybody.iter().copied().filter(move |attack| attack.who == who);
    let begun = Instant::now();
    of(Who::Ultrasound).try_for_each(store)?;
    let mut things = Vec::new();
    for attack in of(Who::Camera) {
        let words = [exe.as_str(), "lab-host", "serve", "80=onvif", "554=sink"];
        things.push(network.start(&attack.host, &words)?);
    }
    for attack in of(Who::Printer) {
        let words = [exe.as_str(), "lab-host", "serve", "631=ipp", "9100=sink"];
        things.push(network.start(&attack.host, &words)?);
    }
    for attack in of(Who::Office) {
        fetch(&attack.host, &web, "/")?;
    }
    for target in [&web, &format!("{archive}:4242"), &format!("{}:445", network.ip(WEB)?)] {
        knock(BYSTANDER, target)?;
    }
    knock(BYSTANDER, &format!("{}:2575", network.ip(ENGINE)?))?;
    for attack in of(Who::Camera) {
        fetch(RECORDER, &format!("{}:80", attack.ip), "/onvif/device_service")?;
        knock(RECORDER, &format!("{}:554", attack.ip))?;
    }
    for attack in of(Who::Printer) {
        for who in [BYSTANDER, RECORDER] {
            fetch(who, &format!("{}:631", attack.ip), "/ipp/print")?;
            knock(who, &format!("{}:9100", attack.ip))?;
        }
    }
    std::thread::sleep(APART.saturating_sub(begun.elapsed()));
    of(Who::Ultrasound).try_for_each(store)?;
    Ok(things)
}

/// What is missing, where this machine cannot run it.
fn missing() -> Option<String> {
    let root = fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    if !root {
        return Some(
            "the lab makes network namespaces and firewall rules, which needs root: run it with sudo"
                .to_owned(),
        );
    }
    let missing: Vec<_> = NEEDS.iter().filter(|(program, _)| !found(program)).collect();
    if missing.is_empty() {
        return None;
    }
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let programs: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    Some(format!(
        "the lab needs {}: on Debian, 'apt-get install {}'",
        programs.join(", "),
        packages.join(" ")
    ))
}

fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// Where everything goes; whether it is a temporary folder.
fn folder(out: Option<&Path>) -> Result<(PathBuf, bool)> {
    let folder = match out {
        Some(out) => out.to_owned(),
        None => std::env::temp_dir().join(format!("wardwatch-lab-{}", std::process::id())),
    };
    if folder.join("instance").exists() {
        bail!(crate::exit::Usage::from_error(format!(
            "{}: an earlier lab is there; give another folder",
            folder.display()
        )));
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // The sensor goes on as somebody without rights, and has to reach its own folder.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    Ok((folder.canonicalize()?, out.is_none()))
}

/// Told to end, everything of the lab goes first.
fn end_with_signal() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        if runtime.block_on(crate::instance::signal()).is_ok() {
            network::remove_own();
            std::process::exit(130);
        }
    });
    Ok(())
}
