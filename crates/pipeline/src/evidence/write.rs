//! Writes the files of cases, on a thread of its own.
//!
//! Pieces are whole blocks, and each is appended with one call: a process that is killed leaves a
//! file that can be read to its last whole block. A file that is gone on with after a restart loses
//! what was torn, and gets a section of its own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use capture::{LinkType, whole_blocks, write_interface, write_section};
use crossbeam_channel::Receiver;

use super::{CaseFile, Counts, Keep, Piece, Plan};

/// Bytes of what a file begins with, at most: counted before it is written.
const HEADING: u64 = 4_096;

/// What the names of the files end with.
const ENDING: &str = ".pcapng";

/// See the module.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    keep: Keep,
    case_bytes: u64,
    total_bytes: u64,
    interfaces: Vec<(String, LinkType)>,
    /// Bytes of every case's file, by the number of the case; and whether this run began to write
    /// it.
    sizes: BTreeMap<u64, (u64, bool)>,
    counts: Arc<Counts>,
    /// The last trouble, so that it is told once.
    told: Option<io::ErrorKind>,
}

impl Files {
    pub(super) fn new(
        plan: &Plan,
        interfaces: Vec<(String, LinkType)>,
        counts: Arc<Counts>,
    ) -> Self {
        let mut files = Self {
            folder: plan.folder.clone(),
            keep: plan.keep,
            case_bytes: plan.case_bytes,
            total_bytes: plan.total_bytes,
            interfaces,
            sizes: BTreeMap::new(),
            counts,
            told: None,
        };
        if let Err(error) = files.look() {
            tracing::error!(folder = %plan.folder.display(), %error, "evidence cannot be kept");
        }
        files
    }

    /// Makes the folder, or looks what is in it.
    fn look(&mut self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            if let Some(number) = entry.file_name().to_str().and_then(number_of)
                && about.is_file()
            {
                self.sizes.insert(number, (about.len(), false));
            }
        }
        Ok(())
    }

    /// Writes until nobody hands over any more.
    pub(super) fn run(mut self, pieces: &Receiver<Piece>) {
        for piece in pieces {
            self.take(&piece);
        }
    }

    fn take(&mut self, piece: &Piece) {
        let drop_it = |counts: &Counts| {
            counts.dropped.fetch_add(piece.packets, Ordering::Relaxed);
        };
        let Some(number) = number_of(&format!("{}{ENDING}", piece.case.id)) else {
            return drop_it(&self.counts);
        };
        let size = self.sizes.get(&number).map_or(0, |(size, _)| *size);
        let more = piece.bytes.len() as u64 + HEADING;
        if size + more > self.case_bytes {
            if !piece.case.full.swap(true, Ordering::Relaxed) {
                tracing::info!(case = %piece.case.id, "the evidence of this case has reached its bound");
            }
            return drop_it(&self.counts);
        }
        self.make_room(number, more);
        match self.append(number, piece) {
            Ok(()) => {
                self.told = None;
                self.counts.packets.fetch_add(piece.packets, Ordering::Relaxed);
                self.counts.bytes.fetch_add(piece.bytes.len() as u64, Ordering::Relaxed);
            }
            Err(error) => {
                drop_it(&self.counts);
                // The file may end in a torn block: it is mended before it is gone on with.
                if let Some((_, begun)) = self.sizes.get_mut(&number) {
                    *begun = false;
                }
                if self.told.replace(error.kind()) != Some(error.kind()) {
                    let file = self.path(number);
                    tracing::error!(file = %file.display(), %error, "evidence cannot be written");
                }
            }
        }
    }

    fn append(&mut self, number: u64, piece: &Piece) -> io::Result<()> {
        let path = self.path(number);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(&path)?;
        let mut size = file.metadata()?.len();
        let begun = self.sizes.get(&number).is_some_and(|(_, begun)| *begun) && size > 0;
        if begun {
            file.write_all(&piece.bytes)?;
        } else {
            if size > 0 {
                size = whole_blocks(&mut io::BufReader::new(File::open(&path)?))?;
                file.set_len(size)?;
            }
            let mut bytes = self.heading(&piece.case);
            bytes.extend_from_slice(&piece.bytes);
            file.write_all(&bytes)?;
        }
        self.sizes.insert(number, (file.metadata()?.len().max(size), true));
        Ok(())
    }

    /// Section and interfaces, which say what the file is.
    fn heading(&self, case: &CaseFile) -> Vec<u8> {
        let what = match self.keep {
            Keep::Headers => "Headers only.",
            Keep::Full => "Whole packets: may hold patient data.",
        };
        let mut out = Vec::new();
        write_section(&mut out, &format!("Case {}: {} {what}", case.id, case.title));
        for (name, link) in &self.interfaces {
            write_interface(&mut out, name, *link);
        }
        out
    }

    /// Removes the files of the oldest other cases until so many bytes more fit.
    fn make_room(&mut self, number: u64, more: u64) {
        let mut total: u64 = self.sizes.values().map(|(size, _)| size).sum();
        while total + more > self.total_bytes {
            let Some((oldest, size)) = self
                .sizes
                .iter()
                .find(|(other, _)| **other != number)
                .map(|(other, (size, _))| (*other, *size))
            else {
                return;
            };
            if let Err(error) = fs::remove_file(self.path(oldest)) {
                tracing::warn!(case = oldest, %error, "evidence of an old case cannot be removed");
            }
            self.counts.removed.fetch_add(1, Ordering::Relaxed);
            self.sizes.remove(&oldest);
            total -= size;
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("C-{number:04}{ENDING}"))
    }
}

