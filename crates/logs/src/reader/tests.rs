use super::*;
use std::io::Write;

const FILE: &str = "\
<134>1 2026-11-23T12:02:13Z ct1 dicom 1 - - study sent
not a log line at all
<38>Nov 23 12:02:14 pacs1 sshd[7]: Failed password for root from 10.0.0.5 port 4 ssh2
{\"resourceType\":\"AuditEvent\",\"recorded\":\"2026-11-23T12:02:15Z\",\"type\":{\"code\":\"110110\"}}
";

fn read_all(bytes: Vec<u8>) -> (Vec<Observation>, Vec<String>, Reading, Option<ReadError>) {
    let mut file = LogFile::over(Path::new("a.log"), Box::new(Cursor::new(bytes))).unwrap();
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let key = SiteKey::new(b"test");
    loop {
        match file.step(&key, &mut out) {
            Ok(Step::Decoded) => {}
            Ok(Step::Failed(error)) => errors.push(error.to_string()),
            Ok(Step::End) => return (out, errors, file.reading(), None),
            Err(error) => return (out, errors, file.reading(), Some(error)),
        }
    }
}

fn kinds(observations: &[Observation]) -> Vec<&str> {
    observations.iter().map(|o| o.kind.name).collect()
}

#[test]
fn a_bad_record_is_counted_with_its_place_and_the_rest_is_read() {
    let (out, errors, reading, error) = read_all(FILE.into());
    assert_eq!(kinds(&out), ["log.line", "log.line", "log.login", "audit.access"]);
    assert_eq!(reading, Reading { decoded: 3, failed: 1, too_long: 0 });
    assert!(errors[0].starts_with("a.log:2: byte 0: expected a syslog line"), "{errors:?}");
    assert!(error.is_none());
}

#[test]
fn compressed_files_are_told_by_their_bytes() {
    let plain: Vec<_> = read_all(FILE.into()).0.iter().map(|o| o.id).collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(FILE.as_bytes()).unwrap();
    let zst = zstd::encode_all(FILE.as_bytes(), 1).unwrap();
    for packed in [gz.finish().unwrap(), zst] {
        let ids: Vec<_> = read_all(packed).0.iter().map(|o| o.id).collect();
        assert_eq!(ids, plain);
    }
}

#[test]
fn a_broken_archive_gives_what_came_before_the_break() {
    let long = FILE.repeat(2_000);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gz.write_all(long.as_bytes()).unwrap();
    let mut packed = gz.finish().unwrap();
    packed.truncate(packed.len() / 2);
    let (out, _, _, error) = read_all(packed);
    assert!(out.len() > 1_000, "{}", out.len());
    let error = error.unwrap().to_string();
    assert!(error.contains("a.log:") && error.contains("byte"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = LogFile::open(Path::new("/no/such.log")).err().unwrap().to_string();
    assert!(error.starts_with("/no/such.log: cannot be opened"), "{error}");
}

#[test]
fn years_count_from_the_line_before() {
    let text = "Dec 31 23:59:59 a b: x\nJan  1 00:00:01 a b: x\n";
    let came = "2026-12-30T00:00:00Z".parse().unwrap();
    let input = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let mut file = LogFile::over(Path::new("x"), input).unwrap().came_at(came);
    let mut out = Vec::new();
    while !matches!(file.step(&SiteKey::new(b"k"), &mut out).unwrap(), Step::End) {}
    assert_eq!(out[1].at.to_string(), "2027-01-01T00:00:01.000000Z");
}

#[test]
fn equal_lines_are_two_facts_and_the_same_two_when_read_again() {
    let text = "<13>1 2026-11-23T12:02:13Z h a - - - x\n".repeat(2);
    let ids = || read_all(text.clone().into()).0.iter().map(|o| o.id).collect::<Vec<_>>();
    let first = ids();
    assert_ne!(first[0], first[1]);
    assert_eq!(first, ids());
}
