//! What is never touched, whoever asks for it and whatever was approved.
//!
//! The list is held against every plan and, since it may have grown meanwhile, against every
//! application. It stands in the enforcer and not in the policy, because lists that stand elsewhere
//! are forgotten by one of the ways that lead here. Taking back is never refused.

use model::net::Mac;
use serde::{Deserialize, Serialize};

use super::halves::covers;
use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};
use crate::range::Range;
use crate::restriction::{Indicator, Restriction};

/// What is never touched: the hospital's infrastructure and whatever else it names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Never {
    /// Addresses: such a device is never restricted, no block names it as the other side, and no
    /// indicator holds it.
    pub addresses: Vec<Range>,
    /// Ethernet addresses of devices that are never restricted.
    pub macs: Vec<Mac>,
    /// Domains that are never blocked, nor what is above or below them.
    pub domains: Vec<String>,
}

impl Never {
    /// Why an intent may not be; nothing where it may.
    ///
    /// A block of everybody (`0.0.0.0/0`) names nobody: there, what is essential is for the
    /// pre-flight to find. An indicator for everybody is refused.
    pub fn forbids(&self, intent: &Intent) -> Option<String> {
        let is_named = |range: Range| {
            self.addresses.iter().find(|own| covers(**own, range) || covers(range, **own))
        };
        match &intent.restriction {
            Restriction::Perimeter { indicator: Indicator::Address(range) } => {
                let found = is_named(*range)?;
                return Some(format!("{range} meets {found}, which is never touched"));
            }
            Restriction::Perimeter { indicator: Indicator::Domain(name) } => {
                let found = self.domains.iter().find(|own| is_kin(own, name))?;
                return Some(format!("{name} meets {found}, which is never touched"));
            }
            Restriction::Block { .. }
            | Restriction::Essentials { .. }
            | Restriction::Quarantine { .. } => {}
        }
        let subject = &intent.subject;
        if let Some(mac) = subject.mac.filter(|mac| self.macs.contains(mac)) {
            return Some(format!("{mac} is never touched"));
        }
        for &address in &subject.addresses {
            if let Some(found) = is_named(Range::one(address)) {
                return Some(format!("{address} is in {found}, which is never touched"));
            }
        }
        let Restriction::Block { flows } = &intent.restriction else { return None };
        let named = flows.iter().filter(|flow| flow.peer.prefix() > 0);
        named.map(|flow| flow.peer).find_map(|peer| {
            let found = is_named(peer)?;
            Some(format!("conversations with {peer} meet {found}, which is never touched"))
        })
    }

    /// What is wrong with it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.domains.iter().find(|domain| !super::blocklist::is_domain(domain)) {
            Some(bad) => Err(format!("domains: '{bad}' is no domain in lower case")),
            None => Ok(()),
        }
    }
}

/// Whether one domain is the other, or above or below it.
fn is_kin(one: &str, other: &str) -> bool {
    let below = |inner: &str, outer: &str| {
        inner == outer || inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'))
    };
    below(one, other) || below(other, one)
}

/// An enforcer that refuses what may never be touched.
pub struct Guarded<E> {
    never: Never,
    inner: E,
}

impl<E: Enforcer> Guarded<E> {
    /// An enforcer behind a list.
    pub const fn new(never: Never, inner: E) -> Self {
        Self { never, inner }
    }

    fn pass(&self, intent: &Intent) -> Result<(), EnforceError> {
        match self.never.forbids(intent) {
            Some(why) => Err(EnforceError::Refused { enforcer: self.inner.name(), why }),
            None => Ok(()),
        }
    }
}

impl<E: Enforcer> Enforcer for Guarded<E> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn can(&self, level: Level, intent: &Intent) -> bool {
        self.never.forbids(intent).is_none() && self.inner.can(level, intent)
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        self.pass(intent)?;
        self.inner.plan(intent)
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        self.pass(&approved.plan().intent)?;
        self.inner.apply(approved)
    }

    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError> {
        self.inner.state(receipt)
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        self.inner.revert(receipt)
    }

    fn revert_all(&self, receipts: &[Receipt]) -> Result<(), EnforceError> {
        self.inner.revert_all(receipts)
    }
}
