//! What may happen by itself, what needs whom, for how long, and when to stop.
//!
//! The default is the proposal of the project; a hospital's committee decides. A policy that is
//! stricter counts as soon as one person signs it; one that is looser anywhere needs a second, in
//! another role. Some bounds cannot be moved at all: [`Policy::check`].

use std::time::Duration;

use model::device::Tier;
use model::finding::Severity;
use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::people::Signature;

/// A policy. Written as TOML; what is left out is as in the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// When anything may happen by itself.
    pub automatic: Automatic,
    /// People's part.
    pub approval: Approval,
    /// When to stop.
    pub breakers: Breakers,
    /// By tier.
    pub tiers: Tiers,
}

/// When anything may happen by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Automatic {
    /// Mildest severity of a case on which policy acts without a person.
    pub severity: Severity,
    /// Hours after a release in which nothing happens by itself to the released device.
    pub leave_alone_hours: u64,
    /// Days of recorded flows without which nothing happens by itself; in hours.
    pub recorded_hours: u64,
}

/// People's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Approval {
    /// Minutes that an approval is good for.
    pub valid_minutes: u64,
    /// Minutes after which a proposal that nobody answered lapses.
    pub proposal_minutes: u64,
    /// Hours for which a tier may be armed at most.
    pub armed_hours: u64,
}

/// When to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breakers {
    /// Devices of one class in one ward at L3 or above, at a time.
    pub class_per_ward: u64,
    /// Restricted devices of one class, in thousandths of all of that class; one is always allowed.
    pub class_per_mille: u64,
    /// Restrictions in any ten minutes, of all devices.
    pub actions_per_ten_minutes: u64,
    /// Restrictions in any hour, of all devices.
    pub actions_per_hour: u64,
    /// Roll-backs in an hour after which Wardwatch only observes.
    pub rollbacks_per_hour: u64,
    /// Proposals that wait for people at a time.
    pub waiting: u64,
}

/// What goes for the devices of a tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Highest level on the device that policy may apply without a person.
    pub automatic: Level,
    /// Whether an indicator outside the hospital may be blocked at the perimeter without a person.
    pub perimeter: bool,
    /// Minutes after which a restriction is gone where it is enforced.
    pub ttl_minutes: u64,
    /// Who signs a block of a flow.
    pub block: Vec<Signature>,
    /// Who signs an allow-list of essentials.
    pub essentials: Vec<Signature>,
    /// Who signs a quarantine.
    pub quarantine: Vec<Signature>,
    /// Whether somebody clinical has to say that the patient is safe, from L3 on.
    pub attest: bool,
}

macro_rules! tiers {
    ($($tier:ident $name:literal: $automatic:ident $perimeter:literal $ttl:literal, [$($block:ident)*] [$($essentials:ident)*] [$($quarantine:ident)*] $attest:literal;)*) => {
        /// What goes for the devices of each tier.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[allow(non_snake_case, reason = "the names of the tiers are those of the specification")]
        pub struct Tiers {
            $(#[doc = $name] pub $tier: Rules,)*
        }

        impl Default for Tiers {
            fn default() -> Self {
                Self {$(
                    $tier: Rules {
                        automatic: Level::$automatic,
                        perimeter: $perimeter,
                        ttl_minutes: $ttl,
                        block: vec![$(Signature::$block),*],
                        essentials: vec![$(Signature::$essentials),*],
                        quarantine: vec![$(Signature::$quarantine),*],
                        attest: $attest,
                    },
                )*}
            }
        }

        impl Policy {
            /// What goes for a tier.
            pub const fn rules(&self, tier: Tier) -> &Rules {
                match tier {
                    $(Tier::$tier => &self.tiers.$tier,)*
                }
            }
        }
    };
}

tiers! {
    T0 "Life-sustaining, or continuous therapy or monitoring.": L1 true 15, [Soc] [Soc Clinical] [Soc Clinical Commander] true;
    T0i "Infrastructure that T0 depends on.": L1 false 15, [Soc] [Soc Clinical] [Soc Clinical Commander] true;
    T1 "Time-critical diagnostics.": L2 true 30, [Soc] [Soc Clinical] [Soc Clinical Commander] false;
    T2 "Other clinical devices.": L2 true 60, [Anybody] [Anybody] [Anybody Anybody] false;
    T3 "Things that are not clinical.": L3 true 240, [Anybody] [Anybody] [Anybody] false;
    T4 "Office IT and guests.": L4 true 480, [Anybody] [Anybody] [Anybody] false;
}

/// All tiers, the most careful first.
pub const TIERS: [Tier; 6] = [Tier::T0, Tier::T0i, Tier::T1, Tier::T2, Tier::T3, Tier::T4];

impl Default for Rules {
    /// The most careful ones.
    fn default() -> Self {
        Tiers::default().T0
    }
}

impl Default for Automatic {
    fn default() -> Self {
        Self { severity: Severity::High, leave_alone_hours: 4, recorded_hours: 24 }
    }
}

impl Default for Approval {
    fn default() -> Self {
        Self { valid_minutes: 10, proposal_minutes: 60, armed_hours: 24 * 30 }
    }
}

impl Default for Breakers {
    fn default() -> Self {
        Self {
            class_per_ward: 1,
            class_per_mille: 20,
            actions_per_ten_minutes: 5,
            actions_per_hour: 15,
            rollbacks_per_hour: 3,
            waiting: 50,
        }
    }
}

impl Rules {
    /// Who has to sign at a level; nobody where nothing is restricted.
    pub fn signatures(&self, level: Level) -> &[Signature] {
        match level {
            Level::L0 | Level::L1 => &[],
            Level::L2 => &self.block,
            Level::L3 => &self.essentials,
            Level::L4 => &self.quarantine,
        }
    }

    /// Longest time that a restriction may last.
    pub const fn ttl(&self) -> Duration {
        minutes(self.ttl_minutes)
    }
}

/// So many minutes.
pub(crate) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(60))
}

