use super::*;
use model::observation::Observation;
use model::privacy::SiteKey;
use proptest::prelude::*;

fn decode(record: &[u8]) -> Result<Vec<Observation>, DecodeError> {
    let (mut out, mut serial) = (Vec::new(), 0);
    let key = SiteKey::new(b"test");
    let mut emit = Emit::new(&mut out, &key, None, Timestamp::default(), &mut serial);
    FhirAuditEvent.decode(record, &mut emit).map(|()| out)
}

fn lines(record: &str) -> String {
    let observations = decode(record.as_bytes()).unwrap();
    let lines = observations.iter().map(|o| serde_json::to_string(o).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

const R4_READ: &str = r#"{"resourceType":"AuditEvent","type":{"code":"110110"},"action":"R",
  "recorded":"2026-11-23T13:02:21.05841+01:00","outcome":"0",
  "agent":[{"who":{"identifier":{"value":"dr2"}},"requestor":true,
            "network":{"address":"10.20.3.33","type":"2"},
            "purposeOfUse":[{"coding":[{"code":"TREAT"}]},{"coding":[{"code":"BTG"}]}]}],
  "source":{"observer":{"display":"ehr"}},
  "entity":[{"what":{"reference":"Patient/1025"},"name":"ZZPHIZZ"}]}"#;

const R4_SEARCH: &str = r#"{"resourceType":"AuditEvent","type":{"code":"rest"},
  "subtype":[{"code":"search-type"}],"action":"E","recorded":"2026-11-23T12:02:21Z","outcome":"8",
  "outcomeDesc":"ZZPHIZZ","text":{"div":"<div>ZZPHIZZ</div>"},
  "agent":[{"who":{"reference":"Practitioner/95","display":"Dr Grey"},"requestor":true},
           {"type":{"coding":[{"code":"110153"}]},"requestor":false,
            "network":{"address":"Workstation1.ehr.example","type":"1"}}],
  "source":{"observer":{"identifier":{"value":"ehr.example"}}},
  "entity":[{"role":{"code":"1"},"what":{"identifier":{"value":"ZZPHIZZ^^^&2.16&ISO"}}},
            {"what":{"reference":"http://ehr/Observation/7/_history/1"},"description":"ZZPHIZZ"},
            {"role":{"code":"24"},"query":"WlpQSElaWg=="}]}"#;

const R4_LOGIN: &str = r#"{"resourceType":"AuditEvent","type":{"code":"110114"},
  "subtype":[{"code":"110122"}],"recorded":"2026-11-23T12:02:21Z","outcome":"4",
  "agent":[{"altId":"601847123","name":"Dr Grey","requestor":true,"network":{"address":"10.0.0.9"}}],
  "source":{"observer":{"reference":"Device/ehr1"}}}"#;

const R5_READ: &str = r#"{"resourceType":"AuditEvent","category":[{"coding":[{"code":"110112"}]}],
  "code":{"coding":[{"code":"read"}]},"action":"R","recorded":"2026-11-23T12:02:21Z",
  "outcome":{"code":{"code":"error"}},"patient":{"reference":"Patient/ZZPHIZZ"},
  "agent":[{"who":{"display":"dr1"},"requestor":true,"networkString":"10.0.0.9"}],
  "authorization":[{"coding":[{"code":"HPAYMT"}]}],"source":{"observer":{"display":"ehr"}}}"#;

const PORTAL: &str = r#"{"resourceType":"AuditEvent","type":{"code":"rest"},"action":"R",
  "recorded":"2026-11-23T12:02:21Z",
  "agent":[{"who":{"reference":"Patient/ZZPHIZZ","display":"ZZPHIZZ"},"altId":"ZZPHIZZ","name":"ZZPHIZZ","requestor":true}],
  "source":{"observer":{"display":"portal"}},"entity":[{"what":{"reference":"Patient/ZZPHIZZ"}}]}"#;

const STARTED: &str = r#"{"resourceType":"AuditEvent","type":{"code":"110100"},
  "subtype":[{"code":"110120"}],"recorded":"2012-10-25T22:04:27+11:00","agent":[{"requestor":false}],
  "source":{"observer":{"display":"Grahame's Laptop"}}}"#;

const SAMPLES: [&str; 6] = [R4_READ, R4_SEARCH, R4_LOGIN, R5_READ, PORTAL, STARTED];

#[test]
fn samples_give_what_they_gave_before() {
    insta::assert_snapshot!(SAMPLES.map(lines).join("\n"));
}

#[test]
fn no_marked_patient_leaves() {
    for sample in SAMPLES {
        let text = lines(sample);
        assert!(!text.contains("ZZPHIZZ") && !text.contains("WlpQ"), "{text}");
        assert!(!text.contains("1025"), "{text}");
    }
}

#[test]
fn bundles_and_arrays_give_what_their_events_give() {
    let alone = lines(R4_READ);
    let strip = |text: String| text.split_once("\"at\"").unwrap().1.to_owned();
    let array = lines(&format!("[{R4_READ}]"));
    let bundle = lines(&format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{R4_READ}}},{{"resource":{{"resourceType":"Patient"}}}}]}}"#
    ));
    assert_eq!(strip(array), strip(alone.clone()));
    assert_eq!(strip(bundle), strip(alone));
}

#[test]
fn every_patient_of_an_event_is_told_once() {
    let entity = |id| format!(r#"{{"what":{{"reference":"Patient/{id}"}}}}"#);
    let event = format!(
        r#"{{"resourceType":"AuditEvent","recorded":"2026-11-23T12:02:21Z","entity":[{},{},{}]}}"#,
        entity(1),
        entity(2),
        entity(1)
    );
    let found = decode(event.as_bytes()).unwrap();
    assert_eq!(found.len(), 2);
    assert_ne!(found[0].token("patient"), found[1].token("patient"));
    assert_ne!(found[0].id, found[1].id);
}

#[test]
fn errors_say_where_and_what_and_never_quote_the_record() {
    let cases = [
        ("{\"resourceType\":\"AuditEvent\",\n \"name\": DOE}", 39, "JSON"),
        (r#"{"resourceType":"Patient","name":"DOE"}"#, 0, "AuditEvent"),
        (r#"{"resourceType":"AuditEvent","name":"DOE"}"#, 0, "recorded"),
        (r#"{"resourceType":"AuditEvent","recorded":"DOE"}"#, 0, "recorded"),
    ];
    for (record, at, words) in cases {
        let error = decode(record.as_bytes()).unwrap_err();
        assert_eq!(error.at, at, "{record}: {error}");
        assert!(error.to_string().contains(words) && !error.to_string().contains("DOE"), "{error}");
    }
}

#[test]
fn deep_nesting_is_refused_and_does_not_end_the_program() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(decode(deep.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = decode(&bytes);
        let _ = FhirAuditEvent.sniff(&bytes);
    }

    /// Values of wrong types in every place: numbers for texts, texts for arrays.
    #[test]
    fn wrong_types_are_passed_over(
        pick in 0..SAMPLES.len(), place: prop::sample::Index,
        value in prop::sample::select(vec!["null", "7", "\"x\"", "[]", "{}", "[[]]", "true"]),
    ) {
        let mut json: Value = serde_json::from_str(SAMPLES[pick]).unwrap();
        let object = json.as_object_mut().unwrap();
        let name = object.keys().nth(place.index(object.len())).unwrap().clone();
        object.insert(name, serde_json::from_str(value).unwrap());
        let _ = decode(json.to_string().as_bytes());
    }
}
