//! Command sets of DIMSE (PS3.7 chapter 9 and annex E).

use super::elements::{Elements, Sequences};
use super::uid::{Encoding, SopClass, trim};

/// What there is to say of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// What is asked or answered.
    pub(super) verb: Verb,
    /// Affected, or else requested, SOP class.
    pub(super) sop_class: Option<SopClass>,
    /// Message id, or the id responded to.
    pub(super) message_id: Option<u16>,
    /// Status of a response.
    pub(super) status: Option<u16>,
    /// AE title that a C-MOVE sends to.
    pub(super) move_destination: Box<[u8]>,
    /// Sub-operations remaining, completed and failed.
    pub(super) suboperations: [Option<u16>; 3],
    /// Whether a data set follows.
    pub(super) has_data: bool,
}

/// Command field and name (PS3.7 table E.1-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verb {
    /// (0000,0100).
    pub(super) field: u16,
    /// As the standard writes it, with RQ or RSP.
    pub(super) name: &'static str,
}

/// What a request carries with it that is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cargo {
    /// The identifier of a query or retrieval.
    Identifier,
    /// An object.
    Object,
    /// Something of no interest.
    Other,
}

const VERBS: &[Verb] = &[
    Verb { field: 0x0001, name: "C-STORE-RQ" },
    Verb { field: 0x0010, name: "C-GET-RQ" },
    Verb { field: 0x0020, name: "C-FIND-RQ" },
    Verb { field: 0x0021, name: "C-MOVE-RQ" },
    Verb { field: 0x0030, name: "C-ECHO-RQ" },
    Verb { field: 0x0100, name: "N-EVENT-REPORT-RQ" },
    Verb { field: 0x0110, name: "N-GET-RQ" },
    Verb { field: 0x0120, name: "N-SET-RQ" },
    Verb { field: 0x0130, name: "N-ACTION-RQ" },
    Verb { field: 0x0140, name: "N-CREATE-RQ" },
    Verb { field: 0x0150, name: "N-DELETE-RQ" },
    Verb { field: 0x0fff, name: "C-CANCEL-RQ" },
    Verb { field: 0x8001, name: "C-STORE-RSP" },
    Verb { field: 0x8010, name: "C-GET-RSP" },
    Verb { field: 0x8020, name: "C-FIND-RSP" },
    Verb { field: 0x8021, name: "C-MOVE-RSP" },
    Verb { field: 0x8030, name: "C-ECHO-RSP" },
    Verb { field: 0x8100, name: "N-EVENT-REPORT-RSP" },
    Verb { field: 0x8110, name: "N-GET-RSP" },
    Verb { field: 0x8120, name: "N-SET-RSP" },
    Verb { field: 0x8130, name: "N-ACTION-RSP" },
    Verb { field: 0x8140, name: "N-CREATE-RSP" },
    Verb { field: 0x8150, name: "N-DELETE-RSP" },
];

/// Value of the command data set type that says "none" (PS3.7 E.1).
const NO_DATA_SET: u16 = 0x0101;

impl Verb {
    fn from_field(field: u16) -> Option<Self> {
        let at = VERBS.binary_search_by_key(&field, |verb| verb.field).ok()?;
        VERBS.get(at).copied()
    }

    /// Whether it answers.
    pub(super) const fn is_response(self) -> bool {
        self.field & 0x8000 != 0
    }

    /// What its data set is.
    pub(super) const fn cargo(self) -> Cargo {
        match self.field {
            0x0001 => Cargo::Object,
            0x0010 | 0x0020 | 0x0021 => Cargo::Identifier,
            _ => Cargo::Other,
        }
    }

    /// Whether it is an answer to a query, which is pending as long as there are matches.
    pub(super) const fn is_find_response(self) -> bool {
        self.field == 0x8020
    }
}

/// Why a command set says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No command field, or elements that do not fit.
    Broken,
    /// A command field that the standard does not know.
    UnknownVerb,
}

