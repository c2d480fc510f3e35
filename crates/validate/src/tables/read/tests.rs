//! Tables that are none.
