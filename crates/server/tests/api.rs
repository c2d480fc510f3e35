//! The API over a real socket.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use model::case::{Case, CaseId};
use model::device::{Device, DeviceClass, DeviceId};
use model::finding::{Finding, FindingId, Severity};
use model::observation::ObservationId;
use model::time::Timestamp;
use serde_json::Value;
use server::Config;
use store::ObservationRow;

mod client;
mod response;

use client::{Running, event};

fn at(second: i64) -> Timestamp {
    Timestamp::from_parts(1_795_000_000 + second, 0)
}

fn device(number: u32) -> Device {
    Device {
        id: DeviceId(format!("D-{number}")),
        class: DeviceClass::InfusionPump,
        last_seen: at(i64::from(number)),
        ..Device::default()
    }
}

fn finding(number: u32) -> Finding {
    Finding {
        id: FindingId(format!("F{number:016x}")),
        at: at(i64::from(number)),
        severity: Severity::High,
        case: Some(CaseId("C-1".to_owned())),
        ..Finding::default()
    }
}

fn case() -> Case {
    Case {
        id: CaseId("C-1".to_owned()),
        opened: at(1),
        updated: at(1),
        severity: Severity::High,
        title: "A pump was told to change its library by a printer".to_owned(),
        ..Case::default()
    }
}

fn filled() -> Running {
    filled_with(Config::default())
}

fn filled_with(config: Config) -> Running {
    let server = Running::start_with(config);
    server.store.put_devices(&(0..25).map(device).collect::<Vec<_>>()).unwrap();
    server.store.put_findings(&(0..5).map(finding).collect::<Vec<_>>()).unwrap();
    server.store.put_cases(&[case()]).unwrap();
    let row = ObservationRow {
        id: ObservationId(7),
        at: at(1),
        kind: "dns.query",
        device: None,
        json: r#"{"id":"o0000000000000007","kind":"dns.query"}"#.to_owned(),
    };
    server.store.append(&[row]).unwrap();
    server
}

/// Every route of the document, as method, path and whether it needs a session.
fn routes() -> Vec<(String, String, bool)> {
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path.replace("{id}", "C-1");
            routes.push((method.to_uppercase(), path, operation.get("security").is_some()));
        }
    }
    routes
}

