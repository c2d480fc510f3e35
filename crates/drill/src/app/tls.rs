//! TLS 1.2 and 1.3 as a sensor sees them (RFC 5246, RFC 8446): hellos and certificates in clear,
//! the rest as records of noise.

use crate::app::der;
use crate::net::tcp::Tcp;
use crate::rng::Rng;
use crate::time::MS;
use crate::world::World;

const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER: u8 = 20;
const APPLICATION: u8 = 23;

/// Bytes that a sealed record has more than what it carries.
const OVERHEAD: usize = 22;

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 3, 3];
    out.extend_from_slice(&(body.len() as u16).to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(body);
    out
}

fn sized(body: &[u8]) -> Vec<u8> {
    let mut out = (body.len() as u16).to_be_bytes().to_vec();
    out.extend_from_slice(body);
    out
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut out = kind.to_be_bytes().to_vec();
    out.extend(sized(body));
    out
}

/// Records of application data that carry `length` bytes.
pub(crate) fn records(rng: &mut Rng, length: usize) -> Vec<u8> {
    let mut out = vec![];
    let mut left = length;
    while left > 0 {
        let piece = left.min(16_384);
        out.extend(record(APPLICATION, &rng.bytes(piece + OVERHEAD)));
        left -= piece;
    }
    out
}

/// How a client's library shapes its hello, which is what fingerprints tell apart.
fn client_hello(rng: &mut Rng, name: &str, modern: bool) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(rng.bytes(32));
    body.push(32);
    body.extend(rng.bytes(32));
    let suites: &[u16] = if modern {
        &[0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8]
    } else {
        &[0xc030, 0xc02f, 0xc028, 0xc027, 0x009f, 0x009e, 0x009d, 0x009c, 0x003d, 0x0035]
    };
    let suites: Vec<u8> = suites.iter().flat_map(|s| s.to_be_bytes()).collect();
    body.extend(sized(&suites));
    body.extend_from_slice(&[1, 0]);
    let mut extensions = vec![];
    if !name.is_empty() {
        let mut host = vec![0];
        host.extend(sized(name.as_bytes()));
        extensions.extend(extension(0, &sized(&host)));
    }
    extensions.extend(extension(11, &[1, 0]));
    extensions.extend(extension(10, &sized(&[0, 29, 0, 23, 0, 24])));
    extensions.extend(extension(13, &sized(&[4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1])));
    extensions.extend(extension(23, &[]));
    if modern {
        extensions.extend(extension(16, &sized(b"\x08http/1.1")));
        extensions.extend(extension(43, &[4, 3, 4, 3, 3]));
        extensions.extend(extension(45, &[1, 1]));
        let mut share = vec![0, 29];
        share.extend(sized(&rng.bytes(32)));
        extensions.extend(extension(51, &sized(&share)));
    }
    body.extend(sized(&extensions));
    let mut hello = record(HANDSHAKE, &message(1, &body));
    hello[2] = 1;
    hello
}

fn server_hello(rng: &mut Rng, modern: bool) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(rng.bytes(32));
    body.push(32);
    body.extend(rng.bytes(32));
    body.extend_from_slice(if modern { &[0x13, 0x01, 0] } else { &[0xc0, 0x2f, 0] });
    let mut extensions = vec![];
    if modern {
        extensions.extend(extension(43, &[3, 4]));
        let mut share = vec![0, 29];
        share.extend(sized(&rng.bytes(32)));
        extensions.extend(extension(51, &share));
    } else {
        extensions.extend(extension(0xff01, &[0]));
        extensions.extend(extension(23, &[]));
    }
    body.extend(sized(&extensions));
    message(2, &body)
}

/// Handshakes and seals a conversation: what is said afterwards goes into records. Windows and
/// small devices speak 1.2, the others 1.3.
pub(crate) fn handshake(w: &mut World, tcp: &mut Tcp, name: &str) {
    let modern = w.hosts[tcp.caller().0].role.os().stamps() || w.rng.chance(0.5);
    let mut rng = w.rng.fork("tls");
    w.rng.next();
    tcp.up(w, &client_hello(&mut rng, name, modern));
    tcp.pause(w, rng.between(1, 6) * MS);
    let hello = server_hello(&mut rng, modern);
    let change = record(CHANGE_CIPHER, &[1]);
    if modern {
        let mut flight = record(HANDSHAKE, &hello);
        flight.extend(&change);
        flight.extend(record(APPLICATION, &rng.bytes(23)));
        flight.extend(record(APPLICATION, &rng.bytes(900)));
        flight.extend(record(APPLICATION, &rng.bytes(281)));
        flight.extend(record(APPLICATION, &rng.bytes(53)));
        tcp.down(w, &flight);
        let mut finish = change;
        finish.extend(record(APPLICATION, &rng.bytes(53)));
        tcp.up(w, &finish);
    } else {
        let mut noise = [0; 96];
        rng.fill(&mut noise);
        let leaf = der::certificate(&noise, name, "Hospital Issuing Authority");
        let mut entry = (leaf.len() as u32).to_be_bytes()[1..].to_vec();
        entry.extend(leaf);
        let mut list = (entry.len() as u32).to_be_bytes()[1..].to_vec();
        list.extend(entry);
        let mut exchange = vec![3, 0, 29, 32];
        exchange.extend(rng.bytes(32));
        exchange.extend_from_slice(&[4, 1]);
        exchange.extend(sized(&rng.bytes(256)));
        let mut flight = record(HANDSHAKE, &hello);
        flight.extend(record(HANDSHAKE, &message(11, &list)));
        flight.extend(record(HANDSHAKE, &message(12, &exchange)));
        flight.extend(record(HANDSHAKE, &message(14, &[])));
        tcp.down(w, &flight);
        let mut share = vec![32];
        share.extend(rng.bytes(32));
        let mut finish = record(HANDSHAKE, &message(16, &share));
        finish.extend(&change);
        finish.extend(record(HANDSHAKE, &rng.bytes(40)));
        tcp.up(w, &finish);
        let mut done = change;
        done.extend(record(HANDSHAKE, &rng.bytes(40)));
        tcp.down(w, &done);
    }
    tcp.sealed = true;
}
