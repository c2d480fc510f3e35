//! The conference request (MS-RDPBCGR 2.2.1.3): blocks of settings, one behind the other.

use wire::cursor::{Cursor, Short};

use crate::ntlm::utf16;

/// Static channels that a client may ask for (2.2.1.3.4).
pub(super) const MOST_CHANNELS: usize = 31;
/// Blocks that are walked.
const MOST_BLOCKS: usize = 16;
/// Bytes of a channel's name, zeros behind it.
const NAME: usize = 8;

const CORE: u16 = 0xc001;
const NETWORK: u16 = 0xc003;

/// What a client says of itself.
#[derive(Debug, Default)]
pub(super) struct Conference {
    pub(super) client: String,
    pub(super) build: Option<u32>,
    pub(super) keyboard: Option<u32>,
    pub(super) channels: Vec<Box<[u8]>>,
}

impl Conference {
    /// Reads as far as it can be read.
    pub(super) fn read(packet: &[u8]) -> Self {
        let mut conference = Self::default();
        // The envelope is found by its first block: core settings, whose length is one of few.
        let core = |w: &[u8]| matches!(w, [0x01, 0xc0, low, 0] if *low >= 0x80);
        let at = packet.windows(4).position(core).unwrap_or(packet.len());
        let mut cursor = Cursor::new(packet.get(at..).unwrap_or_default());
        for _ in 0..MOST_BLOCKS {
            let Ok((kind, block)) = block(&mut cursor) else { break };
            let _ = match kind {
                CORE => conference.core(block),
                NETWORK => conference.network(block),
                _ => Ok(()),
            };
        }
        conference
    }

    fn core(&mut self, block: &[u8]) -> Result<(), Short> {
        let mut cursor = Cursor::new(block);
        // Version, size of the screen, depth of colours, a sequence.
        cursor.skip(12)?;
        self.keyboard = Some(cursor.u32_le()?);
        self.build = Some(cursor.u32_le()?);
        self.client = utf16(cursor.take(32)?);
        Ok(())
    }

    fn network(&mut self, block: &[u8]) -> Result<(), Short> {
        let mut cursor = Cursor::new(block);
        let count = cursor.u32_le()?.min(MOST_CHANNELS as u32);
        for _ in 0..count {
            let name = cursor.take(NAME)?;
            let end = name.iter().position(|&byte| byte == 0).unwrap_or(NAME);
            self.channels.push(name.get(..end).unwrap_or_default().into());
            cursor.skip(4)?;
        }
        Ok(())
    }
}

/// Type and content of the next block; its length counts its header too.
fn block<'a>(cursor: &mut Cursor<'a>) -> Result<(u16, &'a [u8]), Short> {
    let (kind, length) = (cursor.u16_le()?, cursor.u16_le()?);
    let length = usize::from(length).checked_sub(4).ok_or(Short)?;
    Ok((kind, cursor.take(length)?))
}