/// So many hours.
pub(crate) const fn hours(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(3_600))
}

/// A policy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is no policy: where, and what was expected.
    #[error("the policy cannot be read: {0}")]
    Unreadable(String),
    /// It crosses a bound that nobody can move.
    #[error("the policy is not safe: {0}")]
    Unsafe(String),
}

impl Policy {
    /// From TOML.
    ///
    /// # Errors
    /// Where it cannot be read (line and key), or crosses a bound.
    pub fn read(text: &str) -> Result<Self, PolicyError> {
        // A tier that is only partly given keeps its own defaults for the rest.
        let unreadable = |error: &dyn std::fmt::Display| PolicyError::Unreadable(error.to_string());
        let given: toml::Table = toml::from_str(text).map_err(|error| unreadable(&error))?;
        let mut whole =
            toml::Table::try_from(Self::default()).map_err(|error| unreadable(&error))?;
        merge(&mut whole, given);
        let policy: Self = whole.try_into().map_err(|error: toml::de::Error| unreadable(&error))?;
        policy.check()?;
        Ok(policy)
    }

    /// As TOML, with every key.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Whether it keeps within what no signature can move.
    ///
    /// # Errors
    /// Which bound it crosses.
    pub fn check(&self) -> Result<(), PolicyError> {
        let refuse = |why: String| Err(PolicyError::Unsafe(why));
        for tier in TIERS {
            let rules = self.rules(tier);
            let most = most_automatic(tier);
            if rules.automatic > most {
                return refuse(format!(
                    "tiers.{tier}.automatic is {}; {most} is the most that may happen by itself there",
                    rules.automatic
                ));
            }
            if tier == Tier::T0i && rules.perimeter {
                return refuse(
                    "tiers.T0i.perimeter: infrastructure is never acted on by itself".to_owned(),
                );
            }
            if rules.ttl_minutes == 0 || rules.ttl_minutes > 24 * 60 {
                return refuse(format!(
                    "tiers.{tier}.ttl_minutes is {}: give 1 to 1440",
                    rules.ttl_minutes
                ));
            }
            for level in [Level::L2, Level::L3, Level::L4] {
                if rules.signatures(level).is_empty() {
                    return refuse(format!(
                        "tiers.{tier}: nobody signs {level}; name at least one"
                    ));
                }
            }
            if tier <= Tier::T1 {
                let two = |list: &[Signature]| {
                    list.contains(&Signature::Soc) && list.contains(&Signature::Clinical)
                };
                if !two(&rules.essentials) || !two(&rules.quarantine) {
                    return refuse(format!(
                        "tiers.{tier}: L3 and L4 need the signatures 'soc' and 'clinical'"
                    ));
                }
            }
        }
        if self.approval.valid_minutes == 0 || self.approval.valid_minutes > 10 {
            return refuse("approval.valid_minutes: give 1 to 10".to_owned());
        }
        if self.approval.proposal_minutes == 0 || self.approval.armed_hours == 0 {
            return refuse("approval: minutes and hours have to be above 0".to_owned());
        }
        if self.automatic.severity < Severity::Medium {
            return refuse("automatic.severity: give medium, high or critical".to_owned());
        }
        Ok(())
    }

