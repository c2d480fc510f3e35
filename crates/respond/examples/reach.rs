//! Measures history, pre-flight, segmentation and blast radius on a made-up hospital: how many
//! devices and conversations are given, five thousand and a hundred thousand unless said otherwise.
//! With a file of flows (`flows.jsonl`, beside its `devices.jsonl`) instead of a number, it reads
//! that; then the second number is the slots from which a conversation is established. A third
//! argument is a file for the MUD profile of the last device.
#![expect(clippy::print_stdout, reason = "it is a program")]

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::device::{Device, DeviceClass, DeviceId};
use respond::blast::{self, Graph, Limits};
use respond::essentials::{Essentials, Ground, Judge};
use respond::history::{History, Names, Seen};
use respond::segment::{self, Settings, policy};
use respond::{Conversation, Devices, Indicator, Intent, Proto, Restriction, Subject, preflight};

fn address(place: u64) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 | u32::try_from(place).unwrap_or(0)).into()
}

fn made_up(devices: u64, conversations: u64) -> (History, Vec<Subject>) {
    let mut history = History::default();
    let mut seed = 7_u64;
    let mut chance = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let kinds =
        [(104, "dicom"), (2575, "hl7"), (443, "tls"), (445, "smb"), (53, "dns"), (22, "ssh")];
    while (history.len() as u64) < conversations {
        let (port, service) = kinds[chance(6) as usize];
        let server = if chance(4) > 0 { chance(40) } else { chance(devices) };
        let client = address(chance(devices));
        let conversation =
            Conversation { client, server: address(server), proto: Proto::Tcp, port };
        let often = chance(5) == 0;
        for turn in 0..if often { 100 } else { 1 } {
            let at = Timestamp::from_parts(turn * 9_000 + chance(8_000) as i64, 0);
            let (first, last) = (at, at.plus(Duration::from_secs(2)));
            let (began, answered, packets, bytes, pause) = (true, true, 20, 9_000, None);
            history.record(&Seen {
                conversation,
                service,
                first,
                last,
                began,
                answered,
                packets,
                bytes,
                pause,
            });
        }
    }
    let all = (0..devices).map(|place| {
        let class = DeviceClass::KNOWN[(place * 31 % DeviceClass::KNOWN.len() as u64) as usize];
        subject(&format!("D-{place:04}"), address(place), class)
    });
    (history, all.collect())
}

fn subject(id: &str, address: IpAddr, class: DeviceClass) -> Subject {
    Subject {
        id: DeviceId(id.to_owned()),
        name: id.to_owned(),
        addresses: vec![address],
        class,
        tier: class.tier(),
        ..Subject::default()
    }
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    println!("{what:<44} {:>9.1} ms", began.elapsed().as_secs_f64() * 1_000.0);
    done
}

/// Policies of all devices by the first two thirds of what was recorded, held against the rest.
fn two_thirds(judge: &Judge<'_>, settings: &Settings) {
    let Some((first, last)) = judge.ground().history.recorded() else { return };
    let split = first.plus(last.since(first) * 2 / 3);
    let (mut slots, mut blocked, mut essential, mut quiet, mut devices) = (0, 0, 0, 0, 0);
    for device in judge.ground().devices.all() {
        let policy = policy::of_before(device, judge, settings, split);
        let told = policy.replay_from(device, judge, Some(split));
        devices += u64::from(told.slots > 0);
        quiet += u64::from(told.slots > 0 && told.blocked_slots == 0);
        slots += told.slots;
        blocked += told.blocked_slots;
        essential += told.blocked_essential;
    }
    println!(
        "{first} to {last}, split {split}: {devices} devices, {quiet} with nothing blocked; {blocked} of {slots} slots blocked, {essential} essential conversations"
    );
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, or| given.get(place).and_then(|text| text.parse().ok()).unwrap_or(or);
    let (history, devices) = match given.first() {
        Some(file) if file.parse::<u64>().is_err() => {
            let mut history = History::default();
            let from = BufReader::new(std::fs::File::open(file)?);
            let read = timed("flows read", || history.read_flows(from))?;
            println!("{read:?}");
            if let Ok(text) = std::fs::read_to_string(file.replace("flows.jsonl", "devices.jsonl"))
            {
                let all = text.lines().map(serde_json::from_str::<Device>);
                let all = all.collect::<Result<Vec<_>, _>>()?;
                let all = all.into_iter().map(|device| Subject {
                    addresses: device.ip,
                    ..subject(&device.id.0, IpAddr::V4(Ipv4Addr::UNSPECIFIED), device.class)
                });
                return measure(history, all.collect(), &given);
            }
            let mut hosts = BTreeMap::new();
            for (key, _) in history.all() {
                hosts.extend([key.client, key.server].map(|at| (at, DeviceClass::Unknown)));
            }
            let all = hosts
                .into_iter()
                .filter(|(at, _)| model::net::is_unicast(*at) && model::net::is_internal(*at));
            let all = all.map(|(at, class)| subject(&at.to_string(), at, class)).collect();
            (history, all)
        }
        _ => timed("made up", || made_up(number(0, 5_000), number(1, 100_000))),
    };
    measure(history, devices, &given)
}

