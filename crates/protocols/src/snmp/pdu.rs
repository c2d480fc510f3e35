//! What is asked or answered, and the few objects whose values are read.

use wire::cursor::Cursor;

use super::ber::{self, Broken};

/// Types by their tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PduType {
    Get,
    GetNext,
    Response,
    Set,
    TrapV1,
    GetBulk,
    Inform,
    TrapV2,
    Report,
}

impl PduType {
    const fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0xa0 => Self::Get,
            0xa1 => Self::GetNext,
            0xa2 => Self::Response,
            0xa3 => Self::Set,
            0xa4 => Self::TrapV1,
            0xa5 => Self::GetBulk,
            0xa6 => Self::Inform,
            0xa7 => Self::TrapV2,
            0xa8 => Self::Report,
            _ => return None,
        })
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetNext => "get_next",
            Self::Response => "response",
            Self::Set => "set",
            Self::TrapV1 | Self::TrapV2 => "trap",
            Self::GetBulk => "get_bulk",
            Self::Inform => "inform",
            Self::Report => "report",
        }
    }
}

/// How much get_bulk asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bulk {
    pub(super) repetitions: u32,
}

/// Which trap it is.
#[derive(Debug)]
pub(super) enum Trap<'a> {
    /// Version 1: a number, none of the known where it is the maker's own.
    Generic { name: Option<&'static str>, enterprise: &'a [u8] },
    /// Later versions: an identifier in the second object.
    Named { identifier: &'a [u8] },
}

/// What a device says it is; empty where it does not.
#[derive(Debug, Default)]
pub(super) struct System<'a> {
    pub(super) descr: &'a [u8],
    pub(super) name: &'a [u8],
    /// Still encoded.
    pub(super) object_id: &'a [u8],
    pub(super) model: &'a [u8],
    pub(super) vendor: &'a [u8],
}

/// One PDU.
#[derive(Debug)]
pub(super) struct Pdu<'a> {
    pub(super) kind: PduType,
    pub(super) bulk: Option<Bulk>,
    pub(super) trap: Option<Trap<'a>>,
    /// Identifier of the first object, still encoded.
    pub(super) first_object: &'a [u8],
    pub(super) objects: u64,
    pub(super) system: System<'a>,
    /// A rule that its objects break.
    pub(super) broken: Option<&'static str>,
    status: u32,
}

/// SNMPv2-MIB, 1.3.6.1.2.1.1, and entPhysicalTable, 1.3.6.1.2.1.47.1.1.1.1.
const SYSTEM: &[u8] = b"\x2b\x06\x01\x02\x01\x01";
const ENTITY: &[u8] = b"\x2b\x06\x01\x02\x01\x2f\x01\x01\x01\x01";
/// snmpTrapOID.0, 1.3.6.1.6.3.1.1.4.1.0, and the traps below 1.3.6.1.6.3.1.1.5.
const TRAP_OID: &[u8] = b"\x2b\x06\x01\x06\x03\x01\x01\x04\x01\x00";
const TRAPS: &[u8] = b"\x2b\x06\x01\x06\x03\x01\x01\x05";

impl<'a> Pdu<'a> {
    /// Reads one; what breaks the rules in its objects is noted in `broken`.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Broken> {
        let item = ber::item(cursor)?;
        let kind = PduType::from_tag(item.tag).ok_or(Broken::Tag)?;
        let mut body = Cursor::new(item.body);
        let mut pdu = Self {
            kind,
            bulk: None,
            trap: None,
            first_object: &[],
            objects: 0,
            system: System::default(),
            broken: None,
            status: 0,
        };
        if kind == PduType::TrapV1 {
            let enterprise = ber::expect(&mut body, ber::OBJECT)?;
            // Address of the agent: its type is the SMI's own.
            ber::item(&mut body)?;
            let name = generic_trap(ber::number(&mut body)?);
            ber::number(&mut body)?;
            ber::item(&mut body)?;
            pdu.trap = Some(Trap::Generic { name, enterprise });
        } else {
            ber::number(&mut body)?;
            let (status, index) = (ber::number(&mut body)?, ber::number(&mut body)?);
            match kind {
                PduType::GetBulk => pdu.bulk = Some(Bulk { repetitions: index }),
                _ => pdu.status = status,
            }
        }
        if let Err(broken) = pdu.read_objects(&mut body) {
            pdu.broken = Some(broken.what());
        }
        Ok(pdu)
    }

    fn read_objects(&mut self, body: &mut Cursor<'a>) -> Result<(), Broken> {
        let mut list = Cursor::new(ber::expect(body, ber::SEQUENCE)?);
        while !list.is_empty() {
            let mut object = Cursor::new(ber::expect(&mut list, ber::SEQUENCE)?);
            let name = ber::expect(&mut object, ber::OBJECT)?;
            let value = ber::item(&mut object)?;
            if self.objects == 0 {
                self.first_object = name;
            }
            self.objects = self.objects.saturating_add(1);
            if self.kind == PduType::Response {
                self.system.note(name, value.tag, value.body);
            }
            if name == TRAP_OID && value.tag == ber::OBJECT {
                self.trap = Some(Trap::Named { identifier: value.body });
            }
        }
        Ok(())
    }

    /// The error's name (RFC 3416, section 3).
    pub(super) const fn error(&self) -> &'static str {
        match self.status {
            0 => "noError",
            1 => "tooBig",
            2 => "noSuchName",
            3 => "badValue",
            4 => "readOnly",
            5 => "genErr",
            6 => "noAccess",
            7 => "wrongType",
            8 => "wrongLength",
            9 => "wrongEncoding",
            10 => "wrongValue",
            11 => "noCreation",
            12 => "inconsistentValue",
            13 => "resourceUnavailable",
            14 => "commitFailed",
            15 => "undoFailed",
            16 => "authorizationError",
            17 => "notWritable",
            18 => "inconsistentName",
            _ => "unassigned",
        }
    }
}

impl<'a> System<'a> {
    /// Keeps a value that says what the device is.
    fn note(&mut self, object: &[u8], tag: u8, value: &'a [u8]) {
        if let Some([leaf, 0]) = object.strip_prefix(SYSTEM) {
            match (leaf, tag) {
                (1, ber::OCTETS) => self.descr = value,
                (2, ber::OBJECT) => self.object_id = value,
                (5, ber::OCTETS) => self.name = value,
                _ => {}
            }
        }
        // Columns 12 and 13; of many rows the first that says anything.
        if let (Some([column, _, ..]), ber::OCTETS) = (object.strip_prefix(ENTITY), tag) {
            match column {
                12 if self.vendor.is_empty() => self.vendor = value,
                13 if self.model.is_empty() => self.model = value,
                _ => {}
            }
        }
    }
}

/// Traps that every device may send, by their number in version 1.
const fn generic_trap(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "coldStart",
        1 => "warmStart",
        2 => "linkDown",
        3 => "linkUp",
        4 => "authenticationFailure",
        5 => "egpNeighborLoss",
        6 => "enterpriseSpecific",
        _ => return None,
    })
}

/// The same by identifier, from version 2 on: one more than the number of version 1.
pub(super) fn trap_name(identifier: &[u8]) -> Option<&'static str> {
    match identifier.strip_prefix(TRAPS) {
        Some([number @ 1..=6]) => generic_trap(u32::from(*number).wrapping_sub(1)),
        _ => None,
    }
}
