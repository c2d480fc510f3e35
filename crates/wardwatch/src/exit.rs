//! Exit status: 0 done, 1 an input could not be read, 2 wrong usage or configuration, 3 findings of
//! the severity that `--fail-on` asks for.

/// An input could not be read.
pub(crate) const UNREADABLE: u8 = 1;
/// Wrong usage or configuration.
pub(crate) const USAGE: u8 = 2;
/// Findings of the severity that `--fail-on` asks for.
pub(crate) const FINDINGS: u8 = 3;

/// An error of usage or configuration, so that `main` knows which status to end with.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

impl Usage {
    pub(crate) fn from_error(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}
