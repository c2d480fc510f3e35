use super::*;
use crate::evaluation::Label;

/// Time, sender, receiver, their ports, length: two clients and a server, some at the same time,
/// a long silence, and an answer after it.
const PACKETS: [(f64, u32, u32, u16, u16, usize); 12] = [
    (10.0, 1, 9, 1, 80, 60),
    (10.001, 9, 1, 80, 1, 60),
    (10.5, 1, 9, 1, 80, 600),
    (10.52, 9, 1, 80, 1, 1500),
    (11.0, 2, 9, 2, 80, 70),
    (11.0, 9, 2, 80, 2, 900),
    (13.0, 1, 9, 3, 80, 64),
    (13.25, 9, 1, 80, 3, 1400),
    (40.0, 9, 2, 80, 2, 120),
    (40.0, 2, 9, 2, 80, 61),
    (41.0, 1, 9, 1, 80, 600),
    (41.5, 9, 1, 80, 1, 1000),
];

fn headers(from: u32, to: u32, ports: [u16; 2]) -> Headers {
    Headers {
        macs: [u64::from(from), u64::from(to)],
        addresses: [Address::V4(from), Address::V4(to)],
        ports: ports.map(Port::Number),
    }
}

/// What a transcription of the published statistics gives for the last of these packets, to nine
/// digits.
#[rustfmt::skip]
const LAST: [f64; FEATURES] = [
    1.00552427, 995.165349, 4231.1192, 1.04419417, 962.755133, 31388.3027,
    1.3535534, 770.140592, 149440.933, 2.39256809, 667.204789, 244707.58,
    5.23187411, 813.59941, 312741.585,
    1.00552427, 995.165349, 4231.1192, 4231.1192, 1162.04736, 7.30964741e-43, 0.0,
    1.04419417, 962.755133, 31388.3027, 31388.3027, 1134.41502, 5.44963001e-24, 0.0,
    1.3535534, 770.140592, 149440.933, 149440.933, 976.276871, 0.00038786638, 2.8891167e-05,
    2.39256809, 667.204789, 244707.58, 248672.653, 832.962653, 12249.8523, 0.11774675,
    5.23187411, 813.59941, 312741.585, 320958.71, 883.734241, 4070.1139, 0.0270933552,
    1.0, 28.25, 0.0, 1.0, 28.25, 0.0, 1.0, 28.2499999, 2.66621703e-06,
    1.37057559, 20.9370967, 144.711053, 3.43277523, 9.0053131, 153.235822,
    1.00552427, 995.165349, 4231.1192, 4231.1192, 1162.04736, 2.25198861e-42, 0.0,
    1.04419417, 962.755133, 31388.3027, 31388.3027, 1134.41502, 1.19183008e-23, 0.0,
    1.3535534, 770.140592, 149440.933, 149440.933, 976.276872, -0.000213054026, -4.72961874e-05,
    2.39256809, 667.204789, 244707.58, 245970.581, 864.103714, -1500.30178, -0.0192222759,
    5.23187411, 813.59941, 312741.585, 318864.704, 921.880366, 8064.88356, 0.057829641,
];

#[test]
fn features_are_those_of_the_published_statistics() {
    let mut features = Features::default();
    let mut last = [0.0; FEATURES];
    for (at, from, to, port, other, length) in PACKETS {
        last = features.packet(at, &headers(from, to, [port, other]), length);
    }
    for (n, (ours, published)) in last.iter().zip(LAST).enumerate() {
        let off = (ours - published).abs();
        assert!(off <= 1e-7 * published.abs() + 1e-6, "feature {n}: {ours} for {published}");
    }
}

/// The statistics of pairs as published: whoever sends brings all its pairs up to date. Slow, plain,
/// and without the two ends of a pair being different.
struct Plain {
    lambda: f64,
    streams: Vec<(f64, [f64; 3], f64, f64)>,
    pairs: Vec<PlainPair>,
}

/// Both ends, last time, sums of products and weight, distance of each end's last packet.
type PlainPair = (usize, usize, f64, [f64; 2], [f64; 2]);

impl Plain {
    fn sent(&mut self, pair: usize, from: usize, at: f64, off: f64) {
        let (a, _, last, sums, offs) = &mut self.pairs[pair];
        let left = (-self.lambda * (at - *last)).exp2();
        let end = usize::from(*a != from);
        *last = at;
        *sums = [sums[0] * left + off * offs[1 - end], sums[1] * left + 1.0];
        offs[end] = off;
    }

