//! Keeps observations, findings, cases and devices, size-bounded.
