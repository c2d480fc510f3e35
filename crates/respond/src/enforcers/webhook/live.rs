//! A small server at the other end, with and without TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::enforcers::sample;
use crate::enforcers::space::needs;
use crate::restriction::{Pattern, Restriction, Way};

const SECRET: &str = "made up for tests";

/// What came, header by header and with the body last.
type Heard = Arc<Mutex<Vec<Vec<String>>>>;

/// Reads a request and gives an answer.
fn answer(stream: &mut (impl Read + Write), says: &str, heard: &Heard) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let length = lines
        .iter()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    lines.push(String::from_utf8(body).unwrap());
    heard.lock().unwrap().push(lines);
    let _ = reader.get_mut().write_all(says.as_bytes());
    let _ = reader.get_mut().flush();
}

fn status(code: &str) -> String {
    format!("HTTP/1.1 {code}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}")
}

/// A server that gives these answers, one a connection.
fn server(answers: Vec<String>, tls: Option<Arc<rustls::ServerConfig>>) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let ears = heard.clone();
    std::thread::spawn(move || {
        for says in answers {
            let (mut stream, _) = listener.accept().unwrap();
            match &tls {
                None => answer(&mut stream, &says, &ears),
                Some(config) => {
                    let mut tls = rustls::ServerConnection::new(config.clone()).unwrap();
                    answer(&mut rustls::Stream::new(&mut tls, &mut stream), &says, &ears);
                }
            }
        }
    });
    (port, heard)
}

fn config(url: String) -> WebhookConfig {
    WebhookConfig {
        url,
        secret_file: "secret".into(),
        ca_file: None,
        allow_http: false,
        levels: vec![Level::L2, Level::L4],
        far_end_expires: true,
    }
}

fn webhook(config: WebhookConfig, authorities: &[u8]) -> Webhook {
    config.check().unwrap();
    Webhook::new(config, SECRET.into(), authorities, Outlet::new()).unwrap()
}

fn intent() -> Intent {
    let flow = Pattern {
        way: Way::Out,
        peer: "203.0.113.7".parse().unwrap(),
        proto: None,
        port: Some(443),
    };
    let mut subject = sample::subject(&["10.0.0.5"]);
    "Bed 4, Mrs Example".clone_into(&mut subject.name);
    sample::intent(subject, Restriction::Block { flows: vec![flow] })
}

fn apply(webhook: &Webhook, left: Duration) -> Result<Receipt, EnforceError> {
    webhook.apply(&Approved::new(webhook.plan(&intent()).unwrap(), left))
}

fn header<'a>(request: &'a [String], name: &str) -> &'a str {
    let found = request.iter().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    found.unwrap_or_else(|| panic!("{name} is missing: {request:?}"))
}

#[test]
fn a_command_is_signed_repeated_with_the_same_key_and_never_longer_than_approved() {
    let answers = ["503 Busy", "200 Fine", "204 Fine", "200 Fine"].map(status).to_vec();
    let (port, heard) = server(answers, None);
    let webhook = webhook(config(format!("http://127.0.0.1:{port}/commands?x=1")), b"");
    let receipt = apply(&webhook, Duration::from_secs(90)).unwrap();
    assert!(receipt.acknowledged);
    assert_eq!(receipt.ttl, Duration::from_secs(90));
    webhook.revert(&receipt).unwrap();
    webhook.revert_all(&[receipt]).unwrap();
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 4);
    for request in heard.iter() {
        assert_eq!(request[0], "POST /commands?x=1 HTTP/1.1");
        let now: u64 = header(request, "wardwatch-timestamp").parse().unwrap();
        let body = request.last().unwrap();
        let signed = format!("v1={}", post::signature(SECRET.as_bytes(), now, body));
        assert_eq!(header(request, "wardwatch-signature"), signed);
        assert!(!body.contains("Example"), "a name was sent: {body}");
    }
    let key = |number: usize| header(&heard[number], "idempotency-key");
    assert_eq!(key(0), key(1));
    assert_ne!(key(1), key(2));
    let body: Value = serde_json::from_str(heard[1].last().unwrap()).unwrap();
    assert_eq!(body["action"], "deny");
    assert_eq!(body["args"]["duration"], 90_000);
    assert_eq!(body["target"]["device"]["addresses"][0], "10.0.0.5");
    assert_eq!(body["target"]["restriction"]["flows"][0]["port"], 443);
    let last: Value = serde_json::from_str(heard[3].last().unwrap()).unwrap();
    assert_eq!((&last["action"], &last["target"]["everything"]), (&json!("restore"), &json!(true)));
}

