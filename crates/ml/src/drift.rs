//! Whether life has changed, where, and from what to what.
//!
//! Two questions, two instruments. [`Adwin`] watches one number as it comes and says *when* its mean
//! has changed, with a bound on false alarms. [`Psi`] compares how a column is spread now with how
//! it was spread when the model learned, in bins fixed then, and says *how much*. [`Columns`] does
//! both for every column of a row and answers "what changed" in the column's own unit.
//!
//! Deliberately absent: what to do about it. Drift is no attack and no error; it is a reason to
//! learn anew, under the guard of whoever decides that.

mod adwin;
mod columns;
mod psi;

pub use adwin::{Adwin, Change};
pub use columns::{Changed, Columns};
pub use psi::{Psi, Stability};

#[cfg(test)]
mod tests;
