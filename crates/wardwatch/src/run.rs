//! `wardwatch run`: the daemon.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use capture::{LiveConfig, LiveSource, Privileges};
use detect::Engine;
use model::SiteKey;
use pipeline::listen;
use pipeline::live::{Counters, Plan, inbox, run as run_live};

use crate::cli::RunArgs;
use crate::config::{Config, EVIDENCE, EvidenceKept};
use crate::instance::{Instance, data_folder};
use crate::respond::{FOLDER, Place, Responder};
use crate::tables::say;
use crate::{exit, feedback, key, models};

/// Runs it until it is told to end.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode> {
    let config = Config::load(args.config.as_deref()).map_err(exit::Usage::from_error)?;
    let interfaces =
        if args.interface.is_empty() { &config.capture.interfaces } else { &args.interface };
    if interfaces.is_empty() && config.logs == crate::config::Logs::default() {
        bail!(exit::Usage::from_error(
            "nothing to listen to: give --interface IF, or capture.interfaces or a log listener in the configuration"
        ));
    }
    let data = data_folder(&args.data)?;
    let key = site_key(&config, &data)?;
    let mut engine = Engine::new(
        detect::Settings {
            learn_until: None,
            learning_seconds: config.learning.seconds,
            settle_days: config.learning.settle_days,
            models: config.learning.models,
            tolerance: config.tolerance(),
            case_minutes: config.learning.case_minutes,
        },
        config.inventory(),
    );
    let versions = match config.learning.models {
        true => models::inform(&mut engine, Some(&data))?,
        false => models::Versions::default(),
    };
    if !args.baseline.is_empty() {
        learn(args, &config, &key, &mut engine)?;
    }
    let place = Place::new(&data, &config)?;
    let office = Arc::new(place.office()?);
    let lists = place.blocklists()?;
    // Whatever needs privileges is opened first; then they are given away; then threads begin.
    let sources = open(interfaces, &config)?;
    let listeners = Listeners::bind(&config)?;
    feedback::make_file(&data)?;
    give_away(&config, &data)?;
    let counters = Arc::new(Counters::of(&sources));
    let listen_on = args.listen.unwrap_or(config.server.listen);
    let response = server::Config {
        response: Some(Arc::clone(&office)),
        blocklists: lists,
        ..server::Config::default()
    };
    let mut instance =
        Instance::start(&data, config.store.max_mib, listen_on, Arc::clone(&counters), response)?;
    if args.baseline.is_empty() && instance.load(&mut engine)? {
        say("Goes on from what was learned before.");
    }
    instance.labels(&data, &mut engine)?;
    announce(&instance, interfaces);
    match config.evidence.keep {
        EvidenceKept::Off => {}
        EvidenceKept::Headers => say("Keeps the headers of packets around findings as evidence."),
        EvidenceKept::Full => {
            say("Keeps whole packets around findings as evidence; they may hold patient data.");
        }
    }
    let stop = Arc::new(AtomicBool::new(false));
    instance.on_signal(Arc::clone(&stop));
    let (to, records) = inbox();
    listeners.start(listen::Shared {
        key: key.clone(),
        inbox: to,
        counters: Arc::clone(&counters),
        stop: Arc::clone(&stop),
    });
    let plan = Plan {
        sources,
        wire: config.wire(),
        key,
        stop: Arc::clone(&stop),
        counters: Arc::clone(&counters),
        evidence: config.evidence(&data),
    };
    let mut results = instance.results(versions, &engine)?;
    results.responder = Some(Responder::new(place, office)?);
    let ended = run_live(plan, &records, &mut engine, &mut results);
    stop.store(true, Ordering::Relaxed);
    results.finish(&engine)?;
    instance.stop();
    ended?;
    say("Ended as asked; everything is stored.");
    Ok(ExitCode::SUCCESS)
}

fn site_key(config: &Config, data: &Path) -> Result<SiteKey> {
    let file = config.privacy.key_file.clone().unwrap_or_else(|| data.join("site.key"));
    key::load_or_make(&file)
}

fn learn(args: &RunArgs, config: &Config, key: &SiteKey, engine: &mut Engine) -> Result<()> {
    let plan = pipeline::analyze::Plan {
        baselines: args.baseline.clone(),
        captures: Vec::new(),
        logs: Vec::new(),
        threads: 1,
        wire: config.wire(),
        key: key.clone(),
        speed: None,
    };
    let mut nowhere = pipeline::outputs::Nowhere;
    let summary = pipeline::analyze::run(&plan, engine, &mut nowhere, &mut |_| {})?;
    if let Some(trouble) = summary.unreadable.first() {
        bail!("{trouble}");
    }
    say(&format!(
        "Learned from {} packets; {} devices known.",
        summary.stats.packets,
        engine.inventory().len()
    ));
    Ok(())
}

