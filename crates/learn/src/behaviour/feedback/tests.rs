use proptest::prelude::*;

use super::*;
use crate::behaviour::{Standing, Tolerance};
use crate::features::{WIDTH, WINDOW};

const CLASS: DeviceClass = DeviceClass::InfusionPump;
const OTHER: DeviceClass = DeviceClass::Pacs;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_parts(1_800_000_000 + seconds, 0)
}

fn past(device: u32, seconds: i64, row: Vec<f32>, alert: bool) -> PastWindow {
    PastWindow {
        device: DeviceIx(device),
        class: CLASS,
        end: at(seconds),
        row,
        scores: crate::behaviour::Scores::default(),
        attack: Some(0.0),
        score: 1.0,
        p: 0.001,
        alert,
        common: false,
    }
}

fn label(normal: bool, window: &PastWindow) -> Verdict {
    window.verdict(normal, "Ada", at(10_000), "F-0000000000000001")
}

fn labels(all: &[Verdict]) -> Labels {
    let mut labels = Labels::default();
    all.iter().for_each(|label| labels.enter(label.clone()));
    labels
}

fn rows() -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(-9.0_f32..9.0, WIDTH)
}

proptest! {
    #[test]
    fn a_normal_label_never_silences_a_window_that_differs_by_more_than_the_radius_in_one_column(
        row in rows(),
        column in 0..WIDTH,
        off in 3.001_f32..40.0,
        down in any::<bool>(),
        odds in -9.0_f32..0.0,
    ) {
        let given = labels(&[label(true, &past(1, 0, row.clone(), true))]);
        let mut other = row;
        other[column] += if down { -off } else { off };
        prop_assert!(given.of(CLASS, &other, Some(odds)).normal.is_none());
    }

    #[test]
    fn nor_one_that_differs_by_more_than_the_radius_over_all_columns(
        row in rows(),
        offs in proptest::collection::vec(-5.0_f32..5.0, WIDTH),
    ) {
        let given = labels(&[label(true, &past(1, 0, row.clone(), true))]);
        let other: Vec<f32> = row.iter().zip(&offs).map(|(row, off)| row + off).collect();
        let square: f64 =
            other.iter().zip(&row).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        let far = (square / WIDTH as f64).sqrt() > 1.0 + 1e-4;
        let quiet = given.of(CLASS, &other, None).normal.is_some();
        prop_assert!(!(far && quiet));
    }

    #[test]
    fn what_is_within_it_is_silenced_for_the_class_and_for_no_other(
        row in rows(),
        offs in proptest::collection::vec(-0.99_f32..0.99, WIDTH),
    ) {
        let given = labels(&[label(true, &past(1, 0, row.clone(), true))]);
        let other: Vec<f32> = row.iter().zip(&offs).map(|(row, off)| row + off).collect();
        prop_assert!(given.of(CLASS, &other, Some(0.0)).normal.is_some());
        prop_assert!(given.of(OTHER, &other, Some(0.0)).normal.is_none());
    }
}

#[test]
fn what_the_trees_hold_for_an_attack_is_told_whatever_was_called_normal() {
    let row = vec![1.0; WIDTH];
    let given = labels(&[label(true, &past(1, 0, row.clone(), true))]);
    assert!(given.of(CLASS, &row, Some(MARGIN)).normal.is_some());
    assert!(given.of(CLASS, &row, Some(MARGIN + 0.01)).normal.is_none());
}

#[test]
fn numbers_that_are_none_are_near_nothing() {
    assert!(near(&[1.0; WIDTH], &[1.0; WIDTH]));
    assert!(!near(&[f32::NAN; WIDTH], &[f32::NAN; WIDTH]));
    assert!(!near(&[f32::INFINITY; WIDTH], &[f32::INFINITY; WIDTH]));
    assert!(!near(&[1.0; WIDTH], &[1.0; 3]));
    assert!(!near(&[], &[]));
}

#[test]
fn an_attack_label_decides_before_a_normal_one_but_not_of_what_is_common() {
    let one = past(1, 0, vec![1.0; WIDTH], true);
    let two = past(2, 0, vec![1.1; WIDTH], true);
    let given = labels(&[label(true, &one), label(false, &two)]);
    assert!(given.told(&one).0);
    let usual = PastWindow { common: true, alert: false, ..one };
    assert!(!given.told(&usual).0);
}

