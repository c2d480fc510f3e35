//! Labelled tables: rows of features with the answer beside them, as public data sets are.
//!
//! A table is read ([`read`]), looked over for what would make any result worthless ([`lint`]), cut
//! into rows to learn from and rows to be judged by ([`split`]), and scored by an ensemble of trees
//! that know attacks and of memories that know normal life ([`ensemble`]). What comes out is an
//! [`crate::evaluation::Evaluation`] like that of any other run ([`run`]).
//!
//! What a table shows is how well the models rank rows of that table, and no more: packets, devices
//! and time, and with them false alerts a shift, are not in it.

mod column;
pub mod encode;
pub mod ensemble;
mod error;
pub mod lint;
mod options;
mod outcome;
pub mod read;
mod run;
pub mod split;

pub use column::{Column, Table, Values};
pub use error::TableError;
pub use lint::{Finding, Sign};
pub use options::{ColumnRef, TableOptions, TableRun};
pub use outcome::{Recall, Summary, TableOutcome, Timing};
pub use run::run;
pub use split::Split;
