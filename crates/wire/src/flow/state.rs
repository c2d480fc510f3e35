//! How a connection went, in Zeek's terms.

use model::flow::Direction;

/// How a connection went (docs.zeek.org, conn.log, `conn_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnState {
    /// Attempt without answer.
    S0,
    /// Established, not ended.
    S1,
    /// Normal beginning and end; UDP that was answered.
    SF,
    /// Attempt that was rejected.
    Rej,
    /// Established; the originator tried to close, the responder did not.
    S2,
    /// Established; the responder tried to close, the originator did not.
    S3,
    /// Established, reset by the originator.
    Rsto,
    /// Established, reset by the responder.
    Rstr,
    /// SYN followed by a RST from the originator, no SYN-ACK seen.
    Rstos0,
    /// SYN-ACK followed by a RST from the responder, no SYN seen.
    Rstrh,
    /// SYN followed by a FIN from the originator, no SYN-ACK seen.
    Sh,
    /// SYN-ACK followed by a FIN from the responder, no SYN seen.
    Shr,
    /// Traffic without a beginning, or no TCP.
    Oth,
}

impl ConnState {
    /// Its name in conn.log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S0 => "S0",
            Self::S1 => "S1",
            Self::SF => "SF",
            Self::Rej => "REJ",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::Rsto => "RSTO",
            Self::Rstr => "RSTR",
            Self::Rstos0 => "RSTOS0",
            Self::Rstrh => "RSTRH",
            Self::Sh => "SH",
            Self::Shr => "SHR",
            Self::Oth => "OTH",
        }
    }
}

/// What of a TCP connection decides its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// SYN of the originator, SYN-ACK of the responder.
    pub(crate) syn: [bool; 2],
    /// FIN of either.
    pub(crate) fin: [bool; 2],
    /// Who sent the first RST that counts.
    pub(crate) reset: Option<Direction>,
}

impl Steps {
    /// Whether nothing more is to come.
    pub(crate) const fn over(self) -> bool {
        matches!(self.fin, [true, true]) || self.reset.is_some()
    }

    pub(crate) const fn state(self) -> ConnState {
        match (self.syn, self.reset, self.fin) {
            ([true, true], Some(Direction::Forward), _) => ConnState::Rsto,
            ([true, true], Some(Direction::Reverse), _) => ConnState::Rstr,
            ([true, false], Some(Direction::Forward), _) => ConnState::Rstos0,
            ([true, false], Some(Direction::Reverse), _) => ConnState::Rej,
            ([false, true], Some(Direction::Reverse), _) => ConnState::Rstrh,
            (_, Some(_), _) => ConnState::Oth,
            ([true, true], None, [true, true]) => ConnState::SF,
            ([true, true], None, [true, false]) => ConnState::S2,
            ([true, true], None, [false, true]) => ConnState::S3,
            ([true, true], None, [false, false]) => ConnState::S1,
            ([true, false], None, [true, _]) => ConnState::Sh,
            ([true, false], None, [false, false]) => ConnState::S0,
            ([false, true], None, [_, true]) => ConnState::Shr,
            _ => ConnState::Oth,
        }
    }
}
