//! Multicast DNS (RFC 6762) and what is offered by it (DNS-SD, RFC 6763).
//!
//! Printers, imaging plates, cameras and phones tell everybody what they are: host name, services,
//! maker and model. That is inventory for nothing. The same is said again every few minutes, so each
//! statement is told once a flow. Of TXT records only their keys and the values that name a product
//! are kept: the rest may be anything, a note on a wall or a name of a person.

use std::collections::{BTreeMap, BTreeSet};

use model::emit::Emit;
use model::field::{Field, FieldType, KindSpec};
use model::flow::Direction;

use super::codes;
use super::message::{Message, Record};
use crate::repeats::{Repeats, digest};

mod product;

use product::Product;

/// Questions.
pub static QUERY: KindSpec = KindSpec {
    name: "mdns.query",
    doc: "A host asks everybody for names or services. Subject asks. Said once a flow.",
    fields: &[
        Field::new("names", FieldType::Texts, "Names asked for, lower case, at most 16."),
        Field::new("type", FieldType::Text, "Type of the first: PTR, SRV, A, ANY, ..."),
        Field::new("questions", FieldType::Uint, "How many were asked at once."),
        Field::new("proposes", FieldType::Bool, "Whether the asker is about to claim the names."),
    ],
};

/// A host name.
pub static HOST: KindSpec = KindSpec {
    name: "mdns.host",
    doc: "A host claims a name. Subject is the host. Said once a flow.",
    fields: &[
        Field::new("name", FieldType::Text, "Host name, lower case: ct1.local."),
        Field::new("addresses", FieldType::Texts, "Its addresses, at most 16."),
        Field::new("goodbye", FieldType::Bool, "Whether the name is taken back."),
        Field::new("hardware", FieldType::Text, "Hardware that it says it is."),
        Field::new("system", FieldType::Text, "Operating system that it says it has."),
    ],
};

/// A service.
pub static SERVICE: KindSpec = KindSpec {
    name: "mdns.service",
    doc: "A host offers a service. Subject is the host. Said once a flow.",
    fields: &[
        Field::staff("instance", "Name of this one service, written for people."),
        Field::new("service", FieldType::Text, "Sort of service: _ipp._tcp, _dicom._tcp."),
        Field::new("host", FieldType::Text, "Host name, lower case."),
        Field::new("port", FieldType::Uint, "Port."),
        Field::new("vendor", FieldType::Text, "Maker, where it says one."),
        Field::new("model", FieldType::Text, "Model, where it says one."),
        Field::new("firmware", FieldType::Text, "Version of its software, where it says one."),
        Field::new("keys", FieldType::Texts, "Keys of its TXT record, at most 32."),
        Field::new("goodbye", FieldType::Bool, "Whether the service is taken back."),
    ],
};

/// Most hosts or services told of one message.
const MOST: usize = 32;
/// Most names or addresses of one observation.
const MOST_TEXTS: usize = 16;

const A: u16 = 1;
const PTR: u16 = 12;
const HINFO: u16 = 13;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;

/// What a message says of one host.
#[derive(Default)]
struct Host {
    addresses: BTreeSet<std::net::IpAddr>,
    goodbye: bool,
    hardware: Vec<u8>,
    system: Vec<u8>,
}

/// What a message says of one service.
#[derive(Default)]
struct Service {
    instance: Vec<u8>,
    sort: Vec<u8>,
    host: Vec<u8>,
    port: Option<u16>,
    product: Product,
    goodbye: bool,
}

/// Says what is in one message and was not said before.
pub(super) fn say(
    message: &Message<'_>,
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) {
    if !message.is_response {
        return say_questions(message, dir, said, out);
    }
    let (mut hosts, mut services) = (BTreeMap::new(), BTreeMap::new());
    for record in message.all_records() {
        match record.kind {
            A | AAAA | HINFO => of_host(&record, &mut hosts),
            PTR | SRV | TXT => of_service(message, &record, &mut services),
            _ => {}
        }
    }
    for (name, host) in &hosts {
        say_host(name, host, dir, said, out);
    }
    for service in services.values() {
        say_service(service, dir, said, out);
    }
}

fn say_questions(
    message: &Message<'_>,
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) {
    let questions = message.all_questions();
    let Some(first) = questions.first() else { return };
    let names: Vec<&[u8]> = questions.iter().map(|q| q.name.as_slice()).collect();
    let proposes: &[u8] = if message.proposes() { b"proposes" } else { b"asks" };
    if !said.is_new(digest(&[&[proposes][..], &names].concat())) {
        return;
    }
    out.observe(&QUERY, dir)
        .texts("names", names, MOST_TEXTS)
        .value("type", Some(codes::type_name(first.kind)))
        .uint("questions", message.questions)
        .flag("proposes", message.proposes())
        .emit();
}

