use super::*;
use proptest::prelude::*;

fn message(user: &str, domain: &str, host: &str, response: &[u8], flags: u32) -> Vec<u8> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let parts = [vec![], response.to_vec(), wide(domain), wide(user), wide(host), vec![]];
    let (mut head, mut tail) = (SIGNATURE.to_vec(), Vec::new());
    head.extend(3_u32.to_le_bytes());
    for part in parts {
        let length = (part.len() as u16).to_le_bytes();
        head.extend([length, length].concat());
        head.extend((64 + tail.len() as u32).to_le_bytes());
        tail.extend(part);
    }
    head.extend(flags.to_le_bytes());
    head.extend(tail);
    head
}

#[test]
fn user_domain_and_machine_are_found_within_a_blob() {
    let mut blob = b"\xa1\x82\x01\x02\x30".to_vec();
    blob.extend(message("Pfleger", "KLINIK", "CT-1", &[7; 24], UNICODE));
    let said = authenticate(&blob).unwrap();
    assert_eq!((&*said.user, &*said.domain, &*said.workstation), ("Pfleger", "KLINIK", "CT-1"));
    assert!(!said.anonymous);
    assert_eq!(said.version, 1);
    let newer = authenticate(&message("u", "", "X", &[7; 60], UNICODE)).unwrap();
    assert_eq!(newer.version, 2);
}

#[test]
fn without_user_and_response_it_is_anonymous() {
    assert!(authenticate(&message("", "", "X", &[], UNICODE)).unwrap().anonymous);
    assert!(authenticate(&message("u", "", "X", &[1], UNICODE | ANONYMOUS)).unwrap().anonymous);
}

proptest! {
    #[test]
    fn hostile_offsets_never_panic(at in 8_usize..64, to: u8, cut in 0_usize..120) {
        let mut bytes = message("user", "domain", "host", &[1; 24], UNICODE);
        bytes[at] = to;
        bytes.truncate(cut);
        authenticate(&bytes);
    }
}

fn challenge(pairs: &[(u16, &str)]) -> Vec<u8> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut info = Vec::new();
    for (id, text) in pairs {
        info.extend(id.to_le_bytes());
        info.extend((2 * text.len() as u16).to_le_bytes());
        info.extend(wide(text));
    }
    info.extend([0; 4]);
    let mut out = SIGNATURE.to_vec();
    out.extend(2_u32.to_le_bytes());
    out.extend([0; 8]);
    out.extend((UNICODE | 0x0200_0000).to_le_bytes());
    out.extend([7; 16]);
    let length = (info.len() as u16).to_le_bytes();
    out.extend([length, length].concat());
    out.extend(56_u32.to_le_bytes());
    out.extend([10, 0, 0x63, 0x45, 0, 0, 0, 15]);
    out.extend(info);
    out
}

fn said(blob: &[u8]) -> Vec<model::observation::Observation> {
    let key = model::privacy::SiteKey::new(b"x");
    let (mut out, mut serial) = (Vec::new(), 0);
    let at = model::time::Timestamp::from_nanos(0);
    let mut emit = model::emit::Emit::new(&mut out, &key, None, at, &mut serial);
    say_challenge("smb", blob, model::flow::Direction::Reverse, &mut emit);
    out
}

#[test]
fn a_challenge_says_which_machine_asks() {
    let blob = [
        b"\xa1\x81".to_vec(),
        challenge(&[(2, "KLINIK"), (1, "PACS-1"), (3, "pacs-1.klinik.example"), (7, "????")]),
    ]
    .concat();
    let seen = said(&blob);
    assert_eq!(seen[0].str("computer"), Some("PACS-1"));
    assert_eq!(
        (seen[0].str("domain"), seen[0].str("version")),
        (Some("KLINIK"), Some("10.0.17763"))
    );
    assert_eq!(seen[0].str("dns_computer"), Some("pacs-1.klinik.example"));
    assert!(said(b"NTLMSSP\0\x03\0\0\0").is_empty() && said(b"").is_empty());
}

proptest! {
    #[test]
    fn hostile_challenges_never_panic(at in 8_usize..90, to: u8, cut in 0_usize..120) {
        let mut bytes = challenge(&[(1, "PACS-1"), (2, "KLINIK")]);
        bytes[at] = to;
        bytes.truncate(cut);
        said(&bytes);
    }
}
