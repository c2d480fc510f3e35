//! Which protocol a flow is in: asked of every parser until one is sure or all have said no.
//!
//! The first bytes of each direction are kept only as long as somebody is unsure, up to a cap, and
//! are given to the parser that is opened then, so that it sees the flow from its first byte.

use model::emit::Probe;
use model::flow::{Direction, FlowContext};
use protocols::Protocol;

/// Most bytes of each direction that are kept while probing.
const KEPT: usize = 4_096;
/// Most datagrams that are looked at while probing.
const DATAGRAMS: u8 = 4;

/// Protocols by bit: at most 64 of them.
type Candidates = u64;

/// What is known of a flow's protocol so far.
#[derive(Debug)]
pub struct Probing {
    open: [Candidates; 2],
    kept: [Vec<u8>; 2],
    first: Direction,
    datagrams: u8,
}

/// What a look at more bytes gave.
pub enum Verdict {
    /// It is this one.
    Is(&'static dyn Protocol),
    /// Somebody needs more bytes.
    Unsure,
    /// Nobody knows it by this direction; the other one may still tell.
    NotThisWay,
    /// Nobody knows it.
    Unrecognised,
}

impl Probing {
    /// For a flow whose first bytes went in direction `first`.
    pub fn new(flow: &FlowContext, first: Direction) -> Self {
        let carried =
            |protocol: &&dyn Protocol| protocol.spec().transports.contains(&flow.tuple.transport);
        let open = protocols::ALL
            .iter()
            .take(64)
            .enumerate()
            .filter(|(_, protocol)| carried(protocol))
            .fold(0, |bits, (place, _)| bits | (1 << place));
        Self { open: [open; 2], kept: [Vec::new(), Vec::new()], first, datagrams: 0 }
    }

    /// Asks about the next bytes of a stream.
    pub fn stream(&mut self, flow: &FlowContext, dir: Direction, bytes: &[u8]) -> Verdict {
        let side = dir.index();
        if self.kept[side].is_empty() {
            let verdict = self.ask(flow, dir, bytes);
            if matches!(verdict, Verdict::Unsure | Verdict::Is(_)) {
                self.keep(side, bytes);
            }
            return self.full(side, verdict);
        }
        self.keep(side, bytes);
        let kept = std::mem::take(&mut self.kept[side]);
        let verdict = self.ask(flow, dir, &kept);
        self.kept[side] = kept;
        self.full(side, verdict)
    }

    /// Asks about the next datagram.
    pub fn datagram(&mut self, flow: &FlowContext, dir: Direction, bytes: &[u8]) -> Verdict {
        self.datagrams += 1;
        match self.ask(flow, dir, bytes) {
            Verdict::Unsure | Verdict::NotThisWay if self.datagrams >= DATAGRAMS => {
                Verdict::Unrecognised
            }
            verdict => verdict,
        }
    }

    /// Bytes were lost: what follows is looked at as a new start.
    pub fn gap(&mut self, dir: Direction) {
        self.kept[dir.index()].clear();
    }

    /// What was kept, in the order in which the directions began.
    pub fn into_kept(self) -> [(Direction, Vec<u8>); 2] {
        let [forward, reverse] = self.kept;
        match self.first {
            Direction::Forward => [(Direction::Forward, forward), (Direction::Reverse, reverse)],
            Direction::Reverse => [(Direction::Reverse, reverse), (Direction::Forward, forward)],
        }
    }

    fn keep(&mut self, side: usize, bytes: &[u8]) {
        self.kept[side].extend_from_slice(bytes);
    }

    /// Whoever is still unsure once the cap is reached has said no.
    fn full(&mut self, side: usize, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Unsure if self.kept[side].len() >= KEPT => {
                self.open[side] = 0;
                self.kept[side] = Vec::new();
                self.over()
            }
            verdict => verdict,
        }
    }

    fn over(&self) -> Verdict {
        if self.open == [0; 2] { Verdict::Unrecognised } else { Verdict::NotThisWay }
    }

    fn ask(&mut self, flow: &FlowContext, dir: Direction, start: &[u8]) -> Verdict {
        let side = dir.index();
        let mut left = self.open[side];
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            let protocol = protocols::ALL[place];
            match protocol.probe(flow, dir, start) {
                Probe::Yes => return Verdict::Is(protocol),
                Probe::Unsure => {}
                Probe::No => self.open[side] &= !(1 << place),
            }
        }
        if self.open[side] == 0 { self.over() } else { Verdict::Unsure }
    }
}
