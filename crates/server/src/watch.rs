//! Tells whoever listens when an action has changed, or how the site stands: halted, armed, half
//! signed, under another policy.
//!
//! Several processes write the ledger: the daemon, `enforce`, the command line. So it is looked at
//! four times a second, and only while somebody listens; what changed while nobody did is told to
//! the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use respond::desk::{Action, Arming, Desk, HalfSigned, Status};
use respond::{Moment, Office, OfficeError, Policy, Standing};
use tokio::sync::watch;

use crate::api::response::look::{Line, SiteStatus, site};
use crate::live::Live;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(250);

/// What is compared of an action: status, standing, signatures, what enforcers answered, what was
/// seen in traffic, and whether it is stuck.
type Seen = (Status, Standing, usize, usize, Option<Moment>, bool);

/// What was seen at a look.
#[derive(Default)]
struct Known {
    actions: BTreeMap<String, Seen>,
    halted: Option<String>,
    observes_only: bool,
    armed: Vec<(&'static str, Arming)>,
    half_signed: Vec<HalfSigned>,
    policy: Policy,
}

/// What is new since.
#[derive(Default)]
struct News {
    lines: Vec<Line>,
    site: Option<SiteStatus>,
}

/// Looks until it is told to stop.
pub(crate) async fn actions(office: Arc<Office>, live: Live, mut stopping: watch::Receiver<bool>) {
    let mut known: Option<Known> = None;
    let mut failing = false;
    while !*stopping.borrow() {
        if known.is_none() || live.has_clients() {
            let (of, before) = (Arc::clone(&office), known.take());
            let looked = tokio::task::spawn_blocking(move || {
                let changed = look(&of, before.as_ref());
                (before, changed)
            });
            let Ok((before, changed)) = looked.await else { return };
            match changed {
                Ok((seen, news)) => {
                    news.lines.iter().for_each(|line| live.publish("action", line));
                    news.site.iter().for_each(|site| live.publish("response", site));
                    (known, failing) = (Some(seen), false);
                }
                Err(error) => {
                    if !failing {
                        tracing::error!(%error, "the ledger cannot be looked at");
                    }
                    (known, failing) = (before, true);
                }
            }
        }
        tokio::select! {
            _ = stopping.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// How everything stands, and what stands otherwise than before; nothing at the first look.
fn look(office: &Office, before: Option<&Known>) -> Result<(Known, News), OfficeError> {
    office.look(|desk: &Desk, now: Moment| {
        let mut news = News::default();
        let actions = desk.actions().map(|action| {
            let seen = fingerprint(action);
            if before.is_some_and(|before| before.actions.get(action.id()) != Some(&seen)) {
                news.lines.push(Line::of(action, desk, now));
            }
            (action.id().to_owned(), seen)
        });
        let known = Known {
            actions: actions.collect(),
            halted: desk.halted().map(str::to_owned),
            observes_only: desk.observes_only(now),
            armed: desk.armed(now).collect(),
            half_signed: desk.half_signed().to_vec(),
            policy: desk.policy().clone(),
        };
        if before.is_some_and(|before| !known.stands_as(before)) {
            news.site = Some(site(desk, now));
        }
        (known, news)
    })
}

impl Known {
    fn stands_as(&self, other: &Self) -> bool {
        self.halted == other.halted
            && self.observes_only == other.observes_only
            && self.armed == other.armed
            && self.half_signed == other.half_signed
            && self.policy == other.policy
    }
}

fn fingerprint(action: &Action) -> Seen {
    (
        action.status.clone(),
        action.standing(),
        action.signatures.len(),
        action.receipts.len(),
        action.observed.as_ref().map(|(_, at)| *at),
        action.stuck.is_some(),
    )
}
