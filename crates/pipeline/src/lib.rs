//! Runs it: threads, order, back-pressure, shutdown, metrics.
