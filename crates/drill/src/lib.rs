//! Makes hospitals: seeded captures with ground truth, for demonstration, drills and validation.
