//! Packets in tunnels: the innermost counts.

use crate::decode::packet;
use crate::frames::*;
use model::net::Mac;
use wire::decode::{Decoded, decode};
use wire::{Layer, Notes};

/// The mirrored frame.
fn inner() -> Vec<u8> {
    udp_frame((7, 5_000), (8, 53), b"query")
}

fn outer(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ethernet(1, 2, 0x0800, &ipv4(host(1), host(2), protocol, payload))
}

fn gre(header: &[u8], payload: &[u8]) -> Vec<u8> {
    outer(47, &[header, payload].concat())
}

fn over_udp(port: u16, header: &[u8], payload: &[u8]) -> Vec<u8> {
    udp_frame((1, 60_000), (2, port), &[header, payload].concat())
}

#[test]
fn mirrored_frames_look_as_if_seen_on_their_own_wire() {
    let frame = inner();
    let packet_only = &frame[14..];
    let erspan3 = [0x20, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut extended = erspan3.to_vec();
    extended[11] = 1;
    extended.extend([0; 8]);
    let erspan2 = [0x10, 7, 0, 0, 0, 0, 0, 0];
    let sequence = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1];
    let vxlan = [8, 0, 0, 0, 0, 0, 5, 0];
    let tunnels: [(&str, Vec<u8>, bool, Option<u16>); 13] = [
        ("GRE with a frame", gre(&[0, 0, 0x65, 0x58], &frame), true, None),
        (
            "GRE with key and sequence",
            gre(&[0x30, 0, 0x65, 0x58, 0, 0, 0, 1, 0, 0, 0, 2], &frame),
            true,
            None,
        ),
        ("GRE with IP", gre(&[0x80, 0, 8, 0, 0, 0, 0, 0], packet_only), false, None),
        ("ERSPAN I", gre(&[0, 0, 0x88, 0xbe], &frame), true, None),
        ("ERSPAN II", gre(&sequence, &[&erspan2[..], &frame].concat()), true, Some(7)),
        (
            "ERSPAN III",
            gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[&erspan3[..], &frame].concat()),
            true,
            Some(7),
        ),
        (
            "ERSPAN III, extended",
            gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[&extended[..], &frame].concat()),
            true,
            Some(7),
        ),
        ("VXLAN", over_udp(4_789, &vxlan, &frame), true, None),
        ("VXLAN, Linux's old port", over_udp(8_472, &vxlan, &frame), true, None),
        (
            "Geneve",
            over_udp(6_081, &[1, 0, 0x65, 0x58, 0, 0, 5, 0, 9, 9, 9, 9], &frame),
            true,
            None,
        ),
        ("IP in IP", outer(4, packet_only), false, None),
        ("IPv4 in IPv6", ethernet(1, 2, 0x86dd, &ipv6(1, 2, 4, packet_only)), false, None),
        (
            "PPTP",
            gre(
                &[0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21],
                packet_only,
            ),
            false,
            None,
        ),
    ];
    for (name, bytes, own_link, vlan) in tunnels {
        let packet = packet(1, &bytes);
        assert_eq!((packet.src, packet.dst, packet.dst_port), (ip(7), ip(8), 53), "{name}");
        assert_eq!((packet.payload, packet.ip_len), (&b"query"[..], 33), "{name}");
        assert!(packet.notes.has(Notes::TUNNELLED), "{name}");
        let sender = if own_link { 7 } else { 1 };
        assert_eq!(packet.link.src, Some(Mac([2, 0, 0, 0, 0, sender])), "{name}");
        assert_eq!(packet.link.vlan, vlan, "{name}");
    }
}

#[test]
fn ipv6_in_ipv4_is_gone_into() {
    let bytes = outer(41, &ipv6(7, 8, 17, &udp(5_000, 53, b"query")));
    let packet = packet(1, &bytes);
    assert_eq!((packet.src.is_ipv6(), packet.payload), (true, &b"query"[..]));
}

#[test]
fn a_datagram_that_only_has_the_port_of_a_tunnel_is_no_tunnel() {
    let frame = inner();
    for (header, payload) in [
        (&[8, 0, 0, 0, 0, 0, 5, 1][..], &frame[..]),
        (&[9, 0, 0, 0, 0, 0, 5, 0], &frame),
        (&[8, 0, 0, 0, 0, 0, 5, 0], b"no frame, only some text"),
        (&[8, 0, 0, 0], b""),
    ] {
        let bytes = over_udp(4_789, header, payload);
        assert_eq!(packet(1, &bytes).dst_port, 4_789, "{header:?}");
    }
}

#[test]
fn tunnels_in_each_other_have_an_end() {
    let mut bytes = ipv4(host(7), host(8), 17, &udp(5_000, 53, b"query"));
    for _ in 0..4 {
        bytes = ipv4(host(1), host(2), 4, &bytes);
    }
    let four = ethernet(1, 2, 0x0800, &bytes);
    assert_eq!(packet(1, &four).src, ip(7));
    let five = ethernet(1, 2, 0x0800, &ipv4(host(1), host(2), 4, &bytes));
    assert!(
        matches!(decode(1, five.len(), &five), Decoded::Malformed(bad) if bad.layer == Layer::Tunnel)
    );
}

#[test]
fn a_mirrored_frame_that_was_cut_short_keeps_count_of_what_is_missing() {
    let bytes = gre(&[0, 0, 0x65, 0x58], &inner());
    let Decoded::Packet(packet) = decode(1, bytes.len(), &bytes[..bytes.len() - 2]) else {
        panic!()
    };
    assert_eq!((packet.payload, packet.missing), (&b"que"[..], 2));
    // The mirror itself may cut, and says so in the ERSPAN header.
    let whole = inner();
    let short = &whole[..whole.len() - 2];
    let mirror = |flags| {
        let erspan = [0x10, 7, flags, 0, 0, 0, 0, 0];
        gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], &[&erspan[..], short].concat())
    };
    let said = mirror(0x04);
    let Decoded::Packet(packet) = decode(1, said.len(), &said) else { panic!() };
    assert_eq!((packet.payload, packet.missing), (&b"que"[..], 2));
    // Otherwise the packet itself lies about its length, and its receiver drops it.
    let lying = mirror(0);
    assert!(matches!(decode(1, lying.len(), &lying), Decoded::Malformed(_)));
}
