//! Runs the product over a site, as `wardwatch analyze` would, and keeps what validation needs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use assets::Inventory;
use detect::Engine;
use learn::behaviour::Behaved;
use model::privacy::SiteKey;
use model::{Case, Device, Finding, Severity, Timestamp};
use pipeline::analyze::{self, Plan, RunError, Summary};
use pipeline::outputs::{Fact, OutputError, Outputs};

use crate::site::Site;
use crate::speech::{Listener, Speech};

/// What a device did in a window, and who it was.
#[derive(Clone, Debug)]
pub struct Watched {
    /// What it did.
    pub behaved: Behaved,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Class as known then.
    pub class: &'static str,
    /// What it spoke, as far as that was recognised.
    pub speech: Option<Speech>,
    /// Whether an alert had named it as who acts, so that a case was open on it and it taught nothing.
    pub accused: bool,
}

/// What came of a run over a site.
#[derive(Debug)]
pub struct Seen {
    /// Windows in the order in which they ended.
    pub windows: Vec<Watched>,
    /// Findings in order.
    pub findings: Vec<Finding>,
    /// The devices in the end.
    pub devices: Vec<Device>,
    /// Counts.
    pub summary: Summary,
}

#[derive(Default)]
struct Keep {
    windows: Vec<Watched>,
    findings: Vec<Finding>,
    listener: Listener,
    accused: BTreeSet<IpAddr>,
}

impl Outputs for Keep {
    fn observation(&mut self, fact: Fact<'_>) -> Result<(), OutputError> {
        self.listener.hear(&fact);
        Ok(())
    }

    fn behaved(&mut self, behaved: &Behaved, inventory: &Inventory) {
        let ip = inventory.ip(behaved.device);
        self.windows.push(Watched {
            behaved: behaved.clone(),
            ip,
            accused: ip.is_some_and(|ip| self.accused.contains(&ip)),
            class: inventory.class(behaved.device).name(),
            speech: self.listener.spoke(behaved.device),
        });
    }

    fn finding(&mut self, finding: &Finding) -> Result<(), OutputError> {
        if finding.severity >= Severity::Medium {
            self.accused.extend(finding.device.ip);
        }
        self.findings.push(finding.clone());
        Ok(())
    }

    fn case(&mut self, _: &Case) -> Result<(), OutputError> {
        Ok(())
    }
}

/// Watches a site from its first packet to its last.
///
/// # Errors
/// When a log cannot be read.
pub fn watch(site: &Site, engine: &mut Engine) -> Result<Seen, RunError> {
    let plan = Plan {
        baselines: Vec::new(),
        captures: site.captures.clone(),
        logs: site.logs.clone(),
        threads: 1,
        wire: Default::default(),
        key: SiteKey::new(b"validation needs no secret"),
        speed: None,
    };
    let mut keep = Keep::default();
    let summary = analyze::run(&plan, engine, &mut keep, &mut |_| {})?;
    let devices = engine.inventory().devices();
    Ok(Seen { windows: keep.windows, findings: keep.findings, devices, summary })
}

/// An engine that learns until normal life alone ends.
pub fn engine(learn_until: Timestamp) -> Engine {
    let settings = detect::Settings { learn_until: Some(learn_until), ..Default::default() };
    Engine::new(settings, assets::Settings::default())
}