/// The number of the case of a file.
fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("C-")?.strip_suffix(ENDING)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use capture::{FileReader, write_packet};
    use model::case::CaseId;

    use super::super::heads::tests::{packet, udp};
    use super::*;

    fn files(folder: &Path, case_bytes: u64, total_bytes: u64) -> Files {
        let plan = Plan {
            folder: folder.join("evidence"),
            keep: Keep::Full,
            ring_bytes: 0,
            case_bytes,
            total_bytes,
            before: Duration::ZERO,
            after: Duration::ZERO,
        };
        let interfaces = vec![("span0".to_owned(), LinkType::ETHERNET)];
        Files::new(&plan, interfaces, Arc::default())
    }

    fn piece(case: u64, packets: u64) -> Piece {
        let mut bytes = Vec::new();
        let frame = udp(1, 2, &[5; 200]);
        (0..packets).for_each(|_| write_packet(&mut bytes, &packet(&frame), Some("F-1: why")));
        let case = CaseFile {
            id: CaseId(format!("C-{case:04}")),
            title: "Something happened.".to_owned(),
            full: AtomicBool::new(false),
        };
        Piece { case: Arc::new(case), packets, bytes }
    }

    fn count(folder: &Path, case: u64) -> usize {
        let path = folder.join(format!("evidence/C-{case:04}.pcapng"));
        let Ok(mut reader) = FileReader::open(&path) else { return 0 };
        let mut packets = 0;
        while let Some(block) = reader.next_block().unwrap() {
            packets += block.len();
        }
        packets
    }

    #[test]
    fn a_case_has_a_file_that_only_its_owner_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(folder.path(), 1 << 20, 1 << 20);
        files.take(&piece(7, 3));
        files.take(&piece(7, 4));
        assert_eq!(count(folder.path(), 7), 7);
        let mode = |name: &str| {
            fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode("evidence"), mode("evidence/C-0007.pcapng")), (0o700, 0o600));
        assert_eq!(files.counts.packets.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn a_file_torn_by_a_crash_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path(), 1 << 20, 1 << 20).take(&piece(7, 3));
        let path = folder.path().join("evidence/C-0007.pcapng");
        let mut torn = fs::read(&path).unwrap();
        torn.truncate(torn.len() - 33);
        fs::write(&path, torn).unwrap();
        files(folder.path(), 1 << 20, 1 << 20).take(&piece(7, 5));
        assert_eq!(count(folder.path(), 7), 2 + 5);
    }

    #[test]
    fn a_case_and_all_cases_keep_their_bounds_and_the_oldest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(folder.path(), 14_000, 18_000);
        files.take(&piece(1, 20));
        let full = piece(1, 20);
        files.take(&full);
        assert_eq!(count(folder.path(), 1), 20);
        assert!(full.case.full.load(Ordering::Relaxed));
        assert_eq!(files.counts.dropped.load(Ordering::Relaxed), 20);
        for case in [10_000, 3, 2] {
            files.take(&piece(case, 20));
        }
        let kept: Vec<u64> =
            [1, 2, 3, 10_000].into_iter().filter(|case| count(folder.path(), *case) > 0).collect();
        assert!(kept.contains(&2) && kept.contains(&10_000) && !kept.contains(&1), "{kept:?}");
        let bytes: u64 = fs::read_dir(folder.path().join("evidence"))
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!(bytes <= 18_000, "{bytes}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_evidence_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("evidence"), b"in the way").unwrap();
        let mut files = files(folder.path(), 1 << 20, 1 << 20);
        files.take(&piece(1, 9));
        assert_eq!(files.counts.dropped.load(Ordering::Relaxed), 9);
    }
}
