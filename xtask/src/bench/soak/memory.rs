//! Resident memory over the hours of a capture, and whether it is flat.

use std::fmt::Write;

/// Hours of which a figure is shown.
const SHOWN: [u64; 8] = [1, 2, 4, 8, 16, 24, 48, 96];

/// Kibibytes an hour that the second half of a run may rise by and still be called flat: less than
/// 50 MiB in a month.
const FLAT: f64 = 64.0;

/// What was read, in order.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Hours of capture, and kibibytes.
    all: Vec<(f64, u64)>,
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) text: String,
    pub(super) flat: bool,
}

/// Resident kibibytes from the text of `/proc/PID/status`; none where the process is gone.
pub(super) fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Samples {
    pub(super) fn add(&mut self, hours: f64, kibibytes: u64) {
        self.all.push((hours, kibibytes));
    }

    /// One line a sample, for a plot.
    pub(super) fn csv(&self) -> String {
        self.all.iter().fold("hours,kibibytes\n".to_owned(), |mut out, (hours, kibibytes)| {
            let _ = writeln!(out, "{hours:.4},{kibibytes}");
            out
        })
    }

    /// Median of the quarter of an hour before, in MiB: a round with its attacks is not all alike.
    fn around(&self, hours: f64) -> Option<f64> {
        let near = self.all.iter().filter(|(at, _)| *at <= hours && *at > hours - 0.25);
        let values: Vec<f64> = near.map(|(_, kibibytes)| *kibibytes as f64 / 1_024.0).collect();
        (!values.is_empty()).then(|| crate::bench::table::median(values))
    }

    /// Rise of the line of least squares through what came after `from`, in kibibytes an hour.
    fn slope(&self, from: f64) -> f64 {
        let late: Vec<_> = self.all.iter().filter(|(at, _)| *at >= from).collect();
        let count = late.len() as f64;
        let x = late.iter().map(|(at, _)| at).sum::<f64>() / count;
        let y = late.iter().map(|(_, kibibytes)| *kibibytes as f64).sum::<f64>() / count;
        let (mut both, mut own) = (0.0, 0.0);
        for (at, kibibytes) in late {
            both += (at - x) * (*kibibytes as f64 - y);
            own += (at - x) * (at - x);
        }
        both / own
    }

    /// The figures, and whether they are flat.
    pub(super) fn report(&self, hours: u64) -> Report {
        let mut text = "| hours of capture | MiB resident |\n|---|---|\n".to_owned();
        let last = (!SHOWN.contains(&hours)).then_some(hours);
        for shown in SHOWN.into_iter().filter(|shown| *shown <= hours).chain(last) {
            if let Some(mebibytes) = self.around(shown as f64) {
                let _ = writeln!(text, "| {shown} | {mebibytes:.1} |");
            }
        }
        let peak = self.all.iter().map(|(_, kibibytes)| *kibibytes).max().unwrap_or(0);
        let slope = self.slope(hours as f64 / 2.0);
        // Not a number, where there are no samples, is not flat.
        let flat = slope <= FLAT;
        let _ = writeln!(
            text,
            "\n{} samples, peak {:.1} MiB. Second half: {slope:+.1} kB an hour: {} (bound: {FLAT} kB \
             an hour).",
            self.all.len(),
            peak as f64 / 1_024.0,
            if flat { "flat" } else { "not flat" },
        );
        Report { text, flat }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day, a sample a minute.
    fn day(kibibytes: impl Fn(f64) -> f64) -> Report {
        let mut samples = Samples::default();
        for minute in 1..=1_440 {
            let hours = f64::from(minute) / 60.0;
            samples.add(hours, kibibytes(hours) as u64);
        }
        samples.report(24)
    }

    #[test]
    fn what_levels_off_is_flat_and_what_keeps_rising_is_not() {
        let level = day(|hours| 50_000.0 * (1.0 - (-hours).exp()));
        assert!(level.flat, "{}", level.text);
        assert!(level.text.contains("| 24 | 48.8 |"), "{}", level.text);
        let rising = day(|hours| 50_000.0 + 100.0 * hours);
        assert!(!rising.flat && rising.text.contains("+100.0 kB"), "{}", rising.text);
    }

    #[test]
    fn swings_within_a_round_are_no_rise() {
        let swinging = day(|hours| 60_000.0 + 8_000.0 * (hours * 30.7).sin());
        assert!(swinging.flat, "{}", swinging.text);
    }

    #[test]
    fn a_run_without_samples_is_not_called_flat() {
        assert!(!Samples::default().report(24).flat);
    }

    #[test]
    fn resident_memory_is_read_from_what_the_kernel_says() {
        assert_eq!(resident("Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t   1234 kB\n"), Some(1_234));
        assert_eq!(resident("Name:\tx\nState:\tZ (zombie)\n"), None);
    }
}
