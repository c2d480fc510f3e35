//! What is remembered of a connection, in tables with bounds: who asked for what, which share a
//! tree is, which files are open. SMB1 and SMB2 share it.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;

use super::files::{Head, OpenFile, Opened, Opening};
use super::path::{self, FileName};
use super::shapes::Shapes;
use super::table::Table;
use super::{NEGOTIATE, SESSION, TREE};
use crate::ntlm::Authenticate;

/// A session's number and a tree's within it.
pub(super) type TreeId = (u64, u32);
/// A file's number: both halves of SMB2's, or SMB1's 16 bits.
pub(super) type FileId = u128;

/// Which file a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileRef {
    Known(FileId),
    /// The one that an earlier request of the same compound opens.
    OpenedBy(u64),
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    /// SMB1's list of dialects.
    Negotiate(Vec<Box<[u8]>>),
    Session(Option<Authenticate>),
    Tree(Box<str>),
    Open(Box<(TreeId, Opening)>),
    Read(FileRef),
    Write(FileRef, Head),
    Rename(FileRef, Box<FileName>),
    Delete(FileRef),
    Close(FileRef),
    /// SMB1's rename and delete by path.
    ByPath {
        action: &'static str,
        name: Box<FileName>,
        share: Option<Box<str>>,
        to: Box<str>,
    },
}

const MOST_PENDING: usize = 512;
const MOST_TREES: usize = 128;
const MOST_FILES: usize = 1024;

