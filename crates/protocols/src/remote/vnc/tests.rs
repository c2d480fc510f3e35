use super::*;
use crate::drive;
use model::observation::Observation;
use proptest::prelude::*;

type Piece<'a> = (Direction, &'a [u8]);

fn run(pieces: &[Piece<'_>], cut: usize) -> Vec<String> {
    let mut cuts = Vec::new();
    for (dir, bytes) in pieces {
        cuts.extend(bytes.chunks(cut).map(|piece| (*dir, Chunk::Stream(piece))));
    }
    let said = |o: &Observation| format!("{} {:?}", o.kind.name, o.fields().collect::<Vec<_>>());
    drive::run(&Vnc, drive::flow(Transport::Tcp, 5900), &cuts).iter().map(said).collect()
}

fn password(result: u8) -> Vec<String> {
    run(
        &[
            (Direction::Reverse, b"RFB 003.008\n"),
            (Direction::Forward, b"RFB 003.008\n"),
            (Direction::Reverse, &[2, 2, 16]),
            (Direction::Forward, &[2]),
            (Direction::Reverse, &[7; 16]),
            (Direction::Forward, &[9; 16]),
            (Direction::Reverse, &[0, 0, 0, result]),
            (Direction::Reverse, b"the screen"),
        ],
        5,
    )
}

#[test]
fn a_password_and_its_outcome_are_said() {
    let seen = password(0);
    assert_eq!(seen.len(), 2);
    assert!(seen[0].contains("RFB 003.008") && seen[0].contains(r#"("security", Word("vnc"))"#));
    assert!(seen[1].contains("success"));
    assert!(password(1)[1].contains("failure"));
}

#[test]
fn open_servers_of_old_and_new_versions_let_everybody_in() {
    for (banner, rest) in [
        (b"RFB 003.003\n", vec![(Direction::Reverse, &[0, 0, 0, 1][..])]),
        (b"RFB 003.007\n", vec![(Direction::Reverse, &[1, 1][..]), (Direction::Forward, &[1][..])]),
        (
            b"RFB 003.008\n",
            vec![
                (Direction::Reverse, &[1, 1][..]),
                (Direction::Forward, &[1][..]),
                (Direction::Reverse, &[0; 4][..]),
            ],
        ),
    ] {
        let mut pieces: Vec<Piece<'_>> =
            vec![(Direction::Reverse, banner), (Direction::Forward, banner)];
        pieces.extend(rest);
        let seen = run(&pieces, 100);
        assert!(seen[0].contains(r#"Word("none")"#) && seen[1].contains("success"), "{seen:?}");
    }
}

proptest! {
    #[test]
    fn cuts_change_nothing_and_noise_never_panics(cut in 1_usize..30, noise: Vec<u8>) {
        let pieces: [Piece<'_>; 4] = [
            (Direction::Reverse, b"RFB 003.008\n"),
            (Direction::Forward, b"RFB 003.008\n"),
            (Direction::Reverse, &[3, 1, 2, 19]),
            (Direction::Forward, &[19]),
        ];
        prop_assert_eq!(run(&pieces, cut), run(&pieces, 100));
        run(&[(Direction::Reverse, b"RFB 003.008\n"), (Direction::Forward, b"RFB 003.008\n"), (Direction::Reverse, &noise), (Direction::Forward, &noise)], cut);
        prop_assert_ne!(Vnc.probe(&drive::flow(Transport::Tcp, 5900), Direction::Reverse, &noise), Probe::Yes);
    }
}

#[test]
fn the_desktop_is_said_however_the_bytes_are_cut() {
    let mut desktop = vec![4, 0, 3, 0];
    desktop.resize(20, 0);
    desktop.extend([0, 0, 0, 4]);
    desktop.extend(b"CT-1 and the screen");
    let pieces: [Piece<'_>; 7] = [
        (Direction::Reverse, b"RFB 003.008\n"),
        (Direction::Forward, b"RFB 003.008\n"),
        (Direction::Reverse, &[2, 1, 19]),
        (Direction::Forward, &[1]),
        (Direction::Reverse, &[0; 4]),
        (Direction::Forward, &[1]),
        (Direction::Reverse, &desktop),
    ];
    let seen = run(&pieces, 1);
    assert!(seen[0].contains(r#"("offered", Texts(["none", "tls"]))"#), "{seen:?}");
    assert!(
        seen[2].contains(r#"Text("CT-1")), ("width", Uint(1024)), ("height", Uint(768))"#),
        "{seen:?}"
    );
    assert_eq!(seen, run(&pieces, 100));
}
