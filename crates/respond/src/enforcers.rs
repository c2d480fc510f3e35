//! Places that enforce, one file each.