impl Command {
    /// From a whole command set, which is always in implicit VR little endian (PS3.7 6.3.1).
    pub(super) fn parse(set: &[u8]) -> Result<Self, Unreadable> {
        let mut field = None;
        let mut command = Self {
            verb: Verb { field: 0, name: "" },
            sop_class: None,
            message_id: None,
            status: None,
            move_destination: Box::default(),
            suboperations: [None; 3],
            has_data: false,
        };
        for element in Elements::new(set, Encoding::ImplicitLittle, Sequences::Pass) {
            let value = element.value;
            let number = value.first_chunk().map(|&bytes| u16::from_le_bytes(bytes));
            let [remaining, completed, failed] = &mut command.suboperations;
            match element.tag {
                (0, 0x0002) => command.sop_class = SopClass::from_uid(value),
                (0, 0x0003) if command.sop_class.is_none() => {
                    command.sop_class = SopClass::from_uid(value);
                }
                (0, 0x0100) => field = number,
                (0, 0x0110 | 0x0120) => command.message_id = number,
                (0, 0x0600) => {
                    let title = trim(value);
                    command.move_destination = title.get(..MAX_AE).unwrap_or(title).into();
                }
                (0, 0x0800) => command.has_data = number != Some(NO_DATA_SET),
                (0, 0x0900) => command.status = number,
                (0, 0x1020) => *remaining = number,
                (0, 0x1021) => *completed = number,
                (0, 0x1022) => *failed = number,
                _ => {}
            }
        }
        let field = field.ok_or(Unreadable::Broken)?;
        command.verb = Verb::from_field(field).ok_or(Unreadable::UnknownVerb)?;
        Ok(command)
    }

    /// Whether it is a match of a query (PS3.4 C.4.1.1.4: FF00 and FF01).
    pub(super) fn is_match(&self) -> bool {
        self.verb.is_find_response() && matches!(self.status, Some(0xff00 | 0xff01))
    }
}

/// Longest AE title (PS3.5 6.2).
pub(super) const MAX_AE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn element(number: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0];
        bytes.extend(number.to_le_bytes());
        bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend(value);
        bytes
    }

    #[test]
    fn a_move_says_where_to() {
        let set = [
            element(0x0002, b"1.2.840.10008.5.1.4.1.2.2.2\0"),
            element(0x0100, &[0x21, 0]),
            element(0x0110, &[7, 0]),
            element(0x0600, b"STATION2  "),
            element(0x0800, &[0, 0]),
        ]
        .concat();
        let command = Command::parse(&set).unwrap();
        assert_eq!(command.verb.name, "C-MOVE-RQ");
        assert_eq!(command.verb.cargo(), Cargo::Identifier);
        assert_eq!(&*command.move_destination, b"STATION2");
        assert_eq!((command.message_id, command.has_data), (Some(7), true));
    }

    #[test]
    fn pending_answers_are_matches_and_the_last_is_none() {
        let answer = |status: u16| {
            let set = [
                element(0x0100, &[0x20, 0x80]),
                element(0x0120, &[7, 0]),
                element(0x0800, &[1, 1]),
                element(0x0900, &status.to_le_bytes()),
            ];
            Command::parse(&set.concat()).unwrap()
        };
        assert!(answer(0xff00).is_match() && answer(0xff01).is_match());
        assert!(!answer(0).is_match() && !answer(0).has_data);
    }

    #[test]
    fn names_are_found_for_every_verb_and_no_other() {
        assert!(VERBS.is_sorted_by_key(|verb| verb.field));
        assert_eq!(Command::parse(&element(0x0100, &[9, 9])), Err(Unreadable::UnknownVerb));
        assert_eq!(Command::parse(&element(0x0110, &[9, 9])), Err(Unreadable::Broken));
        assert_eq!(Command::parse(&[]), Err(Unreadable::Broken));
    }
}
