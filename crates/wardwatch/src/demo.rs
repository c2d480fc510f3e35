//! `wardwatch demo`: a hospital on this machine.
//!
//! Makes the traffic of a hospital with normal life, attacks and harmless look-alikes, replays it
//! into a full instance, tells devices and cases as they become known, and in the end holds what was
//! found against what was hidden. No root, no network beyond loopback.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use detect::Engine;
use drill::{Plan, Truth};
use model::{Case, CaseId, Device, DeviceClass, Finding, Severity, Timestamp};
use pipeline::analyze::{Plan as Replay, Progress, run};
use pipeline::live::Counters;
use pipeline::outputs::Outputs;
use validate::scored;
use validate::site::Site;

use crate::cli::DemoArgs;
use crate::instance::{Instance, Listener, data_folder};
use crate::tables::{say, span, thousands};
use crate::{key, models};

/// Between two looks for words on cases, once everything is replayed.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs it.
pub(crate) fn demo(args: &DemoArgs) -> Result<ExitCode> {
    let temporary;
    let data = match &args.data {
        Some(folder) => data_folder(folder)?,
        None => {
            temporary = std::env::temp_dir().join(format!("wardwatch-demo-{}", std::process::id()));
            data_folder(&temporary)?
        }
    };
    let done = play(args, &data);
    if args.data.is_none() {
        let _ = std::fs::remove_dir_all(&data);
    }
    done
}

fn play(args: &DemoArgs, data: &Path) -> Result<ExitCode> {
    let plan = Plan { seed: args.seed, ..drill::demo_plan() };
    let hospital = data.join("hospital");
    say("Making a hospital: its devices, their normal life, attacks and harmless look-alikes ...");
    let made = drill::generate(&plan, &hospital).context("the hospital cannot be made")?;
    let phases: drill::Phases =
        serde_json::from_slice(&std::fs::read(hospital.join("phases.json"))?)?;
    let learn_until = Timestamp::from_seconds_f64(phases.baseline_end_epoch);
    let attacks = made.truth.iter().filter(|event| event.malicious).count();
    say(&format!(
        "{} packets of {} hosts; {attacks} attacks and {} look-alikes hidden in them.",
        thousands(made.packets),
        made.hosts,
        made.truth.len() - attacks,
    ));
    let counters = Arc::new(Counters::default());
    let mut instance =
        Instance::start(data, 512, args.listen, Arc::clone(&counters), server::Config::default())?;
    let token = instance.token.clone().unwrap_or_default();
    say(&format!("API and console: http://{}/   administrator token: {token}", instance.address));
    say("");
    let settings = detect::Settings { learn_until: Some(learn_until), ..Default::default() };
    let mut engine = Engine::new(settings, assets::Settings::default());
    let versions = models::inform(&mut engine, None)?;
    instance.labels(data, &mut engine)?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut results = instance.results(versions, &engine)?;
    results.listener = Some(Box::new(Teller {
        learn_until,
        learned: false,
        seen: Arc::clone(&seen),
        told: BTreeMap::new(),
        classes: BTreeMap::new(),
    }));
    let replay = Replay {
        baselines: Vec::new(),
        captures: vec![hospital.join("capture.pcap")],
        logs: vec![hospital.join("syslog.log"), hospital.join("audit.ndjson")],
        threads: 1,
        wire: wire::Config::default(),
        key: key::load_or_make(&data.join("site.key"))?,
        speed: (args.speed > 0.0).then_some(args.speed),
    };
    let mut progress = |at: Progress| counters.packets.store(at.packets, Ordering::Relaxed);
    say("Learning what is normal ...");
    let summary = run(&replay, &mut engine, &mut results, &mut progress)?;
    results.finish(&engine)?;
    let findings = seen.lock().unwrap_or_else(PoisonError::into_inner);
    say("");
    compare(&made.truth, &findings, &hospital)?;
    drop(findings);
    say(&format!(
        "Replayed {} of hospital in {}; the process held {} at most.",
        span(summary.stats.capture_seconds),
        span(summary.elapsed.as_secs_f64()),
        crate::tables::size(summary.stats.memory_peak),
    ));
    if !args.once {
        next(args, &instance, &token);
        // What people say of the cases still reaches the models.
        let stop = Arc::new(AtomicBool::new(false));
        instance.on_signal(Arc::clone(&stop));
        while !stop.load(Ordering::Relaxed) {
            results.chores(&mut engine)?;
            std::thread::sleep(PAUSE);
        }
        results.finish(&engine)?;
    }
    instance.stop();
    Ok(ExitCode::SUCCESS)
}

