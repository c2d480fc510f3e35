//! The program as a person runs it: exit statuses, files, what it says, and what it never says.
#![allow(missing_docs, clippy::print_stderr)]

mod cli;
mod contract;
mod conversations;
mod disk;
mod feedback;
mod kill;
mod learned;
mod live;
mod loss;
mod privacy;
mod respond;
mod rig;
mod trials;
