//! Captures and log files to the end: `wardwatch analyze`.
//!
//! Blocks of a capture are read once. With one thread, the packets of a block are followed and its
//! observations told, block after block. With more, every thread walks every block and follows its
//! share of the flows; a block's observations are told in the order of its packets once all threads
//! are done with it, while they already work on the next ones.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capture::{Block, CaptureError, Files, PacketSource};
use crossbeam_channel::{Receiver, Sender, bounded};
use detect::Engine;
use model::KindMap;
use model::case::Case;
use model::finding::{Finding, Severity};
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;
use wire::config::Shard;

use crate::merge;
use crate::outputs::{self, OutputError, Outputs};
use crate::records::Records;
use crate::stats::{Models, Stats, memory_peak};
use crate::told::Told;
use crate::worker::Worker;

/// Blocks that may be on their way at once: enough to keep all threads busy, few enough to bound
/// memory.
const IN_FLIGHT: usize = 6;

/// What to analyse, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Captures that only teach, in order.
    pub baselines: Vec<PathBuf>,
    /// Captures, in order.
    pub captures: Vec<PathBuf>,
    /// Log files.
    pub logs: Vec<PathBuf>,
    /// Threads that read packets, at least one.
    pub threads: usize,
    /// Limits and times of the flow engine.
    pub wire: wire::Config,
    /// Key under which patients become tokens.
    pub key: SiteKey,
    /// Tell results at the speed of the capture times this; as fast as possible where there is none.
    pub speed: Option<f64>,
}

/// What went wrong in a run, beside what is counted.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A log file.
    #[error(transparent)]
    Log(#[from] logs::reader::ReadError),
    /// A result could not be kept.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Summary {
    /// Counts.
    pub stats: Stats,
    /// Captures and logs that could not be read to their end; everything before was.
    pub unreadable: Vec<String>,
    /// The first log records that could not be read.
    pub complaints: Vec<String>,
    /// Time of the first and last packet.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Findings by severity.
    pub findings: BTreeMap<Severity, u64>,
    /// Cases by severity, as they stood at the end.
    pub cases: BTreeMap<Severity, u64>,
    /// Time it took.
    pub elapsed: Duration,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes read of the captures on disk.
    pub read: u64,
    /// Of so many, where that is known.
    pub total: Option<u64>,
    /// Time of the capture.
    pub now: Timestamp,
    /// Packets read.
    pub packets: u64,
}

