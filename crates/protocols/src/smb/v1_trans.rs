//! SMB1's transactions: where renames and deletions by number are, and most of the exploits.

use model::emit::Emit;
use wire::cursor::{Cursor, Short};

use super::connection::{Connection, FileRef, Pending};
use super::shapes::{self, Shape};
use super::v1::{Block, Header, file_id};
use crate::ntlm;

const TRANS: u8 = 0x25;
const TRANS2: u8 = 0x32;
const TRANS2_SECONDARY: u8 = 0x33;
const NT_TRANS: u8 = 0xa0;

/// Takes a transaction, and gives back what waits for its answer.
pub(super) fn request(
    header: &Header,
    command: u8,
    block: &mut Block<'_>,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) -> Result<Option<Pending>, Short> {
    let client = connection.client;
    match command {
        NT_TRANS => {
            block.words.skip(7)?;
            let total = block.words.u32_le()?;
            block.words.skip(25)?;
            let function = block.words.u16_le()?;
            if function == 0 && total > u32::from(u16::MAX) {
                connection.shapes.say(Shape::NtTrans, client, out);
            }
            connection.shapes.nt_trans_open = true;
            return Ok(None);
        }
        TRANS2_SECONDARY if connection.shapes.nt_trans_open => {
            connection.shapes.say(Shape::NtTrans, client, out);
            return Ok(None);
        }
        TRANS | TRANS2 => {}
        _ => return Ok(None),
    }
    block.words.skip(18)?;
    let _parameter_count = block.words.u16_le()?;
    let parameters = usize::from(block.words.u16_le()?);
    let data_count = usize::from(block.words.u16_le()?);
    let data = usize::from(block.words.u16_le()?);
    block.words.skip(2)?;
    let (what, about) = (block.words.u16_le()?, block.words.u16_le().unwrap_or(0));
    let message = block.message;
    let parameters = message.get(parameters..).unwrap_or_default();
    let data = message.get(data..).unwrap_or_default();
    let data = data.get(..data_count).unwrap_or(data);
    if command == TRANS {
        return Ok(pipe(header, what, about, data, connection, out));
    }
    connection.shapes.nt_trans_open = false;
    match what {
        // SESSION_SETUP.
        0x0e => {
            connection.shapes.say(Shape::SessionSetup, client, out);
            connection.shapes.asked_pulsar(header.multiplex);
            Ok(None)
        }
        // SET_FILE_INFORMATION.
        0x08 => set_file(header, Cursor::new(parameters), Cursor::new(data), connection, out),
        _ => Ok(None),
    }
}

/// Transactions on pipes (MS-CIFS 2.2.5).
fn pipe(
    header: &Header,
    what: u16,
    file: u16,
    data: &[u8],
    connection: &mut Connection,
    out: &mut Emit<'_>,
) -> Option<Pending> {
    const TRANSACT: u16 = 0x26;
    const PEEK: u16 = 0x23;
    if what == PEEK && file == 0 {
        connection.shapes.say(Shape::PeekPipe, connection.client, out);
    }
    let open = connection.file(file_id(header.tree, file));
    let serves = open.is_some_and(|file| file.is_server_service());
    if what == TRANSACT && serves && shapes::climbs(data) {
        connection.shapes.say(Shape::ServerPath, connection.client, out);
    }
    None
}

fn set_file(
    header: &Header,
    mut parameters: Cursor<'_>,
    mut data: Cursor<'_>,
    connection: &Connection,
    out: &Emit<'_>,
) -> Result<Option<Pending>, Short> {
    let file = FileRef::Known(file_id(header.tree, parameters.u16_le()?));
    Ok(match parameters.u16_le()? {
        // Disposition, in SMB's own number and passed through to the file system (1000 added).
        0x0102 | 1013 if data.u8()? & 1 == 1 => Some(Pending::Delete(file)),
        1010 => {
            data.skip(8)?;
            let length = data.u32_le()? as usize;
            let to = ntlm::utf16(data.take(length)?);
            let to = connection.name(header.tree_id(), &to, out);
            Some(Pending::Rename(file, Box::new(to)))
        }
        _ => None,
    })
}

/// Looks at an answer for DoublePulsar's mark, and ends a transaction.
pub(super) fn answer(
    header: &Header,
    command: u8,
    connection: &mut Connection,
    out: &mut Emit<'_>,
) {
    if command == TRANS2 && connection.shapes.is_pulsar(header.multiplex) {
        connection.shapes.say(Shape::DoublePulsar, connection.client.flipped(), out);
    }
}
