//! Several capture files, read one after another as if they had been captured in that order.

use std::path::PathBuf;
use std::sync::Arc;

use crate::block::{Block, Pool};
use crate::{Batch, CaptureError, FileReader, Packet, PacketSource, Progress};

/// A chain of capture files. Packets are numbered through all of them.
///
/// A file that cannot be read ends with its error; the call after that goes on with the next
/// file, so that one bad file does not hide the others.
pub struct Files {
    paths: Vec<PathBuf>,
    /// The place in `paths` of the next file to open.
    next: usize,
    open: Option<FileReader>,
    packets: u64,
    /// Bytes on the disk of the files that are done.
    read: u64,
    total: Option<u64>,
    /// Lost before capture, by what the files that are done say.
    lost: u64,
    pool: Arc<Pool>,
}

impl Files {
    /// The files at `paths`, in that order; `-` is standard input. Each is opened when its turn
    /// comes, so that a hundred thousand files need no hundred thousand descriptors.
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let paths: Vec<PathBuf> = paths.into_iter().map(Into::into).collect();
        let size = |path: &PathBuf| {
            let about = std::fs::metadata(path).ok()?;
            about.is_file().then_some(about.len())
        };
        let total = paths.iter().map(size).sum();
        Self {
            paths,
            next: 0,
            open: None,
            packets: 0,
            read: 0,
            total,
            lost: 0,
            pool: Arc::default(),
        }
    }

    /// The next packets; none after the last file.
    ///
    /// # Errors
    /// A file cannot be opened or read on. Its packets before the fault have been handed out;
    /// the next call goes on with the next file.
    pub fn next_block(&mut self) -> Result<Option<Block>, CaptureError> {
        loop {
            let Some(reader) = &mut self.open else {
                let Some(path) = self.paths.get(self.next) else { return Ok(None) };
                let file = self.next;
                self.next += 1;
                let pool = Arc::clone(&self.pool);
                self.open = Some(FileReader::open_in_chain(path, file, self.packets, pool)?);
                continue;
            };
            let block = reader.next_block();
            self.packets = reader.packets_read();
            if let Ok(Some(_)) = block {
                return block;
            }
            self.read += reader.progress().read;
            self.lost = self.lost.saturating_add(reader.lost_before());
            self.open = None;
            block?;
        }
    }

    /// How far the reading has come through all files.
    pub fn progress(&self) -> Progress {
        let current = self.open.as_ref().map_or(0, |reader| reader.progress().read);
        Progress { read: self.read + current, total: self.total }
    }

    /// The file that is being read, for a progress bar.
    pub fn current(&self) -> Option<&std::path::Path> {
        self.open.as_ref().map(FileReader::path)
    }

    /// Packets handed out so far.
    pub fn packets_read(&self) -> u64 {
        self.packets
    }
}

impl PacketSource for Files {
    fn next_batch(&mut self, each: &mut dyn FnMut(Packet<'_>)) -> Result<Batch, CaptureError> {
        let Some(block) = self.next_block()? else { return Ok(Batch::End) };
        block.packets().for_each(each);
        Ok(Batch::Packets(block.len()))
    }

    /// A file loses nothing; this is what was lost when it was captured, where it says so
    /// ([`FileReader::lost_before`]).
    fn drops(&self) -> u64 {
        let open = self.open.as_ref().map_or(0, FileReader::lost_before);
        self.lost.saturating_add(open)
    }
}
