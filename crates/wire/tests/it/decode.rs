//! Decoding against another decoder (etherparse), and against noise.

use std::net::IpAddr;

use etherparse::{LinkExtSlice, NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use proptest::prelude::*;

use crate::frames::*;
use model::net::{Mac, Transport};
use wire::decode::{Decoded, Packet, decode};
use wire::{Layer, Notes};

/// What both decoders have to agree on.
#[derive(Debug, PartialEq)]
struct Seen {
    macs: [Option<Mac>; 2],
    vlan: Option<u16>,
    ips: [IpAddr; 2],
    ip_len: usize,
    transport: Transport,
    ports: [u16; 2],
    tcp: Option<(u32, u32, u8, u16)>,
    payload: Vec<u8>,
}

fn ours(packet: &Packet<'_>) -> Seen {
    let tcp = packet.tcp;
    Seen {
        macs: [packet.link.src, packet.link.dst],
        vlan: packet.link.vlan,
        ips: [packet.src, packet.dst],
        ip_len: packet.ip_len as usize,
        transport: packet.transport,
        ports: [packet.src_port, packet.dst_port],
        tcp: (packet.transport == Transport::Tcp)
            .then_some((tcp.seq, tcp.ack, tcp.flags, tcp.window)),
        payload: packet.payload.to_vec(),
    }
}

/// The same by etherparse; none where it finds no whole TCP or UDP packet.
fn theirs(frame: &[u8]) -> Option<Seen> {
    let sliced = SlicedPacket::from_ethernet(frame).ok()?;
    let etherparse::LinkSlice::Ethernet2(ethernet) = sliced.link? else { return None };
    let vlan = sliced.link_exts.first().and_then(|ext| match ext {
        LinkExtSlice::Vlan(vlan) => Some(vlan.vlan_identifier().value()),
        _ => None,
    });
    let (ips, ip_len): ([IpAddr; 2], usize) = match sliced.net? {
        NetSlice::Ipv4(v4) => {
            if v4.is_payload_fragmented() {
                return None;
            }
            let header = v4.header();
            let ips = [header.source_addr().into(), header.destination_addr().into()];
            (ips, header.total_len().into())
        }
        NetSlice::Ipv6(v6) => {
            if v6.is_payload_fragmented() {
                return None;
            }
            let header = v6.header();
            let ips = [header.source_addr().into(), header.destination_addr().into()];
            (ips, usize::from(header.payload_length()) + 40)
        }
        NetSlice::Arp(_) => return None,
    };
    let (transport, ports, tcp, payload) = match sliced.transport? {
        TransportSlice::Tcp(tcp) => {
            let flags = *tcp.slice().get(13)?;
            let fields =
                (tcp.sequence_number(), tcp.acknowledgment_number(), flags, tcp.window_size());
            let ports = [tcp.source_port(), tcp.destination_port()];
            (Transport::Tcp, ports, Some(fields), tcp.payload().to_vec())
        }
        TransportSlice::Udp(udp) => {
            let ports = [udp.source_port(), udp.destination_port()];
            (Transport::Udp, ports, None, udp.payload().to_vec())
        }
        _ => return None,
    };
    let macs = [Some(Mac(ethernet.source())), Some(Mac(ethernet.destination()))];
    Some(Seen { macs, vlan, ips, ip_len, transport, ports, tcp, payload })
}

/// How a packet is built.
#[derive(Debug, Clone)]
struct Plan {
    vlans: Vec<u16>,
    v6: bool,
    tcp: bool,
    addresses: [u8; 32],
    ports: [u16; 2],
    numbers: (u32, u32, u16, u8),
    options: usize,
    extensions: Vec<u8>,
    payload: Vec<u8>,
    padding: usize,
}

fn plans() -> impl Strategy<Value = Plan> {
    (
        (proptest::collection::vec(1_u16..4_095, 0..3), any::<(bool, bool)>(), any::<[u8; 32]>()),
        (any::<[u16; 2]>(), any::<(u32, u32, u16, u8)>(), 0_usize..10),
        proptest::collection::vec(0_u8..4, 0..5),
        proptest::collection::vec(any::<u8>(), 0..200),
        0_usize..30,
    )
        .prop_map(
            |(
                (vlans, (v6, tcp), addresses),
                (ports, numbers, options),
                extensions,
                payload,
                padding,
            )| {
                // Not a tunnel.
                let ports =
                    ports.map(|port| if matches!(port, 4_789 | 8_472 | 6_081) { 80 } else { port });
                Plan {
                    vlans,
                    v6,
                    tcp,
                    addresses,
                    ports,
                    numbers,
                    options,
                    extensions,
                    payload,
                    padding,
                }
            },
        )
}

/// Extension headers in front of a transport, as bytes.
fn extend(plan: &Plan, protocol: u8, transport: Vec<u8>) -> (u8, Vec<u8>) {
    // Hop-by-hop comes first and once; then destination options, routing, authentication.
    let numbers = [60_u8, 43, 51, 60];
    let (mut next, mut bytes) = (protocol, transport);
    for &kind in &plan.extensions {
        let number = numbers[usize::from(kind)];
        let length = if number == 51 { 12 } else { 8 };
        let mut extension = vec![0; length];
        extension[0] = next;
        // A routing header that is not of the deprecated type.
        extension[2] = 4;
        extension[1] = if number == 51 { 1 } else { 0 };
        extension.extend(bytes);
        (next, bytes) = (number, extension);
    }
    (next, bytes)
}

fn build(plan: &Plan) -> Vec<u8> {
    let transport = if plan.tcp {
        let (seq, ack, window, flags) = plan.numbers;
        let mut segment = tcp((plan.ports[0], plan.ports[1]), seq, ack, flags, b"");
        segment[12] = ((5 + plan.options) as u8) << 4;
        segment[14..16].copy_from_slice(&window.to_be_bytes());
        segment.extend(vec![1; plan.options * 4]);
        segment.extend(&plan.payload);
        segment
    } else {
        udp(plan.ports[0], plan.ports[1], &plan.payload)
    };
    let protocol = if plan.tcp { 6 } else { 17 };
    let address = |from: usize| -> [u8; 4] { plan.addresses[from..from + 4].try_into().unwrap() };
    let (ethertype, packet) = if plan.v6 {
        let (next, bytes) = extend(plan, protocol, transport);
        let mut packet = ipv6(1, 2, next, &bytes);
        packet[8..40].copy_from_slice(&plan.addresses);
        (0x86dd_u16, packet)
    } else {
        let mut packet = ipv4(address(0).into(), address(4).into(), protocol, &transport);
        let options = plan.options.min(3) * 4;
        packet[0] = 0x45 + (options / 4) as u8;
        let total = (packet.len() + options) as u16;
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        packet.splice(20..20, vec![1; options]);
        (0x0800, packet)
    };
    let mut frame = ethernet(1, 2, plan.vlans.first().map_or(ethertype, |_| 0x8100), b"");
    for (place, vlan) in plan.vlans.iter().enumerate() {
        frame.extend(vlan.to_be_bytes());
        let inner = if place + 1 < plan.vlans.len() { 0x8100 } else { ethertype };
        frame.extend(inner.to_be_bytes());
    }
    frame.extend(packet);
    frame.extend(vec![0; plan.padding]);
    frame
}

proptest! {
    #[test]
    fn agrees_with_etherparse_on_sound_packets(plan in plans()) {
        let frame = build(&plan);
        let Decoded::Packet(packet) = decode(1, frame.len(), &frame) else {
            return Err(TestCaseError::fail(format!("{:?}", decode(1, frame.len(), &frame))));
        };
        prop_assert_eq!(Some(ours(&packet)), theirs(&frame));
        prop_assert_eq!(packet.missing, 0);
        prop_assert_eq!(packet.payload, &plan.payload[..]);
    }

    #[test]
    fn agrees_with_etherparse_wherever_both_understand_a_broken_packet(
        plan in plans(), flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4)
    ) {
        let mut frame = build(&plan);
        for (place, value) in flips {
            let at = usize::from(place) % frame.len().min(90);
            frame[at] = value;
        }
        if let (Decoded::Packet(packet), Some(theirs)) = (decode(1, frame.len(), &frame), theirs(&frame)) {
            let same_kind = packet.transport == theirs.transport;
            // Lengths of zero, which stand for what offload leaves open, are read otherwise.
            let open = theirs.ip_len == 0 || theirs.ip_len == 40;
            if same_kind && !open && !packet.notes.has(Notes::TUNNELLED) {
                prop_assert_eq!(ours(&packet), theirs);
            }
        }
    }

    #[test]
    fn noise_never_breaks_it(
        link_type in prop_oneof![Just(1_u32), Just(0), Just(9), Just(101), Just(113), Just(276), 0_u32..300],
        bytes in proptest::collection::vec(any::<u8>(), 0..200), more in 0_usize..100
    ) {
        let _ = decode(link_type, bytes.len() + more, &bytes);
    }

    #[test]
    fn a_packet_cut_anywhere_says_how_much_is_missing(plan in plans(), keep in 0_usize..300) {
        let mut plan = plan;
        plan.padding = 0;
        let frame = build(&plan);
        let cut = &frame[..keep.min(frame.len())];
        if let Decoded::Packet(packet) = decode(1, frame.len(), cut) {
            let whole = packet.payload.len() + packet.missing as usize;
            prop_assert_eq!(whole, plan.payload.len());
            prop_assert_eq!(packet.payload, &plan.payload[..packet.payload.len()]);
        }
    }
}

