//! Log files beside captures: their records as observations, in time order.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use logs::LogFormat;
use logs::reader::LogFile;
use model::emit::Emit;
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;

/// Records are sorted within a window of so many, since log files are nearly in order.
const WINDOW: usize = 4_096;

/// The observations of several log files, merged by time.
pub struct Records {
    files: Vec<Source>,
    key: SiteKey,
    /// Records read.
    pub records: u64,
    /// Records that could not be read.
    pub errors: u64,
    /// The first few of them, each with file, line and what was expected.
    pub complaints: Vec<String>,
}

struct Source {
    path: PathBuf,
    file: LogFile,
    format: &'static dyn LogFormat,
    serial: u64,
    waiting: VecDeque<Observation>,
    done: bool,
}

/// Most complaints that are kept in words.
const COMPLAINTS: usize = 10;

impl Records {
    /// No files.
    pub fn none(key: SiteKey) -> Self {
        Self { files: Vec::new(), key, records: 0, errors: 0, complaints: Vec::new() }
    }

    /// Opens log files; each tells its format by its first records.
    ///
    /// # Errors
    /// When a file cannot be opened, or is in no known format.
    pub fn open(paths: &[PathBuf], key: SiteKey) -> Result<Self, logs::LogError> {
        let mut records = Self::none(key);
        for path in paths {
            let (file, format) = LogFile::open(path)?;
            records.files.push(Source {
                path: path.clone(),
                file,
                format,
                serial: serial_of(path, records.files.len()),
                waiting: VecDeque::new(),
                done: false,
            });
        }
        Ok(records)
    }

    /// The next observation that is not later than `until`.
    pub fn next_until(&mut self, until: Timestamp) -> Option<Observation> {
        let mut earliest: Option<(Timestamp, usize)> = None;
        for index in 0..self.files.len() {
            self.fill(index);
            if let Some(first) = self.files[index].waiting.front()
                && earliest.is_none_or(|(at, _)| first.at < at)
            {
                earliest = Some((first.at, index));
            }
        }
        let (at, index) = earliest?;
        if at > until {
            return None;
        }
        self.files[index].waiting.pop_front()
    }

    fn fill(&mut self, index: usize) {
        let source = &mut self.files[index];
        if source.done || source.waiting.len() >= WINDOW / 2 {
            return;
        }
        let mut fresh = Vec::new();
        while fresh.len() < WINDOW / 2 {
            match source.file.next_record() {
                None => {
                    source.done = true;
                    break;
                }
                Some(Err(error)) => {
                    self.errors += 1;
                    complain(&mut self.complaints, &error.to_string());
                }
                Some(Ok(record)) => {
                    self.records += 1;
                    let mut emit = Emit::new(
                        &mut fresh,
                        &self.key,
                        None,
                        Timestamp::MIN,
                        &mut source.serial,
                    );
                    if let Err(error) = source.format.decode(record.bytes, &mut emit) {
                        self.errors += 1;
                        let place = format!("{}:{}: {error}", source.path.display(), record.line);
                        complain(&mut self.complaints, &place);
                    }
                }
            }
        }
        // A record without a time of its own cannot be put anywhere.
        fresh.retain(|o| o.at != Timestamp::MIN);
        source.waiting.extend(fresh);
        source.waiting.make_contiguous().sort_by_key(|o| o.at);
    }
}

fn complain(complaints: &mut Vec<String>, text: &str) {
    if complaints.len() < COMPLAINTS {
        complaints.push(text.to_owned());
    }
}

/// Where the numbering of a file's observations begins: apart from other files', the same in every
/// run (FNV-1a of its name and place).
fn serial_of(path: &Path, place: usize) -> u64 {
    let name = path.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
    name.iter().chain(&[place as u8]).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
