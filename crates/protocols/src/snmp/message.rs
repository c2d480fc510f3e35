//! The envelope of a message: version, and who says who it is.

use wire::cursor::Cursor;

use super::ber::{self, Broken};
use super::pdu::Pdu;

/// Versions by their number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    TwoC,
    Three,
}

impl Version {
    const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::One),
            1 => Some(Self::TwoC),
            3 => Some(Self::Three),
            _ => None,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::TwoC => "2c",
            Self::Three => "3",
        }
    }
}

/// By what right something is asked.
#[derive(Debug)]
pub(super) enum Security<'a> {
    Community(&'a [u8]),
    Users { user: &'a [u8], engine: &'a [u8], authenticated: bool, encrypted: bool },
}

impl Security<'_> {
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Users { encrypted: true, .. } => "encrypted",
            Self::Users { authenticated: true, .. } => "authenticated",
            _ => "none",
        }
    }

    /// Community or user.
    pub(super) const fn name(&self) -> &[u8] {
        match self {
            Self::Community(name) | Self::Users { user: name, .. } => name,
        }
    }
}

/// One message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) version: Version,
    pub(super) security: Security<'a>,
    /// None where it is encrypted.
    pub(super) pdu: Option<Pdu<'a>>,
    /// Whether bytes follow it in its datagram.
    pub(super) trailing: bool,
}

/// Whether a datagram begins as a message does: a sequence, a version, and behind it a community
/// and a PDU, or the header of version 3. Lengths have to fit into each other, not into the
/// datagram: what is cut is still SNMP.
pub(super) fn is_snmp(start: &[u8]) -> bool {
    let mut cursor = Cursor::new(start);
    let mut look = || -> Result<bool, Broken> {
        let _ = cursor.u8();
        let whole = ber::length(&mut cursor)?;
        let Some(version) = Version::from_number(ber::number(&mut cursor)?) else {
            return Ok(false);
        };
        if whole > 65_535 {
            return Ok(false);
        }
        if version == Version::Three {
            let global = ber::expect(&mut cursor, ber::SEQUENCE)?;
            let mut global = Cursor::new(global);
            ber::number(&mut global)?;
            ber::number(&mut global)?;
            return Ok(ber::expect(&mut global, ber::OCTETS)?.len() == 1);
        }
        ber::expect(&mut cursor, ber::OCTETS)?;
        Ok(matches!(cursor.peek(), Some(0xa0..=0xa8)))
    };
    look().unwrap_or(false)
}

impl<'a> Message<'a> {
    /// Reads one message.
    pub(super) fn read(datagram: &'a [u8]) -> Result<Self, Broken> {
        let mut outer = Cursor::new(datagram);
        let mut cursor = Cursor::new(ber::expect(&mut outer, ber::SEQUENCE)?);
        let version = Version::from_number(ber::number(&mut cursor)?).ok_or(Broken::Number)?;
        let trailing = !outer.is_empty();
        if version == Version::Three {
            return Self::version_3(&mut cursor, trailing);
        }
        let security = Security::Community(ber::expect(&mut cursor, ber::OCTETS)?);
        let pdu = Some(Pdu::read(&mut cursor)?);
        Ok(Self { version, security, pdu, trailing })
    }

    /// RFC 3412, section 6, and the parameters of RFC 3414, 2.4.
    fn version_3(cursor: &mut Cursor<'a>, trailing: bool) -> Result<Self, Broken> {
        let mut global = Cursor::new(ber::expect(cursor, ber::SEQUENCE)?);
        ber::number(&mut global)?;
        ber::number(&mut global)?;
        let flags = ber::expect(&mut global, ber::OCTETS)?.first().copied().unwrap_or(0);
        let model = ber::number(&mut global)?;
        let parameters = ber::expect(cursor, ber::OCTETS)?;
        let (authenticated, encrypted) = (flags & 1 != 0, flags & 2 != 0);
        let (mut user, mut engine) = (&[][..], &[][..]);
        if model == 3 {
            let mut parameters = Cursor::new(parameters);
            let mut users = Cursor::new(ber::expect(&mut parameters, ber::SEQUENCE)?);
            engine = ber::expect(&mut users, ber::OCTETS)?;
            ber::number(&mut users)?;
            ber::number(&mut users)?;
            user = ber::expect(&mut users, ber::OCTETS)?;
        }
        let security = Security::Users { user, engine, authenticated, encrypted };
        let pdu = if encrypted {
            ber::expect(cursor, ber::OCTETS)?;
            None
        } else {
            let mut scoped = Cursor::new(ber::expect(cursor, ber::SEQUENCE)?);
            ber::expect(&mut scoped, ber::OCTETS)?;
            ber::expect(&mut scoped, ber::OCTETS)?;
            Some(Pdu::read(&mut scoped)?)
        };
        Ok(Self { version: Version::Three, security, pdu, trailing })
    }
}
