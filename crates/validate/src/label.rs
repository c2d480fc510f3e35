//! What each window of each device really was.
//!
//! One rule for all who are judged: for what the product saw of captures with their truth beside
//! them, and for another system that is shown the same packets.
//!
//! The unit is a device in ten seconds. It is an attack's where the device acts in it: where one of
//! the attack's own packets in that window is to or from the attacker's address. Victims, everybody else
//! whom its packets touch, and the attacker in the windows just after are neither: what they do then
//! is not normal life.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use capture::{CaptureError, Files};
use drill::Truth;
use learn::features::WINDOW;
use model::Timestamp;

use crate::evaluation::Label;
use crate::kitsune::{Address, Headers, Port, read};
use crate::site::Site;

/// So long after an event its actor and its victims may still do what is not normal life: flows run
/// out, others reconnect.
const AFTERMATH_SECONDS: f64 = 60.0;

/// Labels of all windows of a site.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Events by window and address of who acts, where packets say so.
    acting: BTreeMap<(i64, IpAddr), u32>,
    /// Windows and addresses of everybody else whom a packet of an event touches.
    touched: BTreeSet<(i64, IpAddr)>,
    exact: bool,
    events: Vec<Event>,
}

#[derive(Clone, Debug)]
struct Event {
    kind: Label,
    actor: Option<IpAddr>,
    victims: BTreeSet<IpAddr>,
    start: f64,
    end: f64,
}

impl Event {
    /// Whether it goes on in the window that ended at a time, or has shortly before.
    fn is_near(&self, end: Timestamp) -> bool {
        let to = end.seconds_f64();
        to - WINDOW.as_secs_f64() < self.end + AFTERMATH_SECONDS && to > self.start
    }
}