#[test]
fn who_speaks_of_the_same_window_again_has_changed_their_mind() {
    let window = past(1, 0, vec![1.0; WIDTH], true);
    let given = labels(&[label(false, &window), label(true, &window)]);
    assert_eq!(given.0.len(), 1);
    assert!(!given.told(&window).0);
}

#[test]
fn labels_and_past_windows_are_bounded_and_the_oldest_goes_first() {
    let mut given = Labels::default();
    for second in 0..LABELS as i64 + 5 {
        given.enter(label(true, &past(1, second, vec![0.0; 2], true)));
    }
    assert_eq!(given.0.len(), LABELS);
    assert_eq!(given.0.front().map(|label| label.end), Some(at(5)));
}

#[test]
fn a_preview_names_what_would_be_quiet_what_would_be_told_and_the_detections_lost() {
    let like = vec![2.0; WIDTH];
    let other = vec![-4.0; WIDTH];
    let mut behaviour = Behaviour::default();
    for window in [
        past(1, 0, like.clone(), true),
        past(2, 500, like.clone(), true),
        past(3, 600, like.clone(), false),
        past(4, 700, other.clone(), true),
        past(5, 800, other.clone(), false),
    ] {
        behaviour.feedback.past.push_back(window);
    }
    let windows: Vec<PastWindow> = behaviour.past().cloned().collect();
    let rule = |device, _| (device == DeviceIx(2)).then(|| "F-2: a scan".to_owned());
    let normal = [label(true, &windows[0])];
    let preview = behaviour.preview(&normal, rule);
    assert_eq!(preview.looked_at, 5);
    assert_eq!(preview.would_be_quiet, [&windows[0], &windows[1]]);
    assert!(preview.would_alert.is_empty());
    let lost: Vec<_> = preview.lost_attacks.iter().map(|lost| lost.window.device.0).collect();
    assert_eq!(lost, [2]);

    let attack = [label(false, &windows[3])];
    let preview = behaviour.preview(&attack, |_, _| None);
    assert_eq!(preview.would_alert, [&windows[4]]);
    assert!(preview.would_be_quiet.is_empty());

    // A label that is in changes nothing more, and what was called an attack is a loss.
    attack.into_iter().for_each(|label| behaviour.enter(label));
    let again = [label(false, &windows[3])];
    assert!(behaviour.preview(&again, |_, _| None).would_alert.is_empty());
    let mind = [label(true, &windows[3])];
    let preview = behaviour.preview(&mind, |_, _| None);
    assert_eq!(preview.would_be_quiet, [&windows[3], &windows[4]]);
    assert!(preview.lost_attacks[0].because.contains("Ada called it an attack"));
}

/// A device that did so many flows in a window.
fn busy(behaviour: &mut Behaviour, device: u32, flows: u32) {
    let entity = assets::Entity::Device(DeviceIx(device));
    if let Some(window) = behaviour.devices.window(entity) {
        window.flows_out += flows;
        window.established += flows;
    }
}

/// Ends a window.
fn close(behaviour: &mut Behaviour, number: i64, learning: bool, frozen: bool) -> Vec<Behaved> {
    let length = WINDOW.as_secs() as i64;
    behaviour.close(at(number * length), learning, |_| Standing { class: CLASS, frozen })
}

/// Half an hour of ordinary life to learn, an hour that is watched, then bursts of several sizes; and
/// how it stood before each window of them.
fn life() -> (Behaviour, Vec<(i64, Behaviour)>, Vec<Behaved>) {
    let mut behaviour = Behaviour::new(Tolerance { false_alerts: 200.0, shift_hours: 1.0 });
    close(&mut behaviour, 0, true, false);
    let (mut before, mut all) = (Vec::new(), Vec::new());
    for number in 1..640_i64 {
        for device in 0..4_u32 {
            let wobble = (number as u32 * 7 + device * 3) % 5;
            let burst = if number > 600 && number % 4 == 0 {
                [60, 70, 300][number as usize / 4 % 3]
            } else {
                0
            };
            busy(&mut behaviour, device, 2 + wobble + if device == 1 { burst } else { 0 });
        }
        if number > 600 {
            before.push((number, behaviour.clone()));
        }
        let closed = close(&mut behaviour, number, number < 180, number > 600);
        if number > 600 {
            all.extend(closed);
        }
    }
    (behaviour, before, all)
}

