//! `wardwatch enforce`, the process that tells enforcers what was approved; and `halt`.

use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::respond::executor::{Executor, HALT, revert_everything};
use ::respond::ledger::Book;
use ::respond::watch::{Packet, Side, Tcp};
use ::respond::{Ask, Clock, Moment, Proto, Receipt};
use anyhow::{Context, Result, bail};
use capture::{LiveConfig, LiveSource};
use model::net::Transport;

use super::place::Place;
use crate::cli::{EnforceArgs, HaltArgs, OfficeArgs};
use crate::tables::say;

/// Held by the one process that enforces for a folder.
const LOCK: &str = "enforce.lock";
/// How long packets are waited for before the ledger is looked at again.
const TURN: Duration = Duration::from_millis(20);
/// Memory of the ring of an interface; only heads of packets are needed.
const RING: usize = 4 << 20;
/// Bytes of a packet that are looked at.
const HEADS: u32 = 192;

/// `wardwatch enforce`.
pub(crate) fn enforce(args: &EnforceArgs) -> Result<ExitCode> {
    let place = Place::of(&args.office)?;
    fs::create_dir_all(place.folder()).with_context(|| place.folder().display().to_string())?;
    let lock = place.folder().join(LOCK);
    let held = File::create(&lock).with_context(|| lock.display().to_string())?;
    if held.try_lock().is_err() {
        bail!("{}: another process enforces for this folder already", lock.display());
    }
    let clock =
        Clock::open().context("without a clock that nobody can set, nothing is enforced")?;
    let enforcers = place.setup.enforcers(place.folder())?;
    if enforcers.is_empty() {
        bail!(crate::exit::Usage::from_error(
            "response.toml names no enforcer: 'wardwatch respond init' writes one to fill in"
        ));
    }
    let names: Vec<_> = enforcers.iter().map(|enforcer| enforcer.name()).collect();
    say(&format!("Enforces through {}.", names.join(", ")));
    let segments = place.setup.segments(place.folder()).map_err(crate::exit::Usage::from_error)?;
    let book = Book::open_with(place.folder(), segments, clock.now()?)?;
    let mut executor = Executor::new(place.folder(), book, enforcers);
    let mut eyes = eyes(&place)?;
    if eyes.is_empty() {
        say(
            "No interface to verify on is named in response.toml: nothing will be 'seen in traffic', nothing is rolled back because care misses it, and policy does nothing by itself.",
        );
        executor = executor.blind();
    }
    let stop = stop_on_signal()?;
    loop {
        turn(&mut executor, &mut eyes, &clock);
        if args.once || stop.load(Ordering::Relaxed) {
            say(
                "Ended. What is in force stays so until its time is over; 'wardwatch halt' ends it now.",
            );
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// An interface on which it is looked whether a restriction took effect.
struct Eye {
    source: LiveSource,
    side: Side,
    link: u32,
}

fn eyes(place: &Place) -> Result<Vec<Eye>> {
    let mut eyes = Vec::new();
    for eye in &place.setup.verify {
        let live = LiveConfig {
            ring_bytes: RING,
            members: 1,
            promiscuous: true,
            snaplen: HEADS,
            ..LiveConfig::on(eye.interface.as_str())
        };
        for source in LiveSource::open(&live)? {
            let link = source.link().0;
            eyes.push(Eye { source, side: eye.side, link });
        }
    }
    Ok(eyes)
}

fn turn(executor: &mut Executor, eyes: &mut [Eye], clock: &Clock) {
    let each = TURN / u32::try_from(eyes.len().max(1)).unwrap_or(1);
    if eyes.is_empty() {
        std::thread::sleep(TURN);
    }
    for eye in &mut *eyes {
        let (side, link) = (eye.side, eye.link);
        let looked = eye.source.poll_batch(each, &mut |packet| {
            if executor.watches()
                && let Some(packet) = head(&packet, link)
            {
                executor.packet(&packet, side);
            }
        });
        if let Err(error) = looked {
            // Blind on one interface is no reason to let go, nor to stop letting go.
            tracing::warn!(%error, "an interface to verify on cannot be read");
            std::thread::sleep(each);
        }
    }
    let mut now = || moment(clock);
    if let Err(error) = executor.step(&mut now) {
        tracing::error!(%error, "the ledger cannot be used: nothing new is enforced");
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn moment(clock: &Clock) -> Moment {
    clock.now().unwrap_or_else(|error| {
        tracing::error!(%error, "the clock since boot cannot be read");
        Moment::default()
    })
}

/// The head of a packet, where a rule could name it.
fn head(packet: &capture::Packet<'_>, link: u32) -> Option<Packet> {
    let wire::decode::Decoded::Packet(decoded) =
        wire::decode::decode(link, packet.wire_len as usize, packet.data)
    else {
        return None;
    };
    let proto = match decoded.transport {
        Transport::Tcp => Proto::Tcp,
        Transport::Udp => Proto::Udp,
        Transport::Icmp | Transport::Icmp6 => Proto::Icmp,
        _ => return None,
    };
    let ports = proto != Proto::Icmp;
    Some(Packet {
        at: packet.at,
        source: decoded.src,
        destination: decoded.dst,
        proto,
        source_port: if ports { decoded.src_port } else { 0 },
        destination_port: if ports { decoded.dst_port } else { 0 },
        tcp: (proto == Proto::Tcp).then(|| Tcp {
            syn: decoded.tcp.flags & wire::decode::Tcp::SYN != 0,
            rst: decoded.tcp.flags & wire::decode::Tcp::RST != 0,
            ack: (decoded.tcp.flags & wire::decode::Tcp::ACK != 0).then_some(decoded.tcp.ack),
        }),
    })
}

fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        let ended = runtime.block_on(crate::instance::signal());
        if ended.is_ok() {
            told.store(true, Ordering::Relaxed);
        }
    });
    Ok(stop)
}

/// `wardwatch halt`: first everything is taken back, then it is written down. Works with a damaged
/// ledger, without a store, and whether or not anything else runs.
pub(crate) fn halt(args: &OfficeArgs, halt: &HaltArgs) -> Result<ExitCode> {
    let place = Place::of(args)?;
    let mut failed = Vec::new();
    // Whoever enforces sees the file and does the same, even where this process may not.
    let file = place.folder().join(HALT);
    if let Err(error) = fs::write(&file, halt.why.as_bytes()) {
        failed.push(format!("{}: {error}", file.display()));
    }
    let receipts = receipts(place.folder());
    let enforcers = place.setup.enforcers(place.folder())?;
    let undone = revert_everything(&enforcers, &receipts);
    failed.extend(undone.iter().map(ToString::to_string));
    let (by, why) =
        (args.user.clone().unwrap_or_else(|| "the command line".to_owned()), halt.why.clone());
    let noted = Clock::open().map_err(anyhow::Error::from).and_then(|clock| {
        let now = clock.now()?;
        let mut book = Book::open(place.folder(), now)?;
        book.ask(&Ask::Halt { by, why }, now)?.map_err(|refused| anyhow::anyhow!("{refused}"))?;
        Ok(book.seal(now)?)
    });
    if let Err(error) = noted {
        failed.push(format!("it could not be written down: {error}"));
    }
    let names: Vec<_> = enforcers.iter().map(|enforcer| enforcer.name()).collect();
    if failed.is_empty() {
        say(&format!("Halted. Everything is taken back from: {}.", names.join(", ")));
        return Ok(ExitCode::SUCCESS);
    }
    failed.iter().for_each(|why| say(&format!("NOT DONE: {why}")));
    bail!("the halt is not complete; what is left runs out by itself")
}

/// What the ledger knows to be in force; nothing where it cannot be read.
fn receipts(folder: &Path) -> Vec<Receipt> {
    let now = Clock::open().and_then(|clock| clock.now()).unwrap_or_default();
    match Book::open(folder, now) {
        Ok(book) => book.desk().actions().flat_map(|action| action.receipts.clone()).collect(),
        Err(_) => Vec::new(),
    }
}
