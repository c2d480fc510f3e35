//! Who attacks in the lab, and how: real tools, from devices of every tier and from strangers.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::clinic::{ARCHIVE, ENGINE, MONITORS, WEB, makers};
use super::network::{Host, Network};

/// Who attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    /// An office computer that was seen before: T4.
    Office,
    /// A camera: T3.
    Camera,
    /// A printer: T3.
    Printer,
    /// An ultrasound scanner: T2.
    Ultrasound,
    /// Somebody in the office network whom nobody ever saw: T4 without any record.
    Guest,
    /// Somebody in the clinical network whom nobody ever saw: counts as T0.
    Rogue,
}

impl Who {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Office => "office computer (T4)",
            Self::Camera => "camera (T3)",
            Self::Printer => "printer (T3)",
            Self::Ultrasound => "ultrasound (T2)",
            Self::Guest => "stranger, office (T4)",
            Self::Rogue => "stranger, ward (as T0)",
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::Office => "pc",
            Self::Camera => "cam",
            Self::Printer => "prt",
            Self::Ultrasound => "us",
            Self::Guest => "guest",
            Self::Rogue => "rogue",
        }
    }

    const fn maker(self) -> [u8; 3] {
        match self {
            Self::Camera => makers::AXIS,
            Self::Printer => makers::LEXMARK,
            Self::Ultrasound => makers::SONOSITE,
            Self::Office | Self::Guest | Self::Rogue => makers::DELL,
        }
    }

    const fn is_clinical(self) -> bool {
        matches!(self, Self::Ultrasound | Self::Rogue)
    }
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    /// nmap over servers and monitors.
    Scan,
    /// hydra at a log-on.
    Guess,
    /// findscu for every patient, again and again.
    Scrape,
    /// nmap's SMB scripts at everybody: how a worm looks for neighbours.
    Worm,
    /// HL7 results that nobody measured.
    Inject,
}

impl How {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Scan => "port scan (nmap)",
            Self::Guess => "password guessing (hydra)",
            Self::Scrape => "DICOM scraping (findscu)",
            Self::Worm => "SMB fan-out (nmap scripts)",
            Self::Inject => "false HL7 results",
        }
    }
}

/// One attack to come.
#[derive(Clone, Debug)]
pub(super) struct Attack {
    pub(super) who: Who,
    pub(super) how: How,
    /// Name of the host.
    pub(super) host: String,
    pub(super) ip: Ipv4Addr,
}

/// What attackers and attacks are drawn from, as often as they stand here.
const MIX: [(Who, How); 20] = [
    (Who::Office, How::Scan),
    (Who::Office, How::Guess),
    (Who::Office, How::Scrape),
    (Who::Office, How::Worm),
    (Who::Office, How::Inject),
    (Who::Office, How::Scan),
    (Who::Office, How::Guess),
    (Who::Office, How::Worm),
    (Who::Camera, How::Scan),
    (Who::Camera, How::Guess),
    (Who::Camera, How::Worm),
    (Who::Printer, How::Scan),
    (Who::Printer, How::Worm),
    (Who::Printer, How::Guess),
    (Who::Ultrasound, How::Guess),
    (Who::Ultrasound, How::Scrape),
    (Who::Ultrasound, How::Scan),
    (Who::Guest, How::Guess),
    (Who::Guest, How::Scan),
    (Who::Rogue, How::Inject),
];

/// The attacks of a lab, in their order, and the same ones for the same seed.
pub(super) fn draw(seed: u64, runs: u16) -> Vec<Attack> {
    let mut chance = Chance(seed);
    let mut left: Vec<(Who, How)> = Vec::new();
    (0..runs)
        .map(|number| {
            if left.is_empty() {
                left.extend(MIX);
            }
            let (who, how) = left.swap_remove(chance.below(left.len()));
            attacker(who, how, number)
        })
        .collect()
}

/// An attacker of its own for every attack. The trials after the attacks have theirs, too.
pub(super) fn attacker(who: Who, how: How, number: u16) -> Attack {
    let [high, low] = number.to_be_bytes();
    let ip = if who.is_clinical() {
        // The ward's own devices are below 100.
        Ipv4Addr::new(10, 99, 1, 100 + (number % 150) as u8)
    } else {
        Ipv4Addr::new(10, 99, 3 + high, low)
    };
    Attack { who, how, host: format!("{}{number}", who.short()), ip }
}

impl Attack {
    /// Its host.
    pub(super) fn place(&self) -> Host {
        Host { name: self.host.clone(), ip: self.ip, maker: self.who.maker() }
    }

    /// The command, on its host.
    pub(super) fn words(&self, network: &Network, exe: &str, folder: &Path) -> Result<Vec<String>> {
        let (archive, engine, web) = (network.ip(ARCHIVE)?, network.ip(ENGINE)?, network.ip(WEB)?);
        let monitors = MONITORS.map(|(name, _)| name);
        let text = match self.how {
            How::Scan => {
                let [one, two, ..] = monitors;
                format!(
                    "nmap -sS -n -Pn -T4 --max-retries 1 -p 1-3000 {archive} {web} {} {}",
                    network.ip(one)?,
                    network.ip(two)?
                )
            }
            How::Guess => {
                let list = folder.join("passwords");
                if !list.exists() {
                    let words: Vec<String> = (0..2_000).map(|n| format!("secret{n}")).collect();
                    fs::write(&list, words.join("\n"))?;
                }
                format!("hydra -l admin -P {} -t 4 -I -q http-get://{web}:80/login", list.display())
            }
            How::Scrape => format!(
                "{exe} lab-host repeat --every-ms 250 --note /dev/null -- findscu -P -to 3 -ta 3 -td 3 \
                 -aet SNOOP -aec ARCHIVE -k 0008,0052=PATIENT -k 0010,0010=* -k 0010,0020 {archive} 4242"
            ),
            How::Worm => {
                let mut all = vec![archive.to_string(), engine.to_string(), web.to_string()];
                for name in monitors {
                    all.push(network.ip(name)?.to_string());
                }
                format!(
                    "{exe} lab-host repeat --every-ms 250 --note /dev/null -- nmap -n -Pn -T4 \
                     --max-retries 1 -p 445 --script smb-protocols,smb-os-discovery {}",
                    all.join(" ")
                )
            }
            How::Inject => format!(
                "{exe} lab-host mllp-client --to {engine}:2575 --name LABX --every-ms 200 \
                 --sends results --note /dev/null"
            ),
        };
        Ok(text.split_whitespace().map(str::to_owned).collect())
    }

    /// Where its later connections have to fail.
    pub(super) fn target(&self, network: &Network) -> Result<String> {
        Ok(match self.how {
            How::Scan | How::Scrape => format!("{}:4242", network.ip(ARCHIVE)?),
            How::Guess => format!("{}:80", network.ip(WEB)?),
            How::Worm => format!("{}:445", network.ip(WEB)?),
            How::Inject => format!("{}:2575", network.ip(ENGINE)?),
        })
    }
}

/// Numbers by chance from a seed (SplitMix64, Steele et al. 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % count.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attacker_has_an_address_of_its_own_and_a_seed_gives_the_same_order() {
        let attacks = draw(3, 150);
        let mut all: Vec<_> = attacks.iter().map(|attack| attack.ip).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 150);
        let same = draw(3, 150);
        assert!(attacks.iter().zip(&same).all(|(a, b)| (a.who, a.how) == (b.who, b.how)));
        assert!(draw(4, 20).iter().zip(&same).any(|(a, b)| (a.who, a.how) != (b.who, b.how)));
    }
}
