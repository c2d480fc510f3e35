//! Tells whoever listens when an action has changed.
//!
//! Several processes write the ledger: the daemon, `enforce`, the command line. So it is looked at
//! every half second, and only while somebody listens; what changed while nobody did is told to the
//! next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use respond::desk::{Action, Desk, Status};
use respond::{Moment, Office, OfficeError, Standing};
use tokio::sync::watch;

use crate::api::response::look::Line;
use crate::live::Live;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(500);

/// What is compared of an action.
type Seen = (Status, Standing, usize, bool);

/// Looks until it is told to stop.
pub(crate) async fn actions(office: Arc<Office>, live: Live, mut stopping: watch::Receiver<bool>) {
    let mut known: Option<BTreeMap<String, Seen>> = None;
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
                Ok((seen, lines)) => {
                    lines.iter().for_each(|line| live.publish("action", line));
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

/// All actions as they stand, and those that stand otherwise than before; none at the first look.
fn look(
    office: &Office,
    before: Option<&BTreeMap<String, Seen>>,
) -> Result<(BTreeMap<String, Seen>, Vec<Line>), OfficeError> {
    office.look(|desk: &Desk, now: Moment| {
        let mut lines = Vec::new();
        let seen = desk.actions().map(|action| {
            let seen = fingerprint(action);
            if before.is_some_and(|before| before.get(action.id()) != Some(&seen)) {
                lines.push(Line::of(action, desk, now));
            }
            (action.id().to_owned(), seen)
        });
        let seen = seen.collect();
        (seen, lines)
    })
}

fn fingerprint(action: &Action) -> Seen {
    (action.status.clone(), action.standing(), action.signatures.len(), action.stuck.is_some())
}
