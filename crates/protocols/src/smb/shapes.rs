//! Shapes of published SMB exploits. Each is something that no working client sends.
//!
//! * MS17-010 probing: PeekNamedPipe on file 0 of an SMB1 TRANSACTION, whose error tells patched
//!   from unpatched (the check of the public scanners), and TRANS2 with subcommand SESSION_SETUP,
//!   which no server ever implemented (MS-CIFS 2.2.6.15) and which DoublePulsar answers with the
//!   multiplex id raised by 16. Sources: nmap's smb-vuln-ms17-010 and smb-double-pulsar-backdoor.
//! * EternalBlue: an SMB1 NT_TRANSACT with function 0, which is not assigned, and more data than 16
//!   bits can count, or one that is continued by a TRANSACTION2_SECONDARY, which belongs to another
//!   command (CVE-2017-0144; MS-CIFS 2.2.4.62).
//! * MS08-067: NetPathCanonicalize or NetPathCompare with a path that climbs twice in a row
//!   (CVE-2008-4250; MS-SRVS 3.1.4.30 and 3.1.4.31).
//! * SMBGhost: a compressed message whose size and offset do not fit 32 bits together
//!   (CVE-2020-0796; MS-SMB2 2.2.42).

use model::emit::Emit;
use model::flow::Direction;
use wire::cursor::{Cursor, Short};

use super::EXPLOIT;

/// A published exploit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    PeekPipe,
    SessionSetup,
    DoublePulsar,
    NtTrans,
    ServerPath,
    Ghost,
}

impl Shape {
    const fn word(self) -> &'static str {
        match self {
            Self::PeekPipe => "peek_named_pipe",
            Self::SessionSetup => "trans2_session_setup",
            Self::DoublePulsar => "doublepulsar_answer",
            Self::NtTrans => "oversized_nttrans",
            Self::ServerPath => "ms08_067",
            Self::Ghost => "smbghost",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Which shapes a connection showed: each is said once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shapes {
    said: u8,
    /// An NT_TRANSACT is open whose data is still to come.
    pub(super) nt_trans_open: bool,
    /// Multiplex id of the latest TRANS2 SESSION_SETUP.
    pulsar: Option<u16>,
}

impl Shapes {
    pub(super) fn say(&mut self, shape: Shape, from: Direction, out: &mut Emit<'_>) {
        if self.said & shape.bit() == 0 {
            self.said |= shape.bit();
            out.observe(&EXPLOIT, from).word("shape", shape.word()).emit();
        }
    }

    pub(super) fn asked_pulsar(&mut self, multiplex: u16) {
        self.pulsar = Some(multiplex);
    }

    /// Whether an answer's multiplex id is that of the latest TRANS2 SESSION_SETUP plus 16.
    pub(super) fn is_pulsar(&self, multiplex: u16) -> bool {
        self.pulsar.is_some_and(|asked| multiplex == asked.wrapping_add(16))
    }
}

/// Whether bytes sent to a server's pipe call MS-SRVS with a path that climbs twice in a row.
pub(super) fn climbs(rpc: &[u8]) -> bool {
    climbing(rpc) == Ok(true)
}

fn climbing(rpc: &[u8]) -> Result<bool, Short> {
    const REQUEST: u8 = 0;
    let mut cursor = Cursor::new(rpc);
    let [major, _minor, kind, _flags] = cursor.array()?;
    cursor.skip(12)?;
    // Of a request: allocation hint, context, number of the call.
    cursor.skip(6)?;
    let call = cursor.u16_le()?;
    if major != 5 || kind != REQUEST || !matches!(call, 31 | 32) {
        return Ok(false);
    }
    const TWICE: &[u8] = b"\\\0.\0.\0\\\0.\0.\0\\\0";
    Ok(cursor.rest().windows(TWICE.len()).any(|window| window == TWICE))
}

/// Whether a compressed message's header asks for more than it can.
pub(super) fn is_ghost(message: &[u8]) -> bool {
    let read = |at: usize| -> Option<u32> {
        let bytes = message.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let (Some(size), Some(offset)) = (read(4), read(12)) else { return false };
    size.checked_add(offset).is_none()
}
