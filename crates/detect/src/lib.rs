//! Observations to findings to cases.
//!
//! [`Engine`] takes observations in time order, keeps the inventory and normal life, asks each
//! [`Detector`], and joins findings of one cause into cases. It reads no clock and uses no chance:
//! the same observations give the same cases.
//!
//! To add a detector: a file in `detectors/`, one line in [`detectors::ALL`].
#![forbid(unsafe_code)]

pub mod acts;
pub mod correlate;
pub mod detectors;
pub mod engine;
pub mod findings;
#[cfg(test)]
mod fixture;
pub mod kin;
pub mod seam;
pub mod words;

pub use engine::{Engine, Settings};
pub use findings::Findings;
pub use seam::{Context, Detector, DetectorSpec, Phase};
