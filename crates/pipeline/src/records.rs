//! Log files beside captures: their records as observations, in time order.

use std::collections::VecDeque;
use std::path::PathBuf;

use logs::reader::{LogFile, ReadError, Step};
use model::observation::Observation;
use model::privacy::SiteKey;
use model::time::Timestamp;

/// Observations are sorted within a window of so many, since log files are nearly in order.
const WINDOW: usize = 4_096;

/// Most complaints that are kept in words.
const COMPLAINTS: usize = 10;

/// Later than any packet.
const END: Timestamp = Timestamp::from_nanos(i64::MAX);

/// The observations of several log files, merged by time.
pub struct Records {
    files: Vec<Source>,
    key: SiteKey,
    complaints: Vec<String>,
    failed: Option<ReadError>,
    /// Whether the files were told when their first records came.
    dated: bool,
}

struct Source {
    file: LogFile,
    waiting: VecDeque<Observation>,
    done: bool,
}

impl Records {
    /// Opens log files; each tells its format by its records. Those without a time or a year of
    /// their own are taken to have come with the first packet.
    ///
    /// # Errors
    /// When a file cannot be opened.
    pub fn open(paths: &[PathBuf], key: SiteKey) -> Result<Self, ReadError> {
        let mut files = Vec::new();
        for path in paths {
            let file = LogFile::open(path)?;
            files.push(Source { file, waiting: VecDeque::new(), done: false });
        }
        Ok(Self { files, key, complaints: Vec::new(), failed: None, dated: false })
    }

    /// The next observation that is not later than `until`: the time of the packets' next one.
    pub fn next_until(&mut self, until: Timestamp) -> Option<Observation> {
        if !self.dated && until < END {
            self.files.iter_mut().for_each(|source| source.file.set_came_at(until));
        }
        self.dated = true;
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

    /// The next observation, whenever it was: there are no more packets.
    pub fn take(&mut self) -> Option<Observation> {
        self.next_until(END)
    }

    /// Records read, and records that could not be.
    pub fn counts(&self) -> (u64, u64) {
        self.files.iter().map(|source| source.file.reading()).fold((0, 0), |(read, bad), one| {
            (read + one.decoded + one.failed, bad + one.failed + one.too_long)
        })
    }

    /// The first few records that could not be read, each with file, line and what was expected.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// The file that could not be read to its end, if any.
    pub fn failure(&mut self) -> Option<ReadError> {
        self.failed.take()
    }

    fn fill(&mut self, index: usize) {
        let source = &mut self.files[index];
        if source.done || source.waiting.len() >= WINDOW / 2 {
            return;
        }
        let mut fresh = Vec::new();
        while fresh.len() < WINDOW / 2 {
            match source.file.step(&self.key, &mut fresh) {
                Ok(Step::Decoded) => {}
                Ok(Step::Failed(error)) => {
                    if self.complaints.len() < COMPLAINTS {
                        self.complaints.push(error.to_string());
                    }
                }
                Ok(Step::End) => {
                    source.done = true;
                    break;
                }
                Err(error) => {
                    source.done = true;
                    self.failed.get_or_insert(error);
                    break;
                }
            }
        }
        source.waiting.extend(fresh);
        source.waiting.make_contiguous().sort_by_key(|o| o.at);
    }
}
