//! Packets of pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces
//! with their link type and resolution of time. Everything else in such a file is passed over.

use super::pcap::Raw;

/// Type of the section header, with which a file begins.
pub(super) const MAGIC: &[u8] = &[0x0a, 0x0d, 0x0d, 0x0a];

/// An interface of a section.
#[derive(Clone, Copy)]
struct Interface {
    link: u32,
    /// Ticks a second.
    ticks: u64,
}

/// Reads numbers in the byte order of a section.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn word(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn half(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }
}

/// All packets, as far as the file is whole.
pub(super) fn packets(file: &[u8]) -> Vec<Raw<'_>> {
    let (mut order, mut interfaces, mut out) = (Order { big: false }, Vec::new(), Vec::new());
    let mut rest = file;
    while rest.len() >= 12 {
        if rest.starts_with(MAGIC) {
            order = Order { big: rest.get(8..12) == Some(&[0x1a, 0x2b, 0x3c, 0x4d]) };
            interfaces.clear();
        }
        let Some(length) = order.word(rest, 4).map(|length| length as usize) else { break };
        let Some(body) = rest.get(..length).and_then(|block| block.get(8..length.max(4) - 4))
        else {
            break;
        };
        match order.word(rest, 0) {
            Some(1) => interfaces.extend(interface(order, body)),
            Some(6) => out.extend(enhanced(order, body, &interfaces)),
            Some(3) => {
                let at = out.last().map_or(0, |packet: &Raw<'_>| packet.at);
                out.extend(simple(order, body, &interfaces, at));
            }
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

fn interface(order: Order, body: &[u8]) -> Option<Interface> {
    let link = u32::from(order.half(body, 0)?);
    let (mut ticks, mut at) = (1_000_000, 8);
    while let (Some(code), Some(length)) = (order.half(body, at), order.half(body, at + 2)) {
        // if_tsresol: a power of ten, or of two where the highest bit says so.
        if let (9, 1, Some(&power)) = (code, length, body.get(at + 4)) {
            let of_two = 1_u64.checked_shl(u32::from(power & 127));
            let of_ten = 10_u64.checked_pow(u32::from(power));
            ticks = if power & 128 == 0 { of_ten } else { of_two }.unwrap_or(ticks).max(1);
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
    Some(Interface { link, ticks })
}

fn enhanced<'a>(order: Order, body: &'a [u8], interfaces: &[Interface]) -> Option<Raw<'a>> {
    let interface = interfaces.get(order.word(body, 0)? as usize)?;
    let ticks = u64::from(order.word(body, 4)?) << 32 | u64::from(order.word(body, 8)?);
    let at = u128::from(ticks) * 1_000_000 / u128::from(interface.ticks);
    let data = body.get(20..)?.get(..order.word(body, 12)? as usize)?;
    let (link, wire_len) = (interface.link, order.word(body, 16)?);
    Some(Raw { at: u64::try_from(at).unwrap_or(u64::MAX), link, wire_len, data })
}

fn simple<'a>(order: Order, body: &'a [u8], interfaces: &[Interface], at: u64) -> Option<Raw<'a>> {
    let (link, wire_len) = (interfaces.first()?.link, order.word(body, 0)?);
    let rest = body.get(4..)?;
    Some(Raw { at, link, wire_len, data: rest.get(..wire_len as usize).unwrap_or(rest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
        let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = word(body.len() as u32 + 12);
        [&word(kind)[..], &length, &body, &length].concat()
    }

    fn section(big: bool) -> Vec<u8> {
        let halves = |a: u16, b: u16| {
            let both = [a, b].map(|n| if big { n.to_be_bytes() } else { n.to_le_bytes() });
            both.concat()
        };
        let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let magic = word(0x1a2b_3c4d);
        let mut out = block(big, 0x0a0d_0d0a, &[&magic[..], &halves(1, 0), &[0xff; 8]].concat());
        // Nanoseconds.
        let option = [halves(9, 1), vec![9, 0, 0, 0]].concat();
        out.extend(block(big, 1, &[&halves(113, 0)[..], &word(0), &option].concat()));
        let words = [0, 0, 5_000_000, 3, 60].map(word).concat();
        out.extend(block(big, 6, &[&words[..], &[7, 8, 9]].concat()));
        out.extend(block(big, 3, &[&word(2)[..], &[1, 2]].concat()));
        out
    }

    #[test]
    fn both_byte_orders_give_the_same_packets() {
        for big in [false, true] {
            let file = section(big);
            let read = packets(&file);
            assert_eq!(read.len(), 2);
            let first = read[0];
            assert_eq!((first.at, first.link, first.wire_len), (5_000, 113, 60));
            assert_eq!((first.data, read[1].data), (&[7, 8, 9][..], &[1, 2][..]));
        }
    }

    #[test]
    fn a_cut_file_gives_what_is_whole() {
        let file = [section(false), section(true)].concat();
        assert_eq!(packets(&file).len(), 4);
        for length in 0..file.len() {
            assert!(packets(&file[..length]).len() < 4);
        }
    }
}
