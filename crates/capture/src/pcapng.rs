//! The newer capture format: a chain of blocks, with any number of interfaces and sections.
//!
//! Read are section headers (either byte order, and a new one may follow), interface
//! descriptions with their clocks and snap lengths, the three kinds of packet blocks, and of the
//! statistics how many packets the capturing machine lost. Every other block is skipped by its
//! length, whatever it holds; statistics that make no sense are skipped too, since no packet
//! depends on them. Described in draft-ietf-opsawg-pcapng.
//!
//! Deliberately absent: comments, names and decryption secrets; a capture is judged by its
//! packets.

use model::Timestamp;

use crate::block::{BLOCK_BYTES, MAX_PACKET, Record};
use crate::cut::{Cut, Input, Order, Stop, Want};
use crate::error::{Fault, Found};
use crate::pcap::too_long;
use crate::resolution::Clock;

/// The first block of every section; reads the same in both byte orders.
pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
pub(crate) const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
pub(crate) const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
/// Packets lost by the interface, and by the operating system, since the capture began.
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;
/// Statistics that are longer are skipped like any other block.
const MOST_STATISTICS: u32 = 64 << 10;
/// Type, length, and the length again at the end.
const FRAME: u32 = 12;

/// What packet blocks need to know of the blocks before them.
#[derive(Debug, Default)]
pub(crate) struct Pcapng {
    big_endian: bool,
    /// Those of the current section.
    interfaces: Vec<Interface>,
    /// Interfaces of all sections before.
    before: u16,
    last: Timestamp,
    /// Lost on the interfaces of all sections before.
    lost_before: u64,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u16,
    snaplen: u32,
    clock: Clock,
    /// Packets lost on it, by its last statistics.
    lost: u64,
}

