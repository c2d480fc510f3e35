//! Patients and staff who do not exist: names from made-up syllables, numbers from the generator.

use crate::rng::Rng;

const HEADS: [&str; 16] = [
    "Ba", "Do", "Fe", "Ga", "Ju", "Ka", "Lo", "Mi", "Na", "Or", "Pe", "Ru", "Sa", "Tu", "Ve", "Zi",
];
const MIDDLES: [&str; 12] =
    ["la", "mo", "ri", "ndo", "ve", "sta", "ku", "lle", "bra", "tzo", "fi", "ge"];
const TAILS: [&str; 10] = ["n", "ski", "ra", "mer", "lov", "dt", "tis", "xa", "wen", "poulo"];

/// A patient, as messages name one.
#[derive(Clone, Debug)]
pub(crate) struct Patient {
    /// Number in the record system.
    pub(crate) id: String,
    pub(crate) family: String,
    pub(crate) given: String,
    /// `YYYYMMDD`.
    pub(crate) born: String,
    pub(crate) sex: char,
    pub(crate) ward: String,
    pub(crate) bed: u8,
}

/// A made-up word that starts with a capital.
pub(crate) fn word(rng: &mut Rng) -> String {
    let mut word = (*rng.pick(&HEADS)).to_owned();
    for _ in 0..rng.between(1, 2) {
        word.push_str(rng.pick::<&str>(&MIDDLES));
    }
    word.push_str(rng.pick::<&str>(&TAILS));
    word
}

/// The patients of a hospital. Numbers run on from a random one, as record systems give them.
pub(crate) fn patients(rng: &mut Rng, count: usize) -> Vec<Patient> {
    let first = rng.between(1_000, 900_000);
    let wards: Vec<String> = (0..6)
        .map(|_| format!("{}{}", rng.between(1, 9), char::from(b'A' + rng.below(5) as u8)))
        .collect();
    (0..count)
        .map(|i| Patient {
            id: (first + i as i64).to_string(),
            family: word(rng).to_uppercase(),
            given: word(rng),
            born: format!(
                "{}{:02}{:02}",
                rng.between(1931, 2019),
                rng.between(1, 12),
                rng.between(1, 28)
            ),
            sex: if rng.chance(0.5) { 'F' } else { 'M' },
            ward: rng.pick(&wards).clone(),
            bed: rng.between(1, 32) as u8,
        })
        .collect()
}
