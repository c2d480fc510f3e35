//! What goes on in the lab's hospital all the time, with real programs, every message counted at
//! both ends.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::network::{Host, Network, Running};

pub(super) const ENGINE: &str = "engine";
pub(super) const ARCHIVE: &str = "archive";
pub(super) const BROKER: &str = "broker";
pub(super) const CT: &str = "ct";
pub(super) const WEB: &str = "web";
/// Monitors, their number, and how often each speaks, in milliseconds.
pub(super) const MONITORS: [(&str, u64); 4] =
    [("monitor1", 1_000), ("monitor2", 1_000), ("monitor3", 1_500), ("monitor4", 2_000)];
const PUMP: &str = "pump";
const READER: &str = "reader";

/// Makers, for the first half of hardware addresses (IEEE's listing).
pub(super) mod makers {
    pub(crate) const PHILIPS_MONITORING: [u8; 3] = [0x00, 0x09, 0xfb];
    pub(crate) const BRAUN: [u8; 3] = [0x00, 0x03, 0xb1];
    pub(crate) const SIEMENS: [u8; 3] = [0x00, 0x01, 0xe6];
    pub(crate) const SONOSITE: [u8; 3] = [0x00, 0x0c, 0x86];
    pub(crate) const AXIS: [u8; 3] = [0x00, 0x40, 0x8c];
    pub(crate) const LEXMARK: [u8; 3] = [0x00, 0x04, 0x00];
    pub(crate) const DELL: [u8; 3] = [0x00, 0x14, 0x22];
    pub(crate) const VMWARE: [u8; 3] = [0x00, 0x50, 0x56];
}

/// The hosts that care depends on.
pub(super) fn hosts() -> Vec<Host> {
    let host = |name: &str, number: u8, maker| Host {
        name: name.to_owned(),
        ip: [10, 99, 1, number].into(),
        maker,
    };
    let mut all = vec![
        host(ENGINE, 10, makers::VMWARE),
        host(ARCHIVE, 11, makers::VMWARE),
        host(BROKER, 12, makers::VMWARE),
        host(CT, 20, makers::SIEMENS),
        host(READER, 21, makers::DELL),
        host(PUMP, 30, makers::BRAUN),
    ];
    for (place, (name, _)) in (40u8..).zip(MONITORS) {
        all.push(host(name, place, makers::PHILIPS_MONITORING));
    }
    all.push(Host { name: WEB.to_owned(), ip: [10, 99, 2, 10].into(), maker: makers::VMWARE });
    all
}

/// What the hospital declares that care needs, for the pre-flight.
pub(super) const PROFILES: &str = r#"
[[profile]]
class = "patient_monitor"
approved_by = "the lab"
approved_on = "2026-01-01"
[[profile.needs]]
reason = "vital signs to the interface engine"
to = "10.99.1.10"
proto = "tcp"
port = 2575
every_s = 2

[[profile]]
address = "10.99.1.11"
approved_by = "the lab"
approved_on = "2026-01-01"
[[profile.needs]]
reason = "images and queries of the clinical network"
from = "10.99.1.0/24"
proto = "tcp"
port = 4242

[[profile]]
address = "10.99.1.12"
approved_by = "the lab"
approved_on = "2026-01-01"
[[profile.needs]]
reason = "messages of pumps"
from = "10.99.1.0/24"
proto = "tcp"
port = 1883
"#;

/// The hospital at work.
pub(super) struct Clinic {
    folder: PathBuf,
    exe: String,
    /// Senders of essential messages: name and log.
    senders: Vec<(String, PathBuf)>,
    running: Vec<(String, Running)>,
    mqtt: bool,
}

/// Essential messages, counted at both ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Count {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    /// Not acknowledged in time, or never seen at the other end.
    pub(super) lost: u64,
    /// Which, for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) which: Vec<String>,
}

impl Clinic {
    /// Starts servers, then devices. Logs are in `folder`.
    pub(super) fn start(network: &Network, exe: &Path, folder: &Path, mqtt: bool) -> Result<Self> {
        let mut clinic = Self {
            folder: folder.to_owned(),
            exe: exe.display().to_string(),
            senders: Vec::new(),
            running: Vec::new(),
            mqtt,
        };
        clinic.servers(network)?;
        std::thread::sleep(std::time::Duration::from_millis(500));
        for (name, every) in MONITORS {
            clinic.hl7(network, name, every)?;
        }
        let archive = network.ip(ARCHIVE)?.to_string();
        let object = image(folder, "CT")?;
        let store =
            ["storescu", "+II", "-aet", "CT1", "-aec", "ARCHIVE", &archive, "4242", &object];
        clinic.repeat(network, CT, 2_500, &store)?;
        let find = [
            "findscu",
            "-S",
            "-aet",
            "READ1",
            "-aec",
            "ARCHIVE",
            "-k",
            "0008,0052=STUDY",
            "-k",
            "0010,0020=SYN-0001",
            "-k",
            "0020,000d",
            &archive,
            "4242",
        ];
        clinic.repeat(network, READER, 4_000, &find)?;
        if mqtt {
            let broker = network.ip(BROKER)?.to_string();
            let publish = [
                "mosquitto_pub",
                "-q",
                "1",
                "-h",
                &broker,
                "-i",
                "pump1",
                "-t",
                "ward/bed1/pump",
                "-m",
                "{n}",
            ];
            clinic.repeat(network, PUMP, 2_000, &publish)?;
        }
        Ok(clinic)
    }

