use proptest::prelude::*;

use super::*;

/// A model that has learned these words in a row.
fn learned(words: &[u32], settings: &Settings) -> Verbs {
    let mut verbs = Verbs::new(settings);
    for (place, &word) in words.iter().enumerate() {
        verbs.learn(&words[..place], word);
    }
    verbs
}

/// Everything that a device says all day: 1 and 2, then 3 or 4.
fn daily(rounds: u32) -> Verbs {
    let words: Vec<u32> = (0..rounds).flat_map(|n| [1, 2, 3 + n % 2]).collect();
    learned(&words, &Settings::default())
}

#[test]
fn what_always_follows_is_no_surprise_and_what_never_does_is_one() {
    let verbs = daily(200);
    assert!(verbs.surprise(&[3, 1], 2, None) < 0.1);
    assert!((verbs.surprise(&[1, 2], 4, None) - 1.0).abs() < 0.1);
    assert!(verbs.surprise(&[1, 2], 1, None) > 6.0, "known word in a wrong place");
    assert!(verbs.surprise(&[1, 2], 99, None) > 9.0, "word that was never heard");
}

#[test]
fn a_new_device_is_judged_by_its_group() {
    let (group, mut new) = (daily(200), Verbs::new(&Settings::default()));
    assert_eq!(new.probability(&[1], 2, None), 1.0, "knows of nothing but one unknown word");
    new.learn(&[], 1);
    assert!(new.surprise(&[1], 2, Some(&group)) < new.surprise(&[1], 2, None));
    assert!(new.surprise(&[1], 2, Some(&group)) < 1.2);
    assert!(new.surprise(&[1], 77, Some(&group)) > 8.0);
}

#[test]
fn a_surprise_says_after_what_it_came_and_what_was_expected() {
    let why = daily(200).explain(&[9, 9, 3, 1], 4, None);
    assert_eq!((why.after.as_slice(), why.word, why.expected[0].0), (&[3, 1][..], 4, 2));
    assert!(why.bits > 6.0 && why.expected[0].1 > 0.9);
    let why = daily(200).explain(&[77], 4, None);
    assert!(why.after.is_empty(), "nobody knows what comes after 77");
}

#[test]
fn a_window_tells_the_mean_and_the_most() {
    let mut window = Running::default();
    assert_eq!((window.mean(), window.most()), (0.0, 0.0));
    [1.0, 4.0, 1.0].into_iter().for_each(|bits| window.take(bits));
    assert_eq!((window.mean(), window.most()), (2.0, 4.0));
}

#[test]
fn a_flood_of_new_words_does_not_push_out_what_is_said_every_day() {
    let settings = Settings { words: 16, histories: 32, followers: 8 };
    let daily: Vec<u32> = (0..600).flat_map(|n| [1, 2, 3 + n % 2]).collect();
    let mut verbs = learned(&daily, &settings);
    let mut before = [0, 0];
    for word in 100..160 {
        verbs.learn(&before, word);
        before = [before[1], word];
    }
    assert!(verbs.surprise(&[3, 1], 2, None) < 1.0, "{}", verbs.surprise(&[3, 1], 2, None));
}

proptest! {
    #[test]
    fn probabilities_of_all_words_and_an_unknown_one_add_up_to_1(
        own in prop::collection::vec(0..24_u32, 0..300),
        group in prop::collection::vec(8..40_u32, 0..300),
        history in prop::collection::vec(0..40_u32, 0..4),
        words in 2..20_usize,
    ) {
        let small = Settings { words, histories: 12, followers: 5 };
        let (own, group) = (learned(&own, &small), learned(&group, &Settings::default()));
        for peers in [None, Some(&group)] {
            let knows = |word: &u32| {
                own.words.words().any(|w| w == *word)
                    || peers.is_some_and(|p| p.words.words().any(|w| w == *word))
            };
            let sum = (0..40).filter(knows)
                .chain([1_000])
                .map(|word| own.probability(&history, word, peers))
                .sum::<f64>();
            prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }

    #[test]
    fn a_word_that_is_repeated_surprises_less_and_less(
        words in prop::collection::vec(0..9_u32, 0..100), word in 0..12_u32
    ) {
        let mut verbs = learned(&words, &Settings::default());
        let history = [1, 2];
        let mut before = verbs.surprise(&history, word, None);
        for time in 0..20 {
            verbs.learn(&history, word);
            let now = verbs.surprise(&history, word, None);
            // The first time it may be a new word: then there is one more to share with.
            prop_assert!(time == 0 || now <= before + 1e-12, "{before} {now}");
            before = now;
        }
        prop_assert!(before < 1.0);
    }

    #[test]
    fn tables_keep_their_bounds_and_everything_survives_saving(
        words in prop::collection::vec(any::<u16>(), 0..800)
    ) {
        let settings = Settings { words: 20, histories: 30, followers: 4 };
        let words: Vec<u32> = words.into_iter().map(u32::from).collect();
        let verbs = learned(&words, &settings);
        prop_assert!(verbs.known() <= 20);
        for table in &verbs.after {
            prop_assert!(table.len() <= 30);
            prop_assert!(table.values().all(|counts| (1..=4).contains(&counts.different())));
        }
        let bytes = postcard::to_stdvec(&verbs).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<Verbs>(&bytes).unwrap(), &verbs);
        let text = serde_json::to_string(&verbs).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Verbs>(&text).unwrap(), &verbs);
    }
}
