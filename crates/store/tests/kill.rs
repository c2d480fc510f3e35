//! A process that is killed while it stores loses nothing that was acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use model::observation::ObservationId;
use model::time::Timestamp;
use store::{ObservationRow, Options, SqliteStore, Store};

/// Set for the process that is to be killed: where it stores.
const STORE: &str = "WARDWATCH_TEST_STORE";

const BATCH: u64 = 50;

fn rows(batch: u64) -> Vec<ObservationRow> {
    let row = |number| ObservationRow {
        id: ObservationId(number),
        at: Timestamp::from_parts(1_795_000_000, 0),
        kind: "flow.end",
        device: None,
        json: format!("{{\"number\":{number},\"pad\":\"{}\"}}", "x".repeat(200)),
    };
    (batch * BATCH..(batch + 1) * BATCH).map(row).collect()
}

/// Runs only as the other process.
#[test]
fn child_stores_until_it_is_killed() {
    let Ok(path) = std::env::var(STORE) else { return };
    let store = SqliteStore::open(Path::new(&path), Options::default()).unwrap();
    for batch in 0.. {
        store.append(&rows(batch)).unwrap();
        writeln!(std::io::stdout().lock(), "\nstored {batch}").unwrap();
    }
}

#[test]
fn a_kill_loses_nothing_acknowledged() {
    for round in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_stores_until_it_is_killed", "--nocapture"])
            .env(STORE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = 0;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            if let Some(batch) = line.strip_prefix("stored ") {
                acknowledged = batch.parse::<u64>().unwrap() + 1;
            }
            if acknowledged == 20 + 7 * round {
                // SIGKILL on Unix, in the middle of the next batch.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged > 0);
        let store = SqliteStore::open(&path, Options::default()).unwrap();
        store.check().unwrap();
        for number in 0..acknowledged * BATCH {
            let id = ObservationId(number).to_string();
            assert!(
                store.observation(&id).unwrap().is_some(),
                "lost {number} of {acknowledged} batches"
            );
        }
        assert_eq!(store.counts().unwrap().observations % BATCH, 0, "half a batch is there");
    }
}
