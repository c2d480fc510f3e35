//! Writes DICOM: PDUs, command sets, data sets.

pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(crate) const BIG: &str = "1.2.840.10008.1.2.2";
pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
pub(crate) const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
pub(crate) const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
pub(crate) const VERIFICATION: &str = "1.2.840.10008.1.1";

pub(crate) fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 0];
    bytes.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    bytes.extend(body);
    bytes
}

fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 0];
    bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    bytes.extend(body);
    bytes
}

fn associate(kind: u8, calling: &str, called: &str, items: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend(format!("{called:16}{calling:16}").bytes());
    body.extend([0; 32]);
    body.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    body.extend(items.concat());
    pdu(kind, &body)
}

/// A-ASSOCIATE-RQ with contexts 1, 3, 5, ...; `extra` are sub-items of the user information.
pub(crate) fn request(calling: &str, called: &str, classes: &[&str], extra: &[Vec<u8>]) -> Vec<u8> {
    let mut items: Vec<_> = classes
        .iter()
        .enumerate()
        .map(|(at, class)| {
            let mut body = vec![u8::try_from(at * 2 + 1).unwrap(), 0, 0, 0];
            body.extend(item(0x30, class.as_bytes()));
            body.extend(item(0x40, IMPLICIT.as_bytes()));
            body.extend(item(0x40, EXPLICIT.as_bytes()));
            item(0x20, &body)
        })
        .collect();
    let mut user = item(0x51, &16_384_u32.to_be_bytes());
    user.extend(item(0x52, b"1.2.3.4.5"));
    user.extend(item(0x55, b"MODALITY_7"));
    user.extend(item(0x54, b"\0\x051.2.3\x01\x01"));
    user.extend(extra.concat());
    items.push(item(0x50, &user));
    associate(1, calling, called, &items)
}

/// User identity: a name with a pass code.
pub(crate) fn identity(name: &str, code: &str) -> Vec<u8> {
    let mut body = vec![2, 0];
    for text in [name, code] {
        body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.bytes());
    }
    item(0x58, &body)
}

/// A-ASSOCIATE-AC: for each context its transfer syntax, or none where it is refused.
pub(crate) fn accept(calling: &str, called: &str, syntaxes: &[Option<&str>]) -> Vec<u8> {
    let mut items: Vec<_> = syntaxes
        .iter()
        .enumerate()
        .map(|(at, syntax)| {
            let result = if syntax.is_some() { 0 } else { 3 };
            let mut body = vec![u8::try_from(at * 2 + 1).unwrap(), 0, result, 0];
            body.extend(item(0x40, syntax.unwrap_or_default().as_bytes()));
            item(0x21, &body)
        })
        .collect();
    items.push(item(0x50, &[item(0x51, &[0, 1, 0, 0]), item(0x55, b"ARCHIVE_2")].concat()));
    associate(2, calling, called, &items)
}

pub(crate) fn reject(result: u8, source: u8, reason: u8) -> Vec<u8> {
    pdu(3, &[0, result, source, reason])
}

pub(crate) fn release(kind: u8) -> Vec<u8> {
    pdu(kind, &[0; 4])
}

pub(crate) fn abort() -> Vec<u8> {
    pdu(7, &[0, 0, 0, 0])
}

fn pdv(context: u8, control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(data.len() + 2).unwrap().to_be_bytes().to_vec();
    bytes.extend([context, control]);
    bytes.extend(data);
    bytes
}

/// P-DATA-TFs with a command set, or a data set, in fragments of at most `most` bytes.
pub(crate) fn data(context: u8, command: bool, set: &[u8], most: usize) -> Vec<u8> {
    let count = set.chunks(most).count();
    let fragments = set.chunks(most).enumerate().map(|(at, fragment)| {
        let last = if at + 1 == count { 2 } else { 0 };
        pdu(4, &pdv(context, u8::from(command) | last, fragment))
    });
    fragments.flatten().collect()
}

/// One PDU with a command and its data set together.
pub(crate) fn together(context: u8, command: &[u8], set: &[u8]) -> Vec<u8> {
    pdu(4, &[pdv(context, 3, command), pdv(context, 2, set)].concat())
}

fn element_of_group_0(number: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(number.to_le_bytes());
    bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes
}

fn even(text: &str, pad: char) -> Vec<u8> {
    let mut text = text.to_owned();
    if text.len() % 2 == 1 {
        text.push(pad);
    }
    text.into_bytes()
}

/// A command set: field, SOP class, message id, and more elements.
pub(crate) fn command(
    field: u16,
    class: &str,
    id: u16,
    has_data: bool,
    more: &[(u16, &[u8])],
) -> Vec<u8> {
    let id_element = if field & 0x8000 == 0 { 0x0110 } else { 0x0120 };
    let data_type: u16 = if has_data { 1 } else { 0x0101 };
    let mut set = Vec::new();
    if !class.is_empty() {
        set.extend(element_of_group_0(0x0002, &even(class, '\0')));
    }
    set.extend(element_of_group_0(0x0100, &field.to_le_bytes()));
    set.extend(element_of_group_0(id_element, &id.to_le_bytes()));
    for (number, value) in more {
        set.extend(element_of_group_0(*number, value));
    }
    set.extend(element_of_group_0(0x0800, &data_type.to_le_bytes()));
    let length = u32::try_from(set.len()).unwrap().to_le_bytes();
    [element_of_group_0(0, &length), set].concat()
}

/// An element of a data set: a text, or a sequence with one item.
pub(crate) enum Element<'a> {
    Text(u16, u16, &'a [u8; 2], &'a str),
    Sequence(u16, u16, Vec<Element<'a>>),
}

/// A data set in the transfer syntax given.
pub(crate) fn data_set(elements: &[Element<'_>], syntax: &str) -> Vec<u8> {
    let big = syntax == BIG;
    let two = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let four = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut bytes = Vec::new();
    for element in elements {
        let (group, number, vr, value) = match element {
            Element::Text(group, number, vr, text) => (group, number, **vr, even(text, ' ')),
            Element::Sequence(group, number, inner) => {
                let inner = data_set(inner, syntax);
                let mut value = [two(0xfffe), two(0xe000)].concat();
                value.extend(four(u32::try_from(inner.len()).unwrap()));
                value.extend(inner);
                (group, number, *b"SQ", value)
            }
        };
        bytes.extend(two(*group));
        bytes.extend(two(*number));
        let length = u32::try_from(value.len()).unwrap();
        if syntax == IMPLICIT {
            bytes.extend(four(length));
        } else {
            bytes.extend(vr);
            if matches!(&vr, b"SQ" | b"OW") {
                bytes.extend([0, 0]);
                bytes.extend(four(length));
            } else {
                bytes.extend(two(u16::try_from(length).unwrap()));
            }
        }
        bytes.extend(value);
    }
    bytes
}
