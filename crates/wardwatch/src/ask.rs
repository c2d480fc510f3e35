//! Questions to a store or to a running instance: `devices`, `cases`, `case`, `findings`, `flows`.
//!
//! Both give the same JSON; tables are made from that, so that a question reads the same wherever it
//! is put.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use store::{Options, Query, SqliteStore, Store};

use crate::cli::AskArgs;
use crate::tables::{say, table};
use crate::{exit, show};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Devices,
    Cases,
    Findings,
    Flows,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Cases => "cases",
            Self::Findings => "findings",
            Self::Flows => "flows",
        }
    }
}

/// Largest answer of an instance that is taken.
const MAX_ANSWER: u64 = 64 << 20;
/// Longest wait for an instance.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks for a list and shows it.
pub(crate) fn list(what: What, ask: &AskArgs) -> Result<ExitCode> {
    let items = match (&ask.store, &ask.url) {
        (Some(file), _) => from_store(what, ask, file)?,
        (None, Some(url)) => from_instance(what, ask, url)?,
        (None, None) => bail!(exit::Usage::from_error(
            "whom to ask: give --store FILE, or --url URL of a running instance with --token TOKEN"
        )),
    };
    if ask.json {
        items.iter().for_each(|item| say(&item.to_string()));
        return Ok(ExitCode::SUCCESS);
    }
    if what == What::Devices && ask.device.is_some() && items.len() == 1 {
        items.iter().for_each(show::device);
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(show::head(what));
    for item in &items {
        rows.add_row(show::row(what, item));
    }
    say(&rows.to_string());
    Ok(ExitCode::SUCCESS)
}

/// Asks for one case and tells its story.
pub(crate) fn case(id: &str, ask: &AskArgs) -> Result<ExitCode> {
    let found = match (&ask.store, &ask.url) {
        (Some(file), _) => {
            let case = open(file)?.case(&model::CaseId(id.to_owned()))?;
            case.map(serde_json::to_value).transpose()?
        }
        (None, Some(url)) => Some(get(url, &format!("/api/v1/cases/{id}"), ask)?),
        (None, None) => {
            bail!(exit::Usage::from_error("whom to ask: give --store FILE or --url URL"))
        }
    };
    let Some(found) = found else {
        bail!("there is no case '{id}': 'wardwatch cases' lists them");
    };
    if ask.json {
        say(&found.to_string());
    } else {
        show::case(&found);
        // Where nothing was recorded as yet, there is nothing to say of it.
        let blast = match (&ask.store, &ask.url) {
            (Some(file), _) => crate::segment::of_stored_case(file, &found),
            (None, Some(url)) => {
                let asked = get(url, &format!("/api/v1/cases/{}/blast", escape(id)), ask);
                asked.ok().and_then(|blast| serde_json::from_value(blast).ok())
            }
            (None, None) => None,
        };
        blast.iter().for_each(crate::segment::brief_blast);
    }
    Ok(ExitCode::SUCCESS)
}

fn open(file: &std::path::Path) -> Result<SqliteStore> {
    SqliteStore::open_read_only(file, Options::default())
        .with_context(|| format!("{}: cannot be asked", file.display()))
}

fn from_store(what: What, ask: &AskArgs, file: &std::path::Path) -> Result<Vec<Value>> {
    let store = open(file)?;
    let mut items = Vec::new();
    let mut query = Query {
        limit: Some(ask.limit.min(store::MAX_LIMIT)),
        severity: ask.severity,
        device: ask.device.as_deref().map(|device| device_id(&store, device)).transpose()?,
        ..Query::default()
    };
    if what == What::Devices
        && let Some(id) = &query.device
    {
        let device = store.device(&model::DeviceId(id.clone()))?;
        return Ok(device.map(serde_json::to_value).transpose()?.into_iter().collect());
    }
    if what == What::Devices {
        query.severity = None;
    }
    while items.len() < ask.limit {
        let (page, next) = match what {
            What::Devices => parts(store.devices(&query)?)?,
            What::Cases => parts(store.cases(&query)?)?,
            What::Findings => parts(store.findings(&query)?)?,
            What::Flows => parts(store.flows(&query)?)?,
        };
        items.extend(page);
        match next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    items.truncate(ask.limit);
    Ok(items)
}

fn parts<T: serde::Serialize>(page: store::Page<T>) -> Result<(Vec<Value>, Option<store::Cursor>)> {
    let items = page.items.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    Ok((items, page.next))
}

/// A device's id from its id or one of its addresses.
fn device_id(store: &SqliteStore, asked: &str) -> Result<String> {
    let Ok(ip) = asked.parse::<std::net::IpAddr>() else { return Ok(asked.to_owned()) };
    let mut query = Query { limit: Some(store::MAX_LIMIT), ..Query::default() };
    loop {
        let page = store.devices(&query)?;
        if let Some(device) = page.items.iter().find(|device| device.ip.contains(&ip)) {
            return Ok(device.id.0.clone());
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => bail!("no device has the address {ip}: 'wardwatch devices' lists them"),
        }
    }
}

fn from_instance(what: What, ask: &AskArgs, url: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    while items.len() < ask.limit {
        let mut path = format!("/api/v1/{}?limit={}", what.name(), ask.limit.min(500));
        if let Some(severity) = ask.severity.filter(|_| what != What::Devices) {
            path.push_str(&format!("&severity={severity}"));
        }
        if let Some(device) = &ask.device {
            path.push_str(&format!("&device={}", escape(device)));
        }
        if let Some(cursor) = &cursor {
            path.push_str(&format!("&cursor={}", escape(cursor)));
        }
        let page = get(url, &path, ask)?;
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    items.truncate(ask.limit);
    Ok(items)
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// One GET over plain HTTP/1.0: an instance on this machine or behind the same proxy.
fn get(url: &str, path: &str, ask: &AskArgs) -> Result<Value> {
    let Some(host) = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')) else {
        bail!(exit::Usage::from_error(format!(
            "'{url}' is no address of an instance: give one such as http://127.0.0.1:8470"
        )));
    };
    let token = ask.token.as_deref().context(
        "a running instance wants to know who asks: give --token TOKEN or set WARDWATCH_TOKEN",
    )?;
    let session = sign_in(host, token)?;
    let head =
        format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {session}\r\n\r\n");
    let (status, body) = exchange(host, &head, "")?;
    let value: Value = serde_json::from_slice(&body)
        .with_context(|| format!("{host}: answered with something that is no JSON"))?;
    if status != 200 {
        bail!(
            "{host}: {}",
            value["detail"].as_str().or(value["title"].as_str()).unwrap_or("refused")
        );
    }
    Ok(value)
}

fn sign_in(host: &str, token: &str) -> Result<String> {
    let body = serde_json::json!({ "token": token }).to_string();
    let head = format!(
        "POST /api/v1/session HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (status, answer) = exchange(host, &head, &body)?;
    let value: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let session = value["token"].as_str().or(value["session"].as_str());
    match session {
        Some(session) if status < 300 => Ok(session.to_owned()),
        _ => bail!(
            "{host}: sign-in refused: {}",
            value["detail"].as_str().unwrap_or("is the token right?")
        ),
    }
}

fn exchange(host: &str, head: &str, body: &str) -> Result<(u16, Vec<u8>)> {
    let reach = || format!("{host}: cannot be reached. Is 'wardwatch run' running there?");
    let mut stream = TcpStream::connect(host).with_context(reach)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .with_context(reach)?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).with_context(reach)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").with_context(reach)?;
    let status = std::str::from_utf8(&answer[..end])
        .ok()
        .and_then(|head| head.split(' ').nth(1)?.parse().ok())
        .with_context(reach)?;
    Ok((status, answer.split_off(end + 4)))
}
