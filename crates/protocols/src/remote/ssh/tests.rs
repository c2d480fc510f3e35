use model::observation::Observation;
use proptest::prelude::*;

use super::*;
use crate::drive;

type Piece = (Direction, Vec<u8>);
const C: Direction = Direction::Forward;
const S: Direction = Direction::Reverse;

fn run(pieces: &[Piece], cut: usize) -> Vec<Observation> {
    let mut cuts = Vec::new();
    for (dir, bytes) in pieces {
        cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
    }
    drive::run(&Ssh, drive::flow(Transport::Tcp, 22), &cuts)
}

fn said(seen: &[Observation]) -> Vec<String> {
    let fields = |o: &Observation| format!("{:?}", o.fields().collect::<Vec<_>>());
    seen.iter().map(|o| o.kind.name.to_owned() + &fields(o)).collect()
}

fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text].concat()
}

fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 8 - (payload.len() + 5) % 8 + 4;
    let length = (payload.len() + 1 + padding) as u32;
    [&length.to_be_bytes()[..], &[padding as u8], payload, &vec![0; padding]].concat()
}

fn kexinit(lists: [&str; 8]) -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend([7; 16]);
    lists.iter().for_each(|list| payload.extend(string(list.as_bytes())));
    payload.extend([0; 13]);
    packet(&payload)
}

const CLIENT: [&str; 8] = [
    "curve25519-sha256,diffie-hellman-group14-sha1,ext-info-c",
    "ssh-ed25519,ssh-rsa",
    "chacha20-poly1305@openssh.com,aes128-ctr",
    "aes256-cbc,chacha20-poly1305@openssh.com",
    "hmac-sha2-256",
    "hmac-sha1",
    "none",
    "none,zlib",
];

fn host_key() -> Vec<u8> {
    [string(b"ssh-ed25519"), string(&[9; 32])].concat()
}

fn handshake(server: [&str; 8]) -> Vec<Piece> {
    let reply = [vec![31], string(&host_key()), string(&[1; 32]), string(&[2; 83])].concat();
    vec![
        (S, b"Authorised use only\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec()),
        (C, [b"SSH-2.0-PuTTY_0.78\r\n".to_vec(), kexinit(CLIENT)].concat()),
        (S, kexinit(server)),
        (C, packet(&[&[30][..], &string(&[3; 32])].concat())),
        (S, [packet(&reply), packet(&[21])].concat()),
        (C, [packet(&[21]), vec![0xee; 44]].concat()),
    ]
}

/// Encrypted turns of server and client in alternation.
fn turns(sizes: &[usize]) -> Vec<Piece> {
    sizes.iter().flat_map(|size| [(S, vec![0xee; *size]), (C, vec![0xee; 80])]).collect()
}

#[test]
fn both_sides_are_said_once() {
    let seen = run(
        &[
            (S, b"Authorised use only\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\0\0".to_vec()),
            (C, b"SSH-2.0-PuTTY_0.78\r\n\0\0\x05".to_vec()),
            (C, b"SSH-2.0-again\r\n".to_vec()),
        ],
        100,
    );
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].str("software"), Some("OpenSSH_9.2p1 Debian-2"));
    assert_eq!(seen[0].str("client"), Some("PuTTY_0.78"));
}

#[test]
fn a_server_that_is_never_answered_is_said_at_the_end() {
    let seen = run(&[(S, b"SSH-1.5-Cisco-1.25\n".to_vec())], 100);
    assert_eq!(seen[0].str("what"), Some("version before 2"));
    assert_eq!((seen[1].str("software"), seen[1].str("client")), (Some("Cisco-1.25"), None));
}

