//! What every store has to keep. An implementation runs it with `contract!(open)`, where `open`
//! gives a new, empty store and whatever has to live as long as it.

use std::sync::Arc;
use std::time::Duration;

use model::case::{Case, CaseId};
use model::device::{Device, DeviceClass, DeviceId};
use model::finding::{Finding, FindingId, FindingKind, Severity};
use model::observation::ObservationId;
use model::time::Timestamp;
use store::{
    About, CaseStatus, Feedback, FlowRow, ObservationRow, Query, StatusChange, Store, StoreError,
    Verdict,
};

/// Runs every promise against a store.
#[macro_export]
macro_rules! contract {
    ($open:expr; $($name:ident),* $(,)?) => {
        $(#[test] fn $name() { let (store, _alive) = $open(); contract::$name(store); })*
    };
    ($open:expr) => {
        $crate::contract!($open;
            an_observation_stored_twice_is_there_once,
            what_is_stored_comes_back_as_it_was,
            storing_again_replaces_and_does_not_add,
            a_case_keeps_its_status_when_the_machine_tells_it_again,
            a_word_about_nothing_is_refused,
            words_come_back_in_order,
            pages_show_every_row_once_while_rows_are_added,
            rows_of_one_time_are_not_lost_between_pages,
            a_cursor_of_another_list_is_refused,
            every_filter_narrows_as_it_says,
            a_filter_that_a_list_lacks_is_refused,
            letters_are_searched_as_letters,
            state_is_replaced_whole,
            old_rows_expire_and_are_counted,
            many_threads_write_and_read,
            hostile_ids_and_filters_find_nothing_and_break_nothing,
        );
    };
}

type AnyStore = Arc<dyn Store>;

/// A time so many seconds into the test.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_parts(1_795_000_000 + second, 0)
}

