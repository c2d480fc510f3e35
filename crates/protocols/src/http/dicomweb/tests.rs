//! Services by method and path, and what a search matches by.

use super::*;
use model::privacy::SiteKey;
use model::time::Timestamp;

use crate::http::head::request;

fn with(method: &str, target: &str, headers: &str) -> Option<Asked> {
    let (key, mut seen, mut serial) = (SiteKey::new(b"k"), Vec::new(), 0);
    let out = Emit::new(&mut seen, &key, None, Timestamp::from_nanos(0), &mut serial);
    let text = format!("{method} {target} HTTP/1.1\r\nHost: pacs\r\n{headers}\r\n");
    let (head, _) = request(text.as_bytes()).unwrap();
    asked(&out, &head)
}

#[test]
fn every_service_of_the_standard_is_told_apart() {
    use Form::*;
    use Level::*;
    let uid = "/studies/1.2.3";
    for (method, target, service, action, level, form) in [
        ("GET", "/dicom-web/studies".to_owned(), Service::Search, "search", Study, None),
        ("GET", format!("{uid}/series?Modality=CT"), Service::Search, "search", Series, None),
        ("GET", format!("{uid}/instances"), Service::Search, "search", Instance, None),
        ("GET", format!("{uid}/series/1.4/instances"), Service::Search, "search", Instance, None),
        ("GET", "/aets/A/rs/instances".to_owned(), Service::Search, "search", Instance, None),
        ("GET", uid.to_owned(), Service::Retrieve, "retrieve", Study, Some(Full)),
        ("GET", format!("{uid}/metadata"), Service::Retrieve, "retrieve", Study, Some(Metadata)),
        (
            "GET",
            format!("{uid}/series/1.4/rendered"),
            Service::Retrieve,
            "retrieve",
            Series,
            Some(Rendered),
        ),
        (
            "GET",
            format!("{uid}/series/1.4/instances/1.5"),
            Service::Retrieve,
            "retrieve",
            Instance,
            Some(Full),
        ),
        (
            "GET",
            format!("{uid}/series/1.4/instances/1.5/frames/1,2"),
            Service::Retrieve,
            "retrieve",
            Frames,
            Some(Full),
        ),
        (
            "GET",
            format!("{uid}/series/1.4/instances/1.5/frames/1/rendered"),
            Service::Retrieve,
            "retrieve",
            Frames,
            Some(Rendered),
        ),
        (
            "GET",
            format!("{uid}/series/1.4/instances/1.5/bulkdata/7fe0/1"),
            Service::Retrieve,
            "retrieve",
            Instance,
            Some(Bulkdata),
        ),
        ("GET", format!("{uid}/thumbnail"), Service::Retrieve, "retrieve", Study, Some(Thumbnail)),
        ("POST", "/stow-rs/studies".to_owned(), Service::Store, "store", Study, None),
        ("POST", uid.to_owned(), Service::Store, "store", Study, None),
        ("DELETE", uid.to_owned(), Service::Delete, "delete", Study, None),
        ("GET", "/dicomweb/workitems".to_owned(), Service::Worklist, "search", Workitem, None),
        (
            "POST",
            "/dicomweb/workitems?1.2.3".to_owned(),
            Service::Worklist,
            "create",
            Workitem,
            None,
        ),
        ("GET", "/workitems/1.2".to_owned(), Service::Worklist, "retrieve", Workitem, None),
        ("POST", "/workitems/1.2".to_owned(), Service::Worklist, "update", Workitem, None),
        (
            "PUT",
            "/workitems/1.2/state".to_owned(),
            Service::Worklist,
            "change-state",
            Workitem,
            None,
        ),
        (
            "POST",
            "/workitems/1.2/cancelrequest".to_owned(),
            Service::Worklist,
            "cancel",
            Workitem,
            None,
        ),
        (
            "POST",
            "/workitems/1.2/subscribers/AE".to_owned(),
            Service::Worklist,
            "subscribe",
            Workitem,
            None,
        ),
        (
            "GET",
            "/wado?requestType=WADO&studyUID=1.2.3&contentType=application%2Fdicom".to_owned(),
            Service::RetrieveUri,
            "retrieve",
            Instance,
            Some(Full),
        ),
    ] {
        let found = with(method, &target, "").unwrap_or_else(|| panic!("{target}"));
        assert_eq!(
            (found.service, found.action, found.level, found.form),
            (service, action, Some(level), form),
            "{method} {target}"
        );
        assert!(found.sure, "{target}");
    }
}

#[test]
fn a_search_says_whether_anything_narrows_it() {
    let base = "/dicom-web/studies";
    for (query, wildcard, universal, keys) in [
        ("", false, true, &[][..]),
        ("?limit=10&offset=20&includefield=all", false, true, &[]),
        ("?PatientName=*", true, true, &["PatientName"]),
        (
            "?PatientName=DOE*&ModalitiesInStudy=CT",
            true,
            false,
            &["PatientName", "ModalitiesInStudy"],
        ),
        ("?00100020=4711", false, false, &["PatientID"]),
        ("?00400275.00081110=1&00091001=x", false, false, &["(0008,1110)", "(0009,1001)"]),
    ] {
        let found = with("GET", &format!("{base}{query}"), "").unwrap();
        assert_eq!((found.wildcard, found.universal), (wildcard, universal), "{query}");
        assert_eq!(found.keys, keys, "{query}");
    }
    let paged = with("GET", "/dicom-web/studies?limit=10&offset=20", "").unwrap();
    assert_eq!((paged.limit, paged.offset), (Some(10), Some(20)));
    assert!(!with("GET", "/studies/1.2.3/series", "").unwrap().universal);
}

#[test]
fn a_patient_and_a_study_are_tokens() {
    let by_id = with("GET", "/dicom-web/studies?PatientID=4711&PatientName=DOE", "").unwrap();
    let by_tag = with("GET", "/dicom-web/series?00100020=4711", "").unwrap();
    assert!(by_id.patient.is_some() && by_id.patient == by_tag.patient);
    assert_eq!(with("GET", "/dicom-web/studies?PatientName=DOE*", "").unwrap().patient, None);
    let path = with("GET", "/studies/1.2.3", "").unwrap();
    let query = with("GET", "/dicom-web/series?StudyInstanceUID=1.2.3", "").unwrap();
    assert!(path.study.is_some() && path.study == query.study);
}

#[test]
fn other_interfaces_are_not_taken_for_dicomweb() {
    for (method, target) in [
        ("GET", "/index.html"),
        ("GET", "/studies/overview/today"),
        ("PUT", "/studies"),
        ("GET", "/wado?a=1"),
        ("GET", "/series/7"),
    ] {
        assert!(with(method, target, "").is_none(), "{target}");
    }
    // Shows of television come in series too: the answer decides.
    let unsure = with("GET", "/series", "").unwrap();
    assert!(!unsure.holds("text/html") && unsure.holds("application/dicom+json"));
    assert!(with("GET", "/series", "Accept: application/dicom+json\r\n").unwrap().sure);
}
