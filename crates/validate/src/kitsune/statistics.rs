//! AfterImage: damped incremental statistics of packet streams, five windows each.
//!
//! A stream is everything that one sender sends; a damped sum falls by half in 1 / lambda seconds.
//! One stream gives its weight, mean and variance; a pair of streams also radius, magnitude,
//! covariance and correlation.
//!
//! In the published program, whoever sends brings the covariances with all its peers up to date, so
//! that a packet of a busy server costs as much as it has ever had clients. Here one end of each
//! pair does that, the one that has fewer peers, and what the other end sent meanwhile is made up for
//! from its own damped sums: the same numbers to rounding, at a cost that does not grow.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::FixedState;

/// How many windows.
pub(super) const WINDOWS: usize = 5;

type Five = [f64; WINDOWS];

/// The share of each damped sum that is left after so many seconds, at rates of decay of 5, 3, 1,
/// 0.1 and 0.01 a second.
///
/// Two exponentials and a few products: the rates are whole multiples of one another. This is most of
/// what a packet costs.
fn left(seconds: f64) -> Five {
    if seconds <= 0.0 {
        return [1.0; WINDOWS];
    }
    let (one, hundredth) = ((-seconds).exp2(), (-0.01 * seconds).exp2());
    let three = one * one * one;
    [three * one * one, three, one, hundredth.powi(10), hundredth]
}

/// One stream.
#[derive(Clone, Debug)]
struct Stream {
    last: f64,
    weight: Five,
    sum: Five,
    squares: Five,
    /// As of the last packet.
    mean: Five,
    variance: Five,
    /// How far the last packet was from the mean.
    off: Five,
    /// Damped sum of these.
    offs: Five,
    packets: u64,
    /// Pairs that this stream keeps up to date.
    pairs: Vec<u32>,
    /// How many pairs there are in all.
    peers: u32,
}

impl Stream {
    const fn new(at: f64) -> Self {
        let none = [0.0; WINDOWS];
        Self {
            last: at,
            weight: [1e-20; WINDOWS],
            sum: none,
            squares: none,
            mean: none,
            variance: none,
            off: none,
            offs: none,
            packets: 0,
            pairs: vec![],
            peers: 0,
        }
    }

    fn take(&mut self, at: f64, value: f64) {
        let left = left(at - self.last);
        self.last = self.last.max(at);
        self.packets += 1;
        for (n, left) in left.into_iter().enumerate() {
            self.weight[n] = self.weight[n] * left + 1.0;
            self.sum[n] = self.sum[n] * left + value;
            self.squares[n] = self.squares[n] * left + value * value;
            self.mean[n] = self.sum[n] / self.weight[n];
            self.variance[n] = (self.squares[n] / self.weight[n] - self.mean[n].powi(2)).abs();
            self.off[n] = value - self.mean[n];
            self.offs[n] = self.offs[n] * left + self.off[n];
        }
    }

    /// The damped sums of weight and of distances from the mean, at a time.
    fn sums(&self, at: f64) -> [Five; 2] {
        let left = left(at - self.last);
        let damped = |sums: &Five| std::array::from_fn(|n| sums[n] * left[n]);
        [damped(&self.weight), damped(&self.offs)]
    }
}

/// What two streams have to do with each other. The keeper brings it up to date when it sends; the
/// other end may send without.
#[derive(Clone, Debug)]
struct Pair {
    keeper: u32,
    other: u32,
    last: f64,
    products: Five,
    weight: Five,
    /// How far the keeper's last packet was from its mean, since there is this pair.
    keeper_off: Five,
    /// Damped sums of the other end when this was last brought up to date.
    other_sums: [Five; 2],
    /// Packets of the other end below which it has said nothing since there is this pair.
    other_since: u64,
}

/// Streams by what they are called, and pairs of them.
#[derive(Clone, Debug)]
pub(super) struct Streams<K> {
    places: HashMap<K, u32, FixedState>,
    streams: Vec<Stream>,
    pair_of: HashMap<(u32, u32), u32, FixedState>,
    pairs: Vec<Pair>,
}

/// What one stream gives in each window: weight, mean, variance.
pub(super) type One = [[f64; 3]; WINDOWS];
/// What a pair gives in each window: the three of the sender, radius, magnitude, covariance,
/// correlation.
pub(super) type Two = [[f64; 7]; WINDOWS];

impl<K: Eq + Hash> Streams<K> {
    pub(super) fn new() -> Self {
        Self {
            places: HashMap::default(),
            streams: vec![],
            pair_of: HashMap::default(),
            pairs: vec![],
        }
    }

    fn place(&mut self, key: K, at: f64) -> u32 {
        let streams = &mut self.streams;
        *self.places.entry(key).or_insert_with(|| {
            streams.push(Stream::new(at));
            streams.len() as u32 - 1
        })
    }

    /// Takes a packet of a stream.
    pub(super) fn one(&mut self, key: K, at: f64, value: f64) -> One {
        let place = self.place(key, at);
        let stream = &mut self.streams[place as usize];
        stream.take(at, value);
        std::array::from_fn(|n| [stream.weight[n], stream.mean[n], stream.variance[n]])
    }

    /// Takes a packet whose value is the time since the one before.
    pub(super) fn gap(&mut self, key: K, at: f64) -> One {
        let place = self.place(key, at);
        let stream = &mut self.streams[place as usize];
        stream.take(at, (at - stream.last).max(0.0));
        std::array::from_fn(|n| [stream.weight[n], stream.mean[n], stream.variance[n]])
    }

