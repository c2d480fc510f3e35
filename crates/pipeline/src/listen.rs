//! Takes log records that devices send: syslog over UDP and TCP.
//!
//! Bounded in every way: a record has the reader's cap, a connection that says nothing ends, and
//! there are only so many of them. A record that cannot be read is counted and forgotten.

use std::io::BufReader;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use logs::reader::{LogFile, Step};
use model::observation::Observation;
use model::privacy::SiteKey;

use crate::live::{Counters, Inbox, now};

/// Most connections at once.
const CONNECTIONS: usize = 256;
/// A connection that says nothing for so long ends.
const SILENCE: Duration = Duration::from_secs(600);
/// How often a waiting thread looks whether to stop.
const LOOK: Duration = Duration::from_millis(250);

/// What every listener needs.
#[derive(Clone)]
pub struct Shared {
    /// Key under which patients become tokens.
    pub key: SiteKey,
    /// Where observations go.
    pub inbox: Inbox,
    /// Counts, to be shown.
    pub counters: Arc<Counters>,
    /// Set to end the run.
    pub stop: Arc<AtomicBool>,
}

impl Shared {
    fn hand_over(&self, mut observed: Vec<Observation>, from: IpAddr) -> bool {
        for o in &mut observed {
            // The sender's address says more than the name that a line gives itself.
            if o.is("log.line") && o.subject.ip.is_none() {
                o.subject.ip = Some(from);
            }
        }
        observed.is_empty() || self.inbox.send(observed).is_ok()
    }
}

/// Takes datagrams until told to stop.
pub fn udp(socket: &UdpSocket, shared: &Shared) {
    let mut buffer = vec![0; 64 << 10];
    if socket.set_read_timeout(Some(LOOK)).is_err() {
        return;
    }
    while !shared.stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let record: Vec<u8> = buffer.get(..length).unwrap_or_default().to_vec();
        read(Box::new(std::io::Cursor::new(record)), from.ip(), shared);
    }
}

/// Takes connections until told to stop.
pub fn tcp(listener: &TcpListener, shared: &Shared) {
    if listener.set_nonblocking(true).is_err() {
        return;
    }
    let open = Arc::new(AtomicUsize::new(0));
    while !shared.stop.load(Ordering::Relaxed) {
        let Ok((stream, from)) = listener.accept() else {
            std::thread::sleep(LOOK);
            continue;
        };
        if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            tracing::warn!(%from, "too many log connections: refused");
            continue;
        }
        let (shared, open) = (shared.clone(), Arc::clone(&open));
        std::thread::spawn(move || {
            if let Some(input) = patient(&stream) {
                read(Box::new(input), from.ip(), &shared);
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

fn patient(stream: &TcpStream) -> Option<BufReader<TcpStream>> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(SILENCE)).ok()?;
    stream.try_clone().ok().map(BufReader::new)
}

/// Reads records to the end of the input.
fn read(input: Box<dyn std::io::Read + Send>, from: IpAddr, shared: &Shared) {
    let name = format!("syslog from {from}");
    let Ok(mut file) = LogFile::over(Path::new(&name), input).map(|file| file.came_at(now()))
    else {
        return;
    };
    let mut observed = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        match file.step(&shared.key, &mut observed) {
            Ok(Step::Decoded) => {
                shared.counters.records.fetch_add(1, Ordering::Relaxed);
                if !shared.hand_over(std::mem::take(&mut observed), from) {
                    return;
                }
            }
            Ok(Step::Failed(_)) => {
                shared.counters.record_errors.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Step::End) | Err(_) => return,
        }
    }
}
