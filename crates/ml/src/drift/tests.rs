//! False alarms without drift, delays with it.

use proptest::prelude::*;

use super::*;
use crate::Chance;

#[test]
fn no_change_is_told_of_where_there_is_none() {
    let delta = 0.05;
    let wrong = (0..200)
        .filter(|seed| {
            let mut chance = Chance::new(*seed);
            let mut adwin = Adwin::new(delta);
            (0..3_000).any(|_| adwin.take(chance.unit()).is_some())
        })
        .count();
    assert!(wrong as f64 / 200.0 <= delta, "{wrong} of 200");
}

#[test]
fn a_step_is_found_soon_and_told_of_rightly() {
    let mut delays = Vec::new();
    for seed in 0..50 {
        let mut chance = Chance::new(seed);
        let mut adwin = Adwin::new(0.002);
        for _ in 0..2_000 {
            assert_eq!(adwin.take(0.5 * chance.unit()), None);
        }
        let (delay, change) = (1_u32..)
            .find_map(|i| adwin.take(0.3 + 0.5 * chance.unit()).map(|change| (i, change)))
            .expect("a change");
        delays.push(delay);
        assert!((change.before - 0.25).abs() < 0.05 && change.after > 0.4, "{change:?}");
        (0..2_000).for_each(|_| {
            adwin.take(0.3 + 0.5 * chance.unit());
        });
        assert!((adwin.mean().expect("values") - 0.55).abs() < 0.02, "the old is forgotten");
    }
    delays.sort_unstable();
    assert!(delays[25] <= 64 && delays[49] <= 128, "{delays:?}");
}

#[test]
fn a_slow_ramp_is_found() {
    let mut chance = Chance::new(1);
    let mut adwin = Adwin::new(0.002);
    let found = (0..20_000).find(|i| {
        let at = (0.3 + f64::from(*i) / 40_000.0 + 0.2 * (chance.unit() - 0.5)).min(1.0);
        adwin.take(at).is_some()
    });
    assert!(found.is_some_and(|i| i < 6_000), "{found:?}");
}

#[test]
fn memory_does_not_grow_with_the_stream() {
    let mut adwin = Adwin::new(0.002);
    (0..200_000).for_each(|i| {
        adwin.take(f64::from(i % 2));
    });
    assert_eq!(adwin.len(), 200_000);
    let text = serde_json::to_string(&adwin).expect("JSON");
    assert!(text.len() < 8_000, "{}", text.len());
}

fn normals(chance: &mut Chance, n: usize, mean: f64) -> Vec<f32> {
    (0..n).map(|_| (mean + chance.normal()) as f32).collect()
}

#[test]
fn the_index_is_that_of_the_formula() {
    // Shares then 0.5, 0.5; now 0.75, 0.25: 0.25 * ln(1.5) + 0.25 * ln(2) = 0.2747, with so many
    // values that the added halves do not matter.
    let reference: Vec<f32> = (0..100_000).map(|i| i as f32).collect();
    let mut psi = Psi::new(&reference, 2);
    (0..100_000).for_each(|i| psi.take(if i % 4 == 0 { 9e4 } else { 1e4 }));
    assert!((psi.index().unwrap() - 0.274_65).abs() < 1e-4, "{:?}", psi.index());
    assert_eq!(psi.stability(), Stability::Different);
}

#[test]
fn a_sample_of_the_same_is_stable_however_small() {
    let mut chance = Chance::new(5);
    let wrong = (0..300)
        .filter(|_| {
            let mut psi = Psi::new(&normals(&mut chance, 200, 0.0), 10);
            normals(&mut chance, 110, 0.0).iter().for_each(|x| psi.take(*x));
            psi.stability() > Stability::Stable
        })
        .count();
    assert!(wrong <= 3, "{wrong} of 300");
    let mut psi = Psi::new(&normals(&mut chance, 5_000, 0.0), 10);
    normals(&mut chance, 3_000, 0.35).iter().for_each(|x| psi.take(*x));
    assert_eq!(psi.stability(), Stability::Moved, "{:?}", psi.index());
}

#[test]
fn a_column_that_is_nearly_always_nought_has_bins_too() {
    let reference: Vec<f32> = (0..1_000).map(|i| if i % 50 == 0 { 1.0 } else { 0.0 }).collect();
    let mut psi = Psi::new(&reference, 10);
    (0..1_000).for_each(|i| psi.take(if i % 2 == 0 { -1.0 } else { 0.0 }));
    assert_eq!(psi.stability(), Stability::Different);
    assert_eq!(Psi::new(&[], 10).index(), None);
    assert_eq!(Psi::new(&[f32::NAN], 10).stability(), Stability::TooFew);
}

#[test]
fn what_changed_is_told_by_column_before_and_after() {
    let mut chance = Chance::new(6);
    let mut row =
        |shift: f64| [100.0 + 10.0 * chance.normal() + shift, chance.unit(), 7.0].map(|x| x as f32);
    let reference: Vec<[f32; 3]> = (0..2_000).map(|_| row(0.0)).collect();
    let reference: Vec<&[f32]> = reference.iter().map(<[f32; 3]>::as_slice).collect();
    let mut columns = Columns::new(&reference, 0.01);
    (0..2_000).for_each(|_| columns.take(&row(0.0)));
    assert_eq!(columns.changed(), []);
    (0..2_000).for_each(|_| columns.take(&row(15.0)));
    let changed = columns.changed();
    assert_eq!(changed.len(), 1, "{changed:?}");
    let what = changed[0];
    assert!(what.column == 0 && what.sudden && what.stability == Stability::Different);
    assert!((what.before - 100.0).abs() < 1.0 && (110.0..120.0).contains(&what.after), "{what:?}");
    columns.forget();
    assert_eq!(columns.changed(), []);
}

proptest! {
    #[test]
    fn no_value_breaks_it(
        reference in prop::collection::vec(any::<f32>(), 0..40),
        values in prop::collection::vec(any::<f32>(), 0..200), bins in 0_usize..12
    ) {
        let mut psi = Psi::new(&reference, bins);
        let rows: Vec<&[f32]> = reference.chunks(3).collect();
        let mut columns = Columns::new(&rows, 0.01);
        let mut adwin = Adwin::new(0.5);
        for value in &values {
            psi.take(*value);
            columns.take(&[*value, 0.0]);
            if let Some(change) = adwin.take(f64::from(*value)) {
                prop_assert!(change.before != change.after);
            }
        }
        prop_assert!(psi.index().is_none_or(|index| index >= 0.0));
        columns.changed();
    }
}
