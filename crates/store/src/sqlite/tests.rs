use super::*;
use model::case::CaseId;
use model::finding::Severity;
use model::observation::ObservationId;

use crate::word::CaseStatus;

fn rows(numbers: std::ops::Range<u64>) -> Vec<ObservationRow> {
    let row = |number: u64| ObservationRow {
        id: ObservationId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        at: Timestamp::from_parts(1_795_000_000 + number.cast_signed(), 0),
        kind: "flow.end",
        device: Some(DeviceId(format!("D-{}", number % 50))),
        json: format!(
            "{{\"number\":{number},\"pad\":\"{}\"}}",
            "x".repeat((number % 700) as usize)
        ),
    };
    numbers.map(row).collect()
}

fn flows(numbers: std::ops::Range<u64>) -> Vec<FlowRow> {
    let row = |number: u64| FlowRow {
        id: format!("f{number:016x}"),
        at: Timestamp::from_parts(1_795_000_000, 0),
        protocol: "tcp".to_owned(),
        device: None,
        peer: None,
        json: format!("{{\"pad\":\"{}\"}}", "y".repeat(400)),
    };
    numbers.map(row).collect()
}

fn on_disk(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn message(error: Result<SqliteStore, StoreError>) -> String {
    error.unwrap_err().to_string()
}

const SMALL: Options = Options { max_bytes: 4 << 20 };

#[test]
fn the_disk_never_holds_more_than_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db"), SMALL).unwrap();
    for batch in 0..25 {
        store.append(&rows(batch * 1_000..(batch + 1) * 1_000)).unwrap();
        let bytes = on_disk(folder.path());
        assert!(bytes <= SMALL.max_bytes, "{bytes} bytes after batch {batch}");
        assert_eq!(store.counts().unwrap().bytes, bytes);
    }
    let counts = store.counts().unwrap();
    assert_eq!(counts.observations + counts.dropped.observations, 25_000);
    assert!(counts.observations > 2_000, "the room is used: {counts:?}");
    // The latest are there, the earliest are not.
    let latest = store.observations(&Query::default()).unwrap();
    assert_eq!(latest.items[0]["number"], 24_999);
    assert!(store.observation(&rows(0..1)[0].id.to_string()).unwrap().is_none());
    store.check().unwrap();
}

#[test]
fn a_reader_does_not_make_the_log_grow_past_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db"), SMALL).unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            for _ in 0..200 {
                store.observations(&Query { limit: Some(1_000), ..Query::default() }).unwrap();
            }
        });
        for batch in 0..20 {
            store.append(&rows(batch * 1_000..(batch + 1) * 1_000)).unwrap();
            assert!(on_disk(folder.path()) <= SMALL.max_bytes);
        }
        reading.join().unwrap();
    });
}

#[test]
fn observations_go_before_flows_and_those_before_findings_of_closed_cases() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db"), SMALL).unwrap();
    let finding = |number: u64, case: &str| Finding {
        id: FindingId(format!("F{number:016x}")),
        case: Some(CaseId(case.to_owned())),
        severity: Severity::High,
        title: "z".repeat(600),
        ..Finding::default()
    };
    let case = |id: &str| Case { id: CaseId(id.to_owned()), ..Case::default() };
    store.put_cases(&[case("C-open"), case("C-closed")]).unwrap();
    let closed = StatusChange {
        status: CaseStatus::Closed,
        who: "ann".to_owned(),
        at: Timestamp::default(),
        note: String::new(),
    };
    store.set_case_status(&CaseId("C-closed".to_owned()), &closed).unwrap();
    let old: Vec<_> = (0..400).map(|n| finding(n, "C-closed")).collect();
    store.put_findings(&old).unwrap();
    store.append(&rows(0..1_500)).unwrap();
    store.put_flows(&flows(0..1_000)).unwrap();
    assert_eq!(store.counts().unwrap().dropped, Dropped::default());

    store.put_flows(&flows(1_000..4_200)).unwrap();
    let counts = store.counts().unwrap();
    assert!(counts.dropped.observations > 0 && counts.dropped.flows == 0, "{counts:?}");

    let new: Vec<_> = (1_000..3_000).map(|n| finding(n, "C-open")).collect();
    store.put_findings(&new).unwrap();
    let counts = store.counts().unwrap();
    assert!(counts.observations == 0 && counts.dropped.flows > 0, "{counts:?}");

    // What may not be dropped fills the bound: that is said, and nothing is lost.
    let more: Vec<_> = (3_000..9_000).map(|n| finding(n, "C-open")).collect();
    let error = store.put_findings(&more).unwrap_err();
    assert!(matches!(error, StoreError::Bound { .. }), "{error}");
    let counts = store.counts().unwrap();
    assert_eq!((counts.flows, counts.cases, counts.dropped.findings), (0, 2, 400));
    assert!(on_disk(folder.path()) <= SMALL.max_bytes);
    assert!(store.finding(&new[0].id).unwrap().is_some());
    store.check().unwrap();
}

#[test]
fn a_lower_bound_shrinks_the_file_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path, Options { max_bytes: 64 << 20 }).unwrap();
    store.append(&rows(0..40_000)).unwrap();
    drop(store);
    assert!(on_disk(folder.path()) > SMALL.max_bytes);
    let store = SqliteStore::open(&path, SMALL).unwrap();
    assert!(on_disk(folder.path()) <= SMALL.max_bytes);
    assert_eq!(store.observations(&Query::default()).unwrap().items[0]["number"], 39_999);
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::open(&path, SMALL).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let error = message(SqliteStore::open(&path, SMALL));
    assert!(error.contains("store.db") && error.contains("schema 99"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let error = message(SqliteStore::open(&path, SMALL));
    assert!(error.contains("another program"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn damage_is_said_with_the_file_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, "this is no database, whatever its name says. ".repeat(200)).unwrap();
    let error = message(SqliteStore::open(&path, SMALL));
    assert!(error.contains("store.db") && error.contains("Move the file"), "{error}");

    std::fs::remove_file(&path).unwrap();
    let store = SqliteStore::open(&path, SMALL).unwrap();
    store.append(&rows(0..3_000)).unwrap();
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in &mut bytes[40_960..400_000] {
        *byte = 0xa5;
    }
    std::fs::write(&path, bytes).unwrap();
    let broken = SqliteStore::open(&path, SMALL).and_then(|store| {
        store.observations(&Query {
            limit: Some(1_000),
            text: Some("zzz".to_owned()),
            ..Query::default()
        })?;
        store.check()
    });
    assert!(matches!(broken, Err(StoreError::Corrupt { .. })), "{broken:?}");
}

#[test]
fn places_that_cannot_hold_a_store_are_named() {
    let error = message(SqliteStore::open(Path::new("/no/such/folder/store.db"), SMALL));
    assert!(
        error.contains("/no/such/folder/store.db") && error.contains("folder exists"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("store.db");
    let error = message(SqliteStore::open_read_only(&missing, SMALL));
    assert!(error.contains("cannot be opened"), "{error}");
}

#[test]
fn a_store_opened_for_reading_reads_beside_the_writer_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let writer = SqliteStore::open(&path, SMALL).unwrap();
    let reader = SqliteStore::open_read_only(&path, SMALL).unwrap();
    writer.append(&rows(0..10)).unwrap();
    assert_eq!(reader.counts().unwrap().observations, 10);
    let error = reader.append(&rows(10..11)).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    for round in 0..3 {
        let store = SqliteStore::open(&path, SMALL).unwrap();
        assert_eq!(store.counts().unwrap().observations, round * 100);
        store.append(&rows(round * 100..(round + 1) * 100)).unwrap();
    }
}
