//! SMB1 messages (MS-CIFS, MS-SMB): as much as tells who logs on, which shares and files are used,
//! and the shapes of the exploits that made SMB1 infamous. Core-protocol commands from before NT
//! are not here, but for delete and rename.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use wire::cursor::{Cursor, Short};

use super::connection::{Connection, FileRef, Pending, TreeId};
use super::files::{self, Head, Opened};
use super::path;
use super::shapes::{self, Shape};
use super::v1_trans;
use crate::ntlm::{self, Authenticate};

const HEADER: usize = 32;
/// Commands in one chain that are looked at.
const MOST_IN_CHAIN: usize = 8;
const NO_MORE: u8 = 0xff;
const STATUS_MORE_PROCESSING: u32 = 0xc000_0016;

pub(super) struct Header {
    pub(super) status: u32,
    command: u8,
    is_answer: bool,
    unicode: bool,
    pub(super) tree: u16,
    pub(super) user: u16,
    pub(super) process: u16,
    pub(super) multiplex: u16,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        cursor.skip(4)?;
        let (command, status) = (cursor.u8()?, cursor.u32_le()?);
        let (flags, flags2) = (cursor.u8()?, cursor.u16_le()?);
        cursor.skip(12)?;
        let [tree, process, user, multiplex] =
            [cursor.u16_le()?, cursor.u16_le()?, cursor.u16_le()?, cursor.u16_le()?];
        Ok(Self {
            status,
            command,
            is_answer: flags & 0x80 != 0,
            unicode: flags2 & 0x8000 != 0,
            tree,
            user,
            process,
            multiplex,
        })
    }

    pub(super) fn tree_id(&self) -> TreeId {
        (u64::from(self.user), u32::from(self.tree))
    }

    /// Number of a request among those that wait; one for each command of a chain.
    pub(super) fn key(&self, place: usize) -> u64 {
        u64::from(self.multiplex)
            | u64::from(self.process) << 16
            | u64::from(self.user) << 32
            | (place as u64) << 48
    }
}

/// One command of a message: its parameter words, and the bytes behind them.
pub(super) struct Block<'a> {
    pub(super) words: Cursor<'a>,
    pub(super) bytes: &'a [u8],
    /// Whether `bytes` begins at an odd distance from the header.
    odd: bool,
    unicode: bool,
    /// The whole message, for what is found by its distance from the header.
    pub(super) message: &'a [u8],
}

impl<'a> Block<'a> {
    fn read(message: &'a [u8], at: usize, unicode: bool) -> Result<Self, Short> {
        let mut cursor = Cursor::new(message);
        cursor.skip(at)?;
        let words = usize::from(cursor.u8()?).saturating_mul(2);
        let words = Cursor::new(cursor.take(words)?);
        let count = usize::from(cursor.u16_le()?);
        let odd = cursor.position() % 2 == 1;
        let rest = cursor.rest();
        // Large writes count more bytes than the field can: what is there, is there.
        let bytes = rest.get(..count).unwrap_or(rest);
        Ok(Self { words, bytes, odd, unicode, message })
    }

    /// The string that begins `at` bytes into the block's bytes, and where it ends.
    pub(super) fn string(&self, at: usize) -> (String, usize) {
        self.string_in(at, self.unicode)
    }

    fn string_in(&self, at: usize, unicode: bool) -> (String, usize) {
        if !unicode {
            let text = self.bytes.get(at..).unwrap_or_default();
            let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
            let end = at.saturating_add(text.len()).saturating_add(1);
            return (String::from_utf8_lossy(text).into_owned(), end);
        }
        // Sixteen-bit text stands at an even distance from the header.
        let aligned = at.saturating_add(usize::from((at % 2 == 1) != self.odd));
        let text = self.bytes.get(aligned..).unwrap_or_default();
        let (units, _) = text.as_chunks::<2>();
        let length = units.iter().position(|unit| *unit == [0, 0]).unwrap_or(units.len());
        let length = length.saturating_mul(2);
        let end = aligned.saturating_add(length).saturating_add(2);
        (ntlm::utf16(text.get(..length).unwrap_or_default()), end)
    }
}

