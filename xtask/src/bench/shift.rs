//! Gives the stations of a packet other addresses, and mends the checksums by what changed
//! (RFC 1624), so that a wrong checksum stays wrong and a right one right.
//!
//! Ethernet, ARP, IPv4 and IPv6 are changed, and the packet inside an ICMP error. What protocols say
//! of addresses (DNS, DHCP) and packets inside tunnels stay as they are.

/// Shifts all addresses of an Ethernet frame by the number of its copy.
pub(super) fn shift(frame: &mut [u8], copy: u16) {
    for start in [0, 6] {
        mac(frame, start, copy);
    }
    let mut at = 12;
    while matches!(frame.get(at..at + 2), Some([0x81, 0x00] | [0x88, 0xa8])) {
        at += 4;
    }
    let Some(ethertype) = frame.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]])) else {
        return;
    };
    let Some(body) = frame.get_mut(at + 2..) else { return };
    match ethertype {
        0x0800 => ipv4(body, copy),
        0x86dd => ipv6(body, copy),
        0x0806 => {
            for start in [8, 18] {
                mac(body, start, copy);
            }
            for start in [14, 24] {
                ipv4_address(body, start, copy);
            }
        }
        _ => {}
    }
}

/// Stations only: group addresses mean the same everywhere, and zero is no address.
fn mac(bytes: &mut [u8], start: usize, copy: u16) {
    let Some(mac) = bytes.get_mut(start..start + 6) else { return };
    if mac[0] & 1 == 0 && mac.iter().any(|byte| *byte != 0) {
        add(&mut mac[3..5], copy);
    }
}

/// Second octet, and third once that has gone round. Hands back the change to a checksum.
fn ipv4_address(bytes: &mut [u8], start: usize, copy: u16) -> u32 {
    let Some(address) = bytes.get_mut(start..start + 4) else { return 0 };
    if address[0] == 0 || address[0] == 127 || address[0] >= 224 {
        return 0;
    }
    let before = words(address);
    address[1] = address[1].wrapping_add(copy as u8);
    address[2] = address[2].wrapping_add((copy >> 8) as u8);
    before + complement(address)
}

fn ipv4(packet: &mut [u8], copy: u16) {
    let Some(&first) = packet.first() else { return };
    let header = usize::from(first & 15) * 4;
    if first >> 4 != 4 || header < 20 || packet.len() < header {
        return;
    }
    let change = ipv4_address(packet, 12, copy) + ipv4_address(packet, 16, copy);
    mend(packet, 10, change);
    let first_fragment = packet[6] & 0x1f == 0 && packet[7] == 0;
    let protocol = packet[9];
    let Some(body) = packet.get_mut(header..).filter(|_| first_fragment) else { return };
    match protocol {
        // The checksum of the inner header mends what its addresses changed, so that the sum of
        // ICMP over both stays.
        1 if matches!(body.first(), Some(3 | 4 | 5 | 11 | 12)) => {
            if let Some(inner) = body.get_mut(8..).filter(|inner| inner.len() >= 20) {
                let change = ipv4_address(inner, 12, copy) + ipv4_address(inner, 16, copy);
                mend(inner, 10, change);
            }
        }
        _ => transport(protocol, body, change),
    }
}

fn ipv6(packet: &mut [u8], copy: u16) {
    if packet.len() < 40 || packet[0] >> 4 != 6 {
        return;
    }
    let mut change = 0;
    for start in [8, 24] {
        let address = &mut packet[start..start + 16];
        // Not multicast, not unspecified or loopback.
        if address[0] != 0xff && address[..15].iter().any(|byte| *byte != 0) {
            let before = words(&address[4..6]);
            add(&mut address[4..6], copy);
            change += before + complement(&address[4..6]);
        }
    }
    let protocol = packet[6];
    transport(protocol, &mut packet[40..], change);
}

/// Mends the checksum of TCP, UDP or ICMPv6, which covers the addresses.
fn transport(protocol: u8, body: &mut [u8], change: u32) {
    match protocol {
        6 => mend(body, 16, change),
        58 => mend(body, 2, change),
        // Zero says that there is none.
        17 if body.get(6..8).is_some_and(|sum| sum != [0, 0]) => {
            mend(body, 6, change);
            if let Some(sum) = body.get_mut(6..8).filter(|sum| **sum == [0, 0]) {
                sum.fill(0xff);
            }
        }
        _ => {}
    }
}

/// Sum of the 16-bit words.
pub(super) fn words(bytes: &[u8]) -> u32 {
    bytes.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum()
}

/// Sum of the complements of the 16-bit words.
pub(super) fn complement(bytes: &[u8]) -> u32 {
    bytes.chunks_exact(2).map(|pair| u32::from(!u16::from_be_bytes([pair[0], pair[1]]))).sum()
}

/// `change` is what was there plus the complement of what is there now.
pub(super) fn mend(bytes: &mut [u8], at: usize, change: u32) {
    let Some(sum) = bytes.get_mut(at..at + 2).filter(|_| change != 0) else { return };
    let mut total = u32::from(u16::from_be_bytes([sum[0], sum[1]])) + change;
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    sum.copy_from_slice(&(total as u16).to_be_bytes());
}