/// All of it.
pub(super) struct Connection {
    /// The side that asks, once known.
    pub(super) client: Direction,
    pub(super) pending: Table<u64, Pending>,
    trees: Table<TreeId, Box<str>>,
    files: Table<FileId, (TreeId, OpenFile)>,
    pub(super) shapes: Shapes,
    /// The server said that all of the session will be encrypted.
    pub(super) encrypts: bool,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            client: Direction::Forward,
            pending: Table::new(MOST_PENDING),
            trees: Table::new(MOST_TREES),
            files: Table::new(MOST_FILES),
            shapes: Shapes::default(),
            encrypts: false,
        }
    }

    /// Share of a tree, where it was seen connected.
    pub(super) fn share(&self, tree: TreeId) -> Option<&str> {
        self.trees.get(&tree).map(AsRef::as_ref)
    }

    /// What may be kept of a path in a tree.
    pub(super) fn name(&self, tree: TreeId, path: &str, out: &Emit<'_>) -> FileName {
        let in_ipc = self.share(tree).is_some_and(|share| share == "IPC$");
        FileName::new(path, in_ipc, out)
    }

    pub(super) fn opening(
        &self,
        tree: TreeId,
        path: &str,
        disposition: u32,
        options: u32,
        out: &Emit<'_>,
    ) -> Opening {
        const DELETE_ON_CLOSE: u32 = 0x1000;
        Opening {
            name: self.name(tree, path, out),
            share: self.share(tree).map(Into::into),
            asked: Opened::asked(disposition),
            delete_on_close: options & DELETE_ON_CLOSE != 0,
        }
    }

    pub(super) fn file(&self, id: FileId) -> Option<&OpenFile> {
        self.files.get(&id).map(|(_, file)| file)
    }

    /// The server chose a dialect.
    pub(super) fn negotiated(
        &self,
        dialect: Value,
        version: u8,
        required: bool,
        enabled: bool,
        out: &mut Emit<'_>,
    ) {
        let signing = match (required, enabled) {
            (true, _) => "required",
            (false, true) => "enabled",
            (false, false) => "off",
        };
        out.observe(&NEGOTIATE, self.client)
            .value("dialect", Some(dialect))
            .uint("version", version)
            .word("signing", signing)
            .emit();
    }

    /// The server answered a log-on.
    pub(super) fn logged_on(
        &self,
        login: Option<&Authenticate>,
        status: u32,
        guest: bool,
        null: bool,
        out: &mut Emit<'_>,
    ) {
        let outcome = match (status, guest) {
            (0, true) => "guest",
            (0, false) => "success",
            _ => "failure",
        };
        let mut draft = out
            .observe(&SESSION, self.client)
            .word("outcome", outcome)
            .uint("status", status)
            .flag("anonymous", null || login.is_some_and(|login| login.anonymous));
        if let Some(login) = login {
            draft = draft
                .text("user", login.user.as_bytes())
                .text("domain", login.domain.as_bytes())
                .text("workstation", login.workstation.as_bytes());
        }
        if self.encrypts && status == 0 {
            draft = draft.flag("encrypted", true);
        }
        draft.emit();
    }

    /// The server answered a request for a share.
    pub(super) fn connected(
        &mut self,
        tree: TreeId,
        share: Box<str>,
        status: u32,
        out: &mut Emit<'_>,
    ) {
        out.observe(&TREE, self.client)
            .text("share", share.as_bytes())
            .word("outcome", if status == 0 { "success" } else { "failure" })
            .uint("status", status)
            .flag("admin", path::is_admin(&share))
            .emit();
        if status == 0 {
            self.trees.put(tree, share);
        }
    }

    /// The server opened a file. Opening a folder is how it is listed, and is not said.
    pub(super) fn opened(
        &mut self,
        tree: TreeId,
        id: FileId,
        opening: Opening,
        opened: Opened,
        folder: bool,
        out: &mut Emit<'_>,
    ) {
        if !(folder && opened == Opened::Open) {
            opening.say(opened, self.client, out);
        }
        if let Some((_, evicted)) = self.files.put(id, (tree, OpenFile::new(opening))) {
            evicted.close(self.client, out);
        }
    }

    /// Requests that waited to know which file `message` opens now know.
    pub(super) fn resolve(&mut self, message: u64, id: FileId) {
        for pending in self.pending.values_mut() {
            match pending {
                Pending::Read(file)
                | Pending::Write(file, _)
                | Pending::Rename(file, _)
                | Pending::Delete(file)
                | Pending::Close(file)
                    if *file == FileRef::OpenedBy(message) =>
                {
                    *file = FileRef::Known(id);
                }
                _ => {}
            }
        }
    }

    /// The server did what was asked with an open file; `bytes` went.
    pub(super) fn done(&mut self, request: Pending, bytes: u64, out: &mut Emit<'_>) {
        let (Pending::Read(file)
        | Pending::Write(file, _)
        | Pending::Rename(file, _)
        | Pending::Delete(file)
        | Pending::Close(file)) = &request
        else {
            return;
        };
        let FileRef::Known(id) = *file else { return };
        let client = self.client;
        if let Pending::Close(_) = request {
            if let Some((_, file)) = self.files.take(&id) {
                file.close(client, out);
            }
            return;
        }
        let Some((_, file)) = self.files.get_mut(&id) else { return };
        match request {
            Pending::Read(_) => file.has_read(bytes),
            Pending::Write(_, head) => file.has_written(bytes, head),
            Pending::Rename(_, to) => file.has_renamed(*to, client, out),
            Pending::Delete(_) => file.has_deleted(client, out),
            _ => {}
        }
    }

    /// A tree was disconnected: its files are closed.
    pub(super) fn disconnected(&mut self, tree: TreeId, out: &mut Emit<'_>) {
        self.trees.take(&tree);
        self.close_where(|id| id == tree, out);
    }

    /// A session was logged off: its trees and files are gone.
    pub(super) fn logged_off(&mut self, session: u64, out: &mut Emit<'_>) {
        self.trees.take_if(|(of, _), _| *of == session);
        self.close_where(|(of, _)| of == session, out);
    }

    /// The connection is over.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        self.close_where(|_| true, out);
    }

    fn close_where(&mut self, which: impl Fn(TreeId) -> bool, out: &mut Emit<'_>) {
        let client = self.client;
        for (_, file) in self.files.take_if(|_, (tree, _)| which(*tree)) {
            file.close(client, out);
        }
    }
}
