//! What can befall a hospital, and the stage on which it happens.
//!
//! A scenario is one function in one file and one line in [`crate::catalogue::ALL`]. It says all
//! its packets at once, into the future; the first and the last of them are its truth.

use crate::hospital;
use crate::plan::{Speed, Who};
use crate::role::Role;
use crate::time::Nanos;
use crate::world::{HostId, World};

/// Whether a scenario does harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Attack,
    /// Looks like an attack and is none.
    LookAlike,
}

/// Something that can befall a hospital.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Technique of MITRE ATT&CK, Enterprise or ICS.
    pub(crate) technique: &'static str,
    /// One line for people.
    pub(crate) line: &'static str,
    /// Needs a service that speaks in clear, to break its protocol or to speak it.
    pub(crate) clear: bool,
    /// Plays it; none where the hospital lacks what it takes, and then nothing was said.
    pub(crate) play: fn(&mut Scene<'_>) -> Option<Story>,
}

impl Scenario {
    /// The same, where it is known to need a service that speaks in clear.
    pub(crate) const fn in_clear(mut self) -> Self {
        self.clear = true;
        self
    }
}

/// The choices of the plan for one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) who: Who,
    pub(crate) speed: Speed,
}

/// What a scenario has done.
pub(crate) struct Story {
    /// What it was, in a few words.
    pub(crate) label: String,
    pub(crate) actor: HostId,
    pub(crate) victims: Vec<HostId>,
    pub(crate) note: String,
}

/// Where a scenario happens.
pub(crate) struct Scene<'w> {
    pub(crate) w: &'w mut World,
    pub(crate) now: Nanos,
    pub(crate) who: Who,
    pub(crate) speed: Speed,
}

impl Scene<'_> {
    /// Who does it: a known host of one of these roles, or a stranger where the plan says so or
    /// the hospital has none.
    pub(crate) fn attacker(&mut self, known: &[Role]) -> HostId {
        if self.who == Who::Known
            && let Some(host) = self.w.any_of(known)
        {
            return host;
        }
        self.stranger()
    }

    /// A host that does not belong: the one from before, or a new one.
    pub(crate) fn stranger(&mut self) -> HostId {
        if let Some(host) = self.w.any(Role::Stranger)
            && self.w.rng.chance(0.5)
        {
            return host;
        }
        let name = format!("stranger{}", self.w.all(Role::Stranger).len());
        hospital::join(self.w, Role::Stranger, name)
    }

    /// A host on the Internet that nobody here has ever called.
    pub(crate) fn outsider(&mut self, name: &str) -> HostId {
        hospital::join_outside(self.w, name.to_owned())
    }

    /// The usual time between two steps, made longer or shorter by the speed.
    pub(crate) fn between(&mut self, usual: Nanos) -> Nanos {
        let mean = match self.speed {
            Speed::Slow => usual * 4,
            Speed::Usual => usual,
            Speed::Fast => usual / 4,
        };
        (mean as f64 * self.w.rng.uniform(0.7, 1.3)) as Nanos
    }

    /// The usual number of steps, made smaller or larger by the speed.
    pub(crate) fn count(&self, usual: usize) -> usize {
        match self.speed {
            Speed::Slow => usual.div_ceil(3),
            Speed::Usual => usual,
            Speed::Fast => usual * 2,
        }
    }

    /// A few devices of the hospital by chance, not the actor itself.
    pub(crate) fn victims(&mut self, most: usize, not: HostId) -> Vec<HostId> {
        let mut all = self.w.devices();
        all.retain(|&h| h != not);
        self.w.rng.shuffle(&mut all);
        all.truncate(most);
        all.sort_unstable();
        all
    }

    /// What has been done.
    pub(crate) fn story(&self, label: &str, actor: HostId, victims: Vec<HostId>) -> Story {
        Story { label: label.to_owned(), actor, victims, note: String::new() }
    }
}
