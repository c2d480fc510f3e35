//! The fixed part of a message (RFC 2131, 2).

use std::net::Ipv4Addr;

use model::net::Mac;
use wire::cursor::{Cursor, Short};

/// Which side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpCode {
    Request,
    Reply,
}

/// A message with its options still as bytes.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) op: OpCode,
    hardware: u8,
    hardware_length: u8,
    /// The client's own address (`ciaddr`).
    pub(super) client: Ipv4Addr,
    /// The address given to it (`yiaddr`).
    pub(super) assigned: Ipv4Addr,
    /// Where to boot from (`siaddr`).
    pub(super) next_server: Ipv4Addr,
    /// The relay in between (`giaddr`).
    pub(super) relay: Ipv4Addr,
    client_hardware: [u8; 16],
    /// Server name, or more options.
    pub(super) server_name: &'a [u8],
    /// Boot file, or more options.
    pub(super) file: &'a [u8],
    pub(super) has_cookie: bool,
    /// What follows the magic cookie.
    pub(super) options: &'a [u8],
}

const COOKIE: [u8; 4] = [99, 130, 83, 99];

impl<'a> Message<'a> {
    /// Reads the fixed part.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        Self::fields(bytes).unwrap_or(Err("message ends too early"))
    }

    fn fields(bytes: &'a [u8]) -> Result<Result<Self, &'static str>, Short> {
        let mut cursor = Cursor::new(bytes);
        let op = match cursor.u8()? {
            1 => OpCode::Request,
            2 => OpCode::Reply,
            _ => return Ok(Err("neither a request nor a reply")),
        };
        let [hardware, hardware_length, _hops] = cursor.array()?;
        if hardware_length > 16 {
            return Ok(Err("hardware address longer than its field"));
        }
        cursor.skip(8)?;
        let mut address = || cursor.array::<4>().map(Ipv4Addr::from);
        let [client, assigned, next_server, relay] =
            [address()?, address()?, address()?, address()?];
        let client_hardware = cursor.array()?;
        let (server_name, file) = (cursor.take(64)?, cursor.take(128)?);
        let has_cookie = cursor.rest().starts_with(&COOKIE);
        let options = cursor.rest().get(COOKIE.len()..).filter(|_| has_cookie).unwrap_or_default();
        Ok(Ok(Self {
            op,
            hardware,
            hardware_length,
            client,
            assigned,
            next_server,
            relay,
            client_hardware,
            server_name,
            file,
            has_cookie,
            options,
        }))
    }

    /// The client's Ethernet address, where it has one.
    pub(super) fn client_mac(&self) -> Option<Mac> {
        let ethernet = self.hardware == 1 && self.hardware_length == 6;
        let [a, b, c, d, e, f, ..] = self.client_hardware;
        let mac = Mac([a, b, c, d, e, f]);
        (ethernet && mac.is_station()).then_some(mac)
    }
}
