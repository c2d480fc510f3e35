//! HPACK (RFC 7541): header lists, and the table that both sides of a direction keep.
//!
//! Bounded: a table of at most 64 KiB, lists of at most 64 KiB once unpacked. Beyond them a list is
//! a bomb and the direction cannot be read on.

use std::collections::VecDeque;

use wire::cursor::Cursor;

use super::huffman;
use super::statics::STATICS;

/// Largest table, whatever is negotiated.
pub(super) const MAX_TABLE: u32 = 64 << 10;

/// Largest header list, by the sum of its names and values.
pub(super) const MAX_LIST: usize = 64 << 10;

/// Most fields of a list.
const MAX_FIELDS: usize = 256;

/// What an entry of the table costs beyond its name and value (RFC 7541, section 4.1).
const OVERHEAD: u32 = 32;

/// Name and value.
pub(super) type Field = (Box<[u8]>, Box<[u8]>);

/// What one direction's header lists are decoded with.
#[derive(Debug)]
pub(super) struct Decoder {
    table: VecDeque<Field>,
    size: u32,
    /// As the encoder chose it, and as its peer allows it at most.
    limit: u32,
    allowed: u32,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { table: VecDeque::new(), size: 0, limit: 4096, allowed: 4096 }
    }
}

impl Decoder {
    /// The peer's SETTINGS_HEADER_TABLE_SIZE.
    pub(super) fn allow(&mut self, size: u32) {
        self.allowed = size.min(MAX_TABLE);
        if self.limit > self.allowed {
            self.limit = self.allowed;
            self.evict(0);
        }
    }

    /// Decodes a whole header block.
    ///
    /// # Errors
    /// What is wrong with it; the table is then no longer the encoder's.
    pub(super) fn decode(&mut self, block: &[u8]) -> Result<Vec<Field>, &'static str> {
        let mut at = Cursor::new(block);
        let mut list = Vec::new();
        let mut total = 0_usize;
        while let Some(first) = at.peek() {
            let field = match first {
                0x80.. => self.entry(integer(&mut at, 7)?)?,
                0x40..=0x7f => {
                    let field = self.literal(&mut at, 6)?;
                    self.insert(field.clone());
                    field
                }
                0x20..=0x3f => {
                    let size = integer(&mut at, 5)?;
                    if size > MAX_TABLE.max(self.allowed) {
                        return Err("HPACK table larger than allowed");
                    }
                    self.limit = size;
                    self.evict(0);
                    continue;
                }
                _ => self.literal(&mut at, 4)?,
            };
            total = total.saturating_add(field.0.len()).saturating_add(field.1.len());
            if total > MAX_LIST || list.len() >= MAX_FIELDS {
                return Err("header list longer than 64 KiB or 256 fields");
            }
            list.push(field);
        }
        Ok(list)
    }

    fn entry(&self, index: u32) -> Result<Field, &'static str> {
        const WRONG: &str = "index in HPACK";
        let place = usize::try_from(index).ok().and_then(|i| i.checked_sub(1)).ok_or(WRONG)?;
        if let Some((name, value)) = STATICS.get(place) {
            return Ok((name.as_bytes().into(), value.as_bytes().into()));
        }
        self.table.get(place.saturating_sub(STATICS.len())).cloned().ok_or(WRONG)
    }

    fn literal(&self, at: &mut Cursor<'_>, bits: u32) -> Result<Field, &'static str> {
        let name = match integer(at, bits)? {
            0 => string(at)?,
            index => self.entry(index)?.0,
        };
        Ok((name, string(at)?))
    }

    fn insert(&mut self, field: Field) {
        let cost = cost(&field);
        self.evict(cost);
        if cost <= self.limit {
            self.size = self.size.saturating_add(cost);
            self.table.push_front(field);
        }
    }

    /// Makes room for an entry.
    fn evict(&mut self, cost_of_new: u32) {
        while self.size.saturating_add(cost_of_new) > self.limit {
            let Some(oldest) = self.table.pop_back() else { return };
            self.size = self.size.saturating_sub(cost(&oldest));
        }
    }
}

