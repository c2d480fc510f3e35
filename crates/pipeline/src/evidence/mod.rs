//! The packets of a case, kept in a file of its own: off unless somebody asks for it.
//!
//! Each capture thread keeps its last packets in memory. When a finding joins a case, the
//! thread that tells findings asks every capture thread for the packets of those who take part,
//! some seconds before and after; each looks through what it has, and hands copies to one thread
//! that writes. Nobody waits for anybody: what does not fit into a queue is let go and counted. A
//! case is a pcapng file below the data folder, which only its owner may read, with a bound for
//! each and one for all, the oldest case going first.
//!
//! With [`Keep::Headers`] nothing that a packet carries is ever copied into the ring, so that it can
//! be neither written nor found in memory. With [`Keep::Full`] patient data in clear text ends up in
//! the files: that is for the site to decide.
//!
//! Deliberately absent: evidence of `analyze`. Who analyses a capture has the packets already.

mod heads;
mod recent;
mod ring;
mod write;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use capture::LinkType;
use crossbeam_channel::{Receiver, Sender, bounded};
use model::case::CaseId;
use model::finding::Finding;
use model::time::Timestamp;

use heads::Filter;
pub use recent::Recent;

/// Requests that may wait for a capture thread.
const REQUESTS: usize = 64;
/// Pieces of up to 64 KiB that may wait to be written.
const PIECES: usize = 128;
/// Cases whose limits are remembered.
const CASES: usize = 1_000;

/// What is kept of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Headers of link, IP and transport; nothing that they carry.
    Headers,
    /// All of it, patient data included where it is not encrypted.
    Full,
}

/// How evidence is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where the files go. It is made.
    pub folder: PathBuf,
    /// What of a packet.
    pub keep: Keep,
    /// Bytes of the last packets in memory, for each capture thread.
    pub ring_bytes: usize,
    /// Bytes of one case's file.
    pub case_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// How long before a finding.
    pub before: Duration,
    /// How long after it.
    pub after: Duration,
}

/// What became of evidence.
#[derive(Debug, Default)]
pub struct Counts {
    /// Packets written.
    pub packets: AtomicU64,
    /// Bytes written.
    pub bytes: AtomicU64,
    /// Packets that were let go because writing was behind, failed, or the case was full.
    pub dropped: AtomicU64,
    /// Packets that were gone from memory before they could be looked at.
    pub missed: AtomicU64,
    /// Findings for which too many others were waiting.
    pub refused: AtomicU64,
    /// Files removed to stay within the bound.
    pub removed: AtomicU64,
}

/// A case that evidence is kept of.
#[derive(Debug)]
struct CaseFile {
    id: CaseId,
    /// Title of its first finding.
    title: String,
    /// No more fits into its file.
    full: AtomicBool,
}

/// What a capture thread is asked for.
#[derive(Clone, Debug)]
struct Request {
    case: Arc<CaseFile>,
    /// Name and title of the finding.
    comment: Arc<str>,
    filter: Filter,
    from: Timestamp,
    until: Timestamp,
}

/// Whole blocks of packets for a case's file.
#[derive(Debug)]
struct Piece {
    case: Arc<CaseFile>,
    packets: u64,
    bytes: Vec<u8>,
}

/// Asks for evidence, on the thread that tells findings.
#[derive(Debug)]
pub struct Evidence {
    plan: Plan,
    requests: Vec<Sender<Request>>,
    cases: BTreeMap<CaseId, Arc<CaseFile>>,
    order: VecDeque<CaseId>,
    counts: Arc<Counts>,
    writer: Option<JoinHandle<()>>,
}

impl Evidence {
    /// For capture threads on these interfaces, in their order: names and link types, by their
    /// numbers. Gives each of `threads` its memory too, and starts the thread that writes.
    pub fn start(
        plan: Plan,
        interfaces: Vec<(String, LinkType)>,
        threads: usize,
        counts: Arc<Counts>,
    ) -> (Self, Vec<Recent>) {
        let (to, pieces) = bounded(PIECES);
        let mut requests = Vec::new();
        let mut recents = Vec::new();
        for _ in 0..threads {
            let (ask, asked): (_, Receiver<Request>) = bounded(REQUESTS);
            requests.push(ask);
            recents.push(Recent::new(&plan, asked, to.clone(), Arc::clone(&counts)));
        }
        let files = write::Files::new(&plan, interfaces, Arc::clone(&counts));
        let writer = std::thread::spawn(move || files.run(&pieces));
        let (cases, order) = (BTreeMap::new(), VecDeque::new());
        (Self { plan, requests, cases, order, counts, writer: Some(writer) }, recents)
    }

    /// A finding was told: its packets are wanted, where it is of a case and about somebody.
    pub fn finding(&mut self, finding: &Finding) {
        let Some(id) = &finding.case else { return };
        let Some(filter) = Filter::of(finding) else { return };
        let case = self.case(id, finding);
        if case.full.load(Ordering::Relaxed) {
            return;
        }
        let request = Request {
            case,
            comment: format!("{}: {}", finding.id, finding.title).into(),
            filter,
            from: finding.at.minus(self.plan.before),
            until: finding.at.plus(self.plan.after),
        };
        for ask in &self.requests {
            if ask.try_send(request.clone()).is_err() {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn case(&mut self, id: &CaseId, finding: &Finding) -> Arc<CaseFile> {
        if let Some(known) = self.cases.get(id) {
            return Arc::clone(known);
        }
        if self.order.len() >= CASES
            && let Some(oldest) = self.order.pop_front()
        {
            self.cases.remove(&oldest);
        }
        let case = Arc::new(CaseFile {
            id: id.clone(),
            title: finding.title.clone(),
            full: AtomicBool::new(false),
        });
        self.order.push_back(id.clone());
        self.cases.insert(id.clone(), Arc::clone(&case));
        case
    }

    /// Waits until everything is written. The capture threads have to be gone.
    pub fn finish(mut self) {
        self.requests.clear();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the thread that writes evidence has failed");
        }
    }
}
