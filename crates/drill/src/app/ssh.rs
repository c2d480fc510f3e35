//! SSH as a sensor sees it: banners, key exchange in clear (RFC 4253, RFC 5656), then noise.

use crate::net::tcp::{Side, Tcp};
use crate::rng::Rng;
use crate::time::MS;
use crate::world::World;

fn packet(rng: &mut Rng, payload: &[u8]) -> Vec<u8> {
    let mut padding = 8 - (payload.len() + 5) % 8;
    if padding < 4 {
        padding += 8;
    }
    let mut out = ((payload.len() + padding + 1) as u32).to_be_bytes().to_vec();
    out.push(padding as u8);
    out.extend_from_slice(payload);
    out.extend(rng.bytes(padding));
    out
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

fn algorithms(rng: &mut Rng) -> Vec<u8> {
    let mut out = vec![20];
    out.extend(rng.bytes(16));
    let ciphers = "aes128-ctr,aes256-ctr";
    let macs = "hmac-sha2-256,hmac-sha1";
    let lists = ["curve25519-sha256", "ssh-ed25519", ciphers, ciphers, macs, macs];
    for list in lists.iter().chain(&["none", "none", "", ""]) {
        out.extend(string(list.as_bytes()));
    }
    out.extend_from_slice(&[0; 5]);
    out
}

/// Banners and keys; what is said afterwards is noise.
pub(crate) fn greet(w: &mut World, tcp: &mut Tcp, client: &str, server: &str) {
    let mut rng = w.rng.fork("ssh");
    w.rng.next();
    tcp.up(w, format!("SSH-2.0-{client}\r\n").as_bytes());
    tcp.down(w, format!("SSH-2.0-{server}\r\n").as_bytes());
    for side in [Side::Client, Side::Server] {
        let lists = algorithms(&mut rng);
        let bytes = packet(&mut rng, &lists);
        tcp.say(w, side, &bytes);
    }
    let mut share = vec![30];
    share.extend(string(&rng.bytes(32)));
    let bytes = packet(&mut rng, &share);
    tcp.up(w, &bytes);
    tcp.pause(w, rng.between(2, 9) * MS);
    let mut key = string(b"ssh-ed25519");
    key.extend(string(&rng.bytes(32)));
    let mut signature = string(b"ssh-ed25519");
    signature.extend(string(&rng.bytes(64)));
    let mut reply = vec![31];
    reply.extend(string(&key));
    reply.extend(string(&rng.bytes(32)));
    reply.extend(string(&signature));
    let mut bytes = packet(&mut rng, &reply);
    bytes.extend(packet(&mut rng, &[21]));
    tcp.down(w, &bytes);
    let bytes = packet(&mut rng, &[21]);
    tcp.up(w, &bytes);
}

/// One sealed message of a side, of about `length` bytes.
pub(crate) fn sealed(w: &mut World, tcp: &mut Tcp, side: Side, length: usize) {
    let bytes = w.rng.bytes(length.next_multiple_of(16) + 32);
    tcp.say(w, side, &bytes);
}

/// One try to sign in with a password; the server takes its time to refuse.
pub(crate) fn try_password(w: &mut World, tcp: &mut Tcp, accepted: bool) {
    sealed(w, tcp, Side::Client, 64);
    let think = if accepted { w.rng.between(20, 60) } else { w.rng.between(200, 900) };
    tcp.pause(w, think * MS);
    sealed(w, tcp, Side::Server, if accepted { 16 } else { 48 });
}
