//! What the clinical protocols say of made-up conversations in the dialects of real devices.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

mod astm;
mod conversation;
mod dicom;
mod dicom_bytes;
mod dicom_loss;
mod hl7;
mod noise;