#[test]
fn a_preview_says_what_happens_when_the_same_windows_are_judged_again() {
    let (behaviour, before, all) = life();
    let told: Vec<&Behaved> = all.iter().filter(|one| one.why.is_some()).collect();
    assert!(told.len() >= 2, "no bursts were told");
    let mut changed = 0;
    for (normal, behaved) in [(true, told[0]), (true, told[1]), (false, told[0])] {
        let window = behaviour.past().find(|past| past.end == behaved.end && past.alert).unwrap();
        let label = window.verdict(normal, "Ada", at(9_999), "");
        let preview = behaviour.preview(std::slice::from_ref(&label), |_, _| None);
        let name = |window: &&PastWindow| (window.device, window.end);
        let quiet: Vec<_> = preview.would_be_quiet.iter().map(name).collect();
        let loud: Vec<_> = preview.would_alert.iter().map(name).collect();
        let (mut really_quiet, mut really_loud) = (Vec::new(), Vec::new());
        for (number, then) in &before {
            let mut then = then.clone();
            then.enter(label.clone());
            for one in close(&mut then, *number, false, true) {
                let was = all.iter().find(|old| (old.device, old.end) == (one.device, one.end));
                match (was.unwrap().why.is_some(), one.why.is_some()) {
                    (true, false) => really_quiet.push((one.device, one.end)),
                    (false, true) => really_loud.push((one.device, one.end)),
                    _ => {}
                }
            }
        }
        assert_eq!(quiet, really_quiet);
        assert_eq!(loud, really_loud);
        assert_eq!(quiet.contains(&(behaved.device, behaved.end)), normal);
        changed += quiet.len() + loud.len();
    }
    assert!(changed >= 2);
}

#[test]
fn what_was_called_normal_is_learned_and_what_was_called_an_attack_never_is() {
    let (behaviour, before, all) = life();
    let behaved = all.iter().find(|one| one.why.is_some()).unwrap();
    let (number, then) = before.iter().find(|(number, _)| at(number * 10) >= behaved.end).unwrap();
    let window = behaviour.past().find(|past| past.end == behaved.end && past.alert).unwrap();
    for (normal, learning) in [(true, false), (false, false), (false, true)] {
        let mut then = then.clone();
        then.enter(window.verdict(normal, "Ada", at(9_999), ""));
        let closed = close(&mut then, *number, learning, false);
        let one = closed.iter().find(|one| one.device == behaved.device).unwrap();
        assert_eq!(one.learned, normal);
        assert_eq!(one.why.is_some(), !normal && !learning);
    }
    // What nobody spoke of is as strange as before, and not learned.
    let closed = close(&mut then.clone(), *number, false, false);
    assert!(!closed.iter().find(|one| one.device == behaved.device).unwrap().learned);
}

#[test]
fn labels_and_past_windows_outlive_a_restart() {
    let (mut behaviour, ..) = life();
    let window = behaviour.past().next().unwrap().clone();
    behaviour.enter(label(true, &window));
    let again = Behaviour::load(&behaviour.save()).unwrap();
    assert_eq!(again.feedback, behaviour.feedback);
    assert_eq!(again.labels().count(), 1);
}

#[test]
fn a_label_that_came_while_watching_says_the_same_again_when_it_is_there_from_the_start() {
    let window = past(1, 100, vec![0.0; WIDTH], true);
    let given = labels(&[Verdict { from: Some(at(100)), ..label(true, &window) }]);
    let ask = |seconds| given.in_force(CLASS, &window.row, None, Some(at(seconds))).normal;
    assert!(ask(100).is_none(), "it was judged before anybody said so");
    assert!(ask(110).is_some());
    assert!(given.told(&window).1.is_some(), "a preview holds it against the past");
}
