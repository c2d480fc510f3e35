//! What devices say: who they are, what their own text properties hold, and that something failed.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use wire::cursor::{Cursor, Short};

use super::names;
use super::network::Frame;
use super::tags::{self, Sort};
use super::{DEVICE, FAILURE};
use crate::repeats::{Repeats, digest};

/// The object type of a device.
const DEVICE_OBJECT: u16 = 8;

/// I-Am (clause 16.10): number, longest message, segmentation, maker.
pub(super) fn i_am(
    frame: &Frame<'_>,
    body: &[u8],
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let mut cursor = Cursor::new(body);
    let (_, instance) = tags::object(tags::item(&mut cursor)?.body).ok_or(Short)?;
    let mut number =
        || -> Result<u64, Short> { tags::unsigned(tags::item(&mut cursor)?.body).ok_or(Short) };
    let (longest, segmentation, vendor) = (number()?, number()?, number()?);
    if !said.is_new(digest(&[b"device", body])) {
        return Ok(());
    }
    let segmentation = match segmentation {
        0 => "both",
        1 => "transmit",
        2 => "receive",
        _ => "none",
    };
    out.observe(&DEVICE, dir)
        .uint("instance", instance)
        .uint("vendor_id", vendor)
        .uint("max_apdu", longest)
        .word("segmentation", segmentation)
        .value("from_network", frame.from.map(|network| Value::Uint(network.into())))
        .emit();
    Ok(())
}

/// Properties of a device that say who it is, with the field they are kept in.
const fn field_of(property: u64) -> Option<&'static str> {
    Some(match property {
        12 => "software",
        44 => "firmware",
        70 => "model",
        77 => "name",
        121 => "vendor",
        _ => return None,
    })
}

/// The answer to ReadProperty (15.5) or ReadPropertyMultiple (15.7), where it is about the device
/// itself.
pub(super) fn properties(
    frame: &Frame<'_>,
    service: u8,
    body: &[u8],
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let mut cursor = Cursor::new(body);
    let mut texts: Vec<(&'static str, &[u8])> = Vec::new();
    let mut device = None;
    if service == names::READ_PROPERTY {
        device = about_device(tags::context(&mut cursor, 0)?);
        let property = tags::context(&mut cursor, 1)?.and_then(tags::unsigned);
        tags::context(&mut cursor, 2)?;
        texts.extend(text_of(property, &mut cursor, 3)?);
    } else {
        while !cursor.is_empty() {
            let own = about_device(tags::context(&mut cursor, 0)?);
            if !tags::enclosure(&mut cursor, 1, Sort::Opening)? {
                return Err(Short);
            }
            while !tags::enclosure(&mut cursor, 1, Sort::Closing)? {
                let property = tags::context(&mut cursor, 2)?.ok_or(Short)?;
                tags::context(&mut cursor, 3)?;
                let found = text_of(tags::unsigned(property), &mut cursor, 4)?;
                if tags::enclosure(&mut cursor, 5, Sort::Opening)? {
                    tags::enclosed(&mut cursor)?;
                }
                if own.is_some() {
                    device = own;
                    texts.extend(found);
                }
            }
        }
    }
    let Some(instance) = device.filter(|_| !texts.is_empty()) else { return Ok(()) };
    texts.truncate(8);
    let parts: Vec<&[u8]> =
        texts.iter().flat_map(|(field, text)| [field.as_bytes(), *text]).collect();
    let number = instance.to_le_bytes();
    if !said.is_new(digest(&[&[&b"texts"[..], &number], &parts[..]].concat())) {
        return Ok(());
    }
    let mut draft = out
        .observe(&DEVICE, dir)
        .uint("instance", instance)
        .value("from_network", frame.from.map(|network| Value::Uint(network.into())));
    for (field, text) in texts {
        draft = draft.text(field, text);
    }
    draft.emit();
    Ok(())
}

/// The number of the device that an object is.
fn about_device(object: Option<&[u8]>) -> Option<u32> {
    let (kind, instance) = object.and_then(tags::object)?;
    (kind == DEVICE_OBJECT).then_some(instance)
}

/// The text in an enclosure, where its property is one of those wanted.
fn text_of<'a>(
    property: Option<u64>,
    cursor: &mut Cursor<'a>,
    number: u8,
) -> Result<Option<(&'static str, &'a [u8])>, Short> {
    if !tags::enclosure(cursor, number, Sort::Opening)? {
        return Ok(None);
    }
    let item = tags::enclosed(cursor)?;
    let text = item
        .filter(|item| item.sort == Sort::Application && item.number == 7)
        .and_then(|item| tags::text(item.body));
    Ok(property.and_then(field_of).zip(text))
}

/// An error (clause 20.1.7), a reject or an abort.
pub(super) fn failure(
    outcome: &'static str,
    service: Option<u8>,
    body: &[u8],
    dir: Direction,
    said: &mut Repeats<u64>,
    out: &mut Emit<'_>,
) -> Result<(), Short> {
    let mut cursor = Cursor::new(body);
    let (class, reason) = if outcome == "error" {
        // Services that do several things enclose what went wrong.
        tags::enclosure(&mut cursor, 0, Sort::Opening)?;
        let mut number =
            || -> Result<u64, Short> { tags::unsigned(tags::item(&mut cursor)?.body).ok_or(Short) };
        let (class, code) = names::error(number()?, number()?);
        (Some(class), code)
    } else {
        (None, names::reason(outcome, cursor.u8()?))
    };
    let told = format!("{service:?} {class:?} {reason:?}");
    let Some(count) = said.told(digest(&[b"failure", outcome.as_bytes(), told.as_bytes()])) else {
        return Ok(());
    };
    out.observe(&FAILURE, dir)
        .word("outcome", outcome)
        .value("service", service.map(|number| names::service(number.into())))
        .value("class", class)
        .value("reason", Some(reason))
        .uint("count", count)
        .emit();
    Ok(())
}
