//! A real server on a port of its own, and a client that says exactly what it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use server::{Config, Live, Server};
use store::{Options, SqliteStore, Store};

/// A server that stops when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) live: Live,
    /// The first-run administrator token.
    pub(crate) token: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Checks that it is a whole problem document of this status.
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        for field in ["type", "title", "detail", "instance"] {
            assert!(
                problem[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field}: {self:?}"
            );
        }
        assert_eq!(problem["status"], status);
        problem
    }
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::start_with(Config::default())
    }

    pub(crate) fn start_with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, Options::default()).unwrap());
        let token = server::create_first_token(store.as_ref()).unwrap().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let shared = Arc::clone(&store);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let any = "127.0.0.1:0".parse().unwrap();
                let server = Server::bind(any, shared, config).await.unwrap();
                tell.send((server.address(), server.live())).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        let (address, live) = told.recv().unwrap();
        Self {
            address,
            store,
            live,
            token,
            stop: Some(stop),
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Sends bytes as they are, and reads until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may refuse and close before it has read everything.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        if !body.is_empty() {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body);
        parse(&self.raw(request.as_bytes()))
    }

    pub(crate) fn get(&self, token: &str, path: &str) -> Answer {
        self.ask("GET", path, &[&format!("authorization: Bearer {token}")], "")
    }

    pub(crate) fn post(&self, token: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("authorization: Bearer {token}");
        self.ask("POST", path, &[&bearer, "content-type: application/json"], body)
    }

    /// Signs in with the administrator's token.
    pub(crate) fn admin(&self) -> String {
        self.sign_in(&format!(r#"{{"token":"{}"}}"#, self.token))
    }

    /// Signs in, and gives the session's token.
    pub(crate) fn sign_in(&self, body: &str) -> String {
        let answer = self.ask("POST", "/api/v1/session", &["content-type: application/json"], body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// Makes an account of a role and signs in with it.
    pub(crate) fn user(&self, admin: &str, role: &str) -> String {
        let body = format!(r#"{{"name":"{role}1","password":"a long password","role":"{role}"}}"#);
        let made = self.post(admin, "/api/v1/users", &body);
        assert_eq!(made.status, 201, "{made:?}");
        self.sign_in(&format!(r#"{{"name":"{role}1","password":"a long password"}}"#))
    }

    /// Opens the event stream; the lines of its body follow.
    pub(crate) fn stream(&self, token: &str, last_id: Option<&str>) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let last = last_id.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{last}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        reader
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The next event of a stream: its fields by name. None at the end.
pub(crate) fn event(reader: &mut impl BufRead) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        // The sizes of chunks stand between the lines; no field has their form.
        if let Some((name, value)) = line.split_once(": ") {
            fields.insert(name.to_owned(), value.to_owned());
        } else if line.is_empty() && fields.contains_key("data") {
            return Some(fields);
        }
    }
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
    let body = if chunked { dechunk(body) } else { body.to_owned() };
    Answer { status, headers, body }
}

fn dechunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    whole
}
