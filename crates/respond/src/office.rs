//! One site's response, put together: what the daemon, the API and the command line all work with.
//!
//! It asks the desk through the ledger, and makes proposals: of a draft of the planner, or of what
//! a person wants. Nothing here reaches an enforcer but for plans, which send nothing.

mod ground;
mod propose;
pub mod setup;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use model::device::{DeviceId, InUse};

pub use ground::{Ground, subject};
pub use propose::{NoProposal, Wish};
pub use setup::{Setup, SetupError};

use crate::bedside::Codes;
use crate::card::Contacts;
use crate::clock::Clock;
use crate::desk::{Action, Ask, Desk, Event, Refused, Releaser, Whom};
use crate::enforce::Enforcer;
use crate::essentials::{self, Essentials, Judge};
use crate::ledger::{Book, Done, LedgerError, Limits, Refusals};
use crate::moment::Moment;
use crate::range::Range;

/// What a site says about itself, beside its policy.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Who may reach a device in quarantine.
    pub management: Vec<Range>,
    /// Public addresses that are inside all the same.
    pub inside: Vec<Range>,
    /// Clinical networks; everything where none is named.
    pub clinical: Vec<Range>,
    /// Whom to call.
    pub contacts: Contacts,
    /// Longest time since any flow was recorded: after that the recording counts as broken.
    pub silent: Duration,
    /// What devices need, as declared.
    pub essentials: Essentials,
    /// Whether traffic is looked at to see that a restriction works and that care goes on.
    pub watched: bool,
    /// Versions of what takes part in decisions.
    pub versions: Vec<String>,
    /// When a segment of the ledger is closed.
    pub segments: Limits,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            management: Vec::new(),
            inside: Vec::new(),
            clinical: Vec::new(),
            contacts: Contacts::default(),
            silent: Duration::from_secs(3_600),
            essentials: Essentials::default(),
            watched: false,
            versions: Vec::new(),
            segments: Limits::default(),
        }
    }
}

/// One site's response.
pub struct Office {
    folder: PathBuf,
    clock: Clock,
    book: Mutex<Book>,
    codes: Codes,
    enforcers: Vec<Box<dyn Enforcer>>,
    setting: Setting,
    ground: RwLock<Ground>,
}

/// Something could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file or a clock.
    #[error("{what}: {why}")]
    Io {
        /// Which.
        what: String,
        /// Why.
        why: std::io::Error,
    },
}

impl Office {
    /// Opens it in a folder; begins a ledger and makes keys where there are none. `enforcers` make
    /// plans here and nothing else.
    ///
    /// # Errors
    /// When the ledger, a key or a clock cannot be used.
    pub fn open(
        folder: &Path,
        setting: Setting,
        enforcers: Vec<Box<dyn Enforcer>>,
    ) -> Result<Self, OfficeError> {
        let io = |what: &str| {
            let what = what.to_owned();
            move |why| OfficeError::Io { what, why }
        };
        let clock = Clock::open().map_err(io("the clock since boot"))?;
        let now = clock.now().map_err(io("the clock since boot"))?;
        let book = Book::open_with(folder, setting.segments, now)?;
        let codes = Codes::open(folder).map_err(io("the key of the bedside codes"))?;
        let ground = RwLock::new(Ground::default());
        Ok(Self {
            folder: folder.to_owned(),
            clock,
            book: Mutex::new(book),
            codes,
            enforcers,
            setting,
            ground,
        })
    }

    /// Where everything of it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the site says about itself.
    pub const fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Codes for the bedside.
    pub const fn codes(&self) -> &Codes {
        &self.codes
    }

    /// Now. A clock that cannot be read any more stands at zero since boot, at which everything that
    /// was ever decided in this boot counts as lately.
    pub fn now(&self) -> Moment {
        self.clock.now().unwrap_or_else(|error| {
            tracing::error!(%error, "the clock since boot cannot be read");
            Moment::default()
        })
    }

    /// What is known of the network. Nobody can learn more while it is held.
    pub fn ground(&self) -> RwLockReadGuard<'_, Ground> {
        self.ground.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, to learn more. Whoever holds it asks nothing meanwhile.
    pub fn learn(&self) -> RwLockWriteGuard<'_, Ground> {
        self.ground.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the network on a copy: that takes longer than traffic can wait for what is known.
    pub fn survey<T>(&self, what: impl FnOnce(&Ground, &Judge<'_>) -> T) -> T {
        let ground = self.ground().clone();
        let judge = self.setting.essentials.judge(essentials::Ground {
            history: &ground.history,
            devices: &ground.devices,
            names: &ground.names,
        });
        what(&ground, &judge)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks.
    ///
    /// # Errors
    /// When the ledger cannot be read or written. A refusal is an answer.
    pub fn ask(&self, ask: &Ask) -> Result<Result<Done, Refused>, OfficeError> {
        Ok(self.book().ask(ask, self.now())?)
    }

    /// Looks at the desk as it stands, with what others wrote and with what time has changed.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub fn look<T>(&self, at: impl FnOnce(&Desk, Moment) -> T) -> Result<T, OfficeError> {
        let now = self.now();
        let mut book = self.book();
        // Time that changes nothing is not written down.
        let _ = book.ask(&Ask::Tick, now)?;
        Ok(at(book.desk(), now))
    }

    /// What policy proposed lately and was refused, with what others wrote.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub fn refusals(&self) -> Result<Refusals, OfficeError> {
        let now = self.now();
        let mut book = self.book();
        // What was only counted is written down when its time has come.
        let _ = book.ask(&Ask::Tick, now)?;
        Ok(book.refusals().clone())
    }

    /// Takes back what policy did because devices were idle, where traffic now shows a patient. Says
    /// how much.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub fn believe_traffic(&self) -> Result<usize, OfficeError> {
        let resting: Vec<(String, DeviceId)> = self.look(|desk, _| {
            let of = |action: &Action| {
                (action.id().to_owned(), action.proposal.intent.subject.id.clone())
            };
            desk.resting_on_idle().map(of).collect()
        })?;
        let mut count = 0;
        for (action, device) in resting {
            let what = self
                .ground()
                .devices
                .get(&device)
                .filter(|subject| subject.in_use == InUse::InUse)
                .map(|subject| format!("it serves a patient: {}", subject.in_use_because));
            if let Some(what) = what {
                count += usize::from(self.ask(&Ask::Missed { action, what })?.is_ok());
            }
        }
        Ok(count)
    }

    /// Lets a device go, by the code at the bedside. Says what ends.
    ///
    /// # Errors
    /// When the ledger cannot be written. A wrong code is an answer, `None`, and is noted.
    pub fn release_at_bedside(
        &self,
        device: &DeviceId,
        code: &str,
    ) -> Result<Option<Vec<Event>>, OfficeError> {
        let now = self.now();
        if !self.codes.is_right(device, code) {
            self.book().note(&format!("a wrong bedside code was given for {device}"), now)?;
            return Ok(None);
        }
        let ask = Ask::Release { whom: Whom::Device(device.clone()), by: Releaser::Bedside };
        match self.book().ask(&ask, now)? {
            Ok(done) => Ok(Some(done.events)),
            // A release is never refused.
            Err(refused) => unreachable!("{refused}"),
        }
    }
}
