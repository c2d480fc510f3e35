//! Log records to observations: one file a format.
#![forbid(unsafe_code)]

pub mod kinds;
