//! The pipeline from a capture to findings: what it sees, that it sees the same every time, and what
//! damaged captures do to it.
#![allow(missing_docs)]

mod captures;
mod crafted;
mod damage;
mod determinism;
mod goldens;
mod privacy;
mod rig;
