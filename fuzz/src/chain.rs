//! Capture files, and everything from a capture file to cases.
//!
//! Captures are read from a path, so that the bytes go into a file in memory first.

use std::path::PathBuf;
use std::sync::OnceLock;

use capture::Files;
use detect::{Engine, Settings};
use model::privacy::SiteKey;
use pipeline::analyze::{Plan, run};
use pipeline::outputs::Nowhere;

/// A file with these bytes, always the same one.
fn file(bytes: &[u8]) -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        folder.join(format!("wardwatch-fuzz-{}", std::process::id()))
    });
    std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.clone()
}

/// Reads a capture file to its end, past errors.
pub(crate) fn capture(bytes: &[u8]) {
    let mut files = Files::new([file(bytes)]);
    let mut number = 0;
    loop {
        match files.next_block() {
            Ok(Some(block)) => {
                assert_eq!(block.first_packet(), number, "packets are numbered without holes");
                assert_eq!(block.packets().count(), block.len());
                for packet in block.packets() {
                    assert!(packet.data.len() as u64 <= u64::from(packet.wire_len));
                }
                number += block.len() as u64;
            }
            Ok(None) => break,
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// From a capture to findings and cases.
pub(crate) fn pipeline(bytes: &[u8]) {
    let mut engine = Engine::new(Settings::default(), assets::Settings::default());
    let plan = Plan {
        baselines: Vec::new(),
        captures: vec![file(bytes)],
        logs: Vec::new(),
        threads: 1,
        wire: wire::Config::default(),
        key: SiteKey::new(b"fuzz"),
        speed: None,
    };
    let ended = run(&plan, &mut engine, &mut Nowhere, &mut |_| {});
    assert!(ended.is_ok(), "a run without log files and outputs has nothing to fail on");
}
