//! The layout of NTP packets.

use wire::cursor::{Cursor, Short};

/// How a time packet is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Version 1 leaves it out.
    Unstated,
    Symmetric,
    Client,
    Server,
    Broadcast,
}

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// Modes 1 to 5.
    Time(Clock),
    /// Mode 6.
    Control { version: u8 },
    /// Mode 7.
    Private { version: u8, request: u8 },
}

/// What a time packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) mode: Mode,
    pub(super) version: u8,
    leap: u8,
    pub(super) stratum: u8,
    pub(super) reference: [u8; 4],
    /// When the clock was last set, seconds and fraction.
    set: [u32; 2],
    receive: [u32; 2],
    pub(super) transmit: [u32; 2],
}

/// Largest data of one control message (RFC 9327, 2).
const MOST_CONTROL: usize = 468;

impl Packet {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::fields(bytes).unwrap_or(Err("packet ends too early"))
    }

    fn fields(bytes: &[u8]) -> Result<Result<Self, &'static str>, Short> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.u8()?;
        let (leap, version) = (first >> 6, (first >> 3) & 7);
        if !(1..=4).contains(&version) {
            return Ok(Err("version other than 1 to 4"));
        }
        let mode = match first & 7 {
            0 if version == 1 => Mode::Unstated,
            0 => return Ok(Err("mode 0 is reserved")),
            1 | 2 => Mode::Symmetric,
            3 => Mode::Client,
            4 => Mode::Server,
            5 => Mode::Broadcast,
            6 => return Self::control(cursor, version),
            _ => return Self::private(cursor, version),
        };
        let stratum = cursor.u8()?;
        if stratum > 16 {
            return Ok(Err("stratum above 16"));
        }
        cursor.skip(10)?;
        let reference = cursor.array()?;
        let mut time = || Ok([cursor.u32()?, cursor.u32()?]);
        let [set, _originate, receive, transmit] = [time()?, time()?, time()?, time()?];
        // Extension fields and digests come in words of four bytes.
        if !cursor.remaining().is_multiple_of(4) {
            return Ok(Err("odd length after the packet"));
        }
        Ok(Ok(Self::Time(Clock {
            mode,
            version,
            leap,
            stratum,
            reference,
            set,
            receive,
            transmit,
        })))
    }

    /// Header of twelve bytes, data padded to words, perhaps a digest.
    fn control(mut cursor: Cursor<'_>, version: u8) -> Result<Result<Self, &'static str>, Short> {
        let _operation = cursor.u8()?;
        cursor.skip(8)?;
        let count = usize::from(cursor.u16()?);
        if count > MOST_CONTROL || count > cursor.remaining() {
            return Ok(Err("control data longer than the packet"));
        }
        Ok(Ok(Self::Control { version }))
    }

    /// Sequence, implementation, request code, then how many items of which size.
    fn private(mut cursor: Cursor<'_>, version: u8) -> Result<Result<Self, &'static str>, Short> {
        let [_sequence, _implementation, request] = cursor.array()?;
        cursor.skip(4)?;
        Ok(Ok(Self::Private { version, request }))
    }
}

impl Clock {
    /// Whether the sender says that it knows the time.
    pub(super) fn is_synchronised(&self) -> bool {
        (1..=15).contains(&self.stratum) && self.leap != 3
    }

    /// Whether the packet can be nothing but an answer of a time server: set within the last days,
    /// and sent within seconds after it was asked.
    pub(super) fn is_certain(&self) -> bool {
        const DAYS: u32 = 4 * 86_400;
        let [set, _] = self.set;
        let [received, _] = self.receive;
        let [sent, _] = self.transmit;
        matches!(self.mode, Mode::Server | Mode::Symmetric)
            && self.stratum >= 1
            && set != 0
            && received != 0
            && sent.wrapping_sub(received) <= 2
            && sent.wrapping_sub(set) < DAYS
    }
}
