//! One HL7 v2 message that something else carries: the body of an HTTP message.

use model::emit::{Emit, Probe};
use model::flow::Direction;

use super::lane::Lane;
use super::separators;

/// Most bytes in which a header has to begin.
const MAX_PROBED: usize = 64;

/// Reads such a message; what is none is passed over.
#[derive(Debug, Default)]
pub(crate) struct Bare {
    start: Vec<u8>,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Unsure,
    Reading(Box<[Lane; 2]>),
    Other,
}

impl Bare {
    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], dir: Direction, out: &mut Emit<'_>) {
        match &mut self.stage {
            Stage::Reading(lanes) => {
                let [lane, other] = &mut **lanes;
                lane.feed(bytes, other, out);
            }
            Stage::Other => {}
            Stage::Unsure => {
                let room = MAX_PROBED.saturating_sub(self.start.len()).min(bytes.len());
                let (looked, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
                self.start.extend_from_slice(looked);
                match separators::probe(&self.start) {
                    Probe::Unsure if self.start.len() < MAX_PROBED => {}
                    Probe::Yes => {
                        let mut lane = Lane::new(dir);
                        let mut other = Lane::new(dir.flipped());
                        lane.feed(&self.start, &mut other, out);
                        lane.feed(rest, &mut other, out);
                        self.stage = Stage::Reading(Box::new([lane, other]));
                    }
                    _ => self.stage = Stage::Other,
                }
            }
        }
    }

    /// The message is over.
    pub(crate) fn end(&mut self, out: &mut Emit<'_>) {
        if let Stage::Reading(lanes) = &mut self.stage {
            let [lane, other] = &mut **lanes;
            lane.end(other, out);
        }
    }

    /// Whether it may still be such a message.
    pub(crate) const fn wants(&self) -> bool {
        !matches!(self.stage, Stage::Other)
    }
}
