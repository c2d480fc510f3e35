//! Protocol data units of the upper layer (PS3.8, 9.3).

/// Implicit VR little endian: what every entity must accept.
pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
/// Explicit VR little endian.
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// Largest P-DATA that both sides take, as DCMTK and Orthanc say it.
pub(crate) const MAX_PDU: u32 = 16_384;

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 0];
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 0];
    out.extend_from_slice(&(body.len() as u16).to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// Sixteen characters, padded with spaces.
fn title(text: &str) -> [u8; 16] {
    let mut title = [b' '; 16];
    for (to, from) in title.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    title
}

fn user_information() -> Vec<u8> {
    let mut body = item(0x51, &MAX_PDU.to_be_bytes());
    body.extend(item(0x52, b"1.2.276.0.7230010.3.0.3.6.7"));
    body.extend(item(0x55, b"OFFIS_DCMTK_367"));
    item(0x50, &body)
}

fn ends(called: &str, calling: &str) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend_from_slice(&title(called));
    body.extend_from_slice(&title(calling));
    body.extend_from_slice(&[0; 32]);
    body.extend(item(0x10, APPLICATION_CONTEXT.as_bytes()));
    body
}

/// A-ASSOCIATE-RQ with a presentation context for each abstract syntax, numbered 1, 3, 5, ...
pub(crate) fn associate_request(called: &str, calling: &str, abstracts: &[&str]) -> Vec<u8> {
    let mut body = ends(called, calling);
    for (i, syntax) in abstracts.iter().enumerate() {
        let mut context = vec![(i * 2 + 1) as u8, 0, 0, 0];
        context.extend(item(0x30, syntax.as_bytes()));
        context.extend(item(0x40, EXPLICIT.as_bytes()));
        context.extend(item(0x40, IMPLICIT.as_bytes()));
        body.extend(item(0x20, &context));
    }
    body.extend(user_information());
    pdu(1, &body)
}

/// A-ASSOCIATE-AC that takes all `contexts` in implicit VR.
pub(crate) fn associate_accept(called: &str, calling: &str, contexts: usize) -> Vec<u8> {
    let mut body = ends(called, calling);
    for i in 0..contexts {
        let mut context = vec![(i * 2 + 1) as u8, 0, 0, 0];
        context.extend(item(0x40, IMPLICIT.as_bytes()));
        body.extend(item(0x21, &context));
    }
    body.extend(user_information());
    pdu(2, &body)
}

/// A-ASSOCIATE-RJ: permanently, by the user, for `reason` (7: called title unknown, 3: calling).
pub(crate) fn associate_reject(reason: u8) -> Vec<u8> {
    pdu(3, &[0, 1, 1, reason])
}

/// A-RELEASE-RQ.
pub(crate) fn release_request() -> Vec<u8> {
    pdu(5, &[0; 4])
}

/// A-RELEASE-RP.
pub(crate) fn release_reply() -> Vec<u8> {
    pdu(6, &[0; 4])
}

/// A-ABORT by the service user.
pub(crate) fn abort() -> Vec<u8> {
    pdu(7, &[0; 4])
}

/// A command or a data set as P-DATA-TF units of at most [`MAX_PDU`] bytes.
pub(crate) fn data(context: u8, command: bool, bytes: &[u8]) -> Vec<u8> {
    let room = MAX_PDU as usize - 6;
    let count = bytes.len().div_ceil(room).max(1);
    let mut out = Vec::with_capacity(bytes.len() + count * 12);
    for (i, piece) in bytes.chunks(room).enumerate() {
        let last = i + 1 == count;
        out.extend_from_slice(&[4, 0]);
        out.extend_from_slice(&(piece.len() as u32 + 6).to_be_bytes());
        out.extend_from_slice(&(piece.len() as u32 + 2).to_be_bytes());
        out.extend_from_slice(&[context, u8::from(command) | u8::from(last) << 1]);
        out.extend_from_slice(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_says_its_own_length() {
        let units = [
            associate_request("A", "B", &[IMPLICIT]),
            associate_accept("A", "B", 3),
            release_request(),
            data(1, false, &[7; 100]),
        ];
        for unit in units {
            let length = u32::from_be_bytes([unit[2], unit[3], unit[4], unit[5]]);
            assert_eq!(length as usize + 6, unit.len());
        }
    }

    #[test]
    fn a_long_data_set_is_cut_and_only_the_last_piece_says_so() {
        let bytes = data(3, false, &vec![1; 40_000]);
        let mut at = 0;
        let mut marks = vec![];
        while at < bytes.len() {
            let length = u32::from_be_bytes(bytes[at + 2..at + 6].try_into().unwrap());
            assert!(length <= MAX_PDU);
            marks.push(bytes[at + 11]);
            at += length as usize + 6;
        }
        assert_eq!(marks, [0, 0, 2]);
    }
}
