//! A stretch of the input after everything in it was told, on its way to be written down.
//!
//! Detection has to go through observations one after the other; writing them down can be done
//! behind it by another thread. Whoever drops a [`Told`] last gives the lists back to the threads
//! that made them: what a thread has allocated it frees itself, or uses again.

use std::collections::HashSet;

use crossbeam_channel::Sender;
use foldhash::fast::RandomState;
use model::observation::{Observation, ObservationId};

use crate::merge;

/// Observations of one stretch of the input.
#[derive(Default)]
pub struct Told {
    /// One list for each worker.
    lists: Vec<Vec<Observation>>,
    /// Where each list goes when it is no longer wanted.
    back: Vec<Sender<Vec<Observation>>>,
    /// Log records, each with how many observations of packets were told before it.
    records: Vec<(usize, Observation)>,
    /// What findings rest on.
    cited: HashSet<ObservationId, RandomState>,
}

impl Told {
    /// Lists of workers, and the ways back to them.
    pub fn new(lists: Vec<Vec<Observation>>, back: Vec<Sender<Vec<Observation>>>) -> Self {
        Self { lists, back, records: Vec::new(), cited: HashSet::default() }
    }

    /// What the workers saw.
    pub fn lists(&self) -> &[Vec<Observation>] {
        &self.lists
    }

    /// A log record was told after so many observations of packets.
    pub fn record(&mut self, after: usize, record: Observation) {
        self.records.push((after, record));
    }

    /// A finding rests on it.
    pub fn cite(&mut self, id: ObservationId) {
        self.cited.insert(id);
    }

    /// Shows everything in the order in which it was told, with whether it is kept by itself. What
    /// is said of every flow (that it began, grew, was answered and ended) is most of all facts and
    /// stands in the flow's own record; it is kept beside that only where a finding rests on it.
    ///
    /// # Errors
    /// That of `show`, which is not called again then.
    pub fn each<E>(
        &self,
        mut show: impl FnMut(&Observation, bool) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut records = self.records.iter().peekable();
        let mut before = 0;
        let mut one = |o: &Observation| {
            let alone = !wire::kinds::is_of_flows(o.kind)
                || (!self.cited.is_empty() && self.cited.contains(&o.id));
            show(o, alone)
        };
        merge::in_order(&self.lists, |o| {
            while let Some((_, record)) = records.next_if(|(after, _)| *after <= before) {
                one(record)?;
            }
            before += 1;
            one(o)
        })?;
        records.try_for_each(|(_, record)| one(record))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        for (list, back) in self.lists.drain(..).zip(&self.back) {
            // Where nobody takes it, it is freed here.
            drop(back.try_send(list));
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;
    use model::field::KindSpec;
    use model::time::Timestamp;

    use super::*;

    static FACT: KindSpec = KindSpec { name: "test.fact", doc: "", fields: &[] };

    fn one(kind: &'static KindSpec, packet: u64) -> Observation {
        let mut o = Observation::new(Timestamp::default(), kind);
        (o.packet, o.id) = (packet, ObservationId(packet));
        o
    }

    #[test]
    fn records_stand_where_they_were_told_and_lists_go_back() {
        let (back, used) = bounded(1);
        let start = &wire::kinds::START;
        let list = vec![one(&FACT, 1), one(start, 2), one(start, 3)];
        let mut told = Told::new(vec![list], vec![back]);
        told.record(0, one(&FACT, 100));
        told.record(2, one(&FACT, 101));
        told.record(3, one(&FACT, 102));
        told.cite(ObservationId(3));
        let mut seen = Vec::new();
        told.each(|o, alone| {
            seen.push((o.packet, alone));
            Ok::<(), ()>(())
        })
        .unwrap();
        let all = [(100, true), (1, true), (2, false), (101, true), (3, true), (102, true)];
        assert_eq!(seen, all);
        drop(told);
        assert_eq!(used.try_recv().unwrap().len(), 3);
    }
}
