//! Live capture on Linux: a ring that the kernel fills and this process empties, without a system
//! call or a copy per packet (AF_PACKET, TPACKET_V3).
//!
//! One interface can have several members: the kernel spreads flows over them by a symmetric hash
//! of addresses and ports (PACKET_FANOUT_HASH), so that both directions of a flow reach the same
//! member, which one thread empties. Open everything first, then give privileges away
//! ([`Privileges`](crate::Privileges)), then start threads.
//!
//! The socket only receives: it is never written to.
//!
//! Two things differ from what was on the wire and are no fault. The kernel may have joined
//! several TCP segments of a flow into one larger packet (GRO; `ethtool -K IF gro off` stops it)
//! and, with several members, has joined the fragments of an IPv4 packet, because only the first
//! of them could be hashed. And packets that this machine itself sends have no checksum yet.

mod frames;
mod open;

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::sys::ring::Ring;
use crate::sys::socket;
use crate::{Batch, CaptureError, LinkType, Packet, PacketSource};
use frames::Framing;

/// How long [`PacketSource::next_batch`] waits: short enough for timers to be kept.
const PATIENCE: Duration = Duration::from_millis(100);

/// Between two looks at a block that fills.
const PAUSE: Duration = Duration::from_millis(2);

/// The kernel counts in 32 bits: blocks after which its counts are read at the latest. Even with
/// blocks of a megabyte full of the smallest packets that is a hundredth of its range.
const COUNT_EVERY: u32 = 1_000;

/// How to capture on one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveConfig {
    /// Its name, as `ip link` shows it.
    pub interface: String,
    /// What its packets carry as [`Packet::interface`].
    pub number: u16,
    /// Bytes of the ring of each member, rounded down to whole blocks: what a stall of its thread
    /// may cost before packets are lost. At least 1 MiB.
    pub ring_bytes: usize,
    /// Sources that share the packets of the interface by flow, each for one thread. 1 to 256.
    pub members: usize,
    /// Whether to see packets that are not for this machine: all that a mirror port brings.
    pub promiscuous: bool,
    /// Bytes of each packet to keep, at most 262144.
    pub snaplen: u32,
    /// Whether a full ring overflows into that of another member. Loses fewer packets, and tears
    /// flows apart over threads.
    pub rollover: bool,
}

impl LiveConfig {
    /// Everything on an interface, with one member and a ring of 64 MiB.
    pub fn on(interface: impl Into<String>) -> Self {
        Self {
            interface: interface.into(),
            number: 0,
            ring_bytes: 64 << 20,
            members: 1,
            promiscuous: true,
            snaplen: 256 << 10,
            rollover: false,
        }
    }
}

/// What happened to packets since the source was opened, by the kernel's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveStats {
    /// Packets for this source, lost ones included.
    pub packets: u64,
    /// Packets that were lost because the ring was full.
    pub drops: u64,
    /// Times that the ring was full and the kernel stopped until there was room.
    pub freezes: u64,
}

/// One member's share of the packets on an interface.
#[derive(Debug)]
pub struct LiveSource {
    // Before the socket, so that it is unmapped before the socket closes.
    ring: Ring,
    socket: OwnedFd,
    interface: String,
    index: i32,
    framing: Framing,
    stats: Cell<LiveStats>,
    blocks_until_count: u32,
}

impl LiveSource {
    /// Opens all members of an interface. Packets count from when the last one is open.
    ///
    /// # Errors
    /// There is no such interface or it is down, the process may not capture, the ring is too
    /// large, or the settings make no sense.
    pub fn open(config: &LiveConfig) -> Result<Vec<Self>, CaptureError> {
        open::open(config)
    }

