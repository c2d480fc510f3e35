//! How a device behaves: its windows, one after the other, as rows of features.

mod count;

use assets::{DeviceIx, Entity};
use model::device::DeviceClass;
use model::time::Timestamp;

pub use count::Seen;
use count::{Counter, PastOfChannel};

use crate::features::{MINUTE, Past, Row, TEN_MINUTES, WINDOW, Window};

/// What went between two.
#[derive(Clone, Debug, Default)]
struct Channel {
    end: Timestamp,
    packets: u64,
    bytes: u64,
    past: PastOfChannel,
    calls: u32,
    last_call: Timestamp,
    pause_mean: f64,
    pause_m2: f64,
}

/// The devices that do something in this window, and what they did before.
#[derive(Debug, Default)]
struct Devices {
    end: Timestamp,
    lives: Vec<Option<Box<Life>>>,
    active: Vec<DeviceIx>,
}

/// Most devices whose windows are kept.
const MAX_DEVICES: usize = 50_000;

#[derive(Clone, Debug, Default)]
struct Life {
    window: Option<Window>,
    past: Past,
    windows: u64,
}

impl Devices {
    fn window_end(&self) -> Timestamp {
        self.end
    }

    fn window(&mut self, entity: Entity) -> Option<&mut Window> {
        let ix = entity.device()?;
        let place = ix.0 as usize;
        if place >= MAX_DEVICES {
            return None;
        }
        if self.lives.len() <= place {
            self.lives.resize_with(place + 1, || None);
        }
        let life = self.lives[place].get_or_insert_default();
        if life.window.is_none() {
            self.active.push(ix);
        }
        Some(life.window.get_or_insert_default())
    }
}

/// A window of a device that is over.
#[derive(Clone, Debug)]
pub struct Behaved {
    /// Whose.
    pub device: DeviceIx,
    /// When it ended.
    pub end: Timestamp,
    /// Windows that it had before.
    pub windows: u64,
    /// What it did.
    pub row: Row,
}

/// Follows how devices behave.
#[derive(Debug, Default)]
pub struct Behaviour {
    counter: Counter,
    devices: Devices,
}

impl Behaviour {
    /// Whether the window is over at a time: then [`Behaviour::close`] comes first.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.devices.end
    }

    /// Counts an observation into the windows of those who take part.
    pub fn count(&mut self, seen: &Seen<'_>) {
        self.counter.count(seen, &mut self.devices);
    }

    /// Ends the window and begins the one of `now`.
    pub fn close(
        &mut self,
        now: Timestamp,
        _class_of: impl Fn(DeviceIx) -> DeviceClass,
    ) -> Vec<Behaved> {
        let end = self.devices.end;
        let length = i64::try_from(WINDOW.as_nanos()).unwrap_or(i64::MAX);
        self.devices.end =
            Timestamp::from_nanos((now.nanos().div_euclid(length) + 1).saturating_mul(length));
        let mut active = std::mem::take(&mut self.devices.active);
        active.sort_unstable();
        let mut out = Vec::new();
        for ix in active {
            let Some(life) = self.devices.lives.get_mut(ix.0 as usize).and_then(Option::as_mut)
            else {
                continue;
            };
            let Some(window) = life.window.take() else { continue };
            if window.is_empty() {
                continue;
            }
            let row = window.row(end, &life.past, None);
            life.past.restless.add(&window);
            life.past.bytes.add(end, MINUTE, window.bytes);
            life.past.packets.add(end, TEN_MINUTES, window.packets);
            out.push(Behaved { device: ix, end, windows: life.windows, row });
            life.windows += 1;
        }
        out
    }
}
