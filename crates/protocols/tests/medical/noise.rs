//! Bytes that are nobody's: nothing panics, nothing is taken for what it is not, and cuts change
//! nothing even then.

use model::emit::Probe;
use proptest::prelude::*;
use protocols::Protocol;
use protocols::astm::Astm;
use protocols::dicom::Dicom;
use protocols::hl7::Hl7;

use crate::conversation::*;

const ALL: [&dyn Protocol; 3] = [&Dicom, &Hl7, &Astm];

/// Bytes out of which the three protocols are made, so that noise goes deep.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => 0_u8..8,
        2 => prop::sample::select(&b"\x0b\x1c\r\n\x15\x17|^~\\&HMSPIDLOR0123456789ABCDEF"[..]),
        1 => any::<u8>(),
    ]
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let said = (any::<bool>(), proptest::collection::vec(byte(), 1..200))
        .prop_map(|(there, bytes)| said(if there { THERE } else { BACK }, bytes));
    let lost = (any::<bool>(), 1_u64..100_000)
        .prop_map(|(there, count)| Turn::Lost(if there { THERE } else { BACK }, count));
    proptest::collection::vec(prop_oneof![5 => said, 1 => lost], 1..12)
}

proptest! {
    #[test]
    fn noise_is_cut_invariant(turns in turns(), sizes in sizes()) {
        for protocol in ALL {
            prop_assert_eq!(
                cut_and_observe(protocol, &turns, &sizes),
                observe(protocol, &turns),
                "{}", protocol.spec().name
            );
        }
    }

    #[test]
    fn plain_noise_is_never_recognised(bytes in proptest::collection::vec(any::<u8>(), 32..512)) {
        for protocol in ALL {
            prop_assert_ne!(probe(protocol, &bytes), Probe::Yes, "{}", protocol.spec().name);
        }
    }

    #[test]
    fn no_stays_no_and_yes_stays_yes(bytes in proptest::collection::vec(byte(), 1..200)) {
        for protocol in ALL {
            let mut before = Probe::Unsure;
            for length in 1..=bytes.len() {
                let now = probe(protocol, &bytes[..length]);
                let settled = before != Probe::Unsure;
                prop_assert!(!settled || now == before || before == Probe::Yes, "{}", protocol.spec().name);
                before = now;
            }
        }
    }
}
