//! SMB 3.0.2 over TCP port 445 ([MS-SMB2]), signed in with NTLM ([MS-NLMP]) inside SPNEGO
//! (RFC 4178), and neither signed nor sealed, as many devices still speak it.

pub(crate) mod dialogue;
pub(crate) mod ntlm;

/// Commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Negotiate = 0,
    SessionSetup = 1,
    Logoff = 2,
    TreeConnect = 3,
    Create = 5,
    Close = 6,
    Read = 8,
    Write = 9,
    SetInfo = 17,
}

/// Sign-in goes on with another message.
pub(crate) const MORE_PROCESSING: u32 = 0xc000_0016;
/// Wrong user or password.
pub(crate) const LOGON_FAILURE: u32 = 0xc000_006d;

/// What of a header is not always the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) command: Command,
    pub(crate) reply: bool,
    pub(crate) status: u32,
    pub(crate) message: u64,
    pub(crate) tree: u32,
    pub(crate) session: u64,
}

/// A header and a body in the frame of the direct transport.
pub(crate) fn message(header: Header, body: &[u8]) -> Vec<u8> {
    let mut out = ((body.len() + 64) as u32).to_be_bytes().to_vec();
    out.extend_from_slice(b"\xfeSMB\x40\0\x01\0");
    out.extend_from_slice(&header.status.to_le_bytes());
    out.extend_from_slice(&(header.command as u16).to_le_bytes());
    out.extend_from_slice(&31_u16.to_le_bytes());
    out.extend_from_slice(&u32::from(header.reply).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&header.message.to_le_bytes());
    out.extend_from_slice(&0xfeff_u32.to_le_bytes());
    out.extend_from_slice(&header.tree.to_le_bytes());
    out.extend_from_slice(&header.session.to_le_bytes());
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(body);
    out
}

/// UTF-16, little endian.
pub(crate) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A point in time as Windows counts: units of 100 ns since 1601.
pub(crate) fn file_time(at: i64) -> [u8; 8] {
    (at / 100 + 116_444_736_000_000_000).to_le_bytes()
}
