//! A small ward for the tests of detectors: observations as the parsers would make them, run
//! through a whole engine that has learned what the test calls normal.

use std::sync::Arc;

use model::device::DeviceClass;
use model::field::KindSpec;
use model::finding::{Finding, Severity};
use model::flow::{FlowContext, FlowId};
use model::net::{Endpoint, FiveTuple, Transport};
use model::observation::{Observation, ObservationId, Party, Value};
use model::privacy::SiteKey;
use model::time::Timestamp;

use crate::engine::{Engine, Settings};

/// A station: its address, and its Ethernet address as seen at the sensor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) ip: &'static str,
    pub(crate) mac: &'static str,
}

const fn host(ip: &'static str, mac: &'static str) -> Host {
    Host { ip, mac }
}

// Makers of the cards: monitors Philips, pumps and servers others, desks Dell; the intruder's is
// made up.
pub(crate) const PACS: Host = host("10.0.1.10", "00:50:56:00:00:10");
pub(crate) const SERVER: Host = host("10.0.1.11", "00:50:56:00:00:11");
pub(crate) const ROUTER: Host = host("10.0.0.1", "00:1a:a1:00:00:01");
pub(crate) const MONITORS: [Host; 3] = [
    host("10.0.4.41", "00:09:fb:00:00:41"),
    host("10.0.4.42", "00:09:fb:00:00:42"),
    host("10.0.4.43", "00:09:fb:00:00:43"),
];
pub(crate) const NEW_MONITOR: Host = host("10.0.4.44", "00:09:fb:00:00:44");
pub(crate) const PUMPS: [Host; 3] = [
    host("10.0.5.51", "00:12:21:00:00:51"),
    host("10.0.5.52", "00:12:21:00:00:52"),
    host("10.0.5.53", "00:12:21:00:00:53"),
];
pub(crate) const NEW_PUMP: Host = host("10.0.5.54", "00:12:21:00:00:54");
pub(crate) const DESK: Host = host("10.0.3.31", "00:14:22:00:00:31");
pub(crate) const DESK_B: Host = host("10.0.3.32", "00:14:22:00:00:32");
pub(crate) const INTRUDER: Host = host("10.0.3.99", "02:00:5e:00:00:99");
pub(crate) const OUTSIDE: Host = host("203.0.113.44", "00:1a:a1:00:00:01");
pub(crate) const OUTSIDE_B: Host = host("198.51.100.7", "00:1a:a1:00:00:01");

/// A host that no constant names: the network's last byte is `last`.
pub(crate) fn nth(last: u8) -> Host {
    let ip: &'static str = Box::leak(format!("10.0.7.{last}").into_boxed_str());
    let mac: &'static str = Box::leak(format!("00:0e:2f:00:07:{last:02x}").into_boxed_str());
    Host { ip, mac }
}

