//! Whole dialogues with a file server: sign in, open a share, read, write, rename, close.

use crate::app::smb::{
    Command, Header, LOGON_FAILURE, MORE_PROCESSING, file_time, message, ntlm, wide,
};
use crate::net::tcp::{Side, Tcp};
use crate::time::{MS, Nanos};
use crate::world::{HostId, World};

/// A client that is signed in to a server.
pub(crate) struct Session {
    pub(crate) tcp: Tcp,
    next: u64,
    id: u64,
    tree: u32,
    files: u64,
}

/// An open file.
pub(crate) type FileId = [u8; 16];

/// Largest piece of a file in one message.
const PIECE: usize = 65_536;

fn words(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Signs in to a server as `user`. None where the server refuses, after `at` the conversation ends.
pub(crate) fn sign_in(
    w: &mut World,
    at: Nanos,
    client: HostId,
    server: HostId,
    user: &str,
    accepted: bool,
) -> Result<Session, Nanos> {
    let tcp = Tcp::open(w, at, client, (server, 445));
    let mut rng = w.rng.fork("smb");
    let names = (w.hosts[client].title.clone(), w.hosts[server].title.clone());
    let domain = w.domain.split('.').next().unwrap_or("SITE").to_uppercase();
    let t = ntlm::tokens(&mut rng, &domain, user, (&names.0, &names.1), at);
    let mut s = Session { tcp, next: 0, id: 0, tree: 0, files: 0 };
    let dialects = [2, 2, 0x10, 2, 0, 3, 2, 3];
    let ask =
        words(&[&[36, 0, 4, 0, 1, 0, 0, 0, 0x7f, 0, 0, 0], &rng.bytes(16), &[0; 8], &dialects]);
    let mut offer = words(&[&[65, 0, 1, 0, 2, 3, 0, 0], &rng.bytes(16), &[0x2f, 0, 0, 0]]);
    for size in [8_388_608_u32; 3] {
        offer.extend_from_slice(&size.to_le_bytes());
    }
    offer.extend_from_slice(&file_time(at));
    offer.extend_from_slice(&[0; 8]);
    offer.extend_from_slice(&[128, 0]);
    offer.extend_from_slice(&(t.offer.len() as u16).to_le_bytes());
    offer.extend_from_slice(&[0; 4]);
    offer.extend_from_slice(&t.offer);
    s.exchange(w, Command::Negotiate, 0, &ask, &offer);
    s.id = rng.next() >> 16;
    let id = std::mem::take(&mut s.id);
    s.setup(w, (&t.hello, &t.challenge), MORE_PROCESSING, id);
    s.id = id;
    if !accepted {
        s.setup(w, (&t.answer, &[]), LOGON_FAILURE, id);
        return Err(s.tcp.close(w, Side::Client));
    }
    s.setup(w, (&t.answer, &t.done), 0, id);
    Ok(s)
}

impl Session {
    /// A request and its answer.
    fn exchange(&mut self, w: &mut World, command: Command, status: u32, ask: &[u8], reply: &[u8]) {
        let id = self.id;
        self.exchange_as(w, command, status, ask, reply, id);
    }

    /// A request and an answer that names a session of its own.
    fn exchange_as(
        &mut self,
        w: &mut World,
        command: Command,
        status: u32,
        ask: &[u8],
        answer: &[u8],
        answer_session: u64,
    ) {
        let (tree, session) = (self.tree, self.id);
        let header = Header { command, reply: false, status: 0, message: self.next, tree, session };
        self.next += 1;
        self.tcp.up(w, &message(header, ask));
        let reply = Header { reply: true, status, session: answer_session, ..header };
        self.tcp.down(w, &message(reply, answer));
    }

    fn setup(&mut self, w: &mut World, tokens: (&[u8], &[u8]), status: u32, id: u64) {
        let (ask, answer) = tokens;
        let length = (ask.len() as u16).to_le_bytes();
        let request =
            words(&[&[25, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 88, 0], &length, &[0; 8], ask]);
        let reply = if answer.is_empty() {
            vec![9, 0, 0, 0, 0, 0, 0, 0, 0]
        } else {
            words(&[&[9, 0, 0, 0, 72, 0], &(answer.len() as u16).to_le_bytes(), answer])
        };
        self.exchange_as(w, Command::SessionSetup, status, &request, &reply, id);
    }

    /// Opens a share such as `ADMIN$`.
    pub(crate) fn tree(&mut self, w: &mut World, server: &str, share: &str) {
        let path = wide(&format!("\\\\{server}\\{share}"));
        let ask = words(&[&[9, 0, 0, 0, 72, 0], &(path.len() as u16).to_le_bytes(), &path]);
        let reply = [16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 1, 0x1f, 0];
        self.tree = 0;
        let answer_tree = 1 + self.files as u32 + 4;
        let header = Header {
            command: Command::TreeConnect,
            reply: false,
            status: 0,
            message: self.next,
            tree: 0,
            session: self.id,
        };
        self.next += 1;
        self.tcp.up(w, &message(header, &ask));
        self.tcp.down(w, &message(Header { reply: true, tree: answer_tree, ..header }, &reply));
        self.tree = answer_tree;
    }

    /// Opens a file of `size` bytes, or makes it where `new`.
    pub(crate) fn create(&mut self, w: &mut World, name: &str, size: u64, new: bool) -> FileId {
        let path = wide(name);
        let access: u32 = if new { 0x0013_019f } else { 0x0013_0089 };
        let disposition: u32 = if new { 5 } else { 1 };
        let ask = words(&[
            &[57, 0, 0, 0, 2, 0, 0, 0],
            &[0; 16],
            &access.to_le_bytes(),
            &[0x80, 0, 0, 0, 7, 0, 0, 0],
            &disposition.to_le_bytes(),
            &[0x40, 0, 0, 0, 120, 0],
            &(path.len() as u16).to_le_bytes(),
            &[0; 8],
            &path,
        ]);
        self.files += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.files.to_le_bytes());
        id[8..].copy_from_slice(&(self.files | 0xff << 32).to_le_bytes());
        let time = file_time(self.tcp.now - 3_600_000_000_000);
        let action: u32 = if new { 2 } else { 1 };
        let reply = words(&[
            &[89, 0, 0, 0],
            &action.to_le_bytes(),
            &time,
            &time,
            &time,
            &time,
            &size.next_multiple_of(4_096).to_le_bytes(),
            &size.to_le_bytes(),
            &[0x20, 0, 0, 0, 0, 0, 0, 0],
            &id,
            &[0; 8],
        ]);
        self.exchange(w, Command::Create, 0, &ask, &reply);
        id
    }

    /// Reads the whole of what `data` says is in the file.
    pub(crate) fn read(&mut self, w: &mut World, file: FileId, data: &[u8]) {
        for (i, piece) in data.chunks(PIECE).enumerate() {
            let length = (piece.len() as u32).to_le_bytes();
            let offset = ((i * PIECE) as u64).to_le_bytes();
            let ask = words(&[&[49, 0, 0x50, 0], &length, &offset, &file, &[0; 17]]);
            let reply = words(&[&[17, 0, 0x50, 0], &length, &[0; 8], piece]);
            self.exchange(w, Command::Read, 0, &ask, &reply);
        }
    }

    /// Writes a whole file.
    pub(crate) fn write(&mut self, w: &mut World, file: FileId, data: &[u8]) {
        for (i, piece) in data.chunks(PIECE).enumerate() {
            let length = (piece.len() as u32).to_le_bytes();
            let offset = ((i * PIECE) as u64).to_le_bytes();
            let ask = words(&[&[49, 0, 0x70, 0], &length, &offset, &file, &[0; 16], piece]);
            let reply = words(&[&[17, 0, 0, 0], &length, &[0; 8]]);
            self.exchange(w, Command::Write, 0, &ask, &reply);
        }
    }

    /// Renames an open file.
    pub(crate) fn rename(&mut self, w: &mut World, file: FileId, name: &str) {
        let path = wide(name);
        let mut info = vec![0; 16];
        info.extend_from_slice(&(path.len() as u32).to_le_bytes());
        info.extend_from_slice(&path);
        let length = (info.len() as u32).to_le_bytes();
        let ask = words(&[&[33, 0, 1, 10], &length, &[96, 0, 0, 0, 0, 0, 0, 0], &file, &info]);
        self.exchange(w, Command::SetInfo, 0, &ask, &[2, 0]);
    }

    /// Closes a file.
    pub(crate) fn close_file(&mut self, w: &mut World, file: FileId) {
        let ask = words(&[&[24, 0, 0, 0, 0, 0, 0, 0], &file]);
        let mut reply = vec![60, 0];
        reply.resize(60, 0);
        self.exchange(w, Command::Close, 0, &ask, &reply);
    }

    /// Signs out and closes.
    pub(crate) fn sign_out(mut self, w: &mut World) -> Nanos {
        let think = w.rng.between(1, 20) * MS;
        self.tcp.pause(w, think);
        self.tree = 0;
        self.exchange(w, Command::Logoff, 0, &[4, 0, 0, 0], &[4, 0, 0, 0]);
        self.tcp.close(w, Side::Client)
    }
}
