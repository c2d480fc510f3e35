//! Observations to a device inventory: claims with provenance and confidence.
