//! What is asked of whom: one observation a request, and one for each property that is written.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use wire::cursor::{Cursor, Short};

use super::REQUEST;
use super::names;
use super::network::Frame;
use super::tags::{self, Sort};
use crate::repeats::{Repeats, digest};

/// Most writes of one message that are told.
const MOST_WRITES: usize = 32;

/// What a request is about; nothing where it does not say.
#[derive(Debug, Default)]
struct About {
    object: Option<(u16, u32)>,
    property: Option<u64>,
    priority: Option<u64>,
    value_type: Option<&'static str>,
    value: Option<f64>,
    state: Option<Value>,
    password: Option<bool>,
    range: Option<(u64, u64)>,
}

/// A service with its envelope.
struct Ask<'f, 'a> {
    frame: &'f Frame<'a>,
    /// Unconfirmed ones counted from [`names::UNCONFIRMED`].
    service: u16,
    segmented: bool,
    dir: Direction,
}

/// Says a request. What breaks the rules in it is the error.
pub(super) fn say(
    frame: &Frame<'_>,
    service: Service,
    body: &[u8],
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let (number, segmented) = match service {
        Service::Confirmed { number, segmented } => (u16::from(number), segmented),
        Service::Unconfirmed(number) => {
            (names::UNCONFIRMED.saturating_add(u16::from(number)), false)
        }
    };
    let ask = Ask { frame, service: number, segmented, dir };
    let mut cursor = Cursor::new(body);
    if number == 16 {
        return match write_multiple(&ask, &mut cursor, said, out) {
            // The rest is in segments that follow.
            Err(Short) if segmented => Ok(()),
            done => done,
        };
    }
    let about = match about(number, &mut cursor) {
        Ok(about) => about,
        Err(Short) if segmented => About::default(),
        Err(Short) => {
            emit(&ask, About::default(), said, out);
            return Err(Short);
        }
    };
    emit(&ask, about, said, out);
    Ok(())
}

/// Which of the two sorts a service is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Service {
    Confirmed { number: u8, segmented: bool },
    Unconfirmed(u8),
}

fn about(service: u16, cursor: &mut Cursor<'_>) -> Result<About, Short> {
    let mut about = About::default();
    match service {
        // ReadProperty, ReadPropertyMultiple, WriteProperty, ReadRange, AddListElement,
        // RemoveListElement all begin with the object.
        12 | 15 | 26 | 8 | 9 => {
            about.object = tags::context(cursor, 0)?.and_then(tags::object);
            about.property = tags::context(cursor, 1)?.and_then(tags::unsigned);
            tags::context(cursor, 2)?;
            if service == 15 {
                value(&mut about, cursor, 3)?;
                about.priority = tags::context(cursor, 4)?.and_then(tags::unsigned);
            }
        }
        14 => {
            about.object = tags::context(cursor, 0)?.and_then(tags::object);
            if tags::enclosure(cursor, 1, Sort::Opening)? {
                about.property = tags::context(cursor, 0)?.and_then(tags::unsigned);
            }
        }
        17 => {
            tags::context(cursor, 0)?;
            about.state = tags::context(cursor, 1)?
                .and_then(tags::unsigned)
                .map(|number| names::state(17, number));
            about.password = Some(tags::context(cursor, 2)?.is_some());
        }
        20 => {
            about.state = tags::context(cursor, 0)?
                .and_then(tags::unsigned)
                .map(|number| names::state(20, number));
            about.password = Some(tags::context(cursor, 1)?.is_some());
        }
        // Files and deleted objects are named by an application tag.
        6 | 7 | 11 => about.object = tags::object(tags::item(cursor)?.body),
        5 | 28 => {
            tags::context(cursor, 0)?;
            about.object = tags::context(cursor, 1)?.and_then(tags::object);
        }
        264 => {
            let low = tags::context(cursor, 0)?.and_then(tags::unsigned);
            let high = tags::context(cursor, 1)?.and_then(tags::unsigned);
            about.range = low.zip(high);
        }
        _ => {}
    }
    Ok(about)
}

/// The value in an enclosure.
fn value(about: &mut About, cursor: &mut Cursor<'_>, number: u8) -> Result<(), Short> {
    if !tags::enclosure(cursor, number, Sort::Opening)? {
        return Ok(());
    }
    if let Some(item) = tags::enclosed(cursor)? {
        (about.value_type, about.value) = (Some(item.type_word()), item.as_float());
    }
    Ok(())
}

/// Objects, each with the properties that are written to it (clause 15.10).
fn write_multiple(
    ask: &Ask<'_, '_>,
    cursor: &mut Cursor<'_>,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let mut written = 0_usize;
    while !cursor.is_empty() {
        let object = tags::context(cursor, 0)?.and_then(tags::object);
        if !tags::enclosure(cursor, 1, Sort::Opening)? {
            return Err(Short);
        }
        while !tags::enclosure(cursor, 1, Sort::Closing)? {
            let property = tags::context(cursor, 0)?.ok_or(Short)?;
            let mut about =
                About { object, property: tags::unsigned(property), ..About::default() };
            tags::context(cursor, 1)?;
            value(&mut about, cursor, 2)?;
            about.priority = tags::context(cursor, 3)?.and_then(tags::unsigned);
            written = written.saturating_add(1);
            if written <= MOST_WRITES {
                emit(ask, about, said, out);
            }
        }
    }
    Ok(())
}

fn emit(ask: &Ask<'_, '_>, about: About, said: &mut Repeats<u64>, out: &mut Emit<'_>) {
    let writes = matches!(ask.service, 7..=11 | 15..=17 | 20);
    let mut sort = vec![u64::from(ask.service)];
    // A building's points are polled by the thousand: reads are of one sort whatever they read.
    if writes {
        let (kind, instance) = about.object.unwrap_or_default();
        let numbers = [u64::from(kind), u64::from(instance)];
        sort.extend(numbers.into_iter().chain(about.property).chain(about.priority));
    }
    let bytes: Vec<u8> = sort.into_iter().flat_map(u64::to_le_bytes).collect();
    let from = ask.frame.from.unwrap_or(0).to_le_bytes();
    let Some(count) = said.told(digest(&[b"request", &bytes, &from])) else { return };
    let number = |value: Option<u64>| value.map(Value::Uint);
    out.observe(&REQUEST, ask.dir)
        .value("service", Some(names::service(ask.service)))
        .value("object", about.object.map(|(kind, _)| names::object(kind)))
        .value("instance", about.object.map(|(_, instance)| Value::Uint(instance.into())))
        .value("property", about.property.map(names::property))
        .value("priority", number(about.priority))
        .value("value_type", about.value_type.map(Value::Word))
        .value("value", about.value.filter(|value| value.is_finite()).map(Value::Float))
        .value("state", about.state)
        .value("password", about.password.map(Value::Bool))
        .flag("segmented", ask.segmented)
        .flag("broadcast", ask.frame.broadcast)
        .value("network", number(ask.frame.to.map(u64::from)))
        .value("from_network", number(ask.frame.from.map(u64::from)))
        .value("low", number(about.range.map(|(low, _)| low)))
        .value("high", number(about.range.map(|(_, high)| high)))
        .uint("count", count)
        .emit();
}
