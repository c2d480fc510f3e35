//! NFS 4.0 and 4.1: what is in a compound (RFC 7531, RFC 5662).
//!
//! Operations stand one behind the other without lengths, so each has to be known to get past it. The
//! first unknown one ends the walk: those behind it are not counted.

use wire::cursor::{Cursor, Short};

use super::header::opaque;
use super::nfs::Act;

/// Operations in one compound that are looked at.
const MOST_OPERATIONS: u32 = 64;
const COMPOUND: u32 = 1;
/// An id of an open file, and of a session.
const STATE: usize = 16;
const SESSION: usize = 16;
const VERIFIER: usize = 8;

/// What a compound asks for.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) operations: Vec<(&'static str, Act)>,
    /// Bytes to be written.
    pub(super) bytes: u64,
}

/// Walks the operations of a call.
pub(super) fn walk(procedure: u32, arguments: &mut Cursor<'_>) -> Walked {
    let mut walked = Walked::default();
    if procedure == COMPOUND {
        // Where it ends too early, what was seen counts.
        let _ = compound(arguments, &mut walked);
    } else {
        walked.operations.push(("NULL", Act::Other));
    }
    walked
}

fn compound(cursor: &mut Cursor<'_>, walked: &mut Walked) -> Result<(), Short> {
    let _tag = opaque(cursor)?;
    let _minor = cursor.u32()?;
    let count = cursor.u32()?;
    for _ in 0..count.min(MOST_OPERATIONS) {
        let Some((name, act)) = operation(cursor.u32()?) else { return Ok(()) };
        walked.operations.push((name, act));
        if name == "OPEN" {
            if open(cursor)?
                && let Some((_, act)) = walked.operations.last_mut()
            {
                *act = Act::Create;
            }
            continue;
        }
        if name == "WRITE" {
            cursor.skip(STATE.saturating_add(12))?;
            let length = cursor.u32()?;
            walked.bytes = walked.bytes.saturating_add(u64::from(length));
            cursor.skip(super::header::padded(length as usize))?;
        } else {
            arguments(name, cursor)?;
        }
    }
    Ok(())
}

fn operation(number: u32) -> Option<(&'static str, Act)> {
    Some(match number {
        3 => ("ACCESS", Act::Other),
        4 => ("CLOSE", Act::Other),
        5 => ("COMMIT", Act::Other),
        6 => ("CREATE", Act::Create),
        8 => ("DELEGRETURN", Act::Other),
        9 => ("GETATTR", Act::Other),
        10 => ("GETFH", Act::Other),
        11 => ("LINK", Act::Create),
        15 => ("LOOKUP", Act::Lookup),
        16 => ("LOOKUPP", Act::Lookup),
        18 => ("OPEN", Act::Other),
        20 => ("OPEN_CONFIRM", Act::Other),
        22 => ("PUTFH", Act::Other),
        23 => ("PUTPUBFH", Act::Other),
        24 => ("PUTROOTFH", Act::Other),
        25 => ("READ", Act::Read),
        26 => ("READDIR", Act::Lookup),
        27 => ("READLINK", Act::Other),
        28 => ("REMOVE", Act::Remove),
        29 => ("RENAME", Act::Rename),
        30 => ("RENEW", Act::Other),
        31 => ("RESTOREFH", Act::Other),
        32 => ("SAVEFH", Act::Other),
        33 => ("SECINFO", Act::Other),
        34 => ("SETATTR", Act::Other),
        35 => ("SETCLIENTID", Act::Other),
        36 => ("SETCLIENTID_CONFIRM", Act::Other),
        38 => ("WRITE", Act::Write),
        41 => ("BIND_CONN_TO_SESSION", Act::Other),
        42 => ("EXCHANGE_ID", Act::Other),
        43 => ("CREATE_SESSION", Act::Other),
        44 => ("DESTROY_SESSION", Act::Other),
        45 => ("FREE_STATEID", Act::Other),
        52 => ("SECINFO_NO_NAME", Act::Other),
        53 => ("SEQUENCE", Act::Other),
        57 => ("DESTROY_CLIENTID", Act::Other),
        58 => ("RECLAIM_COMPLETE", Act::Other),
        _ => return None,
    })
}

