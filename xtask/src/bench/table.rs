//! Medians and ratios as a table.

use std::fmt::Write;

use super::Size;
use super::tools::Cost;

/// All runs of one program.
#[derive(Debug)]
pub(super) struct Row {
    name: &'static str,
    pub(super) costs: Vec<Cost>,
}

impl Row {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, costs: Vec::new() }
    }

    fn seconds(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.seconds).collect())
    }

    fn mebibytes(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.mebibytes as f64).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(value), 1) => *value,
        (Some(value), _) => (values[middle - 1] + value) / 2.0,
        (None, _) => f64::NAN,
    }
}

/// The table, as Markdown. The ratio is that of packets a second: how many times as fast the first
/// program is.
pub(super) fn written(rows: &[Row], size: Size) -> String {
    let first = rows.first().map_or(f64::NAN, Row::seconds);
    let mut out = String::from(
        "| program | seconds (user + system) | packets/s | Gbit/s | peak MiB | Wardwatch is faster by |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in rows {
        let seconds = row.seconds();
        let _ = writeln!(
            out,
            "| {} | {seconds:.2} | {:.0} k | {:.2} | {:.0} | {:.1} |",
            row.name,
            size.packets as f64 / seconds / 1e3,
            size.bytes as f64 * 8.0 / seconds / 1e9,
            row.mebibytes(),
            seconds / first,
        );
    }
    let runs = rows.iter().map(|row| row.costs.len()).min().unwrap_or_default();
    let _ = writeln!(
        out,
        "\n{} packets, {} bytes; medians of {runs} runs, one core.",
        size.packets, size.bytes
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, seconds: &[f64]) -> Row {
        let costs = seconds.iter().map(|s| Cost { seconds: *s, mebibytes: 7 }).collect();
        Row { name, costs }
    }

    #[test]
    fn ratios_are_of_medians() {
        let rows = [row("wardwatch", &[9.0, 1.0, 2.0]), row("other", &[8.0, 4.0])];
        let table = written(&rows, Size { packets: 1_000_000, bytes: 250_000_000 });
        assert!(table.contains("| wardwatch | 2.00 | 500 k | 1.00 | 7 | 1.0 |"), "{table}");
        assert!(table.contains("| other | 6.00 | 167 k | 0.33 | 7 | 3.0 |"), "{table}");
        assert!(table.contains("medians of 2 runs"), "{table}");
    }
}