    /// Takes a packet that one stream sends to another.
    pub(super) fn two(&mut self, from: K, to: K, at: f64, value: f64) -> Two {
        let from = self.place(from, at);
        self.streams[from as usize].take(at, value);
        let kept = std::mem::take(&mut self.streams[from as usize].pairs);
        for &pair in &kept {
            self.bring_up_to_date(pair, at);
            self.keeper_sent(pair);
        }
        self.streams[from as usize].pairs = kept;
        let to = self.place(to, at);
        let key = (from.min(to), from.max(to));
        let pair = match self.pair_of.get(&key) {
            Some(&pair) => pair,
            None => {
                let pair = self.pair(from, to, at);
                self.pair_of.insert(key, pair);
                pair
            }
        };
        self.bring_up_to_date(pair, at);
        self.sent_to_each_other(pair, from);
        self.pair_statistics(pair, from, to)
    }

    fn pair(&mut self, from: u32, to: u32, at: f64) -> u32 {
        let peers = |place: u32| self.streams[place as usize].peers;
        let (keeper, other) = if peers(from) <= peers(to) { (from, to) } else { (to, from) };
        let number = self.pairs.len() as u32;
        let none = [0.0; WINDOWS];
        let far = &self.streams[other as usize];
        self.pairs.push(Pair {
            keeper,
            other,
            last: at,
            products: none,
            weight: [1e-20; WINDOWS],
            keeper_off: none,
            other_sums: far.sums(at),
            // Whoever sends the first packet has said something.
            other_since: far.packets + u64::from(other != from),
        });
        self.streams[from as usize].peers += 1;
        self.streams[to as usize].peers += 1;
        self.streams[keeper as usize].pairs.push(number);
        number
    }

    /// Lets a pair fade, and adds what the other end has sent since.
    fn bring_up_to_date(&mut self, pair: u32, at: f64) {
        let pair = &mut self.pairs[pair as usize];
        let left = left(at - pair.last);
        pair.last = pair.last.max(at);
        let [weights, offs] = self.streams[pair.other as usize].sums(at);
        let [old_weights, old_offs] = pair.other_sums;
        // A host that talks to itself is no pair: nothing is ever added in the published program.
        let apart = pair.keeper != pair.other;
        for n in 0..WINDOWS {
            pair.weight[n] *= left[n];
            pair.products[n] *= left[n];
            if apart {
                pair.weight[n] += weights[n] - old_weights[n] * left[n];
                pair.products[n] += pair.keeper_off[n] * (offs[n] - old_offs[n] * left[n]);
            }
        }
        pair.other_sums = [weights, offs];
    }

    /// How far the last packet of the other end was from its mean, since there is this pair.
    fn other_off(&self, pair: &Pair) -> Five {
        let other = &self.streams[pair.other as usize];
        let silent = pair.keeper == pair.other || other.packets < pair.other_since;
        if silent { [0.0; WINDOWS] } else { other.off }
    }

    /// The keeper of a pair has sent, to whomever.
    fn keeper_sent(&mut self, pair: u32) {
        let other = self.other_off(&self.pairs[pair as usize]);
        let pair = &mut self.pairs[pair as usize];
        let own = &self.streams[pair.keeper as usize];
        for (n, other) in other.into_iter().enumerate() {
            pair.products[n] += own.off[n] * other;
            pair.weight[n] += 1.0;
        }
        pair.keeper_off = own.off;
    }

    /// One end of a pair has sent to the other: the published program counts that once more.
    fn sent_to_each_other(&mut self, pair: u32, from: u32) {
        if self.pairs[pair as usize].keeper == from {
            return self.keeper_sent(pair);
        }
        let pair = &mut self.pairs[pair as usize];
        let own = &self.streams[from as usize];
        for n in 0..WINDOWS {
            pair.products[n] += own.off[n] * pair.keeper_off[n];
            pair.weight[n] += 1.0;
        }
    }

    fn pair_statistics(&self, pair: u32, from: u32, to: u32) -> Two {
        let pair = &self.pairs[pair as usize];
        let (from, to) = (&self.streams[from as usize], &self.streams[to as usize]);
        std::array::from_fn(|n| {
            let radius = (from.variance[n].powi(2) + to.variance[n].powi(2)).sqrt();
            let magnitude = (from.mean[n].powi(2) + to.mean[n].powi(2)).sqrt();
            let covariance = pair.products[n] / pair.weight[n];
            let spreads = from.variance[n].sqrt() * to.variance[n].sqrt();
            let correlation = if spreads == 0.0 { 0.0 } else { covariance / spreads };
            let [weight, mean, variance] = [from.weight[n], from.mean[n], from.variance[n]];
            [weight, mean, variance, radius, magnitude, covariance, correlation]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::left;

    #[test]
    fn sums_fade_at_the_published_rates() {
        for seconds in [0.0, 1e-6, 0.03, 1.0, 7.7, 300.0] {
            for (left, rate) in left(seconds).into_iter().zip([5.0, 3.0, 1.0, 0.1, 0.01]) {
                let right = f64::exp2(-rate * seconds);
                assert!((left - right).abs() <= 1e-13 * right, "{seconds} s at {rate}");
            }
        }
        assert_eq!(left(-1.0), [1.0; 5], "a clock that steps back");
    }
}
