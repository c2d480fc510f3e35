//! NTP version 4 (RFC 5905), client and server.

use crate::time::{Nanos, SEC};

pub(crate) const PORT: u16 = 123;

/// Seconds from 1900 to 1970.
const ERA: i64 = 2_208_988_800;

fn stamp(at: Nanos) -> [u8; 8] {
    let seconds = (at.div_euclid(SEC) + ERA) as u32;
    let fraction = ((at.rem_euclid(SEC) as u64) << 32) / SEC as u64;
    let mut out = [0; 8];
    out[..4].copy_from_slice(&seconds.to_be_bytes());
    out[4..].copy_from_slice(&(fraction as u32).to_be_bytes());
    out
}

fn message(mode: u8, stratum: u8, reference: [u8; 4], stamps: [[u8; 8]; 4]) -> Vec<u8> {
    let mut out = vec![4 << 3 | mode, stratum, 6, 0xe9];
    out.extend_from_slice(&[0, 0, 0x02, 0x10, 0, 0, 0x04, 0x20]);
    out.extend_from_slice(&reference);
    for stamp in stamps {
        out.extend_from_slice(&stamp);
    }
    out
}

/// A client asks at its own time `at`.
pub(crate) fn request(at: Nanos) -> Vec<u8> {
    message(3, 0, [0; 4], [[0; 8], [0; 8], [0; 8], stamp(at)])
}

/// A server answers a request of time `asked` with its own time `at`.
pub(crate) fn reply(asked: Nanos, at: Nanos, stratum: u8) -> Vec<u8> {
    let reference = if stratum == 1 { *b"GPS\0" } else { [192, 0, 2, 10] };
    let stamps = [stamp(at - 17 * SEC), stamp(asked), stamp(at), stamp(at + 20_000)];
    message(4, stratum, reference, stamps)
}
