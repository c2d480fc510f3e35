//! The PDUs of the upper layer as they lie in the bytes (PS3.8 chapter 9.3): headers, and whether
//! bytes can be one.
//!
//! A header has few bits that must be so, thus what can be told from the first bytes of its body
//! is asked for too wherever there is doubt.

use model::emit::Probe;

/// Bytes of a PDU's header: type, reserved, length.
pub(super) const HEADER: usize = 6;
/// Bytes of an A-ASSOCIATE-RQ or -AC before its items.
pub(super) const ASSOCIATE_FIXED: usize = 68;
/// Bytes of a PDV's header: length, context, control.
pub(super) const PDV_HEADER: usize = 6;

/// Longest A-ASSOCIATE that is followed. 128 contexts with every transfer syntax and a signed
/// token of identity stay far below.
pub(super) const MAX_ASSOCIATE: u32 = 1 << 20;
/// Longest P-DATA-TF that is followed. Receivers mostly take 16 to 128 KiB.
pub(super) const MAX_DATA: u32 = 1 << 28;

/// Longest P-DATA-TF of a data set that is believed where its start had to be searched for.
const MAX_FOUND: u32 = 1 << 20;

/// Type of a PDU (PS3.8 9.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A-ASSOCIATE-RQ.
    Request,
    /// A-ASSOCIATE-AC.
    Accept,
    /// A-ASSOCIATE-RJ.
    Reject,
    /// P-DATA-TF.
    Data,
    /// A-RELEASE-RQ.
    ReleaseRequest,
    /// A-RELEASE-RP.
    ReleaseResponse,
    /// A-ABORT.
    Abort,
}

impl Kind {
    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Request,
            2 => Self::Accept,
            3 => Self::Reject,
            4 => Self::Data,
            5 => Self::ReleaseRequest,
            6 => Self::ReleaseResponse,
            7 => Self::Abort,
            _ => return None,
        })
    }

    const fn takes(self, length: u32) -> bool {
        match self {
            Self::Request | Self::Accept => length >= 68 && length <= MAX_ASSOCIATE,
            Self::Data => length >= 6 && length <= MAX_DATA,
            _ => length == 4,
        }
    }
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHeader {
    /// More bytes are needed.
    Short,
    /// A type that the standard does not know.
    UnknownType,
    /// A length that such a PDU cannot have.
    ImpossibleLength,
}

/// Reads a header.
pub(super) fn header(bytes: &[u8]) -> Result<(Kind, u32), NoHeader> {
    let &[kind, _, a, b, c, d] = bytes.first_chunk::<HEADER>().ok_or(NoHeader::Short)?;
    let kind = Kind::from_byte(kind).ok_or(NoHeader::UnknownType)?;
    let length = u32::from_be_bytes([a, b, c, d]);
    if kind.takes(length) { Ok((kind, length)) } else { Err(NoHeader::ImpossibleLength) }
}

/// Whether a PDU begins here, judged by all that has to be so in it: how the walk finds its way
/// again after a loss.
pub(super) fn begins(bytes: &[u8]) -> Probe {
    match bytes.get(..2) {
        Some(&[1..=7, 0]) => {}
        Some(_) => return Probe::No,
        None => return Probe::Unsure,
    }
    match header(bytes) {
        Err(NoHeader::Short) => Probe::Unsure,
        Err(_) => Probe::No,
        Ok((Kind::Request | Kind::Accept, length)) => associate(bytes, length),
        Ok((Kind::Data, length)) => data(bytes, length),
        Ok((kind, _)) => short(kind, bytes),
    }
}

/// A-ASSOCIATE-RQ or -AC: protocol version 1, AE titles, reserved zeros, an application context.
fn associate(bytes: &[u8], length: u32) -> Probe {
    let item = [0x10, 0, 0];
    let whole = length.saturating_sub(68) >= 25;
    let ok = whole
        && prefix(bytes, 6, 8, |at, byte| if at == 7 { byte & 1 == 1 } else { byte == 0 })
        && prefix(bytes, 8, 10, |_, byte| byte == 0)
        // Controls and the backslash cannot be in an AE title; NUL pads where a space should.
        && prefix(bytes, 10, 42, |_, byte| byte == 0 || (b' '..0x7f).contains(&byte) && byte != b'\\')
        && prefix(bytes, 74, 77, |at, byte| item.get(at.wrapping_sub(74)) == Some(&byte))
        && prefix(bytes, 78, 92, |at, byte| {
            b"1.2.840.10008.".get(at.wrapping_sub(78)) == Some(&byte)
        });
    match (ok, bytes.len() >= 92) {
        (false, _) => Probe::No,
        (true, false) => Probe::Unsure,
        (true, true) => Probe::Yes,
    }
}

/// P-DATA-TF: a PDV that fits, in an odd context, with a known control header. Of a command, also
/// the group length that it begins with; of a data set, nothing but this PDV, of no great length:
/// pixels of small numbers look much like headers.
fn data(bytes: &[u8], length: u32) -> Probe {
    let Some(&[a, b, c, d, context, control]) = bytes.get(HEADER..).and_then(<[u8]>::first_chunk)
    else {
        return Probe::Unsure;
    };
    let pdv = u32::from_be_bytes([a, b, c, d]);
    if pdv < 2 || pdv > length.saturating_sub(4) || context & 1 == 0 || control > 3 {
        return Probe::No;
    }
    if control & 1 == 0 {
        let alone = pdv == length.saturating_sub(4) && length <= MAX_FOUND;
        return if alone { Probe::Yes } else { Probe::No };
    }
    let group_length = [0, 0, 0, 0, 4, 0, 0, 0];
    if !prefix(bytes, 12, 20, |at, byte| group_length.get(at.wrapping_sub(12)) == Some(&byte)) {
        return Probe::No;
    }
    if bytes.len() < 20 { Probe::Unsure } else { Probe::Yes }
}