fn open(interfaces: &[String], config: &Config) -> Result<Vec<LiveSource>> {
    let mut sources = Vec::new();
    for (number, interface) in interfaces.iter().enumerate() {
        let live = LiveConfig {
            number: u16::try_from(number).unwrap_or(u16::MAX),
            ring_bytes: (config.capture.ring_mib as usize) << 20,
            members: config.capture.threads,
            promiscuous: config.capture.promiscuous,
            ..LiveConfig::on(interface.as_str())
        };
        sources.extend(LiveSource::open(&live)?);
    }
    Ok(sources)
}

/// Sockets for log records.
struct Listeners {
    udp: Option<UdpSocket>,
    tcp: Option<TcpListener>,
}

impl Listeners {
    fn bind(config: &Config) -> Result<Self> {
        let explain = |what, address| {
            format!(
                "cannot listen for syslog over {what} on {address}: is another program there, or does the port need root?"
            )
        };
        let udp = config
            .logs
            .syslog_udp
            .map(|address| UdpSocket::bind(address).with_context(|| explain("UDP", address)));
        let tcp = config
            .logs
            .syslog_tcp
            .map(|address| TcpListener::bind(address).with_context(|| explain("TCP", address)));
        Ok(Self { udp: udp.transpose()?, tcp: tcp.transpose()? })
    }

    fn start(self, shared: listen::Shared) {
        if let Some(socket) = self.udp {
            let shared = shared.clone();
            std::thread::spawn(move || listen::udp(&socket, &shared));
        }
        if let Some(listener) = self.tcp {
            std::thread::spawn(move || listen::tcp(&listener, &shared));
        }
    }
}

/// Becomes somebody who may only write the data folder.
fn give_away(config: &Config, data: &Path) -> Result<()> {
    if is_root()? {
        let (uid, gid) = account(&config.capture.user)?;
        hand_over(data, uid, gid)?;
    }
    let privileges = Privileges {
        user: Some(config.capture.user.clone()),
        read: ["/proc/self", "/etc/localtime", "/usr/share/zoneinfo", "/dev/urandom"]
            .iter()
            .map(Into::into)
            .filter(|path: &std::path::PathBuf| path.exists())
            .collect(),
        write: vec![data.to_owned()],
    };
    let dropped = privileges.drop()?;
    say(&dropped.to_string());
    reachable(data, dropped.uid)
}

/// Whether the data folder can still be reached, now that this process is somebody else.
fn reachable(data: &Path, uid: u32) -> Result<()> {
    let folders: Vec<&Path> = data.ancestors().collect();
    // From the root on: the first that cannot be looked into is the one to name.
    for pair in folders.windows(2).rev() {
        let [inner, outer] = pair else { continue };
        if let Err(error) = inner.symlink_metadata()
            && error.kind() == std::io::ErrorKind::PermissionDenied
        {
            bail!(exit::Usage::from_error(format!(
                "{}: user {uid}, as whom Wardwatch goes on, may not enter this folder (it has no 'x' for that user), and so cannot reach the data folder {}. Let it in with 'chmod o+x {}', or give a folder elsewhere with --data, such as /var/lib/wardwatch, or another account in capture.user",
                outer.display(),
                data.display(),
                outer.display(),
            )));
        }
    }
    if let Err(error) = std::fs::read_dir(data) {
        bail!(exit::Usage::from_error(format!(
            "{}: user {uid}, as whom Wardwatch goes on, may not use the data folder ({error}). Give it to that user with 'chown {uid} {}', or another folder with --data",
            data.display(),
            data.display(),
        )));
    }
    Ok(())
}

fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self").context("/proc/self: cannot be read")?.uid() == 0)
}

/// User and group number of an account, from a name in /etc/passwd, `uid` or `uid:gid`.
fn account(user: &str) -> Result<(u32, u32)> {
    let (uid, gid) = user.split_once(':').unwrap_or((user, user));
    if let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse()) {
        return Ok((uid, gid));
    }
    let accounts = std::fs::read_to_string("/etc/passwd").context("/etc/passwd: cannot be read")?;
    let found = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(user)).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((uid, gid))
    });
    found.with_context(|| {
        format!("there is no account '{user}': give another in capture.user of the configuration")
    })
}

/// Gives the data folder and the files in it to the account that goes on.
fn hand_over(data: &Path, uid: u32, gid: u32) -> Result<()> {
    let give = |path: &Path| {
        chown(path, Some(uid), Some(gid))
            .with_context(|| format!("{}: cannot be given to user {uid}", path.display()))
    };
    let mut folders = vec![data.to_owned()];
    // Only our own files and folders: a link could lead anywhere.
    for own in [EVIDENCE, FOLDER] {
        let own = data.join(own);
        if own.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            folders.push(own);
        }
    }
    for folder in folders {
        give(&folder)?;
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.symlink_metadata().is_ok_and(|about| about.is_file()) {
                give(&path)?;
            }
        }
    }
    Ok(())
}

fn announce(instance: &Instance, interfaces: &[String]) {
    if !interfaces.is_empty() {
        say(&format!("Listens on {}; never sends.", interfaces.join(", ")));
    }
    say(&format!("API and console: http://{}/", instance.address));
    if let Some(token) = &instance.token {
        say(&format!("Administrator token (shown this once): {token}"));
    }
}
