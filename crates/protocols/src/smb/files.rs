//! What is done with files: counted while a file is open, said when it is known.

use model::emit::{Draft, Emit};
use model::flow::Direction;

use super::FILE;
use super::path::FileName;

/// How a file was, or should have been, opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Open,
    Create,
    Overwrite,
}

impl Opened {
    const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Overwrite => "overwrite",
        }
    }

    /// From the disposition that a client asks for (MS-SMB2 2.2.13).
    pub(super) const fn asked(disposition: u32) -> Self {
        match disposition {
            2 => Self::Create,
            0 | 4 | 5 => Self::Overwrite,
            _ => Self::Open,
        }
    }

    /// From what the server says it did (MS-SMB2 2.2.14).
    pub(super) const fn done(action: u32) -> Self {
        match action {
            1 => Self::Open,
            2 => Self::Create,
            _ => Self::Overwrite,
        }
    }
}

/// A file that a client asked to open.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) name: FileName,
    pub(super) share: Option<Box<str>>,
    pub(super) asked: Opened,
    pub(super) delete_on_close: bool,
}

/// The first bytes that were written to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Head {
    /// Bits a byte; at most the logarithm of how many bytes there were (nine for 512).
    pub(super) entropy: Option<f64>,
    pub(super) executable: bool,
}

/// How many bytes of the first write are looked at.
const HEAD: usize = 512;
/// Fewer bytes say nothing of entropy.
const FEWEST: usize = 64;

impl Head {
    pub(super) fn of(data: &[u8]) -> Self {
        let data = data.get(..HEAD).unwrap_or(data);
        let entropy = (data.len() >= FEWEST).then(|| entropy(data));
        let executable = data.starts_with(b"MZ") || data.starts_with(b"\x7fELF");
        Self { entropy, executable }
    }
}

/// Shannon's entropy of the bytes, in bits a byte.
fn entropy(data: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in data {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
        }
    }
    let total = data.len() as f64;
    let share = counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total);
    share.map(|p| -p * p.log2()).sum()
}

/// A file that is open.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    pub(super) name: FileName,
    pub(super) share: Option<Box<str>>,
    delete_on_close: bool,
    deleted: bool,
    read: u64,
    written: u64,
    pub(super) head: Option<Head>,
}

impl OpenFile {
    pub(super) fn new(opening: Opening) -> Self {
        Self {
            name: opening.name,
            share: opening.share,
            delete_on_close: opening.delete_on_close,
            deleted: false,
            read: 0,
            written: 0,
            head: None,
        }
    }

    /// Whether it is a pipe of the Server service (MS-SRVS 2.1; "browser" is the same process).
    pub(super) fn is_server_service(&self) -> bool {
        matches!(self.name.pipe, Some("srvsvc" | "browser"))
    }

    pub(super) fn has_read(&mut self, bytes: u64) {
        self.read = self.read.saturating_add(bytes);
    }

    pub(super) fn has_written(&mut self, bytes: u64, head: Head) {
        self.written = self.written.saturating_add(bytes);
        self.head.get_or_insert(head);
    }

    /// The server renamed it.
    pub(super) fn has_renamed(&mut self, to: FileName, client: Direction, out: &mut Emit<'_>) {
        self.draft("rename", client, out).text("new_extension", to.extension.as_bytes()).emit();
        self.name = to;
    }

    /// The server marked it for deletion, or unmarked it.
    pub(super) fn has_deleted(&mut self, client: Direction, out: &mut Emit<'_>) {
        if !self.deleted {
            self.draft("delete", client, out).emit();
        }
        self.deleted = true;
    }

    /// Closed, or no longer to be followed: says what was read and written.
    pub(super) fn close(mut self, client: Direction, out: &mut Emit<'_>) {
        // What goes over pipes are calls, not contents.
        let is_pipe = self.share.as_deref() == Some("IPC$");
        if !is_pipe && self.read > 0 {
            self.draft("read", client, out).uint("bytes", self.read).emit();
        }
        if !is_pipe && self.written > 0 {
            let head = self.head.unwrap_or_default();
            let mut draft = self.draft("write", client, out).uint("bytes", self.written);
            if let Some(entropy) = head.entropy {
                draft = draft.float("entropy", entropy);
            }
            draft.flag("executable", head.executable).emit();
        }
        if self.delete_on_close {
            self.has_deleted(client, out);
        }
    }

    fn draft<'e, 'a>(
        &self,
        action: &'static str,
        client: Direction,
        out: &'e mut Emit<'a>,
    ) -> Draft<'e, 'a> {
        draft(action, &self.name, self.share.as_deref(), client, out)
    }
}

impl Opening {
    /// The server opened it.
    pub(super) fn say(&self, opened: Opened, client: Direction, out: &mut Emit<'_>) {
        draft(opened.word(), &self.name, self.share.as_deref(), client, out).emit();
    }

    /// The server refused it.
    pub(super) fn say_failed(&self, status: u32, client: Direction, out: &mut Emit<'_>) {
        draft(self.asked.word(), &self.name, self.share.as_deref(), client, out)
            .uint("status", status)
            .emit();
    }
}

/// An observation of something done with a file by name.
pub(super) fn draft<'e, 'a>(
    action: &'static str,
    name: &FileName,
    share: Option<&str>,
    client: Direction,
    out: &'e mut Emit<'a>,
) -> Draft<'e, 'a> {
    let mut draft = out
        .observe(&FILE, client)
        .word("action", action)
        .text("share", share.unwrap_or_default().as_bytes())
        .text("extension", name.extension.as_bytes());
    for (field, token) in [("name", name.name), ("folder", name.folder)] {
        if let Some(token) = token {
            draft = draft.token(field, token);
        }
    }
    if let Some(pipe) = name.pipe {
        draft = draft.word("pipe", pipe);
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_tells_text_from_noise_and_programs_are_seen() {
        let noise: Vec<u8> =
            (0..512_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(Head::of(&noise).entropy.unwrap() > 6.5);
        assert!(Head::of(&[b'a'; 512]).entropy.unwrap() < 0.01);
        assert_eq!(Head::of(b"short").entropy, None);
        assert!(Head::of(b"MZ\x90\0").executable && Head::of(b"\x7fELF\x02").executable);
        assert!(!Head::of(b"%PDF-1.4").executable);
    }
}
