//! Where data comes from.

mod data;

pub use data::DataCard;
