//! Statistics of one direction of a flow, in integers that are updated in place.

use model::time::Timestamp;

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes of the IP packets on the wire.
    pub bytes: u64,
    /// Bytes of payload, without repetitions.
    pub payload: u64,
    /// Bytes of payload that the sensor did not see.
    pub missed: u64,
    /// Packets that carried only bytes seen before.
    pub retransmitted: u32,
    /// Packets that came past a hole or late.
    pub out_of_order: u32,
    /// TCP packets that closed the window (resets and SYNs aside).
    pub zero_windows: u32,
    /// TCP flags, OR'ed.
    pub flags: u8,
    /// Time of the last packet.
    pub last: Timestamp,
    /// Sum of the squares of packet sizes.
    size_squares: u64,
    /// Microseconds between packets, summed.
    gaps: u64,
    /// Squares of them, summed: beyond the range of 64 bits after an hour's silence.
    gap_squares: f64,
}

impl Traffic {
    #[inline]
    pub(crate) fn count(&mut self, at: Timestamp, ip_len: u32, flags: u8) {
        if self.packets > 0 {
            let nanos = at.nanos().saturating_sub(self.last.nanos()).max(0);
            let micros = nanos.cast_unsigned() / 1_000;
            self.gaps = self.gaps.saturating_add(micros);
            self.gap_squares += micros as f64 * micros as f64;
            self.last = self.last.max(at);
        } else {
            self.last = at;
        }
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::from(ip_len));
        let square = u64::from(ip_len).wrapping_mul(u64::from(ip_len));
        self.size_squares = self.size_squares.saturating_add(square);
        self.flags |= flags;
    }

    /// Mean size of a packet in bytes; none without packets.
    pub fn size_mean(&self) -> Option<f64> {
        (self.packets > 0).then(|| self.bytes as f64 / self.packets as f64)
    }

    /// Standard deviation of the size of a packet in bytes (of these packets, not of a sample).
    pub fn size_std(&self) -> Option<f64> {
        let mean = self.size_mean()?;
        Some(std_of(self.size_squares as f64, self.packets, mean))
    }

    /// Mean time between packets in seconds; none below two packets.
    pub fn gap_mean(&self) -> Option<f64> {
        let count = self.packets.saturating_sub(1);
        (count > 0).then(|| self.gaps as f64 / count as f64 / 1e6)
    }

    /// Standard deviation of the time between packets in seconds.
    pub fn gap_std(&self) -> Option<f64> {
        let count = self.packets.saturating_sub(1);
        let mean = self.gap_mean()? * 1e6;
        Some(std_of(self.gap_squares, count, mean) / 1e6)
    }

    /// TCP flags seen, as letters in the order SAFRPU.
    pub fn flag_letters(&self) -> &'static str {
        LETTERS.get(usize::from(self.flags & 0x3f)).copied().unwrap_or_default()
    }
}

fn std_of(squares: f64, count: u64, mean: f64) -> f64 {
    (squares / count as f64 - mean * mean).max(0.0).sqrt()
}

/// Every set of the six flags as letters, by the value of the flag byte.
#[rustfmt::skip]
static LETTERS: [&str; 64] = [
    "", "F", "S", "SF", "R", "FR", "SR", "SFR",
    "P", "FP", "SP", "SFP", "RP", "FRP", "SRP", "SFRP",
    "A", "AF", "SA", "SAF", "AR", "AFR", "SAR", "SAFR",
    "AP", "AFP", "SAP", "SAFP", "ARP", "AFRP", "SARP", "SAFRP",
    "U", "FU", "SU", "SFU", "RU", "FRU", "SRU", "SFRU",
    "PU", "FPU", "SPU", "SFPU", "RPU", "FRPU", "SRPU", "SFRPU",
    "AU", "AFU", "SAU", "SAFU", "ARU", "AFRU", "SARU", "SAFRU",
    "APU", "AFPU", "SAPU", "SAFPU", "ARPU", "AFRPU", "SARPU", "SAFRPU",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_name_exactly_the_flags_that_are_set() {
        for (flags, letters) in LETTERS.iter().enumerate() {
            let expected: String = [(2, 'S'), (16, 'A'), (1, 'F'), (4, 'R'), (8, 'P'), (32, 'U')]
                .into_iter()
                .filter_map(|(bit, letter)| (flags & bit != 0).then_some(letter))
                .collect();
            assert_eq!(*letters, expected, "{flags:#x}");
        }
    }

    proptest! {
        #[test]
        fn moments_are_those_of_the_packets(packets in proptest::collection::vec((20_u32..2_000, 0_i64..3_000_000), 2..60)) {
            let mut traffic = Traffic::default();
            let mut nanos = 1_700_000_000_000_000_000;
            for &(size, gap) in &packets {
                nanos += gap * 1_000;
                traffic.count(Timestamp::from_nanos(nanos), size, 0);
            }
            let sizes: Vec<f64> = packets.iter().map(|p| f64::from(p.0)).collect();
            let gaps: Vec<f64> = packets[1..].iter().map(|p| p.1 as f64 / 1e6).collect();
            for (values, mean, std) in [
                (sizes, traffic.size_mean().unwrap(), traffic.size_std().unwrap()),
                (gaps, traffic.gap_mean().unwrap(), traffic.gap_std().unwrap()),
            ] {
                let count = values.len() as f64;
                let wanted = values.iter().sum::<f64>() / count;
                let variance = values.iter().map(|v| (v - wanted).powi(2)).sum::<f64>() / count;
                prop_assert!((mean - wanted).abs() < 1e-6 * (1.0 + wanted));
                prop_assert!((std - variance.sqrt()).abs() < 1e-3 * (1.0 + wanted));
            }
        }
    }
}
