//! Writes capture files: classic pcap with nanoseconds (draft-ietf-opsawg-pcap), Ethernet.

use std::io::{self, Write};

use model::Timestamp;

const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const SNAPSHOT: u32 = 262_144;
const ETHERNET: u32 = 1;

/// Writes the header of a file.
pub(crate) fn header(to: &mut impl Write) -> io::Result<()> {
    to.write_all(&MAGIC_NANOSECONDS.to_le_bytes())?;
    to.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    to.write_all(&SNAPSHOT.to_le_bytes())?;
    to.write_all(&ETHERNET.to_le_bytes())
}

/// Writes a packet.
pub(crate) fn packet(to: &mut impl Write, at: Timestamp, frame: &[u8]) -> io::Result<()> {
    let nanos = at.nanos().rem_euclid(1_000_000_000);
    let length = frame.len() as u32;
    for word in [at.seconds() as u32, nanos as u32, length, length] {
        to.write_all(&word.to_le_bytes())?;
    }
    to.write_all(frame)
}