pub(crate) fn observation(number: u64, second: i64) -> ObservationRow {
    ObservationRow {
        id: ObservationId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        at: at(second),
        kind: if number.is_multiple_of(2) { "dns.query" } else { "flow.end" },
        device: number.is_multiple_of(3).then(|| DeviceId(format!("D-{}", number % 9))),
        json: format!(r#"{{"id":"{}","number":{number}}}"#, ObservationId(number)),
    }
}

fn finding(number: u32, severity: Severity) -> Finding {
    let mut finding = Finding {
        id: FindingId(format!("F{number:016x}")),
        at: at(i64::from(number)),
        kind: FindingKind::Anomaly,
        severity,
        title: format!("Finding {number} about 50% of Zoë's pump_7"),
        p_value: Some(0.001),
        case: Some(CaseId("C-1".to_owned())),
        ..Finding::default()
    };
    finding.device.id = DeviceId("D-1".to_owned());
    finding
}

fn case(id: &str, second: i64, severity: Severity) -> Case {
    Case {
        id: CaseId(id.to_owned()),
        opened: at(second),
        updated: at(second),
        severity,
        devices: vec![DeviceId("D-1".to_owned()), DeviceId(format!("D-{second}"))],
        title: format!("case {id}"),
        ..Case::default()
    }
}

fn device(id: &str, class: DeviceClass, second: i64) -> Device {
    Device {
        id: DeviceId(id.to_owned()),
        ip: vec!["10.0.0.1".parse().unwrap()],
        class,
        last_seen: at(second),
        confidence: 0.75,
        ..Device::default()
    }
}

fn flow(id: &str, protocol: &str, second: i64) -> FlowRow {
    FlowRow {
        id: id.to_owned(),
        at: at(second),
        protocol: protocol.to_owned(),
        device: Some(DeviceId("D-1".to_owned())),
        peer: Some(DeviceId("D-2".to_owned())),
        json: format!(r#"{{"id":"{id}","protocol":"{protocol}"}}"#),
    }
}

fn change(status: CaseStatus, who: &str) -> StatusChange {
    StatusChange { status, who: who.to_owned(), at: at(1), note: "seen".to_owned() }
}

pub(crate) fn an_observation_stored_twice_is_there_once(store: AnyStore) {
    let rows: Vec<_> = (0..50).map(|n| observation(n, 0)).collect();
    let first = store.append(&rows).unwrap();
    let second = store.append(&rows[20..]).unwrap();
    assert_eq!((first.new, first.known), (50, 0));
    assert_eq!((second.new, second.known), (0, 30));
    assert_eq!(store.counts().unwrap().observations, 50);
}

pub(crate) fn what_is_stored_comes_back_as_it_was(store: AnyStore) {
    let row = observation(7, 1);
    store.append(std::slice::from_ref(&row)).unwrap();
    let found = store.observation(&row.id.to_string()).unwrap().unwrap();
    assert_eq!(found.to_string(), row.json);
    let (finding, case) = (finding(3, Severity::High), case("C-1", 5, Severity::Low));
    let device = device("D-1", DeviceClass::InfusionPump, 9);
    store.put_findings(std::slice::from_ref(&finding)).unwrap();
    store.put_cases(std::slice::from_ref(&case)).unwrap();
    store.put_devices(std::slice::from_ref(&device)).unwrap();
    store.put_flows(&[flow("f1", "dns", 1)]).unwrap();
    assert_eq!(store.finding(&finding.id).unwrap().unwrap(), finding);
    assert_eq!(store.case(&case.id).unwrap().unwrap().case, case);
    assert_eq!(store.device(&device.id).unwrap().unwrap(), device);
    assert_eq!(store.flows(&Query::default()).unwrap().items[0]["id"], "f1");
    assert!(store.finding(&FindingId("F0".to_owned())).unwrap().is_none());
}

pub(crate) fn storing_again_replaces_and_does_not_add(store: AnyStore) {
    for (severity, class, protocol) in
        [(Severity::Low, DeviceClass::Unknown, "tcp"), (Severity::High, DeviceClass::Ct, "dicom")]
    {
        store.put_findings(&[finding(1, severity)]).unwrap();
        store.put_cases(&[case("C-1", 1, severity)]).unwrap();
        store.put_devices(&[device("D-1", class, 1)]).unwrap();
        store.put_flows(&[flow("f1", protocol, 1)]).unwrap();
    }
    let counts = store.counts().unwrap();
    assert_eq!((counts.findings, counts.cases, counts.devices, counts.flows), (1, 1, 1, 1));
    assert_eq!(store.findings(&Query::default()).unwrap().items[0].severity, Severity::High);
    assert_eq!(store.cases(&Query::default()).unwrap().items[0].case.severity, Severity::High);
    assert_eq!(store.devices(&Query::default()).unwrap().items[0].class, DeviceClass::Ct);
    assert_eq!(store.flows(&Query::default()).unwrap().items[0]["protocol"], "dicom");
}

pub(crate) fn a_case_keeps_its_status_when_the_machine_tells_it_again(store: AnyStore) {
    let case = case("C-1", 1, Severity::High);
    store.put_cases(std::slice::from_ref(&case)).unwrap();
    assert_eq!(store.case(&case.id).unwrap().unwrap().status, CaseStatus::Open);
    assert!(store.set_case_status(&case.id, &change(CaseStatus::Acknowledged, "ann")).unwrap());
    assert!(store.set_case_status(&case.id, &change(CaseStatus::Closed, "bob")).unwrap());
    store.put_cases(std::slice::from_ref(&case)).unwrap();
    let record = store.case(&case.id).unwrap().unwrap();
    assert_eq!(record.status, CaseStatus::Closed);
    let who: Vec<_> = record.history.iter().map(|change| change.who.as_str()).collect();
    assert_eq!(who, ["ann", "bob"]);
    assert_eq!(record.case, case);
}

pub(crate) fn a_word_about_nothing_is_refused(store: AnyStore) {
    let word =
        Feedback { verdict: Verdict::Wrong, who: "ann".to_owned(), at: at(1), note: String::new() };
    let nobody = CaseId("C-9".to_owned());
    assert!(!store.set_case_status(&nobody, &change(CaseStatus::Closed, "ann")).unwrap());
    assert!(!store.add_feedback(About::Finding, "F9", &word).unwrap());
    assert!(!store.add_feedback(About::Case, "C-9", &word).unwrap());
    assert!(store.feedback(About::Case, "C-9").unwrap().is_empty());
}

pub(crate) fn words_come_back_in_order(store: AnyStore) {
    let found = finding(1, Severity::High);
    store.put_findings(std::slice::from_ref(&found)).unwrap();
    let words: Vec<Feedback> = Verdict::ALL
        .iter()
        .map(|&verdict| Feedback {
            verdict,
            who: "ann".to_owned(),
            at: at(5),
            note: "Ümlaut 'quoted' \"\u{0}".to_owned(),
        })
        .collect();
    for word in &words {
        assert!(store.add_feedback(About::Finding, &found.id.0, word).unwrap());
    }
    assert_eq!(store.feedback(About::Finding, &found.id.0).unwrap(), words);
    assert!(store.feedback(About::Case, &found.id.0).unwrap().is_empty());
    assert_eq!(store.finding(&found.id).unwrap().unwrap(), found);
}

pub(crate) fn pages_show_every_row_once_while_rows_are_added(store: AnyStore) {
    for second in 0..40 {
        store.append(&[observation(second as u64, second / 4)]).unwrap();
    }
    for limit in [1, 3, 7, 40, 100] {
        let mut query = Query { limit: Some(limit), until: Some(at(10)), ..Query::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.observations(&query).unwrap();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|item| item["number"].as_u64().unwrap()));
            // A newer row in between must not move the pages that are left.
            let extra = 1_000 + seen.len() as u64 + limit as u64 * 100;
            store.append(&[observation(extra, 500)]).unwrap();
            let Some(next) = page.next else { break };
            query.cursor = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(seen, (0..40).rev().collect::<Vec<_>>(), "limit {limit}");
    }
}

pub(crate) fn rows_of_one_time_are_not_lost_between_pages(store: AnyStore) {
    let devices: Vec<Device> =
        (0..25).map(|n| device(&format!("D-{n}"), DeviceClass::Camera, 1)).collect();
    store.put_devices(&devices).unwrap();
    let mut query = Query { limit: Some(4), ..Query::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.devices(&query).unwrap();
        seen.extend(page.items);
        // A device that was seen again keeps its place.
        store.put_devices(&[device("D-3", DeviceClass::Camera, 900)]).unwrap();
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    let ids: Vec<_> = seen.iter().map(|device| device.id.0.clone()).collect();
    assert_eq!(ids, devices.iter().map(|device| device.id.0.clone()).collect::<Vec<_>>());
}

pub(crate) fn a_cursor_of_another_list_is_refused(store: AnyStore) {
    store.append(&[observation(1, 1), observation(2, 2)]).unwrap();
    let query = Query { limit: Some(1), ..Query::default() };
    let cursor = store.observations(&query).unwrap().next;
    assert!(cursor.is_some());
    let refused = store.findings(&Query { cursor, ..Query::default() });
    assert!(matches!(refused, Err(StoreError::Cursor(_))), "{refused:?}");
}

pub(crate) fn every_filter_narrows_as_it_says(store: AnyStore) {
    store.append(&(0..18).map(|n| observation(n, n as i64)).collect::<Vec<_>>()).unwrap();
    store.put_findings(&Severity::ALL.map(|s| finding(s as u32, s))).unwrap();
    store.put_cases(&[case("C-1", 1, Severity::Low), case("C-2", 2, Severity::High)]).unwrap();
    store.set_case_status(&CaseId("C-2".to_owned()), &change(CaseStatus::Closed, "a")).unwrap();
    store.put_flows(&[flow("f1", "dns", 1), flow("f2", "dicom", 2)]).unwrap();
    store
        .put_devices(&[device("D-1", DeviceClass::Ct, 1), device("D-2", DeviceClass::Mri, 2)])
        .unwrap();
    let all = Query::default;
    let observations = |query| store.observations(&query).unwrap().items.len();
    assert_eq!(observations(all()), 18);
    assert_eq!(observations(Query { kind: Some("dns.query".to_owned()), ..all() }), 9);
    assert_eq!(observations(Query { device: Some("D-3".to_owned()), ..all() }), 2);
    assert_eq!(observations(Query { since: Some(at(4)), until: Some(at(6)), ..all() }), 2);
    let findings = |query| store.findings(&query).unwrap().items.len();
    assert_eq!(findings(Query { severity: Some(Severity::Medium), ..all() }), 3);
    assert_eq!(findings(Query { case: Some("C-1".to_owned()), ..all() }), 5);
    assert_eq!(findings(Query { kind: Some("anomaly".to_owned()), ..all() }), 5);
    assert_eq!(findings(Query { kind: Some("rule".to_owned()), ..all() }), 0);
    let cases = |query| store.cases(&query).unwrap().items.len();
    assert_eq!(cases(Query { status: Some(CaseStatus::Open), ..all() }), 1);
    assert_eq!(cases(Query { status: Some(CaseStatus::Closed), ..all() }), 1);
    assert_eq!(cases(Query { device: Some("D-1".to_owned()), ..all() }), 2);
    assert_eq!(cases(Query { device: Some("D-2".to_owned()), ..all() }), 1);
    assert_eq!(cases(Query { severity: Some(Severity::High), ..all() }), 1);
    let flows = |query| store.flows(&query).unwrap().items.len();
    assert_eq!(flows(Query { kind: Some("dicom".to_owned()), ..all() }), 1);
    assert_eq!(flows(Query { device: Some("D-2".to_owned()), ..all() }), 2);
    let devices = |query| store.devices(&query).unwrap().items.len();
    assert_eq!(devices(Query { kind: Some("ct".to_owned()), ..all() }), 1);
    assert_eq!(devices(Query { since: Some(at(2)), ..all() }), 1);
}

pub(crate) fn a_filter_that_a_list_lacks_is_refused(store: AnyStore) {
    let query = Query { severity: Some(Severity::High), ..Query::default() };
    let error = store.observations(&query).unwrap_err().to_string();
    assert!(error.contains("observations") && error.contains("severity"), "{error}");
    let query = Query { kind: Some("x".to_owned()), ..Query::default() };
    assert!(matches!(store.cases(&query), Err(StoreError::Filter { .. })));
}

pub(crate) fn letters_are_searched_as_letters(store: AnyStore) {
    store.put_findings(&[finding(1, Severity::High)]).unwrap();
    let found = |text: &str| {
        let query = Query { text: Some(text.to_owned()), ..Query::default() };
        store.findings(&query).unwrap().items.len()
    };
    assert_eq!(["50%", "Zoë", "PUMP_7", "about"].map(found), [1; 4]);
    assert_eq!(["5%0", "pump-7", "pumpx7", "\\", "%'"].map(found), [0; 5]);
}

pub(crate) fn state_is_replaced_whole(store: AnyStore) {
    let big: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
    assert!(store.state("learn/a").unwrap().is_none());
    store.set_state("learn/a", &big).unwrap();
    store.set_state("learn/b", b"2").unwrap();
    store.set_state("learnt", b"3").unwrap();
    assert_eq!(store.state("learn/a").unwrap().unwrap(), big);
    store.set_state("learn/a", b"1").unwrap();
    assert_eq!(store.state("learn/a").unwrap().unwrap(), b"1");
    assert_eq!(store.state_names("learn/").unwrap(), ["learn/a", "learn/b"]);
    assert!(store.remove_state("learn/a").unwrap());
    assert!(!store.remove_state("learn/a").unwrap());
}

pub(crate) fn old_rows_expire_and_are_counted(store: AnyStore) {
    store.append(&(0..30).map(|n| observation(n, n as i64)).collect::<Vec<_>>()).unwrap();
    store.put_flows(&[flow("f1", "dns", 1), flow("f2", "dns", 20)]).unwrap();
    store.put_findings(&[finding(1, Severity::Low)]).unwrap();
    let dropped = store.expire(Some(at(10))).unwrap();
    assert_eq!((dropped.observations, dropped.flows, dropped.findings), (10, 1, 0));
    let counts = store.counts().unwrap();
    assert_eq!((counts.observations, counts.flows, counts.findings), (20, 1, 1));
    assert_eq!(counts.dropped, dropped);
    assert_eq!(store.expire(None).unwrap().observations, 0);
}

pub(crate) fn many_threads_write_and_read(store: AnyStore) {
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                for batch in 0..10 {
                    let first = thread * 1_000 + batch * 20;
                    let rows: Vec<_> = (first..first + 20).map(|n| observation(n, 0)).collect();
                    store.append(&rows).unwrap();
                    assert!(store.counts().unwrap().observations >= 20);
                    std::thread::sleep(Duration::from_micros(100));
                    store.observations(&Query::default()).unwrap();
                }
            });
        }
    });
    assert_eq!(store.counts().unwrap().observations, 800);
}

pub(crate) fn hostile_ids_and_filters_find_nothing_and_break_nothing(store: AnyStore) {
    store.put_devices(&[device("D-1", DeviceClass::Ct, 1)]).unwrap();
    for text in ["'; DROP TABLE devices; --", "\u{0}", "o", "oüüüüüüüü", "o+123456789abcdef", "%"]
    {
        assert!(store.device(&DeviceId(text.to_owned())).unwrap().is_none());
        assert!(store.observation(text).unwrap().is_none());
        let query = Query { device: Some(text.to_owned()), ..Query::default() };
        assert!(store.cases(&query).unwrap().items.is_empty());
    }
    assert_eq!(store.counts().unwrap().devices, 1);
}
