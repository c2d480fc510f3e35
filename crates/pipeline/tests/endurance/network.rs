//! Frames and conversations between two hosts, and conversations of the recorded captures.

use std::path::{Path, PathBuf};

/// Nanoseconds since 1970 at which made-up traffic begins.
pub(crate) const START: i64 = 1_800_000_000_000_000_000;

pub(crate) const MILLISECOND: i64 = 1_000_000;
pub(crate) const SECOND: i64 = 1_000 * MILLISECOND;

/// An Ethernet frame at a time.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) at: i64,
    pub(crate) bytes: Vec<u8>,
}

/// A TCP connection between a client and a server in 10.0.0.0/24, spoken by turns.
pub(crate) struct Talk {
    ends: [(u8, u16); 2],
    next: [u32; 2],
    at: i64,
    pub(crate) frames: Vec<Frame>,
}

/// Who speaks: 0 is the client, 1 the server.
pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

const SYN: u8 = 2;
const ACK: u8 = 16;
const LONGEST: usize = 1_400;

impl Talk {
    /// A connection that begins with these sequence numbers.
    pub(crate) fn open(ends: [(u8, u16); 2], first: [u32; 2], at: i64) -> Self {
        let mut talk = Self { ends, next: first, at, frames: Vec::new() };
        talk.segment(CLIENT, SYN, &[]);
        talk.segment(SERVER, SYN | ACK, &[]);
        talk.segment(CLIENT, ACK, &[]);
        talk
    }

    /// Says bytes, in as many segments as it takes, a tenth of a millisecond apart.
    pub(crate) fn say(&mut self, who: usize, bytes: &[u8]) -> &mut Self {
        bytes.chunks(LONGEST).for_each(|piece| self.segment(who, ACK, piece));
        self
    }

    fn segment(&mut self, who: usize, flags: u8, payload: &[u8]) {
        let other = 1 - who;
        let ((from, from_port), (to, to_port)) = (self.ends[who], self.ends[other]);
        let mut tcp = [from_port.to_be_bytes(), to_port.to_be_bytes()].concat();
        tcp.extend(self.next[who].to_be_bytes());
        tcp.extend(self.next[other].to_be_bytes());
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        let more = payload.len() as u32 + u32::from(flags & SYN != 0);
        self.next[who] = self.next[who].wrapping_add(more);
        self.frames.push(Frame { at: self.at, bytes: ethernet(from, to, 6, &tcp) });
        self.at += MILLISECOND / 10;
    }
}

/// A UDP datagram.
pub(crate) fn datagram(from: (u8, u16), to: (u8, u16), payload: &[u8]) -> Vec<u8> {
    let mut udp = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
    udp.extend((payload.len() as u16 + 8).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    ethernet(from.0, to.0, 17, &udp)
}

fn ethernet(from: u8, to: u8, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0, 0x45, 0];
    out.extend((payload.len() as u16 + 20).to_be_bytes());
    out.extend([0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, from, 10, 0, 0, to]);
    out.extend(payload);
    out
}

/// A web attack that is found by its words alone, whoever does it.
pub(crate) fn attack(at: i64) -> Vec<Frame> {
    let mut talk = Talk::open([(201, 45_000), (202, 80)], [7, 9], at);
    talk.say(CLIENT, b"GET /cgi-bin/../../../../etc/passwd HTTP/1.1\r\nHost: pacs\r\n\r\n");
    talk.say(SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nroot");
    talk.frames
}

/// Every recorded capture of the project.
pub(crate) fn recorded() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let list = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut found: Vec<PathBuf> =
        list(&root).iter().filter(|path| path.is_dir()).flat_map(|folder| list(folder)).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "pcap"));
    found.sort();
    found
}

/// A packet of a recording.
pub(crate) struct Recorded {
    pub(crate) at: i64,
    pub(crate) link: u32,
    pub(crate) bytes: Vec<u8>,
}

/// The packets of a recording.
pub(crate) fn packets(path: &Path) -> Vec<Recorded> {
    let mut files = capture::Files::new([path]);
    let mut out = Vec::new();
    while let Some(block) = files.next_block().unwrap() {
        out.extend(block.packets().map(|packet| Recorded {
            at: packet.at.nanos(),
            link: packet.link.0,
            bytes: packet.data.to_vec(),
        }));
    }
    out
}

/// Where in an Ethernet frame over IPv4 or IPv6 something begins.
struct Places {
    /// Both addresses, and the length of one.
    addresses: (usize, usize),
    /// TCP, UDP or ICMP.
    transport: usize,
    /// What they carry, up to the end of the packet.
    payload: (usize, usize),
}

fn places(frame: &[u8]) -> Option<Places> {
    let word =
        |at: usize| Some(usize::from(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?])));
    let (addresses, protocol, transport, end) = match word(12)? {
        0x0800 => {
            let header = usize::from(frame.get(14)? & 15) * 4;
            ((26, 4), *frame.get(23)?, 14 + header, 14 + word(16)?)
        }
        0x86dd => ((22, 16), *frame.get(20)?, 54, 54 + word(18)?),
        _ => return None,
    };
    let header = match protocol {
        6 => usize::from(frame.get(transport + 12)? >> 4) * 4,
        17 => 8,
        1 | 58 => 4,
        _ => return None,
    };
    Some(Places { addresses, transport, payload: (transport + header, end.min(frame.len())) })
}

/// Where in a frame the payload of TCP, UDP or ICMP is; none for other frames and those without.
pub(crate) fn payload(frame: &[u8]) -> Option<std::ops::Range<usize>> {
    let (from, to) = places(frame)?.payload;
    (from < to).then_some(from..to)
}

/// Address and port of who sent a frame, then of who is to have it.
type Ends = [Vec<u8>; 2];

/// Both ends of a frame over IPv4 or IPv6.
pub(crate) fn ends(frame: &[u8]) -> Option<Ends> {
    let Places { addresses: (at, length), transport, .. } = places(frame)?;
    let end = |address: usize, port: usize| {
        Some([frame.get(address..address + length)?, frame.get(port..port + 2)?].concat())
    };
    Some([end(at, transport)?, end(at + length, transport + 2)?])
}

/// The packets of each conversation of a recording by themselves; what is none is one together.
pub(crate) fn conversations(recording: Vec<Recorded>) -> Vec<Vec<Recorded>> {
    let mut out: Vec<(Option<Ends>, Vec<Recorded>)> = Vec::new();
    for packet in recording {
        let mut ends = ends(&packet.bytes);
        ends.iter_mut().for_each(|both| both.sort());
        match out.iter_mut().find(|(known, _)| *known == ends) {
            Some((_, packets)) => packets.push(packet),
            None => out.push((ends, vec![packet])),
        }
    }
    out.into_iter().map(|(_, packets)| packets).collect()
}
