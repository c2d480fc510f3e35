//! Who may do what: accounts, sessions, roles, and what slows guessing down.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod role;
pub(crate) mod secret;
pub(crate) mod sessions;