fn cost(field: &Field) -> u32 {
    let bytes = field.0.len().saturating_add(field.1.len());
    u32::try_from(bytes).unwrap_or(u32::MAX).saturating_add(OVERHEAD)
}

/// An integer with a prefix of so many bits (RFC 7541, section 5.1).
fn integer(at: &mut Cursor<'_>, bits: u32) -> Result<u32, &'static str> {
    const WRONG: &str = "integer in HPACK";
    let mask = u8::MAX.checked_shr(8_u32.saturating_sub(bits)).unwrap_or(0);
    let first = at.u8().map_err(|_| WRONG)? & mask;
    if first < mask {
        return Ok(u32::from(first));
    }
    let mut value = u64::from(first);
    for shift in [0, 7, 14, 21, 28] {
        let byte = at.u8().map_err(|_| WRONG)?;
        value = value.saturating_add(u64::from(byte & 0x7f) << shift);
        if byte & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| WRONG);
        }
    }
    Err(WRONG)
}

fn string(at: &mut Cursor<'_>) -> Result<Box<[u8]>, &'static str> {
    const WRONG: &str = "string in HPACK";
    let packed = at.peek().ok_or(WRONG)? & 0x80 != 0;
    let length = usize::try_from(integer(at, 7)?).map_err(|_| WRONG)?;
    let bytes = at.take(length).map_err(|_| WRONG)?;
    if packed { Ok(huffman::decode(bytes, MAX_LIST)?.into()) } else { Ok(bytes.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.bytes().filter_map(|b| (b as char).to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn texts(list: &[Field]) -> Vec<String> {
        let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
        list.iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect()
    }

    #[test]
    fn requests_of_the_standard_are_decoded_with_and_without_huffman() {
        // RFC 7541, appendix C.3 and C.4: three requests over one table.
        let plain = [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ];
        let packed = [
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ];
        for blocks in [plain, packed] {
            let mut decoder = Decoder::default();
            let lists: Vec<_> =
                blocks.iter().map(|block| texts(&decoder.decode(&hex(block)).unwrap())).collect();
            assert_eq!(lists[0][3], ":authority: www.example.com");
            assert_eq!(lists[1][4], "cache-control: no-cache");
            assert_eq!(
                lists[2],
                [
                    ":method: GET",
                    ":scheme: https",
                    ":path: /index.html",
                    ":authority: www.example.com",
                    "custom-key: custom-value"
                ]
            );
            assert_eq!(decoder.size, 164);
        }
    }

    #[test]
    fn responses_of_the_standard_evict_what_does_not_fit() {
        // RFC 7541, appendix C.6: a table of 256 bytes.
        let mut decoder = Decoder::default();
        decoder.allow(256);
        for (block, size) in [
            (
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                222,
            ),
            ("4883 640e ffc1 c0bf", 222),
            (
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
                215,
            ),
        ] {
            let list = texts(&decoder.decode(&hex(block)).unwrap());
            assert!(list[0].starts_with(":status: "));
            assert_eq!(decoder.size, size);
        }
    }

    #[test]
    fn bombs_and_nonsense_are_refused() {
        let mut decoder = Decoder::default();
        // One long entry, then a reference to it a thousand times over.
        let mut bomb = vec![
            0x40,
            1,
            b'a',
            0x7f,
            0x80 | ((3000 - 127) & 0x7f) as u8,
            ((3000 - 127) >> 7) as u8,
        ];
        bomb.resize(bomb.len() + 3000, b'x');
        bomb.extend([0xbe; 1000]);
        assert!(decoder.decode(&bomb).is_err());
        for wrong in [
            &[0x80][..],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xfe],
            &[0x40, 5, b'a'],
            &[0x3f, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert!(Decoder::default().decode(wrong).is_err(), "{wrong:x?}");
        }
    }
}
