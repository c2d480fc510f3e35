//! The keys of a client's first packets, and what they open (RFC 9001, 5; RFC 9369, 3.3).

use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes128Gcm, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;

use super::header::{Long, Version};

const TAG: usize = 16;

/// What keys are derived with, by version.
const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
];
const SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
    0x43, 0x90, 0xa8, 0x99,
];
const SALT_DRAFT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65,
    0xbe, 0xf9, 0xf5, 0x02,
];

/// Keys of one side.
pub(super) struct Keys {
    packets: Aes128Gcm,
    headers: Aes128,
    iv: [u8; 12],
}

impl Keys {
    /// Those of the client that chose this id for its server.
    pub(super) fn of_client(version: Version, id: &[u8]) -> Option<Self> {
        let salt = match version.draft() {
            None if version == Version::TWO => &SALT_2,
            Some(..29) => &SALT_DRAFT_23,
            Some(29..33) => &SALT_DRAFT_29,
            _ => &SALT_1,
        };
        let mut secret = [0; 32];
        expand(&Hkdf::<Sha256>::new(Some(salt), id), b"client in", &mut secret)?;
        let secret = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        let labels: [&[u8]; 3] = if version == Version::TWO {
            [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"]
        } else {
            [b"quic key", b"quic iv", b"quic hp"]
        };
        let (mut key, mut iv, mut hp) = ([0; 16], [0; 12], [0; 16]);
        let [key_label, iv_label, hp_label] = labels;
        expand(&secret, key_label, &mut key)?;
        expand(&secret, iv_label, &mut iv)?;
        expand(&secret, hp_label, &mut hp)?;
        Some(Self { packets: Aes128Gcm::new(&key.into()), headers: Aes128::new(&hp.into()), iv })
    }

    /// The frames of a packet; nothing where these are not its keys.
    pub(super) fn open(&self, packet: &Long<'_>) -> Option<Vec<u8>> {
        // The mask comes from sixteen bytes, as if the number had four.
        let sample_at = packet.number_at.checked_add(4)?;
        let sample = packet.whole.get(sample_at..)?.first_chunk::<16>()?;
        let mut mask = (*sample).into();
        self.headers.encrypt_block(&mut mask);
        let [first_mask, number_mask @ ..] = mask.first_chunk::<5>()?;

        let first = packet.whole.first()? ^ (first_mask & 0x0f);
        let length = usize::from(first & 3).checked_add(1)?;
        let body_at = packet.number_at.checked_add(length)?;
        let mut head = packet.whole.get(..body_at)?.to_vec();
        *head.first_mut()? = first;
        let mut nonce = self.iv;
        let hidden = head.get_mut(packet.number_at..)?;
        let ends = nonce.iter_mut().rev().take(length).rev();
        for ((byte, mask), end) in hidden.iter_mut().zip(number_mask).zip(ends) {
            *byte ^= mask;
            *end ^= *byte;
        }
        let body = packet.whole.get(body_at..)?;
        let (sealed, tag) = body.split_at_checked(body.len().checked_sub(TAG)?)?;
        let mut plain = sealed.to_vec();
        let tag = Tag::from_slice(tag);
        self.packets
            .decrypt_in_place_detached(Nonce::from_slice(&nonce), &head, &mut plain, tag)
            .ok()?;
        Some(plain)
    }
}

/// HKDF-Expand-Label of TLS 1.3 with an empty context (RFC 8446, 7.1).
fn expand(secret: &Hkdf<Sha256>, label: &[u8], out: &mut [u8]) -> Option<()> {
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label_length = u8::try_from(label.len().checked_add(6)?).ok()?;
    secret.expand_multi_info(&[&length, &[label_length], b"tls13 ", label, &[0]], out).ok()
}

/// The other way: a packet with a number of four bytes at the end of `head`.
#[cfg(test)]
pub(super) fn seal(keys: &Keys, head: &[u8], number: u32, mut plain: Vec<u8>) -> Vec<u8> {
    let mut nonce = keys.iv;
    nonce[8..].iter_mut().zip(number.to_be_bytes()).for_each(|(byte, other)| *byte ^= other);
    let tag = keys
        .packets
        .encrypt_in_place_detached(Nonce::from_slice(&nonce), head, &mut plain)
        .unwrap();
    let mut mask = *plain.first_chunk::<16>().unwrap();
    keys.headers.encrypt_block((&mut mask).into());
    let mut out = head.to_vec();
    out[0] ^= mask[0] & 0x0f;
    let number_at = head.len() - 4;
    out[number_at..].iter_mut().zip(&mask[1..]).for_each(|(byte, other)| *byte ^= other);
    [out, plain, tag.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9001, appendix A.1, and RFC 9369, appendix A.1.
    #[test]
    fn the_keys_of_the_specifications_come_out() {
        let id = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
        let mut secret = [0; 32];
        expand(&Hkdf::<Sha256>::new(Some(&SALT_1), &id), b"client in", &mut secret).unwrap();
        assert_eq!(secret[..8], [0xc0, 0x0c, 0xf1, 0x51, 0xca, 0x5b, 0xe0, 0x75]);
        let secret = Hkdf::<Sha256>::from_prk(&secret).unwrap();
        let mut key = [0; 16];
        expand(&secret, b"quic key", &mut key).unwrap();
        assert_eq!(key[..8], [0x1f, 0x36, 0x96, 0x13, 0xdd, 0x76, 0xd5, 0x46]);
        let mut hp = [0; 16];
        expand(&secret, b"quic hp", &mut hp).unwrap();
        assert_eq!(hp[..8], [0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10]);
        let iv = |version| Keys::of_client(version, &id).unwrap().iv;
        assert_eq!(iv(Version::TWO)[..4], [0x91, 0xf7, 0x3e, 0x23]);
    }
}
