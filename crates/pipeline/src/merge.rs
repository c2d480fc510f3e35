//! What several workers saw, in the order in which it is told.
//!
//! Each worker's observations are in the order of packets already. Told are they by packet, and
//! within a packet (whose time may end many flows) by the flow's start and number: an order that
//! does not depend on which worker had which flow.

use std::vec::Drain;

use model::observation::Observation;
use model::time::Timestamp;

/// Empties lists of observations in the order in which they are told.
pub struct Merge<'a> {
    lists: Vec<Drain<'a, Observation>>,
    /// Observations of one packet, the next one last.
    packet: Vec<Observation>,
}

impl<'a> Merge<'a> {
    /// Of one list of each worker.
    pub fn new(lists: &'a mut [Vec<Observation>]) -> Self {
        Self { lists: lists.iter_mut().map(|list| list.drain(..)).collect(), packet: Vec::new() }
    }
}

impl Iterator for Merge<'_> {
    type Item = Observation;

    fn next(&mut self) -> Option<Observation> {
        if let Some(observation) = self.packet.pop() {
            return Some(observation);
        }
        let heads = self.lists.iter().filter_map(|list| list.as_slice().first());
        let packet = heads.map(|o| o.packet).min()?;
        for list in &mut self.lists {
            let of_packet = list.as_slice().iter().take_while(|o| o.packet == packet).count();
            self.packet.extend(list.by_ref().take(of_packet));
        }
        if self.packet.len() > 1 {
            self.packet.sort_by_key(order);
            self.packet.reverse();
        }
        self.packet.pop()
    }
}

/// The order of observations of one packet.
fn order(o: &Observation) -> (Timestamp, u64) {
    o.flow.as_ref().map_or((Timestamp::MIN, 0), |flow| (flow.started, flow.id.0))
}
