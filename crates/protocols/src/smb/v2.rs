//! SMB2 and SMB3 messages (MS-SMB2): headers, compounds, requests and answers.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use wire::cursor::{Cursor, Short};

use super::connection::{Connection, FileRef, Pending, TreeId};
use super::files::{Head, Opened};
use super::path;
use crate::ntlm;

const HEADER: usize = 64;
/// Requests in one compound that are looked at.
const MOST_IN_COMPOUND: usize = 64;

const STATUS_PENDING: u32 = 0x0000_0103;
const STATUS_MORE_PROCESSING: u32 = 0xc000_0016;

struct Header {
    status: u32,
    command: u16,
    is_answer: bool,
    related: bool,
    next: usize,
    message: u64,
    tree: TreeId,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Short> {
        const ANSWER: u32 = 1;
        const ASYNC: u32 = 2;
        const RELATED: u32 = 4;
        let mut cursor = Cursor::new(bytes);
        cursor.skip(8)?;
        let status = cursor.u32_le()?;
        let command = cursor.u16_le()?;
        cursor.skip(2)?;
        let flags = cursor.u32_le()?;
        let next = cursor.u32_le()? as usize;
        let message = cursor.u64_le()?;
        let (_process, tree) = (cursor.u32_le()?, cursor.u32_le()?);
        let session = cursor.u64_le()?;
        cursor.skip(16)?;
        // In an asynchronous answer the number of the operation stands where the tree's does.
        let tree = if flags & ASYNC == 0 { tree } else { u32::MAX };
        Ok(Self {
            status,
            command,
            is_answer: flags & ANSWER != 0,
            related: flags & RELATED != 0,
            next,
            message,
            tree: (session, tree),
        })
    }
}

/// What one request of a compound leaves to the related ones behind it.
#[derive(Default)]
struct Chain {
    tree: TreeId,
    file: Option<FileRef>,
}

/// Takes the messages of one frame of `length` bytes, of which `body` is looked at.
pub(super) fn messages(
    body: &[u8],
    length: usize,
    dir: Direction,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) {
    let (mut rest, mut chain) = (body, Chain::default());
    for _ in 0..MOST_IN_COMPOUND {
        let Ok(header) = Header::read(rest) else {
            // A cut of ours is no fault of the sender.
            if body.len() == length {
                out.anomaly("smb", "message shorter than its header", dir);
            }
            return;
        };
        let next = header.next;
        if next != 0 && (next < HEADER || (body.len() == length && next >= rest.len())) {
            return out.anomaly("smb", "compound leads outside the message", dir);
        }
        let one = if next == 0 { rest } else { rest.get(..next).unwrap_or(rest) };
        if header.is_answer {
            connection.client = dir.flipped();
            // Fields may be left out of an answer that reports an error.
            let _ = answer(&header, one, connection, out);
        } else {
            connection.client = dir;
            if request(header, one, &mut chain, connection, out) == Err(Short)
                && body.len() == length
            {
                out.anomaly("smb", "request ends too early", dir);
            }
        }
        match rest.get(next..) {
            Some(behind) if next != 0 => rest = behind,
            _ => return,
        }
    }
}

fn request(
    header: Header,
    message: &[u8],
    chain: &mut Chain,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    if !header.related {
        *chain = Chain { tree: header.tree, file: None };
    }
    let tree = chain.tree;
    let mut body = Cursor::new(message);
    body.skip(HEADER)?;
    let pending = match header.command {
        1 => {
            body.skip(12)?;
            Pending::Session(ntlm::authenticate(buffer(message, &mut body)?))
        }
        2 => {
            connection.logged_off(tree.0, out);
            return Ok(());
        }
        3 => {
            body.skip(4)?;
            let path = ntlm::utf16(buffer(message, &mut body)?);
            Pending::Tree(path::share(&path).into())
        }
        4 => {
            connection.disconnected(tree, out);
            return Ok(());
        }
        5 => {
            body.skip(36)?;
            let (disposition, options) = (body.u32_le()?, body.u32_le()?);
            let path = ntlm::utf16(buffer(message, &mut body)?);
            chain.file = Some(FileRef::OpenedBy(header.message));
            let opening = connection.opening(tree, &path, disposition, options, out);
            Pending::Open(Box::new((tree, opening)))
        }
        6 => {
            body.skip(8)?;
            Pending::Close(file(&mut body, chain)?)
        }
        8 => {
            body.skip(16)?;
            Pending::Read(file(&mut body, chain)?)
        }
        9 => {
            body.skip(2)?;
            let offset = usize::from(body.u16_le()?);
            let length = body.u32_le()? as usize;
            body.skip(8)?;
            let file = file(&mut body, chain)?;
            let data = message.get(offset..).unwrap_or_default();
            let data = data.get(..length).unwrap_or(data);
            Pending::Write(file, first_bytes(connection, file, data))
        }
        17 => {
            let Some(pending) = set_info(message, body, tree, chain, connection, out)? else {
                return Ok(());
            };
            pending
        }
        _ => return Ok(()),
    };
    connection.pending.put(header.message, pending);
    Ok(())
}

/// Reads are many: the first bytes are only looked at where they were not yet.
fn first_bytes(connection: &Connection, file: FileRef, data: &[u8]) -> Head {
    let known = match file {
        FileRef::Known(id) => connection.file(id).and_then(|file| file.head),
        FileRef::OpenedBy(_) => None,
    };
    known.unwrap_or_else(|| Head::of(data))
}

