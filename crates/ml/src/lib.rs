//! Numerics of learning: models that say how strange a row of numbers is, calibration that says how
//! often such a score comes by chance, drift, and the measures by which all of them are judged.
//!
//! A row is a `&[f32]` of a fixed width. What its columns mean is known one level up.
//!
//! Pure: no I/O, no clock, no thread, no chance but from a seed. Everything has a bound. The same
//! rows in the same order give the same model, bit for bit, and every model can be saved and loaded
//! (`serde`). Deliberately absent: devices, protocols, findings.
#![forbid(unsafe_code)]

pub mod autoencoder;
pub mod budget;
pub mod cadence;
pub mod chance;
pub mod columns;
pub mod conformal;
pub mod drift;
pub mod forest;
pub mod intervals;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod reservoir;
pub mod sequential;
pub mod trees;
pub mod verbs;

pub use chance::Chance;
pub use model::{Contribution, Model};
