//! HL7 v2 over MLLP, as monitors and an interface engine speak it, for counting: every message has
//! a number, every acknowledgement is checked, and both ends write down what they saw.
//!
//! Not the parser of the product: what is tested shares no code with what tests it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::clock;
use crate::cli::Sends;

const BEGIN: u8 = 0x0b;
const END: [u8; 2] = [0x1c, 0x0d];
/// An acknowledgement that takes longer is a lost message.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest message that is taken.
const LARGEST: usize = 1 << 16;

/// Takes messages for ever. A line of the log is `SENDER NUMBER`.
pub(super) fn server(listen: SocketAddr, log: &Path) -> Result<()> {
    let listener = TcpListener::bind(listen).with_context(|| listen.to_string())?;
    let log = Arc::new(Mutex::new(File::create(log)?));
    for stream in listener.incoming().flatten() {
        let log = Arc::clone(&log);
        std::thread::spawn(move || serve(stream, &log));
    }
    Ok(())
}

fn serve(stream: TcpStream, log: &Mutex<File>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut out = stream;
    loop {
        let message = frame(&mut reader)?;
        let text = String::from_utf8_lossy(&message);
        let fields: Vec<&str> = text.split('\r').next()?.split('|').collect();
        let (sender, number) = (fields.get(2)?, fields.get(9)?);
        let answer = format!(
            "MSH|^~\\&|ENGINE|LAB|{sender}|LAB|{}||ACK|A{number}|P|2.5\rMSA|AA|{number}\r",
            clock::stamp()
        );
        // Written down before it is acknowledged, as an engine has to.
        writeln!(log.lock().unwrap_or_else(PoisonError::into_inner), "{sender} {number}").ok()?;
        out.write_all(&framed(&answer)).ok()?;
    }
}

/// Sends for ever. A line of the log is `NUMBER SENT_NS MICROSECONDS`, or `NUMBER SENT_NS lost`.
pub(super) fn client(
    to: SocketAddr,
    name: &str,
    log: &Path,
    every: Duration,
    sends: Sends,
) -> Result<()> {
    let mut log = File::create(log)?;
    let mut line: Option<TcpStream> = None;
    let begun = Instant::now();
    for number in 1u32.. {
        let sent = clock::nanos();
        let at = Instant::now();
        let answered = exchange(&mut line, to, &message(name, number, sends), number);
        match answered {
            Ok(()) => writeln!(log, "{number} {sent} {}", at.elapsed().as_micros())?,
            Err(_) => {
                line = None;
                writeln!(log, "{number} {sent} lost")?;
            }
        }
        let next = every.saturating_mul(number);
        std::thread::sleep(next.saturating_sub(begun.elapsed()));
    }
    Ok(())
}

fn exchange(line: &mut Option<TcpStream>, to: SocketAddr, text: &str, number: u32) -> Result<()> {
    let stream = match line {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            line.insert(stream)
        }
    };
    stream.write_all(&framed(text))?;
    let answer = frame(&mut BufReader::new(&mut *stream)).context("no answer")?;
    let answer = String::from_utf8_lossy(&answer);
    let right = format!("MSA|AA|{number}");
    anyhow::ensure!(answer.contains(&right), "another answer: {answer}");
    Ok(())
}

fn message(name: &str, number: u32, sends: Sends) -> String {
    let time = clock::stamp();
    let (patient, what) = match sends {
        Sends::Vitals => (name.to_owned(), "8867-4^Heart rate^LN"),
        Sends::Results => (format!("P{number}"), "2823-3^Potassium^LN"),
    };
    format!(
        "MSH|^~\\&|{name}|LAB|ENGINE|LAB|{time}||ORU^R01^ORU_R01|{number}|P|2.5\r\
         PID|||SYN-{patient}||Synthetic^Patient\rOBR|1|||VITALS|||{time}\r\
         OBX|1|NM|{what}||{}|/min|||||F\r",
        60 + number % 40
    )
}

fn framed(text: &str) -> Vec<u8> {
    let mut out = vec![BEGIN];
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(&END);
    out
}

/// The next message; nothing where the other side is gone or speaks something else.
fn frame(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut limited = reader.take(LARGEST as u64);
    limited.read_until(END[0], &mut message).ok()?;
    let mut last = [0];
    limited.read_exact(&mut last).ok()?;
    let whole = message.first() == Some(&BEGIN) && message.pop() == Some(END[0]);
    (whole && last[0] == END[1]).then(|| message.split_off(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_of_its_frame_and_half_of_one_does_not() {
        let text = message("MON1", 7, Sends::Vitals);
        let mut bytes: &[u8] = &framed(&text);
        assert_eq!(frame(&mut bytes).unwrap(), text.as_bytes());
        let whole = framed(&text);
        assert!(frame(&mut &whole[..whole.len() - 1]).is_none());
        assert!(frame(&mut &whole[1..]).is_none());
    }

    #[test]
    fn every_message_is_acknowledged_by_its_number_and_written_down_at_both_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (taken, sent) = (folder.path().join("taken"), folder.path().join("sent"));
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (at, to) = (taken.clone(), sent.clone());
        std::thread::spawn(move || server(free, &at));
        std::thread::sleep(Duration::from_millis(100));
        std::thread::spawn(move || {
            client(free, "MON1", &to, Duration::from_millis(10), Sends::Vitals)
        });
        std::thread::sleep(Duration::from_millis(500));
        let sent = std::fs::read_to_string(sent).unwrap();
        let taken = std::fs::read_to_string(taken).unwrap();
        assert!(sent.lines().count() >= 5 && !sent.contains("lost"), "{sent}");
        assert!(taken.starts_with("MON1 1\nMON1 2\n"), "{taken}");
    }
}
