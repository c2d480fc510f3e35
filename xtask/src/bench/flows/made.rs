//! Captures with more flows than real ones have.
//!
//! Payload is a few bytes, so that ten million packets stay below a gigabyte on disk. Flows come in
//! an order without any locality, another one in each round, as on the uplink of a large network.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::super::Size;
use super::super::shift::words;

const SYN: u8 = 2;
const PUSH: u8 = 8;
const ACK: u8 = 16;

/// Unix time of the first packet, in microseconds.
const START: u64 = 1_700_000_000_000_000;

/// Microseconds between two packets: a million packets a second.
const PACE: u64 = 1;

/// Between two messages of a clinical connection.
const CLINICAL_EVERY: u64 = 2_000_000;

/// IPv4 address and port.
type End = (u32, u16);

/// A segment without its ends.
struct Segment<'a> {
    flags: u8,
    seq: u32,
    ack: u32,
    payload: &'a [u8],
}

/// Writes packets.
struct Writer {
    out: BufWriter<File>,
    size: Size,
    frame: Vec<u8>,
}

impl Writer {
    fn new(file: File) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        out.write_all(&[0, 0, 4, 0, 1, 0, 0, 0])?;
        Ok(Self { out, size: Size::default(), frame: Vec::new() })
    }

    /// At microseconds after the beginning.
    fn send(&mut self, at: u64, from: End, to: End, segment: &Segment<'_>) -> io::Result<()> {
        tcp(&mut self.frame, from, to, segment);
        let (at, length) = (START + at, self.frame.len() as u32);
        for word in [(at / 1_000_000) as u32, (at % 1_000_000) as u32, length, length] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(&self.frame)?;
        self.size.packets += 1;
        self.size.bytes += u64::from(length);
        Ok(())
    }

    fn finish(mut self) -> io::Result<Size> {
        self.out.flush()?;
        Ok(self.size)
    }
}