/// Runs to the end of all input.
///
/// # Errors
/// When a log file cannot be opened, or a result cannot be kept. Captures that cannot be read are
/// told in the summary: what was read before counts.
pub fn run(
    plan: &Plan,
    engine: &mut Engine,
    out: &mut dyn Outputs,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, RunError> {
    let begun = Instant::now();
    let mut teller = Teller {
        engine,
        out,
        summary: Summary::default(),
        cases: BTreeMap::new(),
        seen: KindMap::default(),
        speed: plan.speed,
        clock: None,
        telling: Duration::ZERO,
    };
    if !plan.baselines.is_empty() {
        teller.engine.teach(true);
        let mut none = Records::open(&[], plan.key.clone())?;
        let mut files = Files::new(&plan.baselines);
        follow(plan, &mut files, &mut none, &mut teller, progress)?;
        teller.engine.teach(false);
    }
    let mut records = Records::open(&plan.logs, plan.key.clone())?;
    let mut files = Files::new(&plan.captures);
    follow(plan, &mut files, &mut records, &mut teller, progress)?;
    teller.summary.stats.lost_before_capture(files.drops());
    teller.rest(&mut records)?;
    let Teller { engine, mut summary, cases, seen, telling, .. } = teller;
    summary.stats.add_observations(&seen);
    let telling = telling.as_secs_f64();
    summary.cases = cases.values().fold(BTreeMap::new(), |mut by, severity| {
        *by.entry(*severity).or_insert(0) += 1;
        by
    });
    summary.unreadable.extend(records.failure().map(|error| error.to_string()));
    summary.complaints = records.complaints().to_vec();
    let stats = &mut summary.stats;
    (stats.log_records, stats.log_errors) = records.counts();
    stats.findings_repeated = engine.repeated();
    stats.models = Models::of(engine.behaviour());
    stats.threads = plan.threads.max(1);
    stats.memory_peak = memory_peak();
    stats.capture_seconds =
        summary.span.map_or(0.0, |(first, last)| last.seconds_since(first).max(0.0));
    for (severity, count) in &summary.findings {
        stats.findings.insert(severity.name().to_owned(), *count);
    }
    summary.elapsed = begun.elapsed();
    let total = summary.elapsed.as_secs_f64();
    stats.seconds.insert("total".to_owned(), total);
    stats.seconds.insert("detection_and_output".to_owned(), telling);
    stats.seconds.insert("packets_to_observations".to_owned(), (total - telling).max(0.0));
    Ok(summary)
}

/// Follows one chain of captures to its end.
fn follow(
    plan: &Plan,
    files: &mut Files,
    records: &mut Records,
    teller: &mut Teller<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    if plan.threads <= 1 {
        alone(plan, files, records, teller, progress)
    } else {
        together(plan, files, records, teller, progress)
    }
}

fn alone(
    plan: &Plan,
    files: &mut Files,
    records: &mut Records,
    teller: &mut Teller<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    let mut worker = Worker::new(plan.wire, plan.key.clone());
    let (back, used) = bounded(1);
    let told = |worker: &mut Worker| {
        let mut list = used.try_recv().unwrap_or_default();
        worker.swap(&mut list);
        Told::new(vec![list], vec![back.clone()])
    };
    while let Some(block) = next_block(files, &mut teller.summary) {
        walk(&mut worker, &block);
        teller.seen(&block);
        teller.tell(told(&mut worker), records)?;
        progress(teller.progress(files));
    }
    let mut more = true;
    while more {
        more = worker.finish_some(files.packets_read());
        teller.tell(told(&mut worker), records)?;
    }
    teller.summary.stats.add_engine(&worker.stats(), worker.malformed());
    Ok(())
}

fn together(
    plan: &Plan,
    files: &mut Files,
    records: &mut Records,
    teller: &mut Teller<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    let count = u32::try_from(plan.threads).unwrap_or(u32::MAX);
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for index in 0..count {
            let (to, work): (Sender<Arc<Block>>, Receiver<Arc<Block>>) = bounded(IN_FLIGHT);
            let (done, from) = bounded::<Vec<Observation>>(IN_FLIGHT);
            let (back, used) = bounded::<Vec<Observation>>(IN_FLIGHT);
            let share = plan.threads;
            let config = wire::Config {
                shard: Some(Shard { index, count }),
                max_flows: plan.wire.max_flows / share,
                max_flow_bytes: plan.wire.max_flow_bytes / share,
                max_held_bytes: plan.wire.max_held_bytes / share,
                max_fragment_bytes: plan.wire.max_fragment_bytes / share,
                ..plan.wire
            };
            let key = plan.key.clone();
            let thread = scope.spawn(move || {
                let mut worker = Worker::new(config, key);
                let mut packets = 0;
                for block in work {
                    walk(&mut worker, &block);
                    packets = block.first_packet() + block.len() as u64;
                    drop(block);
                    let mut told = used.try_recv().unwrap_or_default();
                    worker.swap(&mut told);
                    // The other side is gone only when the run has ended with an error.
                    if done.send(told).is_err() {
                        break;
                    }
                }
                let mut more = true;
                while more {
                    more = worker.finish_some(packets);
                    more &= done.send(worker.take()).is_ok();
                }
                drop(done);
                (worker.stats(), worker.malformed().clone())
            });
            threads.push((to, from, back, thread));
        }
        let mut flying = 0;
        let mut more = true;
        while more || flying > 0 {
            if more && flying < IN_FLIGHT {
                match next_block(files, &mut teller.summary) {
                    Some(block) => {
                        teller.seen(&block);
                        let block = Arc::new(block);
                        for (to, ..) in &threads {
                            let _ = to.send(Arc::clone(&block));
                        }
                        flying += 1;
                        continue;
                    }
                    None => more = false,
                }
            }
            if flying > 0 {
                let lists = gather(threads.iter().map(|(_, from, ..)| from));
                flying -= 1;
                let back = threads.iter().map(|(.., back, _)| back.clone()).collect();
                teller.tell(Told::new(lists, back), records)?;
                progress(teller.progress(files));
            }
        }
        let mut lasts = Vec::new();
        for (to, from, _, thread) in threads {
            drop(to);
            lasts.push((from, thread));
        }
        let lists = lasts.iter().map(|(from, _)| from.iter());
        merge::pieces(lists, |list| teller.tell(Told::new(vec![list], Vec::new()), records))?;
        for (_, thread) in lasts {
            if let Ok((stats, malformed)) = thread.join() {
                teller.summary.stats.add_engine(&stats, &malformed);
            }
        }
        Ok(())
    })
}

