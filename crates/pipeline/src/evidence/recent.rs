//! The last packets of one capture thread, and what was asked of it.
//!
//! Costs a copy of each packet into the ring; while something is asked for, each packet is looked
//! at once more for each finding that waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use capture::{Packet, write_packet};
use crossbeam_channel::{Receiver, Sender};
use model::time::Timestamp;

use super::heads::length_of_heads;
use super::ring::Ring;
use super::{Counts, Keep, Piece, Plan, Request};

/// How often packets that came meanwhile are looked through.
const LOOK: Duration = Duration::from_millis(250);
/// Findings that are looked after at once.
const WANTS: usize = 64;
/// Bytes after which packets are handed over to be written.
const PIECE: usize = 64 << 10;

/// A finding whose packets are wanted.
#[derive(Debug)]
struct Want {
    request: Request,
    /// Packets below this number were looked at.
    cursor: u64,
    /// Whether its comment was written.
    named: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Recent {
    ring: Ring,
    keep: Keep,
    wants: Vec<Want>,
    asked: Receiver<Request>,
    to: Sender<Piece>,
    counts: Arc<Counts>,
    looked: Instant,
    /// How long a finding that is done is remembered, so that no packet is written twice.
    remember: Duration,
}

impl Recent {
    pub(super) fn new(
        plan: &Plan,
        asked: Receiver<Request>,
        to: Sender<Piece>,
        counts: Arc<Counts>,
    ) -> Self {
        Self {
            ring: Ring::new(plan.ring_bytes),
            keep: plan.keep,
            wants: Vec::new(),
            asked,
            to,
            counts,
            looked: Instant::now(),
            remember: plan.before + plan.after,
        }
    }

    /// Keeps a packet.
    #[inline]
    pub fn push(&mut self, packet: &Packet<'_>) {
        let len = match self.keep {
            Keep::Headers => length_of_heads(packet),
            Keep::Full => packet.data.len(),
        };
        if !self.wants.is_empty() && self.ring.is_full_for(len) {
            self.look();
        }
        self.ring.push(packet, len);
    }

