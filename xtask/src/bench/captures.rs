//! The captures that are measured with, made from those of folders.
//!
//! `zoo` is all small captures, each once and the whole some times over: every protocol, much of it
//! malformed, flows short. `bulk` is those with large transfers. Which is which is decided by rule
//! and not by name, so that the same command makes the same captures of other folders. A laid
//! capture is used again as long as its inputs and these rules stay the same.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use super::Size;
use super::pcap::{Capture, Chain};
use super::repeat;
use crate::run::command;

/// Changes when the rules do, so that nothing laid by older ones is used.
const RULES: u32 = 2;

/// A capture of more bytes is none of the zoo's.
const ZOO_MOST: u64 = 16_000_000;

/// Bulk begins with so many bytes, and so many a packet.
const BULK_BYTES: u64 = 50_000;
const BULK_MEAN: u64 = 500;

/// Where no capture is bulk, so many with the longest packets are.
const BULK_FEWEST: usize = 5;

/// What a laid capture is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All small captures.
    Zoo,
    /// Those with large transfers.
    Bulk,
    /// All that were named.
    Given,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Zoo => "zoo",
            Self::Bulk => "bulk",
            Self::Given => "given",
        }
    }
}

/// All captures below a folder, by path.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut out, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else if is_capture(&path.to_string_lossy()) {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

fn is_capture(name: &str) -> bool {
    let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(name);
    [".pcap", ".pcapng", ".cap"].iter().any(|ending| name.ends_with(ending))
}

/// Lays captures end to end until there are so many packets, or takes what was laid before.
pub(super) fn lay(
    kind: Kind,
    files: &[PathBuf],
    packets: u64,
    folder: &Path,
) -> Result<(PathBuf, Size), String> {
    let long = folder.join(format!("{}.pcap", kind.name()));
    let note = folder.join(format!("{}.txt", kind.name()));
    let inputs = fingerprint(files, packets);
    let noted = std::fs::read_to_string(&note).unwrap_or_default();
    if let Some(size) = noted.strip_prefix(&format!("{inputs}\n")).and_then(read_size)
        && long.is_file()
    {
        println!("{}: used again: {}", long.display(), size.text());
        return Ok((long, size));
    }
    let (chain, captures) = chain(kind, files)?;
    let size = repeat::write(&chain, packets, &long)
        .map_err(|error| format!("{}: {error}", long.display()))?;
    let size = Size { captures, ..size };
    println!("{}: {}", long.display(), size.text());
    let text = format!("{inputs}\n{} {} {}", size.packets, size.bytes, size.captures);
    std::fs::write(&note, text).map_err(|error| format!("{}: {error}", note.display()))?;
    Ok((long, size))
}

fn read_size(text: &str) -> Option<Size> {
    let mut words = text.split_whitespace().map(|word| word.parse::<u64>().ok());
    let (packets, bytes, captures) = (words.next()??, words.next()??, words.next()??);
    Some(Size { packets, bytes, captures })
}

