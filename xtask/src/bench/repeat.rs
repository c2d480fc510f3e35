//! Lays a chain of packets end to end, each copy with its own addresses and after the one before.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::Size;
use super::pcap::Chain;
use super::shift::shift;

/// Unix time of the first packet.
const START: u64 = 1_700_000_000;

/// Writes whole copies until there are at least so many packets.
pub(super) fn write(chain: &Chain, at_least: u64, path: &Path) -> io::Result<Size> {
    let each = chain.packets.len() as u64;
    if each == 0 {
        return Err(io::Error::other("there are no Ethernet packets in the captures"));
    }
    let copies = at_least.div_ceil(each);
    if START + copies * chain.length / 1_000_000 > u64::from(u32::MAX) {
        return Err(io::Error::other(
            "the copies would run past the year 2106: take a shorter capture",
        ));
    }
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    out.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    out.write_all(&[0, 0, 4, 0, 1, 0, 0, 0])?;
    let mut size = Size::default();
    let mut data = Vec::new();
    for copy in 0..copies {
        let number = u16::try_from(copy).map_err(|_| io::Error::other("too many copies"))?;
        for packet in &chain.packets {
            data.clone_from(&packet.data);
            shift(&mut data, number);
            let at = copy * chain.length + packet.at;
            let seconds = (START + at / 1_000_000) as u32;
            let words = [seconds, (at % 1_000_000) as u32, data.len() as u32, packet.wire_len];
            for word in words {
                out.write_all(&word.to_le_bytes())?;
            }
            out.write_all(&data)?;
            size.packets += 1;
            size.bytes += data.len() as u64;
        }
    }
    out.flush()?;
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::super::pcap::{Capture, Packet};
    use super::*;

    #[test]
    fn copies_follow_each_other_in_time() {
        let packet = |at| Packet { at, wire_len: 14, data: vec![2; 14] };
        let chain = Chain { packets: vec![packet(0), packet(40_000)], length: 140_000 };
        let path = std::env::temp_dir().join(format!("xtask-repeat-{}", std::process::id()));
        let size = write(&chain, 3, &path).unwrap();
        assert_eq!((size.packets, size.bytes), (4, 56));
        let read = Capture::read(&std::fs::read(&path).unwrap()).unwrap();
        let times: Vec<u64> = read.packets.iter().map(|packet| packet.at).collect();
        assert_eq!(times, [0, 40_000, 140_000, 180_000]);
        assert_ne!(read.packets[0].data, read.packets[2].data);
        std::fs::remove_file(&path).unwrap();
        assert!(write(&Chain::default(), 3, &path).is_err());
    }
}