fn measure(
    history: History,
    devices: Vec<Subject>,
    given: &[String],
) -> Result<(), Box<dyn std::error::Error>> {
    println!("{} conversations, {} devices", history.len(), devices.len());
    let first = devices.last().cloned().ok_or("no device")?;
    let mut bytes = Vec::new();
    timed("saved", || history.save(&mut bytes))?;
    println!("{} bytes", bytes.len());
    timed("loaded", || History::load(&bytes))?;
    let devices = timed("devices", || Devices::new(devices, Vec::new()));
    let (names, essentials) = (Names::default(), Essentials::default());
    let ground = Ground { history: &history, devices: &devices, names: &names };
    let judge = timed("judge", || essentials.judge(ground));
    let now = history.recorded().map(|(_, last)| last).unwrap_or_default();
    let intent = |restriction| Intent {
        id: "A-0001".to_owned(),
        subject: first.clone(),
        restriction,
        ttl: Duration::from_secs(900),
    };
    let minimum = preflight::Minimum::default();
    let quarantine = intent(Restriction::Quarantine { management: Vec::new() });
    let answer = timed("pre-flight of a quarantine", || {
        preflight::check(&quarantine, &judge, &minimum, now)
    });
    println!("{:?}: {}", answer.outcome, answer.because);
    let indicator = Indicator::Address("0.0.0.0/0".parse()?);
    let perimeter = intent(Restriction::Perimeter { indicator });
    let answer = timed("pre-flight of all addresses", || {
        preflight::check(&perimeter, &judge, &minimum, now)
    });
    println!("{:?}: {}", answer.outcome, answer.because);
    let settings = Settings::default();
    let proposal = timed("zones and conduits", || segment::propose(&judge, &settings));
    println!(
        "{} zones, {} conduits, {} rare",
        proposal.zones.len(),
        proposal.conduits.len(),
        proposal.rare
    );
    let policy = timed("policy of a device", || policy::of(&first, &judge, &settings));
    println!(
        "{} allowed, {} blocked",
        policy.allow.len(),
        policy.replay(&first, &judge).blocked_conversations
    );
    let slots = given.get(1).and_then(|text| text.parse().ok()).filter(|slots| *slots < 100);
    let settings = Settings { days: 1, slots: slots.unwrap_or(settings.slots), ..settings };
    timed("policies of the first two thirds", || two_thirds(&judge, &settings));
    let graph = timed("graph", || Graph::new(&judge, &settings));
    let told = timed("blast radius", || blast::of(&graph, first.addresses[0], &Limits::default()));
    let told = told.ok_or("nobody there")?;
    println!("observed {:?}, could {:?}", told.reaches.observed, told.reaches.could);
    for cut in &told.cuts {
        println!(
            "cut {} -> {} {}/{}: {} protected, {} kept",
            cut.from, cut.to, cut.proto, cut.port, cut.protects, cut.kept
        );
    }
    let about = respond::mud::About {
        url: "https://hospital.example/mud/x.json".to_owned(),
        ..Default::default()
    };
    if let Some(file) = given.get(2) {
        std::fs::write(file, respond::mud::write(&policy.mud(about))?)?;
    }
    Ok(())
}
