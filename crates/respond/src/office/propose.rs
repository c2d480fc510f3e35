//! From a wish to a proposal: pre-flight, exact plans, consequence card, and what care needs
//! regularly of everybody whom it touches.

use std::collections::BTreeMap;
use std::time::Duration;

use model::device::{DeviceId, InUse, Tier};
use serde::{Deserialize, Serialize};

use super::{Ground, Office, OfficeError};
use crate::card::card;
use crate::desk::{Ask, Desk, Proposal, Refused};
use crate::essentials::{self, Judge};
use crate::evidence::Evidence;
use crate::ledger::{Done, Refusal};
use crate::moment::Moment;
use crate::people::Person;
use crate::plan::{Intent, Plan};
use crate::planner::Draft;
use crate::policy::hours;
use crate::preflight::{self, Minimum, Outcome};
use crate::range::Range;
use crate::restriction::{Indicator, Restriction};
use crate::subject::Subject;
use crate::watch::Beat;

/// Regular conversations that are watched of one action.
const MOST_BEATS: usize = 64;
/// What comes more seldom is no heartbeat: it would be missed when the restriction is long over.
const SLOWEST: Duration = Duration::from_secs(900);

/// What somebody wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Of whom.
    pub device: DeviceId,
    /// What. An allow-list that is empty is filled with what care needs.
    pub restriction: Restriction,
    /// For how long; as long as the policy allows where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// Why.
    pub evidence: Evidence,
    /// Who; policy where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
}

/// Why there is no proposal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProposal {
    /// Nobody knows the device.
    #[error("no device '{0}' is known; 'wardwatch devices' lists them")]
    UnknownDevice(DeviceId),
    /// No enforcer can do exactly this.
    #[error("no enforcer can do exactly this: {0}")]
    NoEnforcer(String),
}

impl Office {
    /// Weighs a wish without asking for it: what a dry run shows.
    ///
    /// # Errors
    /// Why there is no proposal.
    pub fn weigh(&self, wish: &Wish, desk: &Desk, now: Moment) -> Result<Proposal, NoProposal> {
        let ground = self.ground();
        let judge = self.setting.essentials.judge(essentials::Ground {
            history: &ground.history,
            devices: &ground.devices,
            names: &ground.names,
        });
        self.proposal(wish, &ground, &judge, desk, now)
    }

    /// Asks for a wish. The name of the action is given while nobody else can take it.
    ///
    /// # Errors
    /// When the ledger cannot be used. No proposal and a refusal are answers.
    pub fn propose(
        &self,
        wish: &Wish,
    ) -> Result<Result<Result<Done, Refused>, NoProposal>, OfficeError> {
        let now = self.now();
        let mut none = None;
        let asked = self.book().ask_with(
            |desk| match self.weigh(wish, desk, now) {
                Ok(proposal) => Some(Ask::Propose(Box::new(proposal))),
                Err(why) => {
                    none = Some(why);
                    None
                }
            },
            now,
        )?;
        Ok(match (asked, none) {
            (_, Some(why)) => Err(why),
            (Some(answer), None) => Ok(answer),
            (None, None) => Ok(Ok(Done { seq: None, events: Vec::new() })),
        })
    }

