//! Figures of a running instance: for Prometheus and for the API's status.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use pipeline::live::Counters;
use pipeline::loss::{Interface, Totals};
use pipeline::stats::Models;

use crate::status::Status;

pub(crate) fn recorder() -> Option<PrometheusHandle> {
    match PrometheusBuilder::new().install_recorder() {
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::warn!(%error, "metrics will be empty");
            None
        }
    }
}

pub(crate) fn publish(counters: &Counters) {
    use std::sync::atomic::Ordering::Relaxed;
    let totals = [
        ("wardwatch_packets_total", &counters.packets),
        ("wardwatch_bytes_total", &counters.bytes),
        ("wardwatch_kernel_dropped_packets_total", &counters.drops),
        ("wardwatch_malformed_packets_total", &counters.malformed),
        ("wardwatch_evicted_flows_total", &counters.evicted),
        ("wardwatch_log_records_total", &counters.records),
        ("wardwatch_log_errors_total", &counters.record_errors),
    ];
    for (name, counter) in totals {
        metrics::counter!(name).absolute(counter.load(Relaxed));
    }
    let evidence = &counters.evidence;
    let kept = [
        ("wardwatch_evidence_packets_total", &evidence.packets),
        ("wardwatch_evidence_bytes_total", &evidence.bytes),
        ("wardwatch_evidence_dropped_packets_total", &evidence.dropped),
        ("wardwatch_evidence_missed_packets_total", &evidence.missed),
        ("wardwatch_evidence_refused_findings_total", &evidence.refused),
        ("wardwatch_evidence_removed_files_total", &evidence.removed),
    ];
    for (name, counter) in kept {
        metrics::counter!(name).absolute(counter.load(Relaxed));
    }
    for interface in &counters.interfaces {
        publish_interface(interface.name(), &interface.totals());
    }
    metrics::gauge!("wardwatch_open_flows").set(counters.flows.load(Relaxed) as f64);
    metrics::gauge!("wardwatch_memory_peak_bytes").set(pipeline::stats::memory_peak() as f64);
}

/// What was lost on an interface, by cause.
fn publish_interface(name: &str, totals: &Totals) {
    let of = |name: &str| name.to_owned();
    metrics::gauge!("wardwatch_interface_up", "interface" => of(name)).set(if totals.up {
        1.0
    } else {
        0.0
    });
    let counts = [
        ("wardwatch_interface_packets_total", totals.packets),
        ("wardwatch_interface_lost_packets_total", totals.lost),
        ("wardwatch_interface_down_milliseconds_total", totals.down_millis),
        ("wardwatch_interface_waited_milliseconds_total", totals.waited_millis),
    ];
    for (metric, count) in counts {
        metrics::counter!(metric, "interface" => of(name)).absolute(count);
    }
    for (cause, count) in FLOW_CAUSES.into_iter().zip(totals.flows) {
        metrics::counter!(
            "wardwatch_interface_evicted_flows_total",
            "interface" => of(name),
            "cause" => cause
        )
        .absolute(count);
    }
}

/// Why flows are let go, in the order in which they are counted.
const FLOW_CAUSES: [&str; 3] = ["single_packet", "idle", "kept"];

pub(crate) fn statistics(counters: &Counters, models: &Status) -> serde_json::Value {
    use std::sync::atomic::Ordering::Relaxed;
    serde_json::json!({
        "packets": counters.packets.load(Relaxed),
        "bytes": counters.bytes.load(Relaxed),
        "drops": { "kernel": counters.drops.load(Relaxed), "flows_evicted": counters.evicted.load(Relaxed) },
        "interfaces": counters.interfaces.iter().map(|one| about(one)).collect::<Vec<_>>(),
        "evidence": {
            "packets": counters.evidence.packets.load(Relaxed),
            "bytes": counters.evidence.bytes.load(Relaxed),
            "dropped": counters.evidence.dropped.load(Relaxed),
            "missed": counters.evidence.missed.load(Relaxed),
        },
        "malformed": counters.malformed.load(Relaxed),
        "flows_open": counters.flows.load(Relaxed),
        "log_records": counters.records.load(Relaxed),
        "log_errors": counters.record_errors.load(Relaxed),
        "memory_peak": pipeline::stats::memory_peak(),
        "models": {
            "in_use": models.champion,
            "in_shadow": models.challenger,
            "realised_over_nominal": models.models.realised_over_nominal,
            "shadow": models.models.shadow,
            "drift": models.models.drift,
            "labels": models.models.labels,
        },
    })
}

fn about(interface: &Interface) -> serde_json::Value {
    let totals = interface.totals();
    let flows: std::collections::BTreeMap<_, _> =
        FLOW_CAUSES.into_iter().zip(totals.flows).collect();
    serde_json::json!({
        "name": interface.name(),
        "up": totals.up,
        "packets": totals.packets,
        "lost": totals.lost,
        "seconds_down": totals.down_millis as f64 / 1e3,
        "seconds_waited_for_detection": totals.waited_millis as f64 / 1e3,
        "flows_evicted": flows,
    })
}

/// How the models do.
pub(crate) fn publish_models(status: &Status) {
    let Models { realised_over_nominal, shadow, drift, labels } = &status.models;
    let of = |name: &String| name.clone();
    for (level, groups) in realised_over_nominal {
        for (group, ratio) in groups {
            metrics::gauge!(
                "wardwatch_models_realised_over_nominal",
                "group" => of(group),
                "level" => of(level)
            )
            .set(*ratio);
        }
    }
    for (group, drifted) in drift {
        metrics::gauge!("wardwatch_models_drift_psi", "group" => of(group)).set(drifted.psi);
        metrics::counter!("wardwatch_models_changed_devices_total", "group" => of(group))
            .absolute(drifted.changes);
    }
    if let Some(shadow) = shadow {
        metrics::counter!("wardwatch_models_shadow_windows_total").absolute(shadow.windows);
        let strange =
            [("in_use", shadow.champion), ("in_shadow", shadow.challenger), ("both", shadow.both)];
        for (to, count) in strange {
            metrics::counter!("wardwatch_models_shadow_strange_windows_total", "to" => to)
                .absolute(count);
        }
    }
    metrics::gauge!("wardwatch_models_labels").set(*labels as f64);
    metrics::gauge!("wardwatch_models_version").set(status.champion as f64);
}
