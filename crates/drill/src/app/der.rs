//! DER (X.690), as much as certificates, SPNEGO tokens and SNMP need.

/// A value with its tag and length.
pub(crate) fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match body.len() {
        short @ 0..=127 => out.push(short as u8),
        middle @ 128..=255 => out.extend_from_slice(&[0x81, middle as u8]),
        long => {
            out.push(0x82);
            out.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(body);
    out
}

/// Several values one after the other, under one tag.
pub(crate) fn all(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(tag, &parts.concat())
}

/// An X.509 certificate that is well formed and signed by nobody: the key and the signature are
/// only noise of the right size.
pub(crate) fn certificate(noise: &[u8; 96], name: &str, issuer: &str) -> Vec<u8> {
    let directory_name = |text: &str| {
        let attribute = all(0x30, &[tlv(6, &[0x55, 4, 3]), tlv(0x0c, text.as_bytes())]);
        tlv(0x30, &tlv(0x31, &attribute))
    };
    let algorithm = tlv(0x30, &tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
    let curve = [
        tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]),
        tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
    ];
    let mut point = vec![0, 4];
    point.extend_from_slice(&noise[..64]);
    let key = all(0x30, &[all(0x30, &curve), tlv(3, &point)]);
    let validity = all(0x30, &[tlv(0x17, b"250101000000Z"), tlv(0x17, b"291231235959Z")]);
    let mut serial = noise[64..80].to_vec();
    serial[0] = serial[0] & 0x7f | 0x01;
    let alternative = tlv(0x30, &tlv(0x82, name.as_bytes()));
    let extension = all(0x30, &[tlv(6, &[0x55, 0x1d, 0x11]), tlv(4, &alternative)]);
    let body = all(
        0x30,
        &[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &serial),
            algorithm.clone(),
            directory_name(issuer),
            validity,
            directory_name(name),
            key,
            tlv(0xa3, &tlv(0x30, &extension)),
        ],
    );
    all(0x30, &[body, algorithm, tlv(3, &signature(&noise[..64]))])
}

/// An ECDSA signature (two numbers) as a bit string without unused bits.
fn signature(noise: &[u8]) -> Vec<u8> {
    let number = |half: &[u8]| {
        let mut half = half.to_vec();
        half[0] = half[0] & 0x7f | 0x01;
        tlv(2, &half)
    };
    let mut out = vec![0];
    out.extend(all(0x30, &[number(&noise[..32]), number(&noise[32..64])]));
    out
}
