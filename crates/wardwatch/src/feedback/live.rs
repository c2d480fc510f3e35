//! Words on cases and findings of a running instance, on their way to its models.
//!
//! The API puts a word here and waits; the thread that owns the engine takes it between two
//! observations, so that nothing is locked. A label counts for windows that end after the last one
//! that was judged before it: that time goes into its line, and the same traffic with the same lines
//! gives the same answers again.

use std::io::{Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use detect::Engine;
use model::finding::DeviceRef;
use model::{CaseId, Severity, Timestamp};
use server::{Said, Taught};
use store::{CaseStatus, Query, SqliteStore, Store, Verdict};

use super::covers::Covers;
use super::{Effect, Line, MOST, Word, append, file_of, version};

/// Words that may wait.
const QUEUE: usize = 16;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the file is looked at for lines of others.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A word that waits for its answer.
struct Asked {
    said: Said,
    reply: Sender<Taught>,
}

/// Open cases that are gone through at a start, of each status, and findings of a case: the latest.
const HELD: usize = 300;
/// Cases that people moved and that may wait.
const MOVED: usize = 1_024;

/// The place where words are put.
#[derive(Clone)]
pub(crate) struct Slot(Sender<Asked>, Sender<(CaseId, CaseStatus)>);

impl Slot {
    /// Says where a person left a case.
    pub(crate) fn moved(&self, case: CaseId, status: CaseStatus) {
        if let Err(error) = self.1.try_send((case, status)) {
            // The store has it, and the next start goes by that.
            tracing::warn!(%error, "learning does not hear where a case was left");
        }
    }

    /// Puts a word there, and waits for what comes of it.
    pub(crate) fn teach(&self, said: Said) -> Taught {
        let (reply, answer) = bounded(1);
        let refused = |why: &str| Taught { says: why.to_owned(), ..Taught::default() };
        match self.0.try_send(Asked { said, reply }) {
            Ok(()) => answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                refused(
                    "The models did not answer in time. Look at 'wardwatch model feedback list'.",
                )
            }),
            Err(TrySendError::Full(_)) => {
                refused("Too many words wait for the models. Say it again in a moment.")
            }
            Err(TrySendError::Disconnected(_)) => refused("No models watch any more."),
        }
    }
}

/// Where words are taken up.
pub(crate) struct Desk {
    asked: Receiver<Asked>,
    moved: Receiver<(CaseId, CaseStatus)>,
    /// Addresses whose doings count as normal life again, since a case was a false alarm.
    freed: Vec<IpAddr>,
    store: Arc<SqliteStore>,
    file: PathBuf,
    /// Bytes of the file that are in.
    read: u64,
    looked: Instant,
}

/// A desk for words on what a store holds, and the slot for them.
pub(crate) fn desk(data: &Path, store: Arc<SqliteStore>) -> (Slot, Desk) {
    let (to, asked) = bounded(QUEUE);
    let (move_to, moved) = bounded(MOVED);
    let (file, freed) = (file_of(data), Vec::new());
    (Slot(to, move_to), Desk { asked, moved, freed, store, file, read: 0, looked: Instant::now() })
}

/// What a verdict is to the models: normal or an attack, or nothing.
const fn normal(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Attack => Some(false),
        Verdict::Harmless | Verdict::Wrong => Some(true),
        Verdict::Fault | Verdict::Unsure => None,
    }
}

impl Desk {
    /// So many bytes of the file are in already.
    pub(crate) const fn has_read(&mut self, bytes: u64) {
        self.read = bytes;
    }

    /// Takes up what waits. `judged` is the end of the last windows that were judged.
    pub(crate) fn serve(&mut self, engine: &mut Engine, judged: Option<Timestamp>) {
        for (case, status) in self.moved.try_iter() {
            match status {
                CaseStatus::Closed => engine.close_case(&case),
                CaseStatus::Open | CaseStatus::Acknowledged => engine.reopen_case(&case),
            }
        }
        for _ in 0..QUEUE {
            let Ok(Asked { said, reply }) = self.asked.try_recv() else { break };
            let taught = self
                .take(&said, engine, judged)
                .unwrap_or_else(|error| Taught { says: format!("{error:#}"), ..Taught::default() });
            // Who asked may have gone.
            let _ = reply.send(taught);
        }
        if self.looked.elapsed() >= LOOK_EVERY {
            self.looked = Instant::now();
            if let Err(error) = self.follow(engine, judged) {
                tracing::warn!(%error, "labels of others are not taken up");
            }
        }
    }

    /// Addresses whose doings count as normal life again.
    pub(crate) fn take_freed(&mut self) -> Vec<IpAddr> {
        std::mem::take(&mut self.freed)
    }

