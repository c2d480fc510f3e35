//! Opens the members of an interface.
//!
//! The order matters. A packet socket sees packets from the moment it is bound, when its fellow
//! members are not there yet, and the first member would see flows that belong to others. So each
//! member is opened with a filter that lets nothing pass, and all are opened up when the last has
//! joined.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::frames::{Framing, RESERVE};
use super::{COUNT_EVERY, LiveConfig, LiveSource};
use crate::block::MAX_PACKET;
use crate::sys::ring::{Ring, Shape};
use crate::sys::socket;
use crate::{CaptureError, LinkType};

/// After this the kernel hands over what it has: short beside the seconds in which an attack is
/// to be found, long beside the cost of a wake-up.
const HAND_OVER_MS: u32 = 20;

/// Holds the largest packet but those of "big TCP", of which the rest is cut off.
const LEAST_BLOCK: usize = 128 << 10;
/// Keeps the packets of a walk in a second-level cache.
const MOST_BLOCK: usize = 1 << 20;
/// As a block is handed over every 20 ms, so many blocks are a second in hand, however few the
/// packets.
const BLOCKS: usize = 64;
/// Bare IP, as some mobile modems bring it (`linux/if_arp.h`).
const ARPHRD_RAWIP: u16 = 519;

const LEAST_RING: usize = 1 << 20;
/// What the kernel allows in a group.
const MOST_MEMBERS: usize = 256;

/// What is known of an interface before capture begins.
struct Interface {
    index: i32,
    framing: Framing,
    /// Whether the kernel is to take the link header off (it has none that is of use).
    cooked: bool,
}

pub(super) fn open(config: &LiveConfig) -> Result<Vec<LiveSource>, CaptureError> {
    check(config)?;
    let mut group = None;
    let members = (0..config.members)
        .map(|_| open_member(config, &mut group))
        .collect::<Result<Vec<_>, _>>()?;
    for member in &members {
        socket::keep_first(member.socket.as_fd(), config.snaplen)
            .map_err(|source| member.failed("setting the snap length", source))?;
    }
    Ok(members)
}

fn check(config: &LiveConfig) -> Result<(), CaptureError> {
    let refuse = |what: String, advice| {
        let interface = config.interface.clone();
        Err(CaptureError::Settings { interface, what, advice })
    };
    if !(1..=MOST_MEMBERS).contains(&config.members) {
        return refuse(format!("{} members", config.members), "give 1 to 256");
    }
    if !(1..=MAX_PACKET).contains(&config.snaplen) {
        return refuse(format!("a snap length of {}", config.snaplen), "give 1 to 262144");
    }
    if config.ring_bytes < LEAST_RING {
        let what = format!("a ring of {} bytes", config.ring_bytes);
        return refuse(what, "give at least 1048576");
    }
    Ok(())
}

fn open_member(config: &LiveConfig, group: &mut Option<u32>) -> Result<LiveSource, CaptureError> {
    let name = || config.interface.clone();
    let failed = |doing| move |source| CaptureError::System { interface: name(), doing, source };
    let new_socket = |kind| {
        socket::open(kind).map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => no_permission(name()),
            _ => failed("opening a packet socket")(source),
        })
    };
    let mut fd = new_socket(libc::SOCK_RAW)?;
    let about = look_up(fd.as_fd(), config)?;
    if about.cooked {
        fd = new_socket(libc::SOCK_DGRAM)?;
    }
    let socket = fd.as_fd();
    let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
    socket::set(socket, libc::PACKET_VERSION, &version).map_err(failed("asking for TPACKET_V3"))?;
    socket::set(socket, libc::PACKET_RESERVE, &RESERVE).map_err(failed("reserving headroom"))?;
    if about.framing.skip_outgoing {
        // Kernels before 4.20 cannot; then it is done packet by packet.
        let _ = socket::set(socket, libc::PACKET_IGNORE_OUTGOING, &1_i32);
    }
    let ring = Ring::new(socket, shape(config.ring_bytes)).map_err(|source| {
        CaptureError::Ring { interface: name(), bytes: config.ring_bytes, source }
    })?;
    socket::keep_first(socket, 0).map_err(failed("setting a filter"))?;
    if config.promiscuous {
        let request = libc::packet_mreq {
            mr_ifindex: about.index,
            mr_type: libc::PACKET_MR_PROMISC as libc::c_ushort,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        socket::set(socket, libc::PACKET_ADD_MEMBERSHIP, &request)
            .map_err(failed("asking for promiscuous mode"))?;
    }
    socket::bind(socket, about.index).map_err(failed("binding to the interface"))?;
    if config.members > 1 {
        join(socket, group, config.rollover, about.framing.skip_outgoing)
            .map_err(failed("joining the group of members"))?;
    }
    Ok(LiveSource {
        ring,
        socket: fd,
        interface: name(),
        index: about.index,
        framing: about.framing,
        stats: std::cell::Cell::default(),
        blocks_until_count: COUNT_EVERY,
    })
}

