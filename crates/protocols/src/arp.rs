//! ARP for Ethernet and IPv4 (RFC 826, RFC 5227).
//!
//! Who claims which address is what a man in the middle forges first. ARP has no IP header and so
//! belongs to no flow: instead of a [`Protocol`](crate::Protocol) there is one function,
//! [`decode`], which is given each packet with what its Ethernet header said. Reverse and inverse
//! ARP, and other hardware, are anomalies here: nothing in a hospital's Ethernet needs them.

use std::net::Ipv4Addr;

use model::emit::{ANOMALY, Emit};
use model::field::{Field, FieldType, KindSpec};
use model::flow::Direction;
use model::net::{Mac, Transport};
use model::observation::{Party, Value};
use wire::cursor::{Cursor, Short};

use crate::seam::ProtocolSpec;

/// One packet.
pub static PACKET: KindSpec = KindSpec {
    name: "arp.packet",
    doc: "An ARP packet. Subject is who sends it, by the Ethernet header.",
    fields: &[
        Field::new("operation", FieldType::Text, "request or reply."),
        Field::new("sender_mac", FieldType::Mac, "Hardware address it claims to have."),
        Field::new(
            "sender_ip",
            FieldType::Ip,
            "Address it claims to have; absent in a probe (RFC 5227).",
        ),
        Field::new("target_mac", FieldType::Mac, "Hardware address of the target, where not zero."),
        Field::new("target_ip", FieldType::Ip, "Address asked for or answered to."),
        Field::new(
            "gratuitous",
            FieldType::Bool,
            "Whether sender and target address are the same.",
        ),
        Field::new("broadcast", FieldType::Bool, "Whether sent to everybody."),
    ],
};

/// What there is to know of ARP.
pub static SPEC: ProtocolSpec = ProtocolSpec {
    name: "arp",
    transports: &[Transport::Arp],
    kinds: &[&PACKET],
    doc: "Who claims which address on the local network.",
    sources: &["RFC 826", "RFC 5227", "IANA ARP parameters"],
};

/// Says what is in one ARP packet. `payload` is what follows the Ethernet header (padding may
/// follow the packet), `ethernet_source` the address in that header and `broadcast` whether it was
/// sent to everybody. `out` has no flow; the subject is set here: the Ethernet source where it is
/// known, else the hardware address that the packet claims, with the network address it claims.
pub fn decode(payload: &[u8], ethernet_source: Option<Mac>, broadcast: bool, out: &mut Emit<'_>) {
    let sender = |packet: Option<&Packet>| Party {
        ip: packet.and_then(|p| given(p.sender_ip)).map(Into::into),
        mac: ethernet_source.or_else(|| packet.and_then(|p| station(p.sender_mac))),
        ..Party::default()
    };
    let mut anomaly = |what, packet: Option<&Packet>| {
        let draft = out.observe(&ANOMALY, Direction::Forward).subject(sender(packet));
        draft.word("protocol", SPEC.name).word("what", what).emit();
    };
    let packet = match Packet::read(payload) {
        Ok(packet) => packet,
        Err(what) => return anomaly(what, None),
    };
    let operation = match packet.operation {
        1 => "request",
        2 => "reply",
        _ => return anomaly("operation other than request or reply", Some(&packet)),
    };
    if ethernet_source.is_some_and(|source| source != packet.sender_mac) {
        anomaly("sender differs from the Ethernet source", Some(&packet));
    }
    let target = Party {
        ip: given(packet.target_ip).map(Into::into),
        mac: station(packet.target_mac),
        ..Party::default()
    };
    let gratuitous = packet.sender_ip == packet.target_ip && !packet.sender_ip.is_unspecified();
    let peer = (!gratuitous && !target.is_empty()).then_some(target);
    out.observe(&PACKET, Direction::Forward)
        .subject(sender(Some(&packet)))
        .peer(peer)
        .word("operation", operation)
        .value("sender_mac", Some(Value::Mac(packet.sender_mac)))
        .value("sender_ip", given(packet.sender_ip).map(|ip| Value::Ip(ip.into())))
        .value(
            "target_mac",
            (packet.target_mac != Mac::default()).then_some(Value::Mac(packet.target_mac)),
        )
        .value("target_ip", Some(Value::Ip(packet.target_ip.into())))
        .flag("gratuitous", gratuitous)
        .flag("broadcast", broadcast)
        .emit();
}

struct Packet {
    operation: u16,
    sender_mac: Mac,
    sender_ip: Ipv4Addr,
    target_mac: Mac,
    target_ip: Ipv4Addr,
}

impl Packet {
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::fields(bytes).unwrap_or(Err("packet ends too early"))
    }

    fn fields(bytes: &[u8]) -> Result<Result<Self, &'static str>, Short> {
        let mut cursor = Cursor::new(bytes);
        // Ethernet, IPv4, and the lengths of their addresses.
        if cursor.array()? != [0, 1, 8, 0, 6, 4] {
            return Ok(Err("not for Ethernet and IPv4"));
        }
        Ok(Ok(Self {
            operation: cursor.u16()?,
            sender_mac: Mac(cursor.array()?),
            sender_ip: cursor.array::<4>()?.into(),
            target_mac: Mac(cursor.array()?),
            target_ip: cursor.array::<4>()?.into(),
        }))
    }
}

fn given(ip: Ipv4Addr) -> Option<Ipv4Addr> {
    (!ip.is_unspecified()).then_some(ip)
}

fn station(mac: Mac) -> Option<Mac> {
    mac.is_station().then_some(mac)
}

#[cfg(test)]
mod tests;
