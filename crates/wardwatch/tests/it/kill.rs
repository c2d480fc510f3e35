//! Killed at any moment: what was stored is there and whole, and a second run completes it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use store::{Counts, MAX_LIMIT, Options, Query, SqliteStore, Store, StoreError};

use crate::rig::{Desk, capture, learn_until};

fn open(file: &Path) -> SqliteStore {
    SqliteStore::open(file, Options { max_bytes: 1 << 30 }).unwrap()
}

/// All items of a list, as JSON, in order of their text.
fn all<T: serde::Serialize>(
    list: impl Fn(&Query) -> Result<store::Page<T>, StoreError>,
) -> Vec<Value> {
    let mut items = Vec::new();
    let mut query = Query { limit: Some(MAX_LIMIT), ..Query::default() };
    loop {
        let page = list(&query).unwrap();
        items.extend(page.items.iter().map(|item| serde_json::to_value(item).unwrap()));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    items.sort_by_cached_key(Value::to_string);
    items
}

fn rows(store: &SqliteStore) -> [(&'static str, Vec<Value>); 5] {
    [
        ("observations", all(|query| store.observations(query))),
        ("flows", all(|query| store.flows(query))),
        ("findings", all(|query| store.findings(query))),
        ("cases", all(|query| store.cases(query))),
        ("devices", all(|query| store.devices(query))),
    ]
}

/// Whatever a finding stands on, and whatever a case consists of, was stored before it.
fn is_consistent(store: &SqliteStore) -> Counts {
    let [_, _, (_, findings), (_, cases), _] = rows(store);
    for finding in &findings {
        for id in finding["evidence"].as_array().into_iter().flatten() {
            let found = store.observation(id.as_str().unwrap()).unwrap();
            assert!(found.is_some(), "{} stands on {id}, which is lost", finding["id"]);
        }
    }
    for case in &cases {
        for id in case["findings"].as_array().unwrap() {
            let stored = findings.iter().any(|finding| finding["id"] == *id);
            assert!(stored, "{} has {id}, which is lost", case["id"]);
        }
    }
    store.counts().unwrap()
}

#[test]
fn a_store_survives_kill_9_and_a_second_run_makes_it_whole() {
    let desk = Desk::new();
    let words = format!("analyze --quiet --learn-until {}", learn_until());
    let begun = Instant::now();
    desk.run_on(&format!("{words} --store whole.db"), &[&capture()]).ended(0);
    let whole_time = begun.elapsed();
    let whole = open(&desk.path("whole.db"));
    let expected = rows(&whole);
    assert!(expected.iter().all(|(_, rows)| !rows.is_empty()));

    let mut partial = 0;
    let mut before = Counts::default();
    for share in [0.15, 0.9, 0.5, 0.75, 0.97, 0.3] {
        let mut command = desk.command(&format!("{words} --store killed.db"));
        let mut child = command.arg(capture()).spawn().unwrap();
        std::thread::sleep(whole_time.mul_f64(share).max(Duration::from_millis(5)));
        let ended_by_itself = child.try_wait().unwrap().is_some();
        // SIGKILL: nothing of the program runs after it.
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(&desk.path("killed.db"));
        let counts = is_consistent(&store);
        partial += usize::from(!ended_by_itself && counts.observations > 0);
        assert!(counts.observations >= before.observations, "observations were lost");
        assert!(counts.flows >= before.flows, "flows were lost");
        assert!(counts.findings >= before.findings, "findings were lost");
        assert!(counts.cases >= before.cases, "cases were lost");
        before = counts;
    }
    assert!(partial > 0, "no run was killed while it stored: the test tests nothing");

    desk.run_on(&format!("{words} --store killed.db"), &[&capture()]).ended(0);
    let store = open(&desk.path("killed.db"));
    is_consistent(&store);
    for ((name, expected), (_, rows)) in expected.iter().zip(rows(&store)) {
        for (expected, row) in expected.iter().zip(&rows) {
            assert_eq!(expected, row, "{name}");
        }
        assert_eq!(expected.len(), rows.len(), "{name}");
    }
}
