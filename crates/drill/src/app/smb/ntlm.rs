//! The three messages of NTLM and their SPNEGO wrapping.

use crate::app::der;
use crate::app::smb::{file_time, wide};
use crate::rng::Rng;

const SPNEGO: [u8; 6] = [0x2b, 6, 1, 5, 5, 2];
const NTLMSSP: [u8; 10] = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];

/// Flags of a client that wants NTLMv2 in Unicode.
const FLAGS: u32 = 0xe288_8215;

/// Windows 10, build 19041, revision 15.
const VERSION: [u8; 8] = [10, 0, 0x61, 0x4a, 0, 0, 0, 15];

fn field(length: usize, offset: usize) -> [u8; 8] {
    let mut out = [0; 8];
    out[..2].copy_from_slice(&(length as u16).to_le_bytes());
    out[2..4].copy_from_slice(&(length as u16).to_le_bytes());
    out[4..].copy_from_slice(&(offset as u32).to_le_bytes());
    out
}

fn start(kind: u32) -> Vec<u8> {
    let mut out = b"NTLMSSP\0".to_vec();
    out.extend_from_slice(&kind.to_le_bytes());
    out
}

/// What the client says first.
fn negotiate() -> Vec<u8> {
    let mut out = start(1);
    out.extend_from_slice(&FLAGS.to_le_bytes());
    out.extend_from_slice(&field(0, 40));
    out.extend_from_slice(&field(0, 40));
    out.extend_from_slice(&VERSION);
    out
}

fn pairs(domain: &str, computer: &str, at: i64) -> Vec<u8> {
    let mut out = vec![];
    for (kind, value) in
        [(2_u16, wide(domain)), (1, wide(computer)), (7, file_time(at).to_vec()), (0, vec![])]
    {
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&(value.len() as u16).to_le_bytes());
        out.extend_from_slice(&value);
    }
    out
}

fn challenge(rng: &mut Rng, domain: &str, computer: &str, at: i64) -> Vec<u8> {
    let (target, info) = (wide(domain), pairs(domain, computer, at));
    let mut out = start(2);
    out.extend_from_slice(&field(target.len(), 56));
    out.extend_from_slice(&FLAGS.to_le_bytes());
    out.extend(rng.bytes(8));
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&field(info.len(), 56 + target.len()));
    out.extend_from_slice(&VERSION);
    out.extend(target);
    out.extend(info);
    out
}

fn authenticate(rng: &mut Rng, domain: &str, user: &str, computer: &str, at: i64) -> Vec<u8> {
    let mut answer = rng.bytes(16);
    answer.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]);
    answer.extend_from_slice(&file_time(at));
    answer.extend(rng.bytes(8));
    answer.extend_from_slice(&[0; 4]);
    answer.extend(pairs(domain, computer, at));
    answer.extend_from_slice(&[0; 4]);
    let payload = [wide(domain), wide(user), wide(computer), vec![0; 24], answer, rng.bytes(16)];
    let mut offsets = [0; 6];
    let mut at = 88;
    for (offset, part) in offsets.iter_mut().zip(&payload) {
        *offset = at;
        at += part.len();
    }
    let mut out = start(3);
    for i in [3, 4, 0, 1, 2, 5] {
        out.extend_from_slice(&field(payload[i].len(), offsets[i]));
    }
    out.extend_from_slice(&FLAGS.to_le_bytes());
    out.extend_from_slice(&VERSION);
    out.extend(rng.bytes(16));
    out.extend(payload.concat());
    out
}

fn first(token: Option<Vec<u8>>) -> Vec<u8> {
    let mechanisms = der::tlv(0xa0, &der::tlv(0x30, &der::tlv(6, &NTLMSSP)));
    let mut parts = vec![mechanisms];
    parts.extend(token.map(|t| der::tlv(0xa2, &der::tlv(4, &t))));
    let body = der::tlv(0xa0, &der::all(0x30, &parts));
    der::all(0x60, &[der::tlv(6, &SPNEGO), body])
}

fn next(state: Option<u8>, token: Option<Vec<u8>>) -> Vec<u8> {
    let mut parts = vec![];
    parts.extend(state.map(|s| der::tlv(0xa0, &der::tlv(10, &[s]))));
    if state == Some(1) {
        parts.push(der::tlv(0xa1, &der::tlv(6, &NTLMSSP)));
    }
    parts.extend(token.map(|t| der::tlv(0xa2, &der::tlv(4, &t))));
    der::tlv(0xa1, &der::all(0x30, &parts))
}

/// What a sign-in says, in order.
pub(crate) struct Tokens {
    /// Of the server, in its answer to the negotiation.
    pub(crate) offer: Vec<u8>,
    /// Of the client.
    pub(crate) hello: Vec<u8>,
    /// Of the server.
    pub(crate) challenge: Vec<u8>,
    /// Of the client: who it is.
    pub(crate) answer: Vec<u8>,
    /// Of the server, where it agrees.
    pub(crate) done: Vec<u8>,
}

/// The messages with which `user` of `computer` signs in.
pub(crate) fn tokens(
    rng: &mut Rng,
    domain: &str,
    user: &str,
    computers: (&str, &str),
    at: i64,
) -> Tokens {
    let (computer, server) = computers;
    Tokens {
        offer: first(None),
        hello: first(Some(negotiate())),
        challenge: next(Some(1), Some(challenge(rng, domain, server, at))),
        answer: next(None, Some(authenticate(rng, domain, user, computer, at))),
        done: next(Some(0), None),
    }
}
