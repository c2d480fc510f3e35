//! Text for the network team: access lists and firewall policies, and what removes them again.
//!
//! This is an export. Nothing here reaches a switch, nobody answers, and no list ends by itself: so
//! it is never chosen for a device by a policy ([`Acl::can`] says no), and what is written down says
//! first that people have to take it back.
//!
//! Cisco's lists keep no state of connections, so they are made of halves like those of nftables.
//! FortiGate and Palo Alto keep state: one policy a kind of conversation, and the sessions that exist
//! are cleared.

mod cisco;
mod fortigate;
mod paloalto;

#[cfg(test)]
mod golden;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::is_plain;
use super::outlet::Outlet;
use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};
use crate::range::Range;
use crate::restriction::{Indicator, Pattern, Proto, Restriction, Way};

/// Its name.
pub const NAME: &str = "acl";

/// Whose language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Downloadable access list for the port of the device: what the device sends.
    CiscoDacl,
    /// Named extended access list, for an interface that sees both directions.
    CiscoExtended,
    /// FortiGate command line.
    Fortigate,
    /// Palo Alto `set` commands.
    Paloalto,
}

impl Dialect {
    /// All.
    pub const ALL: [Self; 4] =
        [Self::CiscoDacl, Self::CiscoExtended, Self::Fortigate, Self::Paloalto];

    /// Its name, as in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CiscoDacl => "cisco_dacl",
            Self::CiscoExtended => "cisco_extended",
            Self::Fortigate => "fortigate",
            Self::Paloalto => "paloalto",
        }
    }

    /// What begins a line that is for people.
    const fn remark(self) -> &'static str {
        match self {
            Self::CiscoDacl | Self::CiscoExtended => "!",
            Self::Fortigate | Self::Paloalto => "#",
        }
    }
}

/// Text to paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// What restricts.
    pub change: Vec<String>,
    /// What removes it.
    pub undo: Vec<String>,
}

/// An intent in a vendor's language.
///
/// # Errors
/// Where it cannot be expressed exactly: why.
pub fn text(dialect: Dialect, intent: &Intent) -> Result<Text, String> {
    if !is_plain(&intent.id) {
        return Err("the name of the action has to be of letters, digits and hyphens".to_owned());
    }
    if let Restriction::Perimeter { indicator: Indicator::Domain(_) } = intent.restriction {
        return Err("access lists know addresses: serve the domain in a block list".to_owned());
    }
    let mut text = match dialect {
        Dialect::CiscoDacl => cisco::dacl(intent),
        Dialect::CiscoExtended => cisco::extended(intent),
        Dialect::Fortigate => fortigate::text(intent),
        Dialect::Paloalto => paloalto::text(intent),
    }?;
    let remark = dialect.remark();
    let who = harmless(&intent.subject.name);
    let what = intent.restriction.title();
    let minutes = intent.ttl.as_secs().div_ceil(60);
    let mut head = vec![
        format!("{remark} {}: {}: {what} ({who})", dialect.name(), intent.id),
        format!("{remark} This does not end by itself: remove it after {minutes} minutes."),
    ];
    let opens = matches!(
        intent.restriction,
        Restriction::Essentials { .. } | Restriction::Quarantine { .. }
    );
    // A restriction must not open what was closed before.
    match dialect {
        Dialect::CiscoDacl | Dialect::CiscoExtended => head.push(format!(
            "{remark} The last line stands for what is in force now: where there is a list already, \
             put that in its place."
        )),
        Dialect::Fortigate | Dialect::Paloalto if opens => head.push(format!(
            "{remark} Leave out what is allowed here and was not allowed before."
        )),
        Dialect::Fortigate | Dialect::Paloalto => {}
    }
    text.change.splice(0..0, head);
    text.undo.insert(0, format!("{remark} {}: {}: removal", dialect.name(), intent.id));
    Ok(text)
}

/// A name that somebody else chose, such that it can do no harm in any of the languages.
fn harmless(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " -_.:/".contains(c) { c } else { '_' };
    let text: String = name.trim().chars().take(60).map(plain).collect();
    if text.is_empty() { "unnamed".to_owned() } else { text }
}

/// Whom a firewall that keeps state lets call whom, in order. Addresses without restriction are
/// `None`.
struct Policy {
    pass: bool,
    from: Option<Range>,
    to: Option<Range>,
    proto: Option<Proto>,
    port: Option<u16>,
    v6: bool,
}

