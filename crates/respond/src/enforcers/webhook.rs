//! A request to whatever else the hospital has: an orchestrator, a network access controller, a
//! ticket system.
//!
//! The body is a command in the manner of OpenC2 (action, target, arguments), the same bytes at every
//! try. It is signed with a secret that both sides know, over the time and the body, so that nobody
//! can make one up or send an old one again; `Idempotency-Key` lets the far end know a repetition.
//!
//! What the far end does is not ours to see. It is only used when the configuration declares that the
//! far end takes restrictions back by itself after `duration`: without that there is no dead man's
//! switch. Patients' and devices' names are not sent.

mod post;

#[cfg(test)]
mod live;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::post::{Post, Unanswered};
use super::outlet::Outlet;
use super::{expiry, is_plain};
use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};

/// Its name.
pub const NAME: &str = "webhook";

/// Configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where commands are posted.
    pub url: String,
    /// File with the secret that signs.
    pub secret_file: PathBuf,
    /// File with the certificates (PEM) of the authorities that `https` is verified with.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Whether `http` may leave this machine.
    #[serde(default)]
    pub allow_http: bool,
    /// What it is used for.
    pub levels: Vec<Level>,
    /// Whether the far end takes everything back by itself after `duration`.
    pub far_end_expires: bool,
}

impl WebhookConfig {
    /// What is wrong with it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        let url: ureq::http::Uri =
            self.url.parse().map_err(|error| format!("url: '{}': {error}", self.url))?;
        let host = url.host().unwrap_or_default();
        if host.is_empty() || url.authority().is_some_and(|all| all.as_str().contains('@')) {
            return Err("url: needs a host, and no name or password in it".to_owned());
        }
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match url.scheme_str() {
            Some("https") if self.ca_file.is_none() => {
                Err("ca_file: name the authorities that https is verified with".to_owned())
            }
            Some("https") => Ok(()),
            Some("http") if local || self.allow_http => Ok(()),
            Some("http") => Err("url: use https, or say allow_http = true".to_owned()),
            _ => Err("url: begins with https://".to_owned()),
        }?;
        if self.levels.is_empty() || !self.levels.iter().all(|level| level.restricts()) {
            return Err("levels: one or more of L2, L3 and L4".to_owned());
        }
        Ok(())
    }
}

/// The enforcer.
pub struct Webhook {
    config: WebhookConfig,
    post: Post,
}

impl Webhook {
    /// One that goes out through `outlet`. The configuration has been checked.
    ///
    /// # Errors
    /// When the certificates are none.
    pub fn new(
        config: WebhookConfig,
        secret: Vec<u8>,
        authorities: &[u8],
        outlet: Outlet,
    ) -> Result<Self, String> {
        let post = Post::new(config.url.clone(), secret, authorities, outlet)?;
        Ok(Self { config, post })
    }

    fn check(&self, intent: &Intent) -> Result<(), String> {
        let level = intent.restriction.level();
        if !is_plain(&intent.id) {
            return Err("the name of the action is not plain".to_owned());
        }
        if !self.config.far_end_expires {
            return Err("the far end is not declared to take it back by itself".to_owned());
        }
        if !self.config.levels.contains(&level) {
            return Err(format!("{level} is not among its levels"));
        }
        Ok(())
    }

    fn send(&self, command: &Value) -> Result<(), EnforceError> {
        match self.post.send(&command.to_string()) {
            Ok(()) => Ok(()),
            Err(Unanswered::Refused(why)) => Err(EnforceError::Refused { enforcer: NAME, why }),
            Err(Unanswered::Unreachable(why)) => {
                Err(EnforceError::Unreachable { enforcer: NAME, why })
            }
        }
    }

    fn lines(&self, command: &Value) -> Vec<String> {
        vec![format!("POST {}", self.config.url), command.to_string()]
    }
}

/// What asks for a restriction.
fn restrict(intent: &Intent, hold: Duration) -> Value {
    let subject = &intent.subject;
    json!({
        "version": 1,
        "action": if intent.restriction.level() == Level::L2 { "deny" } else { "contain" },
        "target": {
            "action_id": intent.id,
            "device": { "id": subject.id, "addresses": subject.addresses, "mac": subject.mac },
            "restriction": intent.restriction,
        },
        "args": {
            "duration": u64::try_from(hold.as_millis()).unwrap_or(u64::MAX),
            "response_requested": "complete",
        },
    })
}

/// What takes one back.
fn restore(action: &str) -> Value {
    let target = json!({ "action_id": action });
    let args = json!({ "response_requested": "complete" });
    json!({ "version": 1, "action": "restore", "target": target, "args": args })
}

/// What takes everything back that ever came from here.
fn restore_all() -> Value {
    let target = json!({ "everything": true });
    let args = json!({ "response_requested": "complete" });
    json!({ "version": 1, "action": "restore", "target": target, "args": args })
}

impl Enforcer for Webhook {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can(&self, _: Level, intent: &Intent) -> bool {
        self.check(intent).is_ok()
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        self.check(intent).map_err(|why| EnforceError::Inexpressible { enforcer: NAME, why })?;
        Ok(Plan {
            intent: intent.clone(),
            enforcer: NAME.to_owned(),
            change: self.lines(&restrict(intent, intent.ttl)),
            undo: self.lines(&restore(&intent.id)),
            dead_man: format!(
                "the far end is declared to take it back by itself after at most {} s",
                intent.ttl.as_secs()
            ),
        })
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let plan = approved.plan();
        if plan.enforcer != NAME || self.plan(&plan.intent)? != *plan {
            let why = "the plan was made for another configuration: plan again".to_owned();
            return Err(EnforceError::Refused { enforcer: NAME, why });
        }
        let ttl = expiry(NAME, approved)?;
        self.send(&restrict(&plan.intent, ttl))?;
        Ok(Receipt {
            action: plan.intent.id.clone(),
            enforcer: NAME.to_owned(),
            handle: plan.intent.id.clone(),
            undo: plan.undo.clone(),
            ttl,
            acknowledged: true,
        })
    }

    fn state(&self, _: &Receipt) -> Result<State, EnforceError> {
        Ok(State::Unknown)
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        self.send(&restore(&receipt.handle))
    }

    fn revert_all(&self, _: &[Receipt]) -> Result<(), EnforceError> {
        self.send(&restore_all())
    }
}
