//! DICOM over TCP: associations and P-DATA (PS3.8), messages (PS3.7), data sets (PS3.5) and the
//! dialogues made of them (PS3.4).

pub(crate) mod dialogue;
pub(crate) mod message;
pub(crate) mod pdu;
