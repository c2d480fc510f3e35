//! The five roles.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody may do. `viewer` reads; `analyst` and `clinical` also say what they think;
/// `analyst` also moves cases; `admin` does all that and makes accounts. Who may decide what of
/// responses: [`Role::decides_as`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works on cases.
    Analyst,
    /// Looks after the devices: biomedical engineering and nursing.
    Clinical,
    /// Incident commander: decides for the hospital in an emergency.
    Commander,
    /// Runs Wardwatch.
    Admin,
}

impl Role {
    /// Everybody who is signed in.
    pub(crate) const ALL: &'static [Self] =
        &[Self::Viewer, Self::Analyst, Self::Clinical, Self::Commander, Self::Admin];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Clinical => "clinical",
            Self::Commander => "commander",
            Self::Admin => "admin",
        }
    }

    /// In which role somebody signs responses; a viewer decides nothing.
    pub const fn decides_as(self) -> Option<respond::Role> {
        match self {
            Self::Viewer => None,
            Self::Analyst => Some(respond::Role::Soc),
            Self::Clinical => Some(respond::Role::Clinical),
            Self::Commander => Some(respond::Role::Commander),
            Self::Admin => Some(respond::Role::Admin),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
