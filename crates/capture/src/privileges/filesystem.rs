//! Which files the process can still reach: Landlock (landlock(7)), as much of it as the kernel
//! offers.
//!
//! Everything is refused but reading below some directories, and reading and writing below
//! others. Nothing can be executed, no device node made, no signal sent to other programs.
//! Connections are not limited here: the console listens, and devices of the hospital's network
//! are asked to enforce what was approved.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::{FileLimit, PrivilegeError};

/// The newest version that this was tested with. Later ones refuse more kinds of access, some
/// of which (sockets of the service manager) are needed.
const TESTED: ABI = ABI::V7;

/// The rules, made while the directories can still be opened.
pub(super) fn rules(read: &[PathBuf], write: &[PathBuf]) -> Result<RulesetCreated, PrivilegeError> {
    let reading = AccessFs::ReadFile | AccessFs::ReadDir;
    let writing = AccessFs::from_all(TESTED)
        & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(TESTED))
        .and_then(|rules| rules.scope(Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(landlock_failed)?;
    for path in read {
        rules = allow(rules, path, reading)?;
    }
    for path in write {
        rules = allow(rules, path, writing)?;
    }
    Ok(rules)
}

fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, PrivilegeError> {
    let unreachable = |why: String| PrivilegeError::Path { path: path.to_path_buf(), why };
    let about = path.metadata().map_err(|error| unreachable(error.to_string()))?;
    let access = if about.is_dir() { access } else { access & AccessFs::from_file(TESTED) };
    let place = PathFd::new(path).map_err(|error| unreachable(error.to_string()))?;
    rules.add_rule(PathBeneath::new(place, access)).map_err(landlock_failed)
}

/// Applies the rules to this thread and all that it starts, for good.
pub(super) fn apply(rules: RulesetCreated) -> Result<FileLimit, PrivilegeError> {
    let applied = rules.restrict_self().map_err(landlock_failed)?;
    Ok(match applied.ruleset {
        RulesetStatus::FullyEnforced => FileLimit::Full,
        RulesetStatus::PartiallyEnforced => FileLimit::Partial,
        RulesetStatus::NotEnforced => FileLimit::None,
    })
}

fn landlock_failed(error: RulesetError) -> PrivilegeError {
    PrivilegeError::Files { why: error.to_string() }
}