/// The PDUs of four bytes: of which each has its reserved bytes and codes.
fn short(kind: Kind, bytes: &[u8]) -> Probe {
    let Some(body) = bytes.get(HEADER..).and_then(<[u8]>::first_chunk::<4>) else {
        return Probe::Unsure;
    };
    let ok = match kind {
        Kind::Reject => matches!(body, [0, 1..=2, 1..=3, 0..=10]),
        Kind::Abort => matches!(body, [_, _, 0..=2, 0..=6]),
        _ => *body == [0; 4],
    };
    if ok { Probe::Yes } else { Probe::No }
}

/// Whether those of the bytes `from..to` that are there pass.
fn prefix(bytes: &[u8], from: usize, to: usize, pass: impl Fn(usize, u8) -> bool) -> bool {
    bytes.iter().enumerate().take(to).skip(from).all(|(at, &byte)| pass(at, byte))
}

/// Whether a flow speaks DICOM, from the start of one direction.
///
/// Certain are an association request or answer, a rejection, a command; data only where the next
/// PDU begins where this one says.
pub(super) fn probe(start: &[u8]) -> Probe {
    match (begins(start), header(start)) {
        (Probe::Yes, Ok((Kind::Request | Kind::Accept, _))) => Probe::Yes,
        (Probe::Yes, Ok((Kind::Reject, _))) if start.len() == 10 => Probe::Yes,
        (Probe::Yes, Ok((Kind::Data, length))) if control(start).is_some_and(|c| c & 1 == 1) => {
            if length >= 14 {
                Probe::Yes
            } else {
                Probe::No
            }
        }
        (Probe::Yes, Ok((Kind::Data, length))) => {
            let next = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(HEADER);
            begins(start.get(next..).unwrap_or_default())
        }
        (Probe::Yes, _) => Probe::No,
        (unsure_or_no, _) => unsure_or_no,
    }
}

fn control(pdu: &[u8]) -> Option<u8> {
    pdu.get(11).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An A-ASSOCIATE up to its application context.
    pub(crate) fn associate_start(kind: u8) -> Vec<u8> {
        let mut pdu = vec![kind, 0, 0, 0, 0, 200, 0, 1, 0, 0];
        pdu.extend(b"PACS            CT1             ");
        pdu.extend([0; 32]);
        pdu.extend(b"\x10\0\0\x151.2.840.10008.3.1.1.1");
        pdu
    }

    #[test]
    fn an_association_request_is_unsure_until_it_is_certain() {
        for kind in [1, 2] {
            let pdu = associate_start(kind);
            for cut in 0..92 {
                assert_eq!(probe(&pdu[..cut]), Probe::Unsure, "{cut}");
            }
            assert_eq!(probe(&pdu), Probe::Yes);
        }
    }

    #[test]
    fn one_wrong_byte_makes_it_something_else() {
        for (at, byte) in
            [(0, 9), (1, 1), (2, 9), (7, 2), (9, 1), (12, b'\\'), (74, 0x20), (78, b'2')]
        {
            let mut pdu = associate_start(1);
            pdu[at] = byte;
            assert_eq!(probe(&pdu), Probe::No, "byte {at}");
        }
    }

    #[test]
    fn other_protocols_are_not_taken() {
        let others: &[&[u8]] = &[
            b"GET / HTTP/1.1\r\n",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
            b"\x05\0\x0b\x03\x10\0\0\0\x48\0\0\0",
            b"\0\0\0\x45\xffSMBr",
            b"\x04\x01\0\x50\xc0\xa8\0\x01user\0",
            b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\x04\0\0\0\0\x06\0\0\0\x02\x02\0",
        ];
        for other in others {
            assert_eq!(probe(other), Probe::No, "{other:?}");
        }
    }

    #[test]
    fn a_command_amid_an_association_is_recognised() {
        let command = b"\x04\0\0\0\0\x12\0\0\0\x0e\x01\x03\0\0\0\0\x04\0\0\0\x38\0\0\0";
        assert_eq!(probe(command), Probe::Yes);
        assert_eq!(probe(&command[..19]), Probe::Unsure);
        let data = b"\x04\0\0\0\0\x08\0\0\0\x04\x01\x02ab";
        assert_eq!(probe(data), Probe::Unsure);
        assert_eq!(probe(&[&data[..], command].concat()), Probe::Yes);
        assert_eq!(probe(&[&data[..], b"ab"].concat()), Probe::No);
    }

    #[test]
    fn a_rejection_alone_is_recognised() {
        assert_eq!(probe(b"\x03\0\0\0\0\x04\0\x01\x01\x07"), Probe::Yes);
        assert_eq!(probe(b"\x03\0\0\0\0\x04\0\x01\x01\x07x"), Probe::No);
    }
}
