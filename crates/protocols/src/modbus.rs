//! Modbus/TCP: registers and coils of controllers, power meters, gas panels and generators.
//!
//! Nothing is authenticated: whoever can connect can write. What is written where is told; a poll is
//! told once, and then ever more rarely. Deliberately absent: the values that are read, the pairing of
//! answers with requests, serial lines carried over TCP without the header, and Modbus security (TLS).

use model::emit::{ANOMALY, Emit, Probe};
use model::field::{Field, FieldType, KindSpec};
use model::flow::{Direction, FlowContext};
use model::net::Transport;
use model::observation::Value;
use wire::chunk::{Chunk, Next};

use crate::frames::{Frames, Step};
use crate::repeats::{Repeats, digest};
use crate::seam::{Parser, Protocol, ProtocolSpec};

mod frame;
mod function;

use frame::{Frame, Look};
use function::{Identity, Request};

/// A request.
pub static REQUEST: KindSpec = KindSpec {
    name: "modbus.request",
    doc: "A client reads, writes or diagnoses. Subject is the client. Repeated ones are said at 2, 4, 8, ... of them.",
    fields: &[
        Field::new("function", FieldType::Text, "read_holding_registers, write_single_coil, ..."),
        Field::new("code", FieldType::Uint, "Function code."),
        Field::new(
            "unit",
            FieldType::Uint,
            "Unit behind the address, 255 or 0 for the device itself.",
        ),
        Field::new("write", FieldType::Bool, "Whether it changes something."),
        Field::new("address", FieldType::Uint, "First register or coil."),
        Field::new("quantity", FieldType::Uint, "How many registers or coils."),
        Field::new("value", FieldType::Uint, "What is written, where it is one value."),
        Field::new(
            "sub_function",
            FieldType::Uint,
            "Of diagnostics (8): 1 restart, 4 listen only; of 43: 14 identification.",
        ),
        Field::new("count", FieldType::Uint, "Requests of this sort so far in the flow."),
    ],
};

/// A refusal.
pub static EXCEPTION: KindSpec = KindSpec {
    name: "modbus.exception",
    doc: "A server refuses a request. Subject is the server. Repeated ones are said at 2, 4, 8, ... of them.",
    fields: &[
        Field::new("function", FieldType::Text, "What was refused."),
        Field::new("unit", FieldType::Uint, "Unit behind the address."),
        Field::new(
            "reason",
            FieldType::Text,
            "illegal_function, illegal_data_address, illegal_data_value, server_device_failure, ...",
        ),
        Field::new("count", FieldType::Uint, "Refusals of this sort so far in the flow."),
    ],
};

/// Who a device is.
pub static DEVICE: KindSpec = KindSpec {
    name: "modbus.device",
    doc: "A server says which product it is (function 43, type 14). Subject is the server. Said once a flow.",
    fields: &[
        Field::new("unit", FieldType::Uint, "Unit behind the address."),
        Field::new("vendor", FieldType::Text, "Maker."),
        Field::new("product", FieldType::Text, "Product code."),
        Field::new("revision", FieldType::Text, "Version of its software."),
        Field::new("name", FieldType::Text, "Product name."),
        Field::new("model", FieldType::Text, "Model."),
        Field::new("application", FieldType::Text, "What its owner calls its application."),
    ],
};

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "modbus",
    transports: &[Transport::Tcp],
    kinds: &[&REQUEST, &EXCEPTION, &DEVICE, &ANOMALY],
    doc: "Registers of controllers: what is read and written.",
    sources: &[
        "MODBUS Application Protocol Specification V1.1b3",
        "MODBUS Messaging on TCP/IP Implementation Guide V1.0b",
    ],
};

const PORT: u16 = 502;

/// Modbus/TCP.
pub struct Modbus;

impl Protocol for Modbus {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn probe(&self, flow: &FlowContext, _dir: Direction, start: &[u8]) -> Probe {
        let on_port = flow.tuple.responder.port == PORT || flow.tuple.originator.port == PORT;
        match frame::look(start) {
            Look::No => Probe::No,
            Look::Short => Probe::Unsure,
            Look::Fits(_) => Probe::Yes,
            // A function of the maker's own, or one that answers in its own way.
            Look::Framed if on_port => Probe::Yes,
            Look::Framed => Probe::No,
        }
    }

