//! The hand: does what the desk decided, looks whether it took effect, and takes back what has to
//! go.
//!
//! It holds no state that matters: what stands is in the ledger, what is in force is where it is
//! enforced. Killed at any point and begun again, it goes on; never begun again, everything runs
//! out by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Timestamp;

use crate::desk::{Action, Ask, Status, Work};
use crate::enforce::{EnforceError, Enforcer, Receipt};
use crate::ledger::{Book, LedgerError};
use crate::moment::Moment;
use crate::plan::Approved;
use crate::watch::{Packet, Side, Verdict, Watch};

/// Name of the file that halts everything while it is there.
pub const HALT: &str = "HALT";

/// How often what could not be taken back is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often everything up to now is signed.
const SEAL: Duration = Duration::from_secs(60);

/// Does what the desk decided.
pub struct Executor {
    folder: PathBuf,
    book: Book,
    enforcers: Vec<Box<dyn Enforcer>>,
    watch: Watch,
    /// Whether anybody shows it packets.
    sees: bool,
    /// Whether everything was taken back since the halt.
    emptied: bool,
    tried: BTreeMap<String, Moment>,
    sealed: Option<Moment>,
}

impl Executor {
    /// One for the ledger in a folder.
    pub fn new(folder: &Path, book: Book, enforcers: Vec<Box<dyn Enforcer>>) -> Self {
        Self {
            folder: folder.to_owned(),
            book,
            enforcers,
            watch: Watch::default(),
            sees: true,
            emptied: false,
            tried: BTreeMap::new(),
            sealed: None,
        }
    }

    /// One that is shown no packets: it never says that traffic showed something, nor that something
    /// is missing.
    #[must_use]
    pub fn blind(self) -> Self {
        Self { sees: false, ..self }
    }

    /// The ledger.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Whether packets have to be looked at just now.
    pub fn watches(&self) -> bool {
        !self.watch.is_empty()
    }

    /// A packet was seen.
    pub fn packet(&mut self, packet: &Packet, side: Side) {
        self.watch.packet(packet, side);
    }

    /// Does what has to be done now. `clock` says the time, which passes while enforcers answer.
    ///
    /// # Errors
    /// When the ledger cannot be read or written. Nothing new is pushed then; a halt by the file
    /// still takes everything back.
    pub fn step(&mut self, clock: &mut dyn FnMut() -> Moment) -> Result<(), LedgerError> {
        let now = clock();
        if self.folder.join(HALT).exists() && self.book.desk().halted().is_none() {
            self.empty();
            let (by, why) = (format!("the file {HALT}"), "it is there".to_owned());
            self.tell(&Ask::Halt { by, why }, now)?;
        }
        self.book.refresh(now)?;
        self.tell(&Ask::Tick, now)?;
        let work = self.book.desk().work(now);
        if work.revert_all && !self.emptied {
            self.empty();
        }
        if !work.revert_all {
            self.emptied = false;
        }
        self.take_back(&work, clock)?;
        for (action, plans) in work.apply {
            self.push(&action, &plans, clock)?;
        }
        self.look(clock())?;
        let now = clock();
        if self.sealed.is_none_or(|at| now.since(at) >= SEAL) {
            self.book.seal(now)?;
            self.sealed = Some(now);
        }
        Ok(())
    }

    /// Takes back everything that was ever put anywhere, known or not.
    fn empty(&mut self) {
        let receipts: Vec<Receipt> =
            self.book.desk().actions().flat_map(|action| action.receipts.clone()).collect();
        let failed = revert_everything(&self.enforcers, &receipts);
        self.emptied = failed.is_empty();
        failed.iter().for_each(|error| tracing::error!(%error, "halt: not everything is undone"));
    }

    fn take_back(
        &mut self,
        work: &Work,
        clock: &mut dyn FnMut() -> Moment,
    ) -> Result<(), LedgerError> {
        for (id, _) in &work.revert {
            let now = clock();
            if self.tried.get(id).is_some_and(|at| now.since(*at) < AGAIN) {
                continue;
            }
            self.watch.end(id);
            let Some(action) = self.book.desk().action(id).cloned() else { continue };
            let errors = self.revert(&action);
            let now = clock();
            if errors.is_empty() {
                self.tried.remove(id);
                self.tell(&Ask::Reverted { action: id.clone() }, now)?;
            } else {
                let why = errors.join("; ");
                tracing::error!(action = id, why, "a restriction could not be taken back");
                // Once is enough for the record; it is tried again until it is gone.
                if self.tried.insert(id.clone(), now).is_none() {
                    self.tell(&Ask::Stuck { action: id.clone(), why }, now)?;
                }
            }
        }
        Ok(())
    }