#[test]
fn nothing_but_health_and_the_way_in_answers_without_a_session() {
    let server = filled();
    let all = routes();
    assert!(all.len() >= 25, "{all:?}");
    for (method, path, needs_session) in &all {
        let body = if method == "POST" || method == "PUT" { "{}" } else { "" };
        let headers: &[&str] = &["content-type: application/json"];
        let answer = server.ask(method, path, headers, body);
        if *needs_session {
            answer.problem(401);
            let forged = [
                "content-type: application/json",
                "authorization: Bearer 00",
                "cookie: wardwatch_session=00",
            ];
            server.ask(method, path, &forged, body).problem(401);
        } else {
            let open = [
                "/healthz",
                "/",
                "/app.js",
                "/style.css",
                "/api/v1/session",
                "/api/v1/response/bedside",
            ];
            assert!(open.contains(&path.as_str()), "{path}");
            assert_ne!(answer.status, 401, "{answer:?}");
        }
        for (name, start) in [
            ("content-security-policy", "default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert!(answer.headers[name].starts_with(start), "{path}: {answer:?}");
        }
    }
    // What is no route says nothing to strangers either.
    for path in
        ["/nothing", "/api/v1/nothing", "/api/v1/cases/C-1/nothing", "/..%2f..%2fetc/passwd", "//"]
    {
        server.ask("GET", path, &[], "").problem(401);
    }
    server.ask("PATCH", "/api/v1/cases", &[], "").problem(401);
}

#[test]
fn every_route_that_reads_answers_who_is_signed_in() {
    let server = filled();
    let token = server.admin();
    for (method, path, _) in routes() {
        // What is known of responses is asked of an office: see `response`.
        let of_office = path.contains("/response/") || path.ends_with("/blast");
        if method != "GET" || path == "/api/v1/stream" || of_office {
            continue;
        }
        let path = match path.replace("C-1", "").as_str() {
            "/api/v1/devices/" => "/api/v1/devices/D-1".to_owned(),
            "/api/v1/findings/" => "/api/v1/findings/F0000000000000001".to_owned(),
            "/api/v1/observations/" => "/api/v1/observations/o0000000000000007".to_owned(),
            _ => path,
        };
        let answer = server.get(&token, &path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let metrics = server.get(&token, "/metrics").body;
    assert!(metrics.contains("wardwatch_store_devices 25\n"), "{metrics}");
}

#[test]
fn the_document_is_the_one_that_was_agreed() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let document = server::document();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(golden, &document).unwrap();
    }
    let agreed = std::fs::read_to_string(golden).unwrap_or_default();
    assert!(
        document == agreed,
        "openapi.json is not what the routes give: run with UPDATE_OPENAPI=1 and look at the difference"
    );
    let server = filled();
    assert_eq!(server.get(&server.admin(), "/api/v1/openapi.json").body, document);
}

#[test]
fn what_is_answered_is_what_the_document_says() {
    let server = filled();
    let token = server.admin();
    let mut full = device(99);
    full.ip = vec!["10.0.0.1".parse().unwrap()];
    full.mac = Some("00:1b:21:0a:0b:0c".parse().unwrap());
    full.vendor = Some("x".to_owned());
    full.claims = vec![serde_json::from_str(
        r#"{"what":"class","value":"ct","source":"mac","confidence":0.5,"at":"2026-11-23T00:00:00Z"}"#,
    )
    .unwrap()];
    server.store.put_devices(&[full]).unwrap();
    let word = r#"{"verdict":"fault","note":"battery"}"#;
    assert_eq!(server.post(&token, "/api/v1/cases/C-1/feedback", word).status, 201);
    let status = r#"{"status":"closed","note":"done"}"#;
    assert_eq!(server.post(&token, "/api/v1/cases/C-1/status", status).status, 200);
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    for (path, schema) in [
        ("/api/v1/devices/D-99", "Device"),
        ("/api/v1/cases/C-1", "CaseWithWords"),
        ("/api/v1/findings/F0000000000000001", "FindingWithWords"),
        ("/api/v1/cases", "CasePage"),
        ("/api/v1/stats", "Stats"),
        ("/api/v1/me", "Me"),
        ("/api/v1/users", "Users"),
    ] {
        let answer = server.get(&token, path).json();
        let schema = &document["components"]["schemas"][schema];
        conforms(&document, schema, &answer, path);
    }
}

/// Every field is in the schema, and every field that the schema requires is there.
fn conforms(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return conforms(document, &document["components"]["schemas"][name], value, place);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut merged = serde_json::json!({"properties": {}, "required": []});
        for part in parts {
            for (name, property) in part["properties"].as_object().unwrap() {
                merged["properties"][name] = property.clone();
            }
            let required = part["required"].as_array().cloned().unwrap_or_default();
            merged["required"].as_array_mut().unwrap().extend(required);
        }
        return conforms(document, &merged, value, place);
    }
    match value {
        Value::Array(items) => {
            for item in items {
                conforms(document, &schema["items"], item, place);
            }
        }
        Value::Object(fields) => {
            let Some(properties) = schema["properties"].as_object() else { return };
            for (name, field) in fields {
                let property = properties
                    .get(name)
                    .unwrap_or_else(|| panic!("{place}.{name} is not in the document"));
                conforms(document, property, field, &format!("{place}.{name}"));
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(fields.contains_key(name.as_str().unwrap()), "{place} lacks {name}");
            }
        }
        _ => {}
    }
}

#[test]
fn the_models_learn_what_analysts_say_and_nobody_else_and_a_preview_keeps_nothing() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let teach = move |said: server::Said| {
        let says = format!("{} of {}", said.verdict.name(), said.about);
        let entered = !said.preview;
        ears.lock().unwrap().push((said.who, said.preview));
        server::Taught { entered, says, windows: 1, ..server::Taught::default() }
    };
    let server = filled_with(Config { teach: Some(Arc::new(teach)), ..Config::default() });
    let admin = server.admin();
    let (path, word) = ("/api/v1/cases/C-1/feedback", r#"{"verdict":"harmless","note":"a test"}"#);
    let analyst = server.user(&admin, "analyst");
    let preview = server.post(&analyst, &format!("{path}/preview"), word);
    assert_eq!((preview.status, &preview.json()["entered"]), (200, &false.into()));
    let case = server.get(&admin, "/api/v1/cases/C-1").json();
    assert_eq!(case["feedback"].as_array().map(Vec::len), Some(0), "a preview was kept");
    let kept = server.post(&analyst, path, word);
    assert_eq!(kept.status, 201);
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    conforms(&document, &document["components"]["schemas"]["WordKept"], &kept.json(), path);
    assert_eq!(kept.json()["models"]["says"], "harmless of C-1");
    let clinical = server.user(&admin, "clinical");
    let kept = server.post(&clinical, path, word);
    assert_eq!((kept.status, &kept.json()["models"]), (201, &Value::Null));
    server.post(&clinical, &format!("{path}/preview"), word).problem(403);
    server.post(&analyst, "/api/v1/cases/C-9/feedback", word).problem(404);
    let heard = heard.lock().unwrap();
    let by: Vec<_> =
        heard.iter().map(|(who, preview)| (who.starts_with("analyst"), *preview)).collect();
    assert_eq!(by, [(true, true), (true, false)], "{heard:?}");
}

