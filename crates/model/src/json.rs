//! Observations as JSON, quickly.
//!
//! Writing facts down is a good part of all the work that a busy sensor does, so this does not go
//! through serde: a flow's Community ID and the text of a second are made once and used again, and
//! numbers and addresses are written straight into the line. The text is the one that serde gives,
//! byte for byte.

use std::io::Write;
use std::net::IpAddr;

use crate::flow::{FlowContext, FlowId};
use crate::net::Mac;
use crate::observation::{Observation, Party, Value};
use crate::time::Timestamp;

/// Flows whose Community ID is remembered: a power of two.
const REMEMBERED: usize = 1 << 12;
/// Bytes of a Community ID: `1:` and the base64 of a SHA-1.
const COMMUNITY_ID: usize = 30;
/// Bytes of a date.
const DATE: usize = "2026-11-23".len();

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes JSON lines, and remembers what the next ones may need again.
#[derive(Debug, Default)]
pub struct JsonLines {
    /// By the low bits of the flow's number.
    community_ids: Box<[(FlowId, [u8; COMMUNITY_ID])]>,
    /// A day since the epoch and its date.
    day: Option<(i64, [u8; DATE])>,
}

impl JsonLines {
    /// Appends an observation, without a line's end.
    pub fn observation(&mut self, o: &Observation, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":\"o");
        hex64(o.id.0, out);
        out.extend_from_slice(b"\",\"at\":");
        self.time(o.at, out);
        out.extend_from_slice(b",\"kind\":\"");
        out.extend_from_slice(o.kind.name.as_bytes());
        out.push(b'"');
        if let Some(flow) = &o.flow {
            out.extend_from_slice(b",\"flow\":");
            self.community_id(flow, out);
        }
        if !o.subject.is_empty() {
            out.extend_from_slice(b",\"subject\":");
            party(&o.subject, out);
        }
        if let Some(peer) = &o.peer {
            out.extend_from_slice(b",\"peer\":");
            party(peer, out);
        }
        out.extend_from_slice(b",\"fields\":{");
        self.fields(o.fields(), out);
        out.extend_from_slice(b"}}");
    }

    /// Appends members of an object: names and values, separated by commas.
    pub fn fields<'a>(
        &mut self,
        fields: impl Iterator<Item = (&'static str, &'a Value)>,
        out: &mut Vec<u8>,
    ) {
        for (place, (name, value)) in fields.enumerate() {
            out.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            self.value(value, out);
        }
    }

    /// Appends a flow's Community ID in quotes.
    pub fn community_id(&mut self, flow: &FlowContext, out: &mut Vec<u8>) {
        if self.community_ids.is_empty() {
            let nobody = (FlowId::default(), [0; COMMUNITY_ID]);
            self.community_ids = vec![nobody; REMEMBERED].into_boxed_slice();
        }
        let place = flow.id.0 as usize & (REMEMBERED - 1);
        let known = &mut self.community_ids[place];
        if known.0 != flow.id || known.1[0] == 0 {
            known.0 = flow.id;
            // Thirty bytes always, so that this cannot fail.
            let _ = write!(&mut known.1[..], "{}", flow.tuple.community_id());
        }
        out.push(b'"');
        out.extend_from_slice(&known.1);
        out.push(b'"');
    }

    /// Appends a time in quotes.
    pub fn time(&mut self, at: Timestamp, out: &mut Vec<u8>) {
        let (day, second) = (at.seconds().div_euclid(86_400), at.seconds().rem_euclid(86_400));
        let date = match self.day {
            Some((known, date)) if known == day => date,
            _ => {
                let whole = at.to_string();
                let Some(date) = whole.as_bytes().first_chunk::<DATE>() else { return };
                self.day = Some((day, *date));
                *date
            }
        };
        let micros = at.nanos().rem_euclid(1_000_000_000) / 1_000;
        let mut text = *b"\"0000-00-00T00:00:00.000000Z\"";
        text[1..=DATE].copy_from_slice(&date);
        for (place, number) in [(12, second / 3_600), (15, second / 60 % 60), (18, second % 60)] {
            text[place] += (number / 10) as u8;
            text[place + 1] += (number % 10) as u8;
        }
        let mut rest = micros as u32;
        for place in (21..27).rev() {
            text[place] += (rest % 10) as u8;
            rest /= 10;
        }
        out.extend_from_slice(&text);
    }

    fn value(&mut self, value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Bool(v) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
            Value::Uint(v) => uint(*v, out),
            Value::Int(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
            // Writing to memory cannot fail.
            Value::Float(v) => drop(serde_json::to_writer(&mut *out, v)),
            Value::Word(v) => text(v, out),
            Value::Text(v) => text(v, out),
            Value::Ip(v) => ip(*v, out),
            Value::Mac(v) => mac(*v, out),
            Value::Time(v) => self.time(*v, out),
            Value::Token(v) => drop(serde_json::to_writer(&mut *out, v)),
            Value::Texts(v) => {
                out.push(b'[');
                for (place, one) in v.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    text(one, out);
                }
                out.push(b']');
            }
        }
    }
}

/// Appends a party as an object.
fn party(party: &Party, out: &mut Vec<u8>) {
    out.push(b'{');
    let start = out.len();
    let name = |name: &[u8], out: &mut Vec<u8>| {
        if out.len() > start {
            out.push(b',');
        }
        out.extend_from_slice(name);
    };
    if let Some(address) = party.ip {
        name(b"\"ip\":", out);
        ip(address, out);
    }
    if let Some(address) = party.mac {
        name(b"\"mac\":", out);
        mac(address, out);
    }
    if let Some(port) = party.port {
        name(b"\"port\":", out);
        uint(port.into(), out);
    }
    if let Some(host) = &party.name {
        name(b"\"name\":", out);
        text(host, out);
    }
    out.push(b'}');
}