/// When a window ends, by its number.
pub fn end_of(window: i64) -> Timestamp {
    let length = i64::try_from(WINDOW.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(window.saturating_add(1).saturating_mul(length))
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
        let mut labels = Self::of_truth(&site.truth, site.labels.is_some());
        if labels.exact {
            let mut files = Files::new(&site.captures);
            while let Some(block) = files.next_block()? {
                for (number, packet) in (block.first_packet()..).zip(block.packets()) {
                    if let Some(event) = site.event_of(number) {
                        labels.packet(packet.at, read(packet.data).as_ref(), event);
                    }
                }
            }
        }
        Ok(labels)
    }

    /// Of a truth. `exact` says that the packets of its events follow, with [`Labels::packet`].
    pub fn of_truth(truth: &[Truth], exact: bool) -> Self {
        let ip = |text: &String| text.parse::<IpAddr>().ok();
        let event = |truth: &Truth| {
            let name = if truth.scenario.is_empty() { &truth.technique } else { &truth.scenario };
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
        };
        let events = truth.iter().map(event).collect();
        Self { acting: BTreeMap::new(), touched: BTreeSet::new(), exact, events }
    }

    /// Takes a packet of an event, with its headers as far as they can be read.
    pub fn packet(&mut self, at: Timestamp, headers: Option<&Headers>, event: u32) {
        let window = window_of(at);
        let actor = self.events.get(event as usize).and_then(|event| event.actor);
        let Some(actor) = actor else { return };
        let ends = headers.map(|headers| headers.addresses.each_ref().map(Address::ip));
        // Below IP an address says nothing, but the attack is the actor's all the same.
        let below = headers.is_none_or(|headers| headers.ports == [Port::Arp; 2]);
        let (Some([Some(from), Some(to)]), false) = (ends, below) else {
            self.acting.insert((window, actor), event);
            return;
        };
        if [from, to].contains(&actor) {
            self.acting.insert((window, actor), event);
        }
        // What a flow carried is told some seconds late, at times in the next window.
        for ip in [from, to].into_iter().filter(|ip| *ip != actor) {
            self.touched.extend([(window, ip), (window + 1, ip)]);
        }
    }

    /// Windows and addresses of everybody who acts in an event.
    pub fn acting(&self) -> impl Iterator<Item = (i64, IpAddr)> {
        self.acting.keys().copied()
    }

    /// The event that a device acts in, in a window, where packets say so.
    pub fn event(&self, ip: IpAddr, window: i64) -> Option<u32> {
        self.acting.get(&(window, ip)).copied()
    }

    /// Whether an event goes on in the window that ended at a time, or has shortly before.
    pub fn during_event(&self, end: Timestamp) -> bool {
        self.events.iter().any(|event| event.is_near(end))
    }

    /// What the window of a device, by its address, that ended at a time really was.
    pub fn of(&self, ip: Option<IpAddr>, end: Timestamp) -> Label {
        let Some(ip) = ip else { return Label::Neutral };
        let window = window_of(end) - 1;
        if let Some(event) = self.acting.get(&(window, ip)) {
            return self.events[*event as usize].kind.clone();
        }
        let from = end.seconds_f64() - WINDOW.as_secs_f64();
        for event in self.events.iter().filter(|event| event.is_near(end)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const START: f64 = 1_000_000_000.0;

    fn truth() -> Truth {
        let times = (START + 12.0, START + 17.0);
        serde_json::from_value(serde_json::json!({
            "label": "a scan", "technique": "T0846", "actor": "10.0.0.1", "victims": ["10.0.0.2"],
            "malicious": true, "note": "", "start": "-", "end": "-",
            "start_epoch": times.0, "end_epoch": times.1, "scenario": "port_scan",
        }))
        .unwrap()
    }

    fn headers(from: u32, to: u32, port: Port) -> Headers {
        let address = |host| Address::V4(0x0a00_0000 + host);
        Headers { macs: [1, 2], addresses: [address(from), address(to)], ports: [port; 2] }
    }

    #[test]
    fn who_acts_is_an_attack_and_who_is_touched_or_near_is_neither() {
        let mut labels = Labels::of_truth(&[truth()], true);
        let at = |seconds: f64| Timestamp::from_seconds_f64(START + seconds);
        labels.packet(at(13.0), Some(&headers(1, 3, Port::Number(80))), 0);
        labels.packet(at(25.0), None, 0);
        labels.packet(at(35.0), Some(&headers(9, 8, Port::Arp)), 0);
        let of = |host: u8, end: f64| labels.of(Some(IpAddr::from([10, 0, 0, host])), at(end));
        let attack = Label::Attack("port_scan".to_owned());
        assert_eq!(of(1, 10.0), Label::Normal, "before it began");
        for end in [20.0, 30.0, 40.0] {
            assert_eq!(of(1, end), attack, "{end}");
        }
        assert_eq!((of(1, 50.0), of(1, 90.0)), (Label::Neutral, Label::Normal));
        assert_eq!((of(2, 20.0), of(2, 70.0)), (Label::Neutral, Label::Neutral), "a victim");
        assert_eq!(
            (of(3, 20.0), of(3, 30.0), of(3, 40.0)),
            (Label::Neutral, Label::Neutral, Label::Normal)
        );
        assert_eq!((of(8, 40.0), of(9, 40.0)), (Label::Normal, Label::Normal), "false addresses");
        assert!(labels.during_event(at(20.0)) && !labels.during_event(at(90.0)));
        assert_eq!(end_of(window_of(at(13.0))), at(20.0));
    }

    #[test]
    fn without_packets_every_window_of_the_actor_is_an_attack_while_it_goes_on() {
        let labels = Labels::of_truth(&[truth()], false);
        let of = |end: f64| {
            let end = Timestamp::from_seconds_f64(START + end);
            labels.of(Some(IpAddr::from([10, 0, 0, 1])), end)
        };
        assert!(matches!(of(20.0), Label::Attack(_)));
        assert_eq!((of(30.0), of(10.0)), (Label::Neutral, Label::Normal));
    }
}
