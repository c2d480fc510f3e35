//! Lists of algorithms (RFC 4253, 7.1), what is agreed on, the fingerprints of both lists, and the
//! host key in the answer to the key exchange.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use md5::{Digest, Md5};
use model::emit::Emit;
use model::flow::Direction;
use sha2::Sha256;
use wire::cursor::{Cursor, Short};

use super::HANDSHAKE;
use super::outcome::Sizes;

/// Lists in a KEXINIT: key exchange, host key, then cipher, MAC, compression and language each way.
const LISTS: usize = 10;
const KEX: usize = 0;
const HOST_KEY: usize = 1;
const CIPHER: [usize; 2] = [2, 3];
const MAC: [usize; 2] = [4, 5];
const COMPRESSION: [usize; 2] = [6, 7];

/// Answer to a Diffie-Hellman or elliptic exchange, and to one with a group of the server's own.
const REPLY: u8 = 31;
const GROUP_REPLY: u8 = 33;

/// Most bytes of a name that are kept (RFC 4251, 6, has 64).
const LONGEST_NAME: usize = 64;

/// One side's lists, each as it was sent.
type Lists = [Box<[u8]>; LISTS];

/// What both sides said so far.
#[derive(Default)]
pub(super) struct Agreed {
    offers: [Option<Lists>; 2],
    host_key: Option<HostKey>,
}

struct HostKey {
    kind: Box<[u8]>,
    /// Absent for a certificate: its blob is not the key's.
    fingerprint: Option<String>,
}

impl Agreed {
    /// A side said what it can do; only its first word counts.
    pub(super) fn offered(&mut self, dir: Direction, payload: &[u8]) {
        if let Some(offer) = self.offers.get_mut(dir.index())
            && offer.is_none()
        {
            *offer = lists(payload).ok();
        }
    }

    /// Another message in clear.
    pub(super) fn message(&mut self, dir: Direction, payload: &[u8]) {
        if dir == Direction::Forward || self.host_key.is_some() {
            return;
        }
        let own_group = self.chosen(KEX).is_some_and(|name| contains(name, b"group-exchange"));
        if payload.first() == Some(if own_group { &GROUP_REPLY } else { &REPLY }) {
            self.host_key = host_key(payload).ok();
        }
    }

    /// Whether at least one side said what it can do.
    pub(super) fn is_known(&self) -> bool {
        self.offers.iter().any(Option::is_some)
    }

    /// The first of the client's that the server has too.
    fn chosen(&self, list: usize) -> Option<&[u8]> {
        let [Some(client), Some(server)] = &self.offers else { return None };
        let server = server.get(list)?;
        names(client.get(list)?).find(|name| names(server).any(|other| other == *name))
    }

    /// Sizes of the server's messages that tell how a log-on went.
    pub(super) fn sizes(&self) -> Option<Sizes> {
        let [_, cipher] = CIPHER;
        let [_, mac] = MAC;
        let [_, compression] = COMPRESSION;
        if self.chosen(compression) == Some(b"zlib") {
            return None;
        }
        Sizes::of(self.chosen(cipher)?, self.chosen(mac))
    }

    pub(super) fn say(&self, out: &mut Emit<'_>) {
        let [client, server] = &self.offers;
        let [_, cipher] = CIPHER;
        let [_, mac] = MAC;
        let [_, compression] = COMPRESSION;
        let cipher = self.chosen(cipher).unwrap_or_default();
        let own = super::outcome::authenticates(cipher);
        let mac = self.chosen(mac).filter(|_| !own).unwrap_or_default();
        let kex = self.chosen(KEX).unwrap_or_default();
        let signature = self.chosen(HOST_KEY).unwrap_or_default();
        let hash = |lists: &Option<Lists>, way: Direction| {
            lists.as_ref().map(|lists| hassh(lists, way)).unwrap_or_default()
        };
        let key = self.host_key.as_ref();
        let fingerprint = key.and_then(|key| key.fingerprint.as_deref()).unwrap_or_default();
        let agreed = [kex, signature, cipher, mac];
        out.observe(&HANDSHAKE, Direction::Forward)
            .text("hassh", hash(client, Direction::Forward).as_bytes())
            .text("hassh_server", hash(server, Direction::Reverse).as_bytes())
            .text("kex", cut(kex))
            .text("host_key_algorithm", cut(signature))
            .text("cipher", cut(cipher))
            .text("mac", cut(mac))
            .text("compression", cut(self.chosen(compression).unwrap_or_default()))
            .text("host_key_type", key.map(|key| &*key.kind).unwrap_or_default())
            .text("host_key", fingerprint.as_bytes())
            .texts("weak", agreed.into_iter().filter(|name| is_weak(name)).map(cut), 4)
            .emit();
    }
}

fn lists(payload: &[u8]) -> Result<Lists, Short> {
    let mut cursor = Cursor::new(payload);
    // Message number and cookie.
    cursor.skip(17)?;
    let mut lists = Lists::default();
    for list in &mut lists {
        *list = string(&mut cursor)?.into();
    }
    Ok(lists)
}

/// Bytes behind their length (RFC 4251, 5).
fn string<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    let length = cursor.u32()?;
    cursor.take(usize::try_from(length).map_err(|_| Short)?)
}

fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').filter(|name| !name.is_empty())
}

/// MD5 of key exchange, cipher, MAC and compression of the way in which the side sends.
fn hassh(lists: &Lists, way: Direction) -> String {
    let at = |places: [usize; 2]| match way {
        Direction::Forward => places[0],
        Direction::Reverse => places[1],
    };
    let mut hash = Md5::new();
    for (place, list) in [KEX, at(CIPHER), at(MAC), at(COMPRESSION)].into_iter().enumerate() {
        if place > 0 {
            hash.update(b";");
        }
        hash.update(lists.get(list).map(AsRef::as_ref).unwrap_or_default());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn host_key(payload: &[u8]) -> Result<HostKey, Short> {
    let mut cursor = Cursor::new(payload);
    cursor.skip(1)?;
    let blob = string(&mut cursor)?;
    let kind = string(&mut Cursor::new(blob))?;
    let plain = !kind.is_empty() && !contains(kind, b"-cert-");
    let fingerprint =
        plain.then(|| format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))));
    Ok(HostKey { kind: cut(kind).into(), fingerprint })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn cut(name: &[u8]) -> &[u8] {
    name.get(..LONGEST_NAME).unwrap_or(name)
}

/// Whether standards rule an algorithm out: SHA-1 in key exchange and signatures (RFC 9142, RFC
/// 8332), RC4 (RFC 8758), CBC ciphers (VU#958563), MD5 and cut-off MACs, none at all.
fn is_weak(name: &[u8]) -> bool {
    const EXACT: [&[u8]; 4] = [b"none", b"ssh-rsa", b"ssh-dss", b"rsa1024-sha1"];
    EXACT.contains(&name)
        || (name.starts_with(b"diffie-hellman-") && name.ends_with(b"-sha1"))
        || name.starts_with(b"arcfour")
        || contains(name, b"-cbc")
        || contains(name, b"hmac-md5")
        || contains(name, b"-sha1-96")
}