/// Appends a number.
pub fn uint(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends 16 hexadecimal digits.
pub fn hex64(value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().enumerate() {
        *digit = HEX[(value >> (60 - 4 * place)) as usize & 15];
    }
    out.extend_from_slice(&digits);
}

/// Appends a network address in quotes.
pub fn ip(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(v4) => {
            let mut text = [b'"'; 18];
            let mut end = 1;
            for octet in v4.octets() {
                let digits = if octet >= 100 { 3 } else { 1 + usize::from(octet >= 10) };
                let mut rest = octet;
                for place in (end..end + digits).rev() {
                    text[place] = b'0' + rest % 10;
                    rest /= 10;
                }
                text[end + digits] = b'.';
                end += digits + 1;
            }
            text[end - 1] = b'"';
            out.extend_from_slice(&text[..end]);
        }
        // Writing to memory cannot fail.
        IpAddr::V6(v6) => drop(write!(out, "\"{v6}\"")),
    }
}

/// Appends an Ethernet address in quotes.
pub fn mac(address: Mac, out: &mut Vec<u8>) {
    let mut text = *b"\"00:00:00:00:00:00\"";
    for (place, byte) in address.0.into_iter().enumerate() {
        text[3 * place + 1] = HEX[usize::from(byte >> 4)];
        text[3 * place + 2] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(&text);
}

/// Appends a text in quotes.
pub fn text(text: &str, out: &mut Vec<u8>) {
    let plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
    if text.as_bytes().iter().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory cannot fail.
        drop(serde_json::to_writer(out, text));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::field::{Field, FieldType, KindSpec};
    use crate::net::{Endpoint, FiveTuple, Transport};
    use crate::observation::ObservationId;
    use crate::privacy::SiteKey;

    static KIND: KindSpec = KindSpec {
        name: "test.all",
        doc: "One field of every type.",
        fields: &[
            Field::new("bool", FieldType::Bool, ""),
            Field::new("uint", FieldType::Uint, ""),
            Field::new("int", FieldType::Int, ""),
            Field::new("float", FieldType::Float, ""),
            Field::new("word", FieldType::Text, ""),
            Field::new("text", FieldType::Text, ""),
            Field::new("ip", FieldType::Ip, ""),
            Field::new("mac", FieldType::Mac, ""),
            Field::new("time", FieldType::Time, ""),
            Field::patient("token", ""),
            Field::new("texts", FieldType::Texts, ""),
        ],
    };

    fn flow(number: u64, ips: [IpAddr; 2], ports: [u16; 2]) -> Arc<FlowContext> {
        let [originator, responder] =
            [0, 1].map(|side: usize| Endpoint { ip: ips[side], port: ports[side] });
        Arc::new(FlowContext {
            id: FlowId(number),
            tuple: FiveTuple { transport: Transport::Tcp, originator, responder },
            macs: [None, None],
            vlan: None,
            started: Timestamp::default(),
        })
    }

    proptest! {
        #[test]
        fn every_observation_reads_as_serde_writes_it(
            (numbers, nanos, float) in (any::<(u64, i64, bool)>(), any::<i64>(), any::<f64>()),
            (one, ips, ports) in (any::<String>(), any::<[IpAddr; 2]>(), any::<[u16; 2]>()),
            (six, which) in (any::<[u8; 6]>(), any::<u16>()),
        ) {
            let at = Timestamp::from_nanos(nanos);
            let mut o = Observation::new(at, &KIND);
            o.id = ObservationId(numbers.0);
            let values = [
                ("bool", Value::Bool(numbers.2)),
                ("uint", Value::Uint(numbers.0)),
                ("int", Value::Int(numbers.1)),
                ("float", Value::Float(float)),
                ("word", Value::Word("plain")),
                ("text", Value::Text(one.as_str().into())),
                ("ip", Value::Ip(ips[0])),
                ("mac", Value::Mac(Mac(six))),
                ("time", Value::Time(at)),
                ("token", Value::Token(SiteKey::new(b"k").token("t", one.as_bytes()))),
                ("texts", Value::Texts(vec![one.as_str().into(), "a\"b".into()].into())),
            ];
            for (place, (name, value)) in values.into_iter().enumerate() {
                if which >> place & 1 == 1 {
                    o.set(name, value);
                }
            }
            if which >> 11 & 1 == 1 {
                // The same place in the memory of Community IDs, and number zero, which it holds
                // before anything was put there.
                o.flow = Some(flow(numbers.0 % 2 * REMEMBERED as u64, ips, ports));
            }
            if which >> 12 & 1 == 1 {
                let name = Some(one.as_str().into());
                o.peer = Some(Party { ip: Some(ips[1]), mac: Some(Mac(six)), port: None, name });
            }
            if which >> 13 & 1 == 1 {
                o.subject = Party { port: Some(ports[0]), name: Some("h".into()), ..Party::default() };
            }
            let mut lines = JsonLines::default();
            for _ in 0..2 {
                let mut line = Vec::new();
                lines.observation(&o, &mut line);
                prop_assert_eq!(String::from_utf8(line).unwrap(), serde_json::to_string(&o).unwrap());
            }
            let other = flow(3 * REMEMBERED as u64, [ips[1], ips[0]], [1, 2]);
            let mut line = Vec::new();
            lines.community_id(&other, &mut line);
            prop_assert_eq!(line, serde_json::to_vec(&other.tuple.community_id()).unwrap());
        }
    }
}