fn fingerprint(files: &[PathBuf], packets: u64) -> String {
    let mut hasher = DefaultHasher::new();
    (RULES, packets, BULK_BYTES, BULK_MEAN).hash(&mut hasher);
    for file in files {
        let about = std::fs::metadata(file);
        let changed = about.as_ref().ok().and_then(|about| about.modified().ok());
        (file, about.map_or(0, |about| about.len()), changed).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Puts the captures of a kind behind each other, and says how many they are and what was left out.
fn chain(kind: Kind, files: &[PathBuf]) -> Result<(Chain, u64), String> {
    let (mut read, mut unreadable, mut left_out) = (Vec::new(), Vec::new(), (0, 0));
    for file in files {
        match unpacked(file).and_then(|bytes| Capture::read(&bytes).map_err(str::to_owned)) {
            Ok(capture) => {
                left_out.0 += capture.left_out;
                left_out.1 += u64::from(capture.packets.is_empty());
                read.push(capture);
            }
            Err(why) => unreadable.push(format!("{}: {why}", file.display())),
        }
    }
    if left_out.1 > 0 || left_out.0 > 0 {
        println!(
            "{}: {} packets of other link types than Ethernet, IP, BSD loopback and Linux cooked are \
             left out; {} captures have no others",
            kind.name(),
            left_out.0,
            left_out.1
        );
    }
    if kind == Kind::Given && !unreadable.is_empty() {
        return Err(unreadable.join("; "));
    }
    if !unreadable.is_empty() {
        println!("{}: {} files cannot be read", kind.name(), unreadable.len());
    }
    let mut chain = Chain::default();
    let mut count = 0;
    for capture in chosen(kind, read) {
        count += 1;
        chain.add(capture);
    }
    Ok((chain, count))
}

/// The captures of a kind.
fn chosen(kind: Kind, all: Vec<Capture>) -> Vec<Capture> {
    let mut all: Vec<Capture> = all.into_iter().filter(|c| !c.packets.is_empty()).collect();
    let mean = |capture: &Capture| capture.bytes() / capture.packets.len() as u64;
    let is_bulk = |capture: &Capture| capture.bytes() >= BULK_BYTES && mean(capture) >= BULK_MEAN;
    match kind {
        Kind::Given => all,
        Kind::Zoo => {
            all.retain(|capture| capture.bytes() <= ZOO_MOST);
            all
        }
        Kind::Bulk if all.iter().any(is_bulk) => {
            all.retain(is_bulk);
            all
        }
        Kind::Bulk => {
            // Sorting keeps the order of those with equal means.
            all.sort_by_key(|capture| std::cmp::Reverse(mean(capture)));
            all.truncate(BULK_FEWEST);
            all
        }
    }
}

/// A file's bytes; gzip and zstd by their own programs.
pub(super) fn unpacked(file: &Path) -> Result<Vec<u8>, String> {
    let shown = file.display().to_string();
    let program = match file.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        _ => return std::fs::read(file).map_err(|error| format!("{shown}: {error}")),
    };
    let done = command(program, &["-dc", shown.as_str()])
        .current_dir(std::env::current_dir().unwrap_or_default())
        .output()
        .map_err(|error| format!("{program}: {error}: install it"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    if done.status.success() { Ok(done.stdout) } else { Err(format!("{shown}: {said}")) }
}

#[cfg(test)]
mod tests {
    use super::super::pcap::Packet;
    use super::*;

    fn capture(packets: usize, length: usize) -> Capture {
        let packet = || Packet { at: 0, wire_len: length as u32, data: vec![0; length] };
        Capture { packets: (0..packets).map(|_| packet()).collect(), left_out: 0 }
    }

    fn sizes(kind: Kind, all: Vec<Capture>) -> Vec<u64> {
        chosen(kind, all).iter().map(Capture::bytes).collect()
    }

    #[test]
    fn large_transfers_are_told_by_size_and_packet_length() {
        let all = || vec![capture(1_000, 60), capture(100, 1_000), capture(4, 1_500)];
        assert_eq!(sizes(Kind::Bulk, all()), [100_000]);
        assert_eq!(sizes(Kind::Zoo, all()), [60_000, 100_000, 6_000]);
        assert_eq!(sizes(Kind::Zoo, vec![capture(0, 0), capture(1, 20_000_000)]), []);
    }

    #[test]
    fn where_nothing_is_bulk_the_longest_packets_are_taken() {
        let all: Vec<Capture> = (1..=9).map(|n| capture(2, n * 10)).collect();
        assert_eq!(sizes(Kind::Bulk, all), [180, 160, 140, 120, 100]);
    }

    #[test]
    fn a_laid_capture_is_used_again_until_its_inputs_change() {
        let folder = std::env::temp_dir().join(format!("xtask-lay-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let input = folder.join("input.cap");
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
        file.extend([1, 0, 0, 0]);
        let record = [0, 0, 14_u32, 14].map(u32::to_le_bytes).concat();
        file.extend([&record[..], &[2; 14]].concat());
        std::fs::write(&input, &file).unwrap();
        let files = below(&folder).unwrap();
        assert_eq!(files, [input.as_path()]);
        let (long, first) = lay(Kind::Zoo, &files, 3, &folder).unwrap();
        assert_eq!((first.packets, first.bytes, first.captures), (3, 42, 1));
        std::fs::write(&long, "kept").unwrap();
        assert_eq!(lay(Kind::Zoo, &files, 3, &folder).unwrap().1, first);
        assert_eq!(std::fs::read(&long).unwrap(), b"kept");
        file.extend([&record[..], &[2; 14]].concat());
        std::fs::write(&input, &file).unwrap();
        assert_eq!(lay(Kind::Zoo, &files, 3, &folder).unwrap().1.packets, 4);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
