//! The rhythms of one device: a few of its regular acts.

use ml::cadence::{Cadence, Rhythm};
use serde::{Deserialize, Serialize};

/// Acts of a device whose rhythm is followed.
const MOST: usize = 4;

/// Rhythms of the first acts of a device that keep one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rhythms(Vec<(u64, Cadence)>);

impl Rhythms {
    /// An act, by its mark; how probable it is that it comes so soon, where it has a rhythm. An act
    /// that shows none gives its place away to the next one.
    pub(super) fn beat(&mut self, act: u64, at: f64, teaches: bool) -> Option<f64> {
        if let Some((_, cadence)) = self.0.iter_mut().find(|(mark, _)| *mark == act) {
            let early = cadence.early(at);
            if teaches {
                cadence.learn(at);
            }
            return early;
        }
        if !teaches {
            return None;
        }
        let mut new = Cadence::new(act);
        new.learn(at);
        if self.0.len() < MOST {
            self.0.push((act, new));
        } else if let Some(place) =
            self.0.iter_mut().find(|(_, cadence)| cadence.rhythm() == Rhythm::Irregular)
        {
            *place = (act, new);
        }
        None
    }

    /// How probable the least probable silence is.
    pub(super) fn overdue(&self, now: f64) -> Option<f64> {
        let all = self.0.iter().filter_map(|(_, cadence)| cadence.overdue(now));
        all.min_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_act_that_comes_too_soon_or_not_at_all_is_improbable() {
        let mut rhythms = Rhythms::default();
        for beat in 0..60 {
            rhythms.beat(7, f64::from(beat) * 30.0, true);
        }
        let usual = rhythms.beat(7, 1_800.0, true).unwrap();
        let soon = rhythms.beat(7, 1_802.0, false).unwrap();
        assert!(soon < usual / 4.0, "{soon} {usual}");
        assert!(rhythms.overdue(1_820.0).unwrap() > rhythms.overdue(2_000.0).unwrap());
    }

    #[test]
    fn people_have_no_rhythm_and_are_never_late() {
        let mut rhythms = Rhythms::default();
        let mut at = 0.0;
        for beat in 0..100_u32 {
            at += f64::from(beat * 7_919 % 97) + 0.5;
            rhythms.beat(7, at, true);
        }
        assert_eq!(rhythms.overdue(at + 1e4), None);
    }

    #[test]
    fn no_more_acts_are_followed_than_there_are_places() {
        let mut rhythms = Rhythms::default();
        for act in 0..1_000 {
            rhythms.beat(act, act as f64, true);
        }
        assert_eq!(rhythms.0.len(), MOST);
    }
}