    /// Takes an action back wherever it may have been put.
    fn revert(&self, action: &Action) -> Vec<String> {
        let mut errors = Vec::new();
        for plan in &action.proposal.plans {
            let known = action.receipts.iter().find(|receipt| receipt.enforcer == plan.enforcer);
            // Pushed, and never heard of again: whoever pushed died in between.
            match self.enforcer(&plan.enforcer) {
                Some(enforcer) => {
                    let made_up = || Receipt {
                        action: action.id().to_owned(),
                        enforcer: plan.enforcer.clone(),
                        handle: enforcer.handle(plan),
                        undo: plan.undo.clone(),
                        ttl: plan.intent.ttl,
                        acknowledged: false,
                    };
                    let receipt = known.cloned().unwrap_or_else(made_up);
                    errors.extend(enforcer.revert(&receipt).err().map(|error| error.to_string()));
                }
                None => errors.push(format!("no enforcer '{}' is configured here", plan.enforcer)),
            }
        }
        errors
    }

    fn push(
        &mut self,
        id: &str,
        plans: &[Approved],
        clock: &mut dyn FnMut() -> Moment,
    ) -> Result<(), LedgerError> {
        // Asked again at the last moment: meanwhile somebody may have halted or let go.
        if !self.tell(&Ask::Pushing { action: id.to_owned() }, clock())? {
            return Ok(());
        }
        let (mut receipts, mut failed) = (Vec::new(), Vec::new());
        for plan in plans {
            let name = &plan.plan().enforcer;
            let answer = match self.enforcer(name) {
                Some(enforcer) => enforcer.apply(plan).map_err(|error| error.to_string()),
                None => Err(format!("no enforcer '{name}' is configured here")),
            };
            match answer {
                Ok(receipt) => receipts.push(receipt),
                Err(error) => failed.push(error),
            }
        }
        let now = clock();
        self.tell(&Ask::Pushed { action: id.to_owned(), receipts, failed }, now)?;
        Ok(())
    }

    /// Watches what is in force, and says what was seen.
    fn look(&mut self, now: Moment) -> Result<(), LedgerError> {
        let mut over = Vec::new();
        for action in self.book.desk().actions() {
            let stands = matches!(action.status, Status::InForce);
            if self.sees && stands && !self.watch.has(action.id()) {
                let intent = &action.proposal.intent;
                let since = action.pushed.map_or(now.wall, |at| pushed_at(at, now));
                self.watch.begin(
                    action.id(),
                    &intent.subject,
                    &intent.restriction,
                    &action.proposal.beats,
                    since,
                );
            } else if !stands && self.watch.has(action.id()) {
                over.push(action.id().to_owned());
            }
        }
        over.iter().for_each(|id| self.watch.end(id));
        for (action, verdict) in self.watch.verdicts(now.wall) {
            let ask = match verdict {
                Verdict::Cut(seen) => Ask::Observed { action, seen },
                Verdict::Missing(what) => Ask::Missed { action, what },
            };
            self.tell(&ask, now)?;
        }
        Ok(())
    }

    fn enforcer(&self, name: &str) -> Option<&dyn Enforcer> {
        self.enforcers.iter().find(|enforcer| enforcer.name() == name).map(|boxed| &**boxed)
    }

    /// Says something to the desk; whether it agreed.
    fn tell(&mut self, ask: &Ask, now: Moment) -> Result<bool, LedgerError> {
        match self.book.ask(ask, now)? {
            Ok(_) => Ok(true),
            Err(refused) => {
                tracing::debug!(%refused, "the desk refused");
                Ok(false)
            }
        }
    }
}

/// When something was pushed, by the wall clock as it stands now: packets are stamped with that.
fn pushed_at(pushed: Moment, now: Moment) -> Timestamp {
    let ago = now.since(pushed);
    if ago == Duration::MAX { now.wall } else { now.wall.minus(ago) }
}

/// Takes back everything everywhere; what failed. Needs no ledger: with a damaged one, or none,
/// `receipts` are empty, and whatever enforcers find of ours goes.
pub fn revert_everything(
    enforcers: &[Box<dyn Enforcer>],
    receipts: &[Receipt],
) -> Vec<EnforceError> {
    // Side by side: one that does not answer must not hold up the others.
    std::thread::scope(|scope| {
        let calls: Vec<_> = enforcers
            .iter()
            .map(|enforcer| {
                scope.spawn(move || {
                    let own: Vec<Receipt> = receipts
                        .iter()
                        .filter(|receipt| receipt.enforcer == enforcer.name())
                        .cloned()
                        .collect();
                    enforcer.revert_all(&own)
                })
            })
            .collect();
        calls.into_iter().filter_map(|call| call.join().ok().and_then(Result::err)).collect()
    })
}
