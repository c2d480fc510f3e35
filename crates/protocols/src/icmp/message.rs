//! The layout of ICMP messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::net::Mac;
use wire::cursor::{Cursor, Short};

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) code: u8,
    pub(super) name: Option<&'static str>,
    /// Bytes after the eight of the header.
    pub(super) payload: u64,
    /// Whether it is about another packet.
    pub(super) is_error: bool,
    pub(super) about: Option<IpAddr>,
    pub(super) about_mac: Option<Mac>,
    /// Which rule its body breaks.
    pub(super) broken: Option<&'static str>,
}

/// What the body of a message holds.
enum Body {
    /// Nothing that is read.
    Opaque,
    /// The start of the packet that it is about, after the header.
    Packet,
    /// A better gateway in the header, then the start of the packet.
    Gateway,
    /// A target, then options.
    Target,
    /// A target, the destination, then options.
    Redirect,
    /// Options after so many bytes.
    Options(usize),
}

/// Name, whether an error, body.
type Kind = (Option<&'static str>, bool, Body);

const fn kind4(kind: u8) -> Kind {
    match kind {
        0 => (Some("echo_reply"), false, Body::Opaque),
        3 => (Some("unreachable"), true, Body::Packet),
        4 => (Some("source_quench"), true, Body::Packet),
        5 => (Some("redirect"), true, Body::Gateway),
        8 => (Some("echo_request"), false, Body::Opaque),
        9 => (Some("router_advertisement"), false, Body::Opaque),
        10 => (Some("router_solicitation"), false, Body::Opaque),
        11 => (Some("time_exceeded"), true, Body::Packet),
        12 => (Some("parameter_problem"), true, Body::Packet),
        13 => (Some("timestamp_request"), false, Body::Opaque),
        14 => (Some("timestamp_reply"), false, Body::Opaque),
        15 => (Some("information_request"), false, Body::Opaque),
        16 => (Some("information_reply"), false, Body::Opaque),
        17 => (Some("address_mask_request"), false, Body::Opaque),
        18 => (Some("address_mask_reply"), false, Body::Opaque),
        42 => (Some("extended_echo_request"), false, Body::Opaque),
        43 => (Some("extended_echo_reply"), false, Body::Opaque),
        _ => (None, false, Body::Opaque),
    }
}

const fn kind6(kind: u8) -> Kind {
    match kind {
        1 => (Some("unreachable"), true, Body::Packet),
        2 => (Some("packet_too_big"), true, Body::Packet),
        3 => (Some("time_exceeded"), true, Body::Packet),
        4 => (Some("parameter_problem"), true, Body::Packet),
        128 => (Some("echo_request"), false, Body::Opaque),
        129 => (Some("echo_reply"), false, Body::Opaque),
        130 => (Some("listener_query"), false, Body::Opaque),
        131 | 143 => (Some("listener_report"), false, Body::Opaque),
        132 => (Some("listener_done"), false, Body::Opaque),
        133 => (Some("router_solicitation"), false, Body::Options(0)),
        134 => (Some("router_advertisement"), false, Body::Options(8)),
        135 => (Some("neighbor_solicitation"), false, Body::Target),
        136 => (Some("neighbor_advertisement"), false, Body::Target),
        137 => (Some("redirect"), true, Body::Redirect),
        139 => (Some("node_information_query"), false, Body::Opaque),
        140 => (Some("node_information_reply"), false, Body::Opaque),
        160 => (Some("extended_echo_request"), false, Body::Opaque),
        161 => (Some("extended_echo_reply"), false, Body::Opaque),
        // Types below 128 are errors (RFC 4443, 2.1).
        ..=127 => (None, true, Body::Opaque),
        _ => (None, false, Body::Opaque),
    }
}

impl Message {
    /// Reads a message of ICMP for IPv6 (`v6`) or IPv4.
    pub(super) fn read(bytes: &[u8], v6: bool) -> Result<Self, &'static str> {
        let mut cursor = Cursor::new(bytes);
        let header = cursor.array::<8>().map_err(|Short| "message shorter than its header")?;
        let [kind, code, _, _, gateway @ ..] = header;
        let (name, is_error, body) = if v6 { kind6(kind) } else { kind4(kind) };
        let mut message = Self {
            kind,
            code,
            name,
            payload: cursor.remaining() as u64,
            is_error,
            about: None,
            about_mac: None,
            broken: None,
        };
        let read = match body {
            Body::Opaque => Ok(()),
            Body::Packet => destination(&mut cursor, v6).map(|ip| message.about = Some(ip)),
            Body::Gateway => {
                message.about = Some(Ipv4Addr::from(gateway).into());
                Ok(())
            }
            Body::Target => message.target(&mut cursor).and_then(|()| message.options(cursor)),
            Body::Redirect => message.target(&mut cursor).and_then(|()| {
                cursor.skip(16)?;
                message.options(cursor)
            }),
            Body::Options(after) => cursor.skip(after).and_then(|()| message.options(cursor)),
        };
        if read == Err(Short) {
            message.broken = Some("body ends too early");
        }
        Ok(message)
    }

    fn target(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Short> {
        self.about = Some(Ipv6Addr::from(cursor.array::<16>()?).into());
        Ok(())
    }

    /// Options in units of eight bytes; 1 and 2 hold the sender's and the target's link-layer
    /// address (RFC 4861, 4.6.1).
    fn options(&mut self, mut cursor: Cursor<'_>) -> Result<(), Short> {
        while !cursor.is_empty() {
            let [kind, units] = cursor.array()?;
            if units == 0 {
                self.broken = Some("neighbour option of length zero");
                return Ok(());
            }
            let value = cursor.take(usize::from(units).saturating_mul(8).saturating_sub(2))?;
            if matches!(kind, 1 | 2)
                && let Ok(octets) = value.try_into()
            {
                self.about_mac = Some(Mac(octets));
            }
        }
        Ok(())
    }
}

/// Where the packet that an error is about was going.
fn destination(cursor: &mut Cursor<'_>, v6: bool) -> Result<IpAddr, Short> {
    if v6 {
        cursor.skip(24)?;
        return Ok(Ipv6Addr::from(cursor.array::<16>()?).into());
    }
    cursor.skip(16)?;
    Ok(Ipv4Addr::from(cursor.array::<4>()?).into())
}
