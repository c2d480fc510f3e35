//! Walks the packets in one block of a capture ring.
//!
//! The kernel wrote the block, and is believed to be right; still every offset is checked, so
//! that a wrong one costs packets and not memory safety.
//!
//! Network cards and the kernel take VLAN tags out of packets, and cooked packets have no link
//! header at all. Both are put back in place, in the free bytes that lie before each packet: the
//! packet itself is not copied.

use std::ops::Range;

use model::Timestamp;

use crate::cut::Order;
use crate::{LinkType, Packet};

/// Free bytes asked for before each packet: a cooked header (16) and a VLAN tag (4), aligned.
pub(super) const RESERVE: u32 = 32;

/// Bytes of a frame before any packet: `struct tpacket3_hdr`, then `struct sockaddr_ll`.
const FRAME_HEADER: usize = 48 + 20;
/// Of `struct tpacket_block_desc`: the count of packets and the offset of the first.
const BLOCK_PACKETS: usize = 12;
const BLOCK_FIRST: usize = 16;

const ETHERTYPE_VLAN: u16 = 0x8100;
const COOKED_HEADER: usize = 16;

/// Numbers in a ring have the byte order of this machine.
type Native = Order<{ cfg!(target_endian = "big") }>;

/// What to make of the frames of an interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framing {
    pub(super) link: LinkType,
    /// The number that its packets carry.
    pub(super) interface: u16,
    /// Whether packets come twice, on their way out and in (loopback), so that those on their
    /// way out are left away.
    pub(super) skip_outgoing: bool,
}

/// Gives each packet of a block to `each`; how many there were.
pub(super) fn walk(block: &mut [u8], framing: &Framing, each: &mut dyn FnMut(Packet<'_>)) -> usize {
    let frames = Native::u32(block, BLOCK_PACKETS);
    let mut at = Native::u32(block, BLOCK_FIRST) as usize;
    let mut given = 0;
    for _ in 0..frames {
        let Some(frame) = block.get_mut(at..) else { break };
        if frame.len() < FRAME_HEADER {
            break;
        }
        let next = Native::u32(frame, 0) as usize;
        if let Some(packet) = packet(frame, framing) {
            each(packet);
            given += 1;
        }
        if next == 0 {
            break;
        }
        at += next;
    }
    given
}

/// The packet of one frame; none where it is to be left away.
fn packet<'a>(frame: &'a mut [u8], framing: &Framing) -> Option<Packet<'a>> {
    let at = Timestamp::from_parts(Native::u32(frame, 4).into(), Native::u32(frame, 8).into());
    let len = Native::u32(frame, 12) as usize;
    let mut wire_len = Native::u32(frame, 16);
    let status = Native::u32(frame, 20);
    let start = usize::from(Native::u16(frame, 24));
    let pkttype = frame.get(58).copied()?;
    if framing.skip_outgoing && pkttype == libc::PACKET_OUTGOING {
        return None;
    }
    let mut place = start..start.checked_add(len)?;
    frame.get(place.clone())?;
    if framing.link == LinkType::LINUX_SLL {
        place = add_cooked_header(frame, place)?;
        wire_len = wire_len.saturating_add(COOKED_HEADER as u32);
    }
    if status & libc::TP_STATUS_VLAN_VALID != 0 {
        let tpid = match status & libc::TP_STATUS_VLAN_TPID_VALID {
            0 => ETHERTYPE_VLAN,
            _ => Native::u16(frame, 36),
        };
        let tag = (tpid, Native::u32(frame, 32) as u16);
        // The tag stands before the protocol, which ends both kinds of header.
        let before = match framing.link {
            LinkType::ETHERNET => Some(12),
            LinkType::LINUX_SLL => Some(COOKED_HEADER - 2),
            _ => None,
        };
        if let Some(tagged) = before.and_then(|before| add_tag(frame, &place, before, tag)) {
            place = tagged;
            wire_len = wire_len.saturating_add(4);
        }
    }
    let data = frame.get(place)?;
    let wire_len = wire_len.max(data.len() as u32);
    Some(Packet { at, link: framing.link, wire_len, interface: framing.interface, data })
}

