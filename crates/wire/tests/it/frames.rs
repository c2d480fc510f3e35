//! Builds frames, layer by layer from the inside out.

use std::net::{IpAddr, Ipv4Addr};

use wire::decode::Tcp;

pub(crate) const SYN: u8 = Tcp::SYN;
pub(crate) const ACK: u8 = Tcp::ACK;
pub(crate) const FIN: u8 = Tcp::FIN;
pub(crate) const RST: u8 = Tcp::RST;
pub(crate) const PSH: u8 = Tcp::PSH;

/// Two hosts on the same wire, by the last byte of their address.
pub(crate) fn host(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

pub(crate) fn ethernet(src: u8, dst: u8, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An IPv4 packet; `fragment` is the field with flags and offset.
pub(crate) fn ipv4_piece(
    src: Ipv4Addr,
    dst: Ipv4Addr,
    protocol: u8,
    id: u16,
    fragment: u16,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((payload.len() as u16 + 20).to_be_bytes());
    packet.extend(id.to_be_bytes());
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, protocol, 0, 0]);
    packet.extend(src.octets());
    packet.extend(dst.octets());
    packet.extend(payload);
    packet
}

pub(crate) fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_piece(src, dst, protocol, 1, 0, payload)
}

pub(crate) fn ipv6(src: u8, dst: u8, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([protocol, 64]);
    for last in [src, dst] {
        packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    packet
}

pub(crate) fn udp(src_port: u16, dst_port: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(src_port.to_be_bytes());
    datagram.extend(dst_port.to_be_bytes());
    datagram.extend((payload.len() as u16 + 8).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}

pub(crate) fn tcp(ports: (u16, u16), seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(ports.0.to_be_bytes());
    segment.extend(ports.1.to_be_bytes());
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

/// A whole frame with TCP between two hosts.
pub(crate) fn tcp_frame(
    from: (u8, u16),
    to: (u8, u16),
    seq: u32,
    ack: u32,
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let segment = tcp((from.1, to.1), seq, ack, flags, payload);
    ethernet(from.0, to.0, 0x0800, &ipv4(host(from.0), host(to.0), 6, &segment))
}

/// A whole frame with UDP between two hosts.
pub(crate) fn udp_frame(from: (u8, u16), to: (u8, u16), payload: &[u8]) -> Vec<u8> {
    let datagram = udp(from.1, to.1, payload);
    ethernet(from.0, to.0, 0x0800, &ipv4(host(from.0), host(to.0), 17, &datagram))
}

/// A whole frame with ICMP between two hosts.
pub(crate) fn icmp_frame(from: u8, to: u8, kind: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    message.extend(rest);
    ethernet(from, to, 0x0800, &ipv4(host(from), host(to), 1, &message))
}

pub(crate) fn ip(last: u8) -> IpAddr {
    host(last).into()
}