/// Passes over the arguments of an operation; those whose length cannot be known end the walk.
fn arguments(name: &str, cursor: &mut Cursor<'_>) -> Result<(), Short> {
    match name {
        "ACCESS" | "SECINFO_NO_NAME" | "RECLAIM_COMPLETE" => cursor.skip(4),
        "CLOSE" | "OPEN_CONFIRM" => cursor.skip(STATE.saturating_add(4)),
        "DELEGRETURN" | "FREE_STATEID" => cursor.skip(STATE),
        "COMMIT" => cursor.skip(12),
        "CREATE" => {
            match cursor.u32()? {
                3 | 4 => cursor.skip(8)?,
                5 => opaque(cursor).map(|_| ())?,
                _ => {}
            }
            opaque(cursor)?;
            attributes(cursor)
        }
        "GETATTR" => bitmap(cursor),
        "LINK" | "LOOKUP" | "REMOVE" | "SECINFO" | "PUTFH" => opaque(cursor).map(|_| ()),
        "RENAME" => opaque(cursor).and_then(|_| opaque(cursor)).map(|_| ()),
        "READ" => cursor.skip(STATE.saturating_add(12)),
        "READDIR" => {
            cursor.skip(24)?;
            bitmap(cursor)
        }
        "RENEW" | "DESTROY_CLIENTID" => cursor.skip(8),
        "SETATTR" => {
            cursor.skip(STATE)?;
            attributes(cursor)
        }
        "SETCLIENTID" => {
            cursor.skip(VERIFIER)?;
            opaque(cursor)?;
            cursor.skip(4)?;
            opaque(cursor)?;
            opaque(cursor)?;
            cursor.skip(4)
        }
        "SETCLIENTID_CONFIRM" => cursor.skip(16),
        "DESTROY_SESSION" => cursor.skip(SESSION),
        "BIND_CONN_TO_SESSION" => cursor.skip(SESSION.saturating_add(8)),
        "SEQUENCE" => cursor.skip(SESSION.saturating_add(16)),
        "EXCHANGE_ID" => {
            cursor.skip(VERIFIER)?;
            opaque(cursor)?;
            cursor.skip(4)?;
            // Only without protection of the state is it known what follows.
            if cursor.u32()? != 0 {
                return Err(Short);
            }
            if cursor.u32()? == 1 {
                opaque(cursor)?;
                opaque(cursor)?;
                cursor.skip(12)?;
            }
            Ok(())
        }
        // Whatever follows a new session in one call is not looked at.
        "CREATE_SESSION" => Err(Short),
        _ => Ok(()),
    }
}

/// Passes over the arguments of OPEN; whether it may make a file.
fn open(cursor: &mut Cursor<'_>) -> Result<bool, Short> {
    // Sequence, access, denial, client; then the owner.
    cursor.skip(20)?;
    opaque(cursor)?;
    let creates = cursor.u32()? == 1;
    if creates {
        match cursor.u32()? {
            0 | 1 => attributes(cursor)?,
            2 => cursor.skip(VERIFIER)?,
            _ => {
                cursor.skip(VERIFIER)?;
                attributes(cursor)?;
            }
        }
    }
    match cursor.u32()? {
        0 | 3 => opaque(cursor).map(|_| ())?,
        1 => cursor.skip(4)?,
        2 => {
            cursor.skip(STATE)?;
            opaque(cursor)?;
        }
        5 => cursor.skip(STATE)?,
        _ => {}
    }
    Ok(creates)
}

fn bitmap(cursor: &mut Cursor<'_>) -> Result<(), Short> {
    let words = cursor.u32()? as usize;
    cursor.skip(words.saturating_mul(4))
}

fn attributes(cursor: &mut Cursor<'_>) -> Result<(), Short> {
    bitmap(cursor)?;
    opaque(cursor).map(|_| ())
}

/// Bytes that the first READ of an answer brings, where what stands before it is known. The status
/// of the whole was read already.
pub(super) fn read_bytes(results: &mut Cursor<'_>) -> Result<u64, Short> {
    let _tag = opaque(results)?;
    let count = results.u32()?;
    for _ in 0..count.min(MOST_OPERATIONS) {
        let (number, status) = (results.u32()?, results.u32()?);
        if status != 0 {
            return Ok(0);
        }
        match operation(number).map(|(name, _)| name) {
            Some("PUTFH" | "PUTROOTFH" | "PUTPUBFH" | "SAVEFH" | "RESTOREFH" | "LOOKUP") => {}
            Some("SEQUENCE") => results.skip(SESSION.saturating_add(20))?,
            Some("GETFH") => opaque(results).map(|_| ())?,
            Some("READ") => {
                results.skip(4)?;
                return results.u32().map(u64::from);
            }
            _ => return Ok(0),
        }
    }
    Ok(0)
}