#[test]
fn roles_may_do_what_the_table_says_and_no_more() {
    let server = filled();
    let admin = server.admin();
    let status = ("/api/v1/cases/C-1/status", r#"{"status":"acknowledged"}"#);
    let word = ("/api/v1/findings/F0000000000000001/feedback", r#"{"verdict":"harmless"}"#);
    let account =
        |n: u32| format!(r#"{{"name":"u{n}","password":"a long password","role":"viewer"}}"#);
    for (number, (role, moves, speaks)) in [
        ("viewer", 403, 403),
        ("analyst", 200, 201),
        ("clinical", 403, 201),
        ("commander", 403, 403),
    ]
    .into_iter()
    .enumerate()
    {
        let token = server.user(&admin, role);
        assert_eq!(server.get(&token, "/api/v1/devices").status, 200, "{role}");
        assert_eq!(server.get(&token, "/api/v1/me").json()["role"], role);
        assert_eq!(server.post(&token, status.0, status.1).status, moves, "{role}");
        assert_eq!(server.post(&token, word.0, word.1).status, speaks, "{role}");
        server.get(&token, "/api/v1/users").problem(403);
        server.post(&token, "/api/v1/users", &account(number as u32)).problem(403);
    }
    let users = server.get(&admin, "/api/v1/users");
    assert_eq!(users.json()["items"].as_array().unwrap().len(), 4);
    assert!(!users.body.contains("argon2") && !users.body.contains("hash"), "{users:?}");
    let record = server.get(&admin, "/api/v1/cases/C-1").json();
    assert_eq!(
        (&record["status"], &record["history"][0]["who"]),
        (&"acknowledged".into(), &"analyst1".into())
    );
}

#[test]
fn a_browser_signs_in_with_a_cookie_that_no_other_page_can_use() {
    let server = filled();
    let body = format!(r#"{{"token":"{}"}}"#, server.token);
    let begun = server.ask("POST", "/api/v1/session", &["content-type: application/json"], &body);
    let cookie = &begun.headers["set-cookie"];
    assert!(
        cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("Path=/"),
        "{cookie}"
    );
    let pair = format!("cookie: other=1; {}", cookie.split(';').next().unwrap());
    assert_eq!(server.ask("GET", "/api/v1/me", &[&pair], "").status, 200);
    // A form of another page: no header of ours, no JSON.
    server.ask("DELETE", "/api/v1/session", &[&pair], "").problem(403);
    let form = [pair.as_str(), "content-type: text/plain"];
    server.ask("POST", "/api/v1/cases/C-1/status", &form, r#"{"status":"closed"}"#).problem(403);
    let script = [pair.as_str(), "x-wardwatch: 1"];
    let ended = server.ask("DELETE", "/api/v1/session", &script, "");
    assert_eq!(ended.status, 204);
    assert!(ended.headers["set-cookie"].contains("Max-Age=0"), "{ended:?}");
    server.ask("GET", "/api/v1/me", &[&pair], "").problem(401);
}

#[test]
fn a_first_token_is_given_once_and_kept_only_as_a_hash() {
    let server = Running::start();
    assert!(server::create_first_token(server.store.as_ref()).unwrap().is_none());
    for name in server.store.state_names("").unwrap() {
        let bytes = server.store.state(&name).unwrap().unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&server.token) && text.contains("$argon2id$"), "{text}");
    }
}

#[test]
fn guessing_is_slowed_down_and_says_nothing_of_names() {
    let server = Running::start();
    let admin = server.admin();
    server.user(&admin, "viewer");
    let json: &[&str] = &["content-type: application/json"];
    let mut details = Vec::new();
    for body in [
        r#"{"name":"viewer1","password":"wrong password"}"#,
        r#"{"name":"nobody","password":"wrong password"}"#,
        r#"{"name":"../administrator-token","password":"wrong password"}"#,
        r#"{"token":"0000"}"#,
        r#"{"token":""}"#,
    ] {
        details
            .push(server.ask("POST", "/api/v1/session", json, body).problem(401)["detail"].clone());
    }
    assert!(details.windows(2).all(|pair| pair[0] == pair[1]), "{details:?}");
    let right = r#"{"name":"viewer1","password":"a long password"}"#;
    let refused = server.ask("POST", "/api/v1/session", json, right);
    refused.problem(429);
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    // Who is signed in already works on.
    assert_eq!(server.get(&admin, "/api/v1/me").status, 200);
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let server = filled();
    let token = server.admin();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&token, &format!("/api/v1/devices?limit=4{cursor}")).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 4);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (0..25).map(|n| format!("D-{n}")).collect::<Vec<_>>());
    let high = server.get(&token, "/api/v1/findings?severity=critical").json();
    assert_eq!(high["items"].as_array().unwrap().len(), 0);
    let some =
        server.get(&token, "/api/v1/findings?since=1795000002&until=1795000004&case=C-1").json();
    assert_eq!(some["items"].as_array().unwrap().len(), 2);
}

