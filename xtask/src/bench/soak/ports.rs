//! Gives clients other ports in each round, as their systems would, and mends the checksums.
//!
//! A client's port is one of the range from which systems choose (from 32768, as Linux has it) while
//! the other side's is below. Where both are in that range it cannot be said who is the client, and
//! nothing is changed. UDP and TCP over IPv4 and IPv6, behind VLAN tags too; packets inside others
//! stay as they are.

use super::super::shift::{complement, mend, words};

/// The first port that systems choose by themselves.
const FIRST: u16 = 32_768;

/// Ports from one round to the next; odd, so that all are used before one comes again.
const STEP: u64 = 257;

/// Shifts the client's port of an Ethernet frame by the number of its round.
pub(super) fn shift(frame: &mut [u8], round: u64) {
    let mut at = 12;
    while matches!(frame.get(at..at + 2), Some([0x81, 0x00] | [0x88, 0xa8])) {
        at += 4;
    }
    let (Some(ethertype), Some(packet)) = (pair(frame, at), frame.get_mut(at + 2..)) else {
        return;
    };
    match (ethertype, packet.first().map(|first| first >> 4)) {
        (0x0800, Some(4)) => {
            let header = usize::from(packet[0] & 15) * 4;
            // Later fragments have no ports.
            let first = pair(packet, 6).is_some_and(|fragment| fragment & 0x1fff == 0);
            let protocol = packet.get(9).copied().filter(|_| first && header >= 20);
            transport(protocol, packet.get_mut(header..), round);
        }
        (0x86dd, Some(6)) => {
            let protocol = packet.get(6).copied();
            transport(protocol, packet.get_mut(40..), round);
        }
        _ => {}
    }
}

fn transport(protocol: Option<u8>, segment: Option<&mut [u8]>, round: u64) {
    let (Some(protocol), Some(segment)) = (protocol, segment) else { return };
    let (Some(from), Some(to)) = (pair(segment, 0), pair(segment, 2)) else { return };
    let (at, client) = match (from >= FIRST, to >= FIRST) {
        (true, false) => (0, from),
        (false, true) => (2, to),
        _ => return,
    };
    let sum = match protocol {
        6 => Some(16),
        // Zero says that there is no checksum.
        17 => pair(segment, 6).filter(|sum| *sum != 0).map(|_| 6),
        _ => return,
    };
    let range = u64::from(u16::MAX - FIRST) + 1;
    let moved = FIRST + ((u64::from(client - FIRST) + round * STEP) % range) as u16;
    let before = words(&client.to_be_bytes());
    segment[at..at + 2].copy_from_slice(&moved.to_be_bytes());
    if let Some(sum) = sum {
        mend(segment, sum, before + complement(&moved.to_be_bytes()));
        if protocol == 17 && pair(segment, 6) == Some(0) {
            segment[6..8].fill(0xff);
        }
    }
}

fn pair(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet frame with a TCP or UDP header over IPv4; only its own words are in its checksum.
    fn frame(protocol: u8, from: u16, to: u16) -> Vec<u8> {
        let mut segment = [from.to_be_bytes(), to.to_be_bytes()].concat();
        segment.resize(20, 0);
        let at = if protocol == 6 { 16 } else { 6 };
        let sum = !((words(&segment) % 0xffff) as u16);
        segment[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        let mut out = vec![0; 12];
        out.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol]);
        out.resize(14 + 20, 0);
        out.extend(segment);
        out
    }

    fn ports(frame: &[u8]) -> (Option<u16>, Option<u16>) {
        (pair(frame, 34), pair(frame, 36))
    }

    #[test]
    fn clients_move_both_ways_within_their_range_and_checksums_hold() {
        for protocol in [6, 17] {
            for (from, to) in [(40_000, 104), (104, 40_000), (65_535, 443)] {
                let mut shifted = frame(protocol, from, to);
                shift(&mut shifted, 3);
                let range = |port: u16| FIRST + (port - FIRST + 771) % 32_768;
                let expected = if from < FIRST { (from, range(to)) } else { (range(from), to) };
                assert_eq!(ports(&shifted), (Some(expected.0), Some(expected.1)));
                assert!(words(&shifted[34..]).is_multiple_of(0xffff), "{protocol} {from} {to}");
            }
        }
    }

    #[test]
    fn servers_later_fragments_and_other_protocols_stay() {
        for mut same in [frame(6, 104, 105), frame(6, 40_000, 50_000), frame(1, 40_000, 104)] {
            let before = same.clone();
            shift(&mut same, 9);
            assert_eq!(same, before);
        }
        let mut fragment = frame(17, 40_000, 53);
        fragment[21] = 7;
        let before = fragment.clone();
        shift(&mut fragment, 9);
        assert_eq!(fragment, before);
    }

    #[test]
    fn cut_frames_are_left_alone() {
        let whole = frame(6, 40_000, 104);
        for length in 0..whole.len() {
            shift(&mut whole[..length].to_vec(), 5);
        }
    }
}