/// One answer of every thread.
fn gather<'a>(from: impl Iterator<Item = &'a Receiver<Vec<Observation>>>) -> Vec<Vec<Observation>> {
    from.map(|receiver| receiver.recv().unwrap_or_default()).collect()
}

fn walk(worker: &mut Worker, block: &Block) {
    for (number, packet) in (block.first_packet()..).zip(block.packets()) {
        worker.packet(number, &packet);
    }
}

/// The next block that can be read; files that cannot are noted and passed over.
fn next_block(files: &mut Files, summary: &mut Summary) -> Option<Block> {
    loop {
        match files.next_block() {
            Ok(block) => return block,
            Err(error) => summary.unreadable.push(explain(&error)),
        }
    }
}

fn explain(error: &CaptureError) -> String {
    error.to_string()
}

/// Tells observations to the engine and results to the outputs, in order.
struct Teller<'a> {
    engine: &'a mut Engine,
    out: &'a mut dyn Outputs,
    summary: Summary,
    cases: BTreeMap<model::CaseId, Severity>,
    /// Observations by kind.
    seen: KindMap<u64>,
    speed: Option<f64>,
    clock: Option<(Instant, Timestamp)>,
    telling: Duration,
}

impl Teller<'_> {
    fn seen(&mut self, block: &Block) {
        let summary = &mut self.summary;
        let (mut packets, mut bytes) = (0, 0);
        for packet in block.packets() {
            packets += 1;
            bytes += u64::from(packet.wire_len);
            summary.span = Some(match summary.span {
                None => (packet.at, packet.at),
                Some((first, last)) => (first.min(packet.at), last.max(packet.at)),
            });
        }
        summary.stats.packets += packets;
        summary.stats.bytes += bytes;
    }

    fn progress(&self, files: &Files) -> Progress {
        let progress = files.progress();
        Progress {
            read: progress.read,
            total: progress.total,
            now: self.summary.span.map_or_else(Timestamp::default, |(_, last)| last),
            packets: files.packets_read(),
        }
    }

    fn tell(&mut self, mut told: Told, records: &mut Records) -> Result<(), RunError> {
        let begun = Instant::now();
        let (mut before, mut between, mut cited) = (0, Vec::new(), Vec::new());
        merge::in_order(told.lists(), |observation| {
            while let Some(record) = records.next_until(observation.at) {
                if self.one(&record)? {
                    cited.push(record.id);
                }
                between.push((before, record));
            }
            if self.one(observation)? {
                cited.push(observation.id);
            }
            before += 1;
            Ok::<(), RunError>(())
        })?;
        between.into_iter().for_each(|(after, record)| told.record(after, record));
        cited.into_iter().for_each(|id| told.cite(id));
        self.out.told(told)?;
        self.out.chores(self.engine)?;
        self.telling += begun.elapsed();
        Ok(())
    }

    /// Log records after the last packet.
    fn rest(&mut self, records: &mut Records) -> Result<(), RunError> {
        let mut told = Told::default();
        while let Some(record) = records.take() {
            self.one(&record)?;
            told.record(0, record);
        }
        Ok(self.out.told(told)?)
    }

    /// Says whether a finding rests on it.
    fn one(&mut self, o: &Observation) -> Result<bool, RunError> {
        self.pace(o.at)?;
        *self.seen.entry(o.kind, |_| 0) += 1;
        self.summary.stats.count_protocol(o);
        let (by_severity, by_case) = (&mut self.summary.findings, &mut self.cases);
        let mut count = |findings: &[Finding], cases: &[Case]| {
            for finding in findings {
                *by_severity.entry(finding.severity).or_insert(0) += 1;
            }
            by_case.extend(cases.iter().map(|case| (case.id.clone(), case.severity)));
        };
        Ok(outputs::tell(o, self.engine, self.out, &mut count)?)
    }

    /// Waits until it is time to tell something of `at`, in a replay.
    fn pace(&mut self, at: Timestamp) -> Result<(), RunError> {
        let Some(speed) = self.speed else { return Ok(()) };
        let (begun, first) = *self.clock.get_or_insert_with(|| (Instant::now(), at));
        let due = Duration::from_secs_f64((at.since(first).as_secs_f64() / speed).min(86_400.0));
        let passed = begun.elapsed();
        if due > passed + Duration::from_millis(5) {
            self.out.chores(self.engine)?;
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        Ok(())
    }
}