#[test]
fn algorithms_fingerprints_and_the_host_key_are_said() {
    let mut server = CLIENT;
    server[0] = "diffie-hellman-group14-sha1,curve25519-sha256";
    server[1] = "ssh-ed25519";
    let seen = run(&handshake(server), 1_000);
    let handshake = &seen[1];
    // md5sum of the four lists with semicolons between.
    assert_eq!(handshake.str("hassh"), Some("cbffd1fef266f215d078746d31e4f887"));
    assert_eq!(handshake.str("hassh_server"), Some("793d3d1a907dfcf34a451378ca5fee1c"));
    assert_eq!(handshake.str("kex"), Some("curve25519-sha256"));
    assert_eq!(handshake.str("host_key_type"), Some("ssh-ed25519"));
    // ssh-keygen -l of the same key.
    assert_eq!(
        handshake.str("host_key"),
        Some("SHA256:xcTb/ZL8NmQsvo9k2j/c7dIyp7nvDnswfPZHlzcZwz0")
    );
    assert_eq!(
        (handshake.str("cipher"), handshake.str("mac")),
        (Some("aes256-cbc"), Some("hmac-sha1"))
    );
    assert_eq!(handshake.texts("weak"), ["aes256-cbc".into()]);
}

#[test]
fn nothing_in_common_agrees_on_nothing() {
    let seen = run(&handshake(["x", "x", "x", "x", "x", "x", "x", "x"]), 1_000);
    assert_eq!((seen[1].str("kex"), seen[1].str("cipher")), (None, None));
    assert!(seen[1].str("hassh_server").is_some());
}

#[test]
fn refusals_are_counted_and_the_shortest_answer_is_success() {
    let mut modern = CLIENT;
    modern[3] = "chacha20-poly1305@openssh.com";
    let log_on = |sizes: &[usize]| {
        let seen = run(&[handshake(modern), turns(sizes)].concat(), 1_000);
        let last = seen.last().filter(|o| o.is("ssh.authentication"));
        last.map(|o| (o.str("outcome").unwrap().to_owned(), o.uint("failures").unwrap()))
    };
    let is = |outcome: &str, failures| Some((outcome.to_owned(), failures));
    // Service accepted (behind what extends it), methods listed, twice wrong, right.
    assert_eq!(log_on(&[44, 52, 52, 52, 28, 600, 90]), is("success", 2));
    assert_eq!(log_on(&[340, 52, 52, 28]), is("success", 1));
    assert_eq!(log_on(&[340, 44, 52, 52, 52, 52]), is("failure", 3));
    // A banner hides the size: nothing is claimed.
    assert_eq!(log_on(&[44, 300, 52, 52]), is("unknown", 0));
    assert_eq!(log_on(&[44]), None);
}

#[test]
fn a_loss_ends_the_guessing() {
    let pieces = [handshake(CLIENT), turns(&[48, 64, 64])].concat();
    let mut chunks: Vec<_> = pieces.iter().map(|(d, b)| (*d, Chunk::Stream(&b[..]))).collect();
    chunks.insert(8, (S, Chunk::Gap(64)));
    let seen = drive::run(&Ssh, drive::flow(Transport::Tcp, 22), &chunks);
    assert_eq!(seen.len(), 2);
}

#[test]
fn hostile_lengths_end_it() {
    for length in [0_u32, 1, 35_001, u32::MAX] {
        let pieces = [
            (S, b"SSH-2.0-x\n".to_vec()),
            (S, [&length.to_be_bytes()[..], &[0xff; 40]].concat()),
            (C, b"SSH-2.0-y\n".to_vec()),
        ];
        let seen = run(&pieces, 9);
        assert_eq!(seen[0].str("what"), Some("no packet of the handshake"), "{length}");
    }
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..90) {
        let pieces = [handshake(CLIENT), turns(&[48, 64, 64, 36])].concat();
        prop_assert_eq!(said(&run(&pieces, cut)), said(&run(&pieces, 10_000)));
    }

    #[test]
    fn noise_never_panics(cut in 1_usize..40, noise: Vec<u8>, at in 0_usize..700, to: u8) {
        let mut pieces = handshake(CLIENT);
        let place = at % pieces.len();
        let target = &mut pieces[place].1;
        let spot = at % target.len();
        target[spot] = to;
        pieces.push((S, noise.clone()));
        run(&pieces, cut);
        run(&[(C, noise.clone()), (S, noise.clone())], cut);
        prop_assert_ne!(Ssh.probe(&drive::flow(Transport::Tcp, 22), C, &noise), Probe::Yes);
    }
}