    fn packet(&mut self, from: usize, to: usize, at: f64, value: f64) -> [f64; 2] {
        let (last, sums, mean, variance) = &mut self.streams[from];
        let left = (-self.lambda * (at - *last)).exp2();
        *sums = [sums[0] * left + 1.0, sums[1] * left + value, sums[2] * left + value * value];
        *last = at;
        *mean = sums[1] / sums[0];
        *variance = (sums[2] / sums[0] - *mean * *mean).abs();
        let off = value - *mean;
        for pair in 0..self.pairs.len() {
            if self.pairs[pair].0 == from || self.pairs[pair].1 == from {
                self.sent(pair, from, at, off);
            }
        }
        let known = |p: &PlainPair| (p.0, p.1) == (from, to) || (p.0, p.1) == (to, from);
        let pair = self.pairs.iter().position(known).unwrap_or_else(|| {
            self.pairs.push((from, to, at, [0.0; 2], [0.0; 2]));
            self.pairs.len() - 1
        });
        self.sent(pair, from, at, off);
        let radius = self.streams[from].3.hypot(self.streams[to].3);
        [self.pairs[pair].3[0] / self.pairs[pair].3[1], radius]
    }
}

#[test]
fn pairs_that_only_one_end_keeps_are_as_those_that_both_keep() {
    let mut chance = ml::Chance::new(4);
    let mut ours = statistics::Streams::new();
    let new = || Plain { lambda: 0.1, streams: vec![(0.0, [0.0; 3], 0.0, 0.0); 9], pairs: vec![] };
    let mut plain = new();
    let mut at = 0.0;
    for _ in 0..5_000 {
        at += -(1.0 - chance.unit()).ln();
        // Two that talk to everybody, and others that talk to those.
        let (hub, other) = (chance.below(2), 2 + chance.below(7));
        let (from, to) = if chance.unit() < 0.5 { (hub, other) } else { (other, hub) };
        let value = 60.0 + 1_440.0 * chance.unit();
        let two = ours.two(from, to, at, value);
        let [covariance, radius] = plain.packet(from, to, at, value);
        assert!((two[3][5] - covariance).abs() < 1e-6, "{} for {covariance}", two[3][5]);
        assert!((two[3][3] - radius).abs() < 1e-6 * radius.max(1.0));
    }
}

#[test]
fn a_flood_is_strange_to_one_that_has_learned_normal_life() {
    let mut kitsune =
        Kitsune::new(&Settings { mapping: 300, training: 2_700, ..Settings::default() });
    let mut chance = ml::Chance::new(4);
    let mut at = 1.7e9;
    let mut scores = vec![];
    let normal = |kitsune: &mut Kitsune, chance: &mut ml::Chance, at: &mut f64| {
        *at += 0.2 * chance.unit();
        let client = 1 + chance.below(5) as u32;
        let (from, to, ports, length) = match chance.below(2) {
            0 => (client, 9, [1_000, 80], 60 + chance.below(300)),
            _ => (9, client, [80, 1_000], 400 + chance.below(1_000)),
        };
        kitsune.known(time(*at), &headers(from, to, ports), length)
    };
    for _ in 0..3_001 {
        assert_eq!(normal(&mut kitsune, &mut chance, &mut at), None, "still learning");
    }
    for _ in 0..500 {
        scores.extend(normal(&mut kitsune, &mut chance, &mut at));
    }
    scores.sort_by(f64::total_cmp);
    assert_eq!(scores.len(), 500);
    let flood: Vec<f64> = (0..200)
        .filter_map(|n| {
            at += 1e-4;
            kitsune.known(time(at), &headers(3, 9, [2_000 + n, 80]), 60)
        })
        .collect();
    assert!(flood[100..].iter().all(|&s| s > scores[495]), "{} {:?}", scores[495], &flood[190..]);
}

fn time(seconds: f64) -> Timestamp {
    Timestamp::from_nanos((seconds * 1e9) as i64)
}

#[test]
fn a_hospital_is_told_by_device_and_window_with_the_truth() {
    let event = |scenario: &str| drill::Event {
        scenario: scenario.to_owned(),
        who: drill::Who::Known,
        speed: drill::Speed::Fast,
    };
    let plan = drill::Plan {
        baseline_minutes: 1.0,
        attack_minutes: 0.5,
        image_kib: 4,
        pace: 0.4,
        gap_seconds: 2.0,
        events: vec![event("udp_flood"), event("arp_spoofing")],
        ..drill::Plan::default()
    };
    let run = device_windows(&plan, By::Initiator).unwrap();
    assert_eq!(run.truth.len(), 2);
    let all = examples(&run);
    let of = |label: &Label| -> Vec<f64> {
        all.iter().filter(|e| e.truth == *label).map(|e| e.score).collect()
    };
    let largest = |scores: Vec<f64>| scores.into_iter().fold(0.0, f64::max);
    let (normal, attack) = (of(&Label::Normal), Label::Attack("udp_flood".to_owned()));
    assert!(normal.len() > 50 && !of(&Label::Neutral).is_empty());
    let flood = largest(of(&attack));
    let below = normal.iter().filter(|&&score| score < flood).count();
    assert!(below * 10 > normal.len() * 9, "{below} of {} normal units below", normal.len());
    let below_ip = of(&Label::Attack("arp_spoofing".to_owned()));
    assert!(largest(below_ip) > 0.0, "below IP an attack has an actor too");
    assert!(all.iter().filter(|e| e.truth == attack).all(|e| e.strata["actor"] == "known"));
}
