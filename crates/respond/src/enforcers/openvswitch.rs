//! Open vSwitch: flows with a time of their own in three tables of ours.
//!
//! ```text
//! table 0      packets of a restricted device enter          -> first     (expires with the action)
//! first        blocks: dropped, or on                        -> first + 1 (by default)
//! first + 1    what the source may send: dropped, or on      -> first + 2 (by default)
//! first + 2    what the destination may get: dropped, or on  -> as configured
//! ```
//!
//! Source and destination each have a table, so that a packet between two restricted devices has to
//! pass both. Flows that only hand on do not expire; without the flows that enter, which do, no packet
//! comes near them. Flows that let through live a minute longer than those that deny.
//!
//! Every flow of ours has a cookie that begins with `0x5757`, the rest says of which action it is. A
//! change is one bundle: all of it or nothing.
//!
//! Two allow lists for the same device add up here, while nftables passes only what both allow.

mod render;

#[cfg(test)]
mod live;
#[cfg(test)]
mod packets;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outlet::{Outlet, Said, complaint};
use super::{expiry, is_plain};
use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};

/// Its name.
pub const NAME: &str = "openvswitch";
/// Longest that one call of `ovs-ofctl` may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenvswitchConfig {
    /// The bridge's name, or where it listens, such as `unix:/run/openvswitch/br0.mgmt`.
    pub bridge: String,
    /// The first of three tables of ours; the others follow. None of the three may be in use.
    #[serde(default = "first_table")]
    pub first_table: u8,
    /// What happens with what passes, such as `NORMAL` or `resubmit(,10)`.
    #[serde(default = "then")]
    pub then: String,
    /// The program and what stands before its arguments.
    #[serde(default = "command")]
    pub command: Vec<String>,
}

const fn first_table() -> u8 {
    200
}

fn then() -> String {
    "NORMAL".to_owned()
}

fn command() -> Vec<String> {
    vec!["ovs-ofctl".to_owned()]
}

impl OpenvswitchConfig {
    /// What is wrong with it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |text: &str, more: &[u8]| {
            (1..=200).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        if !plain(&self.bridge, b"-_./:") || self.bridge.starts_with('-') {
            return Err("bridge: the name of a bridge or its socket".to_owned());
        }
        // 254 is internal, 255 stands for all.
        if !(1..=251).contains(&self.first_table) {
            return Err("first_table: from 1 to 251".to_owned());
        }
        if !plain(&self.then, b"(,)_:") {
            return Err("then: an action such as NORMAL or resubmit(,10)".to_owned());
        }
        if self.command.first().is_none_or(String::is_empty) {
            return Err("command: names no program".to_owned());
        }
        Ok(())
    }
}

/// The enforcer.
#[derive(Debug)]
pub struct Openvswitch {
    config: OpenvswitchConfig,
    outlet: Outlet,
}

impl Openvswitch {
    /// One that goes out through `outlet`. The configuration has been checked.
    pub const fn new(config: OpenvswitchConfig, outlet: Outlet) -> Self {
        Self { config, outlet }
    }

    fn ofctl(&self, arguments: &[&str], input: &str) -> Result<Said, EnforceError> {
        let mut words = self.config.command.clone();
        words.extend(["-O", "OpenFlow14"].map(str::to_owned));
        words.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let said = self.outlet.run(&words, input, PATIENCE).map_err(unreachable)?;
        if said.good { Ok(said) } else { Err(unreachable(complaint(&said))) }
    }

    fn send(&self, lines: &[String]) -> Result<(), EnforceError> {
        let mut text = lines.join("\n");
        text.push('\n');
        self.ofctl(&["--bundle", "add-flows", &self.config.bridge, "-"], &text).map(drop)
    }

    fn flows(&self, cookie: &str) -> Result<Vec<String>, EnforceError> {
        let said = self.ofctl(&["dump-flows", &self.config.bridge, cookie], "")?;
        Ok(said.out.lines().filter(|line| line.contains("cookie=")).map(str::to_owned).collect())
    }

    fn render(&self, intent: &Intent, hold: Duration) -> Result<Vec<String>, EnforceError> {
        render::change(&self.config, intent, hold)
            .map_err(|why| EnforceError::Inexpressible { enforcer: NAME, why })
    }
}

impl Enforcer for Openvswitch {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can(&self, _: Level, intent: &Intent) -> bool {
        self.render(intent, intent.ttl).is_ok()
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        Ok(Plan {
            intent: intent.clone(),
            enforcer: NAME.to_owned(),
            change: self.render(intent, intent.ttl)?,
            undo: vec![render::delete(&render::cookie(&intent.id))],
            dead_man: format!(
                "hard_timeout: the switch itself drops every flow that denies after at most {} s",
                intent.ttl.as_secs()
            ),
        })
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let plan = approved.plan();
        let intent = &plan.intent;
        if plan.enforcer != NAME || plan.change != self.render(intent, intent.ttl)? {
            return Err(refused("the plan was made for another configuration: plan again"));
        }
        let ttl = Duration::from_secs(expiry(NAME, approved)?.as_secs());
        let others = self.flows(render::EVERY_COOKIE)?;
        if render::is_taken(&others, &intent.id) {
            return Err(refused("another action has the same place: name this one otherwise"));
        }
        self.send(&self.render(intent, ttl)?)?;
        Ok(Receipt {
            action: intent.id.clone(),
            enforcer: NAME.to_owned(),
            handle: intent.id.clone(),
            undo: plan.undo.clone(),
            ttl,
            acknowledged: true,
        })
    }

    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError> {
        let flows = self.flows(&render::cookie(&handle(receipt)?))?;
        let left = flows.iter().filter_map(|flow| render::holds(flow)).max();
        Ok(left.map_or(State::Gone, State::InForce))
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        let cookie = render::cookie(&handle(receipt)?);
        self.send(&[render::delete(&cookie)])?;
        if self.flows(&cookie)?.is_empty() { Ok(()) } else { Err(refused("flows are still there")) }
    }

    fn revert_all(&self, _: &[Receipt]) -> Result<(), EnforceError> {
        self.send(&[render::delete(render::EVERY_COOKIE)])?;
        let left = self.flows(render::EVERY_COOKIE)?;
        if left.is_empty() { Ok(()) } else { Err(refused("flows are still there")) }
    }
}

fn handle(receipt: &Receipt) -> Result<String, EnforceError> {
    if is_plain(&receipt.handle) {
        return Ok(receipt.handle.clone());
    }
    Err(refused(&format!("'{}' is no handle of openvswitch", receipt.handle)))
}

fn refused(why: &str) -> EnforceError {
    EnforceError::Refused { enforcer: NAME, why: why.to_owned() }
}

const fn unreachable(why: String) -> EnforceError {
    EnforceError::Unreachable { enforcer: NAME, why }
}