    /// Waits up to `timeout` (in whole milliseconds) for a block of packets and gives each to
    /// `each`.
    ///
    /// The kernel hands over a block when it is full or 20 ms after its first packet.
    ///
    /// # Errors
    /// The interface is down or gone. Calling again is allowed: it waits, and says so again or
    /// goes on once the interface is back up. An interface that has gone away stays so.
    pub fn poll_batch(
        &mut self,
        timeout: Duration,
        each: &mut dyn FnMut(Packet<'_>),
    ) -> Result<Batch, CaptureError> {
        let until = Instant::now() + timeout;
        loop {
            if let Some(given) = self.take_block(each) {
                return Ok(Batch::Packets(given));
            }
            let left = until.saturating_duration_since(Instant::now());
            let events = socket::wait(self.socket.as_fd(), left)
                .map_err(|error| self.failed("waiting for packets", error))?;
            if let Some(given) = self.take_block(each) {
                return Ok(Batch::Packets(given));
            }
            if events & libc::POLLERR != 0 {
                self.take_error()?;
            }
            if events & libc::POLLIN == 0 || left.is_zero() {
                self.check_interface()?;
                return Ok(Batch::Idle);
            }
            // Some kernels report a block as readable from its first packet on, long before they
            // hand it over. Asking again at once would keep a processor busy until then.
            std::thread::sleep(left.min(PAUSE));
        }
    }

    /// The counts so far.
    pub fn stats(&self) -> LiveStats {
        let mut stats = self.stats.get();
        // Reading sets the kernel's counts to zero. On failure they stay for the next time.
        let counts = socket::get(self.socket.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS);
        if let Ok([packets, drops, freezes]) = counts {
            stats.packets += u64::from(packets);
            stats.drops += u64::from(drops);
            stats.freezes += u64::from(freezes);
            self.stats.set(stats);
        }
        stats
    }

    /// The link type of its packets.
    pub fn link(&self) -> LinkType {
        self.framing.link
    }

    /// The name of the interface when it was opened.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    fn take_block(&mut self, each: &mut dyn FnMut(Packet<'_>)) -> Option<usize> {
        let mut block = self.ring.filled()?;
        let given = frames::walk(block.bytes(), &self.framing, each);
        drop(block);
        self.blocks_until_count = self.blocks_until_count.checked_sub(1).unwrap_or_else(|| {
            self.stats();
            COUNT_EVERY
        });
        Some(given)
    }

    /// Takes the error that waits on the socket, so that it is told once.
    fn take_error(&self) -> Result<(), CaptureError> {
        let doing = "receiving";
        let [error] = socket::get(self.socket.as_fd(), libc::SOL_SOCKET, libc::SO_ERROR)
            .map_err(|error| self.failed(doing, error))?;
        match error.cast_signed() {
            // What became of the interface is looked up after this.
            0 | libc::ENETDOWN => Ok(()),
            error => Err(self.failed(doing, io::Error::from_raw_os_error(error))),
        }
    }

    /// Whether the interface is there and up. Needs no privilege, so that it can be asked at any
    /// time; asked when nothing came, because a dead mirror port looks just like a quiet one.
    fn check_interface(&self) -> Result<(), CaptureError> {
        let socket = self.socket.as_fd();
        let up = socket::interface_name(socket, self.index)
            .and_then(|name| socket::is_up(socket, &name));
        let interface = self.interface.clone();
        match up {
            Ok(true) => Ok(()),
            Ok(false) => Err(CaptureError::InterfaceDown { interface }),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENODEV | libc::ENXIO)) => {
                Err(CaptureError::InterfaceGone { interface })
            }
            Err(error) => Err(self.failed("asking whether the interface is up", error)),
        }
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> CaptureError {
        CaptureError::System { interface: self.interface.clone(), doing, source }
    }
}

impl PacketSource for LiveSource {
    fn next_batch(&mut self, each: &mut dyn FnMut(Packet<'_>)) -> Result<Batch, CaptureError> {
        self.poll_batch(PATIENCE, each)
    }

    fn drops(&self) -> u64 {
        self.stats().drops
    }
}

/// The names of this machine's interfaces, in the order of their numbers.
///
/// # Errors
/// The kernel does not say.
pub fn interfaces() -> io::Result<Vec<String>> {
    socket::interface_names()
}