/// An intent for firewalls that keep state.
fn policies(intent: &Intent) -> Result<Vec<Policy>, String> {
    let mut all = Vec::new();
    if let Restriction::Perimeter { indicator: Indicator::Address(range) } = intent.restriction {
        if range.prefix() == 0 {
            return Err("that is everybody".to_owned());
        }
        let v6 = range.address().is_ipv6();
        for (from, to) in [(Some(range), None), (None, Some(range))] {
            all.push(Policy { pass: false, from, to, proto: None, port: None, v6 });
        }
        return Ok(all);
    }
    let own = super::halves::own(&intent.subject)?;
    let (patterns, pass) = match &intent.restriction {
        Restriction::Block { flows } if flows.is_empty() => {
            return Err("the block names no conversation".to_owned());
        }
        Restriction::Block { flows } => (flows.clone(), false),
        Restriction::Essentials { allow } => (allow.clone(), true),
        Restriction::Quarantine { management } => {
            let both = |peer: &Range| {
                [Way::Out, Way::In].map(|way| Pattern { way, peer: *peer, proto: None, port: None })
            };
            (management.iter().flat_map(both).collect(), true)
        }
        Restriction::Perimeter { .. } => return Err("no addresses".to_owned()),
    };
    // Held against the same rules as everywhere: ports make sense, families match.
    super::halves::halves(&intent.subject, &patterns)?;
    for pattern in &patterns {
        let v6 = pattern.peer.address().is_ipv6();
        for own in own.iter().filter(|own| own.is_ipv6() == v6) {
            let (own, peer) = (Some(Range::one(*own)), Some(pattern.peer));
            let (from, to) = if pattern.way == Way::Out { (own, peer) } else { (peer, own) };
            let (proto, port) = (pattern.proto, pattern.port);
            all.push(Policy { pass, from, to, proto, port, v6 });
        }
    }
    if pass {
        for own in own {
            let (v6, one) = (own.is_ipv6(), Some(Range::one(own)));
            for (from, to) in [(one, None), (None, one)] {
                all.push(Policy { pass: false, from, to, proto: None, port: None, v6 });
            }
        }
    }
    Ok(all)
}

/// Configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AclConfig {
    /// Which languages are written.
    pub dialects: Vec<Dialect>,
    /// Folder of the texts, below the data folder unless absolute.
    #[serde(default = "folder")]
    pub folder: PathBuf,
}

fn folder() -> PathBuf {
    PathBuf::from("acl")
}

impl AclConfig {
    /// What is wrong with it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.dialects.is_empty() {
            return Err("dialects: name at least one".to_owned());
        }
        Ok(())
    }
}

/// The enforcer that writes texts into a folder.
pub struct Acl {
    dialects: Vec<Dialect>,
    folder: PathBuf,
    outlet: Outlet,
}

impl Acl {
    /// One that writes through `outlet` into a folder.
    pub fn new(dialects: &[Dialect], folder: PathBuf, outlet: Outlet) -> Self {
        let mut dialects = dialects.to_vec();
        dialects.sort_unstable();
        dialects.dedup();
        Self { dialects, folder, outlet }
    }

    fn write(&self, name: &str, lines: &[String]) -> Result<(), EnforceError> {
        self.outlet.out();
        let path = self.folder.join(name);
        let mut text = lines.join("\n");
        text.push('\n');
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| unreachable(format!("{}: {error}", path.display())))
    }
}

impl Enforcer for Acl {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Never by itself: there is nothing that would end it.
    fn can(&self, _: Level, _: &Intent) -> bool {
        false
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        let (mut change, mut undo) = (Vec::new(), Vec::new());
        for &dialect in &self.dialects {
            let text = text(dialect, intent)
                .map_err(|why| EnforceError::Inexpressible { enforcer: NAME, why })?;
            change.extend(text.change);
            undo.extend(text.undo);
        }
        let dead_man = "none: people have to take it back".to_owned();
        Ok(Plan { intent: intent.clone(), enforcer: NAME.to_owned(), change, undo, dead_man })
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let plan = approved.plan();
        if plan.enforcer != NAME || self.plan(&plan.intent)? != *plan {
            let why = "the plan was made for another configuration: plan again".to_owned();
            return Err(EnforceError::Refused { enforcer: NAME, why });
        }
        let ttl = super::expiry(NAME, approved)?;
        self.write(&format!("{}.txt", plan.intent.id), &plan.change)?;
        Ok(Receipt {
            action: plan.intent.id.clone(),
            enforcer: NAME.to_owned(),
            handle: plan.intent.id.clone(),
            undo: plan.undo.clone(),
            ttl,
            acknowledged: false,
        })
    }

    fn state(&self, _: &Receipt) -> Result<State, EnforceError> {
        Ok(State::Unknown)
    }

    /// Writes what removes it, and takes the text away. Whether anybody pasted either, nobody can
    /// tell.
    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        if !is_plain(&receipt.handle) {
            let why = format!("'{}' is no handle of acl", receipt.handle);
            return Err(EnforceError::Refused { enforcer: NAME, why });
        }
        self.write(&format!("{}.remove.txt", receipt.handle), &receipt.undo)?;
        let path = self.folder.join(format!("{}.txt", receipt.handle));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(unreachable(format!("{}: {error}", path.display())))
            }
            _ => Ok(()),
        }
    }

    fn revert_all(&self, receipts: &[Receipt]) -> Result<(), EnforceError> {
        let own = receipts.iter().filter(|receipt| receipt.enforcer == NAME);
        let failed = own.filter_map(|receipt| self.revert(receipt).err()).next();
        failed.map_or(Ok(()), Err)
    }
}

const fn unreachable(why: String) -> EnforceError {
    EnforceError::Unreachable { enforcer: NAME, why }
}