    /// Asks for the mildest restriction of a draft that harms no care. Where all do, the mildest is
    /// refused; where no enforcer can do any, that is written down like a refusal.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub fn propose_draft(
        &self,
        draft: &Draft,
    ) -> Result<Option<Result<Done, Refused>>, OfficeError> {
        let now = self.now();
        // Always in this order, as in `propose`.
        let mut book = self.book();
        let ground = self.ground();
        let judge = self.setting.essentials.judge(essentials::Ground {
            history: &ground.history,
            devices: &ground.devices,
            names: &ground.names,
        });
        let mut none = None;
        let answer = book.ask_with(
            |desk| {
                let wishes = draft.restrictions.iter().map(|restriction| Wish {
                    device: draft.device.clone(),
                    restriction: restriction.clone(),
                    ttl: None,
                    evidence: draft.evidence.clone(),
                    by: None,
                });
                let mut mildest = None;
                for wish in wishes {
                    match self.proposal(&wish, &ground, &judge, desk, now) {
                        Ok(proposal) if proposal.preflight.outcome != Outcome::CutsEssential => {
                            return Some(Ask::Propose(Box::new(proposal)));
                        }
                        Ok(proposal) => drop(mildest.get_or_insert(proposal)),
                        Err(why) => drop(none.get_or_insert((wish.restriction, why))),
                    }
                }
                // The desk refuses it, and so it is seen that there was something.
                mildest.map(|proposal| Ask::Propose(Box::new(proposal)))
            },
            now,
        )?;
        if let (None, Some((restriction, NoProposal::NoEnforcer(why)))) = (&answer, none) {
            let (case, device) = (&draft.evidence.case, &draft.device);
            book.refuse(Refusal::without_enforcer(case, device, &restriction, &why), now)?;
        }
        Ok(answer)
    }

    fn proposal(
        &self,
        wish: &Wish,
        ground: &Ground,
        judge: &Judge<'_>,
        desk: &Desk,
        now: Moment,
    ) -> Result<Proposal, NoProposal> {
        let subject = ground.devices.get(&wish.device).cloned();
        let mut subject = subject.ok_or_else(|| NoProposal::UnknownDevice(wish.device.clone()))?;
        let most = desk.policy().rules(subject.tier()).ttl();
        let mut ttl = wish.ttl.unwrap_or(most);
        if subject.in_use == InUse::Unknown
            && let Some(idle) = desk.idle(&subject.id, now)
        {
            subject.in_use = InUse::Idle;
            subject.in_use_because = idle.title();
            if wish.by.is_none() {
                // What rests on that ends with it.
                ttl = ttl.min(idle.left(now).unwrap_or_default());
            }
        }
        let intent = Intent {
            id: desk.next_id(),
            restriction: filled(&wish.restriction, &subject, judge),
            ttl,
            subject,
        };
        let plans = self.plans(&intent)?;
        let minimum = Minimum {
            recorded: hours(desk.policy().automatic.recorded_hours),
            silent: self.setting.silent,
        };
        let preflight = preflight::check(&intent, judge, &minimum, now.wall);
        let code = self.codes.of(&intent.subject.id);
        let card = card(&intent, &preflight, &self.setting.contacts, Some(&code), now.wall);
        Ok(Proposal {
            beats: beats(&intent, ground, judge),
            of_class: ground.of_class(intent.subject.class),
            intent,
            plans,
            evidence: wish.evidence.clone(),
            preflight,
            card,
            by: wish.by.clone(),
            watched: self.setting.watched,
            versions: self.setting.versions.clone(),
        })
    }

    /// The exact change of each enforcer that can do it. Sends nothing.
    ///
    /// # Errors
    /// Where none can.
    pub fn plans(&self, intent: &Intent) -> Result<Vec<Plan>, NoProposal> {
        let level = intent.restriction.level();
        let mut refused = Vec::new();
        let mut plans = Vec::new();
        for enforcer in self.enforcers.iter().filter(|enforcer| enforcer.can(level, intent)) {
            match enforcer.plan(intent) {
                Ok(plan) => plans.push(plan),
                Err(error) => refused.push(error.to_string()),
            }
        }
        match (plans.is_empty(), refused.is_empty()) {
            (false, _) => Ok(plans),
            (true, false) => Err(NoProposal::NoEnforcer(refused.join("; "))),
            (true, true) => Err(NoProposal::NoEnforcer(format!(
                "none is configured that can {}",
                intent.restriction.title()
            ))),
        }
    }
}

/// An empty allow-list is filled with what care needs.
fn filled(restriction: &Restriction, subject: &Subject, judge: &Judge<'_>) -> Restriction {
    match restriction {
        Restriction::Essentials { allow } if allow.is_empty() => {
            let mut allow: Vec<_> =
                judge.of(subject).into_iter().filter_map(|need| need.pattern).collect();
            allow.sort();
            allow.dedup();
            Restriction::Essentials { allow }
        }
        other => other.clone(),
    }
}

/// What care needs regularly of the device, and of those whose conversations with it are touched.
fn beats(intent: &Intent, ground: &Ground, judge: &Judge<'_>) -> Vec<Beat> {
    let mut addresses = intent.subject.addresses.clone();
    match &intent.restriction {
        Restriction::Block { flows } => {
            let peers = flows.iter().map(|flow| flow.peer).filter(|peer| peer.is_one());
            addresses.extend(peers.map(Range::address));
        }
        Restriction::Perimeter { indicator: Indicator::Address(range) } if range.is_one() => {
            addresses.push(range.address());
        }
        _ => {}
    }
    let mut beats = BTreeMap::new();
    for (conversation, record) in addresses.iter().flat_map(|one| ground.history.of(*one)) {
        let normal = ground.history.normal(conversation, record);
        let Some(interval) = normal.filter(|n| n.regular).and_then(|n| {
            n.interval.map(|interval| interval.saturating_add(n.spread.saturating_mul(3)))
        }) else {
            continue;
        };
        let Some(why) = judge.why(conversation, record) else { continue };
        if conversation.port == 0 || interval > SLOWEST || interval.is_zero() {
            continue;
        }
        let sides =
            [ground.devices.at(conversation.client), ground.devices.at(conversation.server)];
        let tier = sides.iter().map(|side| side.tier()).min().unwrap_or(Tier::T0);
        let what = format!(
            "{} from {} to {} ({why})",
            if record.service.is_empty() { conversation.proto.name() } else { &record.service },
            sides[0].name(conversation.client),
            sides[1].name(conversation.server),
        );
        beats.insert(
            *conversation,
            Beat {
                conversation: *conversation,
                what,
                interval,
                tier,
                last: record.last,
                one_way: normal.is_some_and(|normal| !normal.answered),
            },
        );
    }
    let mut beats: Vec<Beat> = beats.into_values().collect();
    beats.sort_by_key(|beat| (beat.tier, beat.interval, beat.conversation));
    beats.truncate(MOST_BEATS);
    beats
}
