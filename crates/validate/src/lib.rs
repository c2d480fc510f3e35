//! Error rates in the open: how often Wardwatch is right, how often it is wrong, for whom, and how
//! sure that is.
//!
//! Made-up hospitals, captures with their truth beside them, and
//! labelled tables are run through the very code that runs in a hospital; what comes out is scored,
//! broken down by stratum with confidence intervals, held against gates, and written down for people
//! (one HTML page) and for machines (a CycloneDX ML-BOM).
#![forbid(unsafe_code)]

pub mod card;
pub mod changes;
pub mod drift;
pub mod evaluation;
pub mod gates;
pub mod hospitals;
pub mod kitsune;
pub mod label;
pub mod lesson;
pub mod measures;
pub mod package;
pub mod report;
pub mod scored;
pub mod shelf;
pub mod site;
pub mod sites;
pub mod speech;
pub mod strata;
pub mod tables;
pub mod train;
pub mod trial;
pub mod unseen;
pub mod watch;
