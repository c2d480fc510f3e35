//! The lab's report: a table for people, JSON for programs.

use serde::Serialize;

use super::clinic::Count;
use super::run::Outcome;
use super::trials::Trial;
use crate::tables::{say, table};

/// Goals: seconds from the first packet to the verified block.
const MEDIAN: f64 = 2.0;
const NINETY_FIFTH: f64 = 5.0;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) version: &'static str,
    pub(super) seed: u64,
    pub(super) runs: Vec<Outcome>,
    pub(super) trials: Vec<Trial>,
    /// Essential messages over the whole time.
    pub(super) essential: Count,
    /// Images in the archive in the end.
    pub(super) images: usize,
    pub(super) figures: Figures,
    /// Whether everything is as it has to be: safety, not speed.
    pub(super) safe: bool,
    /// Whether it was as fast as it has to be.
    pub(super) fast: bool,
}

/// Seconds from the first packet of an attack to its block verified in traffic, where policy decided
/// by itself.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) automatic: usize,
    pub(super) verified: usize,
    pub(super) stopped: usize,
    pub(super) median: Option<f64>,
    pub(super) p95: Option<f64>,
    pub(super) worst: Option<f64>,
}

impl Report {
    pub(super) fn new(
        seed: u64,
        runs: Vec<Outcome>,
        trials: Vec<Trial>,
        essential: Count,
        images: usize,
    ) -> Self {
        let figures = Figures::of(&runs);
        let stopped = runs.iter().filter(|run| run.automatic).all(|run| run.stopped);
        let safe = essential.lost == 0
            && essential.sent > 0
            && stopped
            && runs.iter().all(|run| run.others_go_on)
            && trials.iter().all(|trial| trial.good);
        let below = |figure: Option<f64>, bound| figure.is_some_and(|figure| figure < bound);
        let fast = below(figures.median, MEDIAN) && below(figures.p95, NINETY_FIFTH);
        let version = env!("CARGO_PKG_VERSION");
        Self { version, seed, runs, trials, essential, images, figures, safe, fast }
    }

    /// For people.
    pub(super) fn show(&self) {
        let mut rows = table(&[
            "run", "attack", "from", "found", "decided", "pushed", "verified", "what", "lost",
        ]);
        let at = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), |s| format!("{s:.2} s"));
        for run in &self.runs {
            rows.add_row(vec![
                run.number.to_string(),
                run.attack.to_owned(),
                run.attacker.to_owned(),
                at(run.steps.found),
                at(run.steps.decided),
                at(run.steps.pushed),
                at(run.steps.verified),
                if run.automatic { run.what.clone() } else { "left to people".to_owned() },
                run.essential.lost.to_string(),
            ]);
        }
        say(&rows.to_string());
        for run in self.runs.iter().filter(|run| !run.automatic) {
            say(&format!(
                "Run {}, {} from {}: nothing by itself: {}.",
                run.number,
                run.attack,
                run.attacker,
                run.because.join("; ")
            ));
        }
        for run in self.runs.iter().filter(|run| run.automatic && !run.stopped) {
            say(&format!("Run {}: NOT STOPPED: its later connections succeed.", run.number));
        }
        say("");
        self.trials.iter().for_each(|trial| say(&line(trial)));
        say("");
        let figures = &self.figures;
        let seconds =
            |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |s| format!("{s:.2} s"));
        say(&format!(
            "{} attacks; policy acted by itself on {}, of which {} were verified in traffic and {} attackers failed to connect again.",
            self.runs.len(),
            figures.automatic,
            figures.verified,
            figures.stopped
        ));
        say(&format!(
            "From the first packet to the block verified in traffic: median {}, 95th percentile {}, worst {}.",
            seconds(figures.median),
            seconds(figures.p95),
            seconds(figures.worst)
        ));
        say(&format!(
            "Essential messages: {} sent, {} acknowledged, {} lost; {} images in the archive.",
            self.essential.sent, self.essential.acknowledged, self.essential.lost, self.images
        ));
        self.essential.which.iter().take(10).for_each(|which| say(&format!("  lost: {which}")));
        say(if self.safe { "Safe: yes." } else { "Safe: NO, see above." });
    }
}

impl Figures {
    fn of(runs: &[Outcome]) -> Self {
        let own: Vec<&Outcome> = runs.iter().filter(|run| run.automatic).collect();
        let mut times: Vec<f64> = own.iter().filter_map(|run| run.steps.verified).collect();
        times.sort_by(f64::total_cmp);
        // An action that was never verified counts as slower than all others.
        let missing = own.len() - times.len();
        let ranked = |share: f64| {
            let place = (share * (times.len() + missing) as f64).ceil() as usize;
            times.get(place.saturating_sub(1)).copied()
        };
        Self {
            automatic: own.len(),
            verified: times.len(),
            stopped: own.iter().filter(|run| run.stopped).count(),
            median: ranked(0.5),
            p95: ranked(0.95),
            worst: ranked(1.0),
        }
    }
}

/// A trial in a line.
pub(super) fn line(trial: &Trial) -> String {
    let verdict = if trial.good { "good" } else { "BAD " };
    let time = trial.seconds.map_or_else(String::new, |seconds| format!(" {seconds:.2} s;"));
    format!("{verdict} {}:{time} {}.", trial.name, trial.text)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::lab::run::Steps;

    fn run(verified: Option<f64>) -> Outcome {
        Outcome {
            number: 1,
            attack: "a",
            attacker: "b",
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            action: None,
            what: String::new(),
            automatic: true,
            because: Vec::new(),
            steps: Steps { verified, ..Steps::default() },
            seen: String::new(),
            stopped: true,
            others_go_on: true,
            essential: Count::default(),
        }
    }

    #[test]
    fn what_was_never_verified_counts_as_slower_than_everything_else() {
        let good: Vec<Outcome> = (1..=19).map(|n| run(Some(f64::from(n)))).collect();
        let figures = Figures::of(&good);
        assert_eq!((figures.median, figures.worst), (Some(10.0), Some(19.0)));
        let mut with = good.clone();
        with.extend([run(None), run(None)]);
        let figures = Figures::of(&with);
        assert_eq!((figures.automatic, figures.verified), (21, 19));
        assert_eq!((figures.median, figures.p95, figures.worst), (Some(11.0), None, None));
    }

    #[test]
    fn one_lost_message_makes_the_whole_report_unsafe() {
        let count = |lost| Count { sent: 10, acknowledged: 10 - lost, lost, which: Vec::new() };
        let report = |lost| Report::new(1, vec![run(Some(1.0))], Vec::new(), count(lost), 0);
        assert!(report(0).safe && report(0).fast);
        assert!(!report(1).safe);
    }
}
