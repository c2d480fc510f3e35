//! Puts the commands and data sets of one direction together from their PDVs (PS3.8 annex E), and
//! keeps of a data set only what is looked into.

use super::command::{Cargo, Command, Unreadable};
use super::walk::Pdv;

/// Most bytes of a command set or identifier that are kept; real ones have some hundred.
const MAX_SET: usize = 64 << 10;
/// Bytes of an object in which its patient is looked for.
const OBJECT_HEAD: usize = 4 << 10;

/// A command whose data set is on its way.
#[derive(Debug)]
pub(super) struct Message {
    /// The command.
    pub(super) command: Command,
    /// Its presentation context.
    pub(super) context: u8,
    /// As much of its data set as is kept.
    pub(super) kept: Vec<u8>,
    /// Whether more of it may be kept.
    open: bool,
    /// Bytes of its data set so far.
    pub(super) bytes: u64,
    /// Bytes that may have been of it were lost, perhaps its end.
    torn: bool,
    cap: usize,
}

/// What the end of a PDV completed.
#[derive(Debug)]
pub(super) enum Complete {
    /// Nothing.
    No,
    /// A command without data set, or one whose data set is of no interest: say it now.
    Command(Command, u8),
    /// A command that is an object's or a query's: its data set follows.
    Announced,
    /// A command that says nothing.
    Unreadable(Unreadable),
    /// The data set of such a command.
    DataSet(Message),
}

/// Assembly in one direction.
#[derive(Debug, Default)]
pub(super) struct Lane {
    command: Vec<u8>,
    /// Whether bytes of the command are missing.
    torn: bool,
    /// Whether bytes were lost since the last command or data set ended: the next fragment may be
    /// the rest of a command whose beginning is missing.
    adrift: bool,
    message: Option<Message>,
    pdv: Option<Pdv>,
}

impl Lane {
    /// A PDV begins: what was under way if this cuts it off, and how many of its bytes are wanted.
    pub(super) fn begin(&mut self, pdv: Pdv) -> (Option<Message>, u64) {
        self.pdv = Some(pdv);
        if pdv.command {
            let room = MAX_SET.saturating_sub(self.command.len()) as u64;
            self.torn |= pdv.length > room;
            let wanted = if self.torn { 0 } else { pdv.length };
            return (self.message.take(), wanted);
        }
        let wanted = self.message.as_mut().map_or(0, |message| {
            message.bytes = message.bytes.saturating_add(pdv.length);
            let room = message.cap.saturating_sub(message.kept.len()) as u64;
            if message.open { room.min(pdv.length) } else { 0 }
        });
        (None, wanted)
    }

    /// The next of the bytes wanted.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        match (self.pdv, &mut self.message) {
            (Some(pdv), _) if pdv.command => self.command.extend_from_slice(bytes),
            (Some(_), Some(message)) if message.open => message.kept.extend_from_slice(bytes),
            _ => {}
        }
    }

    /// Bytes wanted were lost: what comes after them would be misread.
    pub(super) fn hole(&mut self) {
        match (self.pdv, &mut self.message) {
            (Some(pdv), _) if pdv.command => self.torn = true,
            (_, Some(message)) => message.open = false,
            _ => {}
        }
    }

    /// The PDV is over.
    pub(super) fn end(&mut self) -> Complete {
        let Some(pdv) = self.pdv.take() else { return Complete::No };
        if !pdv.last {
            return Complete::No;
        }
        let adrift = std::mem::take(&mut self.adrift);
        if !pdv.command {
            return self.message.take().map_or(Complete::No, Complete::DataSet);
        }
        let set = std::mem::take(&mut self.command);
        if std::mem::take(&mut self.torn) {
            return Complete::No;
        }
        match Command::parse(&set) {
            Err(_) if adrift => Complete::No,
            Err(why) => Complete::Unreadable(why),
            Ok(command) => {
                let cap = match command.verb.cargo() {
                    Cargo::Identifier if command.has_data => MAX_SET,
                    Cargo::Object if command.has_data => OBJECT_HEAD,
                    _ => return Complete::Command(command, pdv.context),
                };
                let (context, kept) = (pdv.context, Vec::new());
                let message =
                    Message { command, context, kept, open: true, bytes: 0, torn: false, cap };
                self.message = Some(message);
                Complete::Announced
            }
        }
    }

    /// So many bytes were lost or passed over. An object goes on after them; whatever else was
    /// under way is given up and given back.
    pub(super) fn lost(&mut self, count: u64) -> Option<Message> {
        self.pdv = None;
        self.command.clear();
        self.torn = false;
        self.adrift = true;
        let object = |message: &&mut Message| message.command.verb.cargo() == Cargo::Object;
        match self.message.as_mut().filter(object) {
            Some(message) => {
                message.torn = true;
                message.open = false;
                message.bytes = message.bytes.saturating_add(count);
                None
            }
            None => self.message.take(),
        }
    }

    /// The object whose end may have been lost, once something shows that it was: the next command,
    /// or the answer to this one.
    pub(super) fn settled(&mut self, answered: Option<u16>) -> Option<Message> {
        self.message.take_if(|message| {
            message.torn && answered.is_none_or(|id| message.command.message_id == Some(id))
        })
    }

    /// The command that waits for its data set.
    pub(super) fn waiting(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// Forgets everything; gives the command whose data set did not come whole.
    pub(super) fn cut(&mut self) -> Option<Message> {
        std::mem::take(self).message
    }
}

impl Message {
    /// Whether all bytes of the data set were kept.
    pub(super) fn is_whole(&self) -> bool {
        self.open && self.bytes == self.kept.len() as u64
    }
}
