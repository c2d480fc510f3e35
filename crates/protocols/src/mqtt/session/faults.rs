//! Broken rules of one connection, each told once and counted from then on: a packet of MQTT can be
//! two bytes, and a flood of them must not become a flood of observations.

use model::emit::{ANOMALY, Emit};
use model::flow::Direction;

/// Rules that were broken, in order.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

#[derive(Debug)]
struct Fault {
    what: &'static str,
    from: Direction,
    /// Times after the first.
    again: u64,
}

impl Faults {
    /// Tells of a broken rule, or counts it where it was told before.
    pub(super) fn note(&mut self, what: &'static str, from: Direction, out: &mut Emit<'_>) {
        match self.0.iter_mut().find(|fault| fault.what == what && fault.from == from) {
            Some(fault) => fault.again = fault.again.saturating_add(1),
            None => {
                out.anomaly("mqtt", what, from);
                self.0.push(Fault { what, from, again: 0 });
            }
        }
    }

    /// Tells how often each was broken again.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        for fault in std::mem::take(&mut self.0) {
            if fault.again > 0 {
                out.observe(&ANOMALY, fault.from)
                    .word("protocol", "mqtt")
                    .word("what", fault.what)
                    .uint("count", fault.again)
                    .emit();
            }
        }
    }
}
