//! The seam between where packets come from and what is done with them.

use crate::{CaptureError, Packet};

/// Somewhere that packets come from, batch by batch: files or a live ring.
pub trait PacketSource {
    /// Waits a moment for packets and gives each to `each`, in order. An error comes after
    /// everything before it has been given; whether to call again is said by the source.
    ///
    /// # Errors
    /// The file cannot be read on from here, or the interface is down or gone.
    fn next_batch(&mut self, each: &mut dyn FnMut(Packet<'_>)) -> Result<Batch, CaptureError>;

    /// Packets that were lost before they could be given, since the source was opened.
    fn drops(&self) -> u64;
}

/// How a call for packets ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// So many packets were given.
    Packets(usize),
    /// None came in time; more may come.
    Idle,
    /// There will be no more.
    End,
}
