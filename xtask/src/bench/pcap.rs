//! Reading classic pcap files, for laying them end to end. Only Ethernet, since a pcap file has one
//! link type for all.

/// A packet, with its time from the start of the chain.
#[derive(Debug)]
pub(super) struct Packet {
    /// Microseconds.
    pub(super) at: u64,
    /// Length on the wire.
    pub(super) wire_len: u32,
    /// What was captured.
    pub(super) data: Vec<u8>,
}

/// Packets of several captures, one capture after the other.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) packets: Vec<Packet>,
    /// Microseconds from the first packet to a second after the last.
    pub(super) length: u64,
}

impl Chain {
    /// Puts a capture behind the others. One that is not Ethernet is left out.
    ///
    /// # Errors
    /// When it is no classic pcap file.
    pub(super) fn add(&mut self, file: &[u8]) -> Result<(), &'static str> {
        let magic = file.get(..4).ok_or("too short for a capture")?;
        let (big, nanos) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, false),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, true),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, false),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, true),
            _ => return Err("no classic pcap file: convert it with 'editcap -F pcap'"),
        };
        let word = |at: usize| -> Option<u32> {
            let bytes: [u8; 4] = file.get(at..at + 4)?.try_into().ok()?;
            Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
        };
        if word(20).is_none_or(|link| link & 0xffff != 1) {
            return Ok(());
        }
        let (mut at, mut first, mut end) = (24, None, self.length);
        while let (Some(seconds), Some(fraction), Some(captured), Some(wire_len)) =
            (word(at), word(at + 4), word(at + 8), word(at + 12))
        {
            let Some(data) = file.get(at + 16..at + 16 + captured as usize) else { break };
            let micros = if nanos { fraction / 1_000 } else { fraction };
            let time = u64::from(seconds) * 1_000_000 + u64::from(micros);
            let since = time.saturating_sub(*first.get_or_insert(time));
            self.packets.push(Packet { at: self.length + since, wire_len, data: data.to_vec() });
            end = end.max(self.length + since + 1_000_000);
            at += 16 + captured as usize;
        }
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(times: &[u32]) -> Vec<u8> {
        let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        out.extend([0; 12]);
        out.extend(1_u32.to_le_bytes());
        for time in times {
            for word in [*time, 0, 3, 60] {
                out.extend(word.to_le_bytes());
            }
            out.extend([1, 2, 3]);
        }
        out
    }

    #[test]
    fn captures_of_different_years_follow_each_other() {
        let mut chain = Chain::default();
        chain.add(&file(&[1_000, 1_002])).unwrap();
        chain.add(&file(&[7])).unwrap();
        let times: Vec<u64> = chain.packets.iter().map(|packet| packet.at).collect();
        assert_eq!(times, [0, 2_000_000, 3_000_000]);
        assert_eq!((chain.length, chain.packets[0].wire_len), (4_000_000, 60));
    }

    #[test]
    fn a_cut_file_gives_what_is_whole_and_other_files_are_refused() {
        let mut chain = Chain::default();
        let whole = file(&[1, 2]);
        chain.add(&whole[..whole.len() - 1]).unwrap();
        assert_eq!(chain.packets.len(), 1);
        assert!(chain.add(&[0x0a, 0x0d, 0x0d, 0x0a, 0, 0]).is_err());
        assert!(chain.add(b"x").is_err());
    }
}