fn look_up(socket: BorrowedFd<'_>, config: &LiveConfig) -> Result<Interface, CaptureError> {
    let interface = || config.interface.clone();
    let failed =
        |doing| move |source| CaptureError::System { interface: interface(), doing, source };
    let index =
        socket::interface_index(socket, &config.interface).map_err(|source| {
            match source.raw_os_error() {
                Some(libc::ENODEV) => no_such_interface(interface()),
                _ => failed("looking the interface up")(source),
            }
        })?;
    if !socket::is_up(socket, &config.interface).map_err(failed("asking whether it is up"))? {
        return Err(CaptureError::InterfaceDown { interface: interface() });
    }
    let hardware =
        socket::hardware(socket, &config.interface).map_err(failed("asking for its link type"))?;
    let link = link_type(hardware);
    let framing = Framing {
        link,
        interface: config.number,
        skip_outgoing: hardware == libc::ARPHRD_LOOPBACK,
    };
    Ok(Interface { index, framing, cooked: link == LinkType::LINUX_SLL })
}

/// What packets of a kind of hardware begin with.
fn link_type(hardware: u16) -> LinkType {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => LinkType::ETHERNET,
        // Tunnels without a link layer: tun, WireGuard, IP in IP, GRE.
        libc::ARPHRD_NONE
        | ARPHRD_RAWIP
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        | libc::ARPHRD_IPGRE => LinkType::RAW_IP,
        _ => LinkType::LINUX_SLL,
    }
}

/// Joins the group of the members that were opened before, or founds it. The kernel chooses a
/// number for the group that no other program uses.
fn join(
    socket: BorrowedFd<'_>,
    group: &mut Option<u32>,
    rollover: bool,
    ignore_outgoing: bool,
) -> io::Result<()> {
    let mut how = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG;
    if rollover {
        how |= libc::PACKET_FANOUT_FLAG_ROLLOVER;
    }
    if ignore_outgoing {
        how |= libc::PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
    }
    if let Some(group) = group {
        return socket::set(socket, libc::PACKET_FANOUT, &(*group | how << 16));
    }
    let found = (how | libc::PACKET_FANOUT_FLAG_UNIQUEID) << 16;
    socket::set(socket, libc::PACKET_FANOUT, &found)?;
    let [founded] = socket::get(socket, libc::SOL_PACKET, libc::PACKET_FANOUT)?;
    *group = Some(founded & 0xffff);
    Ok(())
}

/// As many whole blocks as there is room for.
fn shape(ring_bytes: usize) -> Shape {
    let share = ring_bytes / BLOCKS;
    let block_bytes = (1_usize << share.max(1).ilog2()).clamp(LEAST_BLOCK, MOST_BLOCK);
    Shape { block_bytes, blocks: ring_bytes / block_bytes, timeout_ms: HAND_OVER_MS }
}

fn no_permission(interface: String) -> CaptureError {
    let program = std::env::current_exe().unwrap_or_else(|_| "wardwatch".into());
    CaptureError::NoPermission { interface, program }
}

fn no_such_interface(interface: String) -> CaptureError {
    let present = match socket::interface_names() {
        Ok(names) if !names.is_empty() => names.join(", "),
        _ => "none".to_owned(),
    };
    CaptureError::NoSuchInterface { interface, present }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_never_larger_than_asked_for_and_has_blocks_that_hold_a_packet() {
        for ring_bytes in [LEAST_RING, 3_000_000, 16 << 20, 64 << 20, (1 << 30) + 1] {
            let shape = shape(ring_bytes);
            assert!(shape.blocks >= 8 && shape.block_bytes * shape.blocks <= ring_bytes);
            assert!(shape.block_bytes.is_power_of_two() && shape.block_bytes > 1 << 16);
        }
    }

    #[test]
    fn settings_out_of_range_are_refused_with_the_range() {
        let good = LiveConfig::on("lo");
        let bad = [
            LiveConfig { members: 0, ..good.clone() },
            LiveConfig { members: 257, ..good.clone() },
            LiveConfig { snaplen: 0, ..good.clone() },
            LiveConfig { snaplen: MAX_PACKET + 1, ..good.clone() },
            LiveConfig { ring_bytes: 4096, ..good },
        ];
        for config in bad {
            let error = open(&config).unwrap_err();
            assert!(matches!(error, CaptureError::Settings { .. }), "{error}");
            assert!(error.to_string().contains("; give") || error.to_string().contains(": give"));
        }
    }
}