    /// Does what was asked for. Called after every batch and when nothing came; `now` is the time
    /// up to which packets have come.
    pub fn serve(&mut self, now: Timestamp, last: bool) {
        if self.wants.is_empty() && self.asked.is_empty() {
            return;
        }
        while let Ok(request) = self.asked.try_recv() {
            if self.wants.len() >= WANTS {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.wants.push(Want { request, cursor: self.ring.first(), named: false });
        }
        if last || self.looked.elapsed() >= LOOK {
            self.look();
            let remember = self.remember;
            self.wants.retain(|want| want.request.until.plus(remember) >= now);
        }
    }

    /// Looks through the packets that came since the last time, for every finding.
    fn look(&mut self) {
        self.looked = Instant::now();
        for place in 0..self.wants.len() {
            self.look_for(place);
        }
    }

    fn look_for(&mut self, place: usize) {
        let want = &self.wants[place];
        let (from, next) = (want.cursor, self.ring.next());
        if want.request.case.full.load(Ordering::Relaxed) {
            self.wants[place].cursor = next;
            return;
        }
        let gone = self.ring.first().saturating_sub(from);
        self.counts.missed.fetch_add(gone, Ordering::Relaxed);
        let request = &want.request;
        let mut named = want.named;
        let (mut bytes, mut packets) = (Vec::new(), 0);
        for (number, packet) in self.ring.since(from) {
            let in_time = (request.from..=request.until).contains(&packet.at);
            if !in_time
                || !request.filter.takes(&packet)
                || self.has_written(place, number, &packet)
            {
                continue;
            }
            let comment = (!named).then_some(&*request.comment);
            named = true;
            write_packet(&mut bytes, &packet, comment);
            packets += 1;
            if bytes.len() >= PIECE {
                self.hand_over(place, std::mem::take(&mut bytes), std::mem::take(&mut packets));
            }
        }
        if packets > 0 {
            self.hand_over(place, bytes, packets);
        }
        let want = &mut self.wants[place];
        (want.cursor, want.named) = (next, named);
    }

    /// Whether a packet went into the case's file already, for another finding of the case.
    fn has_written(&self, place: usize, number: u64, packet: &Packet<'_>) -> bool {
        let case = &self.wants[place].request.case;
        self.wants.iter().enumerate().any(|(other, want)| {
            let request = &want.request;
            other != place
                && Arc::ptr_eq(&request.case, case)
                && number < want.cursor
                && (request.from..=request.until).contains(&packet.at)
                && request.filter.takes(packet)
        })
    }

    fn hand_over(&self, place: usize, bytes: Vec<u8>, packets: u64) {
        let case = Arc::clone(&self.wants[place].request.case);
        if self.to.try_send(Piece { case, packets, bytes }).is_err() {
            self.counts.dropped.fetch_add(packets, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use crossbeam_channel::bounded;
    use model::case::CaseId;
    use model::finding::{DeviceRef, Finding};

    use super::super::CaseFile;
    use super::super::heads::Filter;
    use super::super::heads::tests::{packet, udp};
    use super::*;

    const BEGIN: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_parts(BEGIN + second, 0)
    }

    struct Rig {
        recent: Recent,
        ask: Sender<Request>,
        pieces: Receiver<Piece>,
        counts: Arc<Counts>,
        case: Arc<CaseFile>,
    }

    fn rig(ring_bytes: usize, keep: Keep) -> Rig {
        let plan = Plan {
            folder: "unused".into(),
            keep,
            ring_bytes,
            case_bytes: 1 << 20,
            total_bytes: 1 << 20,
            before: Duration::from_secs(10),
            after: Duration::from_secs(10),
        };
        let (ask, asked) = bounded(100);
        let (to, pieces) = bounded(4);
        let counts = Arc::new(Counts::default());
        let recent = Recent::new(&plan, asked, to, Arc::clone(&counts));
        let (id, title) = (CaseId("C-0001".to_owned()), "t".to_owned());
        let case = Arc::new(CaseFile { id, title, full: AtomicBool::new(false) });
        Rig { recent, ask, pieces, counts, case }
    }

    impl Rig {
        fn see(&mut self, second: i64, from: u8, to: u8) {
            let frame = udp(from, to, &[9; 100]);
            let mut packet = packet(&frame);
            packet.at = at(second);
            self.recent.push(&packet);
        }

        fn want(&mut self, device: u8, from: i64, until: i64) {
            let device = DeviceRef { ip: Some([10, 0, 0, device].into()), ..DeviceRef::default() };
            let filter = Filter::of(&Finding { device, ..Finding::default() }).unwrap();
            let (case, comment) = (Arc::clone(&self.case), "F-1: t".into());
            let request = Request { case, comment, filter, from: at(from), until: at(until) };
            self.ask.send(request).unwrap();
        }

        fn got(&mut self, now: i64) -> u64 {
            self.recent.serve(at(now), true);
            self.pieces.try_iter().map(|piece| piece.packets).sum()
        }
    }

    #[test]
    fn packets_before_and_after_a_finding_are_handed_over_once() {
        let mut rig = rig(1 << 20, Keep::Full);
        for second in 0..40 {
            rig.see(second, 1, 2);
            rig.see(second, 3, 4);
        }
        rig.want(1, 20, 50);
        assert_eq!(rig.got(40), 20);
        assert_eq!(rig.got(40), 0);
        // Another finding of the case about the other side of the same packets, and one more.
        rig.want(2, 10, 45);
        assert_eq!(rig.got(40), 10);
        for second in 40..60 {
            rig.see(second, 1, 2);
        }
        assert_eq!(rig.got(60), 11);
        assert_eq!(rig.got(500), 0);
        assert!(rig.recent.wants.is_empty());
        assert_eq!(rig.counts.missed.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_small_ring_loses_nothing_while_something_is_wanted() {
        let mut rig = rig(0, Keep::Full);
        rig.want(1, 0, 100_000);
        assert_eq!(rig.got(0), 0);
        let mut got = 0;
        for second in 0..20_000 {
            rig.see(second, 1, 2);
            got += rig.pieces.try_iter().map(|piece| piece.packets).sum::<u64>();
        }
        got += rig.got(20_000);
        assert_eq!(got + rig.counts.dropped.load(Ordering::Relaxed), 20_000);
        assert_eq!(rig.counts.missed.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn capture_waits_for_no_writer_and_what_is_let_go_is_counted() {
        let mut rig = rig(8 << 20, Keep::Full);
        (0..20_000).for_each(|second| rig.see(second, 1, 2));
        rig.want(1, 0, 100_000);
        // Nobody takes the pieces.
        rig.recent.serve(at(20_000), true);
        let dropped = rig.counts.dropped.load(Ordering::Relaxed);
        let waiting: u64 = rig.pieces.try_iter().map(|piece| piece.packets).sum();
        assert_eq!(dropped + waiting, 20_000);
        assert!(dropped > 0 && waiting > 0);
    }

    #[test]
    fn more_findings_than_can_be_looked_after_are_refused_and_counted() {
        let mut rig = rig(0, Keep::Headers);
        rig.see(0, 1, 2);
        (0..WANTS + 5).for_each(|n| rig.want(n as u8, 0, 9));
        assert_eq!(rig.got(1), 1);
        assert_eq!(rig.counts.refused.load(Ordering::Relaxed), 5);
    }
}
