//! The mount protocol, versions 1 to 3 (RFC 1094 appendix A, RFC 1813 appendix I).

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use wire::cursor::{Cursor, Short};

use super::MOUNT;
use super::header::{Caller, Outcome, name, opaque};

/// Exports that are listed, and that are looked at.
const MOST_EXPORTS: usize = 32;
const MOST_ENTRIES: usize = 256;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Question {
    action: &'static str,
    version: u32,
    path: Box<[u8]>,
    caller: Caller,
}

pub(super) fn question(
    version: u32,
    procedure: u32,
    caller: Caller,
    arguments: &mut Cursor<'_>,
) -> Option<Question> {
    let action = match procedure {
        1 => "mount",
        2 => "mounts",
        3 => "unmount",
        4 => "unmount_all",
        5 | 6 => "exports",
        _ => return None,
    };
    let path = match action {
        "mount" | "unmount" => opaque(arguments).map(name).unwrap_or_default(),
        _ => Box::default(),
    };
    Some(Question { action, version, path, caller })
}

/// Says what was asked for, with the answer where there is one.
pub(super) fn say(
    question: &Question,
    answer: Option<(Outcome, &mut Cursor<'_>)>,
    out: &mut Emit<'_>,
) {
    let (mut status, mut exports, mut open) = (None, Vec::new(), None);
    let mut outcome = "unanswered";
    if let Some((how, results)) = answer {
        outcome = if how == Outcome::Accepted { "success" } else { "failure" };
        match question.action {
            "mount" if how == Outcome::Accepted => {
                status = results.u32().ok();
                if status != Some(0) {
                    outcome = "failure";
                }
            }
            "exports" if how == Outcome::Accepted => {
                let mut count = 0_u64;
                let _ = self::exports(results, &mut exports, &mut count);
                open = Some(count);
            }
            _ => {}
        }
    }
    out.observe(&MOUNT, Direction::Forward)
        .word("action", question.action)
        .uint("version", question.version)
        .text("path", &question.path)
        .word("outcome", outcome)
        .value("status", status.map(u64::from).map(Value::Uint))
        .texts("exports", exports.iter().map(AsRef::as_ref), MOST_EXPORTS)
        .value("open_exports", open.map(Value::Uint))
        .value("uid", question.caller.uid.map(u64::from).map(Value::Uint))
        .text("machine", &question.caller.machine)
        .emit();
}

/// A list of paths, each with a list of those who may mount it; nobody named means everybody.
fn exports(
    results: &mut Cursor<'_>,
    found: &mut Vec<Box<[u8]>>,
    open: &mut u64,
) -> Result<(), Short> {
    for _ in 0..MOST_ENTRIES {
        if results.u32()? != 1 {
            break;
        }
        let path = name(opaque(results)?);
        if found.len() < MOST_EXPORTS {
            found.push(path);
        }
        let mut groups = 0_usize;
        while results.u32()? == 1 {
            let group = opaque(results)?;
            // Servers write an asterisk for everybody too.
            if group != b"*" && group != b"(everyone)" {
                groups = groups.saturating_add(1);
            }
        }
        if groups == 0 {
            *open = open.saturating_add(1);
        }
    }
    Ok(())
}
