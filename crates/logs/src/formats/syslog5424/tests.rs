use super::*;
use model::observation::Observation;
use model::privacy::SiteKey;
use proptest::prelude::*;

fn decode_at(line: &[u8], came: &str) -> Result<Vec<Observation>, DecodeError> {
    let (mut out, mut serial) = (Vec::new(), 0);
    let key = SiteKey::new(b"test");
    let mut emit = Emit::new(&mut out, &key, None, came.parse().unwrap(), &mut serial);
    Syslog.decode(line, &mut emit).map(|()| out)
}

fn decode(line: &str) -> Vec<Observation> {
    decode_at(line.as_bytes(), "2026-11-23T00:00:00Z").unwrap()
}

fn lines(observations: &[Observation]) -> Vec<String> {
    observations.iter().map(|o| serde_json::to_string(o).unwrap()).collect()
}

const SAMPLES: [&str; 10] = [
    "<134>1 2026-11-23T12:02:13.455881+00:00 ct1 dicom 13206 - - study sent images=3 dest=PACS1",
    "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"App\"] \u{feff}An application event log entry",
    "<34>1 2003-10-11T22:14:15.003-07:00 10.1.2.3 su - - [a b=\"x\\]y\"][c] su root failed",
    "<13>1 - - - - - -",
    "<38>1 2026-11-23T12:02:13Z pacs1 sshd 77 - - Failed password for invalid user admin from 10.20.3.66 port 50122 ssh2",
    "<38>1 2026-11-23T12:02:14Z pacs1 sshd 77 - - Accepted publickey for dr1 from fe80::5%eth0 port 50122 ssh2: ED25519 SHA256:abc",
    "<13>1 2026-11-23T12:02:14Z dc1 Security 4 - [NXLOG@14506 EventID=\"4625\" TargetUserName=\"svc_pacs\" IpAddress=\"10.9.8.7\" LogonType=\"3\"] An account failed to log on.",
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=218.188.2.4  user=root",
    "2026-11-23T12:02:14.5+01:00 ward4 ftpd[9]: message repeated 3 times: [ [bob] FAIL LOGIN: Client \"::ffff:10.0.0.9\"]",
];

#[test]
fn samples_give_what_they_gave_before() {
    let all: Vec<String> = SAMPLES.iter().flat_map(|line| lines(&decode(line))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_line_without_a_time_has_that_of_its_coming() {
    let came: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    for line in ["<13>1 - h a - - - text", "<13>something without a header"] {
        assert_eq!(decode(line)[0].at, came, "{line}");
    }
}

#[test]
fn errors_say_where_and_what_and_never_quote_the_record() {
    let cases = [
        ("<999>1 2026-11-23T12:02:13Z h a - - - DOE JANE", 0, "priority"),
        ("<13>1 2026-11-23 DOEJANE a - - - x", 6, "RFC 3339"),
        ("<13>1 2026-11-23T12:02:13Z", 26, "host name"),
        ("<13>1 2026-11-23T12:02:13Z h a", 30, "process id"),
        ("DOE JANE", 0, "syslog line"),
        ("<13>Oct 99 22:14:15 DOE: JANE", 4, "time"),
    ];
    for (line, at, words) in cases {
        let error = decode_at(line.as_bytes(), "2026-11-23T00:00:00Z").unwrap_err();
        assert_eq!(error.at, at, "{line}: {error}");
        assert!(error.to_string().contains(words), "{line}: {error}");
        assert!(!error.to_string().contains("DOE"), "{error}");
    }
}

#[test]
fn no_marked_patient_leaves_in_any_part_of_a_text() {
    const MARK: &str = "ZZPHIZZ";
    let texts = [
        format!("admitted {MARK}^JANE to bed 7"),
        format!("login failed for patient {MARK} from 10.0.0.1"),
        format!("{MARK} logged in"),
        format!("study '{MARK}' sent to \"{MARK}\""),
        format!("authentication failure {MARK} {MARK}; rhost=10.0.0.1"),
        format!("user {MARK}^JANE failed to log in"),
    ];
    for text in texts {
        for header in [
            "<134>1 2026-11-23T12:02:13Z ct1 dicom 1 - - ",
            "<134>1 2026-11-23T12:02:13Z ct1 dicom 1 - [x@1 patient=\"ZZPHIZZ\"] ",
            "<134>Nov 23 12:02:13 ct1 dicom[1]: ",
            "<134>",
        ] {
            for line in lines(&decode(&format!("{header}{text}"))) {
                assert!(!line.contains(MARK), "{line}");
            }
        }
    }
}

#[test]
fn sniffing_takes_syslog_and_leaves_other_formats() {
    for line in SAMPLES {
        assert_eq!(Syslog.sniff(line.as_bytes()), Probe::Yes, "{line}");
    }
    assert_eq!(Syslog.sniff(b"<13>no header"), Probe::Unsure);
    for other in ["{\"resourceType\":\"AuditEvent\"}", "2016-09-28 04:30:30, Info CBS", "a,b,c"] {
        assert_eq!(Syslog.sniff(other.as_bytes()), Probe::No, "{other}");
    }
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9._/-]{0,20}"
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = decode_at(&bytes, "2026-11-23T00:00:00Z");
        let _ = Syslog.sniff(&bytes);
    }

    #[test]
    fn damaged_lines_are_read_or_refused(pick in 0..SAMPLES.len(), cut: prop::sample::Index, byte: u8) {
        let mut line = SAMPLES[pick].as_bytes().to_vec();
        let at = cut.index(line.len());
        line[at] = byte;
        let _ = decode_at(&line, "2026-11-23T00:00:00Z");
        let _ = decode_at(&line[..at], "2026-11-23T00:00:00Z");
    }

    /// An independent parser agrees on lines that keep to RFC 5424.
    #[test]
    fn headers_are_those_that_syslog_loose_reads(
        priority in 0_u8..=191, host in word(), app in word(), id in word(), text in "[ -~]{0,60}"
    ) {
        let line = format!("<{priority}>1 2026-11-23T12:02:13.5Z {host} {app} 1 {id} [a@1 b=\"c\"] {text}");
        let ours = parse(line.trim_end(), Timestamp::default()).unwrap();
        let theirs = syslog_loose::parse_message(line.trim_end(), syslog_loose::Variant::RFC5424);
        prop_assert_eq!(ours.host, theirs.hostname);
        prop_assert_eq!(ours.app, theirs.appname);
        prop_assert_eq!(ours.message_id, theirs.msgid);
        prop_assert_eq!(ours.text.trim(), theirs.msg.trim());
        prop_assert_eq!(
            ours.at.map(Timestamp::nanos),
            theirs.timestamp.and_then(|at| at.timestamp_nanos_opt())
        );
    }
}
