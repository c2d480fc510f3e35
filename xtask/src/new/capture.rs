//! The capture that a new protocol starts with: one TCP connection with one request and one answer
//! in the made-up protocol of the template. To be replaced by a capture of the real thing.

/// Flags of TCP (RFC 9293).
const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// A pcap file of raw IP packets.
pub(super) fn pcap(name: &str) -> Vec<u8> {
    let word = name.to_ascii_uppercase();
    let question = format!("{word} READ serial\r\n");
    let answer = format!("{word} IS 4711\r\n");
    let (q, a) = (question.len() as u32, answer.len() as u32);
    let packets = [
        tcp(true, SYN, 0, 0, b""),
        tcp(false, SYN | ACK, 0, 1, b""),
        tcp(true, ACK, 1, 1, b""),
        tcp(true, ACK | PSH, 1, 1, question.as_bytes()),
        tcp(false, ACK | PSH, 1, 1 + q, answer.as_bytes()),
        tcp(true, ACK | FIN, 1 + q, 1 + a, b""),
        tcp(false, ACK | FIN, 1 + a, 2 + q, b""),
        tcp(true, ACK, 2 + q, 2 + a, b""),
    ];
    // Little-endian, microseconds, link type 101: an IP header comes first.
    let mut out = Vec::new();
    out.extend(0xa1b2_c3d4_u32.to_le_bytes());
    out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(65_535_u32.to_le_bytes());
    out.extend(101_u32.to_le_bytes());
    for (number, packet) in (0_u32..).zip(&packets) {
        let length = packet.len() as u32;
        for word in [1_772_000_000, number * 1_000, length, length] {
            out.extend(word.to_le_bytes());
        }
        out.extend(packet);
    }
    out
}

/// One segment between 10.0.0.1:40000, which calls, and 10.0.0.2:9999.
fn tcp(from_caller: bool, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let (caller, called) = ([10, 0, 0, 1, 40_000_u16], [10, 0, 0, 2, 9_999_u16]);
    let (from, to) = if from_caller { (caller, called) } else { (called, caller) };
    let address = |side: [u16; 5]| [side[0] as u8, side[1] as u8, side[2] as u8, side[3] as u8];
    let mut segment = Vec::new();
    segment.extend(from[4].to_be_bytes());
    segment.extend(to[4].to_be_bytes());
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    let length = segment.len() as u16;
    let pseudo =
        [&address(from)[..], &address(to), &[0, 6], &length.to_be_bytes(), &segment].concat();
    segment[16..18].copy_from_slice(&sum(&pseudo).to_be_bytes());
    let total = (20 + length).to_be_bytes();
    let mut header = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0];
    header.extend(address(from));
    header.extend(address(to));
    let check = sum(&header).to_be_bytes();
    header[10..12].copy_from_slice(&check);
    [header, segment].concat()
}

/// The checksum of RFC 1071.
fn sum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or_default()));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_cancel_out() {
        let packet = tcp(true, ACK, 7, 9, b"odd");
        assert_eq!(sum(&packet[..20]), 0);
        let length = (packet.len() - 20) as u16;
        let pseudo = [&packet[12..20], &[0, 6], &length.to_be_bytes(), &packet[20..]].concat();
        assert_eq!(sum(&pseudo), 0);
    }

    #[test]
    fn the_file_is_whole() {
        let file = pcap("x");
        let mut at = 24;
        let mut count = 0;
        while at < file.len() {
            let captured = u32::from_le_bytes(file[at + 8..at + 12].try_into().unwrap());
            at += 16 + captured as usize;
            count += 1;
        }
        assert_eq!((at, count), (file.len(), 8));
    }
}
