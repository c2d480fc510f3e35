//! The two envelopes of a message: who gets it on this network (BVLL, annex J), and on which network
//! it is meant to end (clause 6).

use wire::cursor::{Cursor, Short};

/// First byte of every message over IPv4.
pub(super) const BVLL: u8 = 0x81;

const SHORT: &str = "message ends too early";

/// What is in the envelopes.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    /// A message of the link or network layer itself.
    Link {
        action: &'static str,
        ttl: Option<u16>,
        code: Option<u16>,
    },
    Apdu(&'a [u8]),
}

/// One datagram.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) broadcast: bool,
    /// Network numbers of its end and its beginning, where routers lie between.
    pub(super) to: Option<u16>,
    pub(super) from: Option<u16>,
    pub(super) payload: Payload<'a>,
}

/// Whether a datagram is a BACnet message: its length is the datagram's, and what follows is what
/// its function carries.
pub(super) fn is_bacnet(datagram: &[u8]) -> bool {
    let &[BVLL, function, high, low, ref rest @ ..] = datagram else { return false };
    if usize::from(u16::from_be_bytes([high, low])) != datagram.len() {
        return false;
    }
    let version_1 = |npdu: &[u8]| matches!(npdu, [1, control, _, ..] if control & 0x50 == 0);
    match (function, rest.len()) {
        (0x00 | 0x05, 2) | (0x02 | 0x06, 0) | (0x08, 6) => true,
        (0x01 | 0x03 | 0x07, length) => length > 0 && length % 10 == 0,
        (0x04, _) => version_1(rest.get(6..).unwrap_or_default()),
        (0x09..=0x0b, _) => version_1(rest),
        _ => false,
    }
}

impl<'a> Frame<'a> {
    /// Takes off the envelopes.
    pub(super) fn read(datagram: &'a [u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor::new(datagram);
        Self::bvll(&mut cursor, datagram.len()).map_err(|Short| SHORT)?
    }

    fn bvll(cursor: &mut Cursor<'a>, size: usize) -> Result<Result<Self, &'static str>, Short> {
        let [kind, function] = cursor.array::<2>()?;
        let length = usize::from(cursor.u16()?);
        if kind != BVLL {
            return Ok(Err("link type not assigned"));
        }
        if length != size {
            return Ok(Err("length that is not the datagram's"));
        }
        let link = |action, ttl, code| {
            let payload = Payload::Link { action, ttl, code };
            Ok(Ok(Self { broadcast: false, to: None, from: None, payload }))
        };
        match function {
            0x00 => link("result", None, Some(cursor.u16()?)),
            0x01 => link("write_broadcast_table", None, None),
            0x02 => link("read_broadcast_table", None, None),
            0x03 => link("broadcast_table", None, None),
            0x05 => link("register_foreign_device", Some(cursor.u16()?), None),
            0x06 => link("read_foreign_devices", None, None),
            0x07 => link("foreign_devices", None, None),
            0x08 => link("delete_foreign_device", None, None),
            0x0c => link("secure", None, None),
            // A forwarded message says in six bytes where it comes from.
            0x04 => {
                cursor.skip(6)?;
                Self::npdu(cursor, true)
            }
            0x09 | 0x0b => Self::npdu(cursor, true),
            0x0a => Self::npdu(cursor, false),
            _ => Ok(Err("link function not assigned")),
        }
    }

    fn npdu(cursor: &mut Cursor<'a>, broadcast: bool) -> Result<Result<Self, &'static str>, Short> {
        if cursor.u8()? != 1 {
            return Ok(Err("network version that is not 1"));
        }
        let control = cursor.u8()?;
        let (mut to, mut from) = (None, None);
        if control & 0x20 != 0 {
            to = Some(address(cursor)?);
        }
        if control & 0x08 != 0 {
            from = Some(address(cursor)?);
        }
        if control & 0x20 != 0 {
            cursor.skip(1)?;
        }
        let payload = if control & 0x80 == 0 {
            Payload::Apdu(cursor.rest())
        } else {
            Payload::Link { action: network_message(cursor.u8()?), ttl: None, code: None }
        };
        Ok(Ok(Self { broadcast: broadcast || to == Some(u16::MAX), to, from, payload }))
    }
}

/// The network number of an address; its bytes on that network are passed over.
fn address(cursor: &mut Cursor<'_>) -> Result<u16, Short> {
    let network = cursor.u16()?;
    let length = cursor.u8()?;
    cursor.skip(usize::from(length))?;
    Ok(network)
}

/// Messages of the network layer (clause 6.2.4).
const fn network_message(kind: u8) -> &'static str {
    match kind {
        0x00 => "who_is_router",
        0x01 => "i_am_router",
        0x02 => "i_could_be_router",
        0x03 => "reject_message",
        0x04 => "router_busy",
        0x05 => "router_available",
        0x06 => "initialize_routing_table",
        0x07 => "routing_table",
        0x08 => "establish_connection",
        0x09 => "disconnect",
        0x12 => "what_is_network_number",
        0x13 => "network_number_is",
        _ => "other_network_message",
    }
}
