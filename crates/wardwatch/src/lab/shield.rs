//! Wardwatch in the lab: the sensor, the hand, accounts, an adopted policy and armed tiers; all
//! through the command line and the API, as a hospital would.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::clinic;
use super::host::{PASSWORD, TOKEN};
use super::network::{MIRROR, Network, Running, SWITCH};

/// The people of the lab: an analyst and a clinical engineer.
pub(super) const ANALYST: &str = "sam";
pub(super) const CLINICAL: &str = "kim";
/// Their password, which protects nothing: it is in the source.
const SECRET: &str = "lab-password-of-nobody";
/// Where the API listens, in the switch's namespace.
const API: &str = "127.0.0.1:8470";

/// What the lab loosens, and why. Everything else is the default.
pub(super) const POLICY: &str = "\
# Of the lab, and for nowhere else: minutes of recording instead of a day, restrictions that are gone
# after a minute, and breakers wide enough for many attacks in a row.
[automatic]
severity = \"medium\"
recorded_hours = 0
leave_alone_hours = 0
[breakers]
class_per_ward = 1000
class_per_mille = 1000
actions_per_ten_minutes = 1000
actions_per_hour = 1000
rollbacks_per_hour = 1000
waiting = 1000
[tiers.T0]
ttl_minutes = 1
[tiers.T0i]
ttl_minutes = 1
[tiers.T1]
ttl_minutes = 1
[tiers.T2]
ttl_minutes = 1
[tiers.T3]
ttl_minutes = 1
[tiers.T4]
ttl_minutes = 1
";

/// Wardwatch in the lab.
pub(super) struct Shield {
    pub(super) data: PathBuf,
    config: PathBuf,
    exe: PathBuf,
    daemon: Option<Running>,
    hand: Option<Running>,
}

/// What a command said, and how it ended.
pub(super) struct Said {
    pub(super) good: bool,
    pub(super) text: String,
}

