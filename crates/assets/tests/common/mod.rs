//! A made-up network: builds the observations that the parsers would make of it.
#![allow(dead_code, unreachable_pub)]

use std::sync::Arc;

use assets::{DeviceIx, Entity, Inventory, Settings, Who};
use model::field::KindSpec;
use model::flow::{FlowContext, FlowId};
use model::net::{Endpoint, FiveTuple, Mac, Transport};
use model::observation::{Observation, Party, Value};
use model::privacy::SiteKey;
use model::time::Timestamp;

/// A station: address and Ethernet address as seen at the sensor.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    pub ip: &'static str,
    pub mac: &'static str,
}

pub const fn host(ip: &'static str, mac: &'static str) -> Host {
    Host { ip, mac }
}

pub fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

pub fn word(text: &str) -> Value {
    Value::Text(text.into())
}

pub fn texts(all: &[&str]) -> Value {
    Value::Texts(all.iter().map(|text| Box::from(*text)).collect())
}

pub fn patient(number: u64) -> Value {
    Value::Token(SiteKey::new(b"test").token("patient", number.to_string().as_bytes()))
}

/// The inventory under test, with a clock.
pub struct Site {
    pub inventory: Inventory,
    pub at: f64,
    flows: u64,
}

impl Site {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        Self { inventory: Inventory::new(settings), at: 1_800_000_000.0, flows: 0 }
    }

    pub fn now(&self) -> Timestamp {
        // Whole microseconds, as times are written.
        Timestamp::from_nanos((self.at * 1e6).round() as i64 * 1_000)
    }

    pub fn pass(&mut self, seconds: f64) -> &mut Self {
        self.at += seconds;
        self.inventory.tick(self.now());
        self
    }

    pub fn flow(&mut self, from: Host, to: Host, port: u16) -> Arc<FlowContext> {
        self.flows += 1;
        let endpoint = |host: Host, port| Endpoint { ip: host.ip.parse().unwrap(), port };
        let own = 40_000 + (self.flows % 20_000) as u16;
        Arc::new(FlowContext {
            id: FlowId(self.flows),
            tuple: FiveTuple {
                transport: Transport::Tcp,
                originator: endpoint(from, own),
                responder: endpoint(to, port),
            },
            macs: [from.mac.parse().ok(), to.mac.parse().ok()],
            vlan: None,
            started: self.now(),
        })
    }

    /// What the originator of a flow, or with `back` its responder, did.
    pub fn in_flow(
        &mut self,
        kind: &'static KindSpec,
        flow: &Arc<FlowContext>,
        back: bool,
        fields: &[(&str, Value)],
    ) -> Who {
        let side = |endpoint: Endpoint, mac| Party {
            ip: Some(endpoint.ip),
            port: Some(endpoint.port),
            mac,
            name: None,
        };
        let one = side(flow.tuple.originator, flow.macs[0]);
        let two = side(flow.tuple.responder, flow.macs[1]);
        let mut o = Observation::new(self.now(), kind);
        (o.subject, o.peer) = if back { (two, Some(one)) } else { (one, Some(two)) };
        o.flow = Some(Arc::clone(flow));
        fields.iter().for_each(|(name, value)| o.set(name, value.clone()));
        self.inventory.observe(&o)
    }

    pub fn start(&mut self, flow: &Arc<FlowContext>) -> Who {
        self.in_flow(&wire::kinds::START, flow, false, &[("transport", word("tcp"))])
    }

    pub fn outcome(&mut self, flow: &Arc<FlowContext>, outcome: &'static str) -> Who {
        self.in_flow(&wire::kinds::OUTCOME, flow, false, &[("outcome", word(outcome))])
    }

    /// A flow that is answered.
    pub fn talk(&mut self, from: Host, to: Host, port: u16) -> Arc<FlowContext> {
        let flow = self.flow(from, to, port);
        self.start(&flow);
        self.at += 0.001;
        self.outcome(&flow, "established");
        flow
    }

    pub fn arp(&mut self, from: &str, sender_ip: &str, reply: bool) -> Who {
        let mut o = Observation::new(self.now(), &protocols::arp::PACKET);
        o.subject = Party { mac: Some(mac(from)), ..Party::default() };
        o.set("operation", word(if reply { "reply" } else { "request" }));
        o.set("sender_mac", Value::Mac(mac(from)));
        o.set("sender_ip", Value::Ip(sender_ip.parse().unwrap()));
        self.inventory.observe(&o)
    }

    /// A DHCP message of a client, or of a server at `from` to a client.
    pub fn dhcp(&mut self, from: Option<Host>, client: &str, fields: &[(&str, Value)]) -> Who {
        let mut o = Observation::new(self.now(), &protocols::dhcp::MESSAGE);
        o.subject = match from {
            Some(server) => Party {
                ip: server.ip.parse().ok(),
                mac: server.mac.parse().ok(),
                port: Some(67),
                name: None,
            },
            None => Party {
                ip: "0.0.0.0".parse().ok(),
                mac: Some(mac(client)),
                port: Some(68),
                name: None,
            },
        };
        o.peer = Some(Party::from_ip("255.255.255.255".parse().unwrap()));
        o.set("client_mac", Value::Mac(mac(client)));
        fields.iter().for_each(|(name, value)| o.set(name, value.clone()));
        self.inventory.observe(&o)
    }

    pub fn ix(&self, ip: &str) -> Option<DeviceIx> {
        self.inventory.entity(&Party::from_ip(ip.parse().unwrap())).device()
    }

    pub fn by_name(&self, name: &str) -> Entity {
        self.inventory.entity(&Party { name: Some(name.into()), ..Party::default() })
    }

    pub fn class(&mut self, ip: &str) -> &'static str {
        self.pass(2.0);
        self.ix(ip).map_or("nobody", |ix| self.inventory.class(ix).name())
    }
}