/// The packet in a frame.
pub(crate) fn packet(link_type: u32, frame: &[u8]) -> Packet<'_> {
    match decode(link_type, frame.len(), frame) {
        Decoded::Packet(packet) => packet,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_link_type_leads_to_the_same_packet() {
    let datagram = ipv4(host(1), host(2), 17, &udp(5_000, 53, b"query"));
    let with = |header: &[u8]| [header, &datagram].concat();
    let cooked = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
    let cooked2 = [8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    let snap =
        [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0, 41, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..]].concat();
    let pppoe = ethernet(1, 2, 0x8864, &[0x11, 0, 0, 7, 0, 35, 0, 0x21]);
    let mpls = ethernet(1, 2, 0x8847, &[0, 1, 0, 64, 0, 2, 1, 64]);
    let wire_in_mpls = [&mpls[..], &[0, 0, 0, 0], &ethernet(1, 2, 0x0800, b"")].concat();
    for (link_type, header) in [
        (1, ethernet(1, 2, 0x0800, b"")),
        (1, ethernet(1, 2, 0x88a8, &[0, 9, 0x81, 0, 0, 7, 8, 0])),
        (1, ethernet(1, 2, 0x9100, &[0, 9, 8, 0])),
        (1, snap),
        (1, pppoe),
        (1, mpls),
        (1, wire_in_mpls),
        (0, vec![2, 0, 0, 0]),
        (108, vec![0, 0, 0, 2]),
        (9, vec![0xff, 3, 0, 0x21]),
        (12, vec![]),
        (101, vec![]),
        (228, vec![]),
        (113, cooked.to_vec()),
        (276, cooked2.to_vec()),
    ] {
        let frame = with(&header);
        let packet = packet(link_type, &frame);
        let seen = (packet.src_port, packet.dst_port, packet.payload, packet.ip_len);
        assert_eq!(seen, (5_000, 53, &b"query"[..], 33), "link type {link_type}, {header:x?}");
        let mac = Some(Mac([2, 0, 0, 0, 0, 1]));
        assert_eq!(packet.link.src, if matches!(link_type, 1 | 113 | 276) { mac } else { None });
    }
    let tagged = ethernet(1, 2, 0x88a8, &[0x20, 9, 0x81, 0, 0, 7, 8, 0]);
    assert_eq!(packet(1, &with(&tagged)).link.vlan, Some(9), "the outermost tag");
}

#[test]
fn what_is_malformed_says_where_and_why() {
    // Read as UDP, the sequence number holds a length of three.
    let sound = tcp_frame((1, 1), (2, 2), 3 << 16, 0, ACK, b"data");
    let broken = |at: usize, value: u8| {
        let mut frame = sound.clone();
        frame[at] = value;
        frame
    };
    for (frame, layer, what) in [
        (sound[..13].to_vec(), Layer::Link, "ends in the Ethernet header"),
        (sound[..30].to_vec(), Layer::Ipv4, "ends in the header"),
        (sound[..40].to_vec(), Layer::Ipv4, "total length beyond the frame"),
        (broken(14, 0x44), Layer::Ipv4, "header length below 20"),
        (broken(14, 0x55), Layer::Ipv4, "version is neither 4 nor 6"),
        (broken(17, 10), Layer::Ipv4, "total length below the header's"),
        (broken(46, 0x40), Layer::Tcp, "header length below 20"),
        (broken(46, 0xf0), Layer::Tcp, "header length beyond the packet"),
        (broken(23, 17), Layer::Udp, "length below 8"),
    ] {
        match decode(1, frame.len(), &frame) {
            Decoded::Malformed(bad) => assert_eq!((bad.layer, bad.what), (layer, what)),
            other => panic!("{what}: {other:?}"),
        }
    }
    let many = ethernet(1, 2, 0x8100, &[0, 1, 0x81, 0].repeat(12));
    assert!(
        matches!(decode(1, many.len(), &many), Decoded::Malformed(bad) if bad.layer == Layer::Vlan)
    );
}

#[test]
fn shapes_that_attacks_use_are_noted() {
    let noted = |frame: &[u8], note: Notes| packet(1, frame).notes.has(note);
    let mut routed =
        ipv4(host(1), host(2), 6, &[&[131, 4, 4, 0][..], &tcp((1, 2), 0, 0, ACK, b"")].concat());
    routed[0] = 0x46;
    assert!(noted(&ethernet(1, 2, 0x0800, &routed), Notes::SOURCE_ROUTE));
    routed[21] = 99;
    assert!(noted(&ethernet(1, 2, 0x0800, &routed), Notes::BAD_IP_OPTIONS));
    let frame = |flags| tcp_frame((1, 1), (2, 2), 0, 0, flags, b"");
    assert!(noted(&frame(0x20 | ACK), Notes::URGENT_ZERO));
    for odd in [0, SYN | FIN, SYN | RST, 0x29] {
        assert!(noted(&frame(odd), Notes::ODD_FLAGS), "{odd:#x}");
    }
    for usual in [SYN, SYN | ACK, ACK, ACK | FIN, RST, RST | ACK, ACK | PSH] {
        assert!(packet(1, &frame(usual)).notes.is_empty(), "{usual:#x}");
    }
    assert!(noted(&tcp_frame((1, 1), (2, 2), 0, 0, SYN, b"x"), Notes::SYN_DATA));
}

#[test]
fn the_window_scale_of_a_syn_is_read_past_other_options() {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(1, 2, 3, 4)
        .syn()
        .options(&[
            etherparse::TcpOptionElement::MaximumSegmentSize(1_460),
            etherparse::TcpOptionElement::SelectiveAcknowledgementPermitted,
            etherparse::TcpOptionElement::Timestamp(1, 2),
            etherparse::TcpOptionElement::Noop,
            etherparse::TcpOptionElement::WindowScale(7),
        ])
        .unwrap();
    let mut frame = Vec::new();
    builder.write(&mut frame, &[]).unwrap();
    assert_eq!(packet(1, &frame).tcp.scale, Some(7));
}