/// The value of RFC 4231 would not show the full stop; this one was computed with Python's hmac.
#[test]
fn the_signature_is_what_another_program_computes() {
    let signature = post::signature(b"key", 1_700_000_000, "{\"a\":1}");
    assert_eq!(signature, "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
}

#[test]
fn a_no_is_not_repeated_a_redirect_is_not_followed_and_an_endless_answer_is_none() {
    let (port, heard) = server(vec![status("403 Forbidden")], None);
    let no = apply(&webhook(config(format!("http://127.0.0.1:{port}/")), b""), intent().ttl);
    assert!(matches!(no, Err(EnforceError::Refused { .. })), "{no:?}");
    assert_eq!(heard.lock().unwrap().len(), 1);

    let elsewhere =
        "HTTP/1.1 307 There\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
    let (port, heard) = server(vec![elsewhere.to_owned()], None);
    let no = apply(&webhook(config(format!("http://127.0.0.1:{port}/")), b""), intent().ttl);
    assert!(matches!(no, Err(EnforceError::Refused { .. })), "{no:?}");
    assert_eq!(heard.lock().unwrap().len(), 1);

    let large =
        format!("HTTP/1.1 200 Fine\r\ncontent-length: 99999999\r\n\r\n{}", "x".repeat(99_999));
    let (port, _) = server(vec![large; 3], None);
    let none = apply(&webhook(config(format!("http://127.0.0.1:{port}/")), b""), intent().ttl);
    assert!(matches!(none, Err(EnforceError::Unreachable { .. })), "{none:?}");
}

#[test]
fn nobody_and_silence_are_given_up_within_the_time_of_a_halt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let webhook = webhook(config(format!("http://127.0.0.1:{port}/")), b"");
    let begun = Instant::now();
    let silent = webhook.revert_all(&[]);
    assert!(matches!(silent, Err(EnforceError::Unreachable { .. })), "{silent:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(listener);
    assert!(matches!(webhook.revert_all(&[]), Err(EnforceError::Unreachable { .. })));
}

#[test]
fn with_tls_only_who_has_the_right_certificate_is_told() {
    if !needs(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let extensions = "[req]\ndistinguished_name = dn\nx509_extensions = v3\n[dn]\n[v3]\n\
        basicConstraints = critical, CA:FALSE\nsubjectAltName = DNS:localhost\n";
    std::fs::write(file("openssl.cnf"), extensions).unwrap();
    let make = |name: &str| {
        let words = format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
             -subj /CN=localhost -config {} -keyout {} -out {}",
            file("openssl.cnf"),
            file(&format!("{name}.key")),
            file(&format!("{name}.pem"))
        );
        let made = Command::new("openssl")
            .args(words.split_whitespace())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
    };
    make("right");
    make("wrong");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_file(file("right.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("right.key")).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (port, heard) = server(vec![status("200 Fine"); 4], Some(Arc::new(tls)));
    let mut config = config(format!("https://localhost:{port}/"));
    assert!(config.check().is_err(), "https without authorities");
    config.ca_file = Some("ca.pem".into());
    let pem = |name: &str| std::fs::read(file(name)).unwrap();
    apply(&webhook(config.clone(), &pem("right.pem")), intent().ttl).unwrap();
    assert_eq!(heard.lock().unwrap().len(), 1);
    let wrong = apply(&webhook(config, &pem("wrong.pem")), intent().ttl);
    assert!(matches!(wrong, Err(EnforceError::Unreachable { .. })), "{wrong:?}");
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[test]
fn a_far_end_that_does_not_let_go_by_itself_is_never_asked() {
    let mut config = config("http://127.0.0.1:9/".to_owned());
    let quarantine = Restriction::Quarantine { management: Vec::new() };
    let subject = sample::subject(&["10.0.0.5"]);
    let l3 = sample::intent(subject.clone(), Restriction::Essentials { allow: Vec::new() });
    let l4 = sample::intent(subject, quarantine);
    assert!(webhook(config.clone(), b"").can(Level::L4, &l4));
    assert!(webhook(config.clone(), b"").plan(&l3).is_err(), "L3 is not among its levels");
    config.far_end_expires = false;
    assert!(webhook(config.clone(), b"").plan(&l4).is_err());
    for bad in ["http://10.0.0.1/", "ftp://x/", "https://a:b@x/", "x", "http:///"] {
        bad.clone_into(&mut config.url);
        assert!(config.check().is_err(), "{bad}");
    }
}