impl Shield {
    /// Writes what a hospital would write, and starts the sensor.
    pub(super) fn start(
        network: &Network,
        exe: &Path,
        folder: &Path,
        learning: Duration,
    ) -> Result<Self> {
        let data = folder.join("instance");
        let config = folder.join("wardwatch.toml");
        fs::write(
            &config,
            format!(
                "[site]\nname = \"lab\"\ninternal = [\"10.99.0.0/16\"]\n\
                 clinical = [\"10.99.1.0/24\"]\n[learning]\nseconds = {}\n",
                learning.as_secs()
            ),
        )?;
        let mut shield = Self { data, config, exe: exe.to_owned(), daemon: None, hand: None };
        shield.good(None, &["respond", "init"])?;
        let response = shield.response();
        let nft = folder.join("nft");
        fs::write(&nft, slow_nft(folder))?;
        fs::set_permissions(&nft, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        fs::write(
            response.join("response.toml"),
            format!(
                "management = [\"10.99.2.250\"]\n[contacts]\nsecurity = \"the lab\"\n\
                 [[verify]]\ninterface = \"{MIRROR}\"\nside = \"mirror\"\n\
                 [enforcers.nftables]\nfamily = \"bridge\"\nnetns = \"{}\"\ncommand = [\"{}\"]\n",
                network.space(SWITCH),
                nft.display()
            ),
        )?;
        fs::write(response.join("profiles").join("lab.toml"), clinic::PROFILES)?;
        let token = shield.start_daemon(network)?.context("no administrator's token was told")?;
        let mut accounts = network.on(
            SWITCH,
            &[
                &shield.exe.display().to_string(),
                "lab-host",
                "accounts",
                "--api",
                API,
                &format!("{ANALYST}=analyst"),
                &format!("{CLINICAL}=clinical"),
            ],
        )?;
        let made = accounts.env(TOKEN, token).env(PASSWORD, SECRET).stderr(Stdio::piped()).output();
        let made = made.context("accounts")?;
        ensure!(made.status.success(), "accounts: {}", String::from_utf8_lossy(&made.stderr));
        Ok(shield)
    }

    /// Starts the sensor; the administrator's token where it is the first time.
    pub(super) fn start_daemon(&mut self, network: &Network) -> Result<Option<String>> {
        let (exe, config, data) = self.paths();
        let words = [
            exe.as_str(),
            "run",
            "--interface",
            MIRROR,
            "--config",
            &config,
            "--data",
            &data,
            "--listen",
            API,
        ];
        let mut command = network.on(SWITCH, &words)?;
        let log = fs::File::options().create(true).append(true).open(self.log("run.log"))?;
        let mut child = Running::new(command.stdout(Stdio::piped()).stderr(log).spawn()?);
        let out = child.child().stdout.take().context("no output")?;
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let begun = Instant::now();
        let (mut token, mut serves) = (None, None);
        while begun.elapsed() < Duration::from_secs(60) {
            match told.recv_timeout(Duration::from_millis(100)) {
                Ok(line) if line.starts_with("API") => serves = Some(Instant::now()),
                Ok(line) if line.starts_with("Administrator token") => {
                    token = line.split(": ").nth(1).map(str::to_owned);
                }
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(_) => bail!("the daemon ended: see {}", self.log("run.log").display()),
            }
            // A token is told right behind, and only the first time.
            if serves.is_some_and(|at: Instant| at.elapsed() > Duration::from_millis(150)) {
                self.daemon = Some(child);
                return Ok(token);
            }
        }
        bail!("the daemon does not serve: see {}", self.log("run.log").display())
    }

    /// Starts the process that enforces.
    pub(super) fn start_hand(&mut self, network: &Network) -> Result<()> {
        let (exe, config, data) = self.paths();
        let words = [exe.as_str(), "enforce", "--config", &config, "--data", &data];
        let mut command = network.on(SWITCH, &words)?;
        let log = fs::File::options().create(true).append(true).open(self.log("enforce.log"))?;
        self.hand = Some(Running::new(command.stdout(log.try_clone()?).stderr(log).spawn()?));
        std::thread::sleep(Duration::from_millis(300));
        let ended = self.hand.as_mut().and_then(|hand| hand.child().try_wait().ok().flatten());
        ensure!(ended.is_none(), "enforce ended: see {}", self.log("enforce.log").display());
        Ok(())
    }

    /// Ends both at once, as a power cut would.
    pub(super) fn kill(&mut self) {
        self.daemon = None;
        self.kill_hand();
    }

    /// Ends the process that enforces.
    pub(super) fn kill_hand(&mut self) {
        self.hand = None;
    }

    /// Stops and continues the process that enforces.
    pub(super) fn signal_hand(&self, signal: &str) -> Result<()> {
        let id = self.hand.as_ref().context("nobody enforces")?.id().to_string();
        Command::new("kill").args([signal, &id]).status()?;
        Ok(())
    }

    /// Adopts a policy: both have to sign where it is looser than before.
    pub(super) fn adopt(&self, text: &str) -> Result<()> {
        let file = self.data.with_file_name("policy.toml");
        fs::write(&file, text)?;
        let file = file.display().to_string();
        let words = ["respond", "policy", "--adopt", &file];
        let first = self.good(Some(ANALYST), &words)?;
        if first.contains("Signed") {
            self.good(Some(CLINICAL), &words)?;
        }
        Ok(())
    }

    /// Arms what may be done.
    pub(super) fn arm(&self) -> Result<()> {
        for (tier, level) in [("T2", "L3"), ("T3", "L4"), ("T4", "L4")] {
            for who in [ANALYST, CLINICAL] {
                self.good(Some(who), &["respond", "arm", tier, "--level", level])?;
            }
        }
        Ok(())
    }

    /// Ends a halt.
    pub(super) fn resume(&self) -> Result<()> {
        for who in [ANALYST, CLINICAL] {
            self.good(Some(who), &["respond", "resume"])?;
        }
        Ok(())
    }

    /// Has somebody do something on the command line.
    pub(super) fn asks(&self, who: Option<&str>, words: &[&str]) -> Result<Said> {
        let mut command = Command::new(&self.exe);
        command.args(words).args(["--data", &self.data.display().to_string()]);
        if words.first() != Some(&"ledger") {
            command.args(["--config", &self.config.display().to_string()]);
        }
        if let Some(who) = who {
            command.args(["--user", who]).env(PASSWORD, SECRET);
        }
        let output = command.stdin(Stdio::null()).output().with_context(|| words.join(" "))?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(Said { good: output.status.success(), text })
    }

    /// The same, where it has to succeed.
    pub(super) fn good(&self, who: Option<&str>, words: &[&str]) -> Result<String> {
        let said = self.asks(who, words)?;
        ensure!(said.good, "wardwatch {}: {}", words.join(" "), said.text.trim());
        Ok(said.text)
    }

    /// The folder of response.
    pub(super) fn response(&self) -> PathBuf {
        self.data.join(crate::respond::FOLDER)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.data.with_file_name(name)
    }

    fn paths(&self) -> (String, String, String) {
        let shown = |path: &Path| path.display().to_string();
        (shown(&self.exe), shown(&self.config), shown(&self.data))
    }
}

/// `nft`, but where a file `slow` is there it waits once before it changes anything: an enforcer
/// that answers late. Questions, which are asked at any time, do not use it up.
fn slow_nft(folder: &Path) -> String {
    let slow = folder.join("slow").display().to_string();
    format!(
        "#!/bin/sh\nif [ \"$1\" = -f ] && rm '{slow}' 2>/dev/null; then sleep 3; fi\nexec nft \"$@\"\n"
    )
}