    fn servers(&mut self, network: &Network) -> Result<()> {
        let images = self.folder.join("images");
        fs::create_dir_all(&images)?;
        let config = self.folder.join("archive.cfg");
        fs::write(
            &config,
            format!(
                "NetworkTCPPort = 4242\nMaxPDUSize = 16384\nMaxAssociations = 32\n\
                 HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n\
                 AETable BEGIN\nARCHIVE {} RW (10000, 1024mb) ANY\nAETable END\n",
                images.display()
            ),
        )?;
        let config = config.display().to_string();
        self.run(network, ARCHIVE, &["dcmqrscp", "-c", &config])?;
        let (exe, log) = (self.exe.clone(), self.log("taken-hl7"));
        let words = [&exe, "lab-host", "mllp-server", "--listen", "0.0.0.0:2575", "--note", &log];
        self.run(network, ENGINE, &words)?;
        self.run(network, WEB, &[&exe, "lab-host", "serve", "80=login", "445=sink", "22=sink"])?;
        if self.mqtt {
            let config = self.folder.join("mosquitto.conf");
            fs::write(&config, "listener 1883\nallow_anonymous true\nuser root\n")?;
            let config = config.display().to_string();
            self.run(network, BROKER, &["mosquitto", "-c", &config])?;
        }
        Ok(())
    }

    /// A device that sends results to the engine.
    fn hl7(&mut self, network: &Network, name: &str, every: u64) -> Result<()> {
        let (exe, log) = (self.exe.clone(), self.log(&format!("sent-{name}")));
        let (to, every) = (format!("{}:2575", network.ip(ENGINE)?), every.to_string());
        let title = name.to_uppercase();
        let words = [
            &exe,
            "lab-host",
            "mllp-client",
            "--to",
            &to,
            "--name",
            &title,
            "--every-ms",
            &every,
            "--note",
            &log,
        ];
        self.run(network, name, &words)?;
        self.senders.push((name.to_owned(), PathBuf::from(log)));
        Ok(())
    }

    /// A device whose command is an essential message every time.
    pub(super) fn repeat(
        &mut self,
        network: &Network,
        name: &str,
        every: u64,
        command: &[&str],
    ) -> Result<()> {
        let (exe, log) = (self.exe.clone(), self.log(&format!("sent-{name}")));
        let every = every.to_string();
        let mut words =
            vec![exe.as_str(), "lab-host", "repeat", "--every-ms", &every, "--note", &log, "--"];
        words.extend(command);
        self.run(network, name, &words)?;
        self.senders.push((name.to_owned(), PathBuf::from(&log)));
        Ok(())
    }

    fn run(&mut self, network: &Network, name: &str, words: &[&str]) -> Result<()> {
        self.running.push((name.to_owned(), network.start(name, words)?));
        Ok(())
    }

    fn log(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Ends what a host does: for trying what happens when care misses something.
    pub(super) fn stop(&mut self, name: &str) {
        self.running.retain(|(host, _)| host != name);
        self.senders.retain(|(host, _)| host != name);
    }

    /// Counts what was sent from one time to another, in nanoseconds. Messages under way at the end
    /// are counted by whoever asks later.
    pub(super) fn count(&self, from: i64, to: i64) -> Result<Count> {
        let taken = fs::read_to_string(self.folder.join("taken-hl7")).unwrap_or_default();
        let taken: BTreeSet<&str> = taken.lines().collect();
        let mut count = Count::default();
        for (name, log) in &self.senders {
            let text = fs::read_to_string(log).with_context(|| log.display().to_string())?;
            for line in text.lines() {
                let mut words = line.split(' ');
                let (number, at) = (words.next().unwrap_or_default(), words.next());
                let at: i64 = at.and_then(|at| at.parse().ok()).unwrap_or_default();
                if !(from..to).contains(&at) {
                    continue;
                }
                count.sent += 1;
                let good = words.next().is_some_and(|word| word != "lost");
                let arrived = !name.starts_with("monitor")
                    || taken.contains(format!("{} {number}", name.to_uppercase()).as_str());
                if good && arrived {
                    count.acknowledged += 1;
                } else {
                    count.lost += 1;
                    count.which.push(format!("{name} number {number}"));
                }
            }
        }
        Ok(count)
    }

    /// Images in the archive.
    pub(super) fn images(&self) -> usize {
        let entries = fs::read_dir(self.folder.join("images"));
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy() != "index.dat").count()
    }
}

/// A synthetic image, made with DCMTK.
pub(super) fn image(folder: &Path, modality: &str) -> Result<String> {
    let object = folder.join(format!("{modality}.dcm"));
    if !object.exists() {
        let dump = folder.join(format!("{modality}.dump"));
        fs::write(
            &dump,
            format!(
                "(0008,0016) UI [1.2.840.10008.5.1.4.1.1.7]\n\
                 (0008,0018) UI [1.2.826.0.1.3680043.10.99.3]\n(0008,0060) CS [{modality}]\n\
                 (0010,0010) PN [Synthetic^Patient]\n(0010,0020) LO [SYN-0001]\n\
                 (0020,000d) UI [1.2.826.0.1.3680043.10.99.1]\n\
                 (0020,000e) UI [1.2.826.0.1.3680043.10.99.2]\n"
            ),
        )?;
        let made = std::process::Command::new("dump2dcm")
            .args([&dump, &object])
            .output()
            .context("dump2dcm")?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(object.display().to_string())
}
