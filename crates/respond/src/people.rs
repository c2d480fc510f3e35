//! Who decides.

use std::fmt;

use serde::{Deserialize, Serialize};

/// In which role somebody decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Security operations: works on cases.
    Soc,
    /// Biomedical engineering and the nurse in charge: knows what care needs.
    Clinical,
    /// Incident commander: decides for the hospital in an emergency.
    Commander,
    /// Runs Wardwatch. Signs policies and arming, and approves no plan.
    Admin,
}

impl Role {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Soc => "soc",
            Self::Clinical => "clinical",
            Self::Commander => "commander",
            Self::Admin => "admin",
        }
    }

    /// Whether plans may be approved in it.
    pub const fn approves(self) -> bool {
        !matches!(self, Self::Admin)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Somebody who is signed in. Two people are two names: one name in two roles is one person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Account.
    pub name: String,
    /// Role in which they decide.
    pub role: Role,
}

impl Person {
    /// Somebody.
    pub fn new(name: &str, role: Role) -> Self {
        Self { name: name.to_owned(), role }
    }

    /// Whether this is somebody else than `other`, in another role: what a second signature needs.
    pub fn is_second_to(&self, other: &Self) -> bool {
        self.name != other.name && self.role != other.role
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

/// A signature that a plan needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// Of security operations.
    Soc,
    /// Of the clinical side.
    Clinical,
    /// Of the incident commander.
    Commander,
    /// Of anybody who may approve.
    Anybody,
}

impl Signature {
    /// Whether somebody in this role can give it.
    pub const fn can_be_given_by(self, role: Role) -> bool {
        match self {
            Self::Soc => matches!(role, Role::Soc),
            Self::Clinical => matches!(role, Role::Clinical),
            Self::Commander => matches!(role, Role::Commander),
            Self::Anybody => role.approves(),
        }
    }

    /// Who can give it, in words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Soc => "security operations",
            Self::Clinical => "the clinical side (biomedical engineering or the nurse in charge)",
            Self::Commander => "the incident commander",
            Self::Anybody => "anybody who may approve",
        }
    }
}

/// Which of the signatures that are needed are still missing, with these people.
///
/// Every signature is another person, and where several are needed each is in another role.
pub fn missing(needed: &[Signature], given: &[Person]) -> Vec<Signature> {
    let mut open: Vec<Signature> = needed.to_vec();
    // Those that only one role can give are served first.
    open.sort();
    let mut used: Vec<&Person> = Vec::new();
    open.retain(|signature| {
        let giver = given.iter().find(|person| {
            signature.can_be_given_by(person.role)
                && used.iter().all(|other| person.is_second_to(other))
        });
        match giver {
            Some(person) => {
                used.push(person);
                false
            }
            None => true,
        }
    });
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_in_two_roles_gives_one_signature() {
        let needed = [Signature::Soc, Signature::Clinical];
        let one = [Person::new("kim", Role::Soc), Person::new("kim", Role::Clinical)];
        assert_eq!(missing(&needed, &one), [Signature::Clinical]);
        let two = [Person::new("kim", Role::Soc), Person::new("ada", Role::Clinical)];
        assert!(missing(&needed, &two).is_empty());
    }

    #[test]
    fn two_people_of_one_role_are_one_signature() {
        let needed = [Signature::Anybody, Signature::Anybody];
        let same = [Person::new("kim", Role::Soc), Person::new("lee", Role::Soc)];
        assert_eq!(missing(&needed, &same), [Signature::Anybody]);
    }

    #[test]
    fn who_runs_wardwatch_approves_nothing() {
        let admin = [Person::new("root", Role::Admin)];
        assert_eq!(missing(&[Signature::Anybody], &admin), [Signature::Anybody]);
    }

    #[test]
    fn a_signature_that_anybody_may_give_does_not_use_up_the_only_one_for_another() {
        let needed = [Signature::Anybody, Signature::Clinical];
        let given = [Person::new("ada", Role::Clinical), Person::new("kim", Role::Soc)];
        assert!(missing(&needed, &given).is_empty());
    }
}