/// Tells devices and cases on the terminal as they become known.
struct Teller {
    learn_until: Timestamp,
    learned: bool,
    seen: Arc<Mutex<Vec<Finding>>>,
    /// Lines of each case's story that were told.
    told: BTreeMap<CaseId, usize>,
    classes: BTreeMap<model::DeviceId, DeviceClass>,
}

impl Listener for Teller {
    fn device(&mut self, device: &Device) {
        if device.class == DeviceClass::Unknown
            || self.classes.insert(device.id.clone(), device.class) == Some(device.class)
        {
            return;
        }
        let ip = device.ip.iter().rev().find(|ip| ip.is_ipv4()).or(device.ip.last());
        let mut because: Vec<&str> = device
            .claims
            .iter()
            .filter(|claim| claim.what != "class")
            .map(|claim| claim.source.as_str())
            .collect();
        because.sort_unstable();
        because.dedup();
        say(&format!(
            "  device  {:15}  {:22} {:14} known from {}",
            ip.map(ToString::to_string).unwrap_or_default(),
            device.class.title(),
            device.name.first().map_or("", String::as_str),
            because.join(", "),
        ));
    }

    fn finding(&mut self, finding: &Finding) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(finding.clone());
    }

    fn case(&mut self, case: &Case) {
        if case.severity < Severity::Medium {
            return;
        }
        if !self.learned && case.opened >= self.learn_until {
            self.learned = true;
            say("\nNormal life is learned. Watching.\n");
        }
        let told = self.told.get(&case.id).copied().unwrap_or(0);
        if told == 0 {
            say(&format!("CASE {}  {}", case.id, case.severity.name().to_uppercase()));
        }
        for line in case.story.iter().skip(told) {
            let clock: String = line.at.to_string().chars().skip(11).take(8).collect();
            say(&format!("  {} {clock}  {}", case.id, line.text));
        }
        if told == 0 {
            say(&format!("  {} next      {}", case.id, case.next_step));
        }
        self.told.insert(case.id.clone(), case.story.len());
    }
}

/// Holds what was found against what was hidden, as `wardwatch validate` does.
fn compare(truth: &[Truth], findings: &[Finding], hospital: &Path) -> Result<()> {
    let site = Site::read(hospital)?;
    let first = scored::first_alerts(&site, findings);
    say("What was hidden, and what was found:");
    for (event, first) in truth.iter().zip(first) {
        let verdict = match (event.malicious, first) {
            (true, Some(seconds)) => format!("found after {}", span(seconds)),
            (true, None) => "MISSED".to_owned(),
            (false, None) => "quiet, as it should be".to_owned(),
            (false, Some(_)) => "alerted, though harmless".to_owned(),
        };
        say(&format!("  {:64} {verdict}", event.label.chars().take(64).collect::<String>()));
    }
    say("");
    Ok(())
}

fn next(args: &DemoArgs, instance: &Instance, token: &str) {
    let url = format!("http://{}", instance.address);
    say("What to try next:");
    say(&format!("  open {url}/ and sign in with the token above"));
    say(&format!("  WARDWATCH_TOKEN={token} wardwatch cases --url {url}"));
    say(&format!("  WARDWATCH_TOKEN={token} wardwatch case C-0001 --url {url}"));
    say(&format!("  wardwatch demo --seed {}        another hospital", args.seed.wrapping_add(1)));
    say("  wardwatch analyze --learn-until TIME --out out YOUR.pcap    your own network");
    say("Ctrl-C ends it.");
}