#[test]
fn bad_requests_are_problems_that_say_what_to_do() {
    let server = filled();
    let token = server.admin();
    for (path, words) in [
        ("/api/v1/devices?limit=0", "1 to 1000"),
        ("/api/v1/devices?limit=x", "1 to 1000"),
        ("/api/v1/devices?cursor=zz", "cursor"),
        ("/api/v1/devices?colour=red", "no parameter 'colour'"),
        ("/api/v1/devices?severity=high", "devices have no filter 'severity'"),
        ("/api/v1/devices?kind=a&kind=b", "twice"),
        ("/api/v1/devices?kind=", "1 to"),
        ("/api/v1/cases?status=lost", "open, acknowledged, closed"),
        ("/api/v1/cases?since=yesterday", "RFC 3339"),
        ("/api/v1/cases?%ff%fe=%00", "parameter"),
    ] {
        let problem = server.get(&token, path).problem(400);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
        assert_eq!(problem["instance"], path.split('?').next().unwrap());
    }
    for path in [
        "/api/v1/devices/D-999",
        "/api/v1/cases/%00",
        "/api/v1/findings/..%2f..",
        "/api/v1/x",
        "/etc/passwd",
    ] {
        server.get(&token, path).problem(404);
    }
    let wrong =
        server.ask("PUT", "/api/v1/devices", &[&format!("authorization: Bearer {token}")], "");
    wrong.problem(405);
    assert!(wrong.headers["allow"].contains("GET"), "{wrong:?}");
    let post = |body: &str| server.post(&token, "/api/v1/cases/C-1/status", body);
    post("{\"status\":").problem(400);
    post("").problem(400);
    post(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).problem(400);
    post(r#"{"status":"lost"}"#).problem(422);
    post(r#"{"status":"open","who":"somebody else"}"#).problem(422);
    post(&format!(r#"{{"status":"open","note":"{}"}}"#, "x".repeat(2_001))).problem(422);
    let bearer = format!("authorization: Bearer {token}");
    let text = [bearer.as_str(), "content-type: text/plain"];
    server.ask("POST", "/api/v1/cases/C-1/status", &text, "status=open").problem(415);
    server.post(&token, "/api/v1/cases/C-9/status", r#"{"status":"open"}"#).problem(404);
    for (body, words) in [
        (r#"{"name":"A b","password":"a long password","role":"viewer"}"#, "'name'"),
        (r#"{"name":"ab","password":"short","role":"viewer"}"#, "'password'"),
        (r#"{"name":"ab","password":"a long password","role":"root"}"#, "fields"),
    ] {
        let problem = server.post(&token, "/api/v1/users", body).problem(422);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    let taken = r#"{"name":"administrator","password":"a long password","role":"viewer"}"#;
    server.post(&token, "/api/v1/users", taken).problem(409);
}

#[test]
fn a_body_past_the_limit_is_refused_without_being_kept() {
    let server = filled();
    let token = server.admin();
    let big = format!(r#"{{"status":"open","note":"{}"}}"#, "x".repeat(2 << 20));
    server.post(&token, "/api/v1/cases/C-1/status", &big).problem(413);
    // Without a length, by chunks.
    let mut request = format!(
        "POST /api/v1/cases/C-1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    for _ in 0..200 {
        request.push_str(&format!("2800\r\n{}\r\n", "x".repeat(0x2800)));
    }
    let answer = server.raw(request.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(server.get(&token, "/api/v1/me").status, 200);
}

#[test]
fn hostile_bytes_do_not_end_the_server_or_add_headers() {
    let server = filled();
    let token = server.admin();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}",
        b"POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
    ] {
        let answer = server.raw(bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    assert!(!server.raw(long.as_bytes()).starts_with("HTTP/1.1 200"));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(500));
    assert!(!server.raw(many.as_bytes()).starts_with("HTTP/1.1 200"));
    // What a path or a parameter holds comes back only inside JSON.
    for path in ["/api/v1/x%0d%0aset-cookie:%20a=b", "/api/v1/devices?a%0d%0aset-cookie:%20a=b=1"] {
        let answer = server.get(&token, path);
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
    }
    assert_eq!(server.get(&token, "/api/v1/me").status, 200);
}

#[test]
fn the_stream_tells_what_is_new_and_resumes_where_it_broke() {
    let server = filled();
    let token = server.admin();
    let mut stream = server.stream(&token, None);
    server.live.finding(&finding(1));
    server.live.case(&case());
    let first = event(&mut stream).unwrap();
    assert_eq!(first["event"], "finding");
    assert!(first["data"].contains("F0000000000000001"), "{first:?}");
    assert_eq!(event(&mut stream).unwrap()["event"], "case");
    drop(stream);
    server.live.device(&device(3));
    let mut again = server.stream(&token, Some(&first["id"]));
    assert_eq!(event(&mut again).unwrap()["event"], "case");
    assert_eq!(event(&mut again).unwrap()["event"], "device");
    let mut lost = server.stream(&token, Some("another-1"));
    assert_eq!(event(&mut lost).unwrap()["event"], "gap");
    // A case that a person moves is news too.
    let mut watching = server.stream(&token, None);
    server.post(&token, "/api/v1/cases/C-1/status", r#"{"status":"closed"}"#);
    let moved = event(&mut watching).unwrap();
    assert!(moved["data"].contains(r#""status":"closed""#), "{moved:?}");
}

#[test]
fn a_client_that_does_not_read_is_let_go_and_counted_and_holds_nobody_up() {
    let server = filled();
    let token = server.admin();
    let mut slow = server.stream(&token, None);
    let mut big = finding(1);
    big.title = "x".repeat(20_000);
    for _ in 0..3_000 {
        server.live.finding(&big);
    }
    let mut last = event(&mut slow).unwrap();
    while last["event"] != "dropped" {
        last = event(&mut slow).expect("the stream ends with a word of farewell");
    }
    let stats = server.get(&token, "/api/v1/stats").json();
    assert_eq!(stats["stream"]["dropped_clients"], 1);
    assert_eq!(stats["stream"]["events"], 3_000);
}

#[test]
fn streams_and_connections_have_a_bound() {
    let config = Config { max_streams: 2, max_connections_per_address: 4, ..Config::default() };
    let server = Running::start_with(config);
    let token = server.admin();
    let open = [server.stream(&token, None), server.stream(&token, None)];
    server.get(&token, "/api/v1/stream").problem(503);
    // Connections that stay open fill the address's places; one beyond is closed unanswered.
    let mut kept = Vec::new();
    let refused = (0..20).any(|_| {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
        let answered = stream.read(&mut [0; 64]).is_ok_and(|count| count > 0);
        if answered {
            kept.push(stream);
        }
        !answered
    });
    assert!(refused && kept.len() <= 2, "{refused} {}", kept.len());
    drop(open);
}

#[test]
fn it_stops_when_told_and_ends_the_streams() {
    let mut server = filled();
    let token = server.admin();
    let mut stream = server.stream(&token, None);
    server.stop();
    assert!(event(&mut stream).is_none());
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let server = Running::start();
    for path in ["/", "/app.js", "/style.css"] {
        let answer = server.ask("GET", path, &[], "");
        assert_eq!(answer.status, 200);
        for foreign in
            ["http://", "https://", "//cdn", "onclick=", "style=\"", "<script>", "innerHTML"]
        {
            assert!(!answer.body.contains(foreign), "{path} has {foreign}");
        }
    }
}
