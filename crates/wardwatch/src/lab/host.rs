//! What a host of the lab does, each as a process of its own in its namespace: `wardwatch lab-host`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use capture::{LiveConfig, LiveSource};
use serde_json::{Value, json};

use super::{clock, mllp};
use crate::cli::{LabHostArgs, LabHostCommand as Host};
use crate::tables::say;

/// Environment variables with the administrator's token and with the password of all accounts.
pub(super) const TOKEN: &str = "WARDWATCH_LAB_TOKEN";
pub(super) const PASSWORD: &str = "WARDWATCH_PASSWORD";
/// Password that the log-on of the lab accepts, which nobody guesses.
const RIGHT: &str = "bGFiOm5vYm9keS1ndWVzc2VzLXRoaXM=";

/// `wardwatch lab-host`.
pub(crate) fn host(args: &LabHostArgs) -> Result<ExitCode> {
    let done = match &args.command {
        Host::MllpServer { listen, note } => mllp::server(*listen, note).map(|()| true),
        Host::MllpClient { to, name, note, every_ms, sends } => {
            mllp::client(*to, name, note, ms(*every_ms), *sends).map(|()| true)
        }
        Host::Repeat { note, every_ms, times, command } => {
            repeat(note, ms(*every_ms), *times, command).map(|()| true)
        }
        Host::Serve { ports } => serve(ports).map(|()| true),
        Host::Fetch { from, path, timeout_ms } => Ok(fetch(*from, path, ms(*timeout_ms)).is_ok()),
        Host::Knock { at, timeout_ms } => {
            Ok(TcpStream::connect_timeout(at, ms(*timeout_ms)).is_ok())
        }
        Host::First { interface, from } => first(interface, *from).map(|()| true),
        Host::Accounts { api, accounts } => make_accounts(*api, accounts).map(|()| true),
    };
    Ok(if done? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A line of the log is `NUMBER BEGUN_NS ok` or `NUMBER BEGUN_NS lost`.
fn repeat(log: &Path, every: Duration, times: u64, words: &[String]) -> Result<()> {
    let mut log = File::create(log)?;
    let (program, rest) = words.split_first().context("no command")?;
    for number in 1..=times {
        let (begun, at) = (clock::nanos(), Instant::now());
        let rest = rest.iter().map(|word| word.replace("{n}", &number.to_string()));
        let ended = Command::new(program)
            .args(rest)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| program.clone())?;
        writeln!(log, "{number} {begun} {}", if ended.success() { "ok" } else { "lost" })?;
        std::thread::sleep(every.saturating_sub(at.elapsed()));
    }
    Ok(())
}

/// What is served at a port.
#[derive(Clone, Copy)]
enum Served {
    /// Takes everything, says nothing.
    Sink,
    /// A page behind a log-on.
    Login,
    /// A camera's services.
    Onvif,
    /// A printer's.
    Ipp,
}

fn serve(ports: &[String]) -> Result<()> {
    let mut threads = Vec::new();
    for text in ports {
        let (port, what) = text.split_once('=').context("give PORT=WHAT")?;
        let what = match what {
            "sink" => Served::Sink,
            "login" => Served::Login,
            "onvif" => Served::Onvif,
            "ipp" => Served::Ipp,
            _ => bail!("'{what}' is nothing that can be served"),
        };
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port.parse()?))
            .with_context(|| format!("port {port}"))?;
        threads.push(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(&stream, what));
            }
        }));
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

fn answer(stream: &TcpStream, what: Served) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut reader = BufReader::new(stream);
    if matches!(what, Served::Sink) {
        let mut bytes = [0; 4_096];
        while reader.read(&mut bytes).ok()? > 0 {}
        return Some(());
    }
    loop {
        let (mut first, mut known) = (String::new(), false);
        reader.by_ref().take(8_192).read_line(&mut first).ok()?;
        loop {
            let mut line = String::new();
            reader.by_ref().take(8_192).read_line(&mut line).ok()?;
            known |= line.contains(RIGHT);
            if line.trim_end().is_empty() {
                break;
            }
        }
        let open = known || !matches!(what, Served::Login) || !first.contains("/login");
        let (status, kind) = match what {
            _ if !open => ("401 Unauthorized", "text/html"),
            Served::Ipp => ("200 OK", "application/ipp"),
            Served::Onvif => ("200 OK", "application/soap+xml"),
            _ => ("200 OK", "text/html"),
        };
        let asks = if open { "" } else { "WWW-Authenticate: Basic realm=\"ward\"\r\n" };
        let body = "<html><body>Synthetic Hospital</body></html>";
        let mut out = stream;
        write!(
            out,
            "HTTP/1.1 {status}\r\nServer: lab\r\n{asks}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
    }
}

fn fetch(from: SocketAddr, path: &str, patience: Duration) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&from, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {from}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).take(1_024).read_line(&mut line)?;
    anyhow::ensure!(line.starts_with("HTTP/1.1 "), "no answer");
    Ok(())
}

/// `ready`, then the time of the first packet.
fn first(interface: &str, from: Ipv4Addr) -> Result<()> {
    let live = LiveConfig {
        ring_bytes: 1 << 20,
        members: 1,
        promiscuous: true,
        snaplen: 128,
        ..LiveConfig::on(interface)
    };
    let mut source = LiveSource::open(&live)?.pop().context("no interface")?;
    let link = source.link().0;
    say("ready");
    loop {
        let mut seen = None;
        source.poll_batch(ms(50), &mut |packet| {
            let decoded = wire::decode::decode(link, packet.wire_len as usize, packet.data);
            if let wire::decode::Decoded::Packet(decoded) = decoded
                && decoded.src == from
            {
                seen.get_or_insert(packet.at);
            }
        })?;
        if let Some(at) = seen {
            say(&at.nanos().to_string());
            return Ok(());
        }
    }
}

fn make_accounts(api: SocketAddr, accounts: &[String]) -> Result<()> {
    let token = std::env::var(TOKEN).context(TOKEN)?;
    let password = std::env::var(PASSWORD).context(PASSWORD)?;
    let session = call(api, None, "/api/v1/session", &json!({ "token": token }))?;
    let session = session["token"].as_str().context("no session")?.to_owned();
    for account in accounts {
        let (name, role) = account.split_once('=').context("give NAME=ROLE")?;
        let body = json!({ "name": name, "password": password, "role": role });
        call(api, Some(&session), "/api/v1/users", &body)?;
    }
    Ok(())
}

fn call(api: SocketAddr, session: Option<&str>, path: &str, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let who = session.map(|s| format!("Authorization: Bearer {s}\r\n")).unwrap_or_default();
    let mut stream = TcpStream::connect_timeout(&api, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "POST {path} HTTP/1.0\r\nHost: {api}\r\n{who}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let good = head.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
    anyhow::ensure!(good, "{path}: {head}\n{body}");
    Ok(serde_json::from_str(body).unwrap_or_default())
}
