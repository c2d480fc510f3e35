//! Log formats: one record, and files of records.

use std::io::Cursor;
use std::path::Path;

use logs::LogFormat;
use logs::reader::{LogFile, Step};
use model::emit::{Emit, Probe};
use model::privacy::SiteKey;
use model::time::Timestamp;

/// A time at which records came, for those without a year.
fn came() -> Timestamp {
    Timestamp::from_parts(1_800_000_000, 0)
}

/// One record.
pub(crate) fn run(format: &'static dyn LogFormat, record: &[u8]) {
    let (mut out, key, mut serial) = (Vec::new(), SiteKey::new(b"fuzz"), 0);
    let sniffed = format.sniff(record);
    let mut emit = Emit::new(&mut out, &key, None, came(), &mut serial);
    let decoded = format.decode(record, &mut emit);
    if decoded.is_err() {
        assert!(out.is_empty(), "a record that is refused gave observations");
    } else {
        assert!(sniffed != Probe::No, "a record was read in spite of a final no");
    }
}

/// A file, as it comes from the disk: perhaps compressed, records cut by lines or by brackets.
pub(crate) fn records(file: &[u8]) {
    let input = Box::new(Cursor::new(file.to_vec()));
    let Ok(log) = LogFile::over(Path::new("fuzz"), input) else { return };
    let (mut log, key) = (log.came_at(came()), SiteKey::new(b"fuzz"));
    let mut out = Vec::new();
    while let Ok(Step::Decoded | Step::Failed(_)) = log.step(&key, &mut out) {
        out.clear();
    }
}
