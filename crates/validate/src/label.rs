//! What each window of each device really was.
//!
//! The unit is a device in ten seconds. It is an attack's where the device acts in it: where one of
//! the attack's own packets in that window is to or from the attacker's address. Victims, everybody else
//! whom its packets touch, and the attacker in the windows just after are neither: what they do then
//! is not normal life.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use capture::{CaptureError, Files, Packet};
use learn::features::WINDOW;
use model::Timestamp;

use crate::evaluation::Label;
use crate::site::Site;

/// So long after an event its actor and its victims may still do what is not normal life: flows run
/// out, others reconnect.
const AFTERMATH_SECONDS: f64 = 60.0;

/// Labels of all windows of a site.
#[derive(Debug)]
pub struct Labels {
    /// Events by window and address of who acts, where packets say so.
    acting: BTreeMap<(i64, IpAddr), u32>,
    /// Windows and addresses of everybody else whom a packet of an event touches.
    touched: BTreeSet<(i64, IpAddr)>,
    exact: bool,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    kind: Label,
    actor: Option<IpAddr>,
    victims: BTreeSet<IpAddr>,
    start: f64,
    end: f64,
}

/// The number of the window that a time lies in.
pub fn window_of(at: Timestamp) -> i64 {
    at.nanos().div_euclid(i64::try_from(WINDOW.as_nanos()).unwrap_or(i64::MAX))
}

impl Labels {
    /// Reads the truth of a site, and its packets where they are labelled.
    ///
    /// # Errors
    /// When a capture cannot be read.
    pub fn read(site: &Site) -> Result<Self, CaptureError> {
        let ip = |text: &String| text.parse::<IpAddr>().ok();
        let events: Vec<Event> = site
            .truth
            .iter()
            .map(|truth| {
                let name =
                    if truth.scenario.is_empty() { &truth.technique } else { &truth.scenario };
                let name = if name == "-" { &truth.label } else { name };
                Event {
                    kind: match truth.malicious {
                        true => Label::Attack(name.clone()),
                        false => Label::LookAlike(name.clone()),
                    },
                    actor: ip(&truth.actor),
                    victims: truth.victims.iter().filter_map(ip).collect(),
                    start: truth.start_epoch,
                    end: truth.end_epoch,
                }
            })
            .collect();
        let mut labels = Self {
            acting: BTreeMap::new(),
            touched: BTreeSet::new(),
            exact: site.labels.is_some(),
            events,
        };
        if labels.exact {
            labels.walk(site)?;
        }
        Ok(labels)
    }

    fn walk(&mut self, site: &Site) -> Result<(), CaptureError> {
        let mut files = Files::new(&site.captures);
        while let Some(block) = files.next_block()? {
            for (number, packet) in (block.first_packet()..).zip(block.packets()) {
                let Some(event) = site.event_of(number) else { continue };
                let window = window_of(packet.at);
                let actor = self.events.get(event as usize).and_then(|event| event.actor);
                let Some(actor) = actor else { continue };
                // Below IP an address says nothing, but the attack is the actor's all the same.
                let both = endpoints(&packet);
                if both.is_none_or(|both| both.contains(&actor)) {
                    self.acting.insert((window, actor), event);
                }
                // What a flow carried is told some seconds late, at times in the next window.
                for ip in both.into_iter().flatten().filter(|ip| *ip != actor) {
                    self.touched.extend([(window, ip), (window + 1, ip)]);
                }
            }
        }
        Ok(())
    }

    /// What the window of a device, by its address, that ended at a time really was.
    pub fn of(&self, ip: Option<IpAddr>, end: Timestamp) -> Label {
        let Some(ip) = ip else { return Label::Neutral };
        let window = window_of(end) - 1;
        let to = end.seconds_f64();
        let from = to - WINDOW.as_secs_f64();
        if let Some(event) = self.acting.get(&(window, ip)) {
            return self.events[*event as usize].kind.clone();
        }
        for event in &self.events {
            let near = from < event.end + AFTERMATH_SECONDS && to > event.start;
            if !near {
                continue;
            }
            if event.actor == Some(ip) {
                let within = !self.exact && from < event.end;
                return if within { event.kind.clone() } else { Label::Neutral };
            }
            if event.victims.contains(&ip) {
                return Label::Neutral;
            }
        }
        if self.touched.contains(&(window, ip)) {
            return Label::Neutral;
        }
        Label::Normal
    }
}

/// Source and destination of a plain or tagged IPv4 packet.
fn endpoints(packet: &Packet<'_>) -> Option<[IpAddr; 2]> {
    let mut rest = packet.data.get(12..)?;
    let mut kind = [*rest.first()?, *rest.get(1)?];
    while kind == [0x81, 0x00] || kind == [0x88, 0xa8] {
        rest = rest.get(4..)?;
        kind = [*rest.first()?, *rest.get(1)?];
    }
    if kind != [0x08, 0x00] {
        return None;
    }
    let address = |at: usize| -> Option<IpAddr> {
        let four: [u8; 4] = rest.get(at..at + 4)?.try_into().ok()?;
        Some(IpAddr::from(four))
    };
    Some([address(2 + 12)?, address(2 + 16)?])
}
