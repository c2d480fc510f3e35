//! Medians, ratios and goals as a table.

use std::fmt::Write;

use super::Size;
use super::captures::Kind;
use super::tools::{Cost, Who};

/// All runs of one program.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) who: Who,
    pub(super) costs: Vec<Cost>,
}

impl Row {
    pub(super) const fn new(who: Who) -> Self {
        Self { who, costs: Vec::new() }
    }

    fn seconds(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.seconds).collect())
    }

    fn wall(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.wall).collect())
    }

    /// The least disturbed run.
    fn best_wall(&self) -> f64 {
        self.costs.iter().map(|cost| cost.wall).fold(f64::INFINITY, f64::min)
    }

    fn mebibytes(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.mebibytes as f64).collect())
    }
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(value), 1) => *value,
        (Some(value), _) => (values[middle - 1] + value) / 2.0,
        (None, _) => f64::NAN,
    }
}

/// Programs that are not run here, by what a table of all of them on one machine found: thousands of
/// packets a second on zoo and bulk, and how many times as fast we want to be.
struct Published {
    name: &'static str,
    kilopackets: [f64; 2],
    goals: [f64; 2],
}

/// nDPI's reader in that table, by which its figures are carried over to this machine.
const NDPI: [f64; 2] = [1_030.0, 1_050.0];

const PUBLISHED: [Published; 4] = [
    Published {
        name: "physical floor over a mapped file",
        kilopackets: [10_400.0, 5_700.0],
        goals: [1.0 / 4.0, 1.0 / 3.0],
    },
    Published {
        name: "Suricata 8.0.6 without rules, EVE on",
        kilopackets: [421.0, 347.0],
        goals: [6.0; 2],
    },
    Published { name: "Suricata, 19,156 rules", kilopackets: [240.0, 175.0], goals: [f64::NAN; 2] },
    Published { name: "Kitsune-py", kilopackets: [1.7, 2.8], goals: [250.0; 2] },
];

/// How many times as fast as it we want to be; below one: at most so many times slower.
const fn goal(kind: Kind, who: Who) -> f64 {
    match (who, kind) {
        (Who::Nfstream, _) => 20.0,
        (Who::Ndpi, Kind::Zoo) => 2.5,
        (Who::Floor, Kind::Zoo) => 1.0 / 4.0,
        (Who::Floor, Kind::Bulk) => 1.0 / 3.0,
        _ => f64::NAN,
    }
}

/// "4.4 (goal 20: missed)".
fn held(ratio: f64, goal: f64) -> String {
    let shown = if ratio < 0.95 { format!("{ratio:.2}") } else { format!("{ratio:.1}") };
    match goal {
        goal if goal.is_nan() => shown,
        goal => {
            let met = if ratio >= goal { "met" } else { "missed" };
            let goal = if goal < 1.0 { format!("1/{:.0}", 1.0 / goal) } else { format!("{goal}") };
            format!("{shown} (goal {goal}: {met})")
        }
    }
}

/// The table of one capture, as Markdown. The ratio is that of packets a second: how many times as
/// fast Wardwatch is with everything on.
pub(super) fn written(kind: Kind, rows: &[Row], size: Size) -> String {
    let ours = rows.iter().find(|row| row.who == Who::Wardwatch).map_or(f64::NAN, Row::seconds);
    let mut out = format!(
        "| {} | packets/s | Gbit/s | user + system s | wall s | peak MiB | wardwatch is faster by |\n\
         |---|---|---|---|---|---|---|\n",
        kind.name()
    );
    for row in rows.iter().filter(|row| !row.costs.is_empty()) {
        let seconds = row.seconds();
        let _ = writeln!(
            out,
            "| {} | {} | {:.2} | {seconds:.2} | {:.2} | {:.0} | {} |",
            row.who.name(),
            rate(size.packets as f64 / seconds),
            size.bytes as f64 * 8.0 / seconds / 1e9,
            row.wall(),
            row.mebibytes(),
            held(seconds / ours, goal(kind, row.who)),
        );
    }
    if let Some(ndpi) = rows.iter().find(|row| row.who == Who::Ndpi && !row.costs.is_empty()) {
        let _ = out.write_str(&estimated(kind, ndpi.seconds(), ours, size));
    }
    let runs = rows.iter().map(|row| row.costs.len()).max().unwrap_or_default();
    let _ = writeln!(out, "\n{}; medians of {runs} runs in turn.", size.text());
    out.push_str(&threads(rows));
    out
}

