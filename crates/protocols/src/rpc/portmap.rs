//! The port mapper, versions 2 to 4 (RFC 1833).

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use wire::cursor::{Cursor, Short};

use super::PORTMAP;
use super::header::{self, Outcome, name, opaque};

/// Programs that are listed.
const MOST_PROGRAMS: usize = 32;
/// Entries of a list that are looked at.
const MOST_ENTRIES: usize = 256;

/// A question.
#[derive(Debug)]
pub(super) struct Question {
    action: &'static str,
    mapper: u32,
    /// Program and version asked for.
    about: Option<(u32, u32)>,
}

pub(super) fn question(
    version: u32,
    procedure: u32,
    arguments: &mut Cursor<'_>,
) -> Option<Question> {
    let action = match (version, procedure) {
        (_, 0) => return None,
        (_, 1) => "set",
        (_, 2) => "unset",
        (_, 3) => "getport",
        (_, 4) => "dump",
        (_, 5) | (4, 10) => "callit",
        // Where a version is, and all addresses of it.
        (4, 9 | 11) => "getport",
        _ => "other",
    };
    let named = matches!(action, "set" | "unset" | "getport" | "callit");
    let about = match named {
        true => arguments.u32().and_then(|program| Ok((program, arguments.u32()?))).ok(),
        false => None,
    };
    Some(Question { action, mapper: version, about })
}

/// Says a question with its answer, where there is one.
pub(super) fn say(
    question: &Question,
    answer: Option<(Outcome, &mut Cursor<'_>)>,
    out: &mut Emit<'_>,
) {
    let (mut port, mut programs) = (None, Vec::new());
    let mut outcome = "unanswered";
    if let Some((how, results)) = answer {
        outcome = how.word();
        match question.action {
            "getport" | "callit" if how == Outcome::Accepted => {
                port = self::port(question.mapper, results).ok().flatten();
            }
            "dump" if how == Outcome::Accepted => {
                let _ = self::programs(question.mapper, results, &mut programs);
            }
            _ => {}
        }
    }
    let mut draft = out
        .observe(&PORTMAP, Direction::Forward)
        .word("action", question.action)
        .value("port", port.map(u64::from).map(Value::Uint))
        .texts("programs", programs.iter().map(String::as_bytes), MOST_PROGRAMS)
        .word("outcome", outcome);
    if let Some((program, version)) = question.about {
        draft = draft.text("program", known(program).as_bytes()).uint("version", version);
    }
    draft.emit();
}

fn known(program: u32) -> String {
    header::program(program).map_or_else(|| program.to_string(), str::to_owned)
}

/// The port of version 2; of later ones, the end of a universal address such as `10.0.0.1.8.1`.
fn port(mapper: u32, results: &mut Cursor<'_>) -> Result<Option<u32>, Short> {
    if mapper <= 2 {
        return Ok(Some(results.u32()?));
    }
    let address = name(opaque(results)?);
    if address.is_empty() {
        return Ok(Some(0));
    }
    let mut parts = address.rsplit(|&byte| byte == b'.');
    let mut byte =
        || parts.next().and_then(|part| std::str::from_utf8(part).ok()?.parse::<u8>().ok());
    Ok(byte().zip(byte()).map(|(low, high)| u32::from(u16::from_be_bytes([high, low]))))
}

/// A list: one follows, program, version, and more of it by version.
fn programs(mapper: u32, results: &mut Cursor<'_>, found: &mut Vec<String>) -> Result<(), Short> {
    for _ in 0..MOST_ENTRIES {
        if results.u32()? != 1 {
            break;
        }
        let program = known(results.u32()?);
        results.skip(4)?;
        if mapper <= 2 {
            results.skip(8)?;
        } else {
            for _ in 0..3 {
                opaque(results)?;
            }
        }
        if found.len() < MOST_PROGRAMS && !found.contains(&program) {
            found.push(program);
        }
    }
    Ok(())
}
