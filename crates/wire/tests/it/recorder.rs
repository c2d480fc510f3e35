//! Writes down everything that an engine tells, as lines of text.

use model::flow::Direction;
use model::time::Timestamp;
use wire::{
    Chunk, CloseReason, Config, Engine, Flow, FlowSink, LinkFrame, Malformed, Next, Outcome, Report,
};

/// When tests begin.
pub(crate) const START: i64 = 1_800_000_000;

/// A time in milliseconds after the beginning.
pub(crate) fn ms(millis: i64) -> Timestamp {
    Timestamp::from_nanos(START * 1_000_000_000 + millis * 1_000_000)
}

/// Milliseconds after the beginning.
fn since(at: Timestamp) -> i64 {
    at.nanos().saturating_sub(START * 1_000_000_000).div_euclid(1_000_000)
}

/// What was told, line by line.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Vec<String>,
    /// Whether each line begins with the flow's number and everything that is known of it.
    pub(crate) full: bool,
    /// Flows with this responder port are to be kept.
    pub(crate) keep_port: Option<u16>,
    /// Of each flow that was opened, whether it began with a SYN.
    pub(crate) began_with_syn: Vec<bool>,
}

impl Recorder {
    fn say(&mut self, flow: &Flow, at: Timestamp, what: &str) {
        let (a, b) = (flow.tuple.originator, flow.tuple.responder);
        let name = if self.full {
            format!(
                "{} {} {}:{} > {}:{}",
                flow.id, flow.tuple.transport, a.ip, a.port, b.ip, b.port
            )
        } else {
            format!("{}>{}", a.port, b.port)
        };
        self.lines.push(format!("{} {name} {what}", since(at)));
    }

    /// The lines, joined.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The lines that contain something.
    pub(crate) fn with(&self, what: &str) -> Vec<&str> {
        self.lines.iter().filter(|line| line.contains(what)).map(String::as_str).collect()
    }
}

impl FlowSink for Recorder {
    /// How many pieces of data the flow had.
    type Slot = u32;

    fn opened(&mut self, flow: &Flow, slot: &mut u32, at: Timestamp) {
        assert_eq!(*slot, 0, "a slot of another flow");
        self.say(flow, at, "opened");
        self.began_with_syn.push(flow.began_with_syn());
    }

    fn outcome(&mut self, flow: &Flow, _: &mut u32, at: Timestamp, outcome: Outcome) {
        self.say(flow, at, outcome.name());
    }

    fn data(
        &mut self,
        flow: &Flow,
        slot: &mut u32,
        at: Timestamp,
        dir: Direction,
        chunk: Chunk<'_>,
    ) -> Next {
        *slot += 1;
        let arrow = if dir == Direction::Forward { "->" } else { "<-" };
        let what = match chunk {
            Chunk::Stream(bytes) | Chunk::Datagram(bytes) if self.full => format!("{bytes:?}"),
            Chunk::Stream(bytes) | Chunk::Datagram(bytes) => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            Chunk::Gap(lost) => format!("gap of {lost}"),
        };
        self.say(flow, at, &format!("{arrow} {what}"));
        Next::More
    }

    fn report(&mut self, flow: &Flow, _: &mut u32, at: Timestamp, report: &Report) {
        let what = format!("report {:?} packets {:?} bytes", report.packets, report.bytes);
        self.say(flow, at, &what);
    }

    fn closed(&mut self, flow: &Flow, slot: u32, at: Timestamp, reason: CloseReason) {
        let what = format!("closed {} {}", flow.state().name(), reason.name());
        self.say(flow, at, &what);
        if self.full {
            let growth = flow.growth(at);
            let what = format!("{:?} {:?} {slot} {growth:?}", flow.context(), flow.traffic);
            self.say(flow, at, &what);
        }
    }

    fn arp(&mut self, frame: &LinkFrame<'_>, at: Timestamp) {
        self.lines.push(format!("{} arp {:?}", since(at), frame.link));
    }

    fn malformed(&mut self, at: Timestamp, what: Malformed) {
        self.lines.push(format!("{} {what}", since(at)));
    }

    fn keep(&self, flow: &Flow, _: &u32) -> bool {
        self.keep_port == Some(flow.tuple.responder.port)
    }
}

/// An engine and what it told.
pub(crate) struct Run {
    pub(crate) engine: Engine<u32>,
    pub(crate) told: Recorder,
}

impl Run {
    pub(crate) fn new(config: Config) -> Self {
        Self { engine: Engine::new(config), told: Recorder::default() }
    }

    /// Gives it an Ethernet frame.
    pub(crate) fn frame(&mut self, millis: i64, frame: &[u8]) {
        self.engine.packet(ms(millis), 1, frame.len(), frame, &mut self.told);
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, millis: i64) {
        self.engine.advance(ms(millis), &mut self.told);
    }

    /// Ends the input, and gives what was told.
    pub(crate) fn end(mut self) -> Recorder {
        self.engine.finish(&mut self.told);
        self.told
    }
}