/// Rows of programs that are not run here.
fn estimated(kind: Kind, ndpi: f64, ours: f64, size: Size) -> String {
    let column = match kind {
        Kind::Zoo => 0,
        Kind::Bulk => 1,
        Kind::Given => return String::new(),
    };
    let mut out = String::new();
    for Published { name, kilopackets, goals } in &PUBLISHED {
        let seconds = ndpi * NDPI[column] / kilopackets[column];
        let _ = writeln!(
            out,
            "| {name} (estimated: ndpiReader as measured × {} / {}) | {} | {:.2} | {seconds:.2} | | | {} |",
            kilopackets[column],
            NDPI[column],
            rate(size.packets as f64 / seconds),
            size.bytes as f64 * 8.0 / seconds / 1e9,
            held(seconds / ours, goals[column]),
        );
    }
    out
}

/// Wall time with two threads and with one.
fn threads(rows: &[Row]) -> String {
    let best = |who| rows.iter().find(|row| row.who == who).map(Row::best_wall);
    match (best(Who::Wardwatch), best(Who::TwoThreads)) {
        (Some(one), Some(two)) if one.is_finite() && two.is_finite() => format!(
            "Two threads on two cores are {} times as fast as one on one (wall time, the best run of \
             each).\n",
            held(one / two, 1.85)
        ),
        _ => String::new(),
    }
}

/// Packets a second, short.
fn rate(packets: f64) -> String {
    if packets >= 999_500.0 {
        format!("{:.2} M", packets / 1e6)
    } else {
        format!("{:.*} k", usize::from(packets < 10_000.0), packets / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(who: Who, seconds: &[f64]) -> Row {
        let cost = |s: &f64| Cost { seconds: *s, wall: *s, mebibytes: 7 };
        Row { who, costs: seconds.iter().map(cost).collect() }
    }

    const SIZE: Size = Size { packets: 1_000_000, bytes: 250_000_000, captures: 3 };

    #[test]
    fn ratios_are_of_medians_and_stand_beside_their_goals() {
        let rows = [
            row(Who::Wardwatch, &[9.0, 1.0, 2.0]),
            row(Who::Floor, &[0.4]),
            row(Who::Nfstream, &[8.0, 84.0]),
            row(Who::Tcpdump, &[]),
        ];
        let table = written(Kind::Zoo, &rows, SIZE);
        for line in [
            "| wardwatch, JSON out | 500 k | 1.00 | 2.00 | 2.00 | 7 | 1.0 |",
            "| physical floor | 2.50 M | 5.00 | 0.40 | 0.40 | 7 | 0.20 (goal 1/4: missed) |",
            "| nfstream with statistics | 22 k | 0.04 | 46.00 | 46.00 | 7 | 23.0 (goal 20: met) |",
            "medians of 3 runs",
        ] {
            assert!(table.contains(line), "{line} in\n{table}");
        }
        assert!(!table.contains("tcpdump"), "what was not measured has no row");
        assert!(!table.contains("Suricata"), "nor what cannot be estimated");
    }

    #[test]
    fn what_is_not_run_here_is_carried_over_by_what_is() {
        let rows =
            [row(Who::Wardwatch, &[1.0]), row(Who::Ndpi, &[2.0]), row(Who::TwoThreads, &[0.5])];
        let table = written(Kind::Bulk, &rows, SIZE);
        assert!(
            table.contains("347 / 1050) | 165 k | 0.33 | 6.05 | | | 6.1 (goal 6: met) |"),
            "{table}"
        );
        assert!(table.contains("2.0 (goal 1.85: met) times as fast"), "{table}");
        assert!(!written(Kind::Given, &rows, SIZE).contains("Suricata"));
    }
}
