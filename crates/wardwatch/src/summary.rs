//! What `analyze` says in the end.

use std::collections::BTreeMap;

use model::device::Device;
use model::{DeviceClass, Severity};
use pipeline::analyze::Summary;

use crate::cli::AnalyzeArgs;
use crate::tables::{self, say};

/// Prints it, as asked.
pub(crate) fn print(args: &AnalyzeArgs, summary: &Summary, devices: &[Device]) {
    if args.json {
        say(&as_json(summary, devices).to_string());
    } else if !args.quiet {
        for_people(args, summary, devices);
    }
}

fn by_class(devices: &[Device]) -> BTreeMap<DeviceClass, usize> {
    devices.iter().fold(BTreeMap::new(), |mut by, device| {
        *by.entry(device.class).or_insert(0) += 1;
        by
    })
}

fn as_json(summary: &Summary, devices: &[Device]) -> serde_json::Value {
    let named = |by: &BTreeMap<Severity, u64>| -> BTreeMap<&str, u64> {
        by.iter().map(|(severity, count)| (severity.name(), *count)).collect()
    };
    let classes: BTreeMap<&str, usize> =
        by_class(devices).into_iter().map(|(class, count)| (class.name(), count)).collect();
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    serde_json::json!({
        "packets": summary.stats.packets,
        "bytes": summary.stats.bytes,
        "capture_seconds": summary.stats.capture_seconds,
        "seconds": seconds,
        "packets_per_second": summary.stats.packets as f64 / seconds,
        "megabits_per_second": summary.stats.bytes as f64 * 8e-6 / seconds,
        "devices": classes,
        "findings": named(&summary.findings),
        "cases": named(&summary.cases),
        "unreadable": summary.unreadable,
        "stats": summary.stats,
    })
}

fn for_people(args: &AnalyzeArgs, summary: &Summary, devices: &[Device]) {
    let stats = &summary.stats;
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    say(&format!(
        "{} packets, {}, {} of capture, read in {} ({} packets/s, {:.0} Mbit/s).",
        tables::thousands(stats.packets),
        tables::size(stats.bytes),
        tables::span(stats.capture_seconds),
        tables::span(seconds),
        tables::thousands((stats.packets as f64 / seconds) as u64),
        stats.bytes as f64 * 8e-6 / seconds,
    ));
    let classes: Vec<String> = by_class(devices)
        .into_iter()
        .map(|(class, count)| format!("{count} {}", class.name()))
        .collect();
    say(&format!("{} devices: {}.", devices.len(), tables::or_none(&classes)));
    let cases: Vec<String> =
        summary.cases.iter().rev().map(|(severity, count)| format!("{count} {severity}")).collect();
    say(&format!("{} cases: {}.", summary.cases.values().sum::<u64>(), tables::or_none(&cases)));
    losses(summary);
    if let Some(folder) = &args.out {
        say(&format!("Written to {}.", folder.display()));
    }
    if let Some(store) = &args.store {
        say(&format!("Ask on with: wardwatch cases --store {}", store.display()));
    }
}

/// What was lost, broken or not understood. Said even where it is nothing: silence would look alike.
fn losses(summary: &Summary) {
    let stats = &summary.stats;
    let list = |counts: &BTreeMap<String, u64>| -> Vec<String> {
        counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| {
                format!("{} {}", tables::thousands(*count), name.replace('_', " "))
            })
            .collect()
    };
    say(&format!("Lost: {}.", tables::or_none(&list(&stats.drops))));
    say(&format!("Broken: {}.", tables::or_none(&list(&stats.malformed))));
    say(&format!("Not understood: {}.", tables::or_none(&list(&stats.not_understood))));
    if stats.log_records > 0 {
        say(&format!(
            "{} log records, {} not understood.",
            tables::thousands(stats.log_records),
            tables::thousands(stats.log_errors)
        ));
    }
    for complaint in &summary.complaints {
        say(&format!("  {complaint}"));
    }
}
