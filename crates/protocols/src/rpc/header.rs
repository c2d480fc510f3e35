//! Headers of calls and replies (RFC 5531, 9), and XDR as far as they and their callers need it.

use model::emit::Probe;
use wire::cursor::{Cursor, Short};

/// Bytes of a call with empty credentials and without arguments.
pub(super) const SHORTEST_CALL: usize = 40;
/// Longest credentials (RFC 5531, 8.2).
const LONGEST_AUTH: u32 = 400;
/// Most bytes of a name that are kept.
const LONGEST_NAME: usize = 256;

pub(super) const PORTMAP: u32 = 100_000;
pub(super) const NFS: u32 = 100_003;
pub(super) const MOUNT: u32 = 100_005;

/// Name of a program (IANA).
pub(super) const fn program(number: u32) -> Option<&'static str> {
    Some(match number {
        PORTMAP => "portmapper",
        100_001 => "rstatd",
        100_002 => "rusersd",
        NFS => "nfs",
        100_004 => "ypserv",
        MOUNT => "mountd",
        100_007 => "ypbind",
        100_008 => "walld",
        100_009 => "yppasswdd",
        100_011 => "rquotad",
        100_012 => "sprayd",
        100_020 => "llockmgr",
        100_021 => "nlockmgr",
        100_024 => "status",
        100_026 => "bootparam",
        100_028 => "ypupdated",
        100_068 => "cmsd",
        100_083 => "ttdbserverd",
        100_133 => "nsm_addrand",
        100_227 => "nfs_acl",
        100_232 => "sadmind",
        100_300 => "nisd",
        100_249 => "snmpXdmid",
        // Device instruments over a network (VXI-11).
        395_183 => "vxi11",
        _ => return None,
    })
}

/// Whether bytes begin with a call.
pub(super) fn probe(start: &[u8]) -> Probe {
    // Transaction, call, version 2 of the protocol: told apart byte by byte.
    const FIXED: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 2];
    let fixed = start.get(4..).unwrap_or_default();
    let fixed = fixed.get(..FIXED.len()).unwrap_or(fixed);
    if !FIXED.starts_with(fixed) {
        return Probe::No;
    }
    let mut cursor = Cursor::new(start.get(12..).unwrap_or_default());
    match call_fields(&mut cursor) {
        Ok(true) => Probe::Yes,
        Ok(false) => Probe::No,
        Err(Short) => Probe::Unsure,
    }
}

fn call_fields(cursor: &mut Cursor<'_>) -> Result<bool, Short> {
    let (program, version, procedure) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    // Assigned by IANA, by a site, or for a time (RFC 5531, 13).
    if !matches!(program, 100_000..=0x5fff_ffff) || version > 64 || procedure > 1_024 {
        return Ok(false);
    }
    for _ in 0..2 {
        let (flavour, length) = (cursor.u32()?, cursor.u32()?);
        let known = matches!(flavour, 0..=7 | 300_000..=400_000);
        if !known || length > LONGEST_AUTH || (flavour == 0 && length > 0) {
            return Ok(false);
        }
        cursor.skip(padded(length as usize))?;
    }
    Ok(true)
}

/// Who calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    pub(super) flavour: u32,
    pub(super) uid: Option<u32>,
    pub(super) machine: Box<[u8]>,
}

impl Caller {
    /// Name of the flavour of authentication.
    pub(super) const fn auth(&self) -> &'static str {
        match self.flavour {
            0 => "none",
            1 => "unix",
            3 => "des",
            6 => "gss",
            7 => "tls",
            _ => "other",
        }
    }
}

/// A call up to its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) xid: u32,
    pub(super) program: u32,
    pub(super) version: u32,
    pub(super) procedure: u32,
    pub(super) caller: Caller,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Unavailable,
    Mismatch,
    Denied,
    Error,
}

impl Outcome {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unavailable => "unavailable",
            Self::Mismatch => "mismatch",
            Self::Denied => "denied",
            Self::Error => "error",
        }
    }
}

/// A record up to arguments or results, which the cursor is left at.
pub(super) enum Record {
    Call(Call),
    Reply { xid: u32, outcome: Outcome },
}

pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Option<Record>, Short> {
    const UNIX: u32 = 1;
    let (xid, kind) = (cursor.u32()?, cursor.u32()?);
    match kind {
        0 => {
            if cursor.u32()? != 2 {
                return Ok(None);
            }
            let (program, version, procedure) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            let flavour = cursor.u32()?;
            let credentials = opaque(cursor)?;
            let _verifier = (cursor.u32()?, opaque(cursor)?);
            let mut caller = Caller { flavour, ..Caller::default() };
            if flavour == UNIX {
                let _ = unix(credentials, &mut caller);
            }
            Ok(Some(Record::Call(Call { xid, program, version, procedure, caller })))
        }
        1 => {
            let outcome = match cursor.u32()? {
                0 => {
                    let _verifier = (cursor.u32()?, opaque(cursor)?);
                    match cursor.u32()? {
                        0 => Outcome::Accepted,
                        1 | 3 => Outcome::Unavailable,
                        2 => Outcome::Mismatch,
                        _ => Outcome::Error,
                    }
                }
                1 if cursor.u32()? == 0 => Outcome::Mismatch,
                1 => Outcome::Denied,
                _ => return Ok(None),
            };
            Ok(Some(Record::Reply { xid, outcome }))
        }
        _ => Ok(None),
    }
}

/// The credentials that only claim (RFC 5531, appendix A).
fn unix(credentials: &[u8], caller: &mut Caller) -> Result<(), Short> {
    let mut cursor = Cursor::new(credentials);
    let _stamp = cursor.u32()?;
    caller.machine = name(opaque(&mut cursor)?);
    caller.uid = Some(cursor.u32()?);
    Ok(())
}

/// Bytes behind their length, and what fills them up to whole words (RFC 4506, 4.10).
pub(super) fn opaque<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    let length = cursor.u32()? as usize;
    let bytes = cursor.take(length)?;
    cursor.skip(padded(length).saturating_sub(length))?;
    Ok(bytes)
}

pub(super) fn padded(length: usize) -> usize {
    length.checked_next_multiple_of(4).unwrap_or(length)
}

/// A name, cut to what is kept.
pub(super) fn name(bytes: &[u8]) -> Box<[u8]> {
    bytes.get(..LONGEST_NAME).unwrap_or(bytes).into()
}
