//! A stream says the same however it is cut.

use proptest::prelude::*;

use crate::{lines, run, samples};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn cuts_change_nothing(cuts in proptest::collection::vec(1_usize..90, 1..30), fine: bool) {
        for sample in samples::all() {
            let turns: Vec<_> = sample.turns.iter().map(|(d, b)| (*d, &b[..])).collect();
            let whole = lines(&run(sample.protocol, &turns));
            prop_assert!(!whole.is_empty());
            let mut sizes = cuts.iter().cycle();
            let mut pieces = Vec::new();
            for (dir, bytes) in turns {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let size = if fine { 1 } else { *sizes.next().unwrap() };
                    let (piece, tail) = rest.split_at(size.min(rest.len()));
                    pieces.push((dir, piece));
                    rest = tail;
                }
            }
            prop_assert_eq!(lines(&run(sample.protocol, &pieces)), whole, "{}", sample.protocol.spec().name);
        }
    }
}