/// Puts a VLAN tag back after the first `before` bytes, which move down. None where the packet
/// was cut before that, or where there is no room.
fn add_tag(
    frame: &mut [u8],
    place: &Range<usize>,
    before: usize,
    (tpid, tci): (u16, u16),
) -> Option<Range<usize>> {
    let start = place.start.checked_sub(4).filter(|start| *start >= FRAME_HEADER)?;
    if place.len() < before {
        return None;
    }
    frame.copy_within(place.start..place.start + before, start);
    let tag = frame.get_mut(start + before..start + before + 4)?;
    tag[..2].copy_from_slice(&tpid.to_be_bytes());
    tag[2..].copy_from_slice(&tci.to_be_bytes());
    Some(start..place.end)
}

/// Writes the header of a Linux cooked capture before a packet that came without its own
/// (LINKTYPE_LINUX_SLL): from the address that the kernel left in the frame.
fn add_cooked_header(frame: &mut [u8], place: Range<usize>) -> Option<Range<usize>> {
    let start = place.start.checked_sub(COOKED_HEADER).filter(|start| *start >= FRAME_HEADER)?;
    let mut header = [0; COOKED_HEADER];
    // struct sockaddr_ll at 48: protocol at 50 (big-endian already), hardware type at 56, packet
    // type at 58, length of the address at 59, address at 60.
    header[..2].copy_from_slice(&u16::from(frame[58]).to_be_bytes());
    header[2..4].copy_from_slice(&Native::u16(frame, 56).to_be_bytes());
    header[4..6].copy_from_slice(&u16::from(frame[59]).to_be_bytes());
    header[6..14].copy_from_slice(&frame[60..68]);
    header[14..].copy_from_slice(&frame[50..52]);
    frame.get_mut(start..place.start)?.copy_from_slice(&header);
    Some(start..place.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ETHERNET: Framing =
        Framing { link: LinkType::ETHERNET, interface: 3, skip_outgoing: false };

    /// A frame as the kernel writes it, with the packet at offset 112.
    fn frame(data: &[u8], status: u32, vlan: (u16, u16), pkttype: u8) -> Vec<u8> {
        let mut frame = vec![0; 112];
        frame[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        frame[8..12].copy_from_slice(&9_u32.to_ne_bytes());
        frame[12..16].copy_from_slice(&(data.len() as u32).to_ne_bytes());
        frame[16..20].copy_from_slice(&1000_u32.to_ne_bytes());
        frame[20..24].copy_from_slice(&status.to_ne_bytes());
        frame[24..26].copy_from_slice(&112_u16.to_ne_bytes());
        frame[32..36].copy_from_slice(&u32::from(vlan.1).to_ne_bytes());
        frame[36..38].copy_from_slice(&vlan.0.to_ne_bytes());
        frame[50..52].copy_from_slice(&0x0800_u16.to_be_bytes());
        frame[56..58].copy_from_slice(&32_u16.to_ne_bytes());
        frame[58] = pkttype;
        frame[59] = 6;
        frame[60..66].copy_from_slice(&[1, 2, 3, 4, 5, 6]);
        frame.extend_from_slice(data);
        frame.resize(frame.len().next_multiple_of(16), 0);
        frame
    }

    fn block(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut block = vec![0; 48];
        block[BLOCK_PACKETS..16].copy_from_slice(&(frames.len() as u32).to_ne_bytes());
        block[BLOCK_FIRST..20].copy_from_slice(&48_u32.to_ne_bytes());
        for frame in frames {
            let at = block.len();
            block.extend_from_slice(frame);
            block[at..at + 4].copy_from_slice(&(frame.len() as u32).to_ne_bytes());
        }
        block
    }

    fn seen(mut block: Vec<u8>, framing: Framing) -> Vec<(Vec<u8>, u32)> {
        let mut seen = Vec::new();
        let given = walk(&mut block, &framing, &mut |packet| {
            assert_eq!(packet.at, Timestamp::from_parts(7, 9));
            seen.push((packet.data.to_vec(), packet.wire_len));
        });
        assert_eq!(given, seen.len());
        seen
    }

    #[test]
    fn packets_come_in_order_with_their_lengths_on_the_wire() {
        let frames = [frame(&[1; 60], 0, (0, 0), 0), frame(&[2; 70], 0, (0, 0), 0)];
        let expected = vec![(vec![1; 60], 1000), (vec![2; 70], 1000)];
        assert_eq!(seen(block(&frames), ETHERNET), expected);
    }

    #[test]
    fn a_tag_that_the_kernel_took_out_is_put_back() {
        let plain: Vec<u8> = (0..20).collect();
        let status = libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        let tagged = [&plain[..12], &[0x88, 0xa8, 0x20, 0x64], &plain[12..]].concat();
        let frames = [frame(&plain, status, (0x88a8, 0x2064), 0)];
        assert_eq!(seen(block(&frames), ETHERNET), [(tagged, 1004)]);
    }

    #[test]
    fn a_tag_without_its_type_is_an_8021q_tag() {
        let frames = [frame(&[0; 14], libc::TP_STATUS_VLAN_VALID, (0, 5), 0)];
        let packets = seen(block(&frames), ETHERNET);
        assert_eq!(packets[0].0[12..16], [0x81, 0, 0, 5]);
    }

    #[test]
    fn a_packet_cut_within_its_addresses_stays_as_it_is() {
        let frames = [frame(&[9; 11], libc::TP_STATUS_VLAN_VALID, (0, 5), 0)];
        assert_eq!(seen(block(&frames), ETHERNET), [(vec![9; 11], 1000)]);
    }

    #[test]
    fn a_cooked_packet_gets_its_header_and_its_tag() {
        let cooked = Framing { link: LinkType::LINUX_SLL, ..ETHERNET };
        let header = [0, 4, 0, 32, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0];
        let frames = [frame(&[0x45; 20], 0, (0, 0), 4)];
        assert_eq!(seen(block(&frames), cooked), [([&header[..], &[0x45; 20]].concat(), 1016)]);

        let frames = [frame(&[0x45; 20], libc::TP_STATUS_VLAN_VALID, (0, 5), 4)];
        let tagged = [&header[..14], &[0x81, 0, 0, 5, 8, 0], &[0x45; 20]].concat();
        assert_eq!(seen(block(&frames), cooked), [(tagged, 1020)]);
    }

    #[test]
    fn loopback_packets_are_seen_once() {
        let lo = Framing { skip_outgoing: true, ..ETHERNET };
        let out = frame(&[1; 20], 0, (0, 0), libc::PACKET_OUTGOING);
        let frames = [out.clone(), frame(&[1; 20], 0, (0, 0), 0)];
        assert_eq!(seen(block(&frames), lo).len(), 1);
        assert_eq!(seen(block(&[out]), ETHERNET).len(), 1);
    }

    proptest! {
        #[test]
        fn no_block_whatever_it_holds_leads_outside_it(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
            first in 0_u32..500, frames in any::<u32>(), cooked in any::<bool>(),
        ) {
            for (at, number) in [(BLOCK_PACKETS, frames), (BLOCK_FIRST, first)] {
                if let Some(place) = bytes.get_mut(at..at + 4) {
                    place.copy_from_slice(&number.to_ne_bytes());
                }
            }
            let link = if cooked { LinkType::LINUX_SLL } else { LinkType::ETHERNET };
            let len = bytes.len();
            walk(&mut bytes, &Framing { link, ..ETHERNET }, &mut |packet| {
                assert!(packet.data.len() <= len && packet.wire_len as usize >= packet.data.len());
            });
        }
    }
}