fn add(pair: &mut [u8], copy: u16) {
    let sum = u16::from_be_bytes([pair[0], pair[1]]).wrapping_add(copy);
    pair.copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether words add up to what a right checksum makes of them (RFC 1071).
    fn adds_up(bytes: &[u8]) -> bool {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(2), 0);
        words(&padded).is_multiple_of(0xffff)
    }

    fn put_sum(bytes: &mut [u8], at: usize, extra: &[u8]) {
        bytes[at..at + 2].fill(0);
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(2), 0);
        padded.extend(extra);
        let sum = !((words(&padded) % 0xffff) as u16);
        bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }

    fn pseudo(from_to: &[u8], protocol: u8, length: usize) -> Vec<u8> {
        let length = (length as u16).to_be_bytes();
        [from_to, &[0, protocol], &length].concat()
    }

    fn ethernet(ethertype: u16, body: &[u8]) -> Vec<u8> {
        let head = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        [&head[..], &ethertype.to_be_bytes(), body].concat()
    }

    fn ipv4_packet(protocol: u8, mut body: Vec<u8>, sum_at: usize) -> Vec<u8> {
        let addresses = [10, 1, 2, 3, 192, 168, 255, 254];
        let total = (20 + body.len() as u16).to_be_bytes();
        let mut head = vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0];
        head.extend(addresses);
        put_sum(&mut head, 10, &[]);
        let extra =
            if protocol == 1 { Vec::new() } else { pseudo(&addresses, protocol, body.len()) };
        put_sum(&mut body, sum_at, &extra);
        [head, body].concat()
    }

    #[test]
    fn checksums_of_ipv4_tcp_and_udp_still_hold() {
        for (protocol, sum_at, length) in [(6, 16, 25), (17, 6, 13)] {
            let body: Vec<u8> = (1..=length).collect();
            let before = ethernet(0x0800, &ipv4_packet(protocol, body, sum_at));
            for copy in [1, 255, 256, 300, 65_535] {
                let mut after = before.clone();
                shift(&mut after, copy);
                let (head, body) = after[14..].split_at(20);
                assert_ne!(head[12..16], before[26..30]);
                assert!(adds_up(head), "copy {copy}");
                let extra = pseudo(&head[12..20], protocol, body.len());
                let mut all = body.to_vec();
                all.resize(body.len().next_multiple_of(2), 0);
                assert!(adds_up(&[all, extra].concat()), "protocol {protocol}, copy {copy}");
            }
        }
    }

    #[test]
    fn an_icmp_error_names_the_shifted_addresses() {
        let inner = ipv4_packet(17, vec![1, 2, 3, 4, 0, 8, 0, 0], 6);
        let body = [&[3, 1, 0, 0, 0, 0, 0, 0][..], &inner].concat();
        let mut frame = ethernet(0x0800, &ipv4_packet(1, body, 2));
        shift(&mut frame, 7);
        let body = &frame[34..];
        assert!(adds_up(body));
        assert!(adds_up(&body[8..28]));
        assert_eq!(body[20..24], frame[26..30], "inner and outer address are the same station");
    }

    #[test]
    fn ipv6_behind_a_vlan_tag_and_arp_are_shifted() {
        let from_to: Vec<u8> = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 1], [0; 8]].concat().repeat(2);
        let mut body: Vec<u8> = (0..12).collect();
        put_sum(&mut body, 2, &pseudo(&from_to, 58, 12));
        let head = [0x60, 0, 0, 0, 0, 12, 58, 64];
        let packet = [&head[..], &from_to, &body].concat();
        let mut frame = ethernet(0x8100, &[&[0, 5, 0x86, 0xdd][..], &packet].concat());
        shift(&mut frame, 9);
        assert_eq!(frame[18 + 12..18 + 14], [0, 9]);
        let extra = pseudo(&frame[18 + 8..18 + 40], 58, 12);
        assert!(adds_up(&[&frame[18 + 40..], &extra].concat()));

        let arp = [
            &[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2][..],
            &[0, 0, 0, 0, 0, 0, 10, 0, 0, 1],
        ]
        .concat();
        let mut frame = ethernet(0x0806, &arp);
        shift(&mut frame, 3);
        assert_eq!(frame[14 + 14..14 + 18], [10, 3, 0, 2]);
        assert_eq!(frame[14 + 18..14 + 24], [0; 6], "an unknown station stays unknown");
    }

    #[test]
    fn group_addresses_and_cut_packets_are_left_alone() {
        let mut frame = ethernet(0x0800, &ipv4_packet(17, vec![0; 8], 6));
        frame[..6].fill(0xff);
        frame[30..34].copy_from_slice(&[239, 1, 1, 1]);
        shift(&mut frame, 5);
        assert_eq!(frame[..6], [0xff; 6]);
        assert_eq!(frame[30..34], [239, 1, 1, 1]);
        for length in 0..frame.len() {
            shift(&mut frame[..length].to_vec(), 5);
        }
    }
}