/// Why a block cannot be right.
type Wrong = (Fault, &'static str, String);

impl Pcapng {
    /// Packets that the capturing machine says it lost, up to here.
    pub(crate) fn lost(&self) -> u64 {
        let lost = self.interfaces.iter().map(|interface| interface.lost);
        lost.fold(self.lost_before, u64::saturating_add)
    }

    /// Cuts whole blocks.
    pub(crate) fn cut(&mut self, input: Input<'_>) -> Cut {
        let Input { bytes, mut from, base, records } = input;
        loop {
            let start = from;
            let step = if self.big_endian {
                self.run::<true>(bytes, &mut from, records)
            } else {
                self.run::<false>(bytes, &mut from, records)
            };
            match step {
                Ok(Some(stop)) => return Cut { used: from, stop },
                // A new section: look again, in its byte order.
                Ok(None) if from > start => {}
                Ok(None) => match self.open_section(bytes, &mut from) {
                    Ok(None) => {}
                    Ok(Some(stop)) => return Cut { used: from, stop },
                    Err(wrong) => return fault(base, from, wrong),
                },
                Err(wrong) => return fault(base, from, wrong),
            }
        }
    }

    /// Takes blocks of one byte order, up to the next section header (none) or to where it must
    /// stop. Leaves `from` at the block that it did not take.
    fn run<const BIG: bool>(
        &mut self,
        bytes: &[u8],
        from: &mut usize,
        records: &mut Vec<Record>,
    ) -> Result<Option<Stop>, Wrong> {
        loop {
            let rest = bytes.get(*from..).unwrap_or_default();
            if rest.len() < FRAME as usize {
                return Ok(Some(more("the header of a block", FRAME)));
            }
            let kind = Order::<BIG>::u32(rest, 0);
            if kind == SECTION_HEADER {
                return Ok(None);
            }
            let total = Order::<BIG>::u32(rest, 4);
            let (name, least) = match kind {
                INTERFACE => ("an interface description", FRAME + 8),
                ENHANCED_PACKET | OBSOLETE_PACKET => ("a packet block", FRAME + 20),
                SIMPLE_PACKET => ("a simple packet block", FRAME + 4),
                STATISTICS if (FRAME + 12..=MOST_STATISTICS).contains(&total) => {
                    check_length(total, FRAME)?;
                    let Some(block) = rest.get(..total as usize) else {
                        return Ok(Some(more("interface statistics", total)));
                    };
                    self.take_statistics::<BIG>(block);
                    *from += total as usize;
                    continue;
                }
                _ => {
                    check_length(total, FRAME)?;
                    if rest.len() < total as usize {
                        let missing = u64::from(total) - rest.len() as u64;
                        return Ok(Some(Stop::Skip(want("a block", total), missing)));
                    }
                    *from += total as usize;
                    continue;
                }
            };
            check_length(total, least)?;
            let Some(block) = whole_block::<BIG>(rest, total)? else {
                return Ok(Some(more(name, total)));
            };
            match kind {
                INTERFACE => self.add_interface::<BIG>(block)?,
                SIMPLE_PACKET => records.push(self.simple_packet::<BIG>(block, *from)?),
                _ => records.push(self.packet::<BIG>(block, *from, kind)?),
            }
            *from += total as usize;
        }
    }

    /// Takes a section header, which says the byte order that its own length has.
    fn open_section(&mut self, bytes: &[u8], from: &mut usize) -> Result<Option<Stop>, Wrong> {
        let rest = bytes.get(*from..).unwrap_or_default();
        let big_endian = match Order::<false>::u32(rest, 8) {
            BYTE_ORDER_MAGIC => false,
            magic if magic.swap_bytes() == BYTE_ORDER_MAGIC => true,
            magic => {
                let found = format!("{:08x}", magic.swap_bytes());
                return Err((Fault::Malformed, "the byte-order magic 1a2b3c4d", found));
            }
        };
        let take = if big_endian { take_section::<true> } else { take_section::<false> };
        let total = match take(rest)? {
            Ok(total) => total,
            Err(stop) => return Ok(Some(stop)),
        };
        self.big_endian = big_endian;
        self.before += self.interfaces.len() as u16;
        self.lost_before = self.lost();
        self.interfaces.clear();
        *from += total as usize;
        Ok(None)
    }

    fn add_interface<const BIG: bool>(&mut self, block: &[u8]) -> Result<(), Wrong> {
        if usize::from(self.before) + self.interfaces.len() >= usize::from(u16::MAX) {
            let expected = "at most 65535 interface descriptions in a file";
            return Err((Fault::TooLong, expected, "one more".to_owned()));
        }
        let mut clock = Clock::default();
        let mut options = block.get(16..block.len() - 4).unwrap_or_default();
        while options.len() >= 4 {
            let code = Order::<BIG>::u16(options, 0);
            let len = usize::from(Order::<BIG>::u16(options, 2));
            let Some(value) = options.get(4..4 + len) else {
                let found = format!("one of {len} bytes, {} before its end", options.len() - 4);
                return Err((Fault::Malformed, "an option that ends within its block", found));
            };
            match (code, value) {
                (0, _) => break,
                (IF_TSRESOL, [resolution]) => clock.set_resolution(*resolution),
                (IF_TSOFFSET, value) if len == 8 => {
                    clock.set_offset(Order::<BIG>::u64(value, 0).cast_signed());
                }
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(Interface {
            link: Order::<BIG>::u16(block, 8),
            snaplen: Order::<BIG>::u32(block, 12),
            clock,
            lost: 0,
        });
        Ok(())
    }

    /// Notes what the statistics of an interface say was lost.
    fn take_statistics<const BIG: bool>(&mut self, block: &[u8]) {
        let number = Order::<BIG>::u32(block, 8) as usize;
        let Some(interface) = self.interfaces.get_mut(number) else { return };
        let mut options = block.get(20..block.len() - 4).unwrap_or_default();
        let mut lost = 0_u64;
        while options.len() >= 4 {
            let code = Order::<BIG>::u16(options, 0);
            let len = usize::from(Order::<BIG>::u16(options, 2));
            let Some(value) = options.get(4..4 + len) else { break };
            match code {
                0 => break,
                ISB_IFDROP | ISB_OSDROP if len == 8 => {
                    let count = Order::<BIG>::u64(value, 0);
                    // Four thousand million million packets were never lost: not counted is
                    // written so, or the block is a lie.
                    if count < 1 << 52 {
                        lost = lost.saturating_add(count);
                    }
                }
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
        // The counts are of the whole capture up to then, so that the last one stands.
        interface.lost = interface.lost.max(lost);
    }

    /// An enhanced packet block, or the obsolete one that came before it.
    #[inline]
    fn packet<const BIG: bool>(
        &mut self,
        block: &[u8],
        from: usize,
        kind: u32,
    ) -> Result<Record, Wrong> {
        let number = if kind == ENHANCED_PACKET {
            Order::<BIG>::u32(block, 8)
        } else {
            // The obsolete block counts drops in the other half.
            Order::<BIG>::u16(block, 8).into()
        };
        let ticks =
            u64::from(Order::<BIG>::u32(block, 12)) << 32 | u64::from(Order::<BIG>::u32(block, 16));
        let len = Order::<BIG>::u32(block, 20);
        if len > MAX_PACKET {
            return Err(longer_than_believed(len));
        }
        if 28 + len as usize + 4 > block.len() {
            let found = format!("{len} in a block of {}", block.len());
            return Err((Fault::Malformed, "a packet that ends within its block", found));
        }
        let interface = self.interface(number)?;
        let (at, link) = (interface.clock.time(ticks), interface.link);
        self.last = at;
        Ok(Record {
            at,
            start: (from + 28) as u32,
            wire_len: Order::<BIG>::u32(block, 24).max(len),
            len,
            link,
            interface: self.before + number as u16,
        })
    }

    fn simple_packet<const BIG: bool>(
        &mut self,
        block: &[u8],
        from: usize,
    ) -> Result<Record, Wrong> {
        let interface = self.interface(0)?;
        let wire_len = Order::<BIG>::u32(block, 8);
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let len = wire_len.min(snaplen).min(block.len() as u32 - 16);
        if len > MAX_PACKET {
            return Err(longer_than_believed(len));
        }
        Ok(Record {
            at: self.last,
            start: (from + 12) as u32,
            wire_len,
            len,
            link: interface.link,
            interface: self.before,
        })
    }

    #[inline]
    fn interface(&self, number: u32) -> Result<&Interface, Wrong> {
        self.interfaces.get(number as usize).ok_or_else(|| {
            let found = format!("a packet of number {number} of {}", self.interfaces.len());
            (Fault::Malformed, "a packet of an interface that was described", found)
        })
    }
}

/// The length of the section header at the start of `rest`, or why it cannot be taken yet.
fn take_section<const BIG: bool>(rest: &[u8]) -> Result<Result<u32, Stop>, Wrong> {
    let total = Order::<BIG>::u32(rest, 4);
    check_length(total, FRAME + 16)?;
    if whole_block::<BIG>(rest, total)?.is_none() {
        return Ok(Err(more("a section header", total)));
    }
    let major = Order::<BIG>::u16(rest, 12);
    if major != 1 {
        let found = format!("version {major}.{}", Order::<BIG>::u16(rest, 14));
        return Err((Fault::Malformed, "version 1 of the pcapng format", found));
    }
    Ok(Ok(total))
}

fn check_length(total: u32, least: u32) -> Result<(), Wrong> {
    if total < least || !total.is_multiple_of(4) {
        let found = format!("{total} where at least {least} are needed");
        return Err((Fault::Malformed, "a block length that is a multiple of 4", found));
    }
    Ok(())
}

/// The block of `total` bytes at the start of `rest`, none where it is not all there.
#[inline]
fn whole_block<const BIG: bool>(rest: &[u8], total: u32) -> Result<Option<&[u8]>, Wrong> {
    if total as usize > BLOCK_BYTES {
        let found = format!("one of {total} bytes");
        return Err((Fault::TooLong, "a block of at most 1048576 bytes", found));
    }
    let Some(block) = rest.get(..total as usize) else { return Ok(None) };
    let again = Order::<BIG>::u32(block, block.len() - 4);
    if again != total {
        let found = format!("{total} at its start and {again} at its end");
        return Err((Fault::Malformed, "a block that gives its length twice alike", found));
    }
    Ok(Some(block))
}

fn longer_than_believed(len: u32) -> Wrong {
    let Found { fault, found, .. } = too_long(0, len);
    (fault, "a packet of at most 262144 bytes", found)
}

fn want(what: &'static str, bytes: u32) -> Want {
    Want { what, bytes: bytes.into() }
}

fn more(what: &'static str, bytes: u32) -> Stop {
    Stop::More(want(what, bytes))
}

#[cold]
fn fault(base: u64, used: usize, (fault, expected, found): Wrong) -> Cut {
    Cut { used, stop: Stop::Fault(Found::at(base + used as u64, fault, expected, found)) }
}
