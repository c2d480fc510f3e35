//! nftables: the firewall of the Linux kernel, in a bridge, a router or on single interfaces.
//!
//! Everything of ours is in a table named `wardwatch`, so to halt is to delete that table. Each
//! action has its own chain and its own sets there: actions never share an element, so that taking
//! one back leaves the others whole, and a packet is cut if any of them cuts it.
//!
//! Every element has a timeout, which the kernel keeps by a clock that nobody can set: with Wardwatch
//! dead, or the machine's time wrong, the kernel lets go. What is left then is a chain that finds its
//! sets empty and does nothing; the next change sweeps it away.
//!
//! No state of connections is used: a bridge may not have it. The module `halves` says what packets
//! tell and where they do not.

mod listing;
mod render;

#[cfg(test)]
mod live;
#[cfg(test)]
mod packets;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::listing::Listing;
use super::outlet::{Outlet, Said, complaint};
use super::{expiry, is_plain};
use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};
use crate::restriction::{Indicator, Restriction};

/// Its name.
pub const NAME: &str = "nftables";
/// The name of every table of ours.
const TABLE: &str = "wardwatch";
/// Longest that one call of `nft` may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where in the kernel packets are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// On a bridge, between its ports, and to and from the machine itself.
    #[default]
    Bridge,
    /// On a router, what is routed, and what goes to and from the machine itself.
    Inet,
    /// On named interfaces, as packets come in.
    Netdev,
}

impl Family {
    /// All.
    const ALL: [Self; 3] = [Self::Bridge, Self::Inet, Self::Netdev];

    const fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Inet => "inet",
            Self::Netdev => "netdev",
        }
    }
}

/// Configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NftablesConfig {
    /// Where packets are looked at.
    pub family: Family,
    /// Interfaces, with `netdev` only.
    pub interfaces: Vec<String>,
    /// Network namespace in which `nft` runs, by its name for `ip netns`: for labs.
    pub netns: Option<String>,
    /// The program and what stands before its arguments, such as `["sudo", "-n", "nft"]`.
    pub command: Vec<String>,
}

impl Default for NftablesConfig {
    fn default() -> Self {
        Self {
            family: Family::default(),
            interfaces: Vec::new(),
            netns: None,
            command: vec!["nft".to_owned()],
        }
    }
}

impl NftablesConfig {
    /// What is wrong with it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        // As the kernel has it: 15 bytes at most.
        let name = |name: &str| {
            (1..=15).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                && !name.starts_with(['-', '.'])
        };
        let space = |space: &str| {
            (1..=255).contains(&space.len())
                && space.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                && !space.starts_with(['-', '.'])
        };
        if let Some(bad) = self.interfaces.iter().find(|interface| !name(interface)) {
            return Err(format!("interfaces: '{bad}' is no name of an interface"));
        }
        if (self.family == Family::Netdev) == self.interfaces.is_empty() {
            return Err("interfaces: name at least one with family 'netdev', and none with \
                        another"
                .to_owned());
        }
        if let Some(bad) = self.netns.as_ref().filter(|netns| !space(netns)) {
            return Err(format!("netns: '{bad}' is no name of a namespace"));
        }
        if self.command.first().is_none_or(String::is_empty) {
            return Err("command: names no program".to_owned());
        }
        Ok(())
    }
}

/// The enforcer.
#[derive(Debug)]
pub struct Nftables {
    config: NftablesConfig,
    outlet: Outlet,
}

impl Nftables {
    /// One that goes out through `outlet`. The configuration has been checked.
    pub const fn new(config: NftablesConfig, outlet: Outlet) -> Self {
        Self { config, outlet }
    }

    /// Asks the kernel whether it would take a plan, without making it.
    ///
    /// # Errors
    /// When it would not: what it says.
    pub fn check(&self, plan: &Plan) -> Result<(), EnforceError> {
        self.send(&["-c", "-f", "-"], &plan.change)
    }

    fn nft(&self, arguments: &[&str], input: &str) -> Result<Said, EnforceError> {
        let mut words: Vec<String> = Vec::new();
        if let Some(netns) = &self.config.netns {
            words.extend(["ip", "netns", "exec", netns].map(str::to_owned));
        }
        words.extend(self.config.command.iter().cloned());
        words.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self.outlet.run(&words, input, PATIENCE).map_err(unreachable)
    }

    fn send(&self, arguments: &[&str], lines: &[String]) -> Result<(), EnforceError> {
        let mut text = lines.join("\n");
        text.push('\n');
        let said = self.nft(arguments, &text)?;
        if said.good { Ok(()) } else { Err(refused(complaint(&said))) }
    }

    fn ask(&self, arguments: &[&str]) -> Result<serde_json::Value, EnforceError> {
        let said = self.nft(arguments, "")?;
        if !said.good {
            return Err(unreachable(complaint(&said)));
        }
        serde_json::from_str(&said.out)
            .map_err(|error| unreachable(format!("nft does not answer in JSON: {error}")))
    }

    /// The families in which there is a table of ours.
    fn tables(&self) -> Result<Vec<Family>, EnforceError> {
        let answer = self.ask(&["-j", "list", "tables"])?;
        let there = |family: &Family| listing::has_table(&answer, family.name());
        Ok(Family::ALL.into_iter().filter(there).collect())
    }