pub(crate) fn word(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn texts(all: &[&str]) -> Value {
    Value::Texts(all.iter().map(|text| Box::from(*text)).collect())
}

pub(crate) fn num(number: u64) -> Value {
    Value::Uint(number)
}

pub(crate) fn yes() -> Value {
    Value::Bool(true)
}

pub(crate) fn ip(text: &str) -> Value {
    Value::Ip(text.parse().unwrap())
}

pub(crate) fn mac(text: &str) -> Value {
    Value::Mac(text.parse().unwrap())
}

pub(crate) fn patient(number: u64) -> Value {
    Value::Token(SiteKey::new(b"test").token("patient", number.to_string().as_bytes()))
}

/// Fields of an observation.
pub(crate) type Fields<'a> = &'a [(&'a str, Value)];

const BEGIN: f64 = 1_800_000_000.0;
/// Seconds of normal life.
const NORMAL: f64 = 600.0;

/// The engine under test, with a clock.
pub(crate) struct Ward {
    pub(crate) engine: Engine,
    /// Seconds since it began.
    pub(crate) now: f64,
    serial: u64,
    seen: Vec<Observation>,
}

impl Ward {
    /// Nothing is known as yet; ten minutes to learn.
    pub(crate) fn new() -> Self {
        Self::with(assets::Settings::default())
    }

    /// The same in a site that uses a range of public addresses inside.
    pub(crate) fn owning(network: &str, bits: u8) -> Self {
        let internal = vec![(network.parse().unwrap(), bits)];
        Self::with(assets::Settings { internal, ..assets::Settings::default() })
    }

    fn with(assets: assets::Settings) -> Self {
        let settings = Settings {
            learn_until: Some(Timestamp::from_seconds_f64(BEGIN + NORMAL)),
            ..Settings::default()
        };
        let engine = Engine::new(settings, assets);
        Self { engine, now: 0.0, serial: 0, seen: Vec::new() }
    }

    /// With a few words between the stations, so that each is known.
    pub(crate) fn peopled() -> Self {
        let mut ward = Self::new();
        for round in 0..25 {
            ward.now = f64::from(round) * 5.0;
            for host in MONITORS.into_iter().chain(PUMPS).chain([DESK, DESK_B]) {
                ward.call(host, SERVER, 8_443);
                ward.now += 0.3;
            }
            ward.call(SERVER, PACS, 8_042);
        }
        for (hosts, class) in [
            (&MONITORS[..], DeviceClass::PatientMonitor),
            (&PUMPS[..], DeviceClass::InfusionPump),
            (&[PACS][..], DeviceClass::Pacs),
            (&[SERVER][..], DeviceClass::Server),
            (&[DESK, DESK_B][..], DeviceClass::Workstation),
        ] {
            hosts.iter().for_each(|host| ward.is(*host, class));
        }
        ward
    }

    /// A person says what a station is.
    pub(crate) fn is(&mut self, host: Host, class: DeviceClass) {
        let party = Party { ip: host.ip.parse().ok(), ..Party::default() };
        let ix = self.engine.inventory().entity(&party).device().expect("seen before");
        self.engine.confirm(ix, class);
    }

    /// Normal life is over.
    pub(crate) fn watch(&mut self) -> &mut Self {
        self.now = NORMAL + 1.0;
        self.engine.take_findings();
        self
    }

    pub(crate) fn pass(&mut self, seconds: f64) -> &mut Self {
        self.now += seconds;
        self
    }

    /// A flow that has just begun.
    pub(crate) fn flow(&mut self, from: Host, to: Host, port: u16) -> Arc<FlowContext> {
        self.flow_over(Transport::Tcp, from, to, port)
    }

    pub(crate) fn flow_over(
        &mut self,
        transport: Transport,
        from: Host,
        to: Host,
        port: u16,
    ) -> Arc<FlowContext> {
        self.serial += 1;
        let end = |host: Host, port| Endpoint { ip: host.ip.parse().unwrap(), port };
        let own = 40_000 + (self.serial % 20_000) as u16;
        Arc::new(FlowContext {
            id: FlowId(self.serial),
            tuple: FiveTuple { transport, originator: end(from, own), responder: end(to, port) },
            macs: [from.mac.parse().ok(), to.mac.parse().ok()],
            vlan: None,
            started: self.time(),
        })
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_nanos(((BEGIN + self.now) * 1e6).round() as i64 * 1_000)
    }

    /// One observation within a flow, said by `from` to `to`.
    pub(crate) fn say(
        &mut self,
        kind: &'static KindSpec,
        flow: Option<&Arc<FlowContext>>,
        from: Host,
        to: Option<Host>,
        fields: Fields<'_>,
    ) {
        self.serial += 1;
        let mut o = Observation::new(self.time(), kind);
        o.id = ObservationId(self.serial);
        o.flow = flow.cloned();
        o.subject = party(from, flow);
        o.peer = to.map(|to| party(to, flow));
        for (name, value) in fields {
            assert!(kind.index_of(name).is_some(), "{} has no field {name}", kind.name);
            o.set(name, value.clone());
        }
        self.engine.observe(&o);
        self.seen.push(o);
    }

    /// What the sensor says of itself.
    pub(crate) fn of_sensor(&mut self, kind: &'static KindSpec, fields: Fields<'_>) {
        self.serial += 1;
        let mut o = Observation::new(self.time(), kind);
        o.id = ObservationId(self.serial);
        fields.iter().for_each(|(name, value)| o.set(name, value.clone()));
        self.engine.observe(&o);
        self.seen.push(o);
    }

    /// Nothing is observed up to now.
    pub(crate) fn idle(&mut self) {
        let now = self.time();
        self.engine.idle(now);
    }

    /// A connection that is opened, with or without success ("established", "refused",
    /// "unanswered").
    pub(crate) fn knock(
        &mut self,
        from: Host,
        to: Host,
        port: u16,
        outcome: &str,
    ) -> Arc<FlowContext> {
        let flow = self.flow(from, to, port);
        let transport = ("transport", word("tcp"));
        self.say(
            &wire::kinds::START,
            Some(&flow),
            from,
            Some(to),
            std::slice::from_ref(&transport),
        );
        let fields = [transport, ("outcome", word(outcome))];
        self.say(&wire::kinds::OUTCOME, Some(&flow), from, Some(to), &fields);
        flow
    }

    /// A connection that is answered.
    pub(crate) fn call(&mut self, from: Host, to: Host, port: u16) -> Arc<FlowContext> {
        self.knock(from, to, port, "established")
    }

    /// Something said over a connection of its own.
    pub(crate) fn over(
        &mut self,
        kind: &'static KindSpec,
        from: Host,
        to: Host,
        port: u16,
        fields: Fields<'_>,
    ) -> Arc<FlowContext> {
        let flow = self.call(from, to, port);
        self.say(kind, Some(&flow), from, Some(to), fields);
        flow
    }

    /// What a flow's protocol turned out to be.
    pub(crate) fn speaks(&mut self, flow: &Arc<FlowContext>, from: Host, to: Host, protocol: &str) {
        let transport = flow.tuple.transport;
        let transport = if transport == Transport::Udp { "udp" } else { "tcp" };
        let fields = [("transport", word(transport)), ("protocol", word(protocol))];
        self.say(&wire::kinds::PROTOCOL, Some(flow), from, Some(to), &fields);
    }

    /// Growth of a flow over five seconds.
    pub(crate) fn grows(
        &mut self,
        flow: &Arc<FlowContext>,
        (from, to): (Host, Host),
        transport: &str,
        [packets_out, packets_in, bytes_out, bytes_in]: [u64; 4],
    ) {
        let fields = [
            ("transport", word(transport)),
            ("seconds", Value::Float(5.0)),
            ("delta_packets_out", num(packets_out)),
            ("delta_packets_in", num(packets_in)),
            ("delta_bytes_out", num(bytes_out)),
            ("delta_bytes_in", num(bytes_in)),
        ];
        self.say(&wire::kinds::UPDATE, Some(flow), from, Some(to), &fields);
    }

    /// Findings since the last time.
    pub(crate) fn findings(&mut self) -> Vec<Finding> {
        self.engine.take_findings()
    }

    /// The worst that a detector has said since the last time.
    pub(crate) fn worst(&mut self, detector: &str) -> Option<Severity> {
        let all = self.findings();
        all.iter().filter(|f| f.detector == detector).map(|f| f.severity).max()
    }

    /// Asserts that a detector alerts, about this station.
    #[track_caller]
    pub(crate) fn alerts(&mut self, detector: &str, about: Host) {
        let all = self.findings();
        let said = all.iter().any(|f| {
            f.detector == detector
                && f.severity >= Severity::Medium
                && f.device.ip == about.ip.parse().ok()
                && !f.because.is_empty()
        });
        let titles: Vec<_> = all.iter().map(|f| (&f.detector, f.severity, &f.title)).collect();
        assert!(said, "{detector} says nothing of {}: {titles:#?}", about.ip);
    }

    /// Asserts that no detector alerts.
    #[track_caller]
    pub(crate) fn is_quiet(&mut self) {
        let all = self.findings();
        let alerts = all.iter().filter(|f| f.severity >= Severity::Medium);
        let titles: Vec<_> = alerts.map(|f| (&f.detector, f.severity, &f.title)).collect();
        assert!(titles.is_empty(), "{titles:#?}");
    }

    /// Everything that was seen so far.
    pub(crate) fn seen(&self) -> &[Observation] {
        &self.seen
    }
}

/// One side of an observation within a flow.
fn party(host: Host, flow: Option<&Arc<FlowContext>>) -> Party {
    let ip = host.ip.parse().ok();
    let port = flow.map(|flow| {
        let FiveTuple { originator, responder, .. } = flow.tuple;
        if Some(originator.ip) == ip { originator.port } else { responder.port }
    });
    Party { ip, mac: host.mac.parse().ok(), port, name: None }
}