    /// Where it is looser than `other`: empty where it is as strict everywhere.
    pub fn looser_than(&self, other: &Self) -> Vec<String> {
        let mut out = Vec::new();
        let mut say = |looser: bool, what: String| {
            if looser {
                out.push(what);
            }
        };
        for tier in TIERS {
            let (new, old) = (self.rules(tier), other.rules(tier));
            say(
                new.automatic > old.automatic,
                format!("tiers.{tier}.automatic: {} instead of {}", new.automatic, old.automatic),
            );
            say(new.perimeter && !old.perimeter, format!("tiers.{tier}.perimeter"));
            say(
                new.ttl_minutes > old.ttl_minutes,
                format!(
                    "tiers.{tier}.ttl_minutes: {} instead of {}",
                    new.ttl_minutes, old.ttl_minutes
                ),
            );
            say(!new.attest && old.attest, format!("tiers.{tier}.attest"));
            for level in [Level::L2, Level::L3, Level::L4] {
                let (new, old) = (new.signatures(level), old.signatures(level));
                say(!covers(new, old), format!("tiers.{tier}: fewer signatures for {level}"));
            }
        }
        let (new, old) = (&self.breakers, &other.breakers);
        for (name, new, old) in [
            ("class_per_ward", new.class_per_ward, old.class_per_ward),
            ("class_per_mille", new.class_per_mille, old.class_per_mille),
            ("actions_per_ten_minutes", new.actions_per_ten_minutes, old.actions_per_ten_minutes),
            ("actions_per_hour", new.actions_per_hour, old.actions_per_hour),
            ("rollbacks_per_hour", new.rollbacks_per_hour, old.rollbacks_per_hour),
            ("waiting", new.waiting, old.waiting),
        ] {
            say(new > old, format!("breakers.{name}: {new} instead of {old}"));
        }
        let (new, old) = (&self.approval, &other.approval);
        for (name, new, old) in [
            ("valid_minutes", new.valid_minutes, old.valid_minutes),
            ("proposal_minutes", new.proposal_minutes, old.proposal_minutes),
            ("armed_hours", new.armed_hours, old.armed_hours),
        ] {
            say(new > old, format!("approval.{name}: {new} instead of {old}"));
        }
        let (new, old) = (&self.automatic, &other.automatic);
        say(new.severity < old.severity, "automatic.severity".to_owned());
        say(
            new.leave_alone_hours < old.leave_alone_hours,
            "automatic.leave_alone_hours".to_owned(),
        );
        say(new.recorded_hours < old.recorded_hours, "automatic.recorded_hours".to_owned());
        out
    }
}

/// The most that may happen by itself, whatever anybody signs.
const fn most_automatic(tier: Tier) -> Level {
    match tier {
        Tier::T0 | Tier::T0i => Level::L1,
        Tier::T1 => Level::L2,
        Tier::T2 => Level::L3,
        Tier::T3 | Tier::T4 => Level::L4,
    }
}

/// Whether everybody who had to sign still has to.
fn covers(new: &[Signature], old: &[Signature]) -> bool {
    let mut left = new.to_vec();
    let mut old = old.to_vec();
    // Those that only one role can give first: any of those left over can stand for "anybody".
    old.sort();
    old.into_iter().all(|signature| {
        let place = left
            .iter()
            .position(|other| *other == signature)
            .or_else(|| (signature == Signature::Anybody && !left.is_empty()).then_some(0));
        place.map(|place| left.remove(place)).is_some()
    })
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_safe_and_comes_back_from_its_text() {
        let policy = Policy::default();
        policy.check().unwrap();
        assert_eq!(Policy::read(&policy.to_toml()).unwrap(), policy);
        assert_eq!(Policy::read("").unwrap(), policy);
    }

    #[test]
    fn a_tier_that_is_partly_given_keeps_its_own_defaults() {
        let policy = Policy::read("[tiers.T4]\nttl_minutes = 5").unwrap();
        assert_eq!(policy.tiers.T4.automatic, Level::L4);
        assert_eq!(policy.tiers.T4.ttl_minutes, 5);
        assert!(policy.looser_than(&Policy::default()).is_empty());
        assert!(!Policy::default().looser_than(&policy).is_empty());
    }

    #[test]
    fn no_signature_lets_a_life_sustaining_device_be_restricted_by_itself() {
        for (text, key) in [
            ("[tiers.T0]\nautomatic = \"L2\"", "tiers.T0.automatic"),
            ("[tiers.T0i]\nperimeter = true", "tiers.T0i.perimeter"),
            ("[tiers.T1]\nautomatic = \"L3\"", "tiers.T1.automatic"),
            ("[tiers.T2]\nautomatic = \"L4\"", "tiers.T2.automatic"),
            ("[tiers.T0]\nessentials = [\"soc\"]", "tiers.T0"),
            ("[tiers.T3]\nttl_minutes = 100000", "ttl_minutes"),
            ("[approval]\nvalid_minutes = 60", "valid_minutes"),
        ] {
            let error = Policy::read(text).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn a_key_that_is_not_known_is_refused() {
        let error = Policy::read("[tiers.T9]\nautomatic = \"L1\"").unwrap_err().to_string();
        assert!(error.contains("T9"), "{error}");
    }

    #[test]
    fn fewer_or_lesser_signatures_are_looser_and_more_are_not() {
        let base = Policy::default();
        let lesser = Policy::read("[tiers.T1]\nblock = [\"anybody\"]").unwrap();
        assert!(!lesser.looser_than(&base).is_empty());
        let more = Policy::read("[tiers.T2]\nessentials = [\"soc\", \"clinical\"]").unwrap();
        assert!(more.looser_than(&base).is_empty());
    }
}
