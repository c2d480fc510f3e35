//! Numbers in order of size, in runs of some hundreds: taking one in or out moves a run, and not all
//! that lies above it.

use serde::{Deserialize, Serialize};

/// A run this long becomes two.
const LONGEST: usize = 512;

/// Numbers from the smallest up. Saved, it is the list of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<f32>", into = "Vec<f32>")]
pub(super) struct Sorted {
    /// None is empty.
    runs: Vec<Vec<f32>>,
    count: usize,
}

impl Sorted {
    pub(super) const fn new() -> Self {
        Self { runs: Vec::new(), count: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// How many are smaller.
    pub(super) fn below(&self, number: f32) -> usize {
        let at = self.run(number);
        let before: usize = self.runs[..at].iter().map(Vec::len).sum();
        before + self.runs.get(at).map_or(0, |run| run.partition_point(|kept| *kept < number))
    }

    /// The number at a place, the smallest at 0.
    pub(super) fn get(&self, place: usize) -> Option<f32> {
        let (run, place) = self.find(place)?;
        self.runs[run].get(place).copied()
    }

    pub(super) fn insert(&mut self, number: f32) {
        let at = self.run(number).min(self.runs.len().saturating_sub(1));
        self.count += 1;
        let Some(run) = self.runs.get_mut(at) else {
            self.runs.push(vec![number]);
            return;
        };
        run.insert(run.partition_point(|kept| *kept < number), number);
        if run.len() >= LONGEST {
            let upper = run.split_off(LONGEST / 2);
            self.runs.insert(at + 1, upper);
        }
    }

    /// Lets go of a number, or of the next larger one, or else of the largest.
    pub(super) fn remove(&mut self, number: f32) {
        self.remove_at(self.below(number).min(self.count.saturating_sub(1)));
    }

    /// Lets go of the number at a place.
    pub(super) fn remove_at(&mut self, place: usize) {
        let Some((at, place)) = self.find(place) else { return };
        self.runs[at].remove(place);
        self.count -= 1;
        if self.runs[at].is_empty() {
            self.runs.remove(at);
        }
    }

    /// The first run that reaches a number.
    fn run(&self, number: f32) -> usize {
        self.runs.partition_point(|run| run.last().is_some_and(|last| *last < number))
    }

    /// The run in which a place is, and where in it.
    fn find(&self, mut place: usize) -> Option<(usize, usize)> {
        for (at, run) in self.runs.iter().enumerate() {
            if place < run.len() {
                return Some((at, place));
            }
            place -= run.len();
        }
        None
    }
}

impl PartialEq for Sorted {
    fn eq(&self, other: &Self) -> bool {
        self.runs.iter().flatten().eq(other.runs.iter().flatten())
    }
}

impl From<Vec<f32>> for Sorted {
    fn from(numbers: Vec<f32>) -> Self {
        let runs = numbers.chunks(LONGEST / 2).map(<[f32]>::to_vec).collect();
        Self { runs, count: numbers.len() }
    }
}

impl From<Sorted> for Vec<f32> {
    fn from(sorted: Sorted) -> Self {
        sorted.runs.concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_answers_as_one_sorted_list_does(
            steps in prop::collection::vec((0..3_u8, 0..900_u16), 0..3_000)
        ) {
            let (mut sorted, mut list) = (Sorted::new(), Vec::<f32>::new());
            for (what, number) in steps {
                let x = f32::from(number);
                let place = list.partition_point(|kept| *kept < x);
                match what {
                    2 if !list.is_empty() => {
                        sorted.remove(x);
                        list.remove(place.min(list.len() - 1));
                    }
                    _ => {
                        sorted.insert(x);
                        list.insert(place, x);
                    }
                }
                prop_assert_eq!(sorted.below(x), list.partition_point(|kept| *kept < x));
                prop_assert_eq!(sorted.get(place), list.get(place).copied());
            }
            prop_assert_eq!(sorted.len(), list.len());
            prop_assert_eq!(&Vec::<f32>::from(sorted.clone()), &list);
            prop_assert_eq!(Sorted::from(list), sorted);
        }
    }
}
