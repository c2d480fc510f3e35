//! The frames of a client's first packets, and the ClientHello in them, in whatever order its pieces
//! come: some clients shuffle them so that nobody can rely on an order.

use std::collections::BTreeMap;

use wire::cursor::{Cursor, Short};

use super::header::varint;

/// Most bytes of a ClientHello and most pieces of it.
const LONGEST: usize = 16 * 1024;
const MOST_PIECES: usize = 256;

/// Pieces of the handshake by their place.
#[derive(Debug, Default)]
pub(super) struct Crypto {
    pieces: BTreeMap<u64, Vec<u8>>,
    held: usize,
}

/// What the pieces make.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hello {
    /// Some are missing.
    Partial,
    /// The body of a ClientHello.
    Whole(Vec<u8>),
    /// Something else, or too much of it.
    None,
}

/// Takes the pieces of the handshake from the frames of a packet.
pub(super) fn read(frames: &[u8], crypto: &mut Crypto) -> Result<(), Short> {
    let mut cursor = Cursor::new(frames);
    while !cursor.is_empty() {
        match varint(&mut cursor)? {
            // Padding, ping.
            0 | 1 => {}
            kind @ (2 | 3) => acknowledgement(&mut cursor, kind == 3)?,
            6 => {
                let offset = varint(&mut cursor)?;
                let length = usize::try_from(varint(&mut cursor)?).unwrap_or(usize::MAX);
                crypto.add(offset, cursor.take(length)?);
            }
            // The client gives up: why, is of no interest.
            0x1c => return Ok(()),
            _ => return Err(Short),
        }
    }
    Ok(())
}

fn acknowledgement(cursor: &mut Cursor<'_>, with_counts: bool) -> Result<(), Short> {
    varint(cursor)?;
    varint(cursor)?;
    let ranges = varint(cursor)?;
    varint(cursor)?;
    for _ in 0..ranges {
        varint(cursor)?;
        varint(cursor)?;
    }
    for _ in 0..if with_counts { 3 } else { 0 } {
        varint(cursor)?;
    }
    Ok(())
}

impl Crypto {
    fn add(&mut self, offset: u64, piece: &[u8]) {
        let known = self.pieces.get(&offset).map_or(0, Vec::len);
        let held = self.held.saturating_sub(known).saturating_add(piece.len());
        let full = self.pieces.len() >= MOST_PIECES && known == 0;
        if piece.len() <= known || held > LONGEST || full {
            return;
        }
        self.held = held;
        self.pieces.insert(offset, piece.to_vec());
    }

    /// The ClientHello, once all of it is there.
    pub(super) fn hello(&self) -> Hello {
        let mut joined: Vec<u8> = Vec::new();
        for (offset, piece) in &self.pieces {
            let start = usize::try_from(*offset).unwrap_or(usize::MAX);
            // What overlaps what is there already is not looked at again.
            let Some(known) = joined.len().checked_sub(start) else { break };
            joined.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        let Some([kind, length @ ..]) = joined.first_chunk::<4>() else { return Hello::Partial };
        let [high, middle, low] = *length;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if *kind != 1 || length > LONGEST {
            return Hello::None;
        }
        match joined.get(4..length.saturating_add(4)) {
            Some(body) => Hello::Whole(body.to_vec()),
            None => Hello::Partial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crypto(offset: u8, data: &[u8]) -> Vec<u8> {
        [&[6, offset, data.len() as u8][..], data].concat()
    }

    #[test]
    fn pieces_in_any_order_with_gaps_and_overlaps_make_one_hello() {
        let message = b"\x01\x00\x00\x06abcdef";
        let pieces =
            [crypto(6, &message[6..]), crypto(0, &message[..3]), crypto(2, &message[2..8])];
        let mut held = Crypto::default();
        for (place, piece) in pieces.iter().enumerate() {
            assert_eq!(held.hello(), Hello::Partial, "before piece {place}");
            let frames = [&[0, 0, 1, 2, 5, 0, 1, 0, 0, 0][..], piece, &[0, 0]].concat();
            read(&frames, &mut held).unwrap();
        }
        assert_eq!(held.hello(), Hello::Whole(b"abcdef".to_vec()));
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut held = Crypto::default();
        for offset in 0..100_000_u64 {
            held.add(offset * 7, &[1; 200]);
        }
        assert!(held.held <= LONGEST && held.pieces.len() <= MOST_PIECES);
    }

    #[test]
    fn other_messages_and_frames_are_refused() {
        let mut held = Crypto::default();
        read(&crypto(0, b"\x02\x00\x00\x01x"), &mut held).unwrap();
        assert_eq!(held.hello(), Hello::None);
        assert!(read(b"\x08\x00", &mut held).is_err());
        assert!(read(b"\x06\x00\x10x", &mut held).is_err());
    }
}