    fn open(&self, flow: &FlowContext) -> Box<dyn Parser> {
        let FlowContext { tuple, .. } = flow;
        let turned = tuple.originator.port == PORT && tuple.responder.port != PORT;
        let client = if turned { Direction::Reverse } else { Direction::Forward };
        Box::new(ModbusParser {
            client,
            frames: [Frames::new(frame::LONGEST), Frames::new(frame::LONGEST)],
            lost: [false; 2],
            said: Repeats::new(REMEMBERED),
        })
    }
}

/// How many sorts of messages of a flow are remembered.
const REMEMBERED: usize = 128;

struct ModbusParser {
    client: Direction,
    frames: [Frames; 2],
    /// Whether the place in the stream is lost, after a gap.
    lost: [bool; 2],
    said: Repeats<u64>,
}

impl Parser for ModbusParser {
    fn data(&mut self, dir: Direction, chunk: Chunk<'_>, out: &mut Emit<'_>) -> Next {
        let Self { client, frames, lost, said } = self;
        let (Some(frames), Some(lost)) = (frames.get_mut(dir.index()), lost.get_mut(dir.index()))
        else {
            return Next::Done;
        };
        let asks = dir == *client;
        match chunk {
            Chunk::Stream(bytes) => frames.feed(bytes, |unread| {
                if *lost {
                    return search(unread, lost);
                }
                take(unread, asks, dir, said, out)
            }),
            Chunk::Gap(_) => {
                frames.clear();
                *lost = true;
                Next::More
            }
            Chunk::Datagram(_) => Next::Done,
        }
    }
}

/// Looks for the next message after a loss, a byte at a time.
fn search(unread: &[u8], lost: &mut bool) -> Step {
    // With fewer bytes than that it would depend on the cuts what is found.
    if unread.len() < frame::TELLING {
        return Step::More;
    }
    match frame::look(unread) {
        Look::Fits(size) if unread.len() < size => Step::More,
        Look::Fits(size) => {
            *lost = false;
            Step::Used(size)
        }
        _ => Step::Used(1),
    }
}

fn take(
    unread: &[u8],
    asks: bool,
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) -> Step {
    let (frame, size) = match Frame::read(unread) {
        Ok(Some(read)) => read,
        Ok(None) => return Step::More,
        Err(what) => {
            out.anomaly(SPEC.name, what, dir);
            return Step::Stop;
        }
    };
    if asks {
        request(&frame, dir, said, out);
    } else {
        answer(&frame, dir, said, out);
    }
    Step::Used(size)
}

fn request(frame: &Frame<'_>, dir: Direction, said: &mut Repeats<u64>, out: &mut Emit<'_>) {
    let request = match Request::read(frame.function, frame.data) {
        Ok(request) => request,
        Err(what) => {
            out.anomaly(SPEC.name, what, dir);
            Request::default()
        }
    };
    let Request { address, quantity, value, sub_function } = request;
    let numbers = [address, quantity, sub_function].map(|number| number.unwrap_or(u16::MAX));
    let bytes: Vec<u8> = numbers.into_iter().flat_map(u16::to_le_bytes).collect();
    let Some(count) = said.told(digest(&[b"request", &[frame.unit, frame.function], &bytes]))
    else {
        return;
    };
    let number = |number: Option<u16>| number.map(|number| Value::Uint(number.into()));
    out.observe(&REQUEST, dir)
        .value("function", Some(function::name(frame.function)))
        .uint("code", frame.function)
        .uint("unit", frame.unit)
        .flag("write", function::writes(frame.function))
        .value("address", number(address))
        .value("quantity", number(quantity))
        .value("value", number(value))
        .value("sub_function", number(sub_function))
        .uint("count", count)
        .emit();
}

fn answer(frame: &Frame<'_>, dir: Direction, said: &mut Repeats<u64>, out: &mut Emit<'_>) {
    if frame.function & 0x80 != 0 {
        let code = frame.data.first().copied().unwrap_or(0);
        let sort = digest(&[b"exception", &[frame.unit, frame.function, code]]);
        let Some(count) = said.told(sort) else { return };
        return out
            .observe(&EXCEPTION, dir)
            .value("function", Some(function::name(frame.function & 0x7f)))
            .uint("unit", frame.unit)
            .value("reason", Some(function::exception(code)))
            .uint("count", count)
            .emit();
    }
    if frame.function != function::ENCAPSULATED {
        return;
    }
    let Some(identity) = Identity::read(frame.data) else { return };
    if !said.is_new(digest(&[b"device", &[frame.unit], frame.data])) {
        return;
    }
    let mut draft = out.observe(&DEVICE, dir).uint("unit", frame.unit);
    for (field, text) in identity.fields() {
        draft = draft.text(field, text);
    }
    draft.emit();
}

#[cfg(test)]
mod tests;