/// Takes the commands of one message.
pub(super) fn message(
    body: &[u8],
    whole: bool,
    dir: Direction,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) {
    let Ok(header) = Header::read(body) else {
        return out.anomaly("smb", "message shorter than its header", dir);
    };
    connection.client = if header.is_answer { dir.flipped() } else { dir };
    let (mut command, mut at) = (header.command, HEADER);
    for place in 0..MOST_IN_CHAIN {
        let Ok(block) = Block::read(body, at, header.unicode) else {
            if whole {
                out.anomaly("smb", "command ends too early", dir);
            }
            return;
        };
        let chained = matches!(command, 0x24 | 0x2d..=0x2f | 0x73..=0x75 | 0xa2);
        let mut words = block.words;
        let next = if chained { words.array::<4>().ok() } else { None };
        // Fields may be left out of an answer that reports an error.
        let _ = match header.is_answer {
            true => answer(&header, command, place, block, connection, out),
            false => request(&header, command, place, block, connection, out),
        };
        match next {
            Some([then, _, low, high]) if then != NO_MORE => {
                let offset = usize::from(u16::from_le_bytes([low, high]));
                // Chains that turn back would never end.
                if offset <= at {
                    return;
                }
                (command, at) = (then, offset);
            }
            _ => return,
        }
    }
}

fn request(
    header: &Header,
    command: u8,
    place: usize,
    mut block: Block<'_>,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let tree = header.tree_id();
    let file = |id: u16| FileRef::Known(file_id(header.tree, id));
    let words = &mut block.words;
    let pending = match command {
        0x72 => {
            let list = block.bytes.split(|&byte| byte == 0).filter(|name| !name.is_empty());
            // A byte 2 stands before each dialect's name.
            let names = list.map(|name| name.strip_prefix(b"\x02").unwrap_or(name).into());
            Pending::Negotiate(names.take(32).collect())
        }
        0x73 => Pending::Session(log_on(&mut block)?),
        0x74 => {
            connection.logged_off(u64::from(header.user), out);
            return Ok(());
        }
        0x71 => {
            connection.disconnected(tree, out);
            return Ok(());
        }
        0x75 => {
            words.skip(6)?;
            let password = usize::from(words.u16_le()?);
            let (path, _) = block.string(password);
            Pending::Tree(path::share(&path).into())
        }
        0xa2 => {
            words.skip(35)?;
            let (disposition, options) = (words.u32_le()?, words.u32_le()?);
            let (path, _) = block.string(0);
            let opening = connection.opening(tree, &path, disposition, options, out);
            Pending::Open(Box::new((tree, opening)))
        }
        0x2d => {
            const OPEN: u32 = 1;
            let (path, _) = block.string(0);
            Pending::Open(Box::new((tree, connection.opening(tree, &path, OPEN, 0, out))))
        }
        0x2e => {
            words.skip(4)?;
            Pending::Read(file(words.u16_le()?))
        }
        0x2f => {
            words.skip(4)?;
            let id = words.u16_le()?;
            words.skip(12)?;
            let [high, low] = [words.u16_le()?, words.u16_le()?];
            let length = usize::from(high) << 16 | usize::from(low);
            let offset = usize::from(words.u16_le()?);
            let data = block.message.get(offset..).unwrap_or_default();
            let data = data.get(..length).unwrap_or(data);
            let open = connection.file(file_id(header.tree, id));
            let head = open.and_then(|file| file.head);
            if open.is_some_and(|file| file.is_server_service()) && shapes::climbs(data) {
                connection.shapes.say(Shape::ServerPath, connection.client, out);
            }
            Pending::Write(file(id), head.unwrap_or_else(|| Head::of(data)))
        }
        0x04 => Pending::Close(file(words.u16_le()?)),
        0x06 | 0x07 => by_path(command, &block, tree, connection, out),
        0x25 | 0x32 | 0x33 | 0xa0 | 0xa1 => {
            match v1_trans::request(header, command, &mut block, connection, out)? {
                Some(pending) => pending,
                None => return Ok(()),
            }
        }
        _ => return Ok(()),
    };
    connection.pending.put(header.key(place), pending);
    Ok(())
}

/// SMB1 numbers files within a tree.
pub(super) fn file_id(tree: u16, id: u16) -> u128 {
    u128::from(tree) << 16 | u128::from(id)
}