    /// What is in our table of a family; nothing where there is none.
    fn listing(&self, family: Family) -> Result<Option<Listing>, EnforceError> {
        if !self.tables()?.contains(&family) {
            return Ok(None);
        }
        let answer = self.ask(&["-j", "list", "table", family.name(), TABLE])?;
        Ok(Some(Listing::read(&answer)))
    }

    /// Deletes the chains and sets of actions.
    fn remove(
        &self,
        family: Family,
        listing: &Listing,
        actions: &[String],
    ) -> Result<(), EnforceError> {
        let lines: Vec<String> =
            actions.iter().flat_map(|action| listing.removal(family.name(), action)).collect();
        if lines.is_empty() { Ok(()) } else { self.send(&["-f", "-"], &lines) }
    }

    /// Deletes what expired actions left. It does nothing any more, so failing to is no failure.
    fn sweep(&self) {
        let family = self.config.family;
        if let Ok(Some(listing)) = self.listing(family) {
            let _ = self.remove(family, &listing, &listing.expired());
        }
    }

    fn render(&self, intent: &Intent, hold: Duration) -> Result<Vec<String>, EnforceError> {
        render::change(&self.config, intent, hold)
            .map_err(|why| EnforceError::Inexpressible { enforcer: NAME, why })
    }
}

impl Enforcer for Nftables {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can(&self, _: Level, intent: &Intent) -> bool {
        let domain = matches!(
            intent.restriction,
            Restriction::Perimeter { indicator: Indicator::Domain(_) }
        );
        !domain
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        let change = self.render(intent, intent.ttl)?;
        let undo = render::undo(&self.config, intent, &change);
        Ok(Plan {
            intent: intent.clone(),
            enforcer: NAME.to_owned(),
            change,
            undo,
            dead_man: format!(
                "every element of its sets expires in the kernel after at most {} s; without them \
                 its chain does nothing",
                intent.ttl.as_secs()
            ),
        })
    }

    fn handle(&self, plan: &Plan) -> String {
        format!("{} {}", self.config.family.name(), plan.intent.id)
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let plan = approved.plan();
        // What was approved, word for word, is what this configuration makes of the intent; only
        // the time is shorter.
        if plan.enforcer != NAME || plan.change != self.render(&plan.intent, plan.intent.ttl)? {
            return Err(refused("the plan was made for another configuration: plan again"));
        }
        let ttl = expiry(NAME, approved)?;
        // What an earlier call of the same action left goes in the same transaction.
        let family = self.config.family;
        let left = self.listing(family)?;
        let mut lines =
            left.map_or_else(Vec::new, |left| left.removal(family.name(), &plan.intent.id));
        lines.extend(self.render(&plan.intent, ttl)?);
        self.send(&["-f", "-"], &lines)?;
        self.sweep();
        Ok(Receipt {
            action: plan.intent.id.clone(),
            enforcer: NAME.to_owned(),
            handle: self.handle(plan),
            undo: plan.undo.clone(),
            ttl,
            acknowledged: true,
        })
    }

    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError> {
        let (family, action) = found_by(receipt)?;
        let holds = self.listing(family)?.and_then(|listing| listing.holds(action));
        Ok(holds.map_or(State::Gone, State::InForce))
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        let (family, action) = found_by(receipt)?;
        let Some(listing) = self.listing(family)? else { return Ok(()) };
        self.remove(family, &listing, &[action.to_owned()])?;
        match self.state(receipt)? {
            State::Gone => Ok(()),
            State::InForce(_) | State::Unknown => Err(refused("it is still there")),
        }
    }

    fn revert_all(&self, _: &[Receipt]) -> Result<(), EnforceError> {
        let tables = self.tables()?;
        if tables.is_empty() {
            return Ok(());
        }
        // 'halt' and the process that enforces may do this at the same moment: who comes second
        // must not fail over a table that is gone, so it is added in the same transaction.
        let delete = |family: &Family| {
            ["add", "delete"].map(|verb| format!("{verb} table {} {TABLE}", family.name()))
        };
        let lines: Vec<String> = tables.iter().flat_map(delete).collect();
        self.send(&["-f", "-"], &lines)?;
        if self.tables()?.is_empty() { Ok(()) } else { Err(refused("a table is still there")) }
    }
}

/// Family and action of a receipt.
fn found_by(receipt: &Receipt) -> Result<(Family, &str), EnforceError> {
    let (family, action) = receipt.handle.split_once(' ').unwrap_or_default();
    let family = Family::ALL.into_iter().find(|known| known.name() == family);
    match family {
        Some(family) if is_plain(action) => Ok((family, action)),
        _ => Err(refused(format!("'{}' is no handle of nftables", receipt.handle))),
    }
}

fn refused(why: impl Into<String>) -> EnforceError {
    EnforceError::Refused { enforcer: NAME, why: why.into() }
}

fn unreachable(why: impl Into<String>) -> EnforceError {
    EnforceError::Unreachable { enforcer: NAME, why: why.into() }
}