/// Renames and deletions are kinds of "set information" (MS-FSCC 2.4).
fn set_info(
    message: &[u8],
    mut body: Cursor<'_>,
    tree: TreeId,
    chain: &mut Chain,
    connection: &Connection,
    out: &Emit<'_>,
) -> Result<Option<Pending>, Short> {
    const OF_FILE: u8 = 1;
    body.skip(2)?;
    let [of, class] = body.array()?;
    let length = body.u32_le()? as usize;
    let offset = usize::from(body.u16_le()?);
    body.skip(6)?;
    let file = file(&mut body, chain)?;
    if of != OF_FILE {
        return Ok(None);
    }
    let mut info = Cursor::new(message);
    info.skip(offset)?;
    let mut info = Cursor::new(info.take(length)?);
    Ok(match class {
        // FileRenameInformation and FileRenameInformationEx.
        10 | 65 => {
            info.skip(16)?;
            let length = info.u32_le()? as usize;
            let to = connection.name(tree, &ntlm::utf16(info.take(length)?), out);
            Some(Pending::Rename(file, Box::new(to)))
        }
        // FileDispositionInformation and FileDispositionInformationEx.
        13 | 64 if info.u8()? & 1 == 1 => Some(Pending::Delete(file)),
        _ => None,
    })
}

/// A file's number, or that of the file before it in the compound.
fn file(body: &mut Cursor<'_>, chain: &mut Chain) -> Result<FileRef, Short> {
    let [persistent, volatile] = [body.u64_le()?, body.u64_le()?];
    let earlier = if persistent == u64::MAX && volatile == u64::MAX { chain.file } else { None };
    let file =
        earlier.unwrap_or(FileRef::Known(u128::from(persistent) << 64 | u128::from(volatile)));
    chain.file = Some(file);
    Ok(file)
}

/// What an offset from the header and a length point to.
fn buffer<'a>(message: &'a [u8], body: &mut Cursor<'_>) -> Result<&'a [u8], Short> {
    let (offset, length) = (usize::from(body.u16_le()?), usize::from(body.u16_le()?));
    if length == 0 {
        return Ok(&[]);
    }
    let mut cursor = Cursor::new(message);
    cursor.skip(offset)?;
    cursor.take(length)
}

fn answer(
    header: &Header,
    message: &[u8],
    connection: &mut Connection,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let mut body = Cursor::new(message);
    body.skip(HEADER)?;
    let status = header.status;
    if header.command == 0 && status == 0 {
        body.skip(2)?;
        return negotiated(body.u16_le()?, body.u16_le()?, connection, out);
    }
    if status == STATUS_PENDING {
        return Ok(());
    }
    let Some(pending) = connection.pending.take(&header.message) else { return Ok(()) };
    // The two top bits set: an error, not a success or a warning (MS-ERREF 2.3).
    let failed = status >> 30 == 3;
    match pending {
        Pending::Session(_) if status == STATUS_MORE_PROCESSING => {
            ntlm::say_challenge("smb", message, connection.client.flipped(), out);
        }
        Pending::Session(login) => {
            const GUEST: u16 = 1;
            const NULL: u16 = 2;
            const ENCRYPT: u16 = 4;
            let flags = if failed { 0 } else { body.skip(2).and_then(|()| body.u16_le())? };
            connection.encrypts |= flags & ENCRYPT != 0;
            let (guest, null) = (flags & GUEST != 0, flags & NULL != 0);
            connection.logged_on(login.as_ref(), status, guest, null, out);
        }
        Pending::Tree(share) => connection.connected(header.tree, share, status, out),
        Pending::Open(opening) if failed => opening.1.say_failed(status, connection.client, out),
        Pending::Open(opening) => {
            const FOLDER: u32 = 0x10;
            body.skip(4)?;
            let action = body.u32_le()?;
            body.skip(48)?;
            let attributes = body.u32_le()?;
            body.skip(4)?;
            let id = u128::from(body.u64_le()?) << 64 | u128::from(body.u64_le()?);
            connection.resolve(header.message, id);
            let (tree, opening) = *opening;
            let folder = attributes & FOLDER != 0;
            connection.opened(tree, id, opening, Opened::done(action), folder, out);
        }
        _ if failed => {}
        pending @ (Pending::Read(_) | Pending::Write(..)) => {
            body.skip(4)?;
            connection.done(pending, u64::from(body.u32_le()?), out);
        }
        pending => connection.done(pending, 0, out),
    }
    Ok(())
}

fn negotiated(
    security: u16,
    dialect: u16,
    connection: &Connection,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let (name, version) = match dialect {
        // "2.???": the client has to ask again, with SMB2's own list.
        0x02ff => return Ok(()),
        0x0202 => ("2.0.2", 2),
        0x0210 => ("2.1", 2),
        0x0300 => ("3.0", 3),
        0x0302 => ("3.0.2", 3),
        0x0311 => ("3.1.1", 3),
        _ => {
            out.anomaly("smb", "dialect not assigned", connection.client.flipped());
            return Ok(());
        }
    };
    let (required, enabled) = (security & 2 != 0, security & 1 != 0);
    connection.negotiated(Value::Word(name), version, required, enabled, out);
    Ok(())
}