/// Who logs on: from NTLMSSP in a security blob, or from the older form's own fields.
fn log_on(block: &mut Block<'_>) -> Result<Option<Authenticate>, Short> {
    const WITH_BLOB: usize = 24;
    let count = block.words.remaining();
    block.words.skip(14)?;
    let first = usize::from(block.words.u16_le()?);
    if count == WITH_BLOB {
        return Ok(ntlm::authenticate(block.bytes.get(..first).unwrap_or(block.bytes)));
    }
    let second = usize::from(block.words.u16_le()?);
    let (user, end) = block.string(first.saturating_add(second));
    let (domain, _) = block.string(end);
    let anonymous = user.is_empty();
    let version = u8::from(!anonymous);
    Ok(Some(Authenticate { user, domain, workstation: String::new(), anonymous, version }))
}

/// Delete and rename by path: a byte 4 stands before each path.
fn by_path(
    command: u8,
    block: &Block<'_>,
    tree: TreeId,
    connection: &Connection,
    out: &Emit<'_>,
) -> Pending {
    let (name, end) = block.string(1);
    let (to, _) = block.string(end.saturating_add(1));
    let rename = command == 0x07;
    Pending::ByPath {
        action: if rename { "rename" } else { "delete" },
        name: Box::new(connection.name(tree, &name, out)),
        share: connection.share(tree).map(Into::into),
        to: if rename { path::extension(&to).into() } else { "".into() },
    }
}

fn answer(
    header: &Header,
    command: u8,
    place: usize,
    mut block: Block<'_>,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let status = header.status;
    v1_trans::answer(header, command, connection, out);
    let pending = connection.pending.take(&header.key(place)).or_else(|| {
        // The server gives the user's number with its answer.
        let unnumbered = header.key(place) & !(0xffff << 32);
        connection.pending.take(&unnumbered)
    });
    let Some(pending) = pending else { return Ok(()) };
    let words = &mut block.words;
    match pending {
        Pending::Negotiate(names) => {
            let index = usize::from(words.u16_le()?);
            let Some(name) = names.get(index) else { return Ok(()) };
            let security = words.u8()?;
            let dialect = Value::Text(model::text::clean(name).into());
            let (required, enabled) = (security & 8 != 0, security & 4 != 0);
            connection.negotiated(dialect, 1, required, enabled, out);
        }
        Pending::Session(_) if status == STATUS_MORE_PROCESSING => {
            ntlm::say_challenge("smb", block.bytes, connection.client.flipped(), out);
        }
        Pending::Session(login) => {
            let action = words.skip(4).and_then(|()| words.u16_le()).unwrap_or(0);
            connection.logged_on(login.as_ref(), status, action & 1 != 0, false, out);
        }
        Pending::Tree(share) => connection.connected(header.tree_id(), share, status, out),
        Pending::Open(opening) if status != 0 => {
            opening.1.say_failed(status, connection.client, out);
        }
        Pending::Open(opening) => {
            let (tree, opening) = *opening;
            let (id, opened, folder) = opened(command, words)?;
            connection.opened(tree, file_id(header.tree, id), opening, opened, folder, out);
        }
        // Warnings have not both top bits set.
        _ if status >> 30 == 3 => {}
        Pending::ByPath { action, name, share, to } => {
            files::draft(action, &name, share.as_deref(), connection.client, out)
                .text("new_extension", to.as_bytes())
                .emit();
        }
        pending @ Pending::Write(..) => {
            words.skip(4)?;
            let low = words.u16_le()?;
            words.skip(2)?;
            let high = words.u16_le()?;
            connection.done(pending, u64::from(high) << 16 | u64::from(low), out);
        }
        pending @ Pending::Read(_) => {
            words.skip(10)?;
            let low = words.u16_le()?;
            words.skip(2)?;
            let high = words.u16_le()?;
            connection.done(pending, u64::from(high) << 16 | u64::from(low), out);
        }
        pending => connection.done(pending, 0, out),
    }
    Ok(())
}

/// Number of the file, what the server did, whether it is a folder.
fn opened(command: u8, words: &mut Cursor<'_>) -> Result<(u16, Opened, bool), Short> {
    const FOLDER: u32 = 0x10;
    if command == 0x2d {
        words.skip(4)?;
        let id = words.u16_le()?;
        let attributes = words.u16_le()?;
        words.skip(14)?;
        let done = u32::from(words.u16_le()? & 3);
        return Ok((id, Opened::done(done), u32::from(attributes) & FOLDER != 0));
    }
    words.skip(5)?;
    let id = words.u16_le()?;
    let action = words.u32_le()?;
    words.skip(32)?;
    Ok((id, Opened::done(action), words.u32_le()? & FOLDER != 0))
}