/// An Ethernet frame with right checksums.
fn tcp(frame: &mut Vec<u8>, from: End, to: End, segment: &Segment<'_>) {
    frame.clear();
    for (address, _) in [to, from] {
        frame.extend([2, 0]);
        frame.extend(address.to_be_bytes());
    }
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((40 + segment.payload.len() as u16).to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(from.0.to_be_bytes());
    frame.extend(to.0.to_be_bytes());
    frame.extend(from.1.to_be_bytes());
    frame.extend(to.1.to_be_bytes());
    frame.extend(segment.seq.to_be_bytes());
    frame.extend(segment.ack.to_be_bytes());
    frame.extend([0x50, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(segment.payload);
    let head = folded(words(&frame[14..34]));
    frame[24..26].copy_from_slice(&head);
    let odd = frame.len() % 2 == 1;
    if odd {
        frame.push(0);
    }
    let length = 20 + segment.payload.len() as u32;
    let sum = folded(words(&frame[26..]) + 6 + length);
    if odd {
        frame.pop();
    }
    frame[50..52].copy_from_slice(&sum);
}

/// The checksum of a sum of words (RFC 1071).
fn folded(mut sum: u32) -> [u8; 2] {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// The `n`th of `count` in an order without locality, another one for each round. The steps are
/// primes, which share no factor with a count that they do not divide.
fn shuffled(n: u32, count: u32, round: u32) -> u32 {
    const STEPS: [u64; 4] = [618_033_989, 754_877_669, 569_840_311, 819_172_513];
    let step = STEPS[round as usize % STEPS.len()];
    (u64::from(n) * step % u64::from(count.max(1))) as u32
}

/// Connections, all open at once: handshakes, then questions and answers in rounds. Ten packets for
/// each and an eleventh for nine in ten: 10.9 on average. Without any, one packet.
pub(super) fn open(file: File, count: u32) -> io::Result<Size> {
    let mut writer = Writer::new(file)?;
    if count == 0 {
        let syn = Segment { flags: SYN, seq: 1, ack: 0, payload: &[] };
        writer.send(0, (0x0a00_0001, 40_000), (0x0a00_0002, 104), &syn)?;
    }
    let mut at = 0;
    for round in 0..11 {
        let some = if round == 10 { count / 10 * 9 } else { count };
        for n in 0..some {
            let flow = shuffled(n, count, round);
            let client = (0x0a00_0000 + flow % 50_000, 32_768 + (flow / 50_000) as u16);
            let server = (0xac10_0000 + flow % 997, 9_000 + (flow % 13) as u16);
            // What no protocol begins with.
            let mut payload = [0xf3; 16];
            payload[4..8].copy_from_slice(&flow.to_be_bytes());
            let isn = flow.wrapping_mul(2_654_435_761);
            let sent = round.saturating_sub(2) / 2 * 16;
            let (flags, from_client, payload) = match round {
                0 => (SYN, true, &[][..]),
                1 => (SYN | ACK, false, &[][..]),
                2 => (ACK, true, &[][..]),
                round => (ACK | PUSH, round % 2 == 1, &payload[..]),
            };
            let (seq, ack) = match (round, from_client) {
                (0, _) => (isn, 0),
                (1, _) => (isn, isn.wrapping_add(1)),
                (_, true) => (isn.wrapping_add(1 + sent), isn.wrapping_add(1 + sent)),
                (_, false) => (isn.wrapping_add(1 + sent - 16), isn.wrapping_add(1 + sent)),
            };
            let (from, to) = if from_client { (client, server) } else { (server, client) };
            writer.send(at, from, to, &Segment { flags, seq, ack, payload })?;
            at += PACE;
        }
    }
    writer.finish()
}

/// A result as an analyser sends it (HL7 v2.5 in MLLP), and its acknowledgement.
const RESULT: &[u8] = b"\x0bMSH|^~\\&|LAB|WARD|LIS|CORE|20240101120000||ORU^R01|1|P|2.5\r\
    OBR|1||7|GLU\rOBX|1|NM|GLU||5.4|mmol/L|3.9-5.8|N|||F\r\x1c\r";
const ACCEPTED: &[u8] =
    b"\x0bMSH|^~\\&|LIS|CORE|LAB|WARD|20240101120001||ACK^R01|1|P|2.5\rMSA|AA|1\r\x1c\r";

/// A scan from one host, each packet to another door, and connections between analysers and their
/// server that send a result now and then and once more in the end.
pub(super) fn scan(file: File, doors: u32, clinical: u32) -> io::Result<Size> {
    let mut writer = Writer::new(file)?;
    let client = |n: u32| (0x0a01_0000 | n, 40_000);
    let server = (0x0a02_0001, 2_575);
    let mut at = 0;
    let mut rounds = 0;
    for n in 0..clinical {
        let hello = [(SYN, true, 100, 0), (SYN | ACK, false, 700, 101), (ACK, true, 101, 701)];
        for (flags, ours, seq, ack) in hello {
            let (from, to) = if ours { (client(n), server) } else { (server, client(n)) };
            writer.send(at, from, to, &Segment { flags, seq, ack, payload: &[] })?;
            at += PACE;
        }
    }
    let mut results = |writer: &mut Writer, at: &mut u64| {
        let sent = 101 + rounds * RESULT.len() as u32;
        let heard = 701 + rounds * ACCEPTED.len() as u32;
        rounds += 1;
        for n in (0..clinical).map(|n| shuffled(n, clinical, rounds)) {
            let flags = ACK | PUSH;
            let question = Segment { flags, seq: sent, ack: heard, payload: RESULT };
            writer.send(*at, client(n), server, &question)?;
            let ack = sent + RESULT.len() as u32;
            let answer = Segment { flags, seq: heard, ack, payload: ACCEPTED };
            writer.send(*at + PACE, server, client(n), &answer)?;
            *at += 2 * PACE;
        }
        io::Result::Ok(())
    };
    results(&mut writer, &mut at)?;
    let mut due = CLINICAL_EVERY;
    for n in 0..doors {
        let host = 0x0a80_0000 + n % 65_536;
        let door = (host, 1 + (n / 65_536) as u16);
        let probe = Segment { flags: SYN, seq: n, ack: 0, payload: &[] };
        writer.send(at, (0x0a63_0909, 55_555), door, &probe)?;
        at += PACE;
        if at >= due {
            results(&mut writer, &mut at)?;
            due += CLINICAL_EVERY;
        }
    }
    results(&mut writer, &mut at)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::super::pcap::Capture;
    use super::*;

    fn made(name: &str, make: impl FnOnce(File) -> io::Result<Size>) -> Capture {
        let path = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        let size = make(File::create(&path).unwrap()).unwrap();
        let capture = Capture::read(&std::fs::read(&path).unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(capture.packets.len() as u64, size.packets);
        capture
    }

    /// Both ends in order: a flow.
    fn flow(frame: &[u8]) -> BTreeSet<[u8; 6]> {
        let end = |ip: usize, port: usize| {
            let mut end = [0; 6];
            end[..4].copy_from_slice(&frame[ip..ip + 4]);
            end[4..].copy_from_slice(&frame[port..port + 2]);
            end
        };
        [end(26, 34), end(30, 36)].into()
    }

    #[test]
    fn connections_have_right_numbers_and_checksums_and_are_open_at_once() {
        let capture = made("open", |file| open(file, 1_000));
        assert_eq!(capture.packets.len(), 10_900);
        let mut next: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        for packet in &capture.packets {
            let frame = &packet.data;
            let mut all = frame[26..].to_vec();
            all.resize(all.len().next_multiple_of(2), 0);
            assert_eq!((words(&all) + 6 + (frame.len() as u32 - 34)) % 0xffff, 0, "TCP's checksum");
            assert_eq!(words(&frame[14..34]) % 0xffff, 0, "that of IP");
            let seq = u32::from_be_bytes(frame[38..42].try_into().unwrap());
            let sent = next.entry(frame[26..38].to_vec()).or_insert(seq);
            assert_eq!(*sent, seq, "no hole and no repetition");
            let syn = u32::from(frame[47] & SYN != 0);
            *sent = seq.wrapping_add(frame.len() as u32 - 54 + syn);
            assert!([SYN, SYN | ACK, ACK, ACK | PUSH].contains(&frame[47]), "none ends");
        }
        let flows: BTreeSet<_> =
            capture.packets[..1_000].iter().map(|packet| flow(&packet.data)).collect();
        assert_eq!((flows.len(), next.len()), (1_000, 2_000));
    }

    #[test]
    fn every_door_is_tried_once_and_clinical_connections_speak_in_the_end() {
        let capture = made("scan", |file| scan(file, 70_000, 5));
        let flows: BTreeSet<_> = capture.packets.iter().map(|packet| flow(&packet.data)).collect();
        assert_eq!(flows.len(), 70_005);
        let last = &capture.packets[capture.packets.len() - 1].data;
        assert!(last.ends_with(ACCEPTED));
        let results = capture.packets.iter().filter(|packet| packet.data.ends_with(RESULT)).count();
        assert_eq!(results, 10);
    }
}