fn of_host(record: &Record<'_>, hosts: &mut BTreeMap<Vec<u8>, Host>) {
    let Some(host) = entry(hosts, record.name.to_ascii_lowercase()) else { return };
    if let Some(address) = record.address() {
        host.goodbye |= record.ttl == 0;
        if host.addresses.len() < MOST_TEXTS {
            host.addresses.insert(address);
        }
        return;
    }
    let mut strings = record.strings();
    host.hardware = strings.next().unwrap_or_default().to_vec();
    host.system = strings.next().unwrap_or_default().to_vec();
}

fn of_service(
    message: &Message<'_>,
    record: &Record<'_>,
    services: &mut BTreeMap<Vec<u8>, Service>,
) {
    let target = if record.kind == PTR { message.name_in(record, 0) } else { None };
    let full = target.as_ref().unwrap_or(&record.name);
    // Browsing all sorts of services gives sorts and no instance, reverse lookups give hosts.
    let Some((instance, sort)) = split(full) else { return };
    let Some(service) = entry(services, full.to_ascii_lowercase()) else { return };
    (service.instance, service.sort) = (instance, sort);
    service.goodbye |= record.ttl == 0;
    match record.kind {
        SRV => {
            service.host = message.name_in(record, 6).unwrap_or_default();
            service.host.make_ascii_lowercase();
            service.port = match record.data {
                [_, _, _, _, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
                _ => None,
            };
        }
        TXT => service.product = Product::read(record.strings()),
        _ => {}
    }
}

/// The entry of a name, as long as there is room.
fn entry<V: Default>(map: &mut BTreeMap<Vec<u8>, V>, name: Vec<u8>) -> Option<&mut V> {
    if map.len() >= MOST && !map.contains_key(&name) {
        return None;
    }
    Some(map.entry(name).or_default())
}

/// Instance and sort of service of a full name (RFC 6763, 4.1): `CT 1._dicom._tcp.local`.
fn split(full: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let at = full.windows(2).position(|pair| pair == b"._")?;
    let rest = full.get(at.checked_add(1)?..)?;
    let mut labels = rest.split(|byte| *byte == b'.');
    let (name, transport) = (labels.next()?, labels.next()?);
    if !matches!(transport, b"_tcp" | b"_udp") {
        return None;
    }
    let mut instance = Vec::new();
    let mut escaped = false;
    for &byte in full.get(..at)? {
        escaped = byte == b'\\' && !escaped;
        if !escaped {
            instance.push(byte);
        }
    }
    Some((instance, [name, b".", transport].concat().to_ascii_lowercase()))
}

fn say_host(name: &[u8], host: &Host, dir: Direction, said: &mut Repeats<u64>, out: &mut Emit<'_>) {
    let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
    let joined = addresses.join(" ");
    let goodbye = [u8::from(host.goodbye)];
    if !said.is_new(digest(&[b"host", name, joined.as_bytes(), &goodbye, &host.hardware])) {
        return;
    }
    out.observe(&HOST, dir)
        .text("name", name)
        .texts("addresses", addresses.iter().map(String::as_bytes), MOST_TEXTS)
        .flag("goodbye", host.goodbye)
        .text("hardware", &host.hardware)
        .text("system", &host.system)
        .emit();
}

fn say_service(service: &Service, dir: Direction, said: &mut Repeats<u64>, out: &mut Emit<'_>) {
    let Service { instance, sort, host, port, product, goodbye } = service;
    let numbers = [u8::from(*goodbye), u8::from(port.is_some())];
    let sort_of = digest(&[b"service", instance, sort, host, &product.model, &numbers]);
    if !said.is_new(sort_of) {
        return;
    }
    let mut draft = out
        .observe(&SERVICE, dir)
        .text("instance", instance)
        .text("service", sort)
        .text("host", host)
        .text("vendor", &product.vendor)
        .text("model", &product.model)
        .text("firmware", &product.firmware)
        .texts("keys", product.keys.iter().map(Vec::as_slice), product::MOST_KEYS)
        .flag("goodbye", *goodbye);
    if let Some(port) = port {
        draft = draft.uint("port", *port);
    }
    draft.emit();
}

#[cfg(test)]
mod tests;
