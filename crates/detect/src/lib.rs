//! Observations to findings to cases.
