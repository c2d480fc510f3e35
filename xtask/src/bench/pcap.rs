//! Reading captures for laying them end to end: classic pcap here, pcapng next door.
//!
//! Times become microseconds since the first packet, never go back, and no silence is longer than
//! [`LONGEST_SILENCE`]: with the silences of real captures a chain of some million packets would
//! last for months, and what a program does once a second would be measured instead of what it does
//! for a packet. A packet of a link type
//! that cannot be put into an Ethernet frame is left out and counted.

use super::{link, pcapng};

/// Microseconds.
const LONGEST_SILENCE: u64 = 100_000;

/// Microseconds from the last packet of a capture to the first of the next.
const BETWEEN: u64 = 10_000;

/// Longer packets are believed of no capture (libpcap's `MAXIMUM_SNAPLEN`).
const LONGEST_PACKET: usize = 262_144;

/// A packet as its capture has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a> {
    /// Microseconds since 1970.
    pub(super) at: u64,
    /// libpcap's number.
    pub(super) link: u32,
    /// Length on the wire.
    pub(super) wire_len: u32,
    /// What was captured.
    pub(super) data: &'a [u8],
}

/// An Ethernet frame.
#[derive(Debug)]
pub(super) struct Packet {
    /// Microseconds since the first packet.
    pub(super) at: u64,
    /// Length on the wire.
    pub(super) wire_len: u32,
    /// What was captured.
    pub(super) data: Vec<u8>,
}

/// One capture.
#[derive(Debug, Default)]
pub(super) struct Capture {
    pub(super) packets: Vec<Packet>,
    /// Packets that could not be put into an Ethernet frame.
    pub(super) left_out: u64,
}

impl Capture {
    /// Reads a pcap or pcapng file as far as it is whole.
    ///
    /// # Errors
    /// When it is neither.
    pub(super) fn read(file: &[u8]) -> Result<Self, &'static str> {
        Self::paced(file, LONGEST_SILENCE)
    }

    /// The same with another longest silence, in microseconds.
    ///
    /// # Errors
    /// When it is neither.
    pub(super) fn paced(file: &[u8], longest_silence: u64) -> Result<Self, &'static str> {
        let raw = match file.get(..4).ok_or("too short for a capture")? {
            pcapng::MAGIC => pcapng::packets(file),
            _ => classic(file)?,
        };
        let mut out = Self::default();
        let (mut at, mut before) = (0, raw.first().map_or(0, |first| first.at));
        for packet in raw {
            at += packet.at.saturating_sub(before).min(longest_silence);
            before = packet.at;
            let Some(data) = link::ethernet(packet.link, packet.data) else {
                out.left_out += 1;
                continue;
            };
            let more = packet.wire_len.saturating_sub(packet.data.len() as u32);
            let wire_len = (data.len() as u32).saturating_add(more.min(u32::from(u16::MAX)));
            out.packets.push(Packet { at, wire_len, data });
        }
        Ok(out)
    }

    /// Bytes captured.
    pub(super) fn bytes(&self) -> u64 {
        self.packets.iter().map(|packet| packet.data.len() as u64).sum()
    }
}

/// Packets of several captures, one capture after the other.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) packets: Vec<Packet>,
    /// Microseconds from the first packet to where the next capture begins.
    pub(super) length: u64,
}

impl Chain {
    /// Puts a capture behind the others.
    pub(super) fn add(&mut self, capture: Capture) {
        let start = self.length;
        for packet in capture.packets {
            self.length = start + packet.at + BETWEEN;
            self.packets.push(Packet { at: start + packet.at, ..packet });
        }
    }
}

/// Packets of a classic pcap file.
fn classic(file: &[u8]) -> Result<Vec<Raw<'_>>, &'static str> {
    let (big, nanos) = match file.get(..4) {
        Some([0xd4, 0xc3, 0xb2, 0xa1]) => (false, false),
        Some([0x4d, 0x3c, 0xb2, 0xa1]) => (false, true),
        Some([0xa1, 0xb2, 0xc3, 0xd4]) => (true, false),
        Some([0xa1, 0xb2, 0x3c, 0x4d]) => (true, true),
        _ => return Err("neither pcap nor pcapng"),
    };
    let word = |at: usize| -> Option<u32> {
        let bytes: [u8; 4] = file.get(at..at + 4)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let link = word(20).ok_or("no file header")? & 0xffff;
    let (mut at, mut out) = (24, Vec::new());
    while let (Some(seconds), Some(fraction), Some(captured), Some(wire_len)) =
        (word(at), word(at + 4), word(at + 8), word(at + 12))
    {
        let captured = captured as usize;
        let Some(data) = file.get(at + 16..).and_then(|rest| rest.get(..captured)) else { break };
        if captured > LONGEST_PACKET {
            break;
        }
        let micros = if nanos { fraction / 1_000 } else { fraction };
        let time = u64::from(seconds) * 1_000_000 + u64::from(micros);
        out.push(Raw { at: time, link, wire_len, data });
        at += 16 + captured;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(times: &[u32]) -> Vec<u8> {
        let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        out.extend([0; 12]);
        out.extend(1_u32.to_le_bytes());
        for time in times {
            for word in [*time, 0, 3, 60] {
                out.extend(word.to_le_bytes());
            }
            out.extend([1, 2, 3]);
        }
        out
    }

    #[test]
    fn captures_of_different_years_follow_each_other() {
        let mut chain = Chain::default();
        chain.add(Capture::read(&file(&[1_000, 1_002])).unwrap());
        chain.add(Capture::read(&file(&[7])).unwrap());
        let times: Vec<u64> = chain.packets.iter().map(|packet| packet.at).collect();
        assert_eq!(times, [0, 100_000, 110_000]);
        assert_eq!((chain.length, chain.packets[0].wire_len), (120_000, 60));
    }

    #[test]
    fn a_clock_that_goes_back_or_sleeps_for_a_night_does_not_stretch_the_chain() {
        let capture = Capture::read(&file(&[1_000, 990, 50_000, 50_000])).unwrap();
        let times: Vec<u64> = capture.packets.iter().map(|packet| packet.at).collect();
        assert_eq!(times, [0, 0, 100_000, 100_000]);
    }

    #[test]
    fn a_cut_file_gives_what_is_whole_and_other_files_are_refused() {
        let whole = file(&[1, 2]);
        assert_eq!(Capture::read(&whole[..whole.len() - 1]).unwrap().packets.len(), 1);
        assert!(Capture::read(b"PK\x03\x04 a zip file").is_err());
        assert!(Capture::read(b"x").is_err());
        let mut other = file(&[1]);
        other[20] = 127;
        let capture = Capture::read(&other).unwrap();
        assert_eq!((capture.packets.len(), capture.left_out), (0, 1));
    }
}