    /// What acted in a false alarm teaches again; what acted in an attack does not.
    fn hold_or_free(&mut self, case: &CaseId, normal: bool, engine: &mut Engine) -> Result<()> {
        if !normal {
            engine.reopen_case(case);
            return Ok(());
        }
        engine.close_case(case);
        let acted = acted(&self.store, case)?.into_iter();
        let free = acted.filter(|device| !engine.is_held(&device.id));
        self.freed.extend(free.filter_map(|device| device.ip));
        Ok(())
    }

    fn take(
        &mut self,
        said: &Said,
        engine: &mut Engine,
        judged: Option<Timestamp>,
    ) -> Result<Taught> {
        let Some(normal) = normal(said.verdict) else {
            let says = format!("'{}' teaches the models nothing.", said.verdict.name());
            return Ok(Taught { says, ..Taught::default() });
        };
        if !said.preview && said.about.starts_with("C-") {
            self.hold_or_free(&CaseId(said.about.clone()), normal, engine)?;
        }
        let word = Word { about: &said.about, normal, by: &said.who, at: said.at, why: &said.note };
        let mut labels = word.labels(&self.store, engine)?;
        let covers = Covers::new(&self.store, engine);
        let preview = engine.behaviour().preview(&labels, |device, end| covers.about(device, end));
        let effect = Effect::of(&preview);
        covers.whole()?;
        let mut taught = Taught {
            entered: !said.preview,
            says: says(normal, labels.len(), effect),
            windows: labels.len(),
            looked_at: effect.looked_at,
            would_be_quiet: effect.would_be_quiet,
            would_alert: effect.would_alert,
            lost_attacks: effect.lost_attacks,
            from: None,
        };
        if said.preview {
            return Ok(taught);
        }
        taught.from = judged;
        labels.iter_mut().for_each(|label| label.from = judged);
        // First the record: a label that nobody can account for is worse than a line too many.
        let line = word.line(effect, labels);
        append(&self.file, &line)?;
        line.labels.into_iter().for_each(|label| engine.behaviour_mut().enter(label));
        Ok(taught)
    }

    /// Takes up lines that others have added, and writes down from when on they count. Its own lines
    /// it meets again, which changes nothing.
    fn follow(&mut self, engine: &mut Engine, judged: Option<Timestamp>) -> Result<()> {
        let Ok(mut file) = std::fs::File::open(&self.file) else { return Ok(()) };
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        // A line that is still being written has no end.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.read += whole as u64;
        let lines = bytes[..whole].split(|byte| *byte == b'\n');
        for mut line in lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()) {
            if line.features != version() {
                continue;
            }
            if line.labels.iter().any(|label| label.from.is_none()) && judged.is_some() {
                line.labels.iter_mut().for_each(|label| label.from = judged);
                append(&self.file, &line)?;
            }
            line.labels.into_iter().for_each(|label| engine.behaviour_mut().enter(label));
        }
        Ok(())
    }
}

/// Whoever acted in cases that nobody has closed teaches nobody after a restart either.
///
/// # Errors
/// When the store cannot be asked.
pub(crate) fn hold(store: &SqliteStore, engine: &mut Engine) -> Result<()> {
    for status in [CaseStatus::Open, CaseStatus::Acknowledged] {
        let query = Query {
            status: Some(status),
            severity: Some(Severity::Medium),
            limit: Some(HELD),
            ..Query::default()
        };
        for record in store.cases(&query)?.items {
            for device in acted(store, &record.case.id)? {
                engine.hold(&device.id, &record.case.id);
            }
        }
    }
    Ok(())
}

/// Who acted in a case, as its findings say.
fn acted(store: &SqliteStore, case: &CaseId) -> Result<Vec<DeviceRef>> {
    let query = Query {
        case: Some(case.0.clone()),
        severity: Some(Severity::Medium),
        limit: Some(HELD),
        ..Query::default()
    };
    let findings = store.findings(&query)?.items;
    let mut devices: Vec<DeviceRef> = findings.into_iter().map(|found| found.device).collect();
    devices.dedup_by(|one, other| one.id == other.id);
    Ok(devices)
}

fn says(normal: bool, windows: usize, effect: Effect) -> String {
    let Effect { looked_at, would_be_quiet, would_alert, lost_attacks } = effect;
    let windows = detect::words::count(windows as u64, "window", "windows");
    let what = if normal { "normal for us" } else { "an attack" };
    let lost = match lost_attacks {
        0 => "None that anything else holds for an attack would have been lost.".to_owned(),
        lost => {
            format!("Of the quiet ones {lost} are LOST: something else holds them for an attack.")
        }
    };
    format!(
        "{windows} called {what}. Of the last {looked_at} strange windows {would_be_quiet} told ones \
         would have been quiet, {would_alert} others would have been told. {lost}"
    )
}

#[cfg(test)]
mod tests;
